#include "suites/gemm_scaled/expect.h"

#include <algorithm>
#include <memory>
#include <set>

#include "reference/flow/dot/ways.h"
#include "reference/formats/codes.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

AcceptedRows accepted_rows(const DotRows& rows, const Format& y, int64_t first, int64_t end) {
  const Spans values = rows.rows(first, end);
  AcceptedRows accepted{first, end, std::vector<int32_t>(values.size()), {}};
  ordinals_of_values(y, values.low, accepted.low);
  if (values.pinned()) return accepted;
  accepted.high.resize(values.size());
  ordinals_of_values(y, values.high, accepted.high);
  return accepted;
}

Answer answer_of(const GemmCase& c, const DotContract& contract, const DotProgram& program,
                 const std::shared_ptr<const DotInputs>& inputs, const DotMistake& mistake = {}) {
  Part d{"d", c.y, {c.m, c.n}, "one program has one code for each element"};
  if (!c.bias.empty() && dot_recipe(contract, *c.y, true).steps.size() > 1 && contract.row->text("bias").ends_with("~fma"))
    d.justification = "the bias is added with or without a rounding before it";
  const auto rows = std::make_shared<const DotRows>(contract, program, *inputs, *c.y, mistake);
  return {program.name, {d}, c.m, [inputs, rows, y = c.y](int64_t first, int64_t end) {
            return AcceptedBlock{{accepted_rows(*rows, *y, first, end)}};
          }};
}

Expectation of_inputs(const GemmCase& c, const DotContract& contract, std::shared_ptr<const DotInputs> inputs,
                      const DotMistake& mistake = {}) {
  Expectation expectation;
  for (const DotProgram& program : dot_programs(contract, inputs->product.k))
    expectation.any_of.push_back(answer_of(c, contract, program, inputs, mistake));
  return expectation;
}

std::string equivalent(const GemmCase& c, const std::string& name) {
  return rulebook().equivalent(c.id(), *c.contract.unit.a, name);
}

Hypothesis of_neighbour(const GemmCase& c, DotNeighbour wrong) {
  const std::string name = wrong.name;
  return {name,
          [c, wrong = std::move(wrong)](const Problem& problem, const std::vector<HostTensor>*) {
            return expect_product(c, wrong.contract, problem, wrong.mistake);
          },
          equivalent(c, name)};
}

Hypothesis of_misreading(const GemmCase& c, const DotMisreading& wrong) {
  return {wrong.name,
          [c, wrong](const Problem& problem, const std::vector<HostTensor>*) {
            return of_inputs(c, c.contract,
                             std::make_shared<const DotInputs>(wrong.read(gemm_inputs(c, problem), wrong.products)));
          },
          equivalent(c, wrong.name)};
}

/// What misreadings look at: how many numbers there are.
DotInputs shape_of(const GemmCase& c) {
  DotInputs inputs;
  inputs.product.k = c.k;
  inputs.m = c.m;
  inputs.n = c.n;
  inputs.scale_a.resize(c.a_has_scales_of_rows() ? size_t(c.m) : 1);
  inputs.scale_b.resize(c.b_has_scales_of_rows() ? size_t(c.n) : 1);
  return inputs;
}

}  // namespace

Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem, const DotMistake& mistake) {
  return of_inputs(c, contract, std::make_shared<const DotInputs>(gemm_inputs(c, problem)), mistake);
}

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c) {
  std::vector<Hypothesis> all;
  for (DotNeighbour& wrong : dot_neighbours(c.contract, rulebook().units, c.k, *c.y, !c.bias.empty()))
    all.push_back(of_neighbour(c, std::move(wrong)));
  const int64_t tile = std::max(c.contract.promote, c.contract.part_of);
  for (const DotMisreading& wrong : dot_misreadings(shape_of(c), c.contract.unit.k, tile)) all.push_back(of_misreading(c, wrong));
  return all;
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
