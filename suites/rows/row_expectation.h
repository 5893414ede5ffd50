// The contract's answer for a whole case, assembled from the reference's answers for single rows.
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

/// Scales as the layout stores them: f32 unchanged; E8M0 is the exponent field, with NaN for Inf.
Spans as_stored(Spans scale, const Format& element);

/// Why correct elements may have several codes, computed from the first row of a case.
std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x);

/// Cache for mutants of the last stage: the result of all earlier, unchanged stages on the first row, which kills most of these
/// mutants. Thread-safe.
class FirstRow {
 public:
  /// Null unless all stages except the last are the contract's own. `inputs` creates the inputs of the row.
  std::shared_ptr<const RowBehind> behind(const Neighbour& mistake, const Problem& problem,
                                          const std::function<RowInputs()>& inputs, const Format& x);

 private:
  MadeOnce<RowBehind> known_;
};

/// The contract's answer, one step per row. `outputs` null: computed from the inputs alone.
Expectation expect_rows(const std::shared_ptr<const Contract>& contract, const std::shared_ptr<const RowCase>& c,
                        const Problem& problem, const std::vector<HostTensor>* outputs, const RowReading& reading = {});
/// The same, with copies of both arguments.
Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});

/// The same for a mutant, without copies since a case has hundreds. `first`: shared by all mutants of the case.
Expectation expect_mistake(const std::shared_ptr<const Neighbour>& mistake, const std::shared_ptr<const RowCase>& c,
                           const Problem& problem, const std::vector<HostTensor>* outputs,
                           const std::shared_ptr<FirstRow>& first);

/// Mutants of the contract and of the scale layout, each with its own answer.
std::vector<Hypothesis> row_hypotheses(const std::shared_ptr<const RowCase>& c);

// Converts the reference's intervals for one output to accepted codes.

/// Collects the accepted codes of consecutive rows of one part, row by row.
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
