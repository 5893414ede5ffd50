// What an op is to the harness. The harness knows no op by name; suites/ fills this in.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/dumped.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// Everything a kernel is called with. Output tensors hold no bytes yet. Of more than one rank it is a call of each rank, made
/// together; a tensor belongs to one of them (TensorSpec::rank), and the parameters are those of all.
struct Problem {
  std::vector<HostTensor> tensors;
  std::vector<std::pair<std::string, double>> parameters{};  ///< of the C ABI
  int ranks = 1;
  /// Calls made before it on the same memory and the same group, of whose outputs nobody takes note: what a kernel then leaves in its
  /// buffers and flags is known to the op. Their own are empty.
  std::vector<Problem> before{};
};

/// The case that a dump is an instance of, and its problem: data of inputs and in-place tensors are placeholders.
struct DumpCase {
  Case one;
  Problem problem;
  ScalePlacing placing = ScalePlacing::kLogical;
};

/// A single-step edit of the contract, of a layout or of what is read, as a named alternative answer.
struct Hypothesis {
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"
  std::function<Expectation(const Problem&, const std::vector<HostTensor>* outputs)> expect;  ///< as Op::expect
  std::string equivalent = {};  ///< why no data can tell it from the contract; empty: some data can
  /// This mistake and one more, each with the name of the second alone. Empty: it is not combined with others.
  std::function<std::vector<Hypothesis>()> with_another = {};
  /// The name with what these outputs say about it, such as a column. Empty: the name says all.
  std::function<std::string(const std::vector<HostTensor>& outputs)> in_words = {};
  /// Empty, or the first rows of some parts of that answer, found by their labels: of ops whose answers are made whole, for those who
  /// look whether the edit shows at all. From the inputs alone.
  std::function<Expectation(const Problem&)> first_row = {};
  bool by_rows = false;  ///< what it reads of an input depends on how many rows there are: one row alone shows something else
  bool suspect = false;  ///< asked for by the diagnosis alone: no data need tell it from the contract
};

struct Verdict;

/// One code for all inputs from where the step before ends to `last`.
struct CodeStep {
  uint32_t last, code;
};

/// The calls that a sweep can make.
struct SweepCalls {
  /// Outputs of one call on a problem. Nullptr if there are none: the verdict then says why, and there is no further call to
  /// make.
  std::function<const std::vector<HostTensor>*(const Problem&)> outputs;

  /// Empty unless the device can be watched (harness/backend/watch.h). For a problem with an input x that nobody has to make,
  /// whose patterns count up from the second argument: how many of each kWatchedInputs got another code than the steps say. Empty
  /// if nobody could tell.
  std::function<std::vector<int32_t>(const Problem&, uint32_t, const std::vector<CodeStep>&)> wrong{};
  static constexpr uint64_t kWatchedInputs = uint64_t{1} << 15;
};

/// Of ops whose rows are independent: the case and problem whose row i is row rows[i] of another.
struct BatchAxis {
  std::function<int64_t(const Case&)> rows;  ///< how many the case has
  std::function<std::pair<Case, Problem>(const Case&, const Problem&, const std::vector<int64_t>& rows)> with_rows;
};

/// A call that differs from a case's own in something that its bits may not depend on.
struct Relation {
  static constexpr int64_t kAnything = -1;
  std::string rung;  ///< of the ladder: "columns"
  std::string what;  ///< "columns in the opposite order"
  Problem problem;
  std::string tensor;            ///< the output that is looked at
  std::vector<int64_t> same_as;  ///< of each of its elements, row by row, which one of the plain call's it must be
};

/// Of ops with cases of more inputs than one problem should hold. The problem of such a case is that of its excerpt.
struct Sweep {
  std::function<bool(const Case&)> takes;  ///< false: an ordinary case
  /// Judges such a case by calls of its own and gives the verdict its tensors and, of a failure, its causes.
  std::function<void(const Case&, const SweepCalls&, Verdict&)> judge;
};

/// How a kernel may use a tensor. In place: it comes with data and may be overwritten.
enum class Access { kIn, kOut, kInOut };
Access access_of(const HostTensor& tensor);  ///< of a tensor of a problem
const char* name(Access access);             ///< "input", "output", "in place"

/// A tensor that calls of the op may have, by the name that a plug-in finds it by.
struct RoleSpec {
  std::string name;
  Access access;
  std::string what;  ///< shape and meaning
};

/// A number that calls of the op may have.
struct ParameterSpec {
  std::string name, what;
};

/// Something that --minimize may take away: `now` units of it, and the cells of the case that has fewer.
struct ShrinkAxis {
  int64_t now;
  std::function<std::map<std::string, std::string>(int64_t units)> cells;
};

/// What --minimize may change of a case besides its fills and seed.
struct Shrinking {
  std::vector<ShrinkAxis> axes;                             ///< rows first; the first one is tried once more behind the others
  std::vector<std::map<std::string, std::string>> instead;  ///< other cells, such as smaller groups, the smallest first
  int64_t elements = 0;                                     ///< of the case, to say how far it came
};

struct Op {
  std::string name;
  std::vector<RoleSpec> roles{};            ///< every tensor of every problem is one of them, and so used
  std::vector<ParameterSpec> parameters{};  ///< likewise
  std::vector<std::string> columns;          ///< of its case tables, besides why and blind_to; keys of a kernel's `accepts`
  std::set<std::string> optional_columns{};  ///< of those: a table may lack them, and its cases then have empty cells
  std::string data_column = "fill";  ///< of those: which data its cases have, by which power is told apart; empty: data decide nothing
  /// Whether the op's cases can have this contract. False also for one that does not exist.
  std::function<bool(const std::string& contract)> takes{};
  /// Checks one expanded row and names it. Throws TableError with the column at fault.
  std::function<Case(Case)> validate;
  std::function<Problem(const Case&)> problem;
  /// `outputs` null: from the inputs alone (predicted golden). Else conditioned on what the kernel stored. The expectation refers
  /// to the problem and to the outputs; little is computed before its blocks are asked for.
  std::function<Expectation(const Case&, const Problem&, const std::vector<HostTensor>* outputs)> expect;
  std::function<std::vector<Hypothesis>(const Case&)> neighbours;
  /// Empty, or answers beyond all contracts: every program that may have made such outputs, each named by all that it does.
  std::function<Expectation(const Case&, const Problem&)> programs{};
  std::string untried{};  ///< ways of real kernels that are not among these programs, and why: for who is told that none made his outputs
  /// Empty, or which program of a case a library means that names one: several names are one program where they cut k alike. Else names
  /// are as in the answers.
  std::function<std::string(const Case&, const std::string& said)> program_meant{};
  /// The case on so few of its rows that its power can be reckoned quickly; what the excerpt sees, the case sees.
  std::function<Case(Case)> excerpt;
  std::optional<BatchAxis> batch{};  ///< none: what a row gets depends on other rows
  /// Empty, or what bits do not depend on besides other rows: rungs of the ladder behind `neighbours`, in their order.
  std::function<std::vector<Relation>(const Case&, const Problem&)> relations{};
  /// The contract as formulas, one line per cell.
  std::function<std::vector<std::string>(const Case&)> formulas;
  /// What every step made of the output element at a row and column.
  std::function<std::vector<std::string>(const Case&, const Problem&, int64_t row, int64_t column)> trace;
  /// Empty, or what shape and strides do not say of where elements lie: addresses of scales, bytes of a record, padding.
  std::function<std::vector<std::string>(const Case&)> layouts{};
  /// Empty, or what only the op can say of wrong elements, and of right ones that may have had other codes: notes of the first tensor
  /// that disagrees, or of the first one if all agree.
  std::function<std::vector<std::string>(const Case&, const Problem&, const std::vector<HostTensor>& outputs)> remarks{};
  /// Empty, or the situation that holds the wrong elements, where no hypothesis explains them: a cause in words, or "".
  std::function<std::string(const Case&, const Problem&, const std::vector<HostTensor>& outputs)> situation{};
  std::optional<Sweep> sweep{};
  /// Empty, or the case that a user's tensors are an instance of. Throws UsageError naming the tensor and what was expected.
  std::function<DumpCase(const Op&, const DumpRequest&)> case_of_dump{};
  /// Empty if cases have nothing to take away. `multiple_of`: what the kernel wants columns to be multiples of.
  std::function<Shrinking(const Case&, const std::map<std::string, int64_t>& multiple_of)> shrink{};
};

}  // namespace assay
