// Evaluates steps that add, multiply or divide, over a part of a row and with named quantities.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "reference/recipe/eval.h"
#include "reference/recipe/lanes.h"

namespace assay {

/// A quantity restricted to a part, or an operand, which may be a constant.
Lane lane(const std::string& name, const RowPart& part, const Environment& environment);
Lane lane(const Operand& operand, const RowPart& part, const Environment& environment);

/// add, sub, mul, div and rdiv, each rounded once to the working format.
void arithmetic(const Step& step, const RowPart& part, const Environment& environment);

/// v * a + b, rounded once.
void multiply_add(const Step& step, const RowPart& part, const Environment& environment);

/// Operands of a mul that precedes a sum.
struct ProductBeforeSum {
  Spans number;
  std::vector<double> low, high;  ///< the factor

  ProductBeforeSum(const Step& mul, const RowPart& part, const Environment& environment);
  Span factor(size_t i) const { return {low[i], high[i]}; }
};

/// A sum that a compiler may fuse with a multiplication: either all products are rounded, or one of them is not. `before`: the
/// mul that it follows.
void contracted_sum(const Step& step, const RowPart& part, const Environment& environment,
                    const std::optional<ProductBeforeSum>& before);

}  // namespace assay
