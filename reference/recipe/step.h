// A recipe: a straight-line program over a closed set of steps. Cells of the contract tables are parsed to recipes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/formats/format.h"
#include "reference/formats/round.h"

namespace assay {

enum class Verb {
  kAdd, kSub, kMul, kFma, kDiv, kRdiv, kRcp, kNeg, kAbs, kMax, kMin, kClamp, kIf0, kIfLe,
  kCeil, kRint, kTrunc, kFtz, kPow2, kExp, kExp2, kLog2, kTanh, kErf, kSqrt, kRsqrt, kTo
};

/// Which bound of a clamp applies to NaN first, which determines the result.
enum class NanRule { kDrop, kKeep, kToLow, kToHigh };

/// How pow2 chooses the exponent: OCP's FLOOR, NVIDIA's RCEIL, torchao's EVEN and AITER's "0.75". They apply to
/// the already divided value.
enum class Pow2 { kFloor, kCeil, kEven, kThreeQuarters, kHalf };

/// Result for a number outside an integer format. NaN becomes 0 unless it is undefined: PTX ISA, cvt, and CDNA3 ISA,
/// v_cvt_i32_f32.
enum class BeyondInteger {
  kSaturate,
  kWrap,       ///< the low bits of a saturated int32
  kUndefined,  ///< C++ [conv.fpint]: any result is legal
};

/// A constant, already rounded to the working format; a named quantity ("s", "m", "r", "w"); or the product of two quantities,
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
  Operand a, b;                 ///< clamp: a upper, b lower bound; fma: a factor, b addend
  NanRule nan = NanRule::kDrop;
  Pow2 pow2 = Pow2::kCeil;
  const Format* target = nullptr;  ///< of `to`
  Rounding rounding = Rounding::kNearestEven;
  Overflow overflow = Overflow::kSpecial;
  BeyondInteger beyond = BeyondInteger::kSaturate;  ///< for `to` an integer format, and for integer sums
  bool keeps_infinity = false;  ///< for a saturating `to`: only finite numbers saturate, Inf stays Inf
  int slack_ulps = 0;         ///< allowed error: this many ulp of the working format,
  double slack_per_unit = 0;  ///< plus floor(this |v|) ulp, where v is the step's argument;
  double slack_relative = 0;  ///< or this fraction of the exact result
  bool fast = false;          ///< for rdiv: see its form
  bool contracted = false;    ///< for a sum: its product, or that of a preceding mul, may be added unrounded

  /// Whether the step has several legal results.
  bool is_free() const { return slack_ulps > 0 || slack_per_unit > 0 || slack_relative > 0 || fast || contracted; }
};

/// The reduction of many numbers that a cell starts with.
enum class Reduction { kNone, kAbsMax, kAbsMaxKeepNan, kAbsMaxOfAllNan, kLeast, kGreatest, kSquares, kDeviations };

/// The numbers that a reduction covers: all, or a wrong subset.
enum class Over { kAll, kNothing, kHalf, kTwice, kFirstRow, kNextRowToo };

struct Recipe {
  Reduction reduction = Reduction::kNone;
  Over over = Over::kAll;
  std::string start;  ///< named quantity that the steps start from, unless it is the op kind's default
  std::vector<Step> steps;

  bool empty() const { return steps.empty() && reduction == Reduction::kNone && start.empty(); }
  std::string text() const;  ///< the cell as text, with one blank between tokens
};

/// The share of its numbers that such a reduction covers, from the beginning.
double share(Over over);

/// Whether a step uses that quantity.
bool reads(const Recipe& recipe, const std::string& quantity);

/// Replaces one quantity by another.
void replace_quantity(Recipe& recipe, const std::string& from, const std::string& to);

}  // namespace assay
