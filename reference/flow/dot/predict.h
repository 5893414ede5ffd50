// What a program makes of the elements of D, row by row.
#pragma once

#include <memory>
#include <vector>

#include "reference/flow/dot/dot.h"
#include "reference/recipe/span.h"
#include "reference/units/predict.h"

namespace assay {

struct DotInputs {
  UnitProduct product;
  int64_t m = 0, n = 0;
  std::vector<double> scale_a, scale_b;  ///< one, or one for each row of a, of b
  std::vector<double> bias;              ///< [n], or none

  /// Codes that no tensor holds, which the product then points to.
  std::shared_ptr<const std::vector<std::byte>> own_a = nullptr, own_b = nullptr;
};

/// What somebody may do wrong that no cell says and no other input.
struct DotMistake {
  bool last_part_lost = false;   ///< of the parts that k is cut into
  bool parts_in_result = false;  ///< each part is scaled and rounded, and the results are added in their format
};

/// Rows of D by one program of a contract. Keeps references to the inputs.
class DotRows {
 public:
  DotRows(const DotContract& contract, DotProgram program, const DotInputs& inputs, const Format& y,
          const DotMistake& mistake = {});

  /// Values of rows first .. end - 1, one after the other: [end - first, n].
  Spans rows(int64_t first, int64_t end) const;
  /// Sums of products in [first_k, end_k) of rows [first, end), before scales: [end - first, n].
  std::vector<double> sums(int64_t first, int64_t end, int64_t first_k, int64_t end_k) const;

 private:
  void add_part(int64_t first, int64_t end, int64_t part, std::vector<double>& sum) const;
  Spans scaled(int64_t first, const std::vector<double>& sums) const;

  Unit unit_;
  DotProgram program_;
  const DotInputs& inputs_;
  const Format& y_;
  DotMistake mistake_;
  Recipe recipe_;
};

}  // namespace assay
