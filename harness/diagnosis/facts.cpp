// Facts about wrong elements whose values no rule gives: NaN, rows of other data, and what the inputs have in common.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/scales.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// A fact: what wrong elements have in common, without a reason.
Regularity fact(const WrongPart& wrong, std::string words, std::string note, int64_t explained) {
  return {wrong.label(), std::move(words), int64_t(wrong.failing().size()), explained, 0, false, true, std::move(note)};
}

/// A pattern that explains all wrong elements.
Regularity pattern(const WrongPart& wrong, std::string words, std::string note) {
  const auto failing = int64_t(wrong.failing().size());
  return {wrong.label(), std::move(words), failing, failing, 0, false, false, std::move(note)};
}

}  // namespace

std::optional<Regularity> nan_or_number(const WrongPart& wrong) {
  if (wrong.format().is_integer()) return std::nullopt;
  std::set<uint32_t> nans;
  bool held = true, expected = true;
  for (const int64_t i : wrong.failing()) {
    const uint32_t code = wrong.codes()[size_t(i)];
    const bool is_nan = std::isnan(wrong.value(i)), nan_expected = is_nan_ordinal(wrong.accepted(i).low);
    held = held && is_nan && !nan_expected;
    expected = expected && !is_nan && nan_expected;
    if (is_nan) nans.insert(code);
  }
  if (!held && !expected) return std::nullopt;
  const std::string code = nans.size() == 1 ? " (" + hex(wrong.format(), *nans.begin()) + ")" : "";
  const auto failing = int64_t(wrong.failing().size()), right = wrong.part().elements() - failing;
  // All groups have the same formula. If it fails in a few of many groups, these groups have rare inputs.
  constexpr int64_t kFew = 4, kMany = 64;
  const std::string words = held ? "NaN" + code + " where a number is expected" : "numbers where NaN is expected";
  if (!held || failing > kFew || right < kMany) return fact(wrong, words, "", failing);
  return pattern(
      wrong, words,
      fmt::format("; the other {} elements are right: inputs are rare, or memory was not written or was overwritten", right));
}

std::pair<std::set<int64_t>, std::set<int64_t>> failing_rows_and_columns(const WrongPart& wrong) {
  std::set<int64_t> rows, columns;
  for (const int64_t i : wrong.failing()) rows.insert(i / wrong.part().columns()), columns.insert(i % wrong.part().columns());
  return {rows, columns};
}

namespace {

/// The likely reason why exactly these rows and columns are wrong: a loop over a vector that begins or ends one element away, or
/// a row's number that enters a position wrongly. Empty if there is none.
std::string why_these(const std::set<int64_t>& rows, int64_t of_rows, const std::set<int64_t>& columns, int64_t of_columns) {
  constexpr int64_t kFewestRows = 3, kFewestVectors = 2;
  if (int64_t(columns.size()) == of_columns && of_rows >= kFewestRows && int64_t(rows.size()) == of_rows - 1 && !rows.contains(0))
    return "; only row 0 is right: addresses use the row index wrongly, or a row starts from the state that the previous row left";
  constexpr int64_t kMostOfEnd = 16;
  if (!columns.empty() && *columns.begin() > 0 && *columns.rbegin() == of_columns - 1 && int64_t(columns.size()) <= kMostOfEnd &&
      of_columns - *columns.begin() == int64_t(columns.size()) && 2 * int64_t(columns.size()) < of_columns)
    return "; only the end of rows is wrong: a load has too small a bound on columns, or the tail after the last whole vector is "
           "computed wrongly";
  if (int64_t(rows.size()) < of_rows) return "";
  for (int64_t period = 4; period <= 64 && kFewestVectors * period <= of_columns; period *= 2) {
    std::set<int64_t> rests;
    for (const int64_t column : columns) rests.insert(column % period);
    if (rests.size() != 1) continue;
    const int64_t rest = *rests.begin();
    if (int64_t(columns.size()) != (of_columns - rest + period - 1) / period) continue;
    if (rest == 0)
      return fmt::format("; a loop over vectors of {} begins one element too late, or the first element of each vector is set wrongly", period);
    if (rest == period - 1)
      return fmt::format("; a loop over vectors of {} ends one element too early, or the last element of each vector is set wrongly", period);
  }
  return "";
}

}  // namespace

namespace {

/// Wrong elements at every address with one rest, in vectors that do not end with the rows: "elements 0 of each 64".
std::optional<Regularity> one_of_each_vector(const WrongPart& wrong) {
  const Part& part = wrong.part();
  const int64_t columns = part.columns(), elements = part.elements();
  const auto failing = int64_t(wrong.failing().size());
  if (part.rows() < 2 || columns < 2 || failing < kFewest || part.offset(0, 1) != part.offset(0, 0) + 1 ||
      part.offset(1, 0) != part.offset(0, 0) + columns)
    return std::nullopt;
  for (int64_t vector = 4; vector <= 64 && kFewest * vector <= elements + vector - 1; vector *= 2) {
    const int64_t rest = wrong.failing().front();
    const int64_t whole = elements / vector, all = (elements - rest + vector - 1) / vector;  // the tail may have other code
    if (rest >= vector || columns % vector == 0 || (failing != whole && failing != all)) continue;
    if (failing == whole && failing != all && wrong.failing().back() >= whole * vector) continue;
    if (wrong.count([&](int64_t i) { return i % vector == rest; }) != failing) continue;
    Regularity found{wrong.label(),
                     fmt::format("{}positions {} of each {}, counted over all rows, and in no other", kEveryElement, rest, vector),
                     failing,
                     failing,
                     0,
                     false,
                     true};
    if (rest == 0)
      found.note = fmt::format(
          "; a loop over vectors of {} begins one element too late, or the first element of each vector is set wrongly", vector);
    else if (rest == vector - 1)
      found.note = fmt::format(
          "; a loop over vectors of {} ends one element too early, or the last element of each vector is set wrongly", vector);
    return found;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Regularity> whole_rows_or_columns(const WrongPart& wrong) {
  const auto [rows, columns] = failing_rows_and_columns(wrong);
  const auto failing = int64_t(wrong.failing().size()), of_rows = int64_t(rows.size()), of_columns = int64_t(columns.size());
  const bool is_end = failing == wrong.part().elements() - wrong.failing().front() && of_rows == 1;  // the tensor's end
  if (failing == wrong.part().elements()) return std::nullopt;
  if (of_rows * of_columns != failing) return one_of_each_vector(wrong);
  if (failing < kFewest && !is_end) return std::nullopt;
  const std::string places = places_text(rows, wrong.part().rows(), columns, wrong.part().columns());
  if (wrong.part().rows() == 1 && places.find(" in all)") != std::string::npos)
    return std::nullopt;  // in one row, any set of elements is a set of whole columns
  Regularity found{wrong.label(), kEveryElement + places + ", and in no other", failing, failing, 0, false, true};
  found.note = why_these(rows, wrong.part().rows(), columns, wrong.part().columns());
  return found;
}

std::optional<Regularity> flat_places(const WrongPart& wrong) {
  constexpr int64_t kMostPeriod = 1024;
  const auto failing = int64_t(wrong.failing().size()), columns = wrong.part().columns(), elements = wrong.part().elements();
  if (failing < kFewest) return std::nullopt;
  const auto offset = [&](int64_t i) { return wrong.part().offset(i / columns, i % columns); };
  for (int64_t period = 4; period <= kMostPeriod && 2 * period <= elements; period *= 2) {
    if (columns % period == 0) continue;  // then whole columns are wrong
    std::set<int64_t> rests;
    for (const int64_t i : wrong.failing()) rests.insert(offset(i) % period);
    if (2 * int64_t(rests.size()) > period || *rests.rbegin() - *rests.begin() + 1 != int64_t(rests.size())) continue;
    int64_t there = 0, end = 0;
    for (int64_t i = 0; i < elements; ++i) end = std::max(end, offset(i) + 1);
    // The last vector may be a partial one, which other code computes.
    for (int64_t i = 0; i < elements; ++i)
      there += rests.contains(offset(i) % period) &&
               (offset(i) < end - end % period || !wrong.accepts(i, wrong.codes()[size_t(i)]));
    if (there != failing) continue;
    const int64_t first = *rests.begin(), last = *rests.rbegin();
    Regularity found = fact(wrong, fmt::format("{}those whose storage offset is {} mod {}, and in no other", kEveryElement,
                                               numbers_text(rests, period), period),
                            "", failing);
    if (first == 0 && last == 0)
      found.note = fmt::format("; a loop over vectors of {0} begins one element too late, or the first element of each vector of {0} "
                               "is set wrongly",
                               period);
    else if (last == period - 1)
      found.note = fmt::format("; a loop over vectors of {0} ends too early, or the end of each vector of {0} is set wrongly", period);
    return found;
  }
  return std::nullopt;
}

std::optional<Regularity> where_an_output_is_zero(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  const auto failing = int64_t(wrong.failing().size());
  constexpr int64_t kFewestZeros = 2, kFewestRight = 64;  // by chance, the same few of many elements are seldom wrong
  if (failing < kFewestZeros || wrong.part().elements() - failing < kFewestRight) return std::nullopt;
  for (const WrongPart& other : all) {
    if (!other.complete() || !other.failing().empty() || other.part().shape != wrong.part().shape ||
        other.part().rank != wrong.part().rank || !is_number(other.format()))
      continue;
    int64_t zeros = 0;
    for (int64_t i = 0; i < other.part().elements(); ++i) zeros += other.value(i) == 0;
    if (zeros != failing ||
        !std::all_of(wrong.failing().begin(), wrong.failing().end(), [&](int64_t i) { return other.value(i) == 0; }))
      continue;
    return pattern(wrong, fmt::format("errors exactly where {} is 0: a value of 0 is rounded or encoded wrongly",
                                      other.part().name.starts_with("rank ") ? other.part().tensor : other.part().label()),
                   "");
  }
  return std::nullopt;
}

std::string rows_of_index(const std::set<int64_t>& rows, const std::set<int64_t>& others, const Problem& problem) {
  constexpr size_t kFewestRows = 8;
  if (rows.empty() || others.empty() || rows.size() + others.size() < kFewestRows) return "";
  struct Condition {
    const char *of_one, *of_several;  // text for an index with one number for each row, or several; nullptr: does not apply
    bool (*holds)(int64_t low, int64_t high);
  };
  constexpr Condition kConditions[] = {
      {"rows whose {} is 0 (a comparison with 0 may be off by one)", nullptr,
       [](int64_t low, int64_t) { return low == 0; }},
      {"rows whose {} is 0 or less (a comparison with 0 may be off by one)",
       "rows whose {} are all 0 or less (a comparison with 0 may be off by one)",
       [](int64_t, int64_t high) { return high <= 0; }},
      {"rows whose {} is below 0", "rows with a {} below 0", [](int64_t low, int64_t) { return low < 0; }},
      {"rows whose {} is above 0", nullptr, [](int64_t low, int64_t) { return low > 0; }},
  };
  const int64_t last = std::max(*rows.rbegin(), *others.rbegin());
  for (const HostTensor& index : problem.tensors) {
    const TensorSpec& spec = index.spec;
    if (spec.role != Role::kInput || !spec.format->is_integer() || spec.format->bits < 32 || spec.packed || spec.shape.empty())
      continue;
    const int64_t each = spec.shape.size() == 1 ? 1 : spec.shape.back(), count = each == 0 ? 0 : spec.elements() / each;
    if (last >= count) continue;
    const auto holds = [&](const Condition& condition, int64_t row) {
      int64_t low = 0, high = 0;
      for (int64_t i = 0; i < each; ++i) {
        const int64_t at =
            spec.shape.size() == 1 ? spec.offset + row * spec.strides.back() : spec.row(row) + i * spec.strides.back();
        int64_t number = 0;
        if (spec.format->bits == 64) std::memcpy(&number, index.bytes.data() + spec.byte_of(at), sizeof number);
        else number = int64_t(decode(*spec.format, index.code(at)));
        low = i == 0 ? number : std::min(low, number), high = i == 0 ? number : std::max(high, number);
      }
      return condition.holds(low, high);
    };
    for (const Condition& condition : kConditions) {
      const char* const words = each == 1 ? condition.of_one : condition.of_several;
      const auto is = [&](int64_t row) { return holds(condition, row); };
      if (words && std::all_of(rows.begin(), rows.end(), is) && std::none_of(others.begin(), others.end(), is))
        return fmt::format(fmt::runtime(words), spec.name);
    }
  }
  return "";
}

std::optional<Regularity> rows_told_by_index(const WrongPart& wrong, const Problem& problem) {
  std::set<int64_t> failing, right;
  for (const int64_t i : wrong.failing()) failing.insert(wrong.part().number_of(i / wrong.part().columns()));
  for (int64_t row = 0; row < wrong.part().rows(); ++row)
    if (!failing.contains(wrong.part().number_of(row))) right.insert(wrong.part().number_of(row));
  const std::string rows = rows_of_index(failing, right, problem);
  if (rows.empty()) return std::nullopt;
  return fact(wrong, "errors in all " + rows + ", and in no other", "", int64_t(wrong.failing().size()));
}

namespace {

// Rows of other data.

/// The first and the last row that have wrong elements, if these rows lie closer together than by chance.
std::optional<std::array<int64_t, 2>> rows_close_together(const WrongPart& wrong) {
  constexpr int64_t kFewestElements = 16, kFewestColumns = 3;
  const int64_t columns = wrong.part().columns(), all = wrong.part().rows();
  std::set<int64_t> rows, of_columns;
  for (const int64_t i : wrong.failing()) rows.insert(i / columns), of_columns.insert(i % columns);
  if (rows.empty() || int64_t(wrong.failing().size()) < kFewest) return std::nullopt;
  const int64_t first = *rows.begin(), last = *rows.rbegin(), run = last - first + 1;
  if (run * columns < kFewestElements || int64_t(of_columns.size()) < std::min(columns, kFewestColumns)) return std::nullopt;
  // Probability that this number of rows, drawn at random, lies within some run of this length.
  const double chance = double(all) * std::pow(double(run) / double(all), double(rows.size()));
  if (chance > 1e-3) return std::nullopt;
  return std::array{first, last};
}

/// Numbers as they are compared: logarithms if all numbers of the tensor are positive, otherwise the numbers themselves.
class Measure {
 public:
  explicit Measure(const WrongPart& wrong) : wrong_(wrong) {
    for (int64_t i = 0; i < wrong.part().elements() && positive_; ++i) {
      const std::optional<double> due = wrong.middle(i);
      positive_ = wrong.value(i) > 0 && (!due || *due > 0);
    }
  }
  std::optional<double> held(int64_t i) const { return on_scale(wrong_.value(i)); }
  std::optional<double> due(int64_t i) const {
    const std::optional<double> due = wrong_.middle(i);
    return due ? on_scale(*due) : std::nullopt;
  }
  /// Whether element i holds a finite number; for a format of scales, one in their plausible range.
  bool plausible(int64_t i) const {
    const double value = wrong_.value(i);
    if (!std::isfinite(value)) return false;
    return wrong_.format().specials != Specials::kScale ||
           (value >= std::ldexp(1.0, int(kLeastExponent) - 127) && value <= std::ldexp(1.0, int(kMostExponent) - 127));
  }

 private:
  std::optional<double> on_scale(double value) const {
    if (!std::isfinite(value)) return std::nullopt;
    return positive_ ? std::log2(value) : value;
  }

  const WrongPart& wrong_;
  bool positive_ = true;
};

/// Spread of differences.
struct Spread {
  double sum = 0, squares = 0;
  int64_t count = 0;

  void add(double difference) { sum += difference, squares += difference * difference, ++count; }
  double deviation() const {
    if (count == 0) return 0;
    const double mean = sum / double(count);
    return std::sqrt(std::max(0.0, squares / double(count) - mean * mean));
  }
};

/// How the stored numbers of some rows differ from the numbers expected in their own rows, and in other rows.
struct Differences {
  /// own: stored - expected in its row. other: stored - expected in another row. between: expected - expected in another row.
  Spread own, other, between;
  /// wrong: the accepted interval excludes the stored number. above: those of them that exceed the expected number. unequal:
  /// pairs of different expected numbers, one in the row and one in another row.
  int64_t wrong = 0, above = 0, unequal = 0;
  bool plausible = true;                      ///< every number may occur in this tensor
  bool function_of_due = true;                ///< equal expected codes, if there are any, have equal stored codes
};

Differences differences_of(const WrongPart& wrong, int64_t first, int64_t last) {
  constexpr int64_t kOtherRows = 16;
  const Measure measure(wrong);
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns(), apart = std::max<int64_t>(1, rows / kOtherRows);
  Differences all;
  std::map<uint32_t, uint32_t> held_for;
  bool repeated = false;
  for (int64_t i = first * columns; i < (last + 1) * columns; ++i) {
    const std::optional<double> held = measure.held(i), due = measure.due(i);
    all.plausible = all.plausible && held && measure.plausible(i);
    if (!held || !due) continue;
    all.own.add(*held - *due);
    if (!wrong.accepts(i, wrong.codes()[size_t(i)])) ++all.wrong, all.above += *held > *due;
    if (const std::optional<uint32_t> code = wrong.due(i)) {
      const auto [at, is_new] = held_for.try_emplace(*code, wrong.codes()[size_t(i)]);
      repeated = repeated || !is_new;
      all.function_of_due = all.function_of_due && at->second == wrong.codes()[size_t(i)];
    }
    for (int64_t k = 1; k <= std::min(kOtherRows, rows - 1); ++k) {
      const int64_t j = (i + k * apart * columns) % (rows * columns);
      const std::optional<double> next = measure.due(j);
      if (!next || j == i) continue;
      all.other.add(*held - *next), all.between.add(*due - *next);
      all.unequal += *due != *next;
    }
  }
  all.function_of_due = all.function_of_due && repeated;
  return all;
}

/// Whether the stored numbers are no nearer to the numbers expected in their own rows than to those expected in other rows. An
/// offset or a factor common to all is ignored. A row computed wrongly from its own data is nearer to its own expected numbers.
/// `had_right_values`: another output is right in these rows. Then it suffices that some numbers are too large and some too
/// small, and that at least half as many are wrong as if another row were stored there.
bool of_other_data(const Differences& found, bool had_right_values) {
  constexpr double kAsFar = 0.85;
  const double far = found.other.deviation();
  if (!found.plausible || found.function_of_due || far == 0 || 2 * found.between.deviation() < far) return false;
  const double as_often = double(found.unequal) / double(found.between.count) * double(found.own.count);
  if (had_right_values && found.above > 0 && found.above < found.wrong && 2 * double(found.wrong) >= as_often) return true;
  return found.own.deviation() >= kAsFar * far;
}

bool right_in_rows(const WrongPart& part, int64_t first, int64_t last) {
  return part.complete() && std::none_of(part.failing().begin(), part.failing().end(), [&](int64_t i) {
    const int64_t row = i / part.part().columns();
    return first <= row && row <= last;
  });
}

}  // namespace

std::optional<Regularity> rows_of_other_data(const WrongPart& wrong, const std::vector<WrongPart>& all) {
  const auto run = rows_close_together(wrong);
  if (!run || wrong.distinct(2) < 2) return std::nullopt;
  const auto [first, last] = *run;
  std::string right;
  for (const WrongPart& other : all)
    if (&other != &wrong && other.part().rows() == wrong.part().rows() && right_in_rows(other, first, last))
      right += (right.empty() ? "" : ", ") + other.label();
  if (!of_other_data(differences_of(wrong, first, last), !right.empty())) return std::nullopt;
  const auto number = [&](int64_t row) { return std::to_string(wrong.part().number_of(row)); };
  const std::string unrelated = "they are no nearer to the values expected there than to those of other rows: ";
  const std::string why = right.empty()
                              ? unrelated + "the rows were not written by this call, or were computed from other input"
                              : right + " is right there: these values were not stored, were overwritten, or were "
                                        "computed from input at another address";
  return pattern(wrong, "values of other data in rows " + number(first) + ".." + number(last), "; " + why);
}

namespace {

// What the inputs of wrong elements have in common.

struct InputKind {
  const char* is;  ///< "x is ..."
  bool (*of)(const Format& format, double value);
};
constexpr InputKind kInputKinds[] = {
    {"Inf", [](const Format&, double v) { return std::isinf(v) && v > 0; }},
    {"-Inf", [](const Format&, double v) { return std::isinf(v) && v < 0; }},
    {"infinite", [](const Format&, double v) { return std::isinf(v); }},
    {"NaN", [](const Format&, double v) { return std::isnan(v); }},
    {"NaN or infinite", [](const Format&, double v) { return !std::isfinite(v); }},
    {"-0", [](const Format&, double v) { return v == 0 && std::signbit(v); }},
    {"0", [](const Format&, double v) { return v == 0; }},
    {"subnormal", [](const Format& f, double v) { return v != 0 && std::abs(v) < std::ldexp(1.0, f.min_exponent()); }},
    {"negative", [](const Format&, double v) { return v < 0; }},
};
/// A set of kinds as bits. The last bit, kOpposite: Inf on one rank and -Inf on another, whose sum is NaN.
using KindSet = uint16_t;
constexpr size_t kOpposite = std::size(kInputKinds), kKindBits = kOpposite + 1;

std::string kind_text(size_t kind, bool of_ranks) {
  if (kind == kOpposite) return "Inf on one rank and -Inf on another";
  return std::string(of_ranks ? "on some rank " : "") + kInputKinds[kind].is;
}

constexpr size_t kLastNotFinite = 4;  ///< index in kInputKinds of the last kind that is about Inf or NaN

/// Inputs with more elements are not examined.
constexpr int64_t kMostInputs = int64_t(1) << 22;

/// For each element, in row-major order: the kinds that it has on some rank.
std::vector<KindSet> kinds_of(const std::vector<const HostTensor*>& tensors) {
  const TensorSpec& spec = tensors.front()->spec;
  std::vector<KindSet> kinds(size_t(spec.elements()));
  for (const HostTensor* const tensor : tensors)
    for (int64_t i = 0; i < spec.elements(); ++i) {
      const double value = decode(*spec.format, tensor->code(tensor->spec.place(i)));
      for (size_t k = 0; k < std::size(kInputKinds); ++k)
        kinds[size_t(i)] |= KindSet(kInputKinds[k].of(*spec.format, value) << k);
    }
  for (KindSet& kind : kinds)
    if ((kind & 3) == 3) kind |= KindSet(1 << kOpposite);
  return kinds;
}

/// "x has NaN", and "; such values in x: 2, the first is x[3, 200]". Failures are grouped by the first text only.
std::pair<std::string, std::string> inputs_of_kind(const std::string& name, const std::vector<const HostTensor*>& tensors,
                                                   size_t kind) {
  int64_t count = 0, first = 0, rank = 0;
  for (const HostTensor* const tensor : tensors) {
    const TensorSpec& spec = tensor->spec;
    for (int64_t i = 0; i < spec.elements(); ++i) {
      const double value = decode(*spec.format, tensor->code(spec.place(i)));
      if (kInputKinds[kind].of(*spec.format, value) && count++ == 0) first = i, rank = spec.rank;
    }
  }
  const int64_t columns = tensors.front()->spec.shape.back();
  const std::string of_rank = tensors.size() > 1 ? fmt::format(" of rank {}", rank) : "";
  const std::string is = kInputKinds[kind].is, what = is == "infinite"          ? "Inf or -Inf"
                                                      : is == "NaN or infinite" ? "NaN or Inf"
                                                                                : is;
  return {fmt::format("{} has {}", name, what),
          fmt::format("; such values in {}: {}, the first is {}[{}, {}]{}", name, count, name, first / columns, first % columns, of_rank)};
}

/// A division of an input into units (columns of a row, or a whole column), such that an output element depends on one unit.
/// `of_output`: the unit on which an output element depends; `of_input`: the unit of an input element.
struct Units {
  std::string where;  ///< "where x is {}"
  int64_t count = 0;
  std::function<int64_t(int64_t row, int64_t column)> of_output, of_input;
  bool of_all = false;  ///< a unit has a property if all its input elements have it; otherwise if one has it
};

/// The possible Units of an input of `rows` x `columns`, for this output.
std::vector<Units> units_of(const std::string& name, int64_t rows, int64_t columns, const Part& output, bool elementwise) {
  std::vector<Units> all;
  const auto blocks = [&](const std::string& where, int64_t out_width, int64_t in_width) {
    const int64_t per_row = (columns + in_width - 1) / in_width;
    all.push_back({where, rows * per_row, [=](int64_t r, int64_t c) { return r * per_row + c / out_width; },
                   [=](int64_t r, int64_t c) { return r * per_row + c / in_width; }});
  };
  const auto column_of = [](int64_t, int64_t c) { return c; };
  if (rows == 1 && columns == output.columns() && output.rows() > 1)
    all.push_back({"in columns in which " + name + " is {}", columns, column_of, column_of});
  if (rows != output.rows()) return all;
  if (elementwise && columns % output.columns() == 0) {
    const int64_t width = columns / output.columns();
    const std::string of_a_group = fmt::format("where one of the {} values of {} in the group is {{}}", width, name);
    if (width > 1) {
      blocks(fmt::format("where all {} values of {} in the group are {{}}", width, name), 1, width);
      all.back().of_all = true;
    }
    blocks(width == 1 ? "where " + name + " is {}" : of_a_group, 1, width);
    for (const int64_t block : {16, 32, 64, 128})
      if (width == 1 && block < columns)
        blocks(fmt::format("in blocks of {} columns in which one value of {} is {{}}", block, name), block, block);
  }
  blocks("in rows in which one value of " + name + " is {}", output.columns(), columns);
  return all;
}

/// Logarithm of the number of ways to choose `some` of `all`.
double log_choices(int64_t all, int64_t some) {
  return std::lgamma(double(all) + 1) - std::lgamma(double(some) + 1) - std::lgamma(double(all - some) + 1);
}

}  // namespace

std::optional<Regularity> common_input(const WrongPart& wrong, const Problem& problem, bool elementwise) {
  std::map<std::string, std::vector<const HostTensor*>> by_name;  // a sum over ranks depends on the inputs of all of them
  for (const HostTensor& input : problem.tensors)
    if (input.spec.role == Role::kInput && !input.spec.packed && !input.spec.format->is_integer() && has_rows(input.spec))
      by_name[input.spec.name].push_back(&input);
  const int64_t columns = wrong.part().columns();
  for (const auto& [name, tensors] : by_name) {
    const TensorSpec& spec = tensors.front()->spec;
    const int64_t in_columns = spec.shape.back(), in_rows = in_columns == 0 ? 0 : spec.elements() / in_columns;
    if (in_rows == 0 || spec.elements() > kMostInputs) continue;
    const std::vector<KindSet> kinds = kinds_of(tensors);
    for (const Units& units : units_of(name, in_rows, in_columns, wrong.part(), elementwise)) {
      std::map<int64_t, int64_t> wrong_in;  // number of wrong elements of each unit that has one
      for (const int64_t i : wrong.failing()) ++wrong_in[units.of_output(i / columns, i % columns)];
      const auto failing = int64_t(wrong_in.size());
      size_t best = kKindBits;
      int64_t least = 2 * failing + 1, right = 0, explained = 0;  // if two kinds fit, the rarer kind is more informative
      for (size_t n = 0; n < kKindBits; ++n) {
        const size_t k = (kOpposite + n) % kKindBits;  // kOpposite first: its elements also have the kinds Inf and -Inf
        if (units.of_all && k <= kLastNotFinite) continue;  // one such value suffices to spoil a group
        std::vector<bool> of_kind(size_t(units.count), units.of_all);
        for (size_t i = 0; i < kinds.size(); ++i)
          if (const bool is = (kinds[i] >> k & 1) != 0; is != units.of_all)
            of_kind[size_t(units.of_input(int64_t(i) / in_columns, int64_t(i) % in_columns))] = is;
        const int64_t holding = std::count(of_kind.begin(), of_kind.end(), true);
        if (holding >= least) continue;
        int64_t hits = 0, elements = 0;
        for (const auto& [unit, count] : wrong_in)
          if (of_kind[size_t(unit)]) ++hits, elements += count;
        if (10 * hits < 9 * failing || 10 * (failing - hits) * holding > hits * (units.count - holding)) continue;
        if (units.of_all && hits != holding) continue;  // a group without other values is always computed in the same way
        // Logarithm of the probability that exactly `hits` of `failing` units, drawn at random, have this kind of input.
        const double chance = log_choices(holding, hits) + log_choices(units.count - holding, failing - hits) -
                              log_choices(units.count, failing);
        const bool exact = k <= kLastNotFinite && holding == hits && hits == failing;  // wrong exactly where NaN or Inf is
        if (chance > std::log(exact ? 0.05 : 1e-3)) continue;
        best = k, least = holding, right = holding - hits, explained = elements;
      }
      if (best == kKindBits) continue;
      const std::string only = explained == int64_t(wrong.failing().size()) ? "only " : "mostly ";
      const std::string where = fmt::format(fmt::runtime(units.where), kind_text(best, tensors.size() > 1));
      const std::string elsewhere = right == 0   ? "; no place without errors has this property"
                                    : right == 1 ? "; 1 place without errors has this property, too"
                                                 : fmt::format("; {} places without errors have this property, too", right);
      Regularity found = fact(wrong, "errors " + only + where, elsewhere, explained);
      int64_t reached = 0;  // elements of the wrong units, right ones too
      for (int64_t i = 0; i < wrong.part().elements(); ++i)
        reached += wrong_in.contains(units.of_output(i / columns, i % columns));
      if (best <= kLastNotFinite && right == 0 && only == "only " && 2 * explained >= reached) {
        const auto [what, which] = inputs_of_kind(name, tensors, best);
        found.input = what, found.note += which;
      }
      return found;
    }
  }
  return std::nullopt;
}

std::string places_apart(const std::vector<int64_t>& wrong, const std::vector<int64_t>& right, int64_t columns) {
  const auto range = [](const std::vector<int64_t>& places, auto of) {
    int64_t low = of(places.front()), high = low;
    for (const int64_t i : places) low = std::min(low, of(i)), high = std::max(high, of(i));
    return std::pair(low, high);
  };
  const auto apart = [&](auto of) {  // one run holds `wrong` and none of `right`
    const auto [low, high] = range(wrong, of);
    return std::none_of(right.begin(), right.end(),
                        [&, low = low, high = high](int64_t i) { return low <= of(i) && of(i) <= high; });
  };
  const auto column = [columns](int64_t i) { return i % columns; };
  const auto row = [columns](int64_t i) { return i / columns; };
  const auto flat = [](int64_t i) { return i; };
  for (int64_t period = 2; period <= std::min<int64_t>(128, columns / 2); period *= 2) {
    const auto within = [columns, period](int64_t i) { return i % columns % period; };
    const auto [low, high] = range(wrong, within);
    if (!apart(within)) continue;
    if (low == high) return fmt::format(", only in columns {}, {}, ...", low, low + period);
    return fmt::format(", only in columns {}..{} of each {}", low, high, period);
  }
  const std::string flat_elements = "elements, counted over all rows,";
  const auto from_to = [&](const std::string& what, auto of) -> std::string {
    if (!apart(of)) return "";
    const auto [low, high] = range(wrong, of);
    const auto [first, last] = range(right, of);
    if (low == high && what != flat_elements) return fmt::format(", only in {} {}", what.substr(0, what.size() - 1), low);
    if (first > high) return fmt::format(", only in {} up to {}", what, high);
    if (last < low) return fmt::format(", only in {} from {} on", what, low);
    return "";
  };
  for (const std::string& words : {from_to("columns", column), from_to("rows", row), from_to(flat_elements, flat)})
    if (!words.empty()) return words;
  return "";
}

}  // namespace assay
