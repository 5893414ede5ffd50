#include "reference/casts/profile.h"

#include <cmath>
#include <stdexcept>

#include "reference/casts/encode.h"

namespace assay {
namespace {

double through(const std::vector<CastStep>& steps, double x) {
  for (const CastStep& step : steps) x = step.of(x);
  return x;
}

uint32_t beyond(const CastProfile& p, Beyond rule, bool negative) {
  return rule == Beyond::kLargest ? largest_code(*p.format, negative) : special_code(*p.format, negative);
}

uint32_t encode_number(const CastProfile& p, double x) {
  if (std::isinf(x)) return beyond(p, p.infinity, x < 0);
  if (p.overflow == Beyond::kSpecialAboveLargest && std::fabs(x) > max_finite(*p.format)) return special_code(*p.format, x < 0);
  const std::optional<uint32_t> code = encode_finite(*p.format, x, p.rounding);
  if (!code) return beyond(p, p.overflow, x < 0);
  return p.after.empty() ? *code : code_of(*p.format, through(p.after, decode(*p.format, *code)));
}

/// How many of the source's unsigned patterns (the last is Inf) satisfy a condition that holds for a leading run.
template <class Holds>
uint64_t patterns_below(const CastSource& source, Holds holds) {
  uint64_t low = 0, high = source.infinity() + 1;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    if (holds(value_of(source, middle)))
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

}  // namespace

double CastStep::of(double x) const {
  switch (kind) {
    case kRound:
      return round_to(*format, x, Rounding::kNearestEven, Overflow::kSpecial);
    case kClamp:
      return std::fabs(x) > max_finite(*format) ? std::copysign(max_finite(*format), x) : x;
    case kFlush:
      return std::fabs(x) < std::ldexp(1.0, format->min_exponent()) ? std::copysign(0.0, x) : x;
    case kAddZero:
      return x + 0.0;
  }
  return x;
}

CastProfile widened_from(const CastSource& source, const CastProfile& profile) {
  if (source.name == profile.from->name) return profile;
  if (source.bits >= profile.from->bits) throw std::invalid_argument(profile.id + " is no cast from " + std::string(source.name));
  CastProfile p = profile;
  p.from = &source;
  p.anomalies.clear();
  for (Anomaly anomaly : profile.anomalies) {
    // unsigned patterns except NaN are ordered by value; no anomaly of fp32 reaches NaN
    const double first = value_of(*profile.from, anomaly.first), last = value_of(*profile.from, anomaly.last);
    anomaly.first = patterns_below(source, [&](double x) { return x < first; });
    const uint64_t end = patterns_below(source, [&](double x) { return x <= last; });
    if (anomaly.first == end) continue;
    anomaly.last = end - 1;
    p.anomalies.push_back(anomaly);
  }
  return p;
}

uint32_t cast(const CastProfile& p, uint64_t input) {
  const bool negative = (input & p.from->sign()) != 0, nan = p.from->is_nan(input);
  const uint64_t magnitude = input & ~p.from->sign();
  if (magnitude == 0 && p.zero) return *p.zero;
  if (negative && !nan && p.negative == Negative::kCode) return p.negative_code;
  double factor = 1;
  for (const Anomaly& anomaly : p.anomalies) {
    if (magnitude < anomaly.first || magnitude > anomaly.last) continue;
    if (anomaly.code) return *anomaly.code | (negative && p.format->has_sign() ? 1u << (p.format->bits - 1) : 0u);
    factor = anomaly.factor;
  }
  if (nan) return negative ? p.minus_nan : p.nan;
  const double x = value_of(*p.from, input) * factor;
  return encode_number(p, through(p.before, p.negative == Negative::kMagnitude ? std::fabs(x) : x));
}

}  // namespace assay
