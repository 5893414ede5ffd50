// The contract's answer for a whole case, from the reference's answer for each row.
#pragma once

#include <functional>
#include <memory>

#include "harness/core/op.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/row_run.h"
#include "reference/recipe/recipe.h"
#include "suites/made_once.h"
#include "suites/rows/inputs.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Scales as the layout's element holds them: f32 as they are; E8M0 takes the exponent field, with NaN for Inf.
Spans as_stored(Spans scale, const Format& element);

/// By which right elements have more than one code, from the first row of a case.
std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x);

/// What the right links of a case's contract make of its first row, which shows most mistakes of the last link: found once for
/// all of them. May be asked by several threads at once.
class FirstRow {
 public:
  /// Null unless all links but the last are the contract's own. `inputs` makes those of the row.
  std::shared_ptr<const RowBehind> behind(const Neighbour& mistake, const Problem& problem, const std::function<RowInputs()>& inputs,
                                          const Format& x);

 private:
  MadeOnce<RowBehind> known_;
};

/// The contract's answer, a step a row. `outputs` null: from the inputs alone.
Expectation expect_rows(const std::shared_ptr<const Contract>& contract, const std::shared_ptr<const RowCase>& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});
/// The same of copies of both.
Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});

/// The same of a mistake in the contract, and nothing is copied: a case has hundreds. `first`: of all mistakes of the case.
Expectation expect_mistake(const std::shared_ptr<const Neighbour>& mistake, const std::shared_ptr<const RowCase>& c,
                           const Problem& problem, const std::vector<HostTensor>* outputs, const std::shared_ptr<FirstRow>& first);

/// Single-step edits of the contract and of the scale layout, each with its own answer.
std::vector<Hypothesis> row_hypotheses(const std::shared_ptr<const RowCase>& c);

}  // namespace assay
