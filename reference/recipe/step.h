// A recipe: a straight-line program over a closed alphabet of verbs. Cells of the contract tables parse into it.
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

/// Which bound a NaN meets first, and so what becomes of it.
enum class NanRule { kDrop, kKeep, kToLow, kToHigh };

/// How pow2 chooses the exponent: OCP's FLOOR, NVIDIA's RCEIL, torchao's EVEN and AITER's "0.75". They apply to
/// the already divided value.
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

}  // namespace assay
