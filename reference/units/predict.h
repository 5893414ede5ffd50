// What a tensor core returns for whole tiles of D = A * B^T + C: fast, on all cores, and equal to definition.h bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "reference/units/plan.h"
#include "reference/units/unit.h"

namespace assay {

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

}  // namespace assay
