// The contract's answer for a whole case, assembled from the reference's answers for single rows.
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

/// Scales as the layout stores them: f32 unchanged; E8M0 is the exponent field, with NaN for Inf.
Spans as_stored(Spans scale, const Format& element);

/// Why correct elements may have several codes, computed from the first row of a case.
std::string reason_of(const Contract& contract, const RowInputs& first_row, const Format& x);

/// Cache for mutants of the last stage: the result of all earlier, unchanged stages on the first row, which kills most of these
/// mutants. Thread-safe.
class FirstRow {
 public:
  /// Null unless all stages except the last are the contract's own. `inputs` creates the inputs of the row.
  std::shared_ptr<const RowBehind> behind(const Neighbour& mistake, const Problem& problem, const std::function<RowInputs()>& inputs,
                                          const Format& x);

 private:
  MadeOnce<RowBehind> known_;
};

/// The contract's answer, one step per row. `outputs` null: computed from the inputs alone.
Expectation expect_rows(const std::shared_ptr<const Contract>& contract, const std::shared_ptr<const RowCase>& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});
/// The same, with copies of both arguments.
Expectation expect_rows(const Contract& contract, const RowCase& c, const Problem& problem,
                        const std::vector<HostTensor>* outputs, const RowReading& reading = {});

/// The same for a mutant, without copies since a case has hundreds. `first`: shared by all mutants of the case.
Expectation expect_mistake(const std::shared_ptr<const Neighbour>& mistake, const std::shared_ptr<const RowCase>& c,
                           const Problem& problem, const std::vector<HostTensor>* outputs, const std::shared_ptr<FirstRow>& first);

/// Mutants of the contract and of the scale layout, each with its own answer.
std::vector<Hypothesis> row_hypotheses(const std::shared_ptr<const RowCase>& c);

}  // namespace assay
