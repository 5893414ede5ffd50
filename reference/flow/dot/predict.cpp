#include "reference/flow/dot/predict.h"

#include <algorithm>
#include <cmath>

#include "reference/formats/catalogue.h"
#include "reference/formats/codes.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"

namespace assay {
namespace {

/// One addition of f32. Two of its numbers have their sum in a double, or near enough that it rounds the same (lanes.h).
double add(double a, double b) { return double(float(a + b)); }

void add_all(std::vector<double>& to, const std::vector<double>& sums) {
  for (size_t i = 0; i < to.size(); ++i) to[i] = add(to[i], sums[i]);
}

void append(Spans& to, const Spans& row) {
  if (!row.pinned()) to.widen();
  to.low.insert(to.low.end(), row.low.begin(), row.low.end());
  if (to.pinned()) return;
  const std::vector<double>& high = row.pinned() ? row.low : row.high;
  to.high.insert(to.high.end(), high.begin(), high.end());
}

}  // namespace

DotRows::DotRows(const DotContract& contract, DotProgram program, const DotInputs& inputs, const Format& y,
                 const DotMistake& mistake)
    : unit_(contract.unit),
      program_(std::move(program)),
      inputs_(inputs),
      y_(y),
      mistake_(mistake),
      recipe_(dot_recipe(contract, y, !inputs.bias.empty())) {}

std::vector<double> DotRows::sums(int64_t first, int64_t end, int64_t first_k, int64_t end_k) const {
  std::vector<uint32_t> codes(size_t((end - first) * inputs_.n), 0);
  accumulate(unit_, inputs_.product, {first, end - first, 0, inputs_.n}, first_k, end_k, codes.data(), inputs_.n);
  std::vector<double> values(codes.size());
  if (unit_.d->bytes() == int(sizeof codes[0]))
    decode_all(*unit_.d, std::as_bytes(std::span(codes)).data(), values);
  else
    std::transform(codes.begin(), codes.end(), values.begin(), [&](uint32_t code) { return decode(*unit_.d, code); });
  return values;
}

void DotRows::add_part(int64_t first, int64_t end, int64_t part, std::vector<double>& sum) const {
  const int64_t end_k = std::min(part + program_.part, inputs_.product.k);
  if (program_.promote == 0) {
    sum = sums(first, end, part, end_k);
    return;
  }
  std::fill(sum.begin(), sum.end(), 0.0);
  for (int64_t k = part; k < end_k; k += program_.promote)
    add_all(sum, sums(first, end, k, std::min(k + program_.promote, end_k)));
}

Spans DotRows::scaled(int64_t first, const std::vector<double>& sums) const {
  const auto n = size_t(inputs_.n);
  const Spans scale_b(inputs_.scale_b), bias(inputs_.bias);
  Spans all;
  for (size_t row = 0; row * n < sums.size(); ++row) {
    Environment environment;
    environment.set("sa", point(inputs_.scale_a.size() == 1 ? inputs_.scale_a[0] : inputs_.scale_a[size_t(first) + row]));
    if (inputs_.scale_b.size() == 1)
      environment.set("sb", point(inputs_.scale_b[0]));
    else
      environment.set("sb", scale_b);
    if (!inputs_.bias.empty()) environment.set("bias", bias);
    Spans values(std::vector<double>(sums.begin() + std::ptrdiff_t(row * n), sums.begin() + std::ptrdiff_t((row + 1) * n)));
    evaluate(recipe_, values, environment);
    append(all, values);
  }
  return all;
}

Spans DotRows::rows(int64_t first, int64_t end) const {
  std::vector<double> sum(size_t((end - first) * inputs_.n), 0.0), part_sum = sum;
  Spans results;
  int64_t count = 0;
  for (int64_t part = 0; part < inputs_.product.k; part += program_.part, ++count) {
    const bool lost = mistake_.last_part_lost && part > 0 && part + program_.part >= inputs_.product.k;
    if (lost) break;
    add_part(first, end, part, part_sum);
    if (mistake_.parts_in_result) {
      const Spans rounded = scaled(first, part_sum);
      if (count == 0) results = rounded;
      for (size_t i = 0; i < results.size() && count > 0; ++i)
        results.low[i] = round_to(y_, results.low[i] + rounded.low[i], Rounding::kNearestEven, Overflow::kSpecial);
    } else if (count == 0) {
      sum = part_sum;
    } else {
      add_all(sum, part_sum);
    }
  }
  return mistake_.parts_in_result ? results : scaled(first, sum);
}

}  // namespace assay
