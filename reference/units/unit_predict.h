// Fast prediction of tensor core instructions: the plan of a row, decoded operands, and whole GEMMs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "reference/formats/fields.h"
#include "reference/formats/format.h"
#include "reference/units/unit.h"

namespace assay {

// What the fast loops get: a unit in the numbers that they need, and factors decoded once. Nothing here is shared with
// unit_definition.cpp.

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

// What a tensor core returns for whole tiles of D = A * B^T + C: fast, on all cores, and equal to unit_definition.h bit for bit.

/// Codes of A [m, k] or B [n, k], k innermost. One code has Format::bytes() bytes; of tf32 a word of f32, whose upper 19 bits
/// count.
struct UnitFactor {
  const std::byte* codes = nullptr;
  int64_t pitch = 0;                  ///< codes from one row to the next
  bool two_in_a_byte = false;         ///< codes of 4 bits, that of the lower k in the low half; rows begin at whole bytes
  const std::byte* scales = nullptr;  ///< of a unit with scales: one code of a byte for every scale_block codes of a row
  int64_t scale_pitch = 0;
  bool operator==(const UnitFactor&) const = default;
};

struct UnitProduct {
  UnitFactor a, b;
  int64_t k = 0;  ///< what is beyond it in the last instruction is zero
  bool operator==(const UnitProduct&) const = default;
};

struct UnitTile {
  int64_t row = 0, rows = 0, column = 0, columns = 0;
};

/// Runs f(0) .. f(count - 1), in any order, on as many threads as it likes. The harness has for_each_in_parallel.
using ForEach = std::function<void(int64_t count, const std::function<void(int64_t)>& f)>;
void one_after_the_other(int64_t count, const std::function<void(int64_t)>& f);

/// Instructions for k in [first, end) of every element of a tile, in ascending k. `d` holds the codes of c (f32 and int32 as 32
/// bits, f16 in the low 16) and then those of the result; element [0, 0] of the tile comes first, rows are `pitch` codes apart.
/// What a kernel reads out every n instructions (to promote, to split) is what one call after the other leaves in `d`.
///
/// `first` is a multiple of the unit's k, and so is `end`, unless it is the product's k. Throws std::invalid_argument where that
/// is not so, for an unknown unit, and for missing scales.
void accumulate(const Unit& unit, const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                int64_t pitch, const ForEach& for_each = one_after_the_other, const UnitLoops& loops = unit_loops());

/// A unit with what each code is to its loops, for those that accumulate() many tiles of it: that is looked up once.
class PreparedUnit {
 public:
  explicit PreparedUnit(const Unit& unit, const UnitLoops& loops = unit_loops());

  void accumulate(const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d, int64_t pitch,
                  const ForEach& for_each = one_after_the_other) const;

 private:
  struct Tables;
  Unit unit_;
  std::shared_ptr<const Tables> tables_;  ///< null of an unknown unit
};

// Factors of a tensor core as its loops read them.

/// Codes of one factor, wherever they lie.
class FactorCodes {
 public:
  FactorCodes(const Unit& unit, const UnitFactor& factor, const Format& format, int64_t k);

  const Format& format() const { return format_; }
  uint32_t code(int64_t row, int64_t k) const;  ///< 0 beyond the last k
  /// How those k lie: bytes side by side, bytes of which none is beyond the last k, or otherwise.
  enum class Lie { kRun, kInside, kAnyhow };
  Lie lie_of(const std::vector<int64_t>& steps) const;
  /// The codes of one row at those k, which lie so.
  void read(int64_t row, const std::vector<int64_t>& steps, Lie lie, uint32_t* codes) const;
  /// Of the code there; beyond the last k that of the last code, and of a unit without scales 1.
  uint32_t scale_code(int64_t row, int64_t k) const;
  /// The number there times its scale.
  double value(int64_t row, int64_t k) const;

 private:
  const Unit& unit_;
  const UnitFactor& factor_;
  const Format& format_;
  int64_t k_;
};

/// The k of every product of the instructions from `first` to `end`, in the order in which they meet.
std::vector<int64_t> steps_of(const Unit& unit, int64_t first, int64_t end);

/// What each code of a format of at most 8 bits is to the loops: made once for all rows of a tile. Empty of wider formats.
struct CodeTable {
  using Halves = std::array<uint16_t, kNarrowWords>;  ///< what a code gives to each word of a narrow block
  std::array<Fields, 256> fields{};
  std::array<Halves, 256> halves{};
  std::array<uint8_t, 256> special{};  ///< whether it is not finite

  /// `lanes` as below.
  CodeTable(const UnitPlan& plan, const Format& format, int lanes);
};

/// `lanes` 0: rows [first_row, first_row + rows) of a, one after the other, their significands shifted. Else the same rows of b
/// as lanes of one panel; lanes beyond `rows` are zero.
Decoded decode_factor(const UnitPlan& plan, const FactorCodes& codes, const CodeTable& table, int64_t first_row, int rows, int lanes,
                      const std::vector<int64_t>& steps);

}  // namespace assay
