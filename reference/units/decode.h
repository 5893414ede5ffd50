// Decodes factors of a tensor core for the loops.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "reference/formats/fields.h"
#include "reference/units/plan.h"
#include "reference/units/predict.h"

namespace assay {

/// Reads the codes of one factor.
class FactorCodes {
 public:
  FactorCodes(const Unit& unit, const UnitFactor& factor, const Format& format, int64_t k);

  const Format& format() const { return format_; }
  uint32_t code(int64_t row, int64_t k) const;  ///< 0 if k is out of range
  /// Memory layout of those k: consecutive bytes, bytes within range, or anything else.
  enum class Lie { kRun, kInside, kAnyhow };
  Lie lie_of(const std::vector<int64_t>& steps) const;
  /// Reads the codes of one row at those k, which have the layout `lie`.
  void read(int64_t row, const std::vector<int64_t>& steps, Lie lie, uint32_t* codes) const;
  /// Scale code of that element; beyond the last k that of the last code; 1 for a unit without scales.
  uint32_t scale_code(int64_t row, int64_t k) const;
  /// The element times its scale.
  double value(int64_t row, int64_t k) const;

 private:
  const Unit& unit_;
  const UnitFactor& factor_;
  const Format& format_;
  int64_t k_;
};

/// The k of every product of the instructions from `first` to `end`, in the order in which the unit takes them.
std::vector<int64_t> steps_of(const Unit& unit, int64_t first, int64_t end);

/// Decode tables of a format of at most 8 bits, built once for all rows of a tile. Empty for wider formats.
struct CodeTable {
  using Halves = std::array<uint16_t, kNarrowWords>;  ///< the half word that a code contributes to each word of a narrow block
  std::array<Fields, 256> fields{};
  std::array<Halves, 256> halves{};
  std::array<uint8_t, 256> special{};  ///< 1 for NaN and Inf

  /// `lanes` as for the function below.
  CodeTable(const UnitPlan& plan, const Format& format, int lanes);
};

/// `lanes` 0: decodes rows [first_row, first_row + rows) of a one after the other, with shifted significands. Otherwise decodes
/// the same rows of b as the lanes of one panel; lanes beyond `rows` are zero.
Decoded decode_factor(const UnitPlan& plan, const FactorCodes& codes, const CodeTable& table, int64_t first_row, int rows, int lanes,
                      const std::vector<int64_t>& steps);

}  // namespace assay
