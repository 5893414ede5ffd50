#include "suites/ops.h"
#include "suites/rms_norm_double_quant/second_consumer.h"
#include "suites/rows/row_op.h"

namespace assay {
namespace {

/// Whether x and q are three-dimensional: two sequences of half the rows.
bool read_view(const Cells& cells, int64_t rows) {
  const std::string& view = cells.text("view");
  if (view != "no" && view != "yes") cells.refuse("view", "'" + view + "' is not one of: no, yes");
  if (view == "yes" && rows % 2 != 0) cells.refuse("m", "rows of two sequences, as a view needs, are an even number");
  return view == "yes";
}

}  // namespace

Op rms_norm_double_quant_op() {
  const auto parts = std::make_shared<const RowOpParts>(
      RowOpParts{.name = "rms_norm_double_quant",
                 .chain = RowChain({norm_stage(), quant_stage({})}),
                 .columns = {"contract", "x", "m", "n", "group_size", "layout", "view", "eps", "fill", "gamma", "seed", "warp"}});
  Op op = row_op(*parts);
  for (RoleSpec& role : roles_of_second()) op.roles.push_back(std::move(role));
  op.bind = [parts](const Case& c) {
    std::unique_ptr<const BoundRows> once = bind_rows(parts, c);
    const bool view = read_view(Cells(c), once->row_case().m);
    return std::make_unique<const BoundDoubleQuant>(std::move(once), view);
  };
  return op;
}

}  // namespace assay
