#include "reference/units/unit.h"

#include <algorithm>

#include "reference/formats/catalogue.h"

namespace assay {

std::vector<const Format*> exponent_formats(const Format& a, const Format& b) {
  const auto holds = [](const Format& wide, const Format& narrow) {
    return !narrow.is_integer() && narrow.mantissa_bits <= wide.mantissa_bits &&
           narrow.min_exponent() >= wide.min_exponent() && max_finite(narrow) <= max_finite(wide);
  };
  // The least exponents that nonzero numbers of a and of b have in that format.
  const auto least = [&](const Format& in) {
    const auto of = [&](const Format& f) { return std::max(in.min_exponent(), f.min_exponent() - f.mantissa_bits); };
    return std::pair(of(a), of(b));
  };
  std::vector<const Format*> all;
  std::vector<std::pair<int, int>> seen = {{a.min_exponent(), b.min_exponent()}};
  for (const Format* f : {&kF16, &kF32}) {
    if (!holds(*f, a) || !holds(*f, b) || std::find(seen.begin(), seen.end(), least(*f)) != seen.end()) continue;
    all.push_back(f), seen.push_back(least(*f));
  }
  return all;
}

std::vector<int> product_order(const Unit& unit) {
  std::vector<int> taken;
  const int period = unit.interleave_period == 0 ? unit.k : unit.interleave_period;
  const int width = unit.interleave_period == 0 ? unit.k : unit.interleave_width;
  for (int part = 0; part < period / width; ++part)
    for (int k = 0; k < unit.k; ++k)
      if (k % period / width == part) taken.push_back(k);
  std::vector<int> order;
  for (int block = 0; block < unit.k; block += unit.take)
    for (int split = 0; split < unit.splits; ++split)
      for (int i = split; i < unit.take; i += unit.splits) order.push_back(taken[size_t(block + i)]);
  return order;
}

}  // namespace assay
