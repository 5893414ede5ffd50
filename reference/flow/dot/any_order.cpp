#include "reference/flow/dot/any_order.h"

#include <cmath>
#include <stdexcept>

#include "reference/formats/round.h"
#include "reference/recipe/fused.h"

namespace assay {
namespace {

Span added(Span x, Span y, const Format& format) {
  if (x.any() || y.any()) return any_number();
  const double low = x.low + y.low, high = x.high + y.high;  // of numbers of 16 bits: what a double cuts off decides no rounding
  const auto rounded = [&](double sum) { return round_to(format, sum, Rounding::kNearestEven, Overflow::kSpecial); };
  if (std::isnan(low) != std::isnan(high)) return any_number();
  return {rounded(low), rounded(high)};
}

}  // namespace

Span sum_in_any_order(const std::vector<Span>& parts, const Format& format) {
  if (parts.size() > size_t(kMostAtomicParts)) throw std::invalid_argument("so many parts have too many orders");
  std::vector<Span> sums(size_t{1} << parts.size(), point(0.0));  // of the parts whose bits are set
  for (size_t set = 1; set < sums.size(); ++set) {
    bool first = true;
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((set >> i & 1) == 0) continue;
      const Span sum = added(sums[set ^ (size_t{1} << i)], parts[i], format);
      sums[set] = first ? sum : either(sums[set], sum);
      first = false;
    }
  }
  return sums.back();
}

}  // namespace assay
