// What the fast loops get: a unit in the numbers that they need, and factors decoded once. Nothing here is shared with
// definition.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// Exponent of a zero that does not count: no sum of two of them and a scale comes near that of a number.
inline constexpr int kZeroExponent = -(1 << 20);

struct UnitPlan {
  const Unit* unit;
  int blocks;              ///< of an instruction
  int parts;               ///< sums of their own in a block: splits, or groups
  int part;                ///< products of one
  int left_shift;          ///< of a's significands, so that a product has fraction_bits below its exponent
  int right_shift;         ///< of a product, where fraction_bits are fewer than it has
  int chunk;               ///< products that 32 bits hold the sum of
  double group_unit;       ///< value of 1 in a sum of a group
  double least_normal;     ///< of d
  double last_place;       ///< 2^-result_bits
  double full_last_place;  ///< 2^-mantissa_bits of d
  double beyond;           ///< 2^(exponent of the largest number of d + 1): what rounds to it is Inf
  bool narrow;             ///< by the block of narrow_block.h: Decoded::narrow holds the factors
  int limit_exponent;      ///< from this sum of exponents on a product may be beyond product_limit
};

/// Words of 32 bits for two products of a narrow block: exponents, significands, what turns a 1 into -1; of b signs, 1 or -1.
inline constexpr int kNarrowWords = 3;
inline constexpr int kNarrowZero = -(1 << 13);  ///< exponent of a zero there

/// Rows of a factor, in the order of product_order() for every instruction. Rows of a: [row][step]; a panel of b: [step][lane].
struct Decoded {
  int steps = 0;                     ///< products, whole instructions
  std::vector<int32_t> significand;  ///< with sign; integers themselves
  std::vector<int32_t> exponent;     ///< of an aligned sum
  std::vector<int32_t> narrow;       ///< instead of both: [row][pair][word] or [pair][word][lane]
  std::vector<float> value;          ///< of pairs
  std::vector<uint8_t> special;      ///< of each row (or of the panel) and block: holds a number that is not finite
  std::vector<double> group_scale;   ///< of groups: [row][group] or [group][lane]
  std::vector<int32_t> group_exponent;
};

/// Sums the products of a block that are not finite, for each lane: 0 where all are. `row` counts from the task's first.
using SpecialSums = std::function<void(int row, int block, float* sums)>;

/// Some rows of a tile against one panel.
struct UnitTask {
  const UnitPlan* plan;
  const Decoded* a;
  const Decoded* b;
  int rows;
  float* state;       ///< [row][lane]: c, then the result; values of d, NaN and Inf as such
  int32_t* integers;  ///< the same of an exact sum
  const SpecialSums* specials;
};

/// The loops of one instruction set.
struct UnitLoops {
  std::string_view name;  ///< "avx512vnni", "avx512", "avx2", "scalar"
  int lanes;              ///< columns of a panel
  bool narrow;            ///< has a narrow block
  void (*run)(const UnitTask& task);
};

inline constexpr int kMostLanes = 16;

UnitPlan plan_of(const Unit& unit, const UnitLoops& loops);

const UnitLoops* unit_loops_named(std::string_view name);  ///< nullptr if this processor lacks them
/// The best that this processor has; ASSAY_ISA asks for lesser ones, as of lanes().
const UnitLoops& unit_loops();

}  // namespace assay
