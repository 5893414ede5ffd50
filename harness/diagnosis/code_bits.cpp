// bf16 outputs that hold the wrong 16 bits of the fp32 result: the conversion shifts by too few bits.
#include <fmt/format.h>

#include <algorithm>

#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {

Rule lower_bits_of_result(const WrongPart& wrong) {
  constexpr int kMostShift = 4;
  constexpr size_t kFewestCodes = 8;
  constexpr int32_t kWidest = 8;  // codes of an accepted interval that are compared
  if (!(wrong.format() == kBf16) || wrong.distinct(kFewestCodes) < kFewestCodes) return std::nullopt;
  Rule best;
  for (int by = 1; by <= kMostShift; ++by) {
    const uint32_t kept = 0xffffu >> by;
    const auto holds = [&](int64_t i) {
      const Interval accepted = wrong.accepted(i);
      if (accepted.any() || is_nan_ordinal(accepted.low) || is_nan_ordinal(accepted.high) || accepted.high - accepted.low > kWidest)
        return false;
      const uint32_t held = wrong.codes()[size_t(i)] >> by;
      // The lowest bits of the held code lie below those of bf16. Before rounding, the code may be one lower in magnitude.
      for (int32_t at = accepted.low; at <= accepted.high; ++at)
        for (const uint32_t down : {0u, 1u})
          if (((code_from_ordinal(wrong.format(), at) - down) & kept) == held) return true;
      return false;
    };
    const int64_t explained = wrong.count(holds);
    if (explained < int64_t(kFewestCodes) || (best && explained <= best->explained)) continue;
    best = {fmt::format("bits {}..{} of the fp32 result, where bits 16..31 are expected: it is shifted by {} instead of 16", 16 - by,
                        31 - by, 16 - by),
            explained};
  }
  return best;
}

}  // namespace assay
