#include <algorithm>

#include "suites/ops.h"
#include "suites/rms_norm_double_quant/second_consumer.h"
#include "suites/rows/cells.h"
#include "suites/rows/roles.h"
#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) {
  require_chain(c, "row_norm");
  require_sharing(c, Sharing::kInRow);
}

void require_view(const Case& c) {
  const std::string& view = c.text("view");
  if (view != "no" && view != "yes") Cells(c).refuse("view", "'" + view + "' is not one of: no, yes");
  if (view == "yes" && c.integer("m") % 2 != 0) Cells(c).refuse("m", "rows of two sequences, as a view needs, are an even number");
}

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  return {{input_matrix(p, q), input_gamma(p), output_matrix("q", p, q), output_scale(p)},
          {{"group_size", double(p.group_size)}, {"eps", p.eps}, {"warp", double(p.warp)}}};
}

/// A matrix as two sequences of half its rows.
void as_sequences(TensorSpec& spec) {
  const int64_t rows = spec.shape[0] / 2;
  spec.shape.insert(spec.shape.begin(), 2), spec.shape[1] = rows;
  spec.strides.insert(spec.strides.begin(), rows * spec.strides[0]);
}

}  // namespace

Op rms_norm_double_quant_op() {
  CallbackOp op = with_second_consumer(row_op({.name = "rms_norm_double_quant",
                        .roles = {roles::kX, roles::kGamma, roles::kQ, roles::kScale},
                        .parameters = {roles::kGroupSize, roles::kEps, roles::kWarp},
                        .columns = {"contract", "x", "m", "n", "group_size", "layout", "view", "eps", "fill", "gamma", "seed", "warp"},
                        .optional_columns = {},
                        .require = require,
                        .problem = problem}));
  op.problem = [flat = op.problem](const Case& c) {
    Problem made = flat(c);
    if (c.text("view") == "no") return made;
    as_sequences(find(made.tensors, "x").spec);
    as_sequences(find(made.tensors, "q").spec);
    return made;
  };
  op.validate = [valid = op.validate](Case c) {
    c = valid(std::move(c));
    require_view(c);
    if (c.text("view") == "yes") c.name.fills += ".view", c.set_name(c.name);
    return c;
  };
  return bindable(std::move(op));
}

}  // namespace assay
