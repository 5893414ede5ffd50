#include "suites/rows/expect.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "reference/flow/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/accepted.h"
#include "suites/rows/inputs.h"
#include "suites/rows/padding.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::string free_steps(const Recipe& recipe) {
  std::string text;
  for (const Step& step : recipe.steps) {
    const bool undefined = step.beyond == BeyondInteger::kUndefined;
    if (step.is_free() || undefined)
      text.append(text.empty() ? "" : ", ").append(step.text).append(undefined ? " is undefined for what does not fit" : "");
  }
  return text;
}

}  // namespace

std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x) {
  std::string text;
  const auto append = [&](const std::string& part) { text += (text.empty() || part.empty() ? "" : "; ") + part; };
  for (const Link& link : contract.links) {
    if (const auto* norm = std::get_if<RowNorm>(&link))
      append(norm_reason(*norm, norm_row(*norm, first_row.x, first_row.residual, x), first_row.eps));
    else if (const auto* gated = std::get_if<Gated>(&link))
      append(free_steps(gated->h));
    else if (const auto* rope = std::get_if<Rope>(&link))
      append(free_steps(rope->even));
    else
      for (const Recipe* cell : {&std::get<GroupQuant>(link).scale, &std::get<GroupQuant>(link).zero,
                                 &std::get<GroupQuant>(link).mult, &std::get<GroupQuant>(link).code})
        append(free_steps(*cell));
  }
  return text.empty() ? "every rounding is pinned: one code" : text;
}

Spans as_stored(Spans scale, const Format& element) {
  const bool exponents = element.specials == Specials::kScale;
  const double most = max_finite(element);
  for (std::vector<double>* ends : {&scale.low, &scale.high})
    for (double& v : *ends)
      if (exponents || v > most) v = round_to(element, v, Rounding::kTowardZero, Overflow::kSpecial);  // 2^128 is no fp32
  return scale;
}

/// Bytes of the storage that hold no scale, with the rule of the contract's `pad` cell.
static void add_padding(ExpectedTensor& scale, const ScalePlaces& places, const std::string& rules) {
  const PaddingRule columns = padding_rule(rules, "k"), rows = padding_rule(rules, "rows");
  places.for_each_absent([&](int64_t offset, int64_t row, int64_t column, bool beyond_rows) {
    scale.padding.push_back({offset, {row, column}, beyond_rows ? rows : columns});
  });
}

/// Rows of experts that have room for more: where they lie, and that the rest stays as it was.
static void place_in_room(ExpectedTensor& q, const RowCase& c) {
  for (int64_t row = 0; row < c.m; ++row)
    for (int64_t column = 0; column < c.n; ++column) q.offset.push_back(c.stored_row(row) * c.n + column);
  for (size_t expert = 0; expert < c.tokens.size(); ++expert)
    for (int64_t row = c.tokens[expert]; row < c.room; ++row)
      for (int64_t column = 0; column < c.n; ++column) {
        const int64_t stored = int64_t(expert) * c.room + row;
        q.padding.push_back({stored * c.n + column, {stored, column}, PaddingRule::kUntouched});
      }
}

Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs) {
  const GroupQuant* quant = contract.group_quant();
  const bool stores_scales = quant && !quant->scale_given;
  std::optional<ScalePlaces> places;
  if (stores_scales) places.emplace(c);
  std::optional<Accepted> y, q, scale, zero, residual;
  if (quant)
    q.emplace("q", *quant->q, c.m, c.n);
  else
    y.emplace("y", *c.x, c.m, c.n);
  if (contract.row_norm() && contract.row_norm()->adds()) residual.emplace("residual", *c.x, c.m, c.n);
  if (stores_scales) scale.emplace("scale", *c.layout->element, c.rows_of_groups(), c.groups());

  if (stores_scales && quant->has_zero) zero.emplace("azp", kInt32, c.rows_of_groups(), c.groups());

  const CaseInputs inputs(contract, c, problem);
  Expectation expectation;
  std::mutex mutex;
  for_each_row(c.m, c.n, [&](int64_t row) {
    StoredRow stored;
    if (outputs && scale) stored.scale = decoded_scales(find(*outputs, "scale"), *places, row / c.group_rows, c.groups());
    if (outputs && zero) stored.zero = decoded_row(find(*outputs, "azp"), row / c.group_rows, c.groups());
    if (outputs && quant) stored.q = decoded_row(find(*outputs, "q"), c.stored_row(row), c.n);
    if (outputs && !quant) stored.y = decoded_row(find(*outputs, "y"), row, c.n);
    const RowOutputs answer = evaluate_row(contract, inputs.of_row(row), outputs ? &stored : nullptr, *c.x);
    if (y) y->put(row, answer.y);
    if (q) q->put(row, answer.q);
    if (residual) residual->put(row, answer.residual);
    if (scale && row % c.group_rows == 0) scale->put(row / c.group_rows, as_stored(answer.scale, *c.layout->element));
    if (zero && row % c.group_rows == 0) zero->put(row / c.group_rows, answer.zero);
    const std::lock_guard lock(mutex);
    for (const std::string& violation : answer.joint_violations)
      expectation.joint_violations.push_back("row " + std::to_string(row) + ": " + violation);
  });
  std::sort(expectation.joint_violations.begin(), expectation.joint_violations.end());

  const std::string reason = reason_of(contract, inputs.of_row(0), *c.x);
  if (y) expectation.tensors.push_back(std::move(*y).finish(reason));
  if (q) expectation.tensors.push_back(std::move(*q).finish(reason));
  if (q && c.room > 0) place_in_room(expectation.tensors.back(), c);
  if (residual) expectation.tensors.push_back(std::move(*residual).finish("the sum has one rounding: one code"));
  if (zero) expectation.tensors.push_back(std::move(*zero).finish(reason));
  if (scale) {
    ExpectedTensor tensor = std::move(*scale).finish(reason);
    for (int64_t r = 0; r < c.rows_of_groups(); ++r)
      for (int64_t g = 0; g < c.groups(); ++g) tensor.offset.push_back(places->offset(r, g));
    const ContractRow& row = rulebook().contracts.find(quant->row);
    add_padding(tensor, *places, row.text("pad"));
    expectation.tensors.push_back(std::move(tensor));
  }
  return expectation;
}

}  // namespace assay
