// One test case: the table row that determines its inputs and accepted outputs, and the case bound to its op (BoundCase).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// Position of a table row, for messages: suites/quant_group/cases/quick.csv:3
struct Origin {
  std::string file;
  int line = 0;
  std::string text() const { return file + ":" + std::to_string(line); }
};

/// The parts of a case's id.
struct CaseName {
  std::string op, contract;
  std::string shape;  ///< formats and extents: "bf16.m4.n1024.eps1e-6"
  std::string fills;  ///< input generators and seed: "normal.gamma.s1"; empty if the data are a user's tensors
  int warp = 0;       ///< warp size; 0: the case has none

  std::string data() const { return fills.empty() ? shape : shape + "/" + fills; }
  std::string without_warp() const { return (contract.empty() ? op : op + "/" + contract) + "/" + data(); }
  std::string id() const { return warp == 0 ? without_warp() : without_warp() + "/w" + std::to_string(warp); }
};

/// One expanded row of a case table. Immutable after expansion.
struct Case {
  std::string op;
  std::string tier;                               ///< "quick", "full": the table's file name up to the first '_'
  CaseName name;
  std::string id;                                 ///< text of `name`, which selects the case on a command line and names
                                                  ///< its golden records
  std::map<std::string, std::string> parameters;  ///< column -> cell, with one alternative chosen
  std::string why;
  std::string run_options{};          ///< options of `assay run` that select the case's table: " --cases mine.csv"
  std::vector<std::string> blind_to;  ///< globs for names of mutants that these inputs need not expose
  Origin origin;
  bool of_given_data = false;  ///< its data come from a user's dump, so it has no cells for generators, seed, warp

  const std::string& text(const std::string& parameter) const { return parameters.at(parameter); }
  void set_name(CaseName parts) { id = (name = std::move(parts)).id(); }
  /// Id of the case's data. Cases that differ only in warp size share it.
  std::string data_id() const { return name.without_warp(); }
  int64_t integer(const std::string& parameter) const { return std::stoll(parameters.at(parameter)); }
};

/// The part of a case id that Case::data_id() returns.
inline std::string data_id(const std::string& case_id) { return case_id.substr(0, case_id.rfind("/w")); }

// A case bound to its op, which gives its problem, accepted outputs, mutants, and texts for reports. The harness sees cases only
// through this class; suites/ derives one class for each op family.

struct Verdict;

/// The tensors and parameters of a kernel call. Output tensors have no bytes yet. With several ranks, the problem is one call per
/// rank, made at the same time. Each tensor belongs to one rank (TensorSpec::rank); all ranks get the same parameters.
struct Problem {
  std::vector<HostTensor> tensors;
  std::vector<std::pair<std::string, double>> parameters{};  ///< passed to the kernel through the C ABI
  int ranks = 1;
  /// Warm-up calls, made earlier on the same memory and the same group of ranks. Their outputs are not checked. They leave the
  /// kernel's buffers and flags in the state in which the case's own call finds them. The `before` of a warm-up call is empty.
  std::vector<Problem> before{};
};

/// How a kernel may use a tensor. kInOut (in place): the tensor comes with data and may be overwritten.
enum class Access { kIn, kOut, kInOut };
Access access_of(const HostTensor& tensor);  ///< how a kernel may use a tensor of a problem
const char* name(Access access);             ///< "input", "output", "in place"

/// A mutant: the contract with a changed step, layout or reading of an input. `expect` accepts outputs with this mistake.
struct Hypothesis {
  std::string name;  ///< "scale: pow2(ceil) -> pow2(floor)"
  std::function<Expectation(const Problem&, const std::vector<HostTensor>* outputs)> expect;  ///< like BoundCase::expect
  std::string equivalent = {};  ///< why no data can distinguish it from the contract; empty: some data can
  /// Mutants with two mistakes: this one and another. The name of each is that of the other mistake. Empty: there are none.
  std::function<std::vector<Hypothesis>()> with_another = {};
  /// The name plus a detail taken from these outputs, such as a column. Empty: the name is enough.
  std::function<std::string(const std::vector<HostTensor>& outputs)> in_words = {};
  /// A shortcut for ops whose `expect` computes everything; else empty. Computes from the inputs alone what step 0 of the mutant
  /// produces in some parts. If a row differs from the contract's in the part of the same label, the inputs expose the mutant.
  std::function<Expectation(const Problem&)> first_row = {};
  bool by_rows = false;  ///< it reads an address that depends on the number of rows, so a call with one row does not expose it
  bool suspect = false;  ///< only the diagnosis uses it; inputs need not expose it
  bool rounds_result = false;  ///< it changes how the result is rounded, perhaps for one of several outputs only
};

/// The algorithm that a library reports for a call (assay_algorithm of the C ABI). A field that the library does not report is
/// 0.
struct SaidAlgorithm {
  enum class Order : uint8_t { kNotSaid, kAscending, kAny };
  std::string words{};  ///< free text from a library, for algorithms that no field describes: "stream-K"
  int32_t split_k = 0;  ///< number of split-K parts
  int32_t promote = 0;  ///< multiply-accumulates along k between promotions of the accumulator to fp32; -1: never promoted
  Order order = Order::kNotSaid;

  bool operator==(const SaidAlgorithm&) const = default;
  bool empty() const { return *this == SaidAlgorithm{}; }
  std::string text() const;  ///< "split-K 3, promoted every 128, added in any order"
};

/// The output code of all inputs with a bit pattern above the previous step's `last`, up to this `last`.
struct CodeStep {
  uint32_t last, code;
};

/// Functions by which a sweep calls the kernel. A sweep is a case with more inputs than fit into one problem.
struct SweepCalls {
  /// Calls the kernel on a problem and returns its outputs. Returns nullptr if the call failed; the verdict then has the reason,
  /// and the sweep must end.
  std::function<const std::vector<HostTensor>*(const Problem&)> outputs;

  /// Calls the kernel on consecutive inputs that the device generates and checks (harness/backend/watch.h). Empty if there is no
  /// on-device checker. Input element i has the bit pattern `second argument + i`. Returns, for each kWatchedInputs consecutive
  /// inputs, how many output codes differ from the codes of the CodeSteps; empty if the check failed.
  std::function<std::vector<int32_t>(const Problem&, uint32_t, const std::vector<CodeStep>&)> wrong{};
  static constexpr uint64_t kWatchedInputs = uint64_t{1} << 15;
};

/// A call that differs from the case's own call, but must return the same bits.
struct Relation {
  static constexpr int64_t kAnything = -1;  ///< an index in same_as: the element may have any value
  std::string rung;  ///< invariance level: "columns"
  std::string what;  ///< "columns in the opposite order"
  Problem problem;
  std::string tensor;            ///< output to compare
  std::vector<int64_t> same_as;  ///< for each element of `tensor`: index of the element of the case's own call that it must equal
};

/// Columns of a case table, each with a cell that replaces the cell of a case: {{"m", "3"}}.
using CellChanges = std::map<std::string, std::string>;

/// The case with these cells replaced. It still has its old name; checked_case() computes the new one.
Case with_cells(Case one, const CellChanges& cells);

/// A size that --minimize can reduce. `now`: its number of units, such as groups of columns. `cells`: cells for other numbers.
struct ShrinkAxis {
  int64_t now;
  std::function<CellChanges(int64_t units)> cells;
};

/// Parts of a case that --minimize can change, besides input generators and seed.
struct Shrinking {
  std::vector<ShrinkAxis> axes;      ///< the first axis is rows, and is tried again at the end
  std::vector<CellChanges> instead;  ///< replacement cells to try, such as smaller groups; smallest first
  int64_t elements = 0;              ///< size of the case, to report progress
};

class BoundCase;

/// A case made of some rows of another case.
struct CaseOfRows {
  std::unique_ptr<const BoundCase> bound;
  Problem problem;    ///< row i is row rows[i] of the original case
  CellChanges cells;  ///< sizes as cells of a case table; compared with the kernels' `accepts`
};

/// One case of an op, with parsed cells and a resolved contract. Immutable and safe to use from several threads. Its expectations
/// and hypotheses refer to the problem and the outputs that they were made from; they may outlive the case.
class BoundCase {
 public:
  BoundCase() = default;
  BoundCase(const BoundCase&) = delete;
  BoundCase& operator=(const BoundCase&) = delete;
  virtual ~BoundCase() = default;

  /// The parts of the case's id. Unspecified for a subsample and for a case made by with_rows().
  virtual CaseName name() const = 0;
  /// Architecture that the contract belongs to; empty: any.
  virtual std::string arch() const { return ""; }

  virtual Problem problem() const = 0;
  /// The outputs that the case accepts. If `outputs` is null, they are computed from the inputs alone, as for golden files. Else
  /// they may depend on `outputs`: codes must match the stored scale. A block is computed when it is requested.
  virtual Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const = 0;
  virtual std::vector<Hypothesis> mutants() const { return {}; }  ///< mutants of the contract that apply to the case
  /// A subsample with few rows, which makes mutation analysis fast: the whole case kills each mutant that the subsample kills.
  /// Nullptr if the case is small.
  virtual std::unique_ptr<const BoundCase> excerpt() const { return nullptr; }

  /// The answers of all known algorithms for the op, including those that the contract does not admit. Empty if none is known.
  virtual Expectation programs(const Problem&) const { return {}; }
  /// Whether the algorithm that a library reported may be the contract's variant `program`. Two split-K counts are the same
  /// variant if they divide k in the same way.
  virtual bool is_meant(const SaidAlgorithm& said, const std::string& program) const { return program == said.text(); }

  /// Number of rows if rows are independent; 0 if a row's result depends on other rows.
  virtual int64_t independent_rows() const { return 0; }
  /// A new case made of these rows of this case; a row may be repeated. Throws std::logic_error if rows are not independent.
  virtual CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const;
  /// The op's own invariance tests, in which something other than rows changes. climb() (run_case.h) makes them in this order.
  virtual std::vector<Relation> relations(const Problem&) const { return {}; }

  /// The contract as formulas, one line per cell.
  virtual std::vector<std::string> formulas() const { return {}; }
  /// The intermediate values of every step for the output element at a row and a column of the tensor traced().
  virtual std::vector<std::string> trace(const Problem&, int64_t /*row*/, int64_t /*column*/) const { return {}; }
  /// Name of the tensor whose rows and columns trace() counts; empty: the first tensor.
  virtual std::string traced() const { return {}; }
  /// Lines that describe storage for which shape and strides do not suffice: addresses of scales, bytes of a record, padding.
  virtual std::vector<std::string> layouts() const { return {}; }
  /// Op-specific facts about wrong elements, or about right elements that accept several codes. Reports print them with the first
  /// wrong tensor, or with the first tensor if all are right.
  virtual std::vector<std::string> remarks(const Problem&, const std::vector<HostTensor>& /*outputs*/) const { return {}; }
  /// Whether expect() needs nothing but the formats of the tensors, so that it also judges a call with other sizes and inputs.
  virtual bool judges_any_sizes() const { return false; }
  /// If no mutant explains the wrong elements: what they have in common, as the text of a cause; "" if nothing is recognized.
  virtual std::string situation(const Problem&, const std::vector<HostTensor>& /*outputs*/) const { return ""; }

  /// How --minimize can reduce the case. `multiple_of`: divisors that the kernel demands of columns. Empty if nothing can be
  /// reduced.
  virtual std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& /*multiple_of*/) const { return std::nullopt; }

  /// Whether the case has more inputs than fit into one problem. If so, problem() returns the problem of excerpt().
  virtual bool is_sweep() const { return false; }
  /// For a sweep: makes its calls, checks them, and sets the verdict's tensors and, on failure, its causes.
  virtual void judge_sweep(const SweepCalls&, Verdict&) const {}
};

/// Forwards every function to another case. The cases that excerpt() and with_rows() return lack a derived class's overrides.
class ForwardedCase : public BoundCase {
 public:
  explicit ForwardedCase(std::shared_ptr<const BoundCase> to) : to_(std::move(to)) {}

  CaseName name() const override { return to_->name(); }
  std::string arch() const override { return to_->arch(); }
  Problem problem() const override { return to_->problem(); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return to_->expect(problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return to_->mutants(); }
  std::unique_ptr<const BoundCase> excerpt() const override { return to_->excerpt(); }
  Expectation programs(const Problem& problem) const override { return to_->programs(problem); }
  bool is_meant(const SaidAlgorithm& said, const std::string& program) const override { return to_->is_meant(said, program); }
  int64_t independent_rows() const override { return to_->independent_rows(); }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override {
    return to_->with_rows(problem, rows);
  }
  std::vector<Relation> relations(const Problem& problem) const override { return to_->relations(problem); }
  std::vector<std::string> formulas() const override { return to_->formulas(); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return to_->trace(problem, row, column);
  }
  std::string traced() const override { return to_->traced(); }
  std::vector<std::string> layouts() const override { return to_->layouts(); }
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return to_->remarks(problem, outputs);
  }
  bool judges_any_sizes() const override { return to_->judges_any_sizes(); }
  std::string situation(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return to_->situation(problem, outputs);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override {
    return to_->shrinking(multiple_of);
  }
  bool is_sweep() const override { return to_->is_sweep(); }
  void judge_sweep(const SweepCalls& calls, Verdict& verdict) const override { to_->judge_sweep(calls, verdict); }

 protected:
  const BoundCase& other() const { return *to_; }  ///< the case that functions are forwarded to
  const std::shared_ptr<const BoundCase>& shared() const { return to_; }

 private:
  const std::shared_ptr<const BoundCase> to_;
};

}  // namespace assay
