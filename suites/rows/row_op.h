// A row-wise op is a chain of stages, such as a norm and a quantization. A stage knows which contracts it accepts, and which
// tensors and parameters it adds to a call.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Whether a stage is the first or the last one of its op.
struct StagePlace {
  bool first = true;  ///< the stage reads x
  bool last = true;   ///< the stage stores its result
};

class RowStage {
 public:
  virtual ~RowStage() = default;

  /// Op kind of the contract rows that the stage accepts, such as "row_norm".
  virtual std::string flow() const = 0;
  /// Why the stage rejects this contract of its op kind; empty if it accepts the contract.
  virtual std::string why_not(const ContractRow& contract) const = 0;
  /// Whether the stage, as the last one, stores y in the format of x.
  virtual bool stores_y() const { return false; }
  /// The tensors of the stage besides x, in the order of the call.
  virtual std::vector<RoleSpec> roles(StagePlace place) const = 0;
  virtual std::vector<ParameterSpec> parameters(StagePlace place) const = 0;
  virtual void add_to(Problem& problem, const RowCase& c, StagePlace place) const = 0;

  /// The tensor x of an op that begins with this stage.
  virtual RoleSpec role_of_x() const;
  virtual HostTensor x(const RowCase& c) const;
  /// Whether an op of this stage alone also accepts single contracts (no chains) whose op kind is not flow().
  virtual bool takes_other_flows() const { return false; }
};

using RowStagePtr = std::shared_ptr<const RowStage>;

/// Whether the cases of an op have a certain input.
enum class Has { kNever, kSometimes, kAlways };

/// A norm. It may add a residual to x first, and may multiply its result by a gate.
struct NormInputs {
  Has residual = Has::kNever, gate = Has::kNever;
  bool beta = false;  ///< LayerNorm: adds a beta and subtracts the mean
};
RowStagePtr norm_stage(NormInputs inputs = {});

/// The activation of one half of a row, multiplied by the other half.
RowStagePtr gated_stage();

/// A quantization; it is always the last stage.
struct QuantTensors {
  ScalesOfOp scales{};
  bool zero_points = false;
  bool tiles = false;  ///< scale layouts may be swizzled in tiles
  bool bound = false;  ///< contracts may bound amax
  bool outer = false;  ///< contracts may have a second level of scales, given as global_scale
};
RowStagePtr quant_stage(QuantTensors tensors);

/// Where the rows of each expert lie.
enum class Experts {
  kNone,
  kOneBehindTheOther,  ///< rows of all experts follow each other without gaps; each expert has its own grid of scales
  kInRooms             ///< each expert has storage for `room` rows and uses the first of them
};

/// All stages of an op, in order.
class RowChain {
 public:
  explicit RowChain(std::vector<RowStagePtr> stages, Experts experts = Experts::kNone)
      : stages_(std::move(stages)), experts_(experts) {}

  /// Why an op with these columns rejects the contract; empty if it accepts the contract.
  std::string why_not(const ContractRow& contract, const std::vector<std::string>& columns) const;
  /// Throws TableError about the cell `contract`: with that reason, or if the contract does not round y to the case's format x.
  void require(const Cells& cells, const ContractRow& contract, const std::vector<std::string>& columns) const;
  std::vector<RoleSpec> roles() const;
  std::vector<ParameterSpec> parameters() const;

  HostTensor x(const RowCase& c) const { return stages_.front()->x(c); }
  /// The call with this tensor x, which may be the output of another op.
  Problem problem(const RowCase& c, HostTensor x) const;
  Problem problem(const RowCase& c) const { return problem(c, x(c)); }

 private:
  StagePlace place_of(size_t stage) const { return {stage == 0, stage + 1 == stages_.size()}; }

  std::vector<RowStagePtr> stages_;
  Experts experts_;
};

// A parsed case of any row-wise op (a bound case), and how an Op is made of a chain of stages.

/// What differs between row-wise ops.
struct RowOpParts {
  std::string name;
  RowChain chain;
  std::vector<std::string> columns;
  std::set<std::string> optional_columns{};
  /// Whether a row's result depends only on that row, so that rows can be computed one by one.
  bool independent_rows = true;
};

/// A parsed case of a chain of stages. Fused ops also use it for their row-wise stages; its x is then another op's output.
class BoundRows : public BoundCase {
 public:
  BoundRows(std::shared_ptr<const RowOpParts> op, RowCase c, CaseName name)
      : op_(std::move(op)), c_(std::make_shared<const RowCase>(std::move(c))), name_(std::move(name)) {}

  const RowCase& row_case() const { return *c_; }
  /// A bound case of the same op and name with other parameters.
  std::unique_ptr<const BoundRows> with(RowCase c) const { return std::make_unique<const BoundRows>(op_, std::move(c), name_); }
  /// The call whose x is the output of another op.
  Problem problem_of(HostTensor x) const { return op_->chain.problem(*c_, std::move(x)); }
  /// Like expect(), but for another contract of the same op kind.
  Expectation expect_of(const std::shared_ptr<const Contract>& contract, const Problem& problem,
                        const std::vector<HostTensor>* outputs) const;

  CaseName name() const override { return name_; }
  Problem problem() const override;
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override;
  std::vector<Hypothesis> mutants() const override;
  std::unique_ptr<const BoundCase> excerpt() const override;
  int64_t independent_rows() const override { return op_->independent_rows ? c_->m : 0; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override;
  std::vector<std::string> formulas() const override;
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::vector<std::string> layouts() const override;
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const std::shared_ptr<const RowOpParts> op_;
  const std::shared_ptr<const RowCase> c_;
  const CaseName name_;
};

/// Parses a case of the op and names it. Throws TableError.
std::unique_ptr<const BoundRows> bind_rows(const std::shared_ptr<const RowOpParts>& op, const Case& c);

Op row_op(RowOpParts parts);

}  // namespace assay
