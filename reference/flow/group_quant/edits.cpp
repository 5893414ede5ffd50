#include "reference/flow/group_quant/edits.h"

#include <algorithm>

#include "reference/contracts/scale_spec.h"

namespace assay {
namespace {

Recipe& amax(Link& link) { return std::get<AmaxScales>(std::get<GroupQuant>(link).scales).amax; }

/// What the largest magnitude is taken of.
void amax_over(RowEdits& edits) {
  const ContractRow& row = edits.row();
  if (row.text("group") != "tensor" && row.text("group") != "row")
    edits.flow_edit("amax over", "amax: over two groups", [](Link& link) { amax(link).over = Over::kTwice; });
  edits.flow_edit("amax over", "amax: over half the group", [](Link& link) { amax(link).over = Over::kHalf; });
  if (spans_rows(row))
    edits.flow_edit("amax over", "amax: over the first row alone", [](Link& link) { amax(link).over = Over::kFirstRow; });
  if (pads_x(row))
    edits.flow_edit("amax over", "amax: over the next row too, beyond a ragged edge",
                    [](Link& link) { amax(link).over = Over::kNextRowToo; });
}

/// Kernels change their scales to powers of two from one release to the next.
void power_of_two(RowEdits& edits) {
  const std::string& cell = edits.row().text("scale");
  const auto has = [&](const char* verb) { return cell.find(verb) != std::string::npos; };
  if (cell.empty() || has("pow2") || has("exp2") || has("to(e8m0") || edits.is_edited("scale")) return;
  const EditedCell& scale = edits.steps("scale");
  if (std::any_of(scale.begin(), scale.end(), [](const EditedStep& one) { return one.edited; })) return;
  edits.suspect_behind("scale", "up to a power of two", CellStep::made("pow2", {"ceil"}));
}

}  // namespace

void add_group_quant_edits(RowEdits& edits) {
  if (edits.reads_constant("M")) edits.constants("M");
  edits.constants("q");
  for (const char* column : {"amax", "scale", "mult", "code"}) edits.cell(column);
  if (!edits.steps("amax").empty()) amax_over(edits);
  power_of_two(edits);
}

}  // namespace assay
