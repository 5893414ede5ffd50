// Contract rows of norms: columns, binding and mutants.
#include <stdexcept>

#include "reference/flow/flow.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

Expression depth_of(const RowCells& cells) {
  try {
    Expression depth(cells.text("depth"));
    for (const std::string& name : depth.names())
      if (name != "n") throw ParseError(0, "unknown name '" + name + "'; known here: n");
    for (const int64_t n : {1, 7168, 1 << 20})
      if (depth.integer({{"n", n}}) < 0) throw ParseError(0, "a depth must not be negative");
    return depth;
  } catch (const ParseError& error) {
    throw cells.error("depth", error.position, error.what());
  } catch (const std::domain_error& error) {
    throw cells.error("depth", 0, error.what());
  }
}

}  // namespace

Link bind_row_norm(const RowCells& cells, const Format& x) {
  RowNorm n;
  n.row = cells.id();
  Names names{{}, {{"x", &x}}, {}};
  n.mean = cells.recipe("mean", {{}, {{"x", &x}}, {"n"}});
  n.sum = cells.recipe("sum", names);
  if (n.deviates() && !n.centers()) throw cells.error("sum", 0, "'deviations' is only allowed if column mean is not empty");
  if (n.sum.text() != (n.deviates() ? "deviations" : "squares") && n.sum.text() != "squares to(x)")
    throw cells.error("sum", 0,
                      n.deviates() || n.sum.reduction == Reduction::kSquares ? "must be squares, deviations or squares to(x)"
                                                                             : "must begin with squares or deviations");
  n.residual = cells.recipe("residual", names);
  n.w = cells.recipe("w", names);
  n.gate = cells.recipe("gate", {{}, {{"x", &x}}, {"g"}});
  names.quantities = {"res", "resz"};
  n.z = cells.recipe("z", names);
  if (n.z.empty() != n.residual.empty())
    throw cells.error(n.z.empty() ? "z" : "residual", 0, "z and residual must both be given or both be empty");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z}, {"residual", &n.residual}})
    for (const Step& step : recipe->steps)
      if (step.is_free())
        throw cells.error(column, 0, "'" + step.text + "' has an interval of results; the sum's input must have a single result");
  if (!cells.text("stored_from").empty()) n.stored_from = cells.column_number("stored_from");
  if (n.stored_from != RowNorm::kNoColumn && n.residual.empty()) throw cells.error("stored_from", 0, "needs the column residual");
  names.quantities = {"n", "eps"};
  if (n.centers()) names.quantities.emplace_back("mu");
  n.r = cells.recipe("r", names);
  names.quantities = {"r", "w"};
  if (n.centers()) names.quantities.insert(names.quantities.end(), {"mu", "b"});
  if (n.gates()) names.quantities.emplace_back("h");
  n.y = cells.recipe("y", names);
  if (n.centers() && n.adds()) throw cells.error("z", 0, "a residual is not supported together with a mean");
  if (n.centers() && n.gates()) throw cells.error("gate", 0, "a gate is not supported together with a mean");
  for (const auto& [column, recipe] : {std::pair{"z", &n.z},
                                       {"residual", &n.residual},
                                       {"mean", &n.mean},
                                       {"r", &n.r},
                                       {"w", &n.w},
                                       {"gate", &n.gate},
                                       {"y", &n.y}})
    cells.forbid_reduction(column, *recipe);
  n.depth = depth_of(cells);
  return n;
}

namespace {

RowNorm& norm(Link& link) { return std::get<RowNorm>(link); }

/// Mutants of a residual, which has a rounded and an unrounded sum: the wrong one is squared, normalized or stored.
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

/// Mutants that add x^2 instead of (x - mu)^2. One of them then subtracts mu^2, a difference of two large numbers.
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

/// Mutants of the mean and its elements, of the squares, of the divisor n, and of the format of the weights.
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
    if (!edits.is_edited(column)) edits.cell(column);  // a residual that stays as it was has no further mutants
  if (!(edits.x() == kBf16) && !edits.steps("r").empty() && !edits.steps("r").back().edited)
    edits.suspect_behind("r", "rounded to bf16", CellStep::made("to", {"bf16"}));
  const bool weighs = row.text("y").find('w') != std::string::npos;
  if (row.text("w").find("add(1)") == std::string::npos && weighs)
    edits.flow_edit("weight", "y: w -> 1 + w", [](Link& link) { replace_quantity(norm(link).y, "w", kOnePlusW); });
  if (!row.text("z").empty()) with_a_residual(edits);
  if (!row.text("mean").empty()) with_a_mean(edits);
}

namespace {

std::vector<std::string> inputs(const ContractRow& row) {
  std::vector<std::string> all = {"eps"};
  if (row.text("y").find('w') != std::string::npos) all.emplace_back("gamma");
  if (!row.text("z").empty()) all.emplace_back("residual");
  if (!row.text("mean").empty()) all.emplace_back("beta");
  if (!row.text("gate").empty()) all.emplace_back("gate");
  return all;
}

}  // namespace

const Flow& row_norm_flow() {
  static const Flow flow{
      .name = "row_norm",
      .says = "sum",
      .files = {"norm.csv", "norm_add.csv", "norm_opus.csv", "norm_rope.csv", "norm_layer.csv", "norm_gated.csv"},
      .columns = {"sum", "depth", "r", "y"},
      .optional = {"z", "residual", "stored_from", "w", "mean", "gate"},
      .link = LinkFlow{
          .steps = {"gate", "mean", "r", "residual", "w", "y", "z"},
          .place = ChainPlace::kFirst,
          .place_words = "a norm must be the first stage, as in row_norm=ID > group_quant=ID",
          .bind = bind_row_norm,
          .edits = add_row_norm_edits,
          .inputs = inputs,
      },
  };
  return flow;
}

}  // namespace assay
