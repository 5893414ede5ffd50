// Fast prediction of tensor core instructions: precomputed parameters of a row, decoded operands, and whole GEMMs.
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

// Input of the fast loops: an instruction's parameters in the form that the loops need, and operands that are decoded once.
// Shares no code with unit_definition.cpp.

/// Exponent of a zero that does not count in the largest exponent: twice this plus a scale is far below every value's exponent.
inline constexpr int kZeroExponent = -(1 << 20);

struct UnitPlan {
  const Unit* unit;
  int blocks;              ///< number of blocks per instruction
  int parts;               ///< separate sums in a block: splits, or groups
  int part;                ///< number of products in each of these sums
  int left_shift;          ///< left shift of a's mantissas that gives products at least fraction_bits bits below their exponents
  int right_shift;         ///< right shift of products that have more than fraction_bits bits below their exponents
  int chunk;               ///< number of shifted products whose sum fits in 32 bits for any codes
  double group_unit;       ///< the real value of one unit of a group's integer sum
  double least_normal;     ///< of format d
  double last_place;       ///< 2^-result_bits
  double full_last_place;  ///< 2^-mantissa_bits of d
  double beyond;           ///< 2^(1 + exponent of the largest finite value of d): a result that rounds to this or more is Inf
  bool narrow;             ///< uses the narrow block of unit_loops.cpp, so Decoded::narrow holds the operands
  int limit_exponent;      ///< products whose exponents sum to this or more may exceed product_limit
};

/// In a narrow block, three 32-bit words hold the factors of two products, 16 bits each: exponents, mantissas, signs. The sign of
/// b is 1 or -1. The sign of a is 0 or -2; xor with it keeps or changes the sign of b.
inline constexpr int kNarrowWords = 3;
inline constexpr int kNarrowZero = -(1 << 13);  ///< exponent of a zero in a narrow block

/// Decoded rows of an operand; the products of each instruction are in the order of product_order(). Layout: [row][product] for
/// a, [product][lane] for a panel of b.
struct Decoded {
  int steps = 0;                     ///< products of a row, padded to whole instructions
  std::vector<int32_t> significand;  ///< signed; for integer formats the integers
  std::vector<int32_t> exponent;     ///< only for aligned sums
  std::vector<int32_t> narrow;       ///< in place of both above: [row][pair][word] for a, [pair][word][lane] for b
  std::vector<float> value;          ///< only for pairwise sums
  std::vector<uint8_t> special;      ///< per row (or panel) and block: whether it contains NaN or Inf
  std::vector<double> group_scale;   ///< only for groups: [row][group] or [group][lane]
  std::vector<int32_t> group_exponent;
};

/// Writes to `sums`, for each lane, the sum of those products of a block that are NaN or Inf; 0 if all are finite. `row` counts
/// from the first row of the task.
using SpecialSums = std::function<void(int row, int block, float* sums)>;

/// Work for one call of the loops: some rows of a tile, and one panel of b (`lanes` columns).
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
  bool narrow;            ///< has the fast path for narrow blocks; see unit_loops.cpp
  void (*run)(const UnitTask& task);
};

inline constexpr int kMostLanes = 16;

UnitPlan plan_of(const Unit& unit, const UnitLoops& loops);

const UnitLoops* unit_loops_named(std::string_view name);  ///< Returns nullptr if this processor lacks them.
/// The best loops for this processor. The environment variable ASSAY_ISA selects slower ones, as for lanes() in recipe/lanes.h.
const UnitLoops& unit_loops();

// Tensor core results of whole tiles of D = A * B^T + C: fast, on all cores, with the same bits as unit_definition.h.

/// Codes of A [m, k] or B [n, k], row-major. A code takes Format::bytes() bytes; a tf32 code is the upper 19 bits of an f32.
struct UnitFactor {
  const std::byte* codes = nullptr;
  int64_t pitch = 0;                  ///< distance between rows, in codes
  bool two_in_a_byte = false;         ///< 4-bit codes, two per byte, the lower k in the low half; each row starts at a whole byte
  const std::byte* scales = nullptr;  ///< for instructions with scales: one one-byte code per scale_block codes of a row
  int64_t scale_pitch = 0;
  bool operator==(const UnitFactor&) const = default;
};

struct UnitProduct {
  UnitFactor a, b;
  int64_t k = 0;  ///< the last instruction is padded with zeros
  bool operator==(const UnitProduct&) const = default;
};

struct UnitTile {
  int64_t row = 0, rows = 0, column = 0, columns = 0;
};

/// Runs f(0) .. f(count - 1), in any order, on any number of threads. The harness passes for_each_in_parallel.
using ForEach = std::function<void(int64_t count, const std::function<void(int64_t)>& f)>;
void one_after_the_other(int64_t count, const std::function<void(int64_t)>& f);

/// Runs the instructions for k in [first, end) for every element of a tile, in ascending k. On entry `d` holds the codes of c
/// (f32 and int32 as 32 bits, f16 in the low 16 bits), on return the codes of the result. d[0] is element [0, 0] of the tile;
/// rows are `pitch` codes apart. To model a kernel that reads its accumulator every n instructions (promotion, split-K), call
/// this once per n instructions.
///
/// `first` must be a multiple of the instruction's k, and so must `end`, unless it equals the GEMM's k. Throws
/// std::invalid_argument otherwise, for an undocumented instruction, and for missing scales.
void accumulate(const Unit& unit, const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                int64_t pitch, const ForEach& for_each = one_after_the_other, const UnitLoops& loops = unit_loops());

/// An instruction with its decode tables. Built once, used for many calls of accumulate().
class PreparedUnit {
 public:
  explicit PreparedUnit(const Unit& unit, const UnitLoops& loops = unit_loops());

  void accumulate(const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d, int64_t pitch,
                  const ForEach& for_each = one_after_the_other) const;

 private:
  struct Tables;
  Unit unit_;
  std::shared_ptr<const Tables> tables_;  ///< null for an undocumented instruction
};

// Decodes operands for the loops.

/// Reads the codes of one operand.
class FactorCodes {
 public:
  FactorCodes(const Unit& unit, const UnitFactor& factor, const Format& format, int64_t k);

  const Format& format() const { return format_; }
  uint32_t code(int64_t row, int64_t k) const;  ///< 0 if k is out of range
  /// How the codes of several k lie in memory: in consecutive bytes, in whole bytes inside the row, or in any other way.
  enum class Lie { kRun, kInside, kAnyhow };
  Lie lie_of(const std::vector<int64_t>& steps) const;
  /// Reads the codes of one row at the k in `steps`, which lie in memory as `lie` says.
  void read(int64_t row, const std::vector<int64_t>& steps, Lie lie, uint32_t* codes) const;
  /// Scale code of the element; past the last k, the scale code of the last element. Only for instructions with scales.
  uint32_t scale_code(int64_t row, int64_t k) const;
  /// The element times its scale.
  double value(int64_t row, int64_t k) const;

 private:
  const Unit& unit_;
  const UnitFactor& factor_;
  const Format& format_;
  int64_t k_;
};

/// The k of every product of the instructions that cover first <= k < end, in the order in which they take the products.
std::vector<int64_t> steps_of(const Unit& unit, int64_t first, int64_t end);

/// Decoded values of all codes of a format with at most 8 bits, built once for all rows of a tile. Empty for wider formats.
struct CodeTable {
  using Halves = std::array<uint16_t, kNarrowWords>;  ///< the 16 bits that a code contributes to each word of a narrow block
  std::array<Fields, 256> fields{};
  std::array<Halves, 256> halves{};
  std::array<uint8_t, 256> special{};  ///< 1 for NaN and Inf

  /// `lanes` as for decode_factor().
  CodeTable(const UnitPlan& plan, const Format& format, int lanes);
};

/// lanes == 0: decodes rows [first_row, first_row + rows) of a, one after the other; mantissas are shifted by left_shift. lanes >
/// 0: decodes these rows of b as the lanes of one panel; the other lanes are zero.
Decoded decode_factor(const UnitPlan& plan, const FactorCodes& codes, const CodeTable& table, int64_t first_row, int rows, int lanes,
                      const std::vector<int64_t>& steps);

}  // namespace assay
