// Rows of the combine table: columns, checks, evaluation, formulas and mutants.
#include "reference/flow/combine/combine.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

int64_t whole_number(const RowCells& cells, const std::string& column, const std::string& text) {
  int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc() || end != text.data() + text.size() || value < 1)
    throw cells.error(column, 0, "'" + text + "': expected an integer >= 1");
  return value;
}

RowsOfX read_rows(const RowCells& cells) {
  const std::string& word = cells.text("rows_of_x");
  if (word == "slots") return RowsOfX::kSlots;
  if (word == "by slot") return RowsOfX::kBySlot;
  if (word == "by slot, slot-major") return RowsOfX::kBySlotMajor;
  throw cells.error("rows_of_x", 0, "'" + word + "': expected 'slots', 'by slot' or 'by slot, slot-major'");
}

void read_order(const RowCells& cells, Combine& contract) {
  const std::vector<CellStep> steps = cells.steps("order");
  if (steps.size() == 1 && steps[0].text == "ascending") return;
  if (steps.size() != 1 || steps[0].word != "lanes" || steps[0].arguments.size() != 1)
    throw cells.error("order", 0, "'" + cells.text("order") + "': expected ascending or lanes(SUMS)");
  contract.order = SlotOrder::kLanes;
  contract.lanes = int(whole_number(cells, "order", steps[0].argument(0)));
}

void read_skips(const RowCells& cells, Combine& contract) {
  for (const CellStep& step : cells.steps("skips")) {
    bool* const flag = step.text == "ids"    ? &contract.skips_ids
                       : step.text == "map"  ? &contract.skips_mapped
                       : step.text == "rows" ? &contract.skips_rows
                       : step.text == "negative" ? &contract.skips_negative
                                                 : nullptr;
    if (!flag) throw cells.error("skips", step.position, "'" + step.text + "': expected ids, map, rows or negative");
    *flag = true;
  }
  if (contract.skips_mapped && !contract.skips_ids)
    throw cells.error("skips", 0, "map is only allowed with ids, because ids index it");
  if ((contract.skips_rows || contract.skips_negative) && !contract.permuted())
    throw cells.error("skips", 0, "rows and negative are only allowed if rows_of_x is 'by slot' or 'by slot, slot-major'");
  const std::string& unrouted = cells.text("unrouted");
  if (unrouted.empty() == contract.skips())
    throw cells.error("unrouted", 0, "is required if skips is not empty, and must be empty otherwise");
  if (contract.skips() && unrouted != "zero" && unrouted != "untouched")
    throw cells.error("unrouted", 0, "'" + unrouted + "': expected zero or untouched");
  contract.keeps_unrouted = unrouted == "untouched";
  if (contract.keeps_unrouted && !contract.skips_ids)
    throw cells.error("unrouted", 0, "untouched is only allowed if skips has ids");
}

Names names_for(const Format& x) {
  Names names;
  names.formats["x"] = &x;
  names.quantities = {"a", "w", "f", "s"};
  return names;
}

bool reads_cell(const std::vector<CellStep>& cell, const char* quantity) {
  return std::any_of(cell.begin(), cell.end(), [&](const CellStep& step) { return step.has_argument(quantity); });
}

}  // namespace

Recipe combine_recipe(const std::vector<CellStep>& cell, const Format& x) { return resolve(cell, names_for(x)); }

bool Combine::takes(const Format& x) const {
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) { return *format == x; });
}
bool Combine::takes_topk(int64_t slots) const { return topk.empty() || std::find(topk.begin(), topk.end(), slots) != topk.end(); }
bool Combine::weighs() const { return reads_cell(add, "w"); }
bool Combine::scales() const { return reads_cell(weight, "f") || reads_cell(y, "f"); }
bool Combine::adds_shared() const { return reads_cell(y, "s"); }

Combine read_combine(const ContractRow& row) {
  const RowCells cells(row);
  Combine contract;
  contract.row = &row;
  contract.rows = read_rows(cells);
  read_skips(cells, contract);
  contract.formats = cells.formats_of_numbers("numbers");
  if (!cells.text("topk").empty())
    for (const std::string& text : cells.alternatives("topk")) contract.topk.push_back(whole_number(cells, "topk", text));
  const auto steps = [&](const char* column) {
    for (const Format* format : contract.formats) cells.forbid_reduction(column, cells.recipe(column, names_for(*format)));
    return cells.steps(column);
  };
  contract.weight = steps("weight");
  contract.add = steps("add");
  contract.y = steps("y");
  contract.shared = steps("shared");
  if (!contract.shared.empty() && !contract.adds_shared()) throw cells.error("shared", 0, "is only allowed if `y` uses s");
  const std::string& weights = cells.text("weights");
  if (!weights.empty() && weights != "x")
    throw cells.error("weights", 0, "'" + weights + "': expected x, or an empty cell for f32");
  contract.weights_of_x = weights == "x";
  if (!reads_cell(contract.add, "a")) throw cells.error("add", 0, "expected a step that reads a, the sum so far");
  if (!contract.weight.empty() && !contract.weighs()) throw cells.error("weight", 0, "is only allowed if `add` uses w");
  read_order(cells, contract);
  if (contract.order == SlotOrder::kLanes && contract.weighs())
    throw cells.error("order", 0, "lanes is only allowed if `add` does not use w");
  return contract;
}

const Flow& combine_flow() {
  static const Flow flow{
      .name = "combine",
      .says = "rows_of_x",
      .files = {"moe_combine.csv"},
      .columns = {"rows_of_x", "skips", "unrouted", "weight", "add", "order", "y", "numbers", "topk"},
      .optional = {"weights", "shared"},
      .check = [](const ContractTables&, const ContractRow& row) { (void)read_combine(row); },
  };
  return flow;
}

// The accepted intervals of a token's row of y.

namespace {

/// Index of a slot in row_of_slot.
int64_t place_in_index(const Combine& contract, const CombineInputs& inputs, int64_t token, int64_t slot) {
  return contract.rows == RowsOfX::kBySlotMajor ? slot * inputs.m + token : token * inputs.topk + slot;
}

/// The token and slot whose value a mutant reads instead of its own.
std::pair<int64_t, int64_t> read_instead(Combine::Other other, const CombineInputs& inputs, int64_t token, int64_t slot) {
  switch (other) {
    case Combine::Other::kNextSlot: return {token, (slot + 1) % inputs.topk};
    case Combine::Other::kNextToken: return {(token + 1) % inputs.m, slot};
    case Combine::Other::kTransposed: {
      const int64_t place = slot * inputs.m + token;
      return {place / inputs.topk, place % inputs.topk};
    }
    case Combine::Other::kOwn: break;
  }
  return {token, slot};
}

int64_t row_of(const Combine& contract, const CombineInputs& inputs, int64_t token, int64_t slot) {
  const auto [t, k] = read_instead(contract.row_of, inputs, token, slot);
  if (!contract.permuted() || contract.rows_in_place) return t * inputs.topk + k;
  return inputs.row_of_slot[size_t(place_in_index(contract, inputs, t, k))];
}

bool has_expert(const CombineInputs& inputs, int64_t token, int64_t slot) {
  return inputs.ids.empty() || inputs.ids[size_t(token * inputs.topk + slot)] >= 0;
}

bool skipped(const Combine& contract, const CombineInputs& inputs, int64_t token, int64_t slot) {
  if (contract.skips_ids && !has_expert(inputs, token, slot)) return true;
  if (contract.skips_mapped && !inputs.map.empty()) {
    const int64_t id = inputs.ids[size_t(token * inputs.topk + slot)];
    if (inputs.map.at(size_t(id)) < 0) return true;
  }
  if (!contract.skips_rows && !contract.skips_negative) return false;
  const int64_t row = inputs.row_of_slot[size_t(place_in_index(contract, inputs, token, slot))];
  return row < 0 || (contract.skips_rows && row >= inputs.in_use);
}

/// The recipes of one contract for one format of x.
struct CombineRecipes {
  Recipe weight, add, shared, y;
  Span factor;

  CombineRecipes(const Combine& contract, const CombineInputs& inputs)
      : weight(combine_recipe(contract.weight, *inputs.x)),
        add(combine_recipe(contract.add, *inputs.x)),
        shared(combine_recipe(contract.shared, *inputs.x)),
        y(combine_recipe(contract.y, *inputs.x)),
        factor(point(double(float(inputs.factor)))) {}

  Span used(double given) const {
    Environment environment;
    environment.set("f", factor);
    return evaluate(weight, point(given), environment);
  }
  /// Adds an element to a sum. The recipe `add` starts from the element, and reads the sum as the quantity a.
  Spans next(const Spans& sum, Spans element, double given_weight) const {
    Environment environment;
    environment.set("a", sum);
    environment.set("w", used(given_weight));
    environment.set("f", factor);
    evaluate(add, element, environment);
    return element;
  }
  /// Applies y to a sum. `row`: the shared expert's row, if the contract adds it.
  void finish(Spans& sum, std::vector<double> row) const {
    Environment environment, none;
    environment.set("f", factor);
    Spans added(std::move(row));
    if (added.size() > 0) {
      evaluate(shared, added, none);
      environment.set("s", added);
    }
    evaluate(y, sum, environment);
  }
};

Spans zeros(int64_t n) { return Spans(std::vector<double>(size_t(n), 0.0)); }

Spans sum_of(const Combine& contract, const CombineInputs& inputs, const CombineRecipes& recipes,
             const std::vector<AddedSlot>& slots) {
  Spans sum = zeros(inputs.n);
  evaluate(combine_recipe(contract.start, *inputs.x), sum, Environment());
  bool first = contract.from_first;
  for (const AddedSlot& slot : slots) {
    Spans element(inputs.row_of_x(slot.row));
    if (first) {  // starts the sum with the first term: -0 + v is v for every v, also for -0
      sum = recipes.next(Spans(std::vector<double>(size_t(inputs.n), -0.0)), std::move(element), slot.weight);
      first = false;
    } else {
      sum = recipes.next(sum, std::move(element), slot.weight);
    }
  }
  return sum;
}

}  // namespace

bool writes_token(const Combine& contract, const CombineInputs& inputs, int64_t token) {
  if (!contract.keeps_unrouted) return true;
  for (int64_t slot = 0; slot < inputs.topk; ++slot)
    if (has_expert(inputs, token, slot)) return true;
  return false;
}

std::vector<AddedSlot> added_slots(const Combine& contract, const CombineInputs& inputs, int64_t token) {
  std::vector<AddedSlot> slots;
  for (int64_t slot = 0; slot < inputs.topk; ++slot) {
    if (slot == contract.dropped || (!contract.skipped_rows_added && skipped(contract, inputs, token, slot))) continue;
    int64_t row = row_of(contract, inputs, token, slot);
    if (row < 0 && contract.skipped_rows_added && contract.skips_negative) row = 0;
    if (row < 0 || row >= inputs.rows) continue;  // only in mutants: x does not have this row
    const auto [t, k] = read_instead(contract.weight_of, inputs, token, slot);
    const double weight = inputs.weights.empty() ? 1 : inputs.weights[size_t(t * inputs.topk + k)];
    for (int times = slot == contract.repeated ? 2 : 1; times > 0; --times) slots.push_back({slot, row, weight});
  }
  return slots;
}

Spans combined(const Combine& contract, const CombineInputs& inputs, int64_t token) {
  const CombineRecipes recipes(contract, inputs);
  std::vector<AddedSlot> slots = added_slots(contract, inputs, token);
  if (contract.order == SlotOrder::kDescending) std::reverse(slots.begin(), slots.end());
  Spans sum;
  if (contract.order == SlotOrder::kLanes) {
    for (int64_t lane = 0; lane < contract.lanes; ++lane) {
      std::vector<AddedSlot> own;
      for (const AddedSlot& slot : slots)
        if (slot.slot % contract.lanes == lane) own.push_back(slot);
      Spans of_lane = sum_of(contract, inputs, recipes, own);
      sum = lane == 0 ? std::move(of_lane) : recipes.next(sum, std::move(of_lane), 1);
    }
  } else {
    sum = sum_of(contract, inputs, recipes, slots);
  }
  std::vector<double> shared;
  if (contract.adds_shared()) shared = inputs.shared_of(read_instead(contract.shared_of, inputs, token, 0).first);
  recipes.finish(sum, std::move(shared));
  return sum;
}

// Combine contracts as text.

std::vector<std::string> combine_lines(const Combine& contract, const Format& x) {
  std::vector<std::string> lines;
  const char* const rows = contract.rows == RowsOfX::kSlots      ? "x[t, k]"
                           : contract.rows == RowsOfX::kBySlot ? "x[row_of_slot[t, k]]"
                                                               : "x[row_of_slot[k, t]]";
  lines.push_back(std::string("v     = ") + rows + ", the row of slot k of token t");
  std::string skips;
  const auto also = [&](const char* words) { skips.append(skips.empty() ? "" : ", or ").append(words); };
  if (contract.skips_ids) also("its id is below 0");
  if (contract.skips_mapped) also("the entry of its expert in expert_map is below 0");
  if (contract.skips_rows) also("its row is below 0 or not in use");
  if (contract.skips_negative) also("its row is below 0");
  if (!skips.empty()) lines.push_back("skip  a slot if " + skips);
  if (contract.skips())
    lines.push_back(contract.keeps_unrouted
                        ? "keep  y of a token whose ids are all negative; y of other tokens without slots is +0"
                        : "y     = +0 for a token without slots");
  if (!contract.weight.empty()) lines.push_back("w     = " + formula(combine_recipe(contract.weight, x), "w"));
  lines.push_back(contract.order == SlotOrder::kLanes ? "order = slot k is added to sum k mod " + std::to_string(contract.lanes) +
                                                            "; then the sums are added in ascending order"
                                                      : "order = ascending k");
  lines.push_back("a     = +0 at the start");
  lines.push_back("a     = " + formula(combine_recipe(contract.add, x), "v") + " for each slot");
  if (contract.adds_shared())
    lines.push_back("s     = " +
                    (contract.shared.empty() ? "shared[t]" : formula(combine_recipe(contract.shared, x), "shared[t]")));
  lines.push_back("y     = " + formula(combine_recipe(contract.y, x), "a"));
  return lines;
}

// Mutants: other slots, weights or orders, and other roundings of a sum.

namespace {

using Steps = std::vector<CellStep>;

bool rounds(const CellStep& step) { return step.word == "to"; }
bool flushes(const CellStep& step) { return step.word == "ftz"; }

class CombineEdits {
 public:
  CombineEdits(const Combine& right, const Format& x) : right_(right), x_(x) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    CombineNeighbour wrong{name, right_};
    change(wrong.contract);
    all.push_back(std::move(wrong));
  }
  void cell(const std::string& column, Steps Combine::*cell, Steps steps, const std::string& words) {
    add(column + ": " + words, [&](Combine& wrong) { wrong.*cell = std::move(steps); });
  }

  /// Mutants of each rounding: it is left out, or it rounds in another way.
  void roundings(const std::string& column, Steps Combine::*cell) {
    const Steps& right = right_.*cell;
    for (size_t i = 0; i < right.size(); ++i) {
      if (!rounds(right[i]) || x_ == kF32) continue;
      if (cell != &Combine::y || i + 1 < right.size()) cell_without(column, cell, i);
      for (const CellStep& other : other_forms(right[i])) {
        Steps steps = right;
        steps[i] = other;
        this->cell(column, cell, std::move(steps), label(right, i) + " -> " + other.text);
      }
    }
  }
  void cell_without(const std::string& column, Steps Combine::*cell, size_t i) {
    this->cell(column, cell, without(right_.*cell, i), "drop " + label(right_.*cell, i));
  }
  /// The text of a step; #2 follows if it is the second step with this text.
  static std::string label(const Steps& steps, size_t i) {
    const bool second = std::any_of(steps.begin(), steps.begin() + std::ptrdiff_t(i),
                                    [&](const CellStep& step) { return step.text == steps[i].text; });
    return steps[i].text + (second ? "#2" : "");
  }

  std::vector<CombineNeighbour> all;

 private:
  const Combine& right_;
  const Format& x_;
};

/// Mutants with one more rounding to 16 bits, after a step whose result the contract keeps in f32.
void edit_sums(const Combine& right, const Format& x, int64_t topk, CombineEdits& edits) {
  const CellStep narrow = x == kF32 ? CellStep::made("to", {"bf16"}) : CellStep::made("to", {"x"});
  for (size_t i = 0; i < right.add.size(); ++i) {
    const bool is_sum = right.add[i].has_argument("a"), is_product = right.add[i].word == "mul";
    if (!is_sum && !is_product) continue;
    if (is_sum && topk == 1) continue;  // rounding the only sum twice changes nothing
    const auto behind = right.add.begin() + std::ptrdiff_t(i) + 1;
    const auto next = std::find_if(behind, right.add.end(), [](const CellStep& step) { return !flushes(step); });
    if (std::any_of(behind, right.add.end(), rounds) && (is_sum || rounds(*next))) continue;
    Steps steps = right.add;
    if (is_product && i + 1 < steps.size() && steps[i + 1].slack.fma) {
      steps[i + 1] = CellStep::made(steps[i + 1].word, steps[i + 1].argument_texts());  // a rounded product is not fused
    }
    steps.insert(steps.begin() + std::ptrdiff_t(i) + 1, narrow);
    edits.cell("add", &Combine::add, steps, narrow.text + " behind " + right.add[i].text);
  }
  edits.roundings("add", &Combine::add);
  // If `add` ends with a rounding to the format of x, and y only rounds to it again, mutants of y's rounding change nothing.
  if (!rounds(right.add.back()) || right.y.size() > 1) edits.roundings("y", &Combine::y);
  edits.add("start: zero -> first", [](Combine& wrong) { wrong.from_first = true; });
}

/// Mutant, if the contract flushes subnormals: nothing is flushed. Not for fp16, whose subnormals are normal in fp32.
void edit_flush(const Combine& right, const Format& x, CombineEdits& edits) {
  if (x == kF16 || std::none_of(right.add.begin(), right.add.end(), flushes)) return;
  edits.add("ftz: subnormal numbers are kept", [&](Combine& wrong) {
    std::erase_if(wrong.add, flushes);
    if (!right.adds_shared()) return;
    for (Steps Combine::*const cell : {&Combine::weight, &Combine::shared, &Combine::y}) std::erase_if(wrong.*cell, flushes);
  });
}

void edit_order(const Combine& right, int64_t topk, CombineEdits& edits) {
  constexpr int kUsualLanes = 4;
  if (topk < 3) return;  // the order of two terms does not matter
  edits.add("order: descending", [](Combine& wrong) { wrong.order = SlotOrder::kDescending; });
  if (right.order == SlotOrder::kLanes && topk > right.lanes)
    edits.add("order: lanes -> ascending", [](Combine& wrong) { wrong.order = SlotOrder::kAscending; });
  if (right.order == SlotOrder::kAscending && topk > kUsualLanes && !right.weighs())
    edits.add("order: ascending -> lanes", [](Combine& wrong) { wrong.order = SlotOrder::kLanes, wrong.lanes = kUsualLanes; });
}

void edit_slots(const Combine& right, const CombineExtents& extents, CombineEdits& edits) {
  const int64_t m = extents.m, topk = extents.topk;
  edits.add("the last slot is left out", [&](Combine& wrong) { wrong.dropped = topk - 1; });
  if (topk > 1) edits.add("the first slot is left out", [](Combine& wrong) { wrong.dropped = 0; });
  edits.add("the first slot is added twice", [](Combine& wrong) { wrong.repeated = 0; });
  if (right.skips() && extents.skipped)
    edits.add("skipped slots are added", [](Combine& wrong) { wrong.skipped_rows_added = true; });
  if (right.skips_mapped && extents.map) edits.add("expert_map is not read", [](Combine& wrong) { wrong.skips_mapped = false; });
  if (m > 1) edits.add("rows: those of the next token", [](Combine& wrong) { wrong.row_of = Combine::Other::kNextToken; });
  if (m > 1 && topk > 1) edits.add("rows: slot by slot", [](Combine& wrong) { wrong.row_of = Combine::Other::kTransposed; });
  if (right.permuted()) edits.add("rows: row_of_slot is not read", [](Combine& wrong) { wrong.rows_in_place = true; });
}

void edit_weights(const Combine& right, const Format& x, int64_t m, int64_t topk, CombineEdits& edits) {
  if (!right.weighs()) return;
  const auto of = [&](const std::string& name, Combine::Other other) {
    edits.add("weights: " + name, [&](Combine& wrong) { wrong.weight_of = other; });
  };
  if (topk > 1) of("that of the next slot", Combine::Other::kNextSlot);
  if (m > 1) of("those of the next token", Combine::Other::kNextToken);
  if (m > 1 && topk > 1) of("slot by slot", Combine::Other::kTransposed);
  if (!(x == kF32) && !right.weights_of_x) {
    Steps rounded = right.weight;
    rounded.push_back(CellStep::made("to", {"x"}));
    edits.cell("weight", &Combine::weight, rounded, "to(x) at the end");
  }
  Steps bare = right.add;
  std::erase_if(bare, [](const CellStep& step) { return step.word == "mul" && step.has_argument("w"); });
  for (CellStep& step : bare)
    if (step.slack.fma) step = CellStep::made(step.word, step.argument_texts());
  edits.cell("add", &Combine::add, bare, "no weights");
}

void edit_factor(const Combine& right, const Format& x, double factor, CombineEdits& edits) {
  if (!right.scales() || factor == 1) return;
  const auto is_factor = [](const CellStep& step) { return step.has_argument("f"); };
  for (Steps Combine::*const cell : {&Combine::weight, &Combine::y}) {
    const auto found = std::find_if((right.*cell).begin(), (right.*cell).end(), is_factor);
    if (found == (right.*cell).end()) continue;
    const CellStep step = *found;
    edits.add("factor: left out", [&](Combine& wrong) { std::erase_if(wrong.*cell, is_factor); });
    edits.add("factor: applied twice", [&](Combine& wrong) { (wrong.*cell).insert((wrong.*cell).begin(), step); });
    if (cell == &Combine::y && !(x == kF32) && !right.adds_shared())
      edits.add("factor: behind the rounding", [&](Combine& wrong) {
        std::erase_if(wrong.y, is_factor);
        const Steps roundings = wrong.y;
        wrong.y.push_back(step);
        wrong.y.insert(wrong.y.end(), roundings.begin(), roundings.end());
      });
    if (cell == &Combine::weight)
      edits.add("factor: on the sum", [&](Combine& wrong) {
        std::erase_if(wrong.weight, is_factor);
        wrong.y.insert(wrong.y.begin(), step);
      });
  }
}

/// Mutants of the shared expert's row. It is added to the sum after the multiplication by the routed scaling factor.
void edit_shared(const Combine& right, int64_t m, double factor, CombineEdits& edits) {
  const auto is_shared = [](const CellStep& step) { return step.has_argument("s"); };
  const auto found = std::find_if(right.y.begin(), right.y.end(), is_shared);
  if (found == right.y.end()) return;
  edits.add("shared: left out", [&](Combine& wrong) { std::erase_if(wrong.y, is_shared); });
  if (m > 1) edits.add("shared: that of the next token", [](Combine& wrong) { wrong.shared_of = Combine::Other::kNextToken; });
  if (!right.scales() || factor == 1) return;
  Steps first(found, right.y.end());
  first.insert(first.end(), right.y.begin(), found);
  edits.cell("y", &Combine::y, std::move(first), "the factor multiplies the shared expert too");
}

}  // namespace

namespace {

/// Mutants for the diagnosis only (CombineNeighbour::suspect), with small mistakes: one step of a cell is wrong; the sum starts
/// at 1 or -1, or is doubled; no slot is added.
void edit_slips(const Combine& right, CombineEdits& edits) {
  const size_t known = edits.all.size();
  for (const auto& [column, cell] : {std::pair("weight", &Combine::weight), std::pair("add", &Combine::add),
                                     std::pair("shared", &Combine::shared), std::pair("y", &Combine::y)})
    for (size_t i = 0; i < (right.*cell).size(); ++i)
      for (const Slip& slip : slips_of((right.*cell)[i])) {
        Steps steps = right.*cell;
        steps.erase(steps.begin() + std::ptrdiff_t(i));
        steps.insert(steps.begin() + std::ptrdiff_t(i), slip.steps.begin(), slip.steps.end());
        const size_t next = i + slip.steps.size();  // only a multiplication can be fused with the next addition
        if (next < steps.size() && steps[next].slack.fma && slip.steps.back().word != "mul")
          steps[next] = CellStep::made(steps[next].word, steps[next].argument_texts());
        edits.cell(column, cell, std::move(steps), CombineEdits::label(right.*cell, i) + " -> " + slip.words);
      }
  for (const char* const start : {"add(1)", "sub(1)"})
    edits.add(std::string("start: zero -> ") + (start[0] == 'a' ? "1" : "-1"),
              [&](Combine& wrong) { wrong.start = read_cell(start); });
  Steps doubled = right.y;
  doubled.insert(doubled.begin(), CellStep::made("mul", {"2"}));
  edits.cell("y", &Combine::y, std::move(doubled), "the sum is doubled");
  edits.add("no slot is added", [](Combine& wrong) { wrong.add = read_cell("mul(0) add(a)"); });
  for (size_t i = known; i < edits.all.size(); ++i) edits.all[i].suspect = true;
}

}  // namespace

std::vector<CombineNeighbour> combine_neighbours(const Combine& right, const Format& x, const CombineExtents& extents) {
  CombineEdits edits(right, x);
  if (extents.m == 0) return {};
  edit_sums(right, x, extents.topk, edits);
  edit_flush(right, x, edits);
  edit_order(right, extents.topk, edits);
  edit_slots(right, extents, edits);
  edit_weights(right, x, extents.m, extents.topk, edits);
  edit_factor(right, x, extents.factor, edits);
  edit_shared(right, extents.m, extents.factor, edits);
  edit_slips(right, edits);
  return std::move(edits.all);
}

}  // namespace assay
