// Mutants of combine contracts: which slots are added, with which weight, in which order, and where a sum is rounded.
#include <algorithm>

#include "reference/flow/combine/combine.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

using Steps = std::vector<CellStep>;

bool rounds(const CellStep& step) { return step.word == "to"; }

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

  /// Without each rounding, and with each in another form.
  void roundings(const std::string& column, Steps Combine::*cell) {
    const Steps& right = right_.*cell;
    for (size_t i = 0; i < right.size(); ++i) {
      if (!rounds(right[i]) || x_ == kF32) continue;
      if (cell != &Combine::y) cell_without(column, cell, i);
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
  /// The step as text, with #2 for the second one with that text.
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

/// A rounding to 16 bits behind each step that has none behind it.
void edit_sums(const Combine& right, const Format& x, int64_t topk, CombineEdits& edits) {
  const CellStep narrow = x == kF32 ? CellStep::made("to", {"bf16"}) : CellStep::made("to", {"x"});
  for (size_t i = 0; i < right.add.size(); ++i) {
    const bool is_sum = right.add[i].has_argument("a"), is_product = right.add[i].word == "mul";
    if (!is_sum && !is_product) continue;
    if (is_sum && topk == 1) continue;  // rounding the only sum twice is the same
    if (std::any_of(right.add.begin() + std::ptrdiff_t(i) + 1, right.add.end(), rounds) && (is_sum || rounds(right.add[i + 1])))
      continue;
    Steps steps = right.add;
    if (is_product && i + 1 < steps.size() && steps[i + 1].slack.fma) {
      steps[i + 1] = CellStep::made(steps[i + 1].word, steps[i + 1].argument_texts());  // a rounded product is not fused
    }
    steps.insert(steps.begin() + std::ptrdiff_t(i) + 1, narrow);
    edits.cell("add", &Combine::add, steps, narrow.text + " behind " + right.add[i].text);
  }
  edits.roundings("add", &Combine::add);
  // A second rounding to the same format changes nothing.
  if (right.add.empty() || !rounds(right.add.back())) edits.roundings("y", &Combine::y);
  edits.add("start: zero -> first", [](Combine& wrong) { wrong.from_first = true; });
}

/// For a build that flushes: a mutant that does not. No fp16 subnormal is an fp32 subnormal.
void edit_flush(const Combine& right, const Format& x, CombineEdits& edits) {
  const auto flushes = [](const CellStep& step) { return step.word == "ftz"; };
  if (x == kF16 || std::none_of(right.add.begin(), right.add.end(), flushes)) return;
  edits.add("ftz: subnormal numbers are kept", [&](Combine& wrong) { std::erase_if(wrong.add, flushes); });
}

void edit_order(const Combine& right, int64_t topk, CombineEdits& edits) {
  constexpr int kUsualLanes = 4;
  if (topk < 3) return;  // two terms have one sum
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
  if (!(x == kF32)) {
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
    if (cell == &Combine::y && !(x == kF32))
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
  return std::move(edits.all);
}

}  // namespace assay
