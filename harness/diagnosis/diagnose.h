// Finds why a kernel's outputs are wrong: which mutants of the contract reproduce them, alone or in pairs. Names of libraries and
// kernels are not used.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/core/op.h"
#include "harness/run/run_case.h"

namespace assay {

/// One mutant of a cause.
struct Mistake {
  std::string name;    ///< name of the hypothesis
  std::string words;   ///< the name plus details taken from the outputs
  int64_t needed = 0;  ///< failing elements that the cause explains only with this mutant
  std::string input = {};  ///< the tensor that is read wrongly, if the hypothesis is a change of its data
};

/// One hypothesis, or a pair, compared with the outputs.
struct Cause {
  std::vector<Mistake> mistakes;
  int64_t failing = 0;       ///< elements that the contract rejects
  int64_t explained = 0;     ///< of those: elements that the hypothesis accepts
  int64_t contradicted = 0;  ///< elements that the contract accepts and the hypothesis rejects
  int64_t open = 0;          ///< more elements that the contract rejects, for which the hypothesis accepts anything

  int64_t left() const { return failing - explained + contradicted; }
  bool complete() const { return left() == 0; }
  /// True if it only describes the wrong elements, as "zeros of the other sign" does: many mistakes would give these.
  bool is_symptom() const;
};

/// Whether every complete cause is a wrong read of an input, and not all of the same one: at most one is right, and none is
/// asserted.
bool contradict_each_other(const std::vector<Cause>& causes);

/// Limits the work of a diagnosis. It counts evaluated elements and not seconds, so that the same command says the same on every
/// machine.
class WorkBudget {
 public:
  /// About 5 s on two cores of an AVX2 server; and the budget of `--diagnose long`.
  static constexpr int64_t kShort = int64_t{1} << 26, kLong = int64_t{1} << 32;

  explicit WorkBudget(int64_t elements) : left_(elements) {}

  int64_t left() const { return left_; }
  /// Takes work off, unless less than `kept` would be left.
  bool take(int64_t elements, int64_t kept = 0) {
    const bool fits = elements <= left_ - kept;
    if (fits) left_ -= elements;
    return fits;
  }
  /// Notes what did not fit: "12 of 60 mutants were not tried".
  void leave_out(const std::string& what) { words_ += (words_.empty() ? "" : "; ") + what; }
  /// "12 of 60 mutants were not tried; --diagnose long does more"; empty if everything fitted.
  std::string words() const { return words_.empty() ? "" : words_ + "; --diagnose long does more"; }

 private:
  int64_t left_;
  std::string words_;
};

/// Work units of an element of an answer: 1, and for a GEMM also an eighth of its multiply-accumulates.
inline int64_t work_of_element(const Answer& answer) { return 1 + answer.products / 8; }

/// Causes that explain the outputs, best first (fewest elements left over). Elements for which a hypothesis accepts anything are
/// not explained; they do not count if it explains a quarter of a tensor's failing elements.
///
/// A hypothesis must explain three quarters of the failing elements of some tensor, or of the rows that violate a rule as a
/// whole. It may leave other failing elements over (there may be another mistake), or contradict at most one good element for
/// every four that it explains (the mistake may be made in a part of the tensor), but not both. It is refuted by a tensor in
/// which it expects other codes than the contract if the outputs hold neither. Matches by chance do not reach that. A pair must
/// leave at most half of what the best single hypothesis leaves; pairs are tried only if no single one explains everything.
///
/// Only the steps of `sample` are evaluated, and counts refer to them. Nullptr: all steps. If the budget does not suffice, causes
/// are sought in a part of the sample (half of it failing elements); the best causes are then compared with the whole sample.
/// Nullptr: that of kLong.
std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample = nullptr, WorkBudget* budget = nullptr);

/// The best three causes as text for a report, or all (at most 16) that explain everything: "explains 12 of 12 failing elements: scale: pow2(ceil) -> pow2(floor)", or
/// "explains only 11 of 12 ...". The two mutants of a pair are joined by "; and", each with the number of elements that need it.
/// "no known cause" if there are none.
std::vector<std::string> causes_in_words(const std::vector<Cause>& causes);

/// What fits wrong elements that tell little, such as zeros: no cause, but said.
std::string would_fit(const std::vector<std::string>& mistakes);

/// Adds the patterns of wrong_part.h to the causes of a failure: patterns that explain a whole output first, others last, then
/// facts. Facts alone stand behind "no known cause".
void add_patterns(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, Verdict& verdict,
                  WorkBudget& budget);

/// Which elements of a tensor were written, counted over all rows, if that says how positions advance: "; written are 4 of each
/// 16 elements, counted over all rows: positions advance 4 times too far, or ...". Otherwise empty. `vector`: elements in 16
/// bytes; 0 if unknown.
std::string progress_of_writes(const std::vector<bool>& written, int64_t columns, int64_t vector = 0);
/// What follows from the message of a call that wrote outside a tensor, if what it wrote touches the tensor; otherwise empty.
std::string why_outside(const std::string& message);

/// Adds what the budget left out to Verdict::looked_at.
void add_limits(const WorkBudget& budget, Verdict& verdict);

// Functions that a run calls for each verdict.

/// Mutation score of a case's data. Cases that differ only in warp size share data, so each data set is analysed once. `recorded`
/// returns an earlier result, or nullptr.
std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded);


/// For reconcile(): whether the data of a passed case expose a mutant, by the mutation score of its verdict. Suspects, equivalent
/// mutants and mutants that the case does not have are not exposed.
std::function<bool(const Verdict& passed, const std::string& mistake)> exposed_by_data(std::span<const Op> ops,
                                                                                       const std::vector<Case>& cases);

/// Repeats a call with inaccessible memory right beside each tensor, first behind them, then before them. If it then crashes
/// there: "outside: read 2 bytes before the start of 'x' (at mine.h:12, called from ...)". Otherwise empty, as for back ends
/// whose crashes would end this process.
std::string access_beside(const Backend& backend, CallRequest request);

/// Checks whether wrong outputs change when the call is repeated under other schedules. On a back end with a schedule of its own
/// (honours_schedule_seed) that is a race between lanes; on others the reason remains open. Empty if the bits stay the same;
/// otherwise "race: ... q at storage element 7: ...", or "unsteady: ..." if the library has no schedule that could have changed,
/// or the first one gives other bits when it is repeated.
std::string race_in_words(const Backend& backend, const CallRequest& request);

/// Elements that change with what stacks held before the call: a local variable or array is read before it is set, or beside its
/// ends.
struct Unset {
  std::string words;                  ///< "unset: ... y[0, 8], which ..."; empty if nothing changed
  int64_t changed = 0, elements = 0;  ///< of the outputs that changed
};
/// Repeats a call with other bytes on the stacks, if a crash cannot end this process.
Unset unset_locals(const Backend& backend, CallRequest request, const Expectation& right);

/// Sets the causes of a failure that has outputs. `backend` must be thread-safe. `budget`: elements of a WorkBudget; 0: does
/// nothing.
std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend, int64_t budget = WorkBudget::kShort);

// Compares the outputs with an answer, element by element, for the steps (rows or groups) of a sample.

enum class Membership : uint8_t {
  kOutside,  ///< the answer rejects the stored code
  kInside,   ///< the answer accepts it
  kAnything  ///< the answer accepts every code
};

/// `stored`: number of elements in the tensor's storage; `offset`: that of the element.
Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted);

/// Result of comparing outputs with an answer.
struct Memberships {
  std::vector<std::vector<Membership>> parts;  ///< per part: the elements of the sample, in order
  std::set<int64_t> outside_steps;             ///< steps with an element outside
  std::set<int64_t> violated_steps;            ///< steps whose elements pass one by one, but break a rule together

  int64_t elements() const;
};

/// Compares with the answer that has the fewest elements outside. An element whose offset is outside the storage counts as
/// outside. Violations between tensors are ignored: they hold for a mutant as for the contract.
Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample);

/// Counts for a hypothesis where the contract fails and where it holds. A step that breaks a rule without an element outside
/// counts as one element.
struct MembershipCounts {
  int64_t failing = 0, explained = 0, contradicted = 0;
  int64_t open = 0;  ///< not in `failing`: elements for which the hypothesis accepts anything, where it explains enough others
  int64_t contradicted_beside = 0;  ///< of those: in parts that the contract accepts wholly
  bool most_of_a_part = false;  ///< explains three quarters of the failing elements of some part, or of the violated steps

  int64_t left() const { return failing - explained + contradicted; }
  bool counts() const {
    return most_of_a_part && explained >= 4 * contradicted && (explained == failing || contradicted == 0);
  }
};

MembershipCounts tally(const Memberships& contract, const Memberships& hypothesis);

/// Number of failing elements that exactly one of the two answers explains.
int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other);

// Collects positions in a matrix and prints them as ranges of rows and columns.

/// Ascending numbers as text: "0..3, 7"; after eight ranges "... (40 in all)".
std::string runs_text(const std::set<int64_t>& numbers);

/// Positions of a finding.
struct PlacesFound {
  int64_t count = 0;
  std::set<int64_t> rows, columns;
  std::array<int64_t, 2> first{};

  void add(int64_t row, int64_t column) {
    if (count++ == 0) first = {row, column};
    rows.insert(row);
    columns.insert(column);
  }
  /// "rows 0..3; groups 2, 6"
  std::string text() const;
};

}  // namespace assay
