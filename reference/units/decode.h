// Factors of a tensor core as its loops read them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "reference/formats/fields.h"
#include "reference/units/plan.h"
#include "reference/units/predict.h"

namespace assay {

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
