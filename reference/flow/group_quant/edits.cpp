#include "reference/flow/group_quant/edits.h"

#include "reference/contracts/group_shape.h"

namespace assay {
namespace {

GroupQuant& quant(Link& link) { return std::get<GroupQuant>(link); }

/// What the largest magnitude is taken of.
void amax_over(RowEdits& edits) {
  const ContractRow& row = edits.row();
  if (row.text("group") != "tensor" && row.text("group") != "row")
    edits.flow_edit("amax over", "amax: over two groups", [](Link& link) { quant(link).amax.over = Over::kTwice; });
  edits.flow_edit("amax over", "amax: over half the group", [](Link& link) { quant(link).amax.over = Over::kHalf; });
  if (spans_rows(row))
    edits.flow_edit("amax over", "amax: over the first row alone", [](Link& link) { quant(link).amax.over = Over::kFirstRow; });
  if (pads_x(row))
    edits.flow_edit("amax over", "amax: over the next row too, beyond a ragged edge",
                    [](Link& link) { quant(link).amax.over = Over::kNextRowToo; });
}

}  // namespace

void add_group_quant_edits(RowEdits& edits) {
  if (edits.reads_constant("M")) edits.constants("M");
  edits.constants("q");
  for (const char* column : {"amax", "scale", "mult", "code"}) edits.cell(column);
  if (!edits.steps("amax").empty()) amax_over(edits);
}

}  // namespace assay
