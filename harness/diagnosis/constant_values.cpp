// Rules for wrong elements whose values do not come from the data at their positions: the limit of a clamp, the codes of the
// previous vector, the numbers of an input that has one row.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"

namespace assay {
namespace {

/// A rule about a limit needs at least this number of different expected values.
constexpr size_t kFewestClamped = 3;

/// A rule if all wrong elements hold one number, and all numbers expected there are greater, or all are smaller. `sign_of`: -1
/// negates an element.
template <class SignOf>
Rule clamped_to_one(const WrongPart& wrong, SignOf sign_of) {
  const Format& format = wrong.format();
  const auto held = [&](int64_t i) { return wrong.value(i) * sign_of(i); };
  const double limit = held(wrong.failing().front());
  if (!std::isfinite(limit)) return std::nullopt;
  bool above = true, below = true, by_largest = true;
  const double largest = max_finite(format);
  std::set<double> replaced;
  for (const int64_t i : wrong.failing()) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || !std::isfinite(*due) || held(i) != limit) return std::nullopt;
    const double expected = *due * sign_of(i);
    above = above && expected > limit, below = below && expected < limit, by_largest = by_largest && expected == largest;
    if (replaced.size() < kFewestClamped) replaced.insert(expected);
  }
  if (above == below) return std::nullopt;
  std::set<double> kept;  // right elements whose numbers do not exceed the limit
  for (int64_t i = 0; i < wrong.part().elements(); ++i) {
    const std::optional<double> due = wrong.middle(i);
    if (!due || !std::isfinite(*due) || !wrong.accepts(i, wrong.codes()[size_t(i)])) continue;
    const double right = held(i);
    if (above ? right > limit : right < limit) return std::nullopt;
    if (right != limit && kept.size() < kFewestClamped) kept.insert(right);
  }
  const auto failing = int64_t(wrong.failing().size());
  if (above && by_largest && kept.size() == kFewestClamped)
    return {{fmt::format("{:.6g} where the largest number, {:.6g}, is expected: results are clamped to a limit that is too low",
                         limit, largest),
             failing}};
  if (replaced.size() < kFewestClamped) return std::nullopt;
  if (below && limit == largest)
    return {{fmt::format("the largest number, {:.6g}, where smaller numbers are expected: results saturate, because the clamp "
                         "is applied too early or its inputs are too large",
                         limit),
             failing}};
  if (kept.size() < kFewestClamped) return std::nullopt;
  return {{fmt::format("{:.6g} wherever {} numbers are expected: results are clamped to a limit that is too {}", limit,
                       above ? "larger" : "smaller", above ? "low" : "high"),
           failing}};
}

/// ", and in every element of columns 0..3 of each 8": columns in which all elements hold the code, the right ones too. Empty if
/// there are none.
std::string columns_of_code(const WrongPart& wrong, uint32_t code) {
  constexpr int64_t kFewestVectors = 2;
  const int64_t columns = wrong.part().columns();
  for (int64_t period = 4; period <= 64 && kFewestVectors * period <= columns; period *= 2) {
    std::set<int64_t> rests;
    for (const int64_t i : wrong.failing()) rests.insert(i % columns % period);
    if (2 * int64_t(rests.size()) > period) continue;
    bool all = true;
    for (int64_t i = 0; i < wrong.part().elements() && all; ++i)
      all = !rests.contains(i % columns % period) || wrong.codes()[size_t(i)] == code;
    if (all) return fmt::format(", and in every element of columns {} of each {}", numbers_text(rests, period), period);
  }
  return "";
}

}  // namespace

Rule held_on(const WrongPart& wrong) {
  const Format& format = wrong.format();
  const int64_t columns = wrong.part().columns();
  if (format.bits < 16 || format.is_integer() || columns < 2) return std::nullopt;  // bytes of scales agree by chance
  std::map<int64_t, int64_t> first_wrong;                                           // row -> column
  for (const int64_t i : wrong.failing()) first_wrong.emplace(i / columns, i % columns);
  /// Whether each wrong element holds the code of column source(first wrong column) of its row, and that code is right. Some such
  /// codes must have low mantissa bits or differ by row, because a few powers of two agree by chance.
  const auto holds = [&](const std::function<int64_t(int64_t)>& source) {
    constexpr size_t kEnough = 8;
    bool tells = false;
    std::set<uint32_t> held;
    for (const int64_t i : wrong.failing()) {
      const int64_t row = i / columns, from = source(first_wrong.at(row));
      if (from < 0) return false;
      const int64_t at = row * columns + from;
      const uint32_t code = wrong.codes()[size_t(at)];
      if (!wrong.accepts(at, code) || wrong.codes()[size_t(i)] != code) return false;
      held.insert(code);
      tells = tells || (std::isfinite(wrong.value(at)) && (code & ((1u << (format.mantissa_bits / 2)) - 1)) != 0);
    }
    return tells || (held.size() > 1 && wrong.failing().size() >= kEnough);
  };
  const auto failing = int64_t(wrong.failing().size());
  if (holds([](int64_t) { return 0; }))
    return {{"in each wrong element the value of the row's first column: one value is stored for the whole row", failing}};
  if (!holds([](int64_t first) { return first - 1; })) return std::nullopt;
  std::set<int64_t> begins;
  for (const auto& [row, column] : first_wrong) begins.insert(column);
  if (begins.size() > 1)
    return {{"in each wrong element the last right value before it in the row: no new value is computed for these elements", failing}};
  return {{fmt::format("from column {} on, the value of column {}: no new value is computed for these columns", *begins.begin(),
                       *begins.begin() - 1),
           failing}};
}

Rule one_code(const WrongPart& wrong) {
  const Format& format = wrong.format();
  const auto failing = int64_t(wrong.failing().size());
  if (!format.is_integer() && format.specials != Specials::kBits && format.specials != Specials::kScale) {
    const double least_normal = power_of_two(format.min_exponent());
    const int64_t flushed = wrong.count([&](int64_t i) {
      const std::optional<double> due = wrong.middle(i);
      return due && *due != 0 && std::abs(*due) < least_normal && wrong.value(i) == 0;
    });
    if (4 * flushed >= 3 * failing)
      return {{"0 where a subnormal number is expected (subnormal results are flushed)", flushed}};
  }
  if (format.specials == Specials::kFnuz) {
    const int64_t minus_zero = wrong.count(
        [&](int64_t i) { return wrong.due(i) == 0u && wrong.codes()[size_t(i)] == uint32_t(1) << (format.bits - 1); });
    if (4 * minus_zero >= 3 * failing)
      return {{hex(format, uint32_t(1) << (format.bits - 1)) +
                   " where 0 is expected: a zero kept its minus sign, which is NaN in " + std::string(format.name),
               minus_zero}};
  }
  if (failing < kFewest || wrong.distinct(2) != 1) return std::nullopt;
  const uint32_t code = wrong.codes()[size_t(wrong.failing().front())];
  if (decode(format, code) == 0 && wrong.middle(wrong.failing().front()) == 0.0) return std::nullopt;  // see wrong_zeros()
  const bool for_nan = !format.is_integer() && std::all_of(wrong.failing().begin(), wrong.failing().end(),
                                                           [&](int64_t i) { return is_nan_ordinal(wrong.accepted(i).low); });
  return {{"one code in every wrong element, " + value_text(format, code) +
               (for_nan ? ", where NaN is expected: NaN is not passed on" : columns_of_code(wrong, code)),
           failing, 0, false, true}};
}

Rule clamped(const WrongPart& wrong) {
  if (wrong.format().specials == Specials::kBits || int64_t(wrong.failing().size()) < kFewest) return std::nullopt;
  if (Rule one = clamped_to_one(wrong, [](int64_t) { return 1.0; })) return one;
  if (wrong.format().is_integer() || wrong.format().specials == Specials::kScale) return std::nullopt;
  return clamped_to_one(wrong, [&](int64_t i) { return std::signbit(wrong.value(i)) ? -1.0 : 1.0; });
}

Rule same_codes_again(const WrongPart& wrong) {
  constexpr int64_t kFewestRuns = 8;
  const int64_t columns = wrong.part().columns(), elements = wrong.part().elements();
  const auto failing = int64_t(wrong.failing().size());
  if (10 * failing < 9 * elements || wrong.distinct(2) < 2) return std::nullopt;
  for (const int64_t width : std::set<int64_t>{4, 8, 16, 32, columns}) {
    const int64_t runs = elements / width;
    if (width < kFewest || (width == columns ? runs < 2 : runs < kFewestRuns)) continue;
    int64_t held_again = 0, unlike = 0;  // unlike: runs that should differ from the previous one; held_again: those that equal it
    for (int64_t run = 1; run < runs; ++run) {
      bool held = true, due = true;
      for (int64_t i = run * width; i < (run + 1) * width; ++i) {
        held = held && wrong.codes()[size_t(i)] == wrong.codes()[size_t(i - width)];
        due = due && wrong.accepted(i).meets(wrong.accepted(i - width));
      }
      unlike += !due, held_again += held && !due;
    }
    if (unlike < (width == columns ? 1 : kFewestRuns) || 10 * held_again < 9 * unlike) continue;
    if (width == columns)
      return {{"the same codes in every row, where rows should differ: the kernel does not compute them from the row's data",
               failing, 0, false, true}};
    return {{fmt::format(
                 "the codes of the previous {0} elements again, in {1} of {2} runs of {0} elements that should differ: the kernel does "
                 "not compute them from the input, and may store an array that is never filled",
                 width, held_again, unlike),
             failing, 0, false, true}};
  }
  return std::nullopt;
}

Rule integers_of_input(const WrongPart& wrong, const Problem& problem) {
  constexpr size_t kFewestCodes = 3;
  constexpr int64_t kFewestWrong = 16;
  constexpr uint32_t kAll = 0x7fffffffu, kMantissa = 0x7fffffu;
  const Part& part = wrong.part();
  if (!(wrong.format() == kE8M0) || int64_t(wrong.failing().size()) < kFewestWrong) return std::nullopt;
  struct Place {
    uint32_t bits, code;
  };
  struct Way {
    const char* words;
    uint32_t offset;
  };
  constexpr Way kOffsets[] = {{"", 0},
                              {" + 0x7fffff", kMantissa},
                              {" - 0x7fffff", 0u - kMantissa},
                              {" + 0x7ffffe", kMantissa - 1},
                              {" + 0x800000", kMantissa + 1},
                              {" - 0x800000", 0u - kMantissa - 1},
                              {" + 0x400000", 0x400000u},
                              {" + 0x3fffff", 0x3fffffu}};
  struct Limits {
    const char* words;
    uint32_t low, high;
  };
  constexpr Limits kLimits[] = {
      {"clamped to 1..254", 1, 254}, {"clamped to 0..254", 0, 254}, {"clamped to 0..255", 0, 255}, {"the low byte", 0, ~0u}};
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != part.rank || spec.format->is_integer() || spec.packed || spec.shape.empty() ||
        spec.elements() != part.elements() || spec.format->specials == Specials::kBits)
      continue;
    std::vector<Place> places;
    std::set<uint32_t> codes;
    for (const int64_t i : wrong.failing())
      if (codes.size() < kFewestCodes) codes.insert(wrong.codes()[size_t(i)]);
    for (int64_t i = 0; i < part.elements(); ++i) {
      const auto value = float(decode(*spec.format, input.code(spec.place(i))));
      if (std::isfinite(value)) places.push_back({std::bit_cast<uint32_t>(value), wrong.codes()[size_t(i)]});
    }
    if (codes.size() < kFewestCodes) return std::nullopt;
    for (const bool with_sign : {false, true})
      for (const Way& way : kOffsets)
        for (uint32_t shift = 16; shift < 32; ++shift)
          for (const Limits& limits : kLimits)
            if (std::all_of(places.begin(), places.end(), [&](const Place& one) {
                  const uint32_t field = ((one.bits & (with_sign ? ~0u : kAll)) + way.offset) >> shift;
                  return (std::clamp(field, limits.low, limits.high) & 0xff) == one.code;
                }))
              return {
                  {fmt::format("({} of {} as f32{}) >> {}, {}: the kernel uses the wrong bits, offset, shift or limit",
                               with_sign ? "the bits" : "the bits without the sign", spec.name, way.words, shift, limits.words),
                   int64_t(wrong.failing().size())}};
  }
  return std::nullopt;
}

Rule of_a_vector(const WrongPart& wrong, const Problem& problem) {
  const Part& part = wrong.part();
  if (part.rows() < 2 || wrong.distinct(kManyCodes) < kManyCodes) return std::nullopt;
  const Format& format = wrong.format();
  if (format.is_integer() || format.specials == Specials::kBits || format.specials == Specials::kScale) return std::nullopt;
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != part.rank || spec.shape.size() != 1 || spec.elements() != part.columns() ||
        spec.format->is_integer() || spec.packed)
      continue;
    const int64_t explained = wrong.count([&](int64_t i) {
      const double value = decode(*spec.format, input.code(spec.offset + i % part.columns() * spec.strides.back()));
      return wrong.value(i) == round_to(format, value, Rounding::kNearestEven, Overflow::kSpecial);
    });
    if (explained >= kFewest)
      return {{fmt::format(
                   "the values of {} in every row: no other term is added to them, or only zeros, for example because the row's "
                   "factor is 0 (its sum of squares or variance is huge)",
                   spec.name),
               explained}};
  }
  return std::nullopt;
}

// Results that differ from the expected ones by a product of the call's scales, or by a bias: a sum that starts from 1, or a bias
// that is added twice or never.

namespace {

constexpr size_t kMostBroadcasts = 4;

/// An input with one number for the whole output, or for each row or column of it.
struct Broadcast {
  const HostTensor* input;
  enum class Of { kAll, kRows, kColumns } of;

  double at(int64_t row, int64_t column) const {
    const int64_t i = of == Of::kAll ? 0 : of == Of::kRows ? row : column;
    return decode(*input->spec.format, input->code(input->spec.place(i)));
  }
};

std::vector<Broadcast> broadcasts(const WrongPart& wrong, const Problem& problem) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  std::vector<Broadcast> all;
  for (const HostTensor& input : problem.tensors) {
    const TensorSpec& spec = input.spec;
    if (spec.role != Role::kInput || spec.rank != wrong.part().rank || spec.packed || spec.format->bits > 32 ||
        spec.shape.empty() || spec.elements() == 0 || !is_number(*spec.format) || !has_rows(spec))
      continue;
    const int64_t elements = spec.elements();
    if (spec.shape.size() > 1 && elements == rows * columns) continue;  // the data of an output with one column are no scales
    const bool is_row = spec.shape.back() == elements, is_column = spec.shape.back() == 1;
    if (elements == 1)
      all.push_back({&input, Broadcast::Of::kAll});
    else if (elements == rows && (is_column || (is_row && rows != columns)))
      all.push_back({&input, Broadcast::Of::kRows});
    else if (elements == columns && is_row)
      all.push_back({&input, Broadcast::Of::kColumns});
  }
  return all;
}

}  // namespace

Rule plus_scales(const WrongPart& wrong, const Problem& problem) {
  constexpr double kSlack = 0.02, kPrecise = 0.1;  // as shares of the difference
  constexpr int64_t kFewestPrecise = 8;
  if (!is_number(wrong.format()) || wrong.format().mantissa_bits < 2) return std::nullopt;
  const std::vector<Broadcast> inputs = broadcasts(wrong, problem);
  if (inputs.empty() || inputs.size() > kMostBroadcasts) return std::nullopt;
  const int64_t columns = wrong.part().columns();
  for (size_t set = 1; set < size_t{1} << inputs.size(); ++set)
    for (const double sign : {1.0, -1.0}) {
      int64_t precise = 0, explained = 0;
      for (const int64_t i : wrong.failing()) {
        double product = sign;
        for (size_t k = 0; k < inputs.size(); ++k)
          if (set >> k & 1) product *= inputs[k].at(i / columns, i % columns);
        const std::optional<double> due = wrong.middle(i);
        const double held = wrong.value(i);
        if (!due || !std::isfinite(*due) || !std::isfinite(held) || !std::isfinite(product) || product == 0) break;
        const double rounding = std::ldexp(std::abs(held) + std::abs(*due), -wrong.format().mantissa_bits - 1);
        if (std::abs(held - *due - product) > kSlack * std::abs(product) + rounding) break;
        ++explained, precise += rounding < kPrecise * std::abs(product);
      }
      if (explained < int64_t(wrong.failing().size()) || precise < kFewestPrecise) continue;
      std::string names;
      size_t count = 0;
      for (size_t k = 0; k < inputs.size(); ++k)
        if (set >> k & 1) names += (count++ == 0 ? "" : " * ") + inputs[k].input->spec.name;
      const bool plus = sign > 0;
      return {{fmt::format(
                   "the expected values {} {}: {}", plus ? "plus" : "minus", names,
                   count > 1 ? fmt::format("the sum that is multiplied by them starts from {} instead of 0", plus ? "1" : "-1")
                   : plus    ? fmt::format("{0} is added once too often, or a sum that is multiplied by {0} starts from 1", names)
                             : fmt::format("{0} is not added, or a sum that is multiplied by {0} starts from -1", names)),
               explained}};
    }
  return std::nullopt;
}

}  // namespace assay
