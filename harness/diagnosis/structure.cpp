
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/wrong_part.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

/// No rule is sought for outputs with more elements or multiply-accumulates than this.
constexpr int64_t kMostElements = int64_t(1) << 24, kMostProducts = int64_t(1) << 30;
/// At most this number of a contract's variants is compared.
constexpr size_t kMostAnswers = 8;

Rule rule_if(bool enough, std::string words, int64_t explained) {
  if (!enough || explained == 0) return std::nullopt;
  return Explanation{std::move(words), explained};
}

/// Whether the elements are bytes of packed words: then a row may end within a word, and columns may be padded to 4 rows.
bool packed_in_words(const WrongPart& wrong) {
  return wrong.format() == kE8M0 && wrong.tensor().spec.format->bits == 32;
}

constexpr int64_t kBytesOfWord = 4;

/// A single word whose bytes are in reverse order. Two of its four bytes may be equal, so that few elements are wrong.
Rule reversed_word(const WrongPart& wrong) {
  if (!packed_in_words(wrong)) return std::nullopt;
  const int64_t columns = wrong.part().columns();
  std::set<int64_t> words;  // indices of the words' first elements
  for (const int64_t i : wrong.failing()) words.insert(i - i % columns % kBytesOfWord);
  const int64_t first = *words.begin(), row = first / columns, column = first % columns;
  constexpr int64_t kFewestValues = 3;
  if (words.size() != 1 || column + kBytesOfWord > columns) return std::nullopt;
  std::set<uint32_t> values;
  for (int64_t i = 0; i < kBytesOfWord; ++i) {
    if (!wrong.accepts(first + kBytesOfWord - 1 - i, wrong.codes()[size_t(first + i)])) return std::nullopt;
    values.insert(wrong.codes()[size_t(first + i)]);
  }
  if (int64_t(values.size()) < kFewestValues) return std::nullopt;  // one displaced byte would look the same
  return {{fmt::format("the bytes of one word in the opposite order (byte order): row {}, groups {}..{}",
                       wrong.part().number_of(row), column, column + kBytesOfWord - 1),
           int64_t(wrong.failing().size())}};
}

int64_t rounded_up(int64_t number, int64_t unit) { return (number + unit - 1) / unit * unit; }

/// Words that are the bits of fp32 scales: each has an exponent from 2^-60 to 2^41, as in diagnosis/scales.h. A word of UE8M0
/// bytes reads as a negative number, or as 2^43 or more. Words whose two top bytes are equal do not count: such memory was filled
/// with one byte.
Rule bits_of_floats(const WrongPart& wrong) {
  if (!packed_in_words(wrong)) return std::nullopt;
  int64_t words = 0, empty = 0, filled = 0;
  for (int64_t row = 0; row < wrong.part().rows(); ++row)
    for (int64_t column = 0; column < wrong.part().columns(); column += 4) {
      const uint32_t word = wrong.tensor().code(wrong.part().offset(row, column) / 4);
      const uint32_t exponent = word >> 23 & 0xff;
      ++words, empty += word == 0, filled += (word >> 16 & 0xff) == word >> 24;
      if (word != 0 && (word >> 31 != 0 || exponent < 67 || exponent > 168)) return std::nullopt;
    }
  if (words - empty < kFewest || 4 * empty > words || filled == words) return std::nullopt;
  return {
      {"the bits of one fp32 scale in each word, where four UE8M0 bytes are expected", int64_t(wrong.failing().size()), 0, true}};
}

/// ", except in columns 0..15 of 448, ...": the only columns in which elements changed, if some did in most rows. Else empty.
std::string stored_columns(const WrongPart& wrong, const HostTensor& before) {
  const int64_t columns = wrong.part().columns(), rows = wrong.part().rows();
  std::set<int64_t> stored, changed_rows;
  int64_t changed = 0;
  for (int64_t i = 0; i < wrong.part().elements(); ++i) {
    if (load_code(wrong.part(), before, wrong.part().offset(i / columns, i % columns)) == wrong.codes()[size_t(i)]) continue;
    stored.insert(i % columns), changed_rows.insert(i / columns), ++changed;
  }
  const auto count = int64_t(stored.size()), of_rows = int64_t(changed_rows.size());
  // An element may equal the old one by chance, but few do.
  if (count == 0 || count == columns || 4 * of_rows < 3 * rows || 4 * changed < 3 * of_rows * count) return "";
  for (const int64_t i : wrong.failing())
    if (stored.contains(i % columns) && changed_rows.contains(i / columns)) return "";
  const bool at_begin = *stored.rbegin() == count - 1;
  if (!at_begin && 2 * count > columns) return "";
  return fmt::format(", except in column{} {} of {}, which {} stored{}", count == 1 ? "" : "s", numbers_text(stored, columns),
                     columns, count == 1 ? "is" : "are",
                     !at_begin             ? ""
                     : 2 * count > columns ? ": a bound on columns is too small, or the tail of a row is not stored"
                                           : ": the other lanes or iterations store nothing, or store to the same columns, "
                                             "because they use the index of the lane or of the loop wrongly");
}

/// For tensors that are updated in place: wrong elements still hold the bytes from before the call.
Rule as_it_came(const WrongPart& wrong, const Problem& problem) {
  const HostTensor* const before = held_before(problem, wrong.tensor().spec);
  if (before == nullptr || before->bytes.size() != wrong.tensor().bytes.size()) return std::nullopt;
  const int64_t explained = wrong.count([&](int64_t i) {
    return load_code(wrong.part(), *before, wrong.part().offset(i / wrong.part().columns(), i % wrong.part().columns())) ==
           wrong.codes()[size_t(i)];
  });
  // A code of 16 bits or more rarely equals the old one by chance, so two elements suffice if all wrong elements hold old codes.
  constexpr int64_t kFewestOldNumbers = 2;
  const bool all_old = explained == int64_t(wrong.failing().size()) && wrong.format().bits >= 16;
  if (explained < (all_old ? kFewestOldNumbers : kFewest)) return std::nullopt;
  if (wrong.count([&](int64_t i) { return wrong.value(i) != 0; }) == 0) return std::nullopt;  // a 0 has many reasons
  Explanation found{"what the tensor held before the call", explained};
  const auto [rows, columns] = failing_rows_and_columns(wrong);
  const int64_t of_columns = wrong.part().columns();
  if (all_old && columns.size() == 1 && *columns.begin() == of_columns - 1 && of_columns > 1 &&
      int64_t(rows.size()) == wrong.part().rows())
    found.words += fmt::format(" in column {}, the last one: a bound on columns is too small where the tensor is stored", of_columns - 1);
  else if (explained == int64_t(wrong.failing().size()))
    found.words += stored_columns(wrong, *before);
  if (const std::string address = stored_elsewhere(wrong); !address.empty())
    found.words += ", because the rows are stored elsewhere: " + address;
  else if (const std::optional<Elsewhere> elsewhere = written_elsewhere(wrong)) found.note = "; the expected codes are stored elsewhere" + elsewhere->note;
  return found;
}

Rule reversed_bytes(const WrongPart& wrong) {
  const int bytes = wrong.format().bytes();
  if (bytes < 2 || wrong.distinct(3) < 3) return std::nullopt;
  const int64_t explained =
      wrong.count([&](int64_t i) { return wrong.accepts(i, __builtin_bswap32(wrong.codes()[size_t(i)]) >> (32 - 8 * bytes)); });
  return rule_if(explained >= kFewest, "the expected codes with their bytes in the opposite order", explained);
}

/// Packed words into which the kernel ORs bytes without zeroing them first: the same extra bits are set in every element.
Rule into_old_words(const WrongPart& wrong) {
  if (!packed_in_words(wrong) || wrong.distinct(2) < 2) return std::nullopt;
  uint32_t old = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due) return std::nullopt;
    old |= wrong.codes()[size_t(i)] & ~*due;
  }
  for (int64_t i = 0; i < wrong.part().elements(); ++i)
    if (const std::optional<uint32_t> due = wrong.due(i); !due || (*due | old) != wrong.codes()[size_t(i)]) return std::nullopt;
  const std::string bits = hex(wrong.format(), old);
  return {{"the expected bytes with extra bits " + bits +
               " of older bytes: the kernel ORs bytes into words that it did not zero",
           int64_t(wrong.failing().size())}};
}

/// A different factor for each row, column or block of columns, as if each used the scale of another one.
Rule factor_of_each(const WrongPart& wrong) {
  const Format& format = wrong.format();
  if (format.is_integer() || format.specials == Specials::kBits || format.specials == Specials::kScale) return std::nullopt;
  const int64_t columns = wrong.part().columns();
  // The ratio of two rounded numbers is known to 2^-(mantissa_bits - 1). Codes with few bits show only powers of two.
  const double slack = power_of_two(1 - format.mantissa_bits);
  constexpr int kFewestBits = 2;     // with one bit, the ratio of any two codes fits
  constexpr size_t kFewestDue = 3;  // if all expected values are equal, any wrong value is a multiple
  if (format.mantissa_bits < kFewestBits) return std::nullopt;
  const bool any_ratio = format.mantissa_bits >= 7;
  struct Unit {
    std::string name;
    std::function<int64_t(int64_t element)> number;
  };
  std::vector<Unit> units = {{"row", [columns](int64_t i) { return i / columns; }},
                             {"column", [columns](int64_t i) { return i % columns; }}};
  for (const int64_t width : {16, 32, 64, 128})
    if (width < columns)
      units.push_back({"block of " + std::to_string(width) + " columns", [columns, width](int64_t i) {
                         return i / columns * ((columns + width - 1) / width) + i % columns / width;
                       }});
  for (const Unit& unit : units) {
    std::map<int64_t, double> factors;
    std::map<int64_t, int64_t> sizes;
    std::map<int64_t, std::set<double>> dues;
    bool holds = true;
    for (const int64_t i : wrong.failing()) {
      const std::optional<double> due = wrong.middle(i);
      const double got = wrong.value(i);
      if (!due || *due == 0 || !std::isfinite(*due) || !std::isfinite(got) || got == 0 ||
          std::abs(got) < power_of_two(format.min_exponent()) || std::abs(*due) < power_of_two(format.min_exponent()))
        continue;
      double ratio = got / *due;
      if (!any_ratio) ratio = std::copysign(std::exp2(std::round(std::log2(std::abs(ratio)))), ratio);
      const auto [at, first] = factors.try_emplace(unit.number(i), ratio);
      ++sizes[at->first];
      dues[at->first].insert(std::abs(*due));
      if (!(holds = first || std::abs(got / *due - at->second) <= std::abs(at->second) * slack)) break;
    }
    std::set<double> different;
    int64_t explained = 0;
    for (const auto& [number, size] : sizes) {
      if (size < kFewest || dues[number].size() < kFewestDue) continue;
      explained += size;
      different.insert(std::exp2(std::round(8 * std::log2(std::abs(factors[number]))) / 8));
    }
    if (!holds || different.size() < 2 || explained < 2 * kFewest) continue;
    std::string some;
    for (const double one : different) {
      some += fmt::format("{}{:.3g}", some.empty() ? "" : ", ", one);
      if (some.size() > 24) break;
    }
    return {{"the expected values times a factor for each " + unit.name + ", about " + some +
                 (some.size() > 24 ? ", ..." : "") + ": a number that all elements of a " + unit.name + " share is wrong",
             explained}};
  }
  return std::nullopt;
}

/// The expected values of elements a fixed number of rows or columns away, cyclically. Names all distances that fit equally well.
Rule shifted(const WrongPart& wrong) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  constexpr size_t kMostNamed = 3;
  if (!wrong.shows_places()) return std::nullopt;
  const auto distances = [](int64_t size) {
    std::vector<int64_t> all;
    std::set<int64_t> seen;
    for (int64_t d = 1; d < size; d = d < 64 ? d + 1 : d % 64 == 0 && d < 1024 ? d + 64 : 2 * d)
      for (const int64_t by : {d, -d})
        if (seen.insert((by + size) % size).second) all.push_back(by);
    return all;
  };
  std::optional<Moved> best;
  std::vector<std::string> equal;
  std::string place;  // describes equal.front(): "d[i, j] holds what ..."
  int64_t best_by = 0;
  bool best_of_rows = false;
  const std::string& name = wrong.part().tensor;
  const auto try_shift = [&](int64_t by, bool of_rows) {
    const std::optional<Moved> moved = wrong.moved([&](int64_t i) {
      const int64_t row = (i / columns + rows + (of_rows ? by : 0)) % rows,
                    column = (i % columns + columns + (of_rows ? 0 : by)) % columns;
      return row * columns + column;
    });
    const auto left = [](const Moved& one) { return one.contradicted - one.explained; };
    if (!moved || (best && left(*moved) > left(*best))) return;
    if (!best || left(*moved) < left(*best)) equal.clear(), best_by = by, best_of_rows = of_rows;
    best = moved;
    const int64_t away = std::abs(by);
    equal.push_back(
        fmt::format("{} {}{} {}", away, of_rows ? "row" : "column", away == 1 ? "" : "s", by > 0 ? "later" : "earlier"));
    if (equal.size() == 1)
      place = fmt::format("{}[i, j] holds what {}[i{}, j{}] should hold", name, name,
                          of_rows ? fmt::format(" {} {}", by > 0 ? '+' : '-', away) : "",
                          of_rows ? "" : fmt::format(" {} {}", by > 0 ? '+' : '-', away));
  };
  for (const int64_t by : distances(rows)) try_shift(by, true);
  for (const int64_t by : distances(columns)) try_shift(by, false);
  if (!best) return std::nullopt;
  const auto failing = int64_t(wrong.failing().size());
  // A wrong index within a fragment or vector of `period` elements: elements whose source would lie outside hold something else.
  if (best->explained < failing && equal.size() == 1)
    for (const int64_t period : {256, 128, 64, 32, 16, 8, 4}) {
      if (period >= (best_of_rows ? rows : columns) || 2 * std::abs(best_by) > period) continue;
      const std::optional<Moved> moved = wrong.moved([&](int64_t i) {
        const int64_t at = best_of_rows ? i / columns : i % columns, from = at + best_by;
        if (at % period + best_by < 0 || at % period + best_by >= period || from >= (best_of_rows ? rows : columns))
          return kNowhere;
        return i + best_by * (best_of_rows ? columns : 1);
      });
      if (!moved || moved->explained + moved->left_out < failing || moved->contradicted > 0 || 4 * moved->left_out > failing)
        continue;
      Explanation found{
          fmt::format("the expected values {}, within each {} {}", equal.front(), period, best_of_rows ? "rows" : "columns"),
          moved->explained, moved->left_out};
      found.note = "; " + place;
      return found;
    }
  std::string words = "the expected values " + equal.front();
  for (size_t i = 1; i < std::min(kMostNamed, equal.size()); ++i) words += ", or " + equal[i];
  if (equal.size() > kMostNamed) words += ", or ...";
  Explanation found{words, best->explained};
  found.note = "; " + place;
  return found;
}

/// Keeps the better of two rules about places.
void take_better(Rule& best, const std::optional<Moved>& moved, const std::string& words) {
  if (moved && (!best || best->score() < moved->explained + moved->left_out)) best = {words, moved->explained, moved->left_out};
}

/// Each run of 2, 4, 8, ... columns holds its expected values in reverse order, as after a byte swap of packed words.
Rule mirrored(const WrongPart& wrong) {
  const bool words = packed_in_words(wrong);
  const int64_t columns = wrong.part().columns(), stored = words ? rounded_up(columns, 4) : columns;
  if (!wrong.shows_places()) return std::nullopt;
  Rule best;
  for (int64_t run = 2; run <= stored && stored % run == 0; run *= 2) {
    const auto source = [&](int64_t i) {
      const int64_t column = i % columns, from = column - column % run + (run - 1 - column % run);
      return from < columns ? i - column + from : kNowhere;
    };
    const std::string text = words && run == kBytesOfWord
                                 ? "the expected bytes of each word in the opposite order (byte order)"
                                 : "the expected values of each " + std::to_string(run) + " columns in the opposite order";
    take_better(best, wrong.moved(source), text);
  }
  return best;
}

/// A tensor written in one order (row-major or column-major) and read in the other. Packed words move as a whole.
Rule transposed(const WrongPart& wrong) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  const bool words = packed_in_words(wrong);
  if (rows < 2 || columns < 2 || !wrong.shows_places()) return std::nullopt;
  Rule best;
  for (int64_t unit = 1; unit < columns && (columns % unit == 0 || (words && unit == 4)); unit *= 2) {
    const int64_t units = (columns + unit - 1) / unit;
    const std::string of_units = unit == 1 ? "" : " in units of " + std::to_string(unit) + " columns";
    const auto consider = [&](const std::string& text, auto place_of) {
      const auto source = [&](int64_t i) {
        const std::array<int64_t, 2> place = place_of(i / columns, i % columns / unit);  // row and unit of columns
        const int64_t column = place[1] * unit + i % columns % unit;
        return place[0] < rows && column < columns ? place[0] * columns + column : kNowhere;
      };
      take_better(best, wrong.moved(source), text);
    };
    const int64_t padded = words ? rounded_up(rows, 4) : rows;
    for (const int64_t apart : std::set<int64_t>{rows, padded}) {
      consider("the expected values in column-major order, where row-major order is expected (transposed" + of_units + ")",
               [&](int64_t row, int64_t u) {
                 const int64_t at = row * units + u;
                 return std::array{at % apart, at / apart};
               });
      consider("the expected values in row-major order, where column-major order is expected (transposed" + of_units + ")",
               [&](int64_t row, int64_t u) {
                 const int64_t at = u * apart + row;
                 return std::array{at / units, at % units};
               });
    }
    if (padded == rows || unit != 4) continue;
    consider("columns of words without padding, where each column should begin at a multiple of 4 rows", [&](int64_t row, int64_t u) {
      const int64_t at = u * padded + row;
      return std::array{at % rows, at / rows};
    });
    consider("columns of words that begin at multiples of 4 rows, where columns without padding are expected", [&](int64_t row, int64_t u) {
      const int64_t at = u * rows + row;
      return std::array{at % padded, at / padded};
    });
  }
  return best;
}

/// All columns of each run hold the expected value of its first column.
Rule first_of_each(const WrongPart& wrong) {
  const int64_t columns = wrong.part().columns();
  if (!wrong.shows_places()) return std::nullopt;
  Rule best;
  for (int64_t run = 2; run <= columns; run *= 2)
    take_better(best, wrong.moved([&](int64_t i) { return i - i % columns % run; }),
                "the expected values of the first column in each " + std::to_string(run) + " columns");
  return best;
}

/// Within each 2, 4, 8, ... rows or columns, some hold the expected values of others: a wrong index within a vector or a tile.
Rule in_vectors(const WrongPart& wrong) {
  constexpr int64_t kMostPeriod = 64;
  constexpr size_t kFewestCodes = 3, kMostNamed = 4;
  if (!wrong.shows_places()) return std::nullopt;
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  Rule best;
  for (const bool of_rows : {false, true})
    for (int64_t period = 2; period <= std::min(kMostPeriod, (of_rows ? rows : columns) / 2); period *= 2) {
      const auto place = [&](int64_t i) { return of_rows ? i / columns : i % columns; };
      std::map<int64_t, std::vector<int64_t>> classes;
      for (const int64_t i : wrong.failing()) classes[place(i) % period].push_back(i);
      if (int64_t(classes.size()) == period && period > 8) continue;
      Explanation found{fmt::format("the expected values of other {} within each {}:", of_rows ? "rows" : "columns", period)};
      std::map<int64_t, std::set<int64_t>> places_of;  // distance of the source -> rows or columns
      for (const auto& [at, members] : classes) {
        std::set<uint32_t> codes;
        for (const int64_t i : members) codes.insert(wrong.codes()[size_t(i)]);
        if (int64_t(members.size()) < kFewest || codes.size() < kFewestCodes) continue;
        int64_t by = 0, most = 0;
        for (int64_t d = -at; d < period - at; ++d) {
          const auto holds = [&](int64_t i) {
            const int64_t from = i + d * (of_rows ? columns : 1);
            return place(i) + d < (of_rows ? rows : columns) && wrong.accepts(from, wrong.codes()[size_t(i)]);
          };
          const int64_t tried = std::min<int64_t>(int64_t(members.size()), kProbes);
          if (d == 0 || 2 * std::count_if(members.begin(), members.begin() + tried, holds) < tried) continue;
          const int64_t explained = std::count_if(members.begin(), members.end(), holds);
          if (explained > most || (explained == most && std::abs(d) < std::abs(by))) by = d, most = explained;
        }
        if (10 * most < 9 * int64_t(members.size())) continue;
        found.explained += most;
        places_of[by].insert(at);
      }
      size_t named = 0;
      for (const auto& [by, places] : places_of)
        if (named++ < kMostNamed)
          found.words += fmt::format("{0} {1} {2} holds the value of {1} {2} {3} {4} where {2} mod {5} {6} {7}",
                                     named == 1 ? "" : ",", of_rows ? "row" : "column", of_rows ? "i" : "j", by > 0 ? '+' : '-',
                                     std::abs(by), period, places.size() == 1 ? "=" : "in", numbers_text(places, period));
      if (named > kMostNamed) found.words += ", ...";
      if (found.explained > 0 && (!best || found.explained > best->explained)) best = found;
    }
  return best;
}

/// The expected values of other rows or columns: blocks exchanged or repeated, or the index multiplied or divided by 2 or 4.
Rule exchanged(const WrongPart& wrong) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  if (!wrong.shows_places()) return std::nullopt;
  Rule best;
  for (const bool of_rows : {false, true}) {
    const int64_t size = of_rows ? rows : columns;
    const auto consider = [&](const std::string& words, const std::function<int64_t(int64_t)>& from) {
      take_better(best, wrong.moved([&](int64_t i) {
        const int64_t row = i / columns, column = i % columns, at = from(of_rows ? row : column);
        if (at < 0 || at >= size) return kNowhere;
        return of_rows ? at * columns + column : row * columns + at;
      }),
                  words);
    };
    const std::string unit = of_rows ? "rows" : "columns", name = of_rows ? "i" : "j", one = of_rows ? "row" : "column";
    for (int64_t period = 2; period <= size; period *= 2) {
      if (period > 2)
        consider(fmt::format("the expected values with the halves of each {} {} exchanged", period, unit),
                 [period](int64_t at) { return at ^ period / 2; });
      if (period < size)
        consider(fmt::format("the expected values of {0} {1} mod {2} in {0} {1}: the first {2} {3} are repeated", one, name, period, unit),
                 [period](int64_t at) { return at % period; });
      if (of_rows) {
        consider(fmt::format("the expected values of the first row in each {} rows", period),
                 [period](int64_t at) { return at - at % period; });
        consider(fmt::format("the expected values of each {} rows in the opposite order", period),
                 [period](int64_t at) { return at - at % period + period - 1 - at % period; });
      }
      if (period > 4) continue;
      consider(fmt::format("the expected values of {0} {1} / {2} in {0} {1}", one, name, period), [period](int64_t at) { return at / period; });
      consider(fmt::format("the expected values of {0} {2} {1} in {0} {1}", one, name, period),
               [period, size](int64_t at) { return at * period % size; });
    }
  }
  return best;
}

/// The expected values of another output of the same format and shape, or the data of another tensor of the call.
Rule of_another_tensor(const WrongPart& wrong, const std::vector<WholePart>& answer, const Problem& problem) {
  if (wrong.distinct(3) < 3) return std::nullopt;
  for (const WholePart& other : answer) {
    if (other.part.label() == wrong.part().label() && other.part.rank == wrong.part().rank) continue;
    if (!(*other.part.format == wrong.format()) || other.part.shape != wrong.part().shape) continue;
    const int64_t explained = wrong.count(
        [&](int64_t i) { return other.at(i).holds(wrong.format(), ordinal(wrong.format(), wrong.codes()[size_t(i)])); });
    if (explained < kFewest) continue;
    return {{"the expected values of " + other.part.label() +
                 (other.part.rank != wrong.part().rank ? " of rank " + std::to_string(other.part.rank) : ""),
             explained}};
  }
  for (const HostTensor& input : problem.tensors) {
    if (input.spec.role != Role::kInput || input.spec.rank != wrong.part().rank || !(*input.spec.format == wrong.format()))
      continue;
    if (input.spec.elements() != wrong.part().elements() || input.spec.shape.empty() || input.spec.packed) continue;
    const int64_t explained = wrong.count([&](int64_t i) { return input.code(input.spec.place(i)) == wrong.codes()[size_t(i)]; });
    if (explained >= kFewest) return {{"the data of the input " + input.spec.name, explained}};
  }
  return std::nullopt;
}

/// Accumulators of a tensor core's tile that a thread takes from the register next to the right register. Consecutive registers
/// of a thread hold elements a warp size apart, counted along a tile's rows (emulated instructions), or as in m16n8 fragments.
Rule accumulators(const WrongPart& wrong) {
  const int64_t rows = wrong.part().rows(), columns = wrong.part().columns();
  constexpr int64_t kBeyond = -2;  // the source lies in the tile but outside the matrix, where sums are 0
  constexpr size_t kFewestCodes = 8;
  if (!wrong.shows_places()) return std::nullopt;
  Rule best;
  const auto consider = [&](int64_t tile_rows, int64_t tile_columns, int by,
                            const std::function<int64_t(int64_t, int64_t)>& from) {
    const auto source = [&](int64_t i) {
      const int64_t row = i / columns, column = i % columns;
      const int64_t at = from(row % tile_rows, column % tile_columns);  // within the tile
      if (at < 0) return kNowhere;
      const int64_t other_row = row - row % tile_rows + at / tile_columns,
                    other_column = column - column % tile_columns + at % tile_columns;
      return other_row < rows && other_column < columns ? other_row * columns + other_column : kBeyond;
    };
    const auto holds = [&](int64_t i, int64_t at) {
      return at == kBeyond ? wrong.value(i) == 0 : wrong.accepts(at, wrong.codes()[size_t(i)]);
    };
    if (wrong.count([&](int64_t i) { return source(i) == kNowhere || holds(i, source(i)); }) == 0) return;
    int64_t explained = 0, left_out = 0;
    std::set<uint32_t> codes;
    for (int64_t i = 0; i < wrong.part().elements(); ++i) {
      const int64_t at = source(i);
      const bool fails = !wrong.accepts(i, wrong.codes()[size_t(i)]);
      if (at != kNowhere && !holds(i, at)) return;
      if (fails) (at == kNowhere ? left_out : explained) += 1;
      if (fails && at >= 0 && codes.size() < kFewestCodes) codes.insert(wrong.codes()[size_t(i)]);
    }
    if (codes.size() < kFewestCodes || explained < 2 * left_out || (best && best->explained >= explained)) return;
    best = {fmt::format("accumulator i {} 1 of each thread where accumulator i is expected, in tiles of {} x {}",
                        by > 0 ? '+' : '-', tile_rows, tile_columns),
            explained, left_out};
  };
  for (const int by : {1, -1}) {
    for (const int64_t tile_rows : {16, 32, 64})
      for (const int64_t tile_columns : {8, 16, 32, 64, 128})
        for (const int64_t lanes : {32, 64})
          if (tile_rows * tile_columns > 2 * lanes && tile_columns != lanes)  // otherwise it is a shift by a row
            consider(tile_rows, tile_columns, by, [=](int64_t row, int64_t column) {
              const int64_t at = row * tile_columns + column + by * lanes;
              return at < tile_rows * tile_columns ? at : kNowhere;
            });
    for (const int64_t tile_columns : {8, 16, 32, 64, 128})
      consider(16, tile_columns, by, [=](int64_t row, int64_t column) {
        const int64_t at = column / 8 * 4 + row / 8 * 2 + column % 2 + by;  // the number of the register
        if (at < 0 || at >= tile_columns / 2) return kNowhere;
        return (row % 8 + at / 2 % 2 * 8) * tile_columns + at / 4 * 8 + column % 8 / 2 * 2 + at % 2;
      });
  }
  return best;
}

/// Whether errors fill whole columns, and at most half of the columns. Rounding errors would spread over all columns.
bool fails_in_whole_columns(const WrongPart& wrong) {
  const auto [rows, columns] = failing_rows_and_columns(wrong);
  return int64_t(rows.size() * columns.size()) == int64_t(wrong.failing().size()) &&
         2 * int64_t(columns.size()) <= wrong.part().columns() && rows.size() > 1;
}

/// Whether three quarters of the wrong elements are at most one code too high or too low. In smooth data neighbouring elements
/// have such codes by chance, so rules about places would fit.
bool mostly_next_codes(const WrongPart& wrong) {
  int64_t next = 0;
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    next += due && std::abs(int64_t(ordinal(wrong.format(), *due)) - ordinal(wrong.format(), wrong.codes()[size_t(i)])) <= 1;
  }
  return 4 * next >= 3 * int64_t(wrong.failing().size());
}

/// The right codes in another order. This is the weakest rule, so it must hold for all elements and many codes.
Rule another_order(const WrongPart& wrong) {
  if (wrong.distinct(8) < 8) return std::nullopt;
  std::map<uint32_t, int64_t> balance;
  for (const int64_t i : wrong.failing()) {
    const std::optional<uint32_t> due = wrong.due(i);
    if (!due) return std::nullopt;
    ++balance[*due], --balance[wrong.codes()[size_t(i)]];
  }
  for (const auto& [code, count] : balance)
    if (count != 0) return std::nullopt;
  return {{"the right codes in another order", int64_t(wrong.failing().size())}};
}

/// The rules of one answer. `elementwise`: see common_input().
std::vector<Regularity> rules_of(const std::vector<WholePart>& answer, bool elementwise, const Problem& problem,
                                 const std::vector<HostTensor>& outputs) {
  std::vector<WrongPart> parts;
  for (const WholePart& whole : answer) parts.emplace_back(whole, tensor_of(outputs, whole.part));
  std::vector<Regularity> all;
  for (WrongPart& wrong : parts) {
    if (!wrong.complete() || wrong.failing().empty()) continue;
    const auto failing = int64_t(wrong.failing().size());
    const Rule fill = stored_fill(wrong);
    if (fill && 4 * fill->explained < 3 * failing)  // other wrong elements may have another reason
      all.push_back({wrong.label(), fill->words, failing, fill->explained});
    // The rules are tried in order of strength: a rule before the weaker rules that follow from it.
    Rule best;
    const auto consider = [&](Rule rule) {
      const bool enough = rule && 4 * rule->explained >= 3 * (failing - rule->left_out);
      if (enough && (!best || rule->score() > best->score())) best = std::move(rule);
    };
    consider(bits_of_floats(wrong));
    consider(one_shift_of_a_word(wrong));
    consider(reversed_word(wrong));
    consider(integers_of_input(wrong, problem));
    consider(fill ? fill : computed_from_fill(wrong));
    consider(counts_of_ranks(wrong, problem));
    consider(one_rank_for_all(wrong, problem));
    consider(clamped(wrong));
    consider(held_on(wrong));
    Rule one = one_code(wrong), map = map_of_codes(wrong);
    const bool is_alone = std::all_of(parts.begin(), parts.end(), [&](const WrongPart& other) {
      return other.label() == wrong.label() || other.failing().empty();
    });
    if (!is_alone) map.reset();  // another wrong output, such as a scale, may change the codes, too
    Rule by_class = is_alone ? told_by_expected_class(wrong) : std::nullopt;
    if ((map || by_class) && one && one->is_value) one.reset();  // these also say where the code is stored
    consider(std::move(one));
    consider(std::move(map));
    consider(std::move(by_class));
    consider(as_it_came(wrong, problem));
    consider(factor_of_scales(wrong, problem));
    consider(factor(wrong));
    consider(only_scaled(wrong, problem));
    consider(plus_scales(wrong, problem));
    OneCodeOff rounding = one_code_off(wrong);
    Rule of_other_scale = scale_of_another_group(wrong, parts);
    if (rounding.holds && of_other_scale && of_other_scale->explained < failing) of_other_scale.reset();  // a wrong boundary of codes
    consider(std::move(of_other_scale));
    consider(numbers_of_other_columns(wrong, parts));
    consider(numbers_of_vectors(wrong, parts));
    consider(of_fewer_bits(wrong));
    consider(largest_code_too_early(wrong));
    consider(wrong_overflow(wrong));
    consider(number_for_code(wrong));
    consider(lower_bits_of_result(wrong));
    consider(of_another_tensor(wrong, answer, problem));
    consider(of_a_vector(wrong, problem));
    consider(reversed_bytes(wrong));
    consider(into_old_words(wrong));
    if (!rounding.holds) {
      const bool next_codes = mostly_next_codes(wrong);
      if (next_codes) wrong.demand_everywhere();  // in sorted data, a neighbour has the next code
      Rule in_rows = shifted(wrong);
      const Rule in_tiles = elementwise ? std::nullopt : accumulators(wrong);
      if (in_tiles && (!in_rows || in_tiles->explained > in_rows->explained)) consider(in_tiles);
      if (in_tiles && in_rows && in_tiles->explained == in_rows->explained) in_rows->note += "; the same elements fit " + in_tiles->words;
      consider(in_rows);
      consider(transposed(wrong));
      consider(mirrored(wrong));
      consider(first_of_each(wrong));
      consider(exchanged(wrong));
      if (!next_codes) consider(in_vectors(wrong));
    }
    if (elementwise) consider(copied_from_elsewhere(wrong, problem));
    consider(constant_ratio(wrong));
    consider(constant_difference(wrong));
    consider(one_number_for_all(wrong));
    if (!rounding.holds || fails_in_whole_columns(wrong)) consider(bits_of_codes(wrong));
    consider(factor_of_each(wrong));
    consider(numbers_of_rows(wrong, problem));
    if (!best) consider(another_order(wrong));
    if (!best || best->is_value) consider(same_codes_again(wrong));
    const auto add = [&](std::optional<Regularity> fact) {
      if (fact) all.push_back(std::move(*fact));
    };
    const bool complete = best && best->explained == failing, says_why = complete && !best->is_value;
    if (!says_why)
      if (std::optional<Regularity> by_scale = told_by_scale_codes(wrong, parts)) {
        all.push_back(std::move(*by_scale));
        continue;
      }
    std::optional<Regularity> input = says_why ? std::nullopt : common_input(wrong, problem, elementwise);
    if (!says_why && !input && elementwise) input = range_of_input(wrong, problem);
    const bool by_input = input && !input->input.empty();  // the inputs explain the values, too
    if (best && !(by_input && best->is_value))
      all.push_back({wrong.label(), best->words, failing - best->left_out, best->explained, best->left_out, best->decides, false,
                     best->note});
    std::optional<Regularity> nan = complete ? std::nullopt : nan_or_number(wrong);
    if (nan && (nan->is_fact || !by_input)) add(std::move(nan));
    if (!complete && !by_input) add(rows_of_other_data(wrong, parts));
    if (!best) add(std::move(rounding.of_subnormals));
    std::optional<Regularity> by_index = says_why ? std::nullopt : rows_told_by_index(wrong, problem);
    if ((!best || best->is_value) && !by_input && !by_index) {
      std::optional<Regularity> zeros = where_an_output_is_zero(wrong, parts);
      std::optional<Regularity> places = zeros ? std::move(zeros) : whole_rows_or_columns(wrong);
      add(places ? std::move(places) : flat_places(wrong));
    }
    add(std::move(by_index));
    const bool in_place = std::any_of(problem.tensors.begin(), problem.tensors.end(), [&](const HostTensor& one) {
      return one.spec.name == wrong.part().tensor && one.spec.rank == wrong.part().rank && access_of(one) == Access::kInOut;
    });
    if (const std::optional<Elsewhere> elsewhere = best || !in_place ? std::nullopt : written_elsewhere(wrong))
      add(Regularity{wrong.label(), "the expected codes of other positions, at a constant distance", failing,
                     elsewhere->explained, 0, false, true, elsewhere->note});
    add(std::move(input));
  }
  return all;
}

}  // namespace

std::vector<Regularity> regularities(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                     WorkBudget& budget) {
  const Expectation right = bound.expect(problem, &outputs);
  const auto explained = [](const std::vector<Regularity>& all) {
    int64_t sum = 0;
    for (const Regularity& one : all) sum += one.is_fact ? 0 : one.explained;
    return sum;
  };
  std::vector<Regularity> best;
  for (size_t i = 0; i < std::min(kMostAnswers, right.any_of.size()); ++i) {
    const Answer& one = right.any_of[i];
    constexpr int64_t kProductsOfElement = 8;
    if (one.elements() > kMostElements || one.elements() * one.products > kMostProducts ||
        !budget.take(one.elements() * (1 + one.products / kProductsOfElement))) {
      if (best.empty()) budget.leave_out("patterns of wrong outputs were not searched: the output has too many elements");
      return best;
    }
    std::vector<Regularity> found = rules_of(computed(one), one.products == 1, problem, outputs);
    if (best.empty() || explained(found) > explained(best)) best = std::move(found);
  }
  return best;
}

std::string in_words(const Regularity& found) {
  return "pattern: " + (found.input.empty() ? "" : found.input + ": ") + found.part + " holds " + found.words + " (" +
         std::to_string(found.explained) + " of " + std::to_string(found.failing) + " wrong elements" +
         (found.left_out > 0 ? "; the rule says nothing about " + std::to_string(found.left_out) + " more" : "") + found.note + ")";
}

}  // namespace assay
