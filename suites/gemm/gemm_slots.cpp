// Grouped GEMMs with sorted ids: the lists of slots, mutants that use them wrongly, and calls with reordered lists.
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <optional>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/gemm_op.h"
#include "suites/rows/row_tensors.h"

namespace assay {
namespace {

/// For each expert: its slots, in ascending order.
std::vector<std::vector<int64_t>> slots_by_expert(const GemmCase& c) {
  std::vector<std::vector<int64_t>> slots(size_t(c.groups.count()));
  const std::vector<int64_t> index = c.groups.index();
  for (size_t slot = 0; slot < index.size(); ++slot)
    if (index[slot] >= 0) slots[size_t(index[slot])].push_back(int64_t(slot));
  return slots;
}

/// For each slot, its index in sorted_token_ids; -1 if it is in no block.
std::vector<int64_t> places_of(const GemmCase& c, const SortedSlots& sorted) {
  std::vector<int64_t> places(size_t(c.stored_rows()), -1);
  for (int64_t place = 0; place < sorted.end; ++place)
    if (sorted.ids[size_t(place)] < c.stored_rows()) places[size_t(sorted.ids[size_t(place)])] = place;
  return places;
}

/// Misreads `a`: each slot gets the row of `a`, and the scales of that row, that belong to slot slot_of(slot).
template <class Slot>
void read_rows(const GemmCase& c, DotInputs& inputs, Slot slot_of) {
  const DotInputs right = inputs;
  auto codes = std::make_shared<std::vector<std::byte>>();
  const int64_t columns = right.scale_a.shape.columns;
  for (int64_t slot = 0; slot < right.m; ++slot) {
    const int64_t other = slot_of(slot);
    const std::byte* const row = right.product.a.codes + other * right.product.a.pitch;
    codes->insert(codes->end(), row, row + c.k);
    if (right.scale_a.shape.row_block == 1)
      std::copy_n(right.scale_a.values.begin() + other * columns, columns, inputs.scale_a.values.begin() + slot * columns);
  }
  inputs.product.a.codes = codes->data();
  inputs.product.a.pitch = c.k;
  inputs.own_a = std::move(codes);
}

/// Mutant: the slot number is used as a row of `a`, without division by topk. A number beyond the last row uses the last row.
void slot_as_row(const GemmCase& c, DotInputs& inputs) {
  read_rows(c, inputs, [&](int64_t slot) { return std::min(slot, c.rows_of_a() - 1) * c.topk; });
}
void slot_modulo_tokens(const GemmCase& c, DotInputs& inputs) {
  read_rows(c, inputs, [&](int64_t slot) { return slot % c.rows_of_a() * c.topk; });
}

/// Misreads the scales of rows of `a`: each slot gets those of slot slot_of(slot).
template <class Slot>
void read_scales(DotInputs& inputs, Slot slot_of) {
  const std::vector<double> right = inputs.scale_a.values;
  const int64_t columns = inputs.scale_a.shape.columns;
  for (int64_t slot = 0; slot < inputs.m; ++slot)
    std::copy_n(right.begin() + slot_of(slot) * columns, columns, inputs.scale_a.values.begin() + slot * columns);
}
void scales_of_slot(const GemmCase& c, DotInputs& inputs) {
  read_scales(inputs, [&](int64_t slot) { return std::min(slot, c.rows_of_a() - 1) * c.topk; });
}
void scales_of_slot_modulo_tokens(const GemmCase& c, DotInputs& inputs) {
  read_scales(inputs, [&](int64_t slot) { return slot % c.rows_of_a() * c.topk; });
}

/// Mutant: the position in sorted_token_ids, clamped to the last slot, is used as the index of the router weight.
void weight_by_place(const GemmCase& c, DotInputs& inputs) {
  const std::vector<double> right = inputs.weights;
  const std::vector<int64_t> places = places_of(c, sorted_slots(c));
  for (size_t slot = 0; slot < right.size(); ++slot)
    if (places[slot] >= 0) inputs.weights[slot] = right[std::min(size_t(places[slot]), right.size() - 1)];
}
void weight_of_first_slot(const GemmCase& c, DotInputs& inputs) {
  for (size_t slot = 0; slot < inputs.weights.size(); ++slot) inputs.weights[slot] = inputs.weights[slot / size_t(c.topk) * size_t(c.topk)];
}
void weight_of_quotient(const GemmCase& c, DotInputs& inputs) {
  const std::vector<double> right = inputs.weights;
  for (size_t slot = 0; slot < right.size(); ++slot) inputs.weights[slot] = right[slot / size_t(c.topk)];
}
void weight_of_remainder(const GemmCase& c, DotInputs& inputs) {
  const std::vector<double> right = inputs.weights;
  const size_t tokens = std::max<size_t>(1, right.size() / size_t(c.topk));
  for (size_t slot = 0; slot < right.size(); ++slot) inputs.weights[slot] = right[slot % tokens];
}
void weight_rounded(const GemmCase& c, DotInputs& inputs) {
  for (double& weight : inputs.weights) weight = round_to(*c.y, weight, Rounding::kNearestEven, Overflow::kSpecial);
}

void bias_of_first(const GemmCase& c, DotInputs& inputs) {
  for (size_t i = size_t(c.n); i < inputs.bias.size(); ++i) inputs.bias[i] = inputs.bias[i % size_t(c.n)];
}
void bias_of_next(const GemmCase& c, DotInputs& inputs) {
  std::rotate(inputs.bias.begin(), inputs.bias.begin() + std::ptrdiff_t(c.n), inputs.bias.end());
}

/// A mutant in which each slot uses expert expert_of(slot, its own expert). nullopt if every slot then gets its own expert.
template <class Expert>
std::optional<SlotMistake> of_experts(const GemmCase& c, const char* name, Expert expert_of) {
  SlotMistake mistake{name, {}};
  bool differs = false;
  for (int64_t row = 0; row < c.m; ++row) {
    mistake.experts.push_back(expert_of(c.groups.stored_row(row), c.groups.group_of(row)));
    differs |= mistake.experts.back() != c.groups.group_of(row);
  }
  return differs ? std::optional(mistake) : std::nullopt;
}

/// The call with `lists` as its lists of slots. Every slot must keep the bits of its row of d.
Relation with_lists(const GemmCase& c, const Problem& problem, const char* what, const SortedSlots& lists) {
  Relation relation{"slots", what, problem, "d", std::vector<int64_t>(size_t(c.stored_rows() * c.n), Relation::kAnything)};
  for (int64_t row = 0; row < c.m; ++row) {
    const int64_t first = c.groups.stored_row(row) * c.n;
    std::iota(relation.same_as.begin() + first, relation.same_as.begin() + first + c.n, first);
  }
  find(relation.problem.tensors, "sorted_token_ids") = input_integers("sorted_token_ids", lists.ids);
  find(relation.problem.tensors, "expert_ids") = input_integers("expert_ids", lists.experts);
  return relation;
}

}  // namespace

SortedSlots sorted_slots(const GemmCase& c) {
  SortedSlots sorted;
  const auto add = [&](int64_t expert, const std::vector<int64_t>& slots) {
    for (size_t i = 0; i < slots.size(); i += size_t(c.block_m)) {
      const size_t end = std::min(slots.size(), i + size_t(c.block_m));
      sorted.experts.push_back(expert);
      sorted.ids.insert(sorted.ids.end(), slots.begin() + std::ptrdiff_t(i), slots.begin() + std::ptrdiff_t(end));
      sorted.ids.resize(sorted.experts.size() * size_t(c.block_m), c.stored_rows());
    }
  };
  const std::vector<std::vector<int64_t>> slots = slots_by_expert(c);
  bool first = true;
  for (size_t i = 0; i < slots.size(); ++i) {
    const size_t expert = c.descending ? slots.size() - 1 - i : i;
    add(int64_t(expert), slots[expert]);
    if (first && !slots[expert].empty()) add(-1, c.absent), first = false;
  }
  if (first) add(-1, c.absent);
  sorted.end = int64_t(sorted.ids.size());
  if (sorted.experts.empty()) return sorted;
  sorted.experts.push_back((sorted.experts.front() + 1) % c.groups.count());
  sorted.ids.insert(sorted.ids.end(), sorted.ids.begin(), sorted.ids.begin() + std::ptrdiff_t(c.block_m));
  return sorted;
}

std::vector<SlotMistake> slot_mistakes(const GemmCase& c) {
  std::vector<SlotMistake> all;
  const SortedSlots sorted = sorted_slots(c);
  const std::vector<int64_t> places = places_of(c, sorted);
  const auto add_experts = [&](const char* name, auto expert_of, bool suspect = false) {
    if (auto mistake = of_experts(c, name, expert_of)) mistake->suspect = suspect, all.push_back(std::move(*mistake));
  };
  add_experts("experts: that of the block before", [&](int64_t slot, int64_t own) {
    const int64_t block = places[size_t(slot)] / c.block_m;
    return block > 0 && sorted.experts[size_t(block) - 1] >= 0 ? sorted.experts[size_t(block) - 1] : own;
  });
  for (const int64_t tile : {32, 64, 128, 256})
    if (tile > c.block_m)
      add_experts(("experts: one entry of expert_ids is used for each " + std::to_string(tile) + " slots").c_str(), [&](int64_t slot, int64_t own) {
        const int64_t expert = sorted.experts[size_t(places[size_t(slot)] / tile * tile / c.block_m)];
        return expert >= 0 ? expert : own;
      }, true);
  add_experts("blocks: those behind num_tokens_post_padded are computed",
              [&](int64_t slot, int64_t own) { return places[size_t(slot)] < c.block_m ? sorted.experts.back() : own; });
  if (c.topk > 1 && c.rows_of_a() > 1) {
    all.push_back({"a: slots are not divided by top_k", {}, slot_as_row});
    all.push_back({"a: slots modulo the number of tokens", {}, slot_modulo_tokens});
    if (c.scale_a.grid().row_block == 1) {
      all.push_back({"scale_a: slots are not divided by top_k", {}, scales_of_slot, true});
      all.push_back({"scale_a: slots modulo the number of tokens", {}, scales_of_slot_modulo_tokens, true});
    }
  }
  if (!c.weights.empty()) {
    if (c.m > 1) all.push_back({"topk_weights: by place in the sorted list", {}, weight_by_place});
    if (c.topk > 1) all.push_back({"topk_weights: that of the token's first slot", {}, weight_of_first_slot});
    if (!(*c.y == kF32)) all.push_back({"topk_weights: rounded to y", {}, weight_rounded});
    if (c.topk > 1) all.push_back({"topk_weights: slot s uses the weight of slot s / top_k", {}, weight_of_quotient, true});
    if (c.topk > 1) all.push_back({"topk_weights: slot s uses the weight of slot s modulo the number of tokens", {}, weight_of_remainder, true});
  }
  if (c.has_bias && c.groups.count() > 1) {
    all.push_back({"bias: that of the first expert", {}, bias_of_first});
    all.push_back({"bias: that of the next expert", {}, bias_of_next});
  }
  return all;
}

std::vector<Relation> slot_relations(const GemmCase& c, const Problem& problem) {
  if (c.m == 0) return {};
  const SortedSlots right = sorted_slots(c);
  SortedSlots slots = right, blocks = right;
  const auto in_use = size_t(right.end / c.block_m);
  for (size_t block = 0; block < in_use; ++block) {
    const auto first = std::ptrdiff_t(block) * c.block_m, other = std::ptrdiff_t(in_use - 1 - block) * c.block_m;
    std::reverse(slots.ids.begin() + first, slots.ids.begin() + first + c.block_m);
    std::copy_n(right.ids.begin() + other, c.block_m, blocks.ids.begin() + first);
  }
  std::reverse(blocks.experts.begin(), blocks.experts.begin() + std::ptrdiff_t(in_use));
  return {with_lists(c, problem, "the slots of each block in the opposite order, its padding first", slots),
          with_lists(c, problem, "blocks in the opposite order", blocks)};
}

}  // namespace assay
