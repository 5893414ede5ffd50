// The definition of one tensor core instruction: a parsed row of contracts/units.csv. README.md defines the cells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// How bits beyond the last kept bit are removed: truncation of the magnitude, or rounding toward -Inf.
enum class BitLoss { kTruncate, kFloor };

/// The exponent used to align a term.
enum class TermExponent {
  /// e_a + e_b of the operands, without renormalization; a subnormal has the exponent of the smallest normal number
  kSum,
  kNormalized,  ///< floor(log2 |a b|)
  kScales       ///< the sum of the exponents of the scales of a and b; the product's own exponent does not count
};

enum class ProductSum {
  kAligned,  ///< terms are truncated `fraction_bits` below the largest exponent, then added exactly
  kPairs,    ///< a binary tree of additions, each rounded to d
  kExact     ///< integer arithmetic
};

enum class AccumulatorJoin {
  kAligned,  ///< c is one of the aligned terms
  kJoined,   ///< products are added first, then the sum and c are aligned to each other
  kAdded     ///< one addition, rounded like the result
};

enum class ResultRounding { kTowardZero, kNearestEven, kWrap };

/// The largest values that a row may have.
inline constexpr int kMostTaken = 64;  ///< products per block
inline constexpr int kMostSplits = 4;
inline constexpr int kMostGroups = 32;  ///< groups per block

/// An exponent below the exponents of all terms.
inline constexpr int kNoExponent = -(1 << 20);

struct Unit {
  std::string id;
  const Format* a = nullptr;
  const Format* b = nullptr;
  const Format* d = nullptr;  ///< format of c and of the result
  int k = 0;                  ///< products per element in one instruction

  // order
  int interleave_period = 0;  ///< P of interleave(P,W) in README.md; 0: products are taken in ascending k
  int interleave_width = 0;   ///< W: k with k mod P < W come first, then those with W <= k mod P < 2 W, ...
  int take = 0;               ///< products per block; the result of a block is the c of the next block

  // exponent
  TermExponent exponent = TermExponent::kSum;
  /// Only for kSum: operands are converted to this format (exactly) before their exponents are read. nullptr: their exponents in
  /// their own format are used.
  const Format* exponents_in = nullptr;
  bool zeros_count = false;          ///< terms that are zero count when the largest exponent is determined
  int least_exponent = kNoExponent;  ///< lower limit of the largest exponent

  // sum
  ProductSum sum = ProductSum::kAligned;
  int splits = 1;  ///< number of separate sums in a block; products with the same k mod splits share one
  int group = 1;   ///< products that are added exactly into one term
  int fraction_bits = 0;  ///< bits that a term keeps below the largest exponent
  BitLoss loss = BitLoss::kTruncate;
  int join_fraction_bits = 0;  ///< bits that each of the `splits` sums keeps below their largest exponent when they are added
  BitLoss join_loss = BitLoss::kFloor;

  // c
  AccumulatorJoin join = AccumulatorJoin::kAligned;
  int sum_fraction_bits = 0;  ///< only for kJoined: bits that the sum keeps below the larger of its exponent and c's
  int c_fraction_bits = 0;    ///< only for kJoined: bits that c keeps below the same exponent
  BitLoss c_loss = BitLoss::kFloor;
  int c_drop = 0;       ///< a c whose exponent is more than this below the largest exponent counts as 0; 0: no such rule
  bool c_last = false;  ///< an instruction starts at 0; its c is added at the end and rounded to nearest

  // round
  ResultRounding rounding = ResultRounding::kTowardZero;
  int result_bits = 0;  ///< fraction bits that the result keeps: as many as d has, or fewer

  // scale
  const Format* scale = nullptr;  ///< nullptr: none
  int scale_block = 0;            ///< consecutive elements along k that share one scale

  // special
  uint32_t nan = 0;       ///< the only NaN code that a result has
  bool flush = false;     ///< subnormal operands, c and results count as zero
  int product_limit = 0;  ///< a product of at least 2^product_limit becomes Inf; 0: no limit

  bool known() const { return take > 0; }  ///< false: nothing is known about this instruction, so nothing is predicted
  bool operator==(const Unit&) const = default;
};

/// The formats that `exponents_in` may name for these operands: f16 or f32. A format qualifies if it represents every value of
/// both operands exactly, and every normal one as a normal number. It must also change the exponent of some operand value,
/// compared with the operand's own format and with the formats earlier in the list.
std::vector<const Format*> exponent_formats(const Format& a, const Format& b);

/// The k of each product, in the order in which blocks take them: `take` products per block, one partial sum after another.
std::vector<int> product_order(const Unit& unit);

}  // namespace assay
