// Check of tensors that a kernel computed: the tensors of one call against one contract, or against all contracts that they fit;
// and a single scale tensor.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/scales.h"
#include "harness/run/run_case.h"

namespace assay {

// A user's tensors, interpreted as one call: the role and the layout of each tensor.

/// Splits "x@12" into name and rank; rank 0 if there is no such suffix.
std::pair<std::string, int> name_and_rank(const std::string& key);

/// Returns the case without checks of padding that the dump lacks: padding of tensors that `placings` lacks or has as kLogical.
std::unique_ptr<const BoundCase> without_unseen_padding(std::shared_ptr<const BoundCase> whole,
                                                        std::map<std::string, ScalePlacing> placings);

/// An output of a known call. If `placing` is kMemory, the whole storage is known, padding included.
struct PlacedOutput {
  HostTensor tensor;
  ScalePlacing placing;
};
/// Converts the tensor to the format and layout of `spec`. Throws UsageError for another format or shape.
PlacedOutput placed_output(const DumpedTensor& from, const TensorSpec& spec);

/// A dump as a problem (inputs and parameters) and a result (the outputs that a kernel produced).
struct DumpedCall {
  DumpCase dump;
  std::shared_ptr<const BoundCase> judging;  ///< the bound case, without checks of padding that the dump does not contain
  Problem problem;
  CallResult result;
  std::vector<std::string> notes = {};  ///< assumptions that were made when the tensors were read
  std::string unchecked = {};           ///< what the dump does not show: "order and padding of scale"; or empty
};

/// Interprets a dump as a call. If each word of `scale` is the fp32 scale of a group instead of four packed UE8M0 scales, the
/// number of words gives the group size, and as many words are compared as a packed row has. Throws UsageError or MissingRole.
DumpedCall dumped_call(const Op& op, const DumpRequest& request);

// The verdict on tensors that a kernel computed, and the mutation score of their inputs.

/// Whether to compute the mutation score of the inputs.
enum class WithPower { kNo, kYes };

/// A verdict, and what its reader should know about the check.
struct TensorsVerdict {
  Verdict verdict;                 ///< its kernel is "unknown kernel" and its back end is "dump"
  std::vector<std::string> notes;  ///< e.g. that padding was not checked; one line each
  std::string unchecked = {};           ///< see DumpedCall; printed in the first line
  std::vector<std::string> obeys = {};  ///< after add_other_contracts(): contracts of the op that the tensors obey
  int64_t work = 0;                     ///< cost of computing all accepted outputs once, in WorkBudget units (elements)
};

/// How judge_tensors() searches for the cause of a failure.
struct CauseSearch {
  int64_t budget = WorkBudget::kShort;             ///< limit on the cost of the search, in WorkBudget units; 0: no search
  std::function<void(const Verdict&)> before = {};  ///< called with a failing verdict before the search for its cause
};

/// Compares outputs and searches for the cause of a failure. `repro`: the command that repeats the check. For large inputs the
/// mutation score is computed on some rows, and is a lower bound. Large inputs whose rows depend on each other get no score.
TensorsVerdict judge_tensors(const DumpedCall& call, const std::string& repro, WithPower with_power,
                             const CauseSearch& search = {});

/// If the outputs are wrong, compares them with the op's other contracts. If they obey contract X, adds the cause "obeys X
/// instead" after causes that explain every wrong element. Otherwise a note may name a contract with far fewer wrong elements.
void add_other_contracts(const Op& op, const DumpRequest& request, TensorsVerdict& judged);

/// Text for any outcome: failure_text(), the notes and the mutation score.
std::string tensors_text(const TensorsVerdict& judged);

/// The contract as formulas, and the trace of one output element. A negative row selects the worst element.
std::string explain_tensors(const DumpedCall& call, int64_t row, int64_t column);

// Search for the contracts that a user's tensors obey, and for the algorithm that computed a GEMM.

/// A contract whose calls can have tensors of these names, shapes and types, with the verdict on the outputs.
struct MatchedContract {
  const Op* op;
  std::string contract;
  DumpedCall call;
  Verdict verdict;
  int64_t outside = 0;
  /// If a sample refutes the contract: its number of rows, or of elements, and that of the whole output; otherwise 0.
  int64_t looked_at = 0, of_all = 0;
  const char* sample_of = "rows";

  bool obeys() const { return verdict.outcome == Outcome::kPass; }
  /// Estimated for the whole output.
  int64_t outside_in_all() const { return looked_at == 0 ? outside : outside * of_all / looked_at; }
  /// " in 8 of 4096 rows", " in 64 of 196608 elements"; empty if everything was compared.
  std::string in_sample() const;
};

/// Reasons why contracts were not tried, each with the contracts it applies to.
using ReasonsByContract = std::map<std::string, std::vector<std::string>>;

struct MatchedContracts {
  std::vector<MatchedContract> asked;  ///< sorted: obeyed contracts, then by number of wrong elements
  ReasonsByContract reasons;           ///< why the contracts that are not in `asked` were not compared
};

/// Functions that match_tensors() calls to report progress. Both may be empty.
struct MatchProgress {
  /// Called after a sample of `rows` rows was compared with every contract. `contracts`: the contracts that the
  /// sample does not refute. Not called if the tensors are small or their rows depend on each other.
  std::function<void(size_t rows, const std::vector<std::string>& contracts)> sampled;
  /// Called before all rows are compared with contract `at` (from 0) of the `of` contracts that the sample does not refute.
  std::function<void(size_t at, size_t of, const std::string& contract)> compared;
};

/// Compares the tensors with every contract of these ops whose calls can have tensors of these names, shapes and types. First
/// compares a sample of the rows with all contracts, then all rows with the contracts that the sample does not refute. A contract
/// whose elements are expensive (Answer::enough_for) sees the sample element by element, until a part of it has a wrong element.
/// The sample depends only on the shape, so every machine prints the same text.
MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout,
                               const MatchProgress& progress = {});

/// Text: a line per contract, the algorithms that may have computed the outputs, and why other contracts were not tried.
std::string match_text(const MatchedContracts& matched);

/// "   (from v0.20.0 before v0.33.0)": the releases of a contract's code; empty if the contract has none.
std::string in_releases(const std::string& contract);
/// Whether the newest release of the implementation obeys the contract (is_current() of its table row).
bool is_current_contract(const std::string& contract);

// Rows and groups of a single scale tensor, inferred for the analysis in harness/diagnosis/scales.h.

/// Facts about the tensor besides its bytes: from the user's --param, or from the metadata of a recording.
class ScaleFacts {
 public:
  /// `stated`: m, n, groups, group_size. Throws UsageError for other names.
  ScaleFacts(std::map<std::string, std::string> stated, const std::map<std::string, std::string>& metadata,
             const std::string& layout);

  std::string text(const std::string& name) const;  ///< empty if unknown
  std::optional<int64_t> integer(const std::string& name) const;
  std::optional<int64_t> groups() const;  ///< groups per row: stated, or computed from n and group_size

 private:
  std::map<std::string, std::string> values_;
};

/// The scales as a matrix. Throws DumpError if scales cannot have this type or facts contradict it; UsageError for bad facts.
ScaleGrid scale_grid(const DumpedTensor& dumped, const ScaleFacts& facts);

/// The largest magnitude of each group of `x`, for look_at_data(); NaN for a group with NaN or Inf. Empty unless `x` has as many
/// rows as the scales, and equal groups whose size is a power of two. If the last word of a row of packed scales has padding,
/// sets the number of groups in `grid`.
std::vector<double> group_maxima(const HostTensor& x, ScaleGrid& grid);

}  // namespace assay
