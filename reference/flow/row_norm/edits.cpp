#include "reference/flow/row_norm/bind.h"

namespace assay {
namespace {

RowNorm& norm(Link& link) { return std::get<RowNorm>(link); }

/// Which of the rounded and the unrounded sum is squared, normalized and stored.
void with_a_residual(RowEdits& edits) {
  edits.flow_edit("residual", "residual: stays as it was", [](Link& link) { norm(link).residual.start = "res"; });
  const EditedStep& last = edits.steps("z").back();
  if (last.step.word == "to" && !last.edited)
    edits.flow_edit("sum of z", "sum: of z before it is rounded", [](Link& link) { norm(link).sum.start = kUnroundedZ; });
  const bool keeps_fp32 = edits.row().text("z").find("to(") == std::string::npos;
  if (keeps_fp32 && !last.edited)
    edits.flow_edit("y of z", "y: of the residual as stored", [](Link& link) { norm(link).stored_from = 0; });
  if (!edits.row().text("stored_from").empty())
    edits.flow_edit("y of z", "y: of the sum in all columns", [](Link& link) { norm(link).stored_from = RowNorm::kNoColumn; });
}

/// Squares of x itself, as they are or less the square of its mean: a difference of two large numbers.
void squares_of_x(RowEdits& edits) {
  if (edits.row().text("sum") != "deviations" || edits.is_edited("sum over")) return;
  const auto of_x = [&](const std::string& name) -> EditedRow& {
    EditedRow& row = edits.add_whole(name);
    RowEdits::set_text(row, "sum", "squares");
    RowEdits::mark_edited(row, "sum over");
    return row;
  };
  of_x("sum: of x, its mean not taken off");
  const EditedCell& r = edits.steps("r");
  if (r.empty() || r.front().edited || r.front().step.word != "div") return;
  EditedCell& less = RowEdits::steps(of_x("r: mean of x^2 less mu^2"), "r");
  less.insert(less.begin() + 1, RowEdits::edited(CellStep::made("sub", {"mu*mu"}), "sub(mu*mu)"));
}

/// What the mean is of, what the squares are of, and whose type the weights have.
void with_a_mean(RowEdits& edits) {
  edits.cell("mean");
  squares_of_x(edits);
  if (edits.row().text("w").empty() && !edits.is_edited("weight")) {
    EditedRow& row = edits.add_whole("w: rounded to x");
    RowEdits::steps(row, "w") = {RowEdits::edited(CellStep::made("to", {"x"}), "to(x)")};
    RowEdits::mark_edited(row, "weight");
  }
  edits.flow_edit("mean over", "mean: over half the row", [](Link& link) { norm(link).mean.over = Over::kHalf; });
  edits.flow_edit("degrees", "r: div(n) -> div(n - 1)", [](Link& link) { replace_quantity(norm(link).r, "n", kOneLess); });
}

}  // namespace

void add_row_norm_edits(RowEdits& edits) {
  const ContractRow& row = edits.row();
  edits.flow_edit("sum over", "sum: ignores the data", [](Link& link) { norm(link).sum.over = Over::kNothing; });
  edits.flow_edit("sum over", "sum: over half the row", [](Link& link) { norm(link).sum.over = Over::kHalf; });
  if (row.text("sum") == "squares to(x)")
    edits.flow_edit("squares", "sum: squares to(x) -> squares", [](Link& link) { norm(link).sum.steps.clear(); });
  edits.flow_edit("eps", "r: eps -> 10 eps", [](Link& link) { replace_quantity(norm(link).r, "eps", kTenEps); });
  for (const char* column : {"z", "residual", "r", "w", "gate", "y"})
    if (!edits.is_edited(column)) edits.cell(column);  // a sum that is not stored is rounded by nobody
  const bool weighs = row.text("y").find('w') != std::string::npos;
  if (row.text("w").find("add(1)") == std::string::npos && weighs)
    edits.flow_edit("weight", "y: w -> 1 + w", [](Link& link) { replace_quantity(norm(link).y, "w", kOnePlusW); });
  if (!row.text("z").empty()) with_a_residual(edits);
  if (!row.text("mean").empty()) with_a_mean(edits);
}

}  // namespace assay
