// One case on one kernel: the calls, the verdict, and invariance tests if the outputs are right.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/core/op.h"

namespace assay {

class DataMemory;

/// What a verdict is based on, for mutation analysis, diagnosis and recording.
struct Evidence {
  const BoundCase& bound;
  const Case& one;
  const Problem& problem;
  const std::vector<HostTensor>* outputs;  ///< nullptr if no call produced outputs
  const CallResult* result = nullptr;      ///< the complete result; nullptr if no call produced outputs
  const Sample* sample = nullptr;          ///< the sample that a diagnosis should examine; nullptr if no outputs were checked
};

/// Which verdicts get BoundCase::remarks(). Remarks cost time: a GEMM computes exact products for them.
/// kNone: only the outcome and the numbers of wrong elements are asked for, which may be computed faster (count_wrong()).
enum class Remarks { kNone, kOfFailures, kOfAll };

struct CaseOptions {
  int repeat = 1;              ///< number of calls that must return the same bits, each with a different schedule_seed
  uint64_t schedule_seed = 1;  ///< seed of the first call
  bool ladder = false;         ///< also run the invariance tests, climb(), if the outputs are right
  int rerun_failed = 0;        ///< further calls after a kFail or kBroken; one that differs makes the outcome kFlaky
  std::string repro_environment{};  ///< variables before the repro command: "ASSAY_PYTHON=/usr/bin/python3 "
  std::string repro_options{};  ///< options of `assay run` that the outcome may depend on: " --repeat 8"

  /// Finds the mutants that the inputs miss. Except in a user's table, a missed mutant outside `blind_to` makes a pass untrusted.
  std::function<Power(const Evidence&)> power{};

  /// If the outputs are right: makes calls that alternate between several cases, and returns their result as level "calls".
  std::function<Climb()> in_a_row{};

  /// Called with the verdict before diagnose(), which may take seconds.
  std::function<void(const Verdict&)> judged{};

  /// Called for every outcome except kPass and kSkip, unless only an invariance test failed; may add notes to the tensors.
  std::function<void(const Evidence&, Verdict&)> diagnose{};

  /// Called for every verdict that came from a call, except those of sweeps.
  std::function<void(const Evidence&, const Verdict&)> record{};

  Remarks remarks = Remarks::kOfFailures;
};

/// Makes the problem, calls the kernel (in run_all(), calls of several threads take turns) and checks the outputs. An exception
/// of the op or the reference gives kNotJudged with its message, so that one bad case does not end a run. An
/// exception of `record` becomes a HarnessError, which ends the run.
///
///   kSkip       the library answered UNSUPPORTED, or lost the device (device_lost)
///   kBroken     crash, hang, a write outside a buffer or into an input, a logical output element not written, a floating-point
///               environment left changed
///   kFail       the library returned FAILED; or wrong elements, wrong padding, a violation, other bits in an invariance test
/// kFlaky repeated calls return other bits; or one of `rerun_failed` further calls differs from the failed one
///   kUntrusted  the outputs are right, but the inputs miss a mutant that the row's `blind_to` does not list
///   kNotJudged  the harness did not call the kernel or could not check it; the message says why
///
/// `memory` caches data for consecutive cases with the same data; nullptr: no cache.
Verdict run_case(const Op& op, const Case& one, const KernelOffer& kernel, const Backend& backend, const CaseOptions& options,
                 DataMemory* memory = nullptr);

/// A verdict that has only what is known before a call: case id, kernel, row of the case table, repro command.
Verdict blank_verdict(const Case& one, const std::string& kernel, const std::string& backend);

// Invariance tests: changes of a call that must not change any bit of the outputs, level by level.

/// Calls the kernel again and compares bits with `first`, the result of the plain call. The levels:
///
///   repeat      the same call under two other schedule seeds
///   batch       the middle row in a batch of its own, and all rows in a batch more than twice as large
///   neighbours  the rows in reverse order, so that each row has different neighbours
///   ...         levels of the op (BoundCase::relations): other columns, other scales, rows with gaps between them
///   stream      on a non-default stream
///   graph       captured in a graph and replayed
///
/// batch and neighbours need independent rows; stream and graph need a library that supports them. Stops at the first level that
/// fails.
Climb climb(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CallRequest& plain,
            const CallResult& first);

/// Chooses up to eight small cases for calls_in_a_row(), as indices into `cases`. One kernel can run all of `cases`. The smallest
/// comes first. At most three have the same extents, and at most two the same extents, formats and contract. So the calls vary in
/// data, layouts and shapes.
std::vector<size_t> cases_in_a_row(const Op& op, const std::vector<const Case*>& cases);

class DataMemory;

/// A case for calls_in_a_row(). Several kernels can share its caches.
struct CaseInRow {
  const Case* one;
  DataMemory* data;     ///< the problem
  DataMemory* answers;  ///< outputs that conformed to the contract
};

/// Level "calls": makes at most `calls` calls, in an order in which every case directly follows every case, also itself. All
/// outputs must conform to their contracts, whichever calls came before. Large cases and slow libraries get fewer calls, but at
/// least five.
Climb calls_in_a_row(const Op& op, const KernelOffer& kernel, const Backend& backend, const std::vector<CaseInRow>& cases,
                     int calls, uint64_t schedule_seed);

// The calls of one case, and the record of failed calls in the verdict.

/// Records a failed call in the verdict. Returns true if the call produced outputs.
bool answered(const CallResult& result, Verdict& verdict);

/// Calls the kernel `repeat` times. Returns nothing if a call failed or returned other bits; the verdict then says why.
std::optional<CallResult> call_repeatedly(const CallRequest& request, const Backend& backend, int repeat, Verdict& verdict);

/// The first output element in which call number `call` (`again`) differs from the first call, as text; empty if there is none.
std::string call_difference(const CallResult& first, const CallResult& again, int call);

// The verdict on the outputs of a finished call.

/// Looks for unwritten elements, compares the outputs with the expectation, and looks for violations. Returns the sample that a
/// diagnosis should examine.
Sample judge_outputs(const BoundCase& bound, const Problem& problem, const CallResult& result, Verdict& verdict,
                     Remarks remarks = Remarks::kOfFailures);

// Cache for one data set while several kernels are called on it. Cases that differ only in warp size share their data, and
// correct kernels mostly return identical bits, so neither the problem nor the findings are computed again.

/// For one thread. It is emptied when the data change, and does not store large outputs.
class DataMemory {
 public:
  /// The bound case. The reference is valid until another case is requested.
  const BoundCase& bound(const Op& op, const Case& one);
  /// The problem of the case, with its warp size; the data are reused.
  const Problem& problem(const BoundCase& bound, const Case& one);

  /// An earlier call whose outputs conformed to the contract.
  struct Agreed {
    std::vector<std::vector<std::byte>> bytes;  ///< one entry per output
    std::vector<std::vector<ByteRange>> untouched;
    SaidAlgorithm said;
    std::vector<TensorFinding> findings;
    std::string program;  ///< the algorithm variant that made the outputs
  };
  /// An earlier call that conformed, reported the same algorithm, wrote the same bytes and left the same bytes unwritten; nullptr
  /// if there is none.
  const Agreed* agreed_as(const CallResult& result) const;
  void remember(const CallResult& result, const std::vector<TensorFinding>& findings, const std::string& program);

 private:
  std::string case_;  ///< id of bound_
  std::unique_ptr<const BoundCase> bound_;
  std::string data_;  ///< id of the data of problem_
  std::optional<Problem> problem_;
  std::vector<Agreed> agreed_;
};

}  // namespace assay
