// Writes rows of units.csv as formulas and as cells; makes mutants of a row.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "reference/recipe/recipe.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

std::string number(int n) { return std::to_string(n); }

std::string lost(BitLoss loss) { return loss == BitLoss::kTruncate ? "trunc" : "floor"; }

std::string maximum(const Unit& u, const std::string& of) {
  const std::string least = u.least_exponent == kNoExponent ? "" : ", at least " + number(u.least_exponent);
  return "max e of " + of + (u.zeros_count ? ", including zeros" : ", without zeros") + least;
}

std::string result(const Unit& u, const std::string& sum) {
  const std::string how = u.rounding == ResultRounding::kTowardZero ? "rounded toward zero" : "rounded to nearest even";
  return "d = " + sum + ", " + how + " to " + number(u.result_bits) + " fraction bits of " + std::string(u.d->name) +
         "; a zero is +0, even if a negative sum rounds to zero";
}

void aligned_lines(const Unit& u, std::vector<std::string>& lines) {
  const std::string scaled = u.scale ? " * s_a * s_b" : "", scale_exponents = u.scale ? " + e_s" : "";
  std::string exponent = "e = e_a + e_b" + scale_exponents + " (a subnormal has the exponent of the smallest normal number" +
                         (u.exponents_in ? " of " + std::string(u.exponents_in->name) : "") + ")";
  if (u.exponent == TermExponent::kNormalized) exponent = "e = floor(log2 |t|)";
  if (u.exponent == TermExponent::kScales) exponent = "e = e_s, the sum of the scales' exponents";
  const std::string term = u.group > 1 ? "t = (sum of " + number(u.group) + " products a * b)" + scaled : "t = a * b" + scaled;
  lines.push_back(term + "; " + exponent);
  const std::string step = "2^(E - " + number(u.fraction_bits) + ")";
  if (u.join == AccumulatorJoin::kAligned) {
    lines.push_back("E = " + maximum(u, "all t and c"));
    lines.push_back("S = sum of " + lost(u.loss) + "(t / " + step + ") and " + lost(u.loss) + "(c / " + step + ")");
    lines.push_back(result(u, "S * " + step));
    return;
  }
  const std::string part = u.splits > 1 ? " of k mod " + number(u.splits) : "";
  lines.push_back("E = " + maximum(u, "all t" + part) + "; S = sum of " + lost(u.loss) + "(t / " + step + ") * " + step);
  if (u.splits > 1) {
    const std::string joined = "2^(max E - " + number(u.join_fraction_bits) + ")";
    lines.push_back("S = sum of " + lost(u.join_loss) + "(S / " + joined + ") * " + joined);
  }
  const std::string s_step = "2^(M - " + number(u.sum_fraction_bits) + ")", c_step = "2^(M - " + number(u.c_fraction_bits) + ")";
  lines.push_back("M = max of E and e_c; S = " + lost(u.c_loss) + "(S / " + s_step + ") * " + s_step + "; c = " + lost(u.c_loss) +
                  "(c / " + c_step + ") * " + c_step + (u.c_drop == 0 ? "" : "; c = 0 where e_c < M - " + number(u.c_drop)));
  lines.push_back(result(u, "S + c"));
}

}  // namespace

std::vector<std::string> unit_lines(const Unit& u) {
  if (!u.known()) return {"its arithmetic is undocumented, so nothing is predicted"};
  std::vector<std::string> lines;
  const std::string order = u.interleave_period == 0
                                ? "in ascending k"
                                : "first k mod " + number(u.interleave_period) + " < " + number(u.interleave_width) +
                                      ", then the next " + number(u.interleave_width) + " remainders";
  lines.push_back("blocks of " + number(u.take) + " of the " + number(u.k) + " products, " + order +
                  "; the d of a block is the c of the next block");
  if (u.sum == ProductSum::kExact)
    lines.push_back("d = c + sum of a * b, modulo 2^" + number(u.d->bits));
  else if (u.sum == ProductSum::kPairs)
    lines.push_back("d = c + pairwise tree of the products a * b, each product and sum rounded to " + std::string(u.d->name) +
                    "; a product or sum that rounds to zero keeps its sign");
  else
    aligned_lines(u, lines);
  if (u.c_last)
    lines.push_back("each instruction starts from 0; at its end D = C + d, rounded to the nearest " + std::string(u.d->name));
  if (u.flush) lines.push_back("subnormal a, b, c and results count as 0");
  if (u.product_limit != 0) lines.push_back("|a * b| >= 2^" + number(u.product_limit) + " is Inf");
  return lines;
}

namespace {

/// A word with its arguments, such as "joined(31,24)".
std::string word(const char* name, std::initializer_list<int> numbers) {
  std::string text = name;
  const char* before = "(";
  for (const int n : numbers) text.append(before).append(std::to_string(n)), before = ",";
  return text.append(")");
}

std::string loss_word(BitLoss loss) { return loss == BitLoss::kTruncate ? " truncate" : " floor"; }

std::string order_of(const Unit& u) {
  const std::string take = word("take", {u.take});
  return u.interleave_period == 0 ? take : word("interleave", {u.interleave_period, u.interleave_width}).append(" ").append(take);
}

std::string exponent_of(const Unit& u) {
  if (u.sum != ProductSum::kAligned) return "";
  std::string text = u.exponent == TermExponent::kSum          ? "ea+eb"
                     : u.exponent == TermExponent::kNormalized ? "normalized"
                                                               : "scales";
  if (u.exponents_in) text.append(" in(").append(u.exponents_in->name).append(")");
  if (u.zeros_count) text += " zeros";
  if (u.least_exponent != kNoExponent) text.append(" ").append(word("least", {u.least_exponent}));
  return text;
}

std::string sum_of(const Unit& u) {
  if (u.sum == ProductSum::kPairs) return "pairs";
  if (u.sum == ProductSum::kExact) return "exact";
  std::string text = u.group > 1    ? word("group", {u.group}).append(" ")
                     : u.splits > 1 ? word("split", {u.splits}).append(" ")
                                    : "";
  text.append(word("align", {u.fraction_bits})).append(loss_word(u.loss));
  if (u.splits > 1) text.append(" ").append(word("join", {u.join_fraction_bits})).append(loss_word(u.join_loss));
  return text;
}

std::string c_of(const Unit& u) {
  if (u.join == AccumulatorJoin::kAdded) return "added";
  std::string text = "aligned";
  if (u.join == AccumulatorJoin::kJoined) {
    text = word("joined", {u.sum_fraction_bits, u.c_fraction_bits}) + loss_word(u.c_loss);
    if (u.c_drop != 0) text.append(" ").append(word("drop", {u.c_drop}));
  }
  return u.c_last ? text + " last" : text;
}

std::string round_of(const Unit& u) {
  if (u.rounding == ResultRounding::kWrap) return "wrap";
  return word(u.rounding == ResultRounding::kTowardZero ? "rz" : "rne", {u.result_bits});
}

std::string special_of(const Unit& u) {
  if (u.sum == ProductSum::kExact) return "";
  char nan[24];
  std::snprintf(nan, sizeof nan, "nan(%x)", u.nan);
  std::string text = nan;
  if (u.flush) text.append(" flush");
  if (u.product_limit != 0) text.append(" ").append(word("inf", {u.product_limit}));
  return text;
}

}  // namespace

std::map<std::string, std::string> step_cells(const Unit& u) {
  const std::string scale = u.scale ? std::string(u.scale->name) + "/" + std::to_string(u.scale_block) : "";
  return {{"order", order_of(u)}, {"exponent", exponent_of(u)}, {"sum", sum_of(u)}, {"c", c_of(u)}, {"round", round_of(u)},
          {"scale", scale},       {"special", special_of(u)}};
}

namespace {

using CellSteps = std::vector<CellStep>;

class UnitEdits {
 public:
  explicit UnitEdits(const UnitRow& row) : row_(row) {}

  /// Adds the mutant that replaces `count` words from word `first` on by `by`. Skips mutants that the loader rejects.
  void replace(const std::string& column, const CellSteps& cell, size_t first, size_t count, const CellSteps& by) {
    CellSteps words(cell.begin(), cell.begin() + std::ptrdiff_t(first));
    words.insert(words.end(), by.begin(), by.end());
    words.insert(words.end(), cell.begin() + std::ptrdiff_t(first + count), cell.end());
    const CellSteps old(cell.begin() + std::ptrdiff_t(first), cell.begin() + std::ptrdiff_t(first + count));
    const std::string was = old.empty() ? "nothing" : text_of(old), is = by.empty() ? "missing" : text_of(by);
    UnitNeighbour edited{column + ": " + was + " -> " + is, row_};
    edited.row.cells[column].text = text_of(words);
    const auto same = [&](const UnitNeighbour& other) { return other.row.text(column) == edited.row.text(column); };
    if (edited.row.text(column) == row_.text(column) || std::any_of(all.begin(), all.end(), same)) return;
    try {
      edited.row.unit = read_unit(edited.row);
      all.push_back(std::move(edited));
    } catch (const TableError&) {
    }
  }

  std::vector<UnitNeighbour> all;

 private:
  const UnitRow& row_;
};

/// Adds mutants of each number of a word: minus and plus one; half and double for numbers that must divide others.
void edit_numbers(UnitEdits& edits, const std::string& column, const CellSteps& cell, size_t at) {
  const CellStep& word = cell[at];
  if (word.word == "nan" || word.word == "interleave" || word.word == "split") return;
  for (size_t i = 0; i < word.arguments.size(); ++i) {
    const int n = std::atoi(word.argument(i).c_str());
    const bool divides = word.word == "take" || word.word == "group";
    for (const int other : {divides ? n / 2 : n - 1, divides ? 2 * n : n + 1}) {
      std::vector<std::string> arguments = word.argument_texts();
      arguments[i] = std::to_string(other);
      edits.replace(column, cell, at, 1, {CellStep::made(word.word, arguments)});
    }
  }
}

/// The words that may replace `word`.
CellSteps others_of(const CellStep& word, const Unit& unit) {
  static const std::pair<const char*, const char*> like[] = {{"truncate", "floor"}, {"ea+eb", "normalized"}};
  CellSteps others;
  for (const auto& [one, other] : like) {
    if (word.word == one) others.push_back(CellStep::made(other));
    if (word.word == other) others.push_back(CellStep::made(one));
  }
  if (word.word == "rz" || word.word == "rne") {
    others.push_back(CellStep::made(word.word == "rz" ? "rne" : "rz", word.argument_texts()));
    others.push_back(CellStep::made(word.word, {std::to_string(unit.d->mantissa_bits)}));
  }
  if (word.word == "nan") {
    char quiet[16];  // IEEE 754 quiet NaN with an empty payload
    std::snprintf(quiet, sizeof quiet, "%x", code_of(*unit.d, __builtin_nan("")));
    others.push_back(CellStep::made("nan", {quiet}));
  }
  return others;
}

/// Number of words of the exponent rule that begins at word `at`: two for "ea+eb in(f16)", one for "ea+eb".
size_t exponent_words(const CellSteps& cell, size_t at) { return at + 1 < cell.size() && cell[at + 1].word == "in" ? 2 : 1; }

bool may_be_missing(const CellStep& word) {
  for (const char* name : {"interleave", "in", "zeros", "least", "last", "drop", "flush", "inf"})
    if (word.word == name) return true;
  return false;
}

/// Adds mutants with one more word, at the end of the cell or, where the order matters, after the first word. For example
/// `in(f16)`: on GPUs without native fp8 instructions, a compiler unpacks fp8 to f16.
void edit_additions(UnitEdits& edits, const std::string& column, const CellSteps& cell) {
  if (cell.empty()) return;
  if (column == "exponent") edits.replace(column, cell, exponent_words(cell, 0), 0, {CellStep::made("zeros")});
  if (column == "exponent" && exponent_words(cell, 0) == 1) edits.replace(column, cell, 1, 0, {CellStep::made("in", {"f16"})});
  if (column == "c") edits.replace(column, cell, cell.size(), 0, {CellStep::made("last")});
  if (column == "special") edits.replace(column, cell, 1, 0, {CellStep::made("flush")});
}

/// The mutant with one sum instead of several: of "split(2) align(24) truncate join(24) floor" only "align(24) truncate" remains.
void edit_split(UnitEdits& edits, const std::string& column, const CellSteps& cell) {
  if (column != "sum" || cell.size() != 5) return;
  edits.replace(column, cell, 0, 5, {cell[1], cell[2]});
}

}  // namespace

std::vector<UnitNeighbour> unit_neighbours(const UnitRow& row) {
  UnitEdits edits(row);
  if (!row.unit.known()) return {};
  for (const std::string& column : unit_step_columns()) {
    if (column == "scale") continue;  // format and block size of the scales, not arithmetic
    const CellSteps cell = read_cell(row.text(column));
    for (size_t at = 0; at < cell.size(); ++at) {
      edit_numbers(edits, column, cell, at);
      for (const CellStep& other : others_of(cell[at], row.unit))
        edits.replace(column, cell, at, exponent_words(cell, at), {other});
      if (may_be_missing(cell[at])) edits.replace(column, cell, at, 1, {});
    }
    edit_additions(edits, column, cell);
    edit_split(edits, column, cell);
  }
  return std::move(edits.all);
}

}  // namespace assay
