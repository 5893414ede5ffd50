// Finds why a kernel's outputs are wrong: which hypotheses reproduce them, alone or in pairs. A hypothesis is a mutant of the
// contract, or a wrong read of an input. The search does not look at the names of libraries and kernels.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
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

/// One mistake of a cause: a mutant of the contract, or a wrong read of an input.
struct Mistake {
  std::string name;    ///< name of the hypothesis
  std::string words;   ///< the name, plus details that were taken from the outputs
  int64_t needed = 0;  ///< failing elements that the cause explains only with this mistake
  std::string input = {};  ///< the input that is read wrongly; empty: the mistake is a mutant
  bool of_values = false;  ///< the input's numbers are misread, as if subnormal numbers were 0; not its positions
  bool leaves_out = false;  ///< a sum or a maximum leaves out columns of the input
};

/// One hypothesis, or a pair, compared with the outputs.
struct Cause {
  std::vector<Mistake> mistakes;
  int64_t failing = 0;       ///< elements that the contract rejects
  int64_t explained = 0;     ///< elements of `failing` that the hypothesis accepts
  int64_t contradicted = 0;  ///< elements that the contract accepts and the hypothesis rejects
  int64_t open = 0;          ///< elements that the contract rejects and the hypothesis leaves undefined; not counted in `failing`

  int64_t left() const { return failing - explained + contradicted; }
  bool complete() const { return left() == 0; }
  /// True if the cause only describes the wrong elements, such as "zeros: of the other sign". Many mistakes have this effect.
  bool is_symptom() const;
};

/// True if every complete cause (symptoms aside) is a wrong read of an input, and these causes name different inputs. At most one
/// of them can be right, so a report must not assert any.
bool contradict_each_other(const std::vector<Cause>& causes);

/// Limits the work of a diagnosis. It counts evaluated elements and not seconds, so that a command prints the same causes on
/// every machine.
class WorkBudget {
 public:
  /// kShort takes about 5 s on two cores of an AVX2 server. kLong is the budget of `--diagnose long`.
  static constexpr int64_t kShort = int64_t{1} << 26, kLong = int64_t{1} << 32;

  explicit WorkBudget(int64_t elements) : left_(elements) {}

  int64_t left() const { return left_; }
  /// Subtracts `elements` if at least `kept` would remain; returns whether it did.
  bool take(int64_t elements, int64_t kept = 0) {
    const bool fits = elements <= left_ - kept;
    if (fits) left_ -= elements;
    return fits;
  }
  /// Notes what did not fit into the budget: "12 of 60 mutants were not tried".
  void leave_out(const std::string& what) { words_ += (words_.empty() ? "" : "; ") + what; }
  /// "12 of 60 mutants were not tried; --diagnose long does more"; empty if everything fitted.
  std::string words() const { return words_.empty() ? "" : words_ + "; --diagnose long does more"; }

 private:
  int64_t left_;
  std::string words_;
};

/// Work of evaluating one element, in units of WorkBudget: 1 + k / 8 for a GEMM of k multiply-accumulates, otherwise 1.
inline int64_t work_of_element(const Answer& answer) { return 1 + answer.products / 8; }

/// Causes that explain the outputs, best first (smallest Cause::left()). An element for which a hypothesis accepts every code
/// is not explained. Such elements become Cause::open if it explains at least 8, and a quarter, of a tensor's failing elements.
///
/// A hypothesis becomes a cause only if it explains three quarters of the failing elements of some tensor, or of the rows that
/// break a rule as a whole. It may leave failing elements unexplained, because there may be another mistake. Or it may reject
/// right elements, at most one for every four that it explains, because the mistake may affect only a part of the tensor. It may
/// not do both. An incomplete hypothesis is dropped if some tensor never holds a code that only the hypothesis accepts. If no
/// cause is complete, pairs of mutants are tried. A pair must explain every failing element.
///
/// `sample`: the steps (rows or groups) to evaluate and count; nullptr: all steps. If `budget` does not suffice, the search uses
/// a part of the sample (half of it failing elements), and then compares the best causes with the whole sample. `budget` may be
/// nullptr: then the limit is kLong. `few`: receives the names of wrong reads of inputs that explain everything, but less than
/// eight elements; they are no causes.
std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample = nullptr, WorkBudget* budget = nullptr,
                            std::vector<std::string>* few = nullptr);

/// Causes as text for a report: the best three, or all that explain everything (at most 16). For example "explains 12 of 12
/// failing elements: scale: pow2(ceil) -> pow2(floor)", or "explains only 11 of 12 ...". "; and" joins the mutants of a pair;
/// each has the number of elements that the cause explains only because of it. "no known cause" if `causes` is empty.
std::vector<std::string> causes_in_words(const std::vector<Cause>& causes);

/// A note that lists mutants which explain wrong elements such as zeros. Many mistakes give zeros, so it asserts no cause. It
/// names up to 16 mutants, because other cases may tell which of them is right; reconcile() shortens it.
std::string would_fit(const std::vector<std::string>& mistakes);

/// Adds the patterns of wrong_part.h to the causes of a failure. Patterns that explain a whole output come before the causes,
/// other patterns after them, then facts. If there are only facts, they follow "no known cause".
void add_patterns(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, Verdict& verdict,
                  WorkBudget& budget);

/// The cause of a call that writes nothing.
inline constexpr const char* kNothingWritten =
    "never written: no element of any output: no kernel is launched (a launch is missing, or no branch of a dispatch on "
    "contract, type or size is taken), or all its threads return at once, or its stores are missing";
/// Whether no byte of any output is written, and all tensors that are updated in place are as they were before the call.
bool writes_nothing(const Problem& problem, const CallResult& result);
/// The same for a kernel whose outputs are all updated in place. It may also have stored the values that were there, so this is a
/// cause only if the contract rejects them.
inline constexpr const char* kNothingChanged =
    "never written: every output is as it was before the call: no kernel is launched (a launch is missing, or no branch of a "
    "dispatch on contract, type or size is taken), or the host function or all threads return at once";
bool changes_nothing(const Problem& problem, const CallResult& result);

/// The inputs that a call reads before it ends or crashes, in the order of their first reads, and the inputs that it does not
/// read.
struct InputsRead {
  bool is_known = false;  ///< false on back ends whose crashes would end this process
  std::vector<std::string> read, others;
};
InputsRead inputs_read(const Backend& backend, CallRequest request);
/// For a crash through a null pointer: which inputs are read before it, and so whose pointer may be null. Empty for other
/// messages.
std::string null_pointer_in_words(const Backend& backend, const CallRequest& request, const std::string& message);
/// kNothingWritten, or a text that also tells from the inputs that are read whether a kernel runs.
std::string nothing_written_in_words(const Backend& backend, const CallRequest& request);

/// Finds an input whose memory an output uses, and which the kernel reads again after it has stored that output: with the output
/// in the place of the input, all wrong outputs are as expected. Outputs that are right are not compared.
std::optional<Cause> overwritten_input(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                                       WorkBudget& budget);

/// The cause of a call whose message says that it hung, but names a rank that the call does not have: the library took the
/// message from memory that it never set. Empty for other messages. `message`: "hung: block 3 waited in vain for rank 2 at the
/// start".
std::string impossible_hang(const std::string& message, int ranks);

/// Puts what the library's own checks reported (CallResult::undefined) before the other causes. Wrong outputs then depend on
/// memory that the kernel must not use, so only causes that explain them completely, and facts about their positions, are kept.
void put_failed_checks_first(const CallResult* result, Verdict& verdict);

/// Joins causes that differ only in the rank of their tensor: "pattern: q of each of 8 ranks holds ...".
void join_ranks(std::vector<std::string>& causes, int ranks);

/// What the written elements of a partly written tensor show about the kernel's loop: "; 4 of each 16 elements are written,
/// counted over all rows: addresses advance 4 times too far, or ...". Empty if they show nothing. `vector`: elements in 16 bytes;
/// 0 if unknown.
std::string progress_of_writes(const std::vector<bool>& written, int64_t columns, int64_t vector = 0);
/// For the message of a call that wrote outside a tensor: the likely mistake, if the written bytes touch the tensor; else empty.
std::string why_outside(const std::string& message);
/// The same if the bytes fill one row directly behind the tensor: "one row is written behind the last row of 'd': ...".
std::string row_behind(const std::string& message, const Problem& problem);
/// For a call that a library refused because a vector's address is no multiple of its size: "address: block 1 stores 65 elements
/// behind the start of q: rows are probably 65 elements apart instead of 64". Empty if the place tells nothing.
std::string misaligned_address(const std::string& message, const Problem& problem);

/// Adds what the budget left out to Verdict::looked_at.
void add_limits(const WorkBudget& budget, Verdict& verdict);

// Functions that a run calls for each verdict.

/// Makes a function that returns the mutation score of a case's data. Cases that differ only in warp size share data, so each
/// data set is analysed once. `recorded` returns an earlier result, or nullptr.
std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded);


/// Makes a function for reconcile(). It tells whether the data of a passed case expose a mutant, by the mutation score of the
/// verdict. It returns false for equivalent mutants, for Hypothesis::suspect, and for mutants that the case does not have.
std::function<bool(const Verdict& passed, const std::string& mistake)> exposed_by_data(std::span<const Op> ops,
                                                                                       const std::vector<Case>& cases);

/// Repeats a call with inaccessible memory directly after each tensor, then directly before it. If the call crashes there,
/// returns "outside: read 2 bytes before the start of 'x' (at mine.h:12, called from ...)". Otherwise returns "". Does nothing on
/// back ends whose crashes would end this process.
/// Memory beside shapes and strides counts too: "outside: read strides[2] of 'x', which has 2 dimensions (at mine.h:12)".
/// `exactly`: tries only the memory that lies less than 16 bytes behind a tensor. Then tensors are not aligned, which disturbs
/// kernels that load vectors, so try the others first.
std::string access_beside(const Backend& backend, CallRequest request, bool exactly = false);
/// Whether a cause is of the last kind.
bool is_about_extents(const std::string& words);
/// Whether the call gives other outputs if other numbers lie beside shapes and strides.
bool depends_on_extents(const Backend& backend, CallRequest request);

/// "4096 bytes behind the end of 'a'" or "2 bytes before the start of 'a'" in a longer text.
struct PlaceOutside {
  std::string name;
  int64_t bytes = 0;  ///< behind the end, or before the start
  bool before = false;
  size_t begin = 0, end = 0;  ///< indices in the text: of the number, and behind the closing quote of the name
};
std::optional<PlaceOutside> place_outside(const std::string& words);
/// The first tensor with this name; nullptr if there is none.
const HostTensor* tensor_named(const Problem& problem, std::string_view name);

/// "read 4096 bytes behind the end of 'a', which is the start of row 16; a has 8 rows", if the text names such a place; else the
/// text.
std::string with_row_outside(const std::string& words, const Problem& problem);

/// Checks whether wrong outputs change when the call is repeated under other schedules of the lanes. Returns "" if the bits stay
/// the same. Returns "race: ... q at storage element 7: ..." if the back end honours the seed of a schedule
/// (honours_schedule_seed): then only the order of the lanes has changed. Returns "unsteady: ..." with possible reasons if the
/// back end has no such schedule, or if the first schedule gives other bits when it is repeated.
std::string race_in_words(const Backend& backend, const CallRequest& request);

/// Elements that depend on what the stacks held before the call: the kernel reads a local or shared variable or array before it
/// is set, or outside of its bounds.
struct Unset {
  std::string words;                  ///< "unset: ... y[0, 8], which ..."; empty if nothing changed
  int64_t changed = 0, elements = 0;  ///< changed elements, and all elements, of the outputs that changed
};
/// Repeats a call with other bytes on the stacks, if a crash cannot end this process.
Unset unset_locals(const Backend& backend, CallRequest request, const Expectation& right);

/// Another contract of the op, bound to the case whose outputs are wrong. A kernel receives the same call under both.
struct OtherContract {
  std::string id;
  std::string differs;  ///< the cells that differ, if they are few: "code: mul(m) -> div(s)"
  std::shared_ptr<const BoundCase> bound;
};
/// Returns the op's other contracts under which a kernel receives the same call, the most similar first.
using OtherContracts = std::function<std::vector<OtherContract>(const Case& one, const Problem& problem)>;

/// Contracts that explain every wrong element and accept every right one: "obeys X instead". Such a kernel chose a wrong contract.
std::vector<Cause> obeyed_instead(const Evidence& evidence, const OtherContracts& others, WorkBudget& budget);

/// Makes a function that sets the causes of a failed verdict. `backend` must be thread-safe. `budget`: elements of a WorkBudget;
/// 0: the function does nothing.
std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend, int64_t budget = WorkBudget::kShort,
                                                               OtherContracts others = {});

// Compares the outputs with an answer, element by element, for the steps (rows or groups) of a sample.

enum class Membership : uint8_t {
  kOutside,  ///< the answer rejects the stored code
  kInside,   ///< the answer accepts it
  kAnything  ///< the answer accepts every code
};

/// `stored`: number of elements in the tensor's storage; `offset`: the element's index in the storage.
Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted);

/// Result of comparing outputs with an answer.
struct Memberships {
  std::vector<std::vector<Membership>> parts;  ///< per part: the elements of the sample, in order
  std::set<int64_t> outside_steps;             ///< steps with an element outside
  std::set<int64_t> violated_steps;            ///< steps whose elements pass one by one, but break a rule together

  int64_t elements() const;
};

/// Compares the outputs with the answer that has the fewest elements outside. An element whose offset is outside the storage
/// counts as outside. Rules between tensors are not checked: they are the same for a mutant and for the contract.
Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample);

/// A hypothesis compared with the outputs. Elements that the contract rejects (`failing`) and elements that it accepts are
/// counted apart. A step that breaks a rule as a whole, without an element outside, counts as one element.
struct MembershipCounts {
  int64_t failing = 0, explained = 0, contradicted = 0;
  int64_t open = 0;  ///< not in `failing`: elements for which the hypothesis accepts every code, see diagnose()
  int64_t contradicted_beside = 0;  ///< elements of `contradicted` in outputs (parts) without a failing element
  bool most_of_a_part = false;  ///< explains three quarters of the failing elements of an output (part), or of the violated steps

  int64_t left() const { return failing - explained + contradicted; }
  bool counts() const {
    return most_of_a_part && explained >= 4 * contradicted && (explained == failing || contradicted == 0);
  }
};

MembershipCounts tally(const Memberships& contract, const Memberships& hypothesis);

/// Number of failing elements that the hypothesis `one` explains, and `other` does not.
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
