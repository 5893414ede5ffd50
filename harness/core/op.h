// What an op is to the harness. The harness knows no op by name; suites/ fills this in.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"

namespace assay {

/// Everything a kernel is called with. Output tensors hold no bytes yet. Of more than one rank it is a call of each rank, made
/// together; a tensor belongs to one of them (TensorSpec::rank), and the parameters are those of all.
struct Problem {
  std::vector<HostTensor> tensors;
  std::vector<std::pair<std::string, double>> parameters{};  ///< of the C ABI
  int ranks = 1;
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

struct Op {
  std::string name;
  std::vector<std::string> columns;          ///< of its case tables, besides why and blind_to
  std::set<std::string> optional_columns{};  ///< of those: a table may lack them, and its cases then have empty cells
  /// Checks one expanded row and names it. Throws TableError with the column at fault.
  std::function<Case(Case)> validate;
  std::function<Problem(const Case&)> problem;
  /// `outputs` null: from the inputs alone (predicted golden). Else conditioned on what the kernel stored. The expectation refers
  /// to the problem and to the outputs; little is computed before its blocks are asked for.
  std::function<Expectation(const Case&, const Problem&, const std::vector<HostTensor>* outputs)> expect;
  std::function<std::vector<Hypothesis>(const Case&)> neighbours;
  /// The case on so few of its rows that its power can be reckoned quickly; what the excerpt sees, the case sees.
  std::function<Case(Case)> excerpt;
  /// Of ops whose rows are independent, else empty: how many rows the case has, and the case and problem whose row i is row
  /// rows[i] of these.
  std::function<int64_t(const Case&)> rows;
  std::function<std::pair<Case, Problem>(const Case&, const Problem&, const std::vector<int64_t>& rows)> with_rows;
  /// The contract as formulas, one line per cell.
  std::function<std::vector<std::string>(const Case&)> formulas;
  /// What every step made of the output element at a row and column.
  std::function<std::vector<std::string>(const Case&, const Problem&, int64_t row, int64_t column)> trace;
  /// Empty, or what only the op can say of wrong elements: notes of the first tensor that disagrees.
  std::function<std::vector<std::string>(const Case&, const Problem&, const std::vector<HostTensor>& outputs)> remarks{};
  /// Of ops with cases of more inputs than one problem should hold, else empty. Judges such a case by calls of its own and gives
  /// the verdict its tensors and, of a failure, its causes; the problem of such a case is that of its excerpt. False: an ordinary
  /// case.
  std::function<bool(const Case&, const SweepCalls&, Verdict&)> sweep{};
};

}  // namespace assay
