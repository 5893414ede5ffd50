// Rules about the bits of wrong codes: flipped or shifted bits, the neighbouring code, an integer in the place of a code, the
// wrong 16 bits of an fp32 result.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

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

// Words that a kernel builds from shifted codes, with one wrong shift.

namespace {

constexpr int kWidest = 32;

uint64_t shifted(uint64_t code, int by) { return by >= 0 ? code << by : code >> -by; }

/// A word of the output: the codes that it should consist of, and what it holds.
struct Word {
  std::vector<uint64_t> codes;
  uint64_t held = 0;
  bool right = true;
};

/// The words of `fields` codes of a tensor whose rows are consecutive elements. Words with several accepted codes are left out.
std::vector<Word> words_of(const WrongPart& wrong, int64_t fields) {
  const Part& part = wrong.part();
  std::vector<Word> all;
  for (int64_t row = 0; row < part.rows(); ++row)
    for (int64_t column = 0; column + fields <= part.columns(); column += fields) {
      const int64_t first = part.offset(row, column);
      if (first % fields != 0 || part.offset(row, column + fields - 1) != first + fields - 1) return {};
      Word word;
      for (int64_t j = 0; j < fields; ++j) {
        const int64_t i = row * part.columns() + column + j;
        const std::optional<uint32_t> due = wrong.due(i);
        if (!due) break;
        word.codes.push_back(*due);
        word.held |= uint64_t(wrong.codes()[size_t(i)]) << (j * part.format->bits);
        word.right = word.right && *due == wrong.codes()[size_t(i)];
      }
      if (int64_t(word.codes.size()) == fields) all.push_back(std::move(word));
    }
  return all;
}

}  // namespace

Rule one_shift_of_a_word(const WrongPart& wrong) {
  const int bits = wrong.format().bits;
  constexpr size_t kFewestWords = 3, kFewestCodes = 2;
  if (bits > 16) return std::nullopt;
  for (int64_t fields = 2; fields * bits <= kWidest; fields *= 2) {
    const std::vector<Word> words = words_of(wrong, fields);
    const int width = int(fields) * bits;
    const uint64_t mask = (uint64_t{1} << width) - 1;
    if (size_t(std::count_if(words.begin(), words.end(), [](const Word& word) { return !word.right; })) < kFewestWords) continue;
    for (int64_t field = 0; field < fields; ++field)
      for (int by = width; by > -bits; --by) {  // a shift by `width` or more loses the code
        if (by == field * bits) continue;
        std::set<uint64_t> spilled;  // codes of the field whose bits are found in other fields
        const bool holds = std::all_of(words.begin(), words.end(), [&](const Word& word) {
          uint64_t others = 0;
          for (int64_t j = 0; j < fields; ++j)
            if (j != field) others |= word.codes[size_t(j)] << (j * bits);
          const uint64_t moved = shifted(word.codes[size_t(field)], by) & mask;
          if ((others | moved) != others && word.held != others) spilled.insert(word.codes[size_t(field)]);
          return (others | moved) == word.held;
        });
        if (!holds) continue;
        const auto failing = int64_t(wrong.failing().size());
        const std::string where = fmt::format("words of {} codes, in which code {} of each {}", fields, field, fields);
        if (spilled.size() >= kFewestCodes)
          return {
              {fmt::format("{} is shifted left by {} bits instead of {}: the words are built by OR from shifted codes, and one "
                           "shift is wrong",
                           where, by, field * bits),
               failing}};
        // Every kernel packs such scales in words, so a missing code has something to do with that.
        if (spilled.empty() && wrong.tensor().spec.format->bits > bits)
          return {{where + " is missing: its shift moves it out of the word, or it is left out when the word is built", failing}};
      }
  }
  return std::nullopt;
}

}  // namespace assay
