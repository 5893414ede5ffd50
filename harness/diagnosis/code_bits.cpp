// Rules about the bits of wrong codes: flipped or shifted bits, the neighbouring code, an integer in the place of a code, the
// wrong 16 bits of an fp32 result.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {

Rule bits_of_codes(const WrongPart& wrong) {
  const Format& format = wrong.format();
  constexpr size_t kFewestCodes = 3;
  if (wrong.distinct(kFewestCodes) < kFewestCodes || !wrong.due(wrong.failing().front())) return std::nullopt;
  const uint32_t all = format.bits >= 32 ? ~uint32_t(0) : (uint32_t(1) << format.bits) - 1;
  uint32_t flipped = 0, set = 0, cleared = 0;
  std::set<uint32_t> due_codes;
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due) return std::nullopt;
    const uint32_t held = wrong.codes()[size_t(i)];
    flipped |= held ^ *due, set |= held & ~*due, cleared |= ~held & *due & all;
    due_codes.insert(*due);
  }
  if (due_codes.size() < kFewestCodes) return std::nullopt;
  Rule best;
  const auto consider = [&](const std::string& words, const std::function<uint32_t(uint32_t)>& of) {
    const int64_t explained = wrong.count([&](int64_t i) { return (of(*wrong.due(i)) & all) == wrong.codes()[size_t(i)]; });
    if (explained >= kFewest && (!best || explained > best->explained)) best = {words, explained};
  };
  if (cleared == 0)
    consider("the expected codes with bits " + hex(format, set) + " set", [&](uint32_t code) { return code | set; });
  if (set == 0)
    consider("the expected codes with bits " + hex(format, cleared) + " cleared", [&](uint32_t code) { return code & ~cleared; });
  consider("the expected codes with bits " + hex(format, flipped) + " flipped", [&](uint32_t code) { return code ^ flipped; });
  for (int by = 1; by < std::min(format.bits, 16); ++by) {
    consider(fmt::format("the expected codes shifted right by {}", by), [by](uint32_t code) { return code >> by; });
    consider(fmt::format("the expected codes shifted left by {}", by), [by](uint32_t code) { return code << by; });
  }
  const uint32_t step = (wrong.codes()[size_t(wrong.failing().front())] - *wrong.due(wrong.failing().front())) & all;
  consider("the expected codes " + (step <= all / 2 ? "plus " + hex(format, step) : "minus " + hex(format, (0 - step) & all)),
           [&](uint32_t code) { return code + step; });
  return best;
}

Rule number_for_code(const WrongPart& wrong) {
  constexpr size_t kFewestCodes = 4;
  const Format& format = wrong.format();
  if (!is_number(format) || format.bits != 8 || wrong.distinct(kFewestCodes) < kFewestCodes) return std::nullopt;
  const double ulp = power_of_two(-format.mantissa_bits);
  const int64_t explained = wrong.count([&](int64_t i) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || !std::isfinite(*due)) return false;
    const auto held = int(wrong.codes()[size_t(i)]);
    const auto low = int(std::trunc(*due - std::abs(*due) * ulp)), high = int(std::trunc(*due + std::abs(*due) * ulp));
    for (int number = low; number <= high; ++number)
      if ((number & 0xff) == held) return true;
    return false;
  });
  return explained >= kFewest ? Rule({"the value itself, cast to an integer, where its code is expected", explained})
                              : std::nullopt;
}

OneCodeOff one_code_off(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (!is_number(format) || int64_t(wrong.failing().size()) < kFewest) return {};
  int64_t away = 0, toward = 0, subnormal = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due || std::isnan(wrong.value(i)) || std::isnan(decode(format, *due))) return {};
    const uint32_t sign = uint32_t(1) << (format.bits - 1), held = wrong.codes()[size_t(i)] & (sign - 1),
                   expected = *due & (sign - 1);
    if (held != 0 && expected != 0 && ((wrong.codes()[size_t(i)] ^ *due) & sign) != 0) return {};
    if (held != expected + 1 && held + 1 != expected) return {};
    (held > expected ? away : toward) += 1;
    subnormal += std::abs(decode(format, *due)) < power_of_two(format.min_exponent());
  }
  if (away > 0 && toward > 0) return {};
  const auto failing = int64_t(wrong.failing().size());
  OneCodeOff found{true, std::nullopt};
  if (subnormal == failing)
    found.of_subnormals = Regularity{
        wrong.label(),
        fmt::format("the next code {}, where a subnormal number is expected", away > 0 ? "away from zero" : "toward zero"),
        failing,
        failing,
        0,
        false,
        true};
  return found;
}

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
      if (accepted.any() || is_nan_ordinal(accepted.low) || is_nan_ordinal(accepted.high) ||
          accepted.high - accepted.low > kWidest)
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
    best = {fmt::format("bits {}..{} of the fp32 result, where bits 16..31 are expected: it is shifted by {} instead of 16",
                        16 - by, 31 - by, 16 - by),
            explained};
  }
  return best;
}

}  // namespace assay
