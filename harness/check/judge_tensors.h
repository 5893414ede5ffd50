// Checks tensors that a kernel computed: one call against its contract or against all contracts that fit its tensors, and single
// scale tensors.
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

// Interprets a user's tensors as one call: finds the role and the layout of each tensor.

/// Splits "x@12" into name and rank; rank 0 if there is no such suffix.
std::pair<std::string, int> name_and_rank(const std::string& key);

/// The case without checks of padding that the dump does not contain: of tensors placed by shape alone, or missing in `placings`.
std::unique_ptr<const BoundCase> without_unseen_padding(std::shared_ptr<const BoundCase> whole,
                                                        std::map<std::string, ScalePlacing> placings);

/// An output of a known call. kMemory: the storage is known, padding included.
struct PlacedOutput {
  HostTensor tensor;
  ScalePlacing placing;
};
/// Converts the tensor to `spec`. Throws UsageError for another format or shape.
PlacedOutput placed_output(const DumpedTensor& from, const TensorSpec& spec);

/// A dump as a problem, and the outputs that a kernel produced.
struct DumpedCall {
  DumpCase dump;
  std::shared_ptr<const BoundCase> judging;  ///< the case bound to the dump, without padding that the dump does not contain
  Problem problem;
  CallResult result;
  std::vector<std::string> notes = {};  ///< how the tensors were read, if that is not obvious
  std::string unchecked = {};           ///< "order and padding of scale": what the dump does not show; empty if it shows all
};

/// Integer words in `scale` that hold the bits of fp32 scales are read as fp32. The group size follows from their number.
/// Throws UsageError or MissingRole if the tensors do not fit the contract.
DumpedCall dumped_call(const Op& op, const DumpRequest& request);

// The verdict on tensors that a kernel computed, and the mutation score of their inputs.

/// Whether to compute the mutation score of the inputs.
enum class WithPower { kNo, kYes };

/// A verdict with remarks for the reader.
struct TensorsVerdict {
  Verdict verdict;                 ///< its kernel is "unknown kernel" and its back end is "dump"
  std::vector<std::string> notes;  ///< e.g. that padding was not checked; one line each
  std::string unchecked = {};           ///< see DumpedCall; stands in the first line
  std::vector<std::string> obeys = {};  ///< after add_other_contracts(): contracts of the op that the tensors obey
  int64_t work = 0;                     ///< of computing all accepted outputs once, in elements as WorkBudget counts them
};

/// How judge_tensors() seeks the cause of a failure.
struct CauseSearch {
  int64_t budget = WorkBudget::kShort;             ///< 0: none
  std::function<void(const Verdict&)> before = {};  ///< called for a failure before its cause is sought
};

/// Compares and diagnoses. `repro`: how to repeat it. For large inputs, the mutation score is computed on some of their rows:
/// mutants that these rows kill, all rows kill. Large inputs whose rows depend on each other get no score.
TensorsVerdict judge_tensors(const DumpedCall& call, const std::string& repro, WithPower with_power,
                             const CauseSearch& search = {});

/// Tries the other contracts of the op on wrong tensors. "obeys X instead" becomes the first cause; a contract that comes much
/// nearer, or that nothing was tried, becomes a note. Large tensors and long GEMMs are not tried.
void add_other_contracts(const Op& op, const DumpRequest& request, TensorsVerdict& judged);

/// As failure_text(), with the notes, for every outcome.
std::string tensors_text(const TensorsVerdict& judged);

/// The contract as formulas, and the trace of one output element. A negative row selects the worst element.
std::string explain_tensors(const DumpedCall& call, int64_t row, int64_t column);

// Finds the contracts that a user's tensors obey, and the algorithm that made a GEMM.

/// A contract that the tensors fit.
struct MatchedContract {
  const Op* op;
  std::string contract;
  DumpedCall call;
  Verdict verdict;
  int64_t outside = 0;
  int64_t rows = 0, of_rows = 0;  ///< number of rows that refute the contract, if the others were not looked at

  bool obeys() const { return verdict.outcome == Outcome::kPass; }
  int64_t outside_in_all() const { return rows == 0 ? outside : outside * of_rows / rows; }
  /// " in 8 of 4096 rows"; empty if all were looked at.
  std::string in_rows() const;
};

/// Reasons why contracts were not tried, each with the contracts it applies to.
using ReasonsByContract = std::map<std::string, std::vector<std::string>>;

struct MatchedContracts {
  std::vector<MatchedContract> asked;  ///< obeyed contracts first, then those with the fewest wrong elements
  ReasonsByContract reasons;           ///< for the other contracts
};

/// Compares the tensors with every contract of these ops that they can be an instance of.
MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout);

/// One line per contract, the algorithms that may have computed the outputs, and why contracts were not tried.
std::string match_text(const MatchedContracts& matched);

/// "   (from v0.20.0 before v0.33.0)": the releases of a contract's code; empty if the contract has none.
std::string in_releases(const std::string& contract);
/// Whether the newest release of its code obeys the contract (is_current() of its row).
bool is_current_contract(const std::string& contract);

// Infers the extents of a single scale tensor for the analysis in harness/diagnosis/scales.h.

/// What is known about the tensor besides its bytes: stated by the user, or in the metadata of a recording.
class ScaleFacts {
 public:
  /// `stated`: m, n, groups, group_size. Throws UsageError for other names.
  ScaleFacts(std::map<std::string, std::string> stated, const std::map<std::string, std::string>& metadata,
             const std::string& layout);

  std::string text(const std::string& name) const;
  std::optional<int64_t> integer(const std::string& name) const;
  std::optional<int64_t> groups() const;

 private:
  std::map<std::string, std::string> values_;
};

/// Throws DumpError, or UsageError for a type that no scale has or for facts that do not fit the tensor.
ScaleGrid scale_grid(const DumpedTensor& dumped, const ScaleFacts& facts);

/// Largest magnitudes of the groups of `x`, for look_at_data(); NaN for a group with NaN or Inf. Nothing unless `x` has the rows
/// of the scales and whole groups of a power of two. If the last word of packed scales is padded, `grid` gets the number of
/// groups.
std::vector<double> group_maxima(const HostTensor& x, ScaleGrid& grid);

}  // namespace assay
