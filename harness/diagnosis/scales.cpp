#include "harness/diagnosis/scales.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <optional>
#include <set>

#include "harness/diagnosis/diagnose.h"

namespace assay {
namespace {

// Analyses a single scale tensor without a contract, for a user who has a NaN and nothing else.

std::string described(const ScaleGrid& grid) {
  const std::string extent =
      fmt::format("{} row{} of {} groups", grid.present_rows, grid.present_rows == 1 ? "" : "s", grid.present_columns);
  const std::string padding = grid.rows * grid.columns == grid.present_rows * grid.present_columns
                                  ? ""
                                  : fmt::format(", padded to {} x {}", grid.rows, grid.columns);
  switch (grid.kind) {
    case ScaleKind::kWords:
      return fmt::format("int32 words of four UE8M0 bytes, {}{}{}", extent, padding,
                         grid.extent_known ? "" : " (all bytes are read as groups)");
    case ScaleKind::kBytes:
      return fmt::format("UE8M0 bytes, {}{}", extent, padding);
    case ScaleKind::kFloats:
      return fmt::format("{} scales, {}{}{}", grid.of_e4m3 ? "E4M3" : "fp32", extent, padding,
                         grid.powers_of_two ? "; the consumer needs powers of two" : "");
  }
  return "";
}

}  // namespace

ScaleReport look_at_scales(const ScaleGrid& grid) {
  ScaleReport report;
  if (grid.kind == ScaleKind::kFloats)
    look_at_floats(grid, report);
  else
    look_at_bytes(grid, report);
  look_at_patterns(grid, report);
  return report;
}

std::string scale_text(const ScaleGrid& grid, const ScaleReport& report) {
  std::string text = fmt::format("{}: {}\n", grid.name, described(grid));
  for (const ScaleFinding& finding : report.findings) {
    text += fmt::format("FOUND  {}\n", finding.what);
    for (const std::string& line : finding.lines) text += fmt::format("  {}\n", line);
  }
  for (const std::string& note : report.notes) text += fmt::format("note   {}\n", note);
  if (report.findings.empty())
    text += grid.kind == ScaleKind::kFloats && grid.powers_of_two ? "CLEAN as fp32 scales that are not packed: nothing found\n"
                                                                  : "CLEAN: nothing found\n";
  else
    text += fmt::format("{} FINDING{}\n", report.findings.size(), report.findings.size() == 1 ? "" : "S");
  return text;
}

namespace {

// Patterns over rows and columns: padding, repetition, transposition.

std::string code_text(const ScaleGrid& grid, int64_t code) {
  return grid.kind == ScaleKind::kFloats ? fmt::format("{:.9g} (0x{:08X})", std::bit_cast<float>(uint32_t(code)), code)
                                         : fmt::format("0x{:02X}", code);
}

/// log2 of the scale; nothing unless it is positive and finite.
std::optional<double> logarithm(const ScaleGrid& grid, int64_t code) {
  if (grid.kind != ScaleKind::kFloats) return code > 0 && code < 0xff ? std::optional<double>(double(code) - 127) : std::nullopt;
  const float scale = std::bit_cast<float>(uint32_t(code));
  return std::isnormal(scale) && scale > 0 ? std::optional<double>(std::log2(double(scale))) : std::nullopt;
}

bool plausible(const ScaleGrid& grid, int64_t code) {
  const std::optional<double> log = logarithm(grid, code);
  return log && *log >= double(kLeastExponent - 127) && *log <= double(kMostExponent - 127);
}

/// Reports padding that is not zero, if it must be zero because a consumer may read it, and the extent is known.
void find_stale_padding(const ScaleGrid& grid, ScaleReport& report) {
  PlacesFound stale;
  for (int64_t r = 0; r < grid.rows; ++r)
    for (int64_t c = r < grid.present_rows ? grid.present_columns : 0; c < grid.columns; ++c)
      if (grid.code(r, c) > 0 && (r < grid.present_rows ? grid.zero_columns : grid.zero_rows)) stale.add(r, c);
  if (stale.count == 0) return;
  report.findings.push_back(
      {fmt::format("stale padding: {} padding elements are not zero", stale.count),
       {"where    " + stale.text(),
        fmt::format("first    {}[{}, {}] = {}; scales end at row {} and group {}", grid.name, stale.first[0], stale.first[1],
                    code_text(grid, grid.code(stale.first[0], stale.first[1])), grid.present_rows - 1, grid.present_columns - 1),
        "why      these elements are unwritten, and a kernel that reads whole tiles reads them as scales: 0xFF there is NaN, "
        "and a packer",
        "         may refuse them (DeepGEMM 2.6 traps). The buffer was allocated and not zeroed, or the producer skips its "
        "padding",
        "example  1 row in a buffer of 4: rows 1..3 keep what was there before"}});
  if (grid.kind == ScaleKind::kWords)
    report.findings.back().lines.emplace_back(
        "or else  the words are stored without gaps, but read with a column stride (row-major, or m not padded to 4): scales "
        "lie in the gaps");
}

/// Trailing rows, or trailing bytes of the last word, that hold a single implausible value while everything before varies.
void find_constant_tail(const ScaleGrid& grid, bool of_rows, ScaleReport& report) {
  const int64_t lines = of_rows ? grid.present_rows : grid.present_columns,
                length = of_rows ? grid.present_columns : grid.present_rows;
  const auto at = [&](int64_t line, int64_t i) { return of_rows ? grid.code(line, i) : grid.code(i, line); };
  const int64_t value = at(lines - 1, 0);
  if (length < 2 || value <= 0 || value == (grid.kind == ScaleKind::kFloats ? -1 : 0xff) || plausible(grid, value)) return;
  const auto holds_value = [&](int64_t line) {
    for (int64_t i = 0; i < length; ++i)
      if (at(line, i) != value) return false;
    return true;
  };
  int64_t first = lines;
  while (first > 0 && holds_value(first - 1)) --first;
  if (first == lines || first == 0) return;
  const char* what = of_rows ? "row" : "group";
  report.findings.push_back(
      {fmt::format("the last {} {}{} hold{} one value, {}, which is not a plausible scale", lines - first, what,
                   lines - first == 1 ? "" : "s", lines - first == 1 ? "s" : "", code_text(grid, value)),
       {fmt::format("where    {}s {}..{}", what, first, lines - 1),
        "why      this looks like unwritten memory, as allocated or poisoned, and not like data. Either the tensor has fewer",
        fmt::format("         {}s than its shape says, or the producer left its tail out", what)}});
}

bool same_row(const ScaleGrid& grid, int64_t a, int64_t b) {
  for (int64_t c = 0; c < grid.present_columns; ++c)
    if (grid.code(a, c) != grid.code(b, c)) return false;
  return true;
}

int64_t values_in_row(const ScaleGrid& grid, int64_t row) {
  std::set<int64_t> values;
  for (int64_t c = 0; c < grid.present_columns; ++c) values.insert(grid.code(row, c));
  return int64_t(values.size());
}

/// Whether most scales are powers of two. These span only a few exponents, and repeat naturally in any format.
bool mostly_powers_of_two(const ScaleGrid& grid) {
  int64_t powers = 0;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c) powers += (grid.code(r, c) & 0x7fffff) == 0;
  return 2 * powers > grid.present_rows * grid.present_columns;
}

void find_repeated_rows(const ScaleGrid& grid, ScaleReport& report) {
  constexpr int64_t kEnough = 4;
  if (grid.present_rows < kEnough || grid.present_columns < kEnough) return;
  std::set<int64_t> repeated, flat, flat_values;
  for (int64_t r = 0; r < grid.present_rows; ++r) {
    const int64_t values = values_in_row(grid, r);
    if (values == 1) flat.insert(r), flat_values.insert(grid.code(r, 0));
    if (r > 0 && values >= kEnough && same_row(grid, r, r - 1)) repeated.insert(r);
  }
  const bool floats = grid.kind == ScaleKind::kFloats && !mostly_powers_of_two(grid);
  const auto all_but_first = size_t(grid.present_rows - 1);
  if (floats ? 2 * repeated.size() > size_t(grid.present_rows) : repeated.size() == all_but_first)
    report.findings.push_back(
        {fmt::format("{} of {} rows repeat the row before them", repeated.size(), grid.present_rows),
         {"where    rows " + runs_text(repeated),
          "why      different tokens do not have the same scale in every group: one row was written over all (a broadcast of "
          "stride 0),",
          "         or the tensor is constant along the wrong axis: values written along groups are read along rows"}});
  if (floats && 2 * flat.size() > size_t(grid.present_rows) && flat_values.size() >= size_t(kEnough))
    report.findings.push_back(
        {fmt::format("{} of {} rows hold one value in all {} groups", flat.size(), grid.present_rows, grid.present_columns),
         {"where    rows " + runs_text(flat),
          "why      groups of one row do not have the same amax: a scale per token was spread over groups, or the tensor is "
          "constant",
          "         along the wrong axis: a scale per group was written along rows"}});
}

/// Variance not explained by row and column means, per degree of freedom.
double left_over(const std::vector<double>& values, int64_t rows, int64_t columns) {
  std::vector<double> row(size_t(rows), 0.0), column(size_t(columns), 0.0);
  double mean = 0;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const double v = values[size_t(r * columns + c)];
      row[size_t(r)] += v / double(columns);
      column[size_t(c)] += v / double(rows);
      mean += v / double(rows * columns);
    }
  double sum = 0;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const double d = values[size_t(r * columns + c)] - row[size_t(r)] - column[size_t(c)] + mean;
      sum += d * d;
    }
  return sum / double((rows - 1) * (columns - 1));
}

double variance(const std::vector<double>& values) {
  double mean = 0, sum = 0;
  for (const double v : values) mean += v / double(values.size());
  for (const double v : values) sum += (v - mean) * (v - mean);
  return sum / double(values.size() - 1);
}

void find_transposition(const ScaleGrid& grid, ScaleReport& report) {
  const int64_t rows = grid.present_rows, columns = grid.present_columns;
  // packed words are transposed as a whole
  const int64_t unit = grid.kind == ScaleKind::kWords && columns % 4 == 0 ? 4 : 1, units = columns / unit;
  if ((rows - 1) * (columns - 1) < 8 || units < 2) return;
  std::vector<double> read;
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < columns; ++c) {
      const std::optional<double> log = logarithm(grid, grid.code(r, c));
      if (!log) return;
      read.push_back(*log);
    }
  const double as_read = left_over(read, rows, columns);
  if (std::set<double>(read.begin(), read.end()).size() < 8 || !(as_read > 0.5 * variance(read))) return;
  const auto reread = [&](const std::function<int64_t(int64_t r, int64_t u)>& from) {
    std::vector<double> values;
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) values.push_back(read[size_t(from(r, c / unit) * unit + c % unit)]);
    return left_over(values, rows, columns);
  };
  // the storage was written row by row and read column by column, or the reverse
  const double by_rows = reread([&](int64_t r, int64_t u) { return (r * units + u) % rows * units + (r * units + u) / rows; });
  const double by_columns = reread([&](int64_t r, int64_t u) { return u * rows + r; });
  const bool rows_first = by_rows <= by_columns;
  if (std::min(by_rows, by_columns) > 0.05 * as_read) return;
  const auto share = [&](double left) { return std::max(0.0, 100.0 * (1.0 - left / variance(read))); };
  report.findings.push_back(
      {fmt::format("transposed: the storage was written {} and is read {}", rows_first ? "row by row" : "column by column",
                   rows_first ? "column by column" : "row by row"),
       {fmt::format("where    all {} rows and {} groups", rows, columns),
        fmt::format(
            "why      as read, the magnitudes of tokens and channels explain {:.0f} % of the variance of log2(scale); in the "
            "other order {:.0f} %",
            share(as_read), share(std::min(by_rows, by_columns))),
        fmt::format("first    {}[0, {}] holds what belongs to {}", grid.name, unit,
                    rows_first ? fmt::format("row {}, group {}", rows / units, rows % units * unit)
                               : fmt::format("row {}, group {}", 1 % rows, 1 / rows * unit)),
        "example  2 rows of 2 groups with 4 different scales: the two scales off the diagonal are exchanged",
        "repair   transpose with a copy (a view of another shape moves nothing), or state the strides of the storage"}});
}

}  // namespace

void look_at_patterns(const ScaleGrid& grid, ScaleReport& report) {
  if (grid.present_rows == 0 || grid.present_columns == 0) return;
  const bool fp32_bits =
      !report.findings.empty() && report.findings.front().what.find("bits of an fp32 scale") != std::string::npos;
  if (fp32_bits) return;  // the words hold mantissa bits, whose patterns mean nothing
  find_stale_padding(grid, report);
  if (!grid.extent_known) find_constant_tail(grid, true, report);
  if (!grid.extent_known && grid.kind == ScaleKind::kWords) find_constant_tail(grid, false, report);
  find_repeated_rows(grid, report);
  find_transposition(grid, report);
}

namespace {

/// A group's log2(largest magnitude / scale).
struct Quotient {
  double log;
  bool may_be_bounded;  ///< the scale is the smallest of the tensor, which may be a lower bound: then the quotient is too small
};

/// The quotient of each group; nothing where the scale or the magnitude is missing.
std::vector<std::optional<Quotient>> quotients(const ScaleGrid& grid, const std::vector<double>& maxima) {
  std::vector<std::optional<double>> scales;
  for (int64_t r = 0; r < grid.present_rows; ++r)
    for (int64_t c = 0; c < grid.present_columns; ++c) scales.push_back(logarithm(grid, grid.code(r, c)));
  double least = INFINITY;
  for (const std::optional<double>& scale : scales) least = std::min(least, scale.value_or(INFINITY));
  std::vector<std::optional<Quotient>> result(scales.size());
  for (size_t i = 0; i < scales.size(); ++i)
    if (scales[i] && std::isfinite(maxima[i]) && maxima[i] > 0)
      result[i] = Quotient{std::log2(maxima[i]) - *scales[i], *scales[i] == least};
  return result;
}

/// Begin of the interval of this width that contains the most numbers.
double fullest(std::vector<double> numbers, double width) {
  std::sort(numbers.begin(), numbers.end());
  double best = 0;
  size_t most = 0;
  for (size_t first = 0, end = 0; first < numbers.size(); ++first) {
    while (end < numbers.size() && numbers[end] <= numbers[first] + width) ++end;
    if (end - first > most) most = end - first, best = numbers[first];
  }
  return best;
}

}  // namespace

void look_at_data(const ScaleGrid& grid, const std::vector<double>& maxima, ScaleReport& report) {
  constexpr int64_t kFewestGroups = 4, kFewestWrong = 4;
  if (grid.of_e4m3) return;  // their quotients also contain the global scale, and rounding to 4 bits
  if (grid.present_columns < kFewestGroups || maxima.size() != size_t(grid.present_rows * grid.present_columns)) return;
  const std::vector<std::optional<Quotient>> all = quotients(grid, maxima);
  std::vector<double> known;
  for (const std::optional<Quotient>& one : all)
    if (one) known.push_back(one->log);
  const bool powers = grid.kind != ScaleKind::kFloats || grid.powers_of_two;
  const double width = powers ? 1.01 : 0.02;  // 0.02: the scale or the data were rounded to bf16
  const double least = fullest(known, width);
  PlacesFound wrong;
  int64_t fitting_rows = 0, too_large = 0;
  double lowest = INFINITY, highest = -INFINITY, first = 0;
  for (int64_t r = 0; r < grid.present_rows; ++r) {
    int64_t fits = 0, fails = 0;
    for (int64_t c = 0; c < grid.present_columns; ++c) {
      const std::optional<Quotient> one = all[size_t(r * grid.present_columns + c)];
      if (!one || (one->may_be_bounded && one->log < least)) continue;
      if (least <= one->log && one->log <= least + width) {
        ++fits, lowest = std::min(lowest, one->log), highest = std::max(highest, one->log);
      } else {
        if (wrong.count == 0) first = one->log;
        too_large += one->log < least;
        ++fails, wrong.add(r, c);
      }
    }
    fitting_rows += fits >= kFewestGroups && fails == 0;
  }
  if (wrong.count < kFewestWrong || 2 * fitting_rows < grid.present_rows) return;
  const auto [row, column] = wrong.first;
  // A few at the ends of the interval may be right.
  const bool both_ways = 16 * std::min(too_large, wrong.count - too_large) >= wrong.count;
  const char* const what = both_ways ? "belong to other data: they do not fit x of the same file"
                           : 2 * too_large > wrong.count ? "are too large for x of the same file"
                                                         : "are too small for x of the same file";
  report.findings.push_back(
      {fmt::format("{} scales {}, while {} whole rows fit", wrong.count, what, fitting_rows),
       {"where    " + wrong.text(),
        fmt::format("first    {}[{}, {}] = {}: the largest |x| of its group is {:.4g} times the scale", grid.name, row, column,
                    code_text(grid, grid.code(row, column)), std::exp2(first)),
        fmt::format("         in groups whose scale fits, it is {:.4g} to {:.4g} times the scale", std::exp2(lowest), std::exp2(highest)),
        both_ways ? "why      these rows hold the scales of an earlier call, because this one did not write them (stale), or "
                    "the scales of other rows"
                  : "why      these scales were rounded differently, or computed from other elements of the group",
        "repair   check which rows the kernel's grid covers: most often it leaves out the rows after the last whole block"}});
}

}  // namespace assay
