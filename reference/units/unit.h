// What one instruction of a tensor core makes of its operands: a row of contracts/units.csv, read. README.md defines the cells.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/formats/format.h"

namespace assay {

/// How bits that do not fit are lost: those of a magnitude, or of a number in the direction of -Inf.
enum class BitLoss { kTruncate, kFloor };

/// The exponent that a term is aligned by.
enum class TermExponent {
  kSum,         ///< e_a + e_b of the factors, not renormalized; of a subnormal that of the least normal number
  kNormalized,  ///< floor(log2 |a b|)
  kScales       ///< of the scales alone
};

enum class ProductSum {
  kAligned,  ///< terms lose what lies below `fraction_bits` under the largest exponent, then they are added exactly
  kPairs,    ///< a tree of neighbours, each addition rounded to d
  kExact     ///< integers
};

enum class AccumulatorJoin {
  kAligned,  ///< c is one of the aligned terms
  kJoined,   ///< the sum and c are aligned to each other once the products are added
  kAdded     ///< one addition, rounded as the result
};

enum class ResultRounding { kTowardZero, kNearestEven, kWrap };

/// What a row may have at most.
inline constexpr int kMostTaken = 64;  ///< products of a block
inline constexpr int kMostSplits = 4;
inline constexpr int kMostGroups = 32;  ///< of a block

/// No exponent is as low.
inline constexpr int kNoExponent = -(1 << 20);

struct Unit {
  std::string id;
  const Format* a = nullptr;
  const Format* b = nullptr;
  const Format* d = nullptr;  ///< of c and of the result
  int k = 0;                  ///< products of one instruction and element

  // order
  int interleave_period = 0;  ///< 0: products meet in ascending k
  int interleave_width = 0;
  int take = 0;  ///< products of a block; the result of a block is the c of the next

  // exponent
  TermExponent exponent = TermExponent::kSum;
  /// Of kSum: the format that factors are converted to, exactly, before they have exponents; nullptr: their own.
  const Format* exponents_in = nullptr;
  bool zeros_count = false;          ///< terms that are zero take part in the maximum
  int least_exponent = kNoExponent;  ///< the maximum is at least this

  // sum
  ProductSum sum = ProductSum::kAligned;
  int splits = 1;  ///< sums of their own, of k mod splits
  int group = 1;   ///< products that are added exactly to make one term
  int fraction_bits = 0;
  BitLoss loss = BitLoss::kTruncate;
  int join_fraction_bits = 0;  ///< of the sums that meet after a split
  BitLoss join_loss = BitLoss::kFloor;

  // c
  AccumulatorJoin join = AccumulatorJoin::kAligned;
  int sum_fraction_bits = 0;  ///< of kJoined
  int c_fraction_bits = 0;
  BitLoss c_loss = BitLoss::kFloor;
  int c_drop = 0;       ///< a c with an exponent so much below the maximum and more counts as 0; 0: none
  bool c_last = false;  ///< an instruction begins with 0 and its c is added at the end, rounded to the nearest

  // round
  ResultRounding rounding = ResultRounding::kTowardZero;
  int result_bits = 0;  ///< fraction bits of a result; Format::mantissa_bits of d, or less

  // scale
  const Format* scale = nullptr;  ///< nullptr: none
  int scale_block = 0;            ///< neighbours in k that share one

  // special
  uint32_t nan = 0;       ///< the one code of a result that is NaN
  bool flush = false;     ///< subnormals are zero
  int product_limit = 0;  ///< a product of at least 2^product_limit is Inf; 0: products have no limit

  bool known() const { return take > 0; }  ///< false: nothing is predicted
  bool operator==(const Unit&) const = default;
};

/// What `exponents_in` may be with such factors: f16 and f32 where they hold every number of both, normal ones as such, and where some number has
/// another exponent than by itself, and than in the format before.
std::vector<const Format*> exponent_formats(const Format& a, const Format& b);

/// The k of each product in the order in which blocks take them: `splits` runs of neighbours in every block of `take`.
std::vector<int> product_order(const Unit& unit);

}  // namespace assay
