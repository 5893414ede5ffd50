// The accepted codes of all outputs of a row-wise case, assembled from the reference's results for single rows.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <span>
#include <tuple>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/op.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/row_run.h"
#include "reference/formats/round.h"
#include "reference/recipe/recipe.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_tensors.h"

namespace assay {

/// Rounds scales to what the layout stores: f32 is unchanged; E8M0 keeps the exponent field and stores NaN for Inf.
Spans as_stored(Spans scale, const Format& element);

/// Why the contract accepts several codes for an element, computed from the first row of a case.
std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x);

/// Caches, for the first row of a case, the results of all stages before the last one. Mutants are compared on that row first,
/// because it kills most mutants. All mutants of the last stage need the same results of the earlier stages. Thread-safe.
class FirstRow {
 public:
  /// The cached results; null unless the mutant changes only the last stage. `inputs` creates the inputs of the first row.
  std::shared_ptr<const RowBehind> behind(const Neighbour& mistake, const Problem& problem,
                                          const std::function<RowInputs()>& inputs, const Format& x);

 private:
  MadeOnce<RowBehind> known_;
};

/// The accepted codes of a case, row by row. If `outputs` are given, accepted codes may depend on a stored value such as a scale.
Expectation expect_rows(const std::shared_ptr<const Contract>& contract, const std::shared_ptr<const RowCase>& c,
                        const Problem& problem, const std::vector<HostTensor>* outputs, const RowReading& reading = {});
/// The same; copies the contract and the case.
Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});

/// The same for a mutant. Copies nothing, since a case has hundreds of mutants. All mutants of a case share the cache `first`.
Expectation expect_mistake(const std::shared_ptr<const Neighbour>& mistake, const std::shared_ptr<const RowCase>& c,
                           const Problem& problem, const std::vector<HostTensor>* outputs,
                           const std::shared_ptr<FirstRow>& first);

/// Mutants of the contract and of the scale layout, each with the codes that it accepts.
std::vector<Hypothesis> row_hypotheses(const std::shared_ptr<const RowCase>& c);

// Converts the reference's value intervals for one output to accepted codes.

/// The accepted codes of rows first..end-1. `values`: their elements, row after row. A value that may be NaN or a number
/// (Span::any) accepts anything.
AcceptedRows accepted_rows(const Spans& values, const Format& format, int64_t first, int64_t end);

/// Collects the accepted codes of one part (one output tensor), row by row.
class Accepted {
 public:
  Accepted(const Part& part, int64_t first_step, int64_t end_step) : format_(part.format), columns_(size_t(part.columns())) {
    std::tie(rows_.first, rows_.end) = part.rows_of_steps(first_step, end_step);
    rows_.low.resize(size_t(rows_.end - rows_.first) * columns_);
    rows_.high.resize(rows_.low.size());
  }

  bool holds(int64_t row) const { return rows_.first <= row && row < rows_.end; }

  void put(int64_t row, Spans spans) {
    std::vector<size_t> anything;
    for (size_t i = 0; !spans.pinned() && i < columns_; ++i)
      if (spans[i].any()) anything.push_back(i), spans.set(i, point(max_finite(*format_)));
    const size_t begin = size_t(row - rows_.first) * columns_;
    const std::span low(rows_.low.data() + begin, columns_), high(rows_.high.data() + begin, columns_);
    ordinals_of_values(*format_, spans.low, low);
    if (spans.pinned())
      std::copy(low.begin(), low.end(), high.begin());
    else
      ordinals_of_values(*format_, spans.high, high);
    for (const size_t i : anything) low[i] = Interval::anything().low, high[i] = Interval::anything().high;
  }

  AcceptedRows finish() && {
    if (rows_.low == rows_.high) rows_.high.clear();
    return std::move(rows_);
  }

 private:
  const Format* format_;
  size_t columns_;
  AcceptedRows rows_;
};

}  // namespace assay
