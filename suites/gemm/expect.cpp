#include "suites/gemm/expect.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <set>

#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/dot/dot_text.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/scale_tensors.h"
#include "suites/made_once.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

AcceptedRows accepted_rows(const Spans& values, const Format& y, int64_t first, int64_t end) {
  AcceptedRows accepted{first, end, std::vector<int32_t>(values.size()), {}};
  ordinals_of_values(y, values.low, accepted.low);
  if (values.pinned()) return accepted;
  accepted.high.resize(values.size());
  ordinals_of_values(y, values.high, accepted.high);
  return accepted;
}

/// One pass of the widest instruction loop computes this many columns.
constexpr int64_t kGlimpseColumns = 16;

template <class Rows>
Answer answer_of_rows(const GemmCase& c, const std::string& program, const Part& d,
                      const std::shared_ptr<const DotInputs>& inputs, const std::shared_ptr<const Rows>& rows) {
  const auto block = [inputs, rows, y = c.y](const DotBlock& at) {
    return AcceptedBlock{{accepted_rows(rows->values(at), *y, at.first, at.end)}};
  };
  Answer answer{program, {d}, c.m, [block, n = c.n](int64_t first, int64_t end) { return block({first, end, 0, n}); }};
  answer.of_columns = [block](int64_t first, int64_t end, int64_t first_column, int64_t end_column) {
    return block({first, end, first_column, end_column});
  };
  answer.glimpse = [block, n = c.n] { return block({0, 1, 0, std::min(n, kGlimpseColumns)}); };
  answer.products = inputs->product.k;
  return answer;
}

Answer answer_of(const GemmCase& c, const DotContract& contract, const DotProgram& program,
                 const std::shared_ptr<const DotInputs>& inputs) {
  Part d{"d", c.y, {c.m, c.n}, "one program has one code for each element"};
  if (c.has_bias && dot_recipe(contract, *c.y, true).steps.size() > 1 && !contract.bias.empty() && contract.bias.back().slack.fma)
    d.justification = "the bias is added with or without a rounding before it";
  if (contract.has_atomics()) d.justification = "atomics add the rounded results of parts of k in any order";
  return answer_of_rows(c, program.name, d, inputs, std::make_shared<const DotRows>(contract, program, *inputs, *c.y));
}

/// The answer for an unknown kernel, or for an undocumented instruction.
Answer answer_of_any(const GemmCase& c, const DotContract& contract, const std::shared_ptr<const DotInputs>& inputs) {
  const Part d{"d",
               c.y,
               {c.m, c.n},
               contract.of_unknown_unit() ? "any candidate of the unit, with or without each loss of bits in it"
                                          : "any program of the contract's, with or without each loss of bits in its unit"};
  return answer_of_rows(c, "", d, inputs, std::make_shared<const UnknownDotRows>(contract, *inputs, *c.y));
}

Expectation of_inputs(const GemmCase& c, const DotContract& contract, std::shared_ptr<const DotInputs> inputs) {
  if (contract.unknown()) return {{answer_of_any(c, contract, inputs)}};
  Expectation expectation;
  for (const DotProgram& program : dot_programs(contract, inputs->product.k))
    expectation.any_of.push_back(answer_of(c, contract, program, inputs));
  return expectation;
}

std::string equivalent(const GemmCase& c, const std::string& name) {
  return rulebook().equivalent(c.id(), *c.contract.unit.a, name);
}

/// Inputs shared by all mutants of a case, and sums that several mutants share.
using SharedInputs = std::shared_ptr<MadeOnce<DotInputs>>;

std::shared_ptr<const DotInputs> inputs_of(const SharedInputs& shared, const GemmCase& c, const Problem& problem) {
  return shared->of(problem, [&] {
    DotInputs inputs = gemm_inputs(c, problem);
    inputs.memory = std::make_shared<SumMemory>();
    return inputs;
  });
}

Hypothesis of_neighbour(const GemmCase& c, DotNeighbour wrong, const SharedInputs& inputs) {
  const std::string name = wrong.name;
  return {name,
          [c, wrong = std::move(wrong), inputs](const Problem& problem, const std::vector<HostTensor>*) {
            return of_inputs(c, wrong.contract, inputs_of(inputs, c, problem));
          },
          equivalent(c, name)};
}

Hypothesis of_misreading(const GemmCase& c, const DotMisreading& wrong, const SharedInputs& inputs) {
  return {wrong.name,
          [c, wrong, inputs](const Problem& problem, const std::vector<HostTensor>*) {
            const std::shared_ptr<const DotInputs> right = inputs_of(inputs, c, problem);
            return of_inputs(c, c.contract, std::make_shared<const DotInputs>(wrong.read(*right, wrong.products)));
          },
          equivalent(c, wrong.name)};
}

/// Layouts that a kernel may mistake this one for.
std::vector<std::string> layouts_taken_for(const Layout& layout) {
  if (layout.packs_words()) return {"ue8m0x4_row", "ue8m0x4_col", "ue8m0x4_tma"};
  if (layout.element->bytes() > 1) return {"row", "col", "tma"};
  if (*layout.element == kE8M0) return {"e8m0_row", "e8m0_col", "e8m0_128x4", "e8m0_8x4"};
  std::vector<std::string> all;
  for (const Layout& other : rulebook().layouts)
    if (*other.type == *layout.type && *other.element == *layout.element) all.push_back(other.id);
  return all;
}

/// Mutants: the scales of one factor read with another layout.
void add_layouts(const GemmCase& c, const char* role, const Layout* layout, const LevelGrid& shape,
                 ScaleValues DotInputs::*scales, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!layout) return;
  for (const std::string& id : layouts_taken_for(*layout)) {
    const Layout* other = &rulebook().layout(id);
    if (!reads_others(shape, *layout, *other)) continue;
    const std::string name = fmt::format("{}: layout {} -> {}", role, layout->id, id);
    all.push_back({name,
                   [=](const Problem& problem, const std::vector<HostTensor>*) {
                     DotInputs wrong = *inputs_of(inputs, c, problem);
                     wrong.*scales = scale_values(find(problem.tensors, role), shape, other);
                     return of_inputs(c, c.contract, std::make_shared<const DotInputs>(std::move(wrong)));
                   },
                   equivalent(c, name)});
    all.back().by_rows = true;
  }
}

/// Mutants: both factors read with another layout. A step that tiles them is left out for both or for none.
void add_layouts_of_both(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!c.scales_are_bytes() || c.layout_a()->packs_words()) return;
  const Layout* plain = &rulebook().layout(std::string(c.layout_a()->element->name) + "_row");
  if (c.layout_a() == plain) return;
  if (!reads_others(c.shape_of_scale_a(), *c.layout_a(), *plain) && !reads_others(c.shape_of_scale_b(), *c.layout_b(), *plain))
    return;
  const std::string name = fmt::format("scales: layout {} -> {}", c.layout_a()->id, plain->id);
  all.push_back({name,
                 [=](const Problem& problem, const std::vector<HostTensor>*) {
                   DotInputs wrong = *inputs_of(inputs, c, problem);
                   wrong.scale_a = scale_values(find(problem.tensors, "scale_a"), c.shape_of_scale_a(), plain);
                   wrong.scale_b = scale_values(find(problem.tensors, "scale_b"), c.shape_of_scale_b(), plain);
                   return of_inputs(c, c.contract, std::make_shared<const DotInputs>(std::move(wrong)));
                 },
                 equivalent(c, name)});
  all.back().by_rows = true;
}

std::vector<Hypothesis> of_layouts(const GemmCase& c, const SharedInputs& inputs) {
  std::vector<Hypothesis> all;
  add_layouts(c, "scale_a", c.layout_a(), c.shape_of_scale_a(), &DotInputs::scale_a, inputs, all);
  add_layouts(c, "scale_b", c.layout_b(), c.shape_of_scale_b(), &DotInputs::scale_b, inputs, all);
  add_layouts_of_both(c, inputs, all);
  return all;
}

/// The shape of the inputs, from which misreadings are generated.
DotInputs shape_of(const GemmCase& c) {
  DotInputs inputs;
  inputs.product.k = c.k;
  inputs.m = c.m;
  inputs.n = c.n;
  inputs.shuffle = c.contract.shuffle;
  inputs.scales_are_powers = c.scales_are_powers();
  inputs.packed = c.packs_codes();
  inputs.scale_a.shape = c.shape_of_scale_a();
  inputs.scale_b.shape = c.shape_of_scale_b();
  if (c.scales.a.outer()) inputs.outer_a = {c.outer_of_a(), std::vector<double>(size_t(c.outer_of_a().count()))};
  if (c.scales.b.outer()) inputs.outer_b = {c.outer_of_b(), std::vector<double>(size_t(c.outer_of_b().count()))};
  if (c.has_zero_points()) inputs.azp_adj.resize(size_t(c.n));
  if (c.contract.azp == GemmAzp::kTokens) inputs.azp.resize(size_t(c.m));
  return inputs;
}

}  // namespace

Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem) {
  return of_inputs(c, contract, std::make_shared<const DotInputs>(gemm_inputs(c, problem)));
}

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c) {
  const auto inputs = std::make_shared<MadeOnce<DotInputs>>();
  std::vector<Hypothesis> edits, readings = of_layouts(c, inputs);
  for (DotNeighbour& wrong : dot_neighbours(c.contract, rulebook().units, c.k, *c.y, c.has_bias))
    edits.push_back(of_neighbour(c, std::move(wrong), inputs));
  const int64_t tile = c.contract.of_blocks() ? c.contract.scale_block() : std::max(c.contract.promote, c.contract.part_of);
  for (const DotMisreading& wrong : dot_misreadings(shape_of(c), c.contract.unit.k, tile))
    readings.push_back(of_misreading(c, wrong, inputs));
  // Of two equivalent mutants the first is named. Without split-K that is a dropped tail, not a lost part.
  const bool cut = c.contract.most_parts > 1;
  std::vector<Hypothesis>&all = cut ? edits : readings, &others = cut ? readings : edits;
  std::move(others.begin(), others.end(), std::back_inserter(all));
  return std::move(all);
}

Expectation every_program(const GemmCase& c, const Problem& problem) {
  const auto inputs = std::make_shared<const DotInputs>(gemm_inputs(c, problem));
  Expectation expectation;
  std::set<std::string> seen;
  for (const DotContract& way : dot_ways(c.contract, rulebook().units))
    for (const DotProgram& program : dot_programs(way, c.k)) {
      const std::string words = dot_way_words(way, program);
      if (!seen.insert(words).second) continue;
      expectation.any_of.push_back(answer_of(c, way, program, inputs));
      expectation.any_of.back().program = words;
    }
  return expectation;
}

}  // namespace assay
