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

// Accepted reals: intervals whose ends lie on the grid of a working format of at most 24 bits.

/// The accepted reals of one quantity. Pinned: low == high. A NaN that every legal program gives: both ends NaN.
/// `any`: some legal program gives NaN and another does not; nothing can be said (low NaN, high Inf).
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

/// A row of them, structure of arrays. A row that is pinned throughout holds `low` alone.
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

// A recipe: a straight-line program over a closed alphabet of verbs. Cells of the contract tables parse into it.

enum class Verb {
  kAdd, kSub, kMul, kFma, kDiv, kRdiv, kRcp, kNeg, kAbs, kMax, kMin, kClamp, kIf0, kIfLe,
  kCeil, kRint, kTrunc, kFtz, kPow2, kExp, kExp2, kLog2, kTanh, kErf, kSqrt, kRsqrt, kTo
};

/// Which bound a NaN meets first, and so what becomes of it.
enum class NanRule { kDrop, kKeep, kToLow, kToHigh };

/// How pow2 chooses the exponent: FLOOR, RCEIL, EVEN and "0.75" of contracts/quant.md 8.1, on the already divided value.
enum class Pow2 { kFloor, kCeil, kEven, kThreeQuarters, kHalf };

/// What becomes of a number that an integer format does not hold. NaN counts as 0 where it is not undefined: PTX ISA, cvt, and
/// CDNA3 ISA, v_cvt_i32_f32.
enum class BeyondInteger {
  kSaturate,
  kWrap,       ///< the low bits of an int32 that saturated
  kUndefined,  ///< C++ [conv.fpint]: any result is legal
};

/// A constant, already rounded to the working format, or a quantity that the flow names ("s", "m", "r", "w"), or the product of
/// two of them, rounded to the working format.
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
  Operand a, b;                 ///< clamp: a upper, b lower bound; fma: a factor, b what is added
  NanRule nan = NanRule::kDrop;
  Pow2 pow2 = Pow2::kCeil;
  const Format* target = nullptr;  ///< of `to`
  Rounding rounding = Rounding::kNearestEven;
  Overflow overflow = Overflow::kSpecial;
  BeyondInteger beyond = BeyondInteger::kSaturate;  ///< of `to` an integer format, and of a sum in one
  bool keeps_infinity = false;  ///< of `to` that saturates: finite numbers alone do, Inf stays Inf
  int slack_ulps = 0;         ///< the result may be off by this many ulp of the working format,
  double slack_per_unit = 0;  ///< and by floor(this |v|) ulp more, v what the step takes;
  double slack_relative = 0;  ///< or by this part of the exact result
  bool fast = false;          ///< of rdiv: see its form
  bool contracted = false;    ///< of a sum: its product, or the one that a mul before it made, may go in unrounded

  /// Whether the step leaves its result free.
  bool is_free() const { return slack_ulps > 0 || slack_per_unit > 0 || slack_relative > 0 || fast || contracted; }
};

/// What a cell takes from many numbers before its first step.
enum class Reduction { kNone, kAbsMax, kAbsMaxKeepNan, kAbsMaxOfAllNan, kLeast, kGreatest, kSquares, kDeviations };

/// Of which numbers a reduction is: of all that it should be, or of what a kernel takes by mistake.
enum class Over { kAll, kNothing, kHalf, kTwice, kFirstRow, kNextRowToo };

struct Recipe {
  Reduction reduction = Reduction::kNone;
  Over over = Over::kAll;
  std::string start;  ///< named quantity the steps begin with, if not the flow's own
  std::vector<Step> steps;

  bool empty() const { return steps.empty() && reduction == Reduction::kNone && start.empty(); }
  std::string text() const;  ///< the cell again, one blank between tokens
};

/// How much of its numbers such a reduction takes, from their beginning.
double share(Over over);

/// Whether a step takes that quantity.
bool reads(const Recipe& recipe, const std::string& quantity);

/// The recipe with another quantity in the place of that one.
void replace_quantity(Recipe& recipe, const std::string& from, const std::string& to);

// A cell as it is read: its words with their arguments, before names stand for numbers. Edits of a contract are edits of these.

/// What stands after '~' of a step.
struct CellSlack {
  std::string text = {};  ///< "~2"; empty without one
  int ulps = 0;
  double per_unit = 0, relative = 0;
  bool fma = false;
  bool given() const { return !text.empty(); }
};

struct CellArgument {
  std::string text;
  size_t position = 0;
};

/// One word of a cell: a step "to(x,rz)", a reduction "absmax", a working format "bf16:" or a beginning "lo:".
struct CellStep {
  std::string word;  ///< "to"; of a prefix with its colon, "bf16:"
  std::vector<CellArgument> arguments = {};
  CellSlack slack = {};
  std::string text = {};  ///< as it is written
  size_t position = 0;    ///< in the cell; 0 in a step that an edit has made

  /// One that an edit makes; `slack` as it is written.
  static CellStep made(const std::string& word, std::initializer_list<std::string> arguments = {}, const CellSlack& slack = {});
  static CellStep made(const std::string& word, const std::vector<std::string>& arguments, const CellSlack& slack = {});

  /// The argument, or nothing if there are fewer.
  std::string argument(size_t i) const { return i < arguments.size() ? arguments[i].text : std::string(); }
  /// Texts of the arguments.
  std::vector<std::string> argument_texts() const;
  bool has_argument(std::string_view text) const;
  bool is_prefix() const { return word.ends_with(':'); }
};

/// Throws ParseError with the position in the cell.
std::vector<CellStep> read_cell(std::string_view cell);

/// The cell that reads as these steps.
std::string text_of(const std::vector<CellStep>& steps);

/// Whether an argument is named by the flow: letters, as in `ub`, where constants are numbers and capitals.
bool is_quantity(std::string_view argument);

// The alphabet: every verb of the recipes with its form, its meaning in real arithmetic and how it runs with its argument.
// It is closed: a new verb is a reviewed change of this table, lanes.cpp and testing/verb_definitions.h.

/// How the result moves with the value, for a fixed operand.
enum class Monotone { kUp, kDown, kBySign };

struct VerbInfo {
  Verb verb;
  std::string_view name;
  std::string_view form;     ///< how it is written
  std::string_view meaning;  ///< before the one rounding to the working format
  Monotone monotone;
  bool rounds;  ///< false: the result is on the grid already
  /// The same step with another rule, as a kernel might have it by mistake: of rounding, of NaN, of saturation; null: there is none.
  std::vector<CellStep> (*others)(const CellStep& step) = nullptr;
  /// The same, of mistakes that only data made for them can show; null: there is none.
  std::vector<CellStep> (*rare_others)(const CellStep& step) = nullptr;
};

std::span<const VerbInfo> all_verbs();
const VerbInfo* find_verb(std::string_view name);
const VerbInfo& info(Verb verb);

/// What a step could be by mistake. A reduction has no verb and is known here too.
std::vector<CellStep> other_forms(const CellStep& step);

/// What a step could be by mistake that only data made for it can show: of numbers with many bits one in 2^16 lies halfway
/// between two of 16 bits.
std::vector<CellStep> rare_forms(const CellStep& step);

/// The last step of codes that are integers, with another rule of rounding or of overflow.
std::vector<CellStep> other_casts(const CellStep& to);

// From the text of a cell to a recipe.

/// What names may stand for in a cell.
struct Names {
  std::map<std::string, std::string> constants;    ///< "M" -> "448": numbers as written in the row
  std::map<std::string, const Format*> formats;    ///< "x", "q" -> the formats of this case
  std::vector<std::string> quantities;             ///< named by the flow: "s", "m", "r", "w", "n", "eps"
};

/// Grammar of a cell: tokens with blanks between them.
///   WORK:            f32:, bf16:, f16:    the working format from here on (f32 at first)
///   NAME:            (first) begin with that quantity instead of the flow's own
///   absmax | absmax(keep) | squares       (first) reduction over the group or row; keep: NaN if one is NaN
///   absmax(all)                           (first) NaN where all are NaN: a maximum that begins with a number of them
///   deviations                            (first) squares of what is left of a number once the mean was taken off
///   verb, verb(args), verb(args)~k        a step; ~k leaves the result free by k ulp of the working format,
///   verb~k+Cv, verb~2^-N                  by k + floor(C |v|) ulp, v what the step takes, or by 2^-N of the exact result
///   verb(a*b)                             of add, sub, mul, div: a product of two quantities, rounded like a step
///   mul(c) add(a*b)~fma                   one of the two products may go into the sum unrounded, as in a fused multiply-add
///   mul(w) add(b)~fma                     the product before it may
/// Throws ParseError with the position in `cell` and what is allowed there.
Recipe parse_recipe(std::string_view cell, const Names& names);

/// The same of a cell that is read already.
Recipe resolve(const std::vector<CellStep>& cell, const Names& names);

// A recipe as a formula for people: "2^ceil(log2(max(amax / 448, 1e-10)))".

/// `value` names what the recipe begins with. Every operation is rounded to the working format; where that is not f32 it is marked.
std::string formula(const Recipe& recipe, const std::string& value);

}  // namespace assay
