// Recipes: accepted intervals (spans), the steps of a recipe, the cells they are written in, the verbs, and the parser.
#pragma once

#include <cmath>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reference/exact/expression.h"
#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

// Intervals of accepted real numbers. Their ends are values of a working format with at most 24 significand bits.

/// The accepted values of one quantity. Exact (pinned): low == high. Both ends NaN: every correct kernel computes NaN. low NaN
/// and high Inf (`any`): some correct kernels compute NaN and others do not, so nothing is checked.
struct Span {
  double low, high;
  bool pinned() const {
    if (low == high) return low != 0 || std::signbit(low) == std::signbit(high);
    return std::isnan(low) && std::isnan(high);
  }
  bool any() const { return std::isnan(low) != std::isnan(high); }
};
inline Span point(double value) { return {value, value}; }
inline Span any_number() { return {std::nan(""), HUGE_VAL}; }

/// A row of intervals: an array of lower and one of upper ends. If all are exact, only `low` is used.
struct Spans {
  std::vector<double> low, high;

  Spans() = default;
  explicit Spans(std::vector<double> values) : low(std::move(values)) {}

  size_t size() const { return low.size(); }
  bool pinned() const { return high.empty(); }
  Span operator[](size_t i) const { return {low[i], pinned() ? low[i] : high[i]}; }
  void widen() {
    if (pinned()) high = low;
  }
  void set(size_t i, Span span) {
    if (!span.pinned()) widen();
    low[i] = span.low;
    if (!pinned()) high[i] = span.high;
  }
};

// A recipe: a list of steps that run in order. Cells of the contract tables are parsed to recipes.

enum class Verb {
  kAdd, kSub, kMul, kFma, kDiv, kRdiv, kRcp, kNeg, kAbs, kMax, kMin, kClamp, kIf0, kIfLe,
  kCeil, kRint, kTrunc, kFtz, kPow2, kExp, kExp2, kLog2, kTanh, kErf, kSqrt, kRsqrt, kTo
};

/// What max, min and clamp return for NaN: the other operand (kDrop), NaN (kKeep), or a clamp's lower or upper bound.
enum class NanRule { kDrop, kKeep, kToLow, kToHigh };

/// How pow2 rounds v to a power of two: down (OCP's FLOOR), up (NVIDIA's RCEIL), torchao's EVEN, or up if the significand is at
/// least 1.75 (kThreeQuarters) or 1.5 (kHalf), as AITER does. v is already divided by the largest value of the codes.
enum class Pow2 { kFloor, kCeil, kEven, kThreeQuarters, kHalf };

/// Result for a value outside an integer format. NaN becomes 0 unless the result is undefined. Sources: PTX ISA, cvt; CDNA3 ISA,
/// v_cvt_i32_f32.
enum class BeyondInteger {
  kSaturate,
  kWrap,       ///< the low bits of a saturated int32
  kUndefined,  ///< C++ [conv.fpint]: any result is legal
};

/// An operand: a constant rounded to the working format, a named quantity ("s", "m", "r", "w"), or the product of two quantities
/// rounded to the working format.
struct Operand {
  double constant = 0;
  std::string name;        ///< empty: the constant
  std::string times = {};  ///< the second factor of a product
  bool operator==(const Operand&) const = default;
};

struct Step {
  Verb verb = Verb::kAdd;
  std::string text;             ///< as written: "clamp(max_min,M)"
  const Format* working = nullptr;  ///< format that the result is rounded to
  Operand a, b;                 ///< the step's arguments, if it has some
  NanRule nan = NanRule::kDrop;
  Pow2 pow2 = Pow2::kCeil;
  const Format* target = nullptr;  ///< target format of `to`
  Rounding rounding = Rounding::kNearestEven;
  Overflow overflow = Overflow::kSpecial;
  BeyondInteger beyond = BeyondInteger::kSaturate;  ///< for `to` an integer format, and for integer sums
  bool keeps_infinity = false;  ///< for a saturating `to`: only finite numbers saturate, Inf stays Inf
  int slack_ulps = 0;         ///< allowed error: this many ulp of the working format,
  double slack_per_unit = 0;  ///< plus floor(slack_per_unit * |v|) ulp, where v is the step's argument;
  double slack_relative = 0;  ///< or slack_relative * |exact result|
  bool fast = false;          ///< for rdiv: 0 is accepted as well if |divisor| > 2^126 (__fdividef)
  bool contracted = false;    ///< for a sum: its product, or the product of the mul before it, may be added unrounded

  /// True if the step accepts several results.
  bool is_free() const { return slack_ulps > 0 || slack_per_unit > 0 || slack_relative > 0 || fast || contracted; }
};

/// The reduction of many numbers to one, with which a cell starts.
enum class Reduction { kNone, kAbsMax, kAbsMaxKeepNan, kAbsMaxOfAllNan, kLeast, kGreatest, kSquares, kDeviations };

/// The elements that a reduction covers: all of the group or row; in mutants others, such as half of them or two groups.
enum class Over { kAll, kNothing, kHalf, kTwice, kFirstRow, kNextRowToo, kAllButLast, kPositive };

struct Recipe {
  Reduction reduction = Reduction::kNone;
  Over over = Over::kAll;
  std::string start;  ///< named quantity that the steps start from; empty: the op kind's default
  std::vector<Step> steps;

  bool empty() const { return steps.empty() && reduction == Reduction::kNone && start.empty(); }
  std::string text() const;  ///< the cell as text, with one blank between tokens
};

/// The share of the elements that a reduction covers: 0 (kNothing), 0.5 (kHalf), 2 (kTwice), otherwise 1.
double share(Over over);

/// True if a step of the recipe uses `quantity`.
bool reads(const Recipe& recipe, const std::string& quantity);

/// Replaces one quantity by another.
void replace_quantity(Recipe& recipe, const std::string& from, const std::string& to);

// A parsed cell: a list of words with arguments, whose names are not resolved yet. Mutants of a contract modify it.

/// The text after '~' of a step.
struct CellSlack {
  std::string text = {};  ///< "~2"; empty if there is none
  int ulps = 0;
  double per_unit = 0, relative = 0;
  bool fma = false;
  bool given() const { return !text.empty(); }
};

struct CellArgument {
  std::string text;
  size_t position = 0;
};

/// One word of a cell: a step "to(x,rz)", a reduction "absmax", a working format "bf16:", or a start quantity "lo:".
struct CellStep {
  std::string word;  ///< "to"; a word that ends with a colon keeps it: "bf16:"
  std::vector<CellArgument> arguments = {};
  CellSlack slack = {};
  std::string text = {};  ///< as written
  size_t position = 0;    ///< index of its first character in the cell; 0 for a step created by a mutation

  /// A step created by a mutation. Its text is assembled from the word, the arguments and `slack`.
  static CellStep made(const std::string& word, std::initializer_list<std::string> arguments = {}, const CellSlack& slack = {});
  static CellStep made(const std::string& word, const std::vector<std::string>& arguments, const CellSlack& slack = {});

  /// The text of argument i; empty if there are fewer arguments.
  std::string argument(size_t i) const { return i < arguments.size() ? arguments[i].text : std::string(); }
  /// Texts of the arguments.
  std::vector<std::string> argument_texts() const;
  bool has_argument(std::string_view text) const;
  bool is_prefix() const { return word.ends_with(':'); }
};

/// Throws ParseError with the position in the cell.
std::vector<CellStep> read_cell(std::string_view cell);

/// The text of a cell with these steps.
std::string text_of(const std::vector<CellStep>& steps);

/// True if an argument is a named quantity: it has lower-case letters, such as `ub`. Constants are numbers or capital letters.
bool is_quantity(std::string_view argument);

// All verbs: how each is written, and what it computes on real numbers. A new verb needs a line in verbs.cpp, its function in
// elementary.cpp or eval.cpp, and a definition in testing/verb_definitions.h.

/// How the result changes as v grows and the operand stays the same: up, down, or depending on the operand's sign.
enum class Monotone { kUp, kDown, kBySign };

struct VerbInfo {
  Verb verb;
  std::string_view name;
  std::string_view form;     ///< how the step is written
  std::string_view meaning;  ///< real-number function, before the rounding to the working format
  Monotone monotone;
  bool rounds;  ///< false: the exact result is always a value of the working format, as for max
  /// Mutants: plausible wrong variants of the step (rounding, NaN, saturation); null: none.
  std::vector<CellStep> (*others)(const CellStep& step) = nullptr;
  /// Mutants that only special inputs expose; null: none.
  std::vector<CellStep> (*rare_others)(const CellStep& step) = nullptr;
};

std::span<const VerbInfo> all_verbs();
const VerbInfo* find_verb(std::string_view name);
const VerbInfo& info(Verb verb);

/// Mutants of a step. Also accepts reductions, which are words of a cell but not verbs.
std::vector<CellStep> other_forms(const CellStep& step);

/// All steps except step i, for mutants.
std::vector<CellStep> without(std::vector<CellStep> steps, size_t i);

/// Mutants of a step that only special inputs expose. For example, ties away from zero: of values with many bits, only one in
/// 2^16 lies halfway between two 16-bit values.
std::vector<CellStep> rare_forms(const CellStep& step);

/// The steps that a small mistake writes instead of one step: another operator, sign or constant.
struct Slip {
  std::string words;  ///< the wrong step in a mutant's name, such as "div(w)" for mul(w)
  std::vector<CellStep> steps;
};
std::vector<Slip> slips_of(const CellStep& step);

/// Mutants of the final conversion to codes: other roundings, other overflow rules.
std::vector<CellStep> other_casts(const CellStep& to);

// Parses the text of a cell to a recipe.

/// What the names in a cell stand for.
struct Names {
  std::map<std::string, std::string> constants;    ///< "M" -> "448": numbers as written in the row
  std::map<std::string, const Format*> formats;    ///< "x", "q" -> the formats of this case
  std::vector<std::string> quantities;             ///< provided by the op kind: "s", "m", "r", "w", "n", "eps"
};

/// Grammar of a cell: tokens separated by blanks.
///   WORK:           f32:, bf16:, f16:    the working format from here on (f32 at first)
///   NAME:           (first) start with that quantity instead of the op kind's default
///   absmax | absmax(keep) | squares       (first) reduction over the group or row; keep: NaN if any element is NaN
///   absmax(all)                           (first) NaN if all elements are NaN: the maximum starts from an element
///   deviations                            (first) squared deviations from the mean
///   verb, verb(args), verb(args)~k        a step; ~k: any result within k ulp of the working format is accepted,
///   verb~k+Cv, verb~2^-N                  within k + floor(C |v|) ulp for argument v, or within 2^-N of the exact result
///   verb(a*b)                             for add, sub, mul, div: a product of two quantities, rounded like a step
///   mul(c) add(a*b)~fma                   a compiler may leave one of the two products unrounded, by a fused multiply-add
///   mul(w) add(b)~fma                     the same for the product before the sum
/// Throws ParseError with the position in `cell` and what is allowed there.
Recipe parse_recipe(std::string_view cell, const Names& names);

/// parse_recipe() for a cell that read_cell() has parsed.
Recipe resolve(const std::vector<CellStep>& cell, const Names& names);

// Prints a recipe as a formula: "2^ceil(log2(max(amax / 448, 1e-10)))".

/// `value`: name of the start value. The formula names the working format of a step unless it is f32.
std::string formula(const Recipe& recipe, const std::string& value);

}  // namespace assay
