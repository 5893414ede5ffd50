// Variables that a kernel reads before it sets them, if the compiler filled them: their bytes are then the same in every call, so
// that unset_locals() finds no change. GCC's -ftrivial-auto-var-init=pattern fills with 0xfe, Clang's with 0xaa.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/input_edits.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

constexpr uint32_t kGccByte = 0xfe, kClangByte = 0xaa;

/// A code of the format whose bytes all equal `byte`.
uint32_t filled_code(const Format& format, uint32_t byte) { return byte * 0x01010101u >> (32 - format.bits); }

/// Columns of an input that are never set.
struct Columns {
  std::string words;  ///< " with j mod 8 = 7"; empty: all columns
  std::function<bool(int64_t column)> contain;
};

std::vector<Columns> columns_of(int64_t columns) {
  std::vector<Columns> all = {{"", [](int64_t) { return true; }}};
  if (columns % 2 == 0) {  // gate and up, or cosines and sines
    const int64_t half = columns / 2;
    all.push_back({fmt::format(" with j < {}", half), [half](int64_t c) { return c < half; }});
    all.push_back({fmt::format(" with j >= {}", half), [half](int64_t c) { return c >= half; }});
  }
  for (int64_t period = 2; period <= 32 && 2 * period <= columns; period *= 2) {
    for (const int64_t at : {int64_t{0}, period - 1})
      all.push_back({fmt::format(" with j mod {} = {}", period, at), [=](int64_t c) { return c % period == at; }});
    const int64_t half = period / 2;
    if (half < 2) continue;
    all.push_back({fmt::format(" with j mod {} < {}", period, half), [=](int64_t c) { return c % period < half; }});
    all.push_back({fmt::format(" with j mod {} >= {}", period, half), [=](int64_t c) { return c % period >= half; }});
  }
  for (const int64_t vector : {4, 8, 16})
    if (columns > vector && columns % vector != 0)
      all.push_back(
          {fmt::format(" with j >= {}", columns / vector * vector), [=](int64_t c) { return c >= columns / vector * vector; }});
  return all;
}

/// Where the wrong elements lie, if right elements lie elsewhere; else empty.
std::string places_of(const WrongPart& wrong) {
  std::vector<int64_t> right;
  for (int64_t i = 0; i < wrong.part().elements(); ++i)
    if (wrong.accepts(i, wrong.codes()[size_t(i)])) right.push_back(i);
  if (right.empty()) return "";
  std::string places = places_apart(wrong.failing(), right, wrong.part().columns());
  if (!places.empty()) return places;
  const auto [rows, columns] = failing_rows_and_columns(wrong);
  if (rows.size() * columns.size() == wrong.failing().size())
    return ", only in " + places_text(rows, wrong.part().rows(), columns, wrong.part().columns());
  return "";
}

/// Wrong elements that were computed from an fp32 variable whose bytes are 0xfe, which is about -1.69e38. They are huge, as with
/// a wrong scale, but a wrong scale would keep the expected signs.
Rule huge_from_fill(const WrongPart& wrong) {
  constexpr double kHuge = 0x1p90, kMostExpected = 0x1p40;
  constexpr int64_t kFewestWrong = 16, kFewestFinite = 4;
  const Format& format = wrong.format();
  if (!(format == kF32 || format == kBf16) || int64_t(wrong.failing().size()) < kFewestWrong) return std::nullopt;
  int64_t finite = 0, same = 0, opposite = 0;
  double least = HUGE_VAL, most = -HUGE_VAL, expected = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    const double value = wrong.value(i);
    if (!due || !(std::abs(*due) < kMostExpected) || !(std::abs(value) >= kHuge)) return std::nullopt;
    expected = std::max(expected, std::abs(*due));
    if (*due != 0) ++(std::signbit(*due) == std::signbit(value) ? same : opposite);
    if (std::isinf(value) || std::abs(value) == max_finite(format)) continue;
    least = std::min(least, value), most = std::max(most, value), ++finite;
  }
  if (finite < kFewestFinite || 4 * opposite < same || opposite == 0) return std::nullopt;
  const std::string held =
      least == most ? fmt::format("the number {:.3g}", least) : fmt::format("numbers from {:.3g} to {:.3g}", least, most);
  return {{fmt::format("{} where at most {:.3g} is expected, not with the expected signs{}: an accumulator "
                       "or another variable is used before it is set (the bytes 0xfe, with which compilers can fill it, are "
                       "-1.69e+38)",
                       held, expected, places_of(wrong)),
           int64_t(wrong.failing().size())}};
}

/// The same for f16, in which -1.69e38 becomes -Inf. A result that overflows to Inf would keep the expected sign.
Rule infinite_from_fill(const WrongPart& wrong) {
  constexpr int64_t kFewestOtherSign = 16;
  int64_t other_sign = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || !std::isfinite(*due) || wrong.value(i) != -HUGE_VAL) return std::nullopt;
    other_sign += *due >= 0;
  }
  if (other_sign < kFewestOtherSign) return std::nullopt;
  return {
      {fmt::format("-Inf where finite numbers are expected, also numbers above 0{}: an accumulator or another variable is used "
                   "before it is set (the bytes 0xfe, with which compilers can fill it, are -1.69e+38), or it starts from the "
                   "largest negative number",
                   places_of(wrong)),
       int64_t(wrong.failing().size())}};
}

/// The same for formats of 8 bits and less, to which a kernel saturates: the smallest number, also where numbers above 0 are
/// expected. A wrong scale would keep the signs.
Rule smallest_from_fill(const WrongPart& wrong) {
  constexpr int64_t kFewestWrong = 16, kFewestOfASign = 4;
  const double smallest = -max_finite(wrong.format());
  int64_t above = 0, below = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || wrong.value(i) != smallest) return std::nullopt;
    above += *due > 0, below += *due < 0;
  }
  if (above + below < kFewestWrong || std::min(above, below) < kFewestOfASign) return std::nullopt;
  return {
      {fmt::format("{}, the smallest number, in each wrong element, also where numbers above 0 are expected{}: an array or "
                   "variable is used before it is set (the bytes 0xfe, with which compilers can fill it, are -1.69e+38 in fp32), "
                   "or a clamp has its limits exchanged",
                   value_text(wrong.format(), wrong.codes()[size_t(wrong.failing().front())]), places_of(wrong)),
       int64_t(wrong.failing().size())}};
}

}  // namespace

namespace {

/// Numbers that kernels compute from one fp32 variable whose bytes are 0xfe.
struct Derived {
  double factor;
  const char* words;
  bool is_scale;  ///< a division by the largest number of a quantized type, of a maximum that is never set
};
constexpr Derived kDerived[] = {{1, "that variable, rounded", false},
                                {2, "the sum of two such variables", false},
                                {0.5, "half of such a variable", false},
                                {1.0 / 448, "1 / 448 of such a variable", true},
                                {1.0 / 240, "1 / 240 of such a variable", true},
                                {1.0 / 127, "1 / 127 of such a variable", true},
                                {1.0 / 57344, "1 / 57344 of such a variable", true},
                                {1.0 / 6, "1 / 6 of such a variable", true},
                                {1.0 / 7, "1 / 7 of such a variable", true}};

/// Whether the element holds the number, or, for an fp32 scale, the number up to its sign and two roundings.
bool holds_derived(const WrongPart& wrong, int64_t i, const Derived& derived) {
  constexpr double kMostExpected = 0x1p96;
  const Format& format = wrong.format();
  const double fill = decode(kF32, filled_code(kF32, kGccByte)) * derived.factor, held = wrong.value(i);
  const std::optional<double> due = wrong.middle(i);
  if (!due || !(std::abs(*due) < kMostExpected)) return false;
  if (format == kF32)
    return std::abs(std::abs(held) - std::abs(fill)) <= 0x1p-22 * std::abs(fill) && (derived.is_scale || held < 0);
  return held == round_to(format, fill, Rounding::kNearestEven, Overflow::kSpecial);
}

/// Scales without a mantissa that were computed from the fill: a maximum divided by the largest number of a quantized type,
/// rounded to a power of two.
Rule derived_power(const WrongPart& wrong) {
  constexpr int64_t kFewestScales = 4;
  constexpr double kMostExpected = 0x1p96;
  for (const Derived& derived : kDerived) {
    if (!derived.is_scale) continue;
    const double fill = std::abs(decode(kF32, filled_code(kF32, kGccByte)) * derived.factor);
    int exponent = 0;
    (void)std::frexp(fill, &exponent);  // fill < 2^exponent
    for (const bool up : {true, false}) {
      const double held = std::ldexp(1.0, up ? exponent : exponent - 1);
      const int64_t explained = wrong.count([&](int64_t i) {
        const std::optional<double> due = wrong.middle(i);
        return due && *due < kMostExpected && wrong.value(i) == held;
      });
      if (explained < kFewestScales || explained < int64_t(wrong.failing().size())) continue;
      return {
          {fmt::format("{} in each wrong element{}: a maximum, or an element of an array that it is taken of, is used before it "
                       "is set (compilers can fill such variables with bytes 0xfe, -1.69e+38 in fp32, and this is {}, rounded {} "
                       "to a power of two)",
                       value_text(wrong.format(), wrong.codes()[size_t(wrong.failing().front())]), places_of(wrong),
                       derived.words, up ? "up" : "down"),
           explained}};
    }
  }
  return std::nullopt;
}

/// Wrong elements that hold a number computed from the fill. At least an eighth of the wrong elements must hold the same one.
Rule derived_fill(const WrongPart& wrong) {
  constexpr int64_t kFewestOf16Bits = 8, kLeastShare = 8;
  const Format& format = wrong.format();
  if (!(format == kF32 || format == kBf16)) return std::nullopt;
  for (const Derived& derived : kDerived) {
    if (format == kF32 ? derived.factor == 1 : derived.is_scale) continue;  // 0xfefefefe itself: see stored_fill()
    std::vector<int64_t> filled, others;
    for (const int64_t i : wrong.failing())
      if (holds_derived(wrong, i, derived)) filled.push_back(i);
    const auto explained = int64_t(filled.size()), failing = int64_t(wrong.failing().size());
    if (explained < (format == kF32 ? 1 : kFewestOf16Bits) || kLeastShare * explained < failing) continue;
    for (int64_t i = 0; i < wrong.part().elements(); ++i)
      if (!std::binary_search(filled.begin(), filled.end(), i)) others.push_back(i);
    const std::string places = others.empty() ? "" : places_apart(filled, others, wrong.part().columns());
    const char* const what =
        derived.is_scale ? "a maximum, or an element of an array that it is taken of," : "an element of an array, or a variable,";
    return {
        {fmt::format("{} in {}wrong element{}{}: {} is used before it is set (compilers can fill such variables with bytes 0xfe, "
                     "-1.69e+38 in fp32, and this is {})",
                     value_text(format, wrong.codes()[size_t(filled.front())]), explained == failing ? "each " : "",
                     explained == failing ? "" : "s", places, what, derived.words),
         explained}};
  }
  return std::nullopt;
}

}  // namespace

Rule stored_fill(const WrongPart& wrong) {
  constexpr int64_t kFewestOf16Bits = 8, kLeastShare = 8;
  const Format& format = wrong.format();
  if (format == kE8M0 && !wrong.failing().empty()) return derived_power(wrong);
  if (format.bits < 16 || format.bits > 32 || format.specials == Specials::kScale || wrong.failing().empty()) return std::nullopt;
  for (const uint32_t byte : {kGccByte, kClangByte}) {
    const uint32_t code = filled_code(format, byte);
    std::vector<int64_t> filled, others;
    for (const int64_t i : wrong.failing())
      if (wrong.codes()[size_t(i)] == code) filled.push_back(i);
    const auto explained = int64_t(filled.size());
    if (explained < (format.bits < 32 ? kFewestOf16Bits : kFewest) || kLeastShare * explained < int64_t(wrong.failing().size()))
      continue;
    for (int64_t i = 0; i < wrong.part().elements(); ++i)
      if (wrong.codes()[size_t(i)] != code) others.push_back(i);
    const std::string places = others.empty() ? "" : places_apart(filled, others, wrong.part().columns());
    const bool all = explained == int64_t(wrong.failing().size());
    return {{fmt::format("{} in {}wrong element{}{}: an array or variable is stored before it is set (compilers can fill such "
                         "variables with bytes 0x{:02x})",
                         value_text(format, code), all ? "each " : "", all ? "" : "s",
                         places.empty() && all ? places_of(wrong) : places, byte),
             explained}};
  }
  return derived_fill(wrong);
}

Rule computed_from_fill(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (format.bits <= 8) return is_number(format) && format.has_sign() ? smallest_from_fill(wrong) : std::nullopt;
  return format == kF16 ? infinite_from_fill(wrong) : huge_from_fill(wrong);
}

std::vector<InputEdit> unset_edits(const Problem& problem) {
  std::vector<InputEdit> all;
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    const Format& format = *spec.format;
    if (access_of(problem.tensors[i]) == Access::kOut || format.is_integer() || format.specials == Specials::kBits ||
        spec.packed || format.bits < 8 || format.bits > 32 || !has_rows(spec) || spec.elements() == 0)
      continue;
    // Of the inputs of all ranks, the first stands for all: every rank runs the same code.
    std::vector<size_t> others;
    bool is_first = true;
    for (size_t k = 0; k < problem.tensors.size(); ++k) {
      if (k == i || problem.tensors[k].spec.name != spec.name || problem.tensors[k].spec.shape != spec.shape) continue;
      is_first = is_first && k > i;
      others.push_back(k);
    }
    if (!is_first) continue;
    std::vector<uint32_t> codes = {filled_code(format, kGccByte)};
    if (format == kBf16)  // an fp32 variable that is rounded to bf16
      codes.push_back(code_of(
          format, round_to(format, decode(kF32, filled_code(kF32, kGccByte)), Rounding::kNearestEven, Overflow::kSpecial)));
    for (const uint32_t code : codes)
      for (const Columns& columns : columns_of(spec.shape.back())) {
        const std::string place =
            columns.words.empty() ? "" : (spec.shape.size() == 1 ? "[j]" : "[i, j]") + columns.words + " is ";
        InputEdit edit;
        edit.tensor = i, edit.also = others, edit.fill = code;
        edit.name = fmt::format(
            "{}: {}read from a variable before the variable is set (all its bytes are 0xfe, the pattern of "
            "GCC's -ftrivial-auto-var-init: {})",
            spec.name, place, value_text(format, code));
        edit.source = [](int64_t r, int64_t c) { return std::pair(r, c); };
        edit.filled = [contain = columns.contain](int64_t, int64_t c) { return contain(c); };
        all.push_back(std::move(edit));
      }
    if (const int64_t last = spec.shape.back() - 1; last > 0) {  // loads give 0 beyond a bound that is too small
      InputEdit edit;
      edit.tensor = i, edit.also = others;
      edit.name = spec.name + ": the last column is read as 0: a bound on columns is too small where it is loaded";
      edit.source = [last](int64_t r, int64_t c) { return c == last ? kZero : std::pair(r, c); };
      all.push_back(std::move(edit));
    }
  }
  return all;
}

std::string impossible_hang(const std::string& message, int ranks) {
  constexpr std::string_view kWaited = " waited in vain for rank ";
  const size_t at = message.find(kWaited);
  if (at == std::string::npos) return "";
  int64_t rank = 0;
  const char* const digits = message.data() + at + kWaited.size();
  const auto [end, error] = std::from_chars(digits, message.data() + message.size(), rank);
  if (end == digits || (error == std::errc() && 0 <= rank && rank < ranks)) return "";
  return fmt::format(
      "unset: the library's message names rank {}, but the call has {} rank{}: the library takes the message from a variable "
      "before the variable is set, so the call need not have hung",
      std::string(digits, end), ranks, ranks == 1 ? "" : "s");
}

}  // namespace assay
