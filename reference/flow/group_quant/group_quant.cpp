#include "reference/flow/group_quant/group_quant.h"

#include <algorithm>
#include <cmath>

#include "reference/flow/row_run.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"

namespace assay {
namespace {

Spans first_of(const Spans& row, int64_t count) {
  Spans first(std::vector<double>(size_t(count), 0.0));
  for (size_t i = 0; i < first.size(); ++i) first.set(i, row[i]);
  return first;
}

/// The largest of exactly known magnitudes; ignores NaN. Keeps four maxima at a time, because with one, each comparison would
/// wait for the one before.
double largest_magnitude(const double* values, size_t count, size_t& nans) {
  double largest[4] = {};
  nans = 0;
  for (size_t i = 0; i < count; ++i) {
    const double a = std::fabs(values[i]);
    largest[i % 4] = a > largest[i % 4] ? a : largest[i % 4];
    nans += a != a;
  }
  return std::max(std::max(largest[0], largest[1]), std::max(largest[2], largest[3]));
}

}  // namespace

Environment with_outer_scale(double outer) {
  Environment environment;
  environment.set("g", point(outer));
  environment.set("1/g", point(round_to(kF32, 1 / outer, Rounding::kNearestEven, Overflow::kSpecial)));
  return environment;
}

bool may_equal(Span span, double value) {
  return span.any() || (std::isnan(span.low) && std::isnan(value)) || (span.low <= value && value <= span.high);
}

Span absolute_maximum(const Spans& values, size_t first, size_t count, Reduction reduction) {
  const bool keep_nan = reduction == Reduction::kAbsMaxKeepNan;
  if (size_t nans = 0; values.pinned()) {
    const double largest = largest_magnitude(values.low.data() + first, count, nans);
    if (nans == 0 && count > 0) return point(largest);
  }
  bool all_nan = reduction == Reduction::kAbsMaxOfAllNan, unknown = false;
  Span maximum = point(0);
  for (size_t i = first; i < first + count; ++i) {
    const Span v = values[i];
    if (v.any()) {
      if (keep_nan) return any_number();
      unknown = true;
      continue;
    }
    if (std::isnan(v.low)) {
      if (keep_nan) return point(v.low);
      continue;
    }
    all_nan = false;
    const bool crosses_zero = v.low < 0 && v.high > 0;
    const double a = std::fabs(v.low), b = std::fabs(v.high);
    maximum.low = std::max(maximum.low, crosses_zero ? 0 : std::min(a, b));
    maximum.high = std::max(maximum.high, std::max(a, b));
  }
  if (all_nan) return unknown ? any_number() : point(std::nan(""));
  if (unknown) maximum.high = HUGE_VAL;
  return maximum;
}

Spans group_maxima(const GroupQuant& contract, const Spans& values, int64_t group_size) {
  const auto size = size_t(group_size), groups = (values.size() + size - 1) / size;
  const Recipe& amax = std::get<AmaxScales>(contract.scales).amax;
  Spans positive;
  if (amax.over == Over::kPositive) {
    positive = values;
    for (size_t i = 0; i < values.size(); ++i)
      if (const Span v = values[i]; v.low < 0) positive.set(i, {0, std::max(v.high, 0.0)});
  }
  const Spans& counted = amax.over == Over::kPositive ? positive : values;
  const double part = share(amax.over);
  const auto window = amax.over == Over::kAllButLast && size > 1 ? size - 1 : size_t(double(group_size) * part);
  Spans maxima(std::vector<double>(groups, 0));
  for (size_t g = 0; g < groups; ++g) {
    const size_t own = g * size;
    const size_t begin = part <= 1 ? own : own / window * window;
    maxima.set(g, absolute_maximum(counted, begin, std::min(window, values.size() - begin), amax.reduction));
  }
  return maxima;
}

void join_maxima(const GroupQuant& contract, Spans& maxima, const Spans& others) {
  const Reduction reduction = std::get<AmaxScales>(contract.scales).amax.reduction;
  for (size_t g = 0; g < maxima.size(); ++g) {
    Spans pair(std::vector<double>(2, 0));
    pair.set(0, maxima[g]);
    pair.set(1, others[g]);
    maxima.set(g, absolute_maximum(pair, 0, 2, reduction));
  }
}

Spans group_sources(const GroupQuant& contract, const Spans& values, const RowInputs& inputs) {
  if (contract.takes_scales()) return Spans(inputs.scale);
  return inputs.maxima.size() > 0 ? inputs.maxima : group_maxima(contract, values, inputs.group_size);
}

/// The quantity `nonzero` of each group: 0 if its amax is 0, else Inf.
static Spans infinite_unless_zero(const Spans& amax) {
  Spans nonzero = amax;
  const auto of = [](double v) { return v == 0 ? v : HUGE_VAL; };
  for (size_t g = 0; g < amax.size(); ++g) nonzero.set(g, {of(amax[g].low), of(amax[g].high)});
  return nonzero;
}

GroupScales group_scales(const GroupQuant& contract, const Spans& sources, double scale_ub,
                         const std::vector<double>& stored_scale, RowListener* listener, int64_t group_size, double outer) {
  const auto places = [&] { return each_group(group_size); };
  const Environment none = with_outer_scale(outer);
  Environment bounded = none;
  bounded.set("ub", point(round_to(kF32, scale_ub, Rounding::kNearestEven, Overflow::kSpecial)));
  GroupScales result;
  result.amax = result.scale = result.s = sources;
  Spans amax = sources;
  if (const auto* made = std::get_if<AmaxScales>(&contract.scales)) {
    run_cell(listener, "amax", made->amax, result.amax, none, places);
    result.scale = result.amax;
    run_cell(listener, "scale", made->scale, result.scale, bounded, places);
    result.s = result.scale;
    amax = result.amax;
    for (size_t g = 0; g < stored_scale.size(); ++g) {
      if (result.scale[g].pinned() || !may_equal(result.scale[g], stored_scale[g])) continue;
      result.s.set(g, point(stored_scale[g]));
      if (const auto narrowed = narrow(made->scale, amax[g], stored_scale[g], bounded)) amax.set(g, *narrowed);
    }
  } else if (listener) {
    listener->quantity("scale given", sources, places());
  }
  result.m = contract.mult.start.empty() ? result.s : amax;
  Spans nonzero;
  Environment of_mult = none;
  if (reads(contract.mult, "nonzero")) of_mult.set("nonzero", nonzero = infinite_unless_zero(amax));
  run_cell(contract.mult.empty() ? nullptr : listener, "m", contract.mult, result.m, of_mult, places);
  return result;
}

Spans group_codes(const GroupQuant& contract, const Spans& values, int64_t group_size, const GroupScales& scales,
                  RowListener* listener, double outer) {
  if (listener) listener->cell("q", values, each_column());
  Spans codes = values;
  Environment environment = with_outer_scale(outer);
  const bool with_zero = contract.has_zero();
  for (size_t g = 0; g < scales.s.size(); ++g) {
    environment.set("s", scales.s[g]);
    environment.set("m", scales.m[g]);
    const bool zeros = g < scales.amax.size() && scales.amax[g].low == 0 && scales.amax[g].high == 0;
    environment.set("zero", point(zeros ? 0 : std::copysign(0, -1)));
    if (with_zero) environment.set("azp", scales.azp[g]);
    const size_t first = g * size_t(group_size);
    evaluate(contract.code, codes, first, std::min(size_t(group_size), values.size() - first), environment, listener);
  }
  return codes;
}

namespace {

/// The sum of the errors of a group's codes. Kernels add in f32, in any order, with at most 31 roundings per term, so the sum's
/// relative error is at most 2^-19. A sum of zeros is exact. Sums beyond f32 are Inf, and subnormal terms may be flushed.
Span summed_errors(const GroupQuant& contract, Span s, Span m, const Spans& codes, const Spans& values, size_t first,
                   size_t count, double outer) {
  const double kSlack = power_of_two(-19), kFlushed = power_of_two(-121), kLargest = max_finite(kF32);
  Environment environment = with_outer_scale(outer);
  environment.set("s", s);
  environment.set("m", m);
  environment.set("v", values);
  Spans errors = codes;
  evaluate(contract.error, errors, first, count, environment);
  Span sum = point(0);
  for (size_t i = first; i < first + count; ++i) {
    const Span e = errors[i];
    if (std::isnan(e.low) || std::isnan(e.high)) return e.any() ? e : point(e.low);
    const double a = std::fabs(e.low), b = std::fabs(e.high);
    const double least = e.low < 0 && e.high > 0 ? 0 : std::min(a, b), most = std::max(a, b);
    sum.low += contract.squares ? least * least : least;
    sum.high += contract.squares ? most * most : most;
  }
  if (sum.high == 0) return sum;
  sum = {std::max(0.0, sum.low * (1 - kSlack) - kFlushed), sum.high * (1 + kSlack) + kFlushed};
  if (sum.low > kLargest) sum.low = HUGE_VAL;
  if (sum.high > kLargest * (1 - kSlack)) sum.high = HUGE_VAL;
  return sum;
}

enum class Choice { kScale, kRival, kEither };

/// A group whose error is NaN keeps its own scale, because comparisons with NaN are false.
Choice choice_between(GroupQuant::Takes takes, Span own, Span rival) {
  if (takes == GroupQuant::Takes::kAlways) return Choice::kRival;
  if (own.any() || rival.any()) return Choice::kEither;
  if (std::isnan(own.low) || std::isnan(rival.low)) return Choice::kScale;
  const bool or_equal = takes == GroupQuant::Takes::kIfNotWorse;
  if (or_equal ? rival.high <= own.low : rival.high < own.low) return Choice::kRival;
  if (or_equal ? rival.low > own.high : rival.low >= own.high) return Choice::kScale;
  return Choice::kEither;
}

/// Uses the rival scale for each group whose codes then have a smaller error. If the contract allows both scales, the stored
/// scale decides.
void take_rivals(const GroupQuant& contract, const Spans& sources, const Spans& values, const GroupScales& own, RowRun& row) {
  GroupQuant other = contract;
  std::get<AmaxScales>(other.scales).scale = contract.rival;
  const RowInputs& inputs = row.inputs;
  const auto size = size_t(inputs.group_size);
  const std::vector<double> stored = row.stored ? row.stored->scale : std::vector<double>();
  const GroupScales rival = group_scales(other, sources, inputs.scale_ub, stored, nullptr, inputs.group_size, inputs.outer_scale);
  const Spans codes = group_codes(other, values, inputs.group_size, rival, nullptr, inputs.outer_scale);
  Spans &q = row.out.q, &scale = row.out.scale;
  const Spans own_codes = q;
  for (size_t g = 0; g < own.s.size(); ++g) {
    const size_t first = g * size, count = std::min(size, values.size() - first);
    const auto errors = [&](const GroupScales& of, const Spans& made) {
      return summed_errors(contract, of.s[g], of.m[g], made, values, first, count, inputs.outer_scale);
    };
    Choice choice = choice_between(contract.takes, errors(own, own_codes), errors(rival, codes));
    if (choice == Choice::kEither && !stored.empty()) {
      const bool may_own = may_equal(own.scale[g], stored[g]), may_rival = may_equal(rival.scale[g], stored[g]);
      if (may_own != may_rival) choice = may_own ? Choice::kScale : Choice::kRival;
    }
    if (choice == Choice::kScale) continue;
    const bool both = choice == Choice::kEither;
    scale.set(g, both ? hull(own.scale[g], rival.scale[g]) : rival.scale[g]);
    for (size_t i = first; i < first + count; ++i) q.set(i, both ? hull(own_codes[i], codes[i]) : codes[i]);
  }
  if (!row.listener) return;
  row.listener->quantity("scale", scale, each_group(inputs.group_size));
  row.listener->quantity("q", q, each_column());
}

}  // namespace

void run(const GroupQuant& link, RowRun& row) {
  const RowInputs& inputs = row.inputs;
  Spans values = std::move(row.values);
  if (inputs.coded > 0) {
    row.out.y = values;
    values = first_of(values, inputs.coded);
  }
  const Spans sources = link.has_zero() ? Spans() : group_sources(link, values, inputs);
  GroupScales scales = link.has_zero() ? zero_point_scales(link, values, inputs, row.stored, row.listener)
                                       : group_scales(link, sources, inputs.scale_ub,
                                                      row.stored ? row.stored->scale : std::vector<double>(), row.listener,
                                                      inputs.group_size, inputs.outer_scale);
  row.out.q = group_codes(link, values, inputs.group_size, scales, row.listener, inputs.outer_scale);
  if (link.takes_scales()) return;
  row.out.scale = scales.scale;
  row.out.zero = std::move(scales.zero);
  if (!link.rival.empty()) take_rivals(link, sources, values, scales, row);
}

}  // namespace assay
