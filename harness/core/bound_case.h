// A case that an op has read: its problem, what it must return, its mutants and what can be said of it. The harness knows cases as
// this class alone; suites/ derives one for each family of ops.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

struct Verdict;

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

/// How a kernel may use a tensor. In place: it comes with data and may be overwritten.
enum class Access { kIn, kOut, kInOut };
Access access_of(const HostTensor& tensor);  ///< of a tensor of a problem
const char* name(Access access);             ///< "input", "output", "in place"

/// A mutant of the contract, of a layout or of what is read: one step is changed. It has an answer of its own.
struct Hypothesis {
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"
  std::function<Expectation(const Problem&, const std::vector<HostTensor>* outputs)> expect;  ///< as BoundCase::expect
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
  bool rounds_result = false;  ///< it is about a rounding of the result that others may take up: one of two consumers may see it
};

/// What a library says of the algorithm that made its outputs (assay_algorithm of the C ABI). Fields are 0 where it says nothing.
struct SaidAlgorithm {
  enum class Order : uint8_t { kNotSaid, kAscending, kAny };
  std::string words{};  ///< of a library that says something else in its own words: "stream-K"
  int32_t split_k = 0;  ///< parts of k
  int32_t promote = 0;  ///< multiply-accumulates between promotions; -1: never
  Order order = Order::kNotSaid;

  bool operator==(const SaidAlgorithm&) const = default;
  bool empty() const { return *this == SaidAlgorithm{}; }
  std::string text() const;  ///< "split-K 3, promoted every 128, added in any order"
};

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

/// A call that differs from a case's own in something that its bits may not depend on.
struct Relation {
  static constexpr int64_t kAnything = -1;
  std::string rung;  ///< of the ladder: "columns"
  std::string what;  ///< "columns in the opposite order"
  Problem problem;
  std::string tensor;            ///< the output that is looked at
  std::vector<int64_t> same_as;  ///< of each of its elements, row by row, which one of the plain call's it must be
};

/// Cells of a case table that a row has instead of another row's: {{"m", "3"}}.
using CellChanges = std::map<std::string, std::string>;

/// The case with other cells. It still has its old name: whoever needs another one gets it from checked_case().
Case with_cells(Case one, const CellChanges& cells);

/// Something that --minimize may take away: `now` units of it, and the cells of the case that has fewer.
struct ShrinkAxis {
  int64_t now;
  std::function<CellChanges(int64_t units)> cells;
};

/// What --minimize may change of a case besides its fills and seed.
struct Shrinking {
  std::vector<ShrinkAxis> axes;      ///< rows first; the first one is tried once more behind the others
  std::vector<CellChanges> instead;  ///< other cells, such as smaller groups, the smallest first
  int64_t elements = 0;              ///< of the case, to say how far it came
};

class BoundCase;

/// Some rows of a case as a case of their own.
struct CaseOfRows {
  std::unique_ptr<const BoundCase> bound;
  Problem problem;    ///< row i is row rows[i] of the other case's
  CellChanges cells;  ///< the extents that a table row would have for it; kernels' `accepts` are compared with them
};

/// One case of an op. Its cells were read and its contract was looked up when it was made; it never changes, and several threads may
/// ask it at once. What it returns does not refer to it: expectations and hypotheses outlive it, and refer to the problem and to the
/// outputs that they were made of.
class BoundCase {
 public:
  BoundCase() = default;
  BoundCase(const BoundCase&) = delete;
  BoundCase& operator=(const BoundCase&) = delete;
  virtual ~BoundCase() = default;

  /// The parts of its id. Golden files carry it. Of an excerpt and of a case of rows, unspecified.
  virtual CaseName name() const = 0;
  /// The chip that its contract is about; empty: any.
  virtual std::string arch() const { return ""; }

  virtual Problem problem() const = 0;
  /// `outputs` null: from the inputs alone (predicted golden). Else conditioned on what the kernel stored. Little is computed before
  /// the blocks of the expectation are asked for.
  virtual Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const = 0;
  virtual std::vector<Hypothesis> mutants() const { return {}; }
  /// So few of its rows that the power of its data is computed quickly; what the excerpt sees, the case sees. Nullptr: it is small.
  virtual std::unique_ptr<const BoundCase> excerpt() const { return nullptr; }

  /// Answers beyond all contracts: every program that may have made such outputs, each named by all that it does. Empty: none is known.
  virtual Expectation programs(const Problem&) const { return {}; }
  /// Whether the contract's program of this name may be the algorithm that a library says it used. Several split-K counts are one program
  /// where they cut k alike.
  virtual bool is_meant(const SaidAlgorithm& said, const std::string& program) const { return program == said.text(); }

  /// How many rows it has, of a case whose rows are independent. 0: what a row gets depends on other rows.
  virtual int64_t independent_rows() const { return 0; }
  /// Throws std::logic_error unless rows are independent. A row may be taken several times.
  virtual CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const;
  /// What bits do not depend on besides other rows: rungs of the ladder behind `neighbours`, in their order.
  virtual std::vector<Relation> relations(const Problem&) const { return {}; }

  /// The contract as formulas, one line per cell.
  virtual std::vector<std::string> formulas() const { return {}; }
  /// What every step made of the output element at a row and column.
  virtual std::vector<std::string> trace(const Problem&, int64_t /*row*/, int64_t /*column*/) const { return {}; }
  /// What shape and strides do not say of where elements lie: addresses of scales, bytes of a record, padding.
  virtual std::vector<std::string> layouts() const { return {}; }
  /// What only the op can say of wrong elements, and of right ones that may have had other codes: notes of the first tensor that
  /// disagrees, or of the first one if all agree.
  virtual std::vector<std::string> remarks(const Problem&, const std::vector<HostTensor>& /*outputs*/) const { return {}; }
  /// The failure signature of the wrong elements, where no hypothesis explains them: a cause in words, or "".
  virtual std::string situation(const Problem&, const std::vector<HostTensor>& /*outputs*/) const { return ""; }

  /// `multiple_of`: what the kernel wants columns to be multiples of. Empty: there is nothing to take away.
  virtual std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& /*multiple_of*/) const { return std::nullopt; }

  /// Whether it has more inputs than one problem holds. problem() is then that of its excerpt.
  virtual bool is_sweep() const { return false; }
  /// Of a sweep: judges it by calls of its own and gives the verdict its tensors and, of a failure, its causes.
  virtual void judge_sweep(const SweepCalls&, Verdict&) const {}
};

}  // namespace assay
