#include "suites/quant_static/binding.h"

#include "suites/rows/row_op.h"
#include "suites/rows/tensors.h"

namespace assay {
namespace {

void require(const Case& c) { require_sharing(c, Sharing::kGiven); }

Problem problem(const RowCase& p) {
  const Format& q = code_format(p);
  Problem made{{input_matrix(p, q), input_scale(p)},
               {{"group_rows", double(p.group_rows)}, {"group_size", double(p.group_size)}, {"warp", double(p.warp)}}};
  if (!p.zero_fill.empty()) made.tensors.push_back(input_zero(p));
  made.tensors.push_back(output_matrix("q", p, q));
  return made;
}

}  // namespace

Op quant_static_op() {
  Op op = row_op("quant_static", {"contract", "x", "m", "n", "group_size", "layout", "fill", "scale", "azp", "seed", "warp"},
                 require, problem);
  op.optional_columns = {"azp"};
  op.rows = nullptr;  // rows have scales of their own
  op.with_rows = nullptr;
  return op;
}

}  // namespace assay
