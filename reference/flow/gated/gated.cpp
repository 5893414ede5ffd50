// The activation of one half of a row, multiplied by the other half: contract rows, mutants and accepted intervals.
#include "reference/flow/row.h"

#include <algorithm>

#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/flow/row_run.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"

namespace assay {
namespace {

Link bind_gated(const RowCells& cells, const Format& x) {
  Gated g;
  g.row = cells.id();
  g.h = cells.recipe("h", {{}, {{"x", &x}}, {"g", "u", "u0", "uftz"}});
  cells.forbid_reduction("h", g.h);
  g.gate_first = cells.is_first_of("halves", "gate_up", "up_gate");
  return g;
}

/// Mutant: 0.5 v (1 + tanh(0.5 v)). In real numbers it equals v / (1 + exp(-v)). The mutant's steps have no allowed error, unlike
/// the steps of the row.
void sigmoid_by_tanh(RowEdits& edits) {
  EditedCell tokens = edits.steps("h");
  const char* wanted[] = {"neg", "exp", "add"};
  for (size_t i = 0; i < 3; ++i)
    if (i >= tokens.size() || tokens[i].edited || tokens[i].step.word != wanted[i]) return;
  const bool by_reciprocal = tokens.size() > 4 && tokens[3].step.text == "rcp" && tokens[4].step.text == "mul(g)";
  const size_t count = by_reciprocal                                                                             ? 5
                       : tokens.size() > 3 && tokens[3].step.word == "rdiv" && tokens[3].step.argument(0) == "g" ? 4
                                                                                                                 : 0;
  for (size_t i = 3; i < count; ++i)
    if (tokens[i].edited) return;
  if (count == 0) return;
  tokens.erase(tokens.begin(), tokens.begin() + long(count));
  EditedCell by_tanh;
  for (const CellStep& step : read_cell("mul(1/2) tanh add(1) mul(1/2) mul(g)"))
    by_tanh.push_back(RowEdits::edited(step, "sigmoid"));
  tokens.insert(tokens.begin(), by_tanh.begin(), by_tanh.end());
  edits.add("h", "sigmoid by exp -> by tanh", std::move(tokens));
}

/// Mutant: the activation of the row that the cell `mistaken_for` names. For example, a dispatch to the wrong function, or the
/// wrong one of two forms of an activation.
void of_another_row(RowEdits& edits) {
  const std::string& other = edits.row().text("mistaken_for");
  const EditedCell& steps = edits.steps("h");
  const bool untouched = std::none_of(steps.begin(), steps.end(), [](const EditedStep& step) { return step.edited; });
  if (other.empty() || !untouched || edits.is_edited("h")) return;
  EditedCell instead;
  for (const CellStep& step : RowCells(edits.tables().find(other)).steps("h")) instead.push_back(RowEdits::edited(step, other));
  edits.add("h", "that of " + other, std::move(instead));
}

/// Mutant: a build without fast math, which does not flush subnormal elements of up.
void up_not_flushed(RowEdits& edits) {
  EditedCell steps = edits.steps("h");
  for (EditedStep& step : steps) {
    if (step.edited) return;
    if (step.step.text == "mul(uftz)") step = RowEdits::edited(read_cell("mul(u)").front(), "up half");
  }
  if (std::any_of(steps.begin(), steps.end(), [](const EditedStep& step) { return step.edited; }))
    edits.add("h", "mul(uftz) -> mul(u)", std::move(steps));
}

/// Checks that `mistaken_for` names a row of this op kind.
void check_row(const ContractTables& tables, const ContractRow& row) {
  bind(tables, row.id, kBf16);
  const std::string& other = row.text("mistaken_for");
  if (other.empty()) return;
  const std::vector<std::string> known = tables.ids();
  if (std::find(known.begin(), known.end(), other) == known.end())
    throw row.error("mistaken_for", 0, "unknown contract '" + other + "'" + did_you_mean(other, known));
  if (tables.find(other).flow != row.flow)
    throw row.error("mistaken_for", 0, "'" + other + "' is not a row of " + row.flow->name);
}

void add_edits(RowEdits& edits) {
  const bool gate_first = edits.row().text("halves") == "gate_up";
  edits.flow_edit("halves", gate_first ? "halves: gate_up -> up_gate" : "halves: up_gate -> gate_up",
                  [](Link& link) { std::get<Gated>(link).gate_first = !std::get<Gated>(link).gate_first; });
  edits.cell("h");
  sigmoid_by_tanh(edits);
  up_not_flushed(edits);
  of_another_row(edits);
}

}  // namespace

const Flow& gated_flow() {
  static const Flow flow{
      .name = "gated",
      .says = "halves",
      .files = {"activation.csv"},
      .columns = {"halves", "h"},
      .optional = {"mistaken_for"},
      .check = check_row,
      .link = LinkFlow{
          .steps = {"h"},
          .place = ChainPlace::kFirst,
          .place_words = "an activation must be the first stage, as in gated=ID > group_quant=ID",
          .bind = bind_gated,
          .edits = add_edits,
          .inputs = [](const ContractRow&) { return std::vector<std::string>{"up"}; },
      },
  };
  return flow;
}

namespace {

const Recipe& flush() {
  static const Recipe recipe = parse_recipe("ftz", {});
  return recipe;
}

}  // namespace

Spans gated_values(const Gated& contract, const std::vector<double>& row, RowListener* listener) {
  const auto half = std::ptrdiff_t(row.size() / 2);
  Spans first(std::vector<double>(row.begin(), row.begin() + half)), second(std::vector<double>(row.begin() + half, row.end()));
  Environment environment;
  const Spans& gate = contract.gate_first ? first : second;
  environment.set("g", gate);
  const Spans& up = contract.gate_first ? second : first;
  environment.set("u", up);
  if (listener) listener->quantity("u", up, each_column());
  Spans up_plus_zero = up;
  for (size_t i = 0; i < up.size(); ++i)
    if (up[i].low == 0) up_plus_zero.set(i, {0, 0});
  environment.set("u0", up_plus_zero);
  Spans up_flushed;
  if (reads(contract.h, "uftz")) {
    up_flushed = up;
    evaluate(flush(), up_flushed, {});
    environment.set("uftz", up_flushed);
  }
  Spans h = gate;
  run_cell(listener, "h", contract.h, h, environment, each_column);
  return h;
}

void run(const Gated& link, RowRun& row) { row.values = gated_values(link, row.inputs.x, row.listener); }

}  // namespace assay
