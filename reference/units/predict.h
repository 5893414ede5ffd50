// Predicts the result of a tensor core for whole tiles of D = A * B^T + C: fast, on all cores, and bitwise equal to definition.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "reference/units/plan.h"
#include "reference/units/unit.h"

namespace assay {

/// Codes of A [m, k] or B [n, k], row-major. One code takes Format::bytes() bytes; tf32 uses the upper 19 bits of an f32 word.
struct UnitFactor {
  const std::byte* codes = nullptr;
  int64_t pitch = 0;                  ///< in codes, from one row to the next
  bool two_in_a_byte = false;         ///< 4-bit codes, two per byte, the lower k in the low half; each row starts at a whole byte
  const std::byte* scales = nullptr;  ///< for units with scales: one one-byte code per scale_block codes of a row
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
/// (f32 and int32 as 32 bits, f16 in the low 16 bits), on return those of the result. d[0] is element [0, 0] of the tile; rows
/// are `pitch` codes apart. To model a kernel that reads its accumulator every n instructions (promotion, split k), call this
/// once per n instructions.
///
/// `first` must be a multiple of the unit's k, and so must `end`, unless it equals the product's k. Throws std::invalid_argument
/// otherwise, for an unknown unit, and for missing scales.
void accumulate(const Unit& unit, const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                int64_t pitch, const ForEach& for_each = one_after_the_other, const UnitLoops& loops = unit_loops());

/// A unit with its decode tables, built once for many calls of accumulate().
class PreparedUnit {
 public:
  explicit PreparedUnit(const Unit& unit, const UnitLoops& loops = unit_loops());

  void accumulate(const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d, int64_t pitch,
                  const ForEach& for_each = one_after_the_other) const;

 private:
  struct Tables;
  Unit unit_;
  std::shared_ptr<const Tables> tables_;  ///< null for an unknown unit
};

}  // namespace assay
