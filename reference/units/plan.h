// Input of the fast loops: a unit as plain numbers, and factors decoded once. Shares no code with definition.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// Exponent of a zero that does not count: two of them plus a scale stay far below the exponent of any number.
inline constexpr int kZeroExponent = -(1 << 20);

struct UnitPlan {
  const Unit* unit;
  int blocks;              ///< per instruction
  int parts;               ///< separate sums in a block: splits, or groups
  int part;                ///< products per part
  int left_shift;          ///< left shift of a's significands, so that a product has fraction_bits below its exponent
  int right_shift;         ///< right shift of a product, if fraction_bits are fewer than the product has
  int chunk;               ///< number of products whose sum fits in 32 bits
  double group_unit;       ///< value of 1 in the sum of a group
  double least_normal;     ///< of format d
  double last_place;       ///< 2^-result_bits
  double full_last_place;  ///< 2^-mantissa_bits of d
  double beyond;           ///< 2^(exponent of the largest number of d + 1): a result rounded to this or more is Inf
  bool narrow;             ///< uses the block of narrow_block.h, so Decoded::narrow holds the factors
  int limit_exponent;      ///< products whose exponents sum to this or more may exceed product_limit
};

/// 32-bit words for two products of a narrow block: exponents, significands, and signs (a: the word that turns 1 into -1; b: 1 or
/// -1).
inline constexpr int kNarrowWords = 3;
inline constexpr int kNarrowZero = -(1 << 13);  ///< exponent of a zero in a narrow block

/// Decoded rows of a factor, per instruction in the order of product_order(). Rows of a: [row][step]; a panel of b: [step][lane].
struct Decoded {
  int steps = 0;                     ///< products, padded to whole instructions
  std::vector<int32_t> significand;  ///< signed; for integer formats the integers
  std::vector<int32_t> exponent;     ///< only for aligned sums
  std::vector<int32_t> narrow;       ///< instead of both: [row][pair][word] or [pair][word][lane]
  std::vector<float> value;          ///< only for pairwise sums
  std::vector<uint8_t> special;      ///< per row (or panel) and block: whether it holds a NaN or Inf
  std::vector<double> group_scale;   ///< only for groups: [row][group] or [group][lane]
  std::vector<int32_t> group_exponent;
};

/// Sums the products of a block with NaN or Inf, per lane; 0 where all are finite. `row` is relative to the first row of the
/// task.
using SpecialSums = std::function<void(int row, int block, float* sums)>;

/// Several rows of a tile and one panel.
struct UnitTask {
  const UnitPlan* plan;
  const Decoded* a;
  const Decoded* b;
  int rows;
  float* state;       ///< [row][lane]: c on entry, the result on return, as values of d including NaN and Inf
  int32_t* integers;  ///< the same for integer sums
  const SpecialSums* specials;
};

/// The loops for one instruction set.
struct UnitLoops {
  std::string_view name;  ///< "avx512vnni", "avx512", "avx2", "scalar"
  int lanes;              ///< columns of a panel
  bool narrow;            ///< supports narrow blocks
  void (*run)(const UnitTask& task);
};

inline constexpr int kMostLanes = 16;

UnitPlan plan_of(const Unit& unit, const UnitLoops& loops);

const UnitLoops* unit_loops_named(std::string_view name);  ///< nullptr if this processor lacks them
/// The best loops for this processor; the environment variable ASSAY_ISA selects lesser ones, as for lanes().
const UnitLoops& unit_loops();

}  // namespace assay
