#include "suites/rows/row_op.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "harness/core/case.h"
#include "harness/fill/fill.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/recipe/eval.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_case.h"
#include "suites/rows/row_dump.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rows/row_text.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Row-wise ops are chains of stages, which each row passes through.

/// Random streams of the tensors of a row-wise op. Golden files depend on them, so each new tensor needs a new number. (kUp and
/// kGamma share a number, because no op has both.)
enum Stream : uint32_t {
  kX = 0,
  kUp = 1,
  kGamma = 1,
  kScale = 2,
  kZeroPoint = 3,
  kResidual = 4,
  kBeta = 5,
  kGate = 6,
  kOuterScale = 7
};

/// The weight that the contract computes from a gamma of 0: the constant that it adds to gamma, or 0.
double added_to_gamma(const Contract& contract) {
  const RowNorm* norm = contract.row_norm();
  if (norm == nullptr || norm->w.empty()) return 0;
  Spans weight(std::vector<double>{0.0});
  evaluate(norm->w, weight, {});
  return weight[0].low;
}

/// Format of the codes q; the format of x if the contract stores no codes.
const Format& code_format(const RowCase& c) { return c.bound->group_quant() ? *c.bound->group_quant()->q : *c.x; }

/// Creates the tensors of a case.
class RowTensors {
 public:
  explicit RowTensors(const RowCase& c) : c_(c) {}

  /// Input x [m, n]. For norms, some generators need the weights to compute x.
  HostTensor x() const {
    std::vector<FilledOperand> operands;
    if (c_.bound->row_norm()) operands.push_back(filled_operand(weights("gamma", c_.gamma, kGamma), added_to_gamma(*c_.bound)));
    const HostTensor x =
        input("x", *c_.x, {c_.stored_rows(), c_.n},
              {.name = c_.fill, .group_size = c_.group_size(), .q = &code_format(c_), .tensor = kX, .operands = &operands});
    return with_gaps(x);
  }
  /// Input x [m, 2n] of a gated contract: `fill` generates the gate, `up` the other half. If the gate is a constant power
  /// of two (generator gate_open: 32), the other half is divided by it. The product then has the values that `up`
  /// generates.
  HostTensor halves() const {
    const auto half = [&](const std::string& fill, Stream stream, int exponent) {
      return input("x", *c_.x, {c_.stored_rows(), c_.n},
                   {.name = fill, .group_size = c_.group_size(), .q = &code_format(c_), .tensor = stream, .exponent = exponent});
    };
    const HostTensor gate = half(c_.fill, kX, 0), up = half(c_.up, kUp, -exponent_of_constant(c_.fill));
    const bool gate_first = c_.bound->gated()->gate_first;
    HostTensor x{dense("x", Role::kInput, *c_.x, {c_.stored_rows(), 2 * c_.n}), {}};
    x.bytes.resize(x.spec.bytes());
    byte_rows(x).leftCols(c_.n * c_.x->bytes()) = byte_rows(gate_first ? gate : up);
    byte_rows(x).rightCols(c_.n * c_.x->bytes()) = byte_rows(gate_first ? up : gate);
    return with_gaps(x);
  }
  /// gamma or beta [n], in the format of the weights; if no cell names that format, it is the format of x.
  HostTensor weights(const char* name, const std::string& fill, Stream stream) const {
    return input(name, *c_.weights, {c_.n}, {.name = fill, .group_size = 0, .q = c_.weights, .tensor = stream});
  }
  /// A residual, or the gate of a norm: [m, n] in the format of x.
  HostTensor rows(const char* name, const std::string& fill, Stream stream) const {
    return input(name, *c_.x, {c_.m, c_.n}, {.name = fill, .group_size = c_.group_size(), .q = c_.x, .tensor = stream});
  }
  /// global_scale (f32): the scales to which block scales are relative; outer_scales() says how many.
  HostTensor outer_scale() const {
    return input("global_scale", kF32, {c_.outer_scales()},
                 {.name = c_.outer_fill, .group_size = 0, .q = &kF32, .tensor = kOuterScale});
  }
  HostTensor zero_points() const {
    return input("azp", kInt32, {c_.rows_of_scales(), c_.scales_of_row()},
                 {.name = c_.zero_fill, .group_size = 0, .q = &kInt8, .tensor = kZeroPoint});
  }
  /// A scale tensor in the layout of the case.
  TensorSpec scale(Role role) const {
    const ScalePlaces places(c_);
    return {"scale", role, c_.layout()->type, places.shape(), places.strides(), places.storage()};
  }
  HostTensor given_scale() const {
    HostTensor tensor{scale(Role::kInput), {}};
    fill(tensor, {.name = c_.scale_fill, .seed = c_.seed, .group_size = 0, .q = c_.layout()->element, .tensor = kScale});
    return tensor;
  }
  /// An output y or q [m, n]; two 4-bit codes share a byte.
  HostTensor output(const char* name, const Format& format) const {
    return {spec(name, Role::kOutput, format, {c_.stored_rows(), c_.n}), {}};
  }

 private:
  HostTensor with_gaps(const HostTensor& x) const {
    return c_.row_stride > 0 || c_.offset > 0 ? rows_apart(x, c_.row_stride, c_.offset) : x;
  }
  HostTensor input(const char* name, const Format& format, std::vector<int64_t> shape, FillRequest request) const {
    request.seed = c_.seed;
    HostTensor tensor{spec(name, Role::kInput, format, std::move(shape)), {}};
    fill(tensor, request);
    return tensor;
  }
  static TensorSpec spec(const char* name, Role role, const Format& format, std::vector<int64_t> shape) {
    TensorSpec made = dense(name, role, format, std::move(shape));
    return format.bits == 4 ? packed(std::move(made)) : made;
  }

  const RowCase& c_;
};

/// Stages that can be the last one of an op: they then round y to the format of x.
class StoringStage : public RowStage {
 public:
  bool stores_y() const override { return true; }

 protected:
  static void append_y(std::vector<RoleSpec>& roles, StagePlace place) {
    if (place.last) roles.push_back(roles::kY);
  }
  static void add_y(Problem& problem, const RowCase& c, StagePlace place) {
    if (place.last) problem.tensors.push_back(RowTensors(c).output("y", *c.x));
  }
};

class NormStage : public StoringStage {
 public:
  explicit NormStage(NormInputs inputs) : inputs_(inputs) {}

  std::string flow() const override { return "row_norm"; }
  std::string why_not(const ContractRow& contract) const override {
    if (inputs_.beta)
      if (std::string why = without_mean(contract); !why.empty()) return why;
    return inputs_.residual == Has::kAlways ? without_residual(contract) : "";
  }
  bool stores_y() const override { return !inputs_.beta; }
  std::vector<RoleSpec> roles(StagePlace place) const override {
    std::vector<RoleSpec> all;
    if (inputs_.residual != Has::kNever) all.push_back(roles::kResidual);
    all.push_back(roles::kGamma);
    if (inputs_.beta) all.push_back(roles::kBeta);
    if (inputs_.gate != Has::kNever) all.push_back(roles::kGate);
    append_y(all, place);
    return all;
  }
  std::vector<ParameterSpec> parameters(StagePlace) const override { return {roles::kEps}; }
  void add_to(Problem& problem, const RowCase& c, StagePlace place) const override {
    const RowTensors of_case(c);
    if (c.bound->row_norm()->adds()) {
      problem.tensors.push_back(of_case.rows("residual", c.residual, kResidual));
      problem.tensors.back().spec.role = Role::kOutput;  // the op overwrites residual with the sum
    }
    problem.tensors.push_back(of_case.weights("gamma", c.gamma, kGamma));
    if (inputs_.beta) problem.tensors.push_back(of_case.weights("beta", c.beta, kBeta));
    if (c.bound->row_norm()->gates()) problem.tensors.push_back(of_case.rows("gate", c.gate, kGate));
    add_y(problem, c, place);
    problem.parameters.emplace_back("eps", c.eps);
  }

 private:
  const NormInputs inputs_;
};

class GatedStage : public StoringStage {
 public:
  std::string flow() const override { return "gated"; }
  std::string why_not(const ContractRow&) const override { return ""; }
  std::vector<RoleSpec> roles(StagePlace place) const override {
    std::vector<RoleSpec> all;
    append_y(all, place);
    return all;
  }
  std::vector<ParameterSpec> parameters(StagePlace) const override { return {}; }
  void add_to(Problem& problem, const RowCase& c, StagePlace place) const override { add_y(problem, c, place); }
  RoleSpec role_of_x() const override { return roles::kHalves; }
  HostTensor x(const RowCase& c) const override { return RowTensors(c).halves(); }
};

class QuantStage : public RowStage {
 public:
  explicit QuantStage(QuantTensors tensors) : tensors_(tensors) {}

  std::string flow() const override { return tensors_.zero_points ? "quant_azp" : "group_quant"; }
  bool takes_other_flows() const override { return given(); }
  std::string why_not(const ContractRow& contract) const override { return without_scales(contract, tensors_.scales); }
  std::vector<RoleSpec> roles(StagePlace) const override {
    std::vector<RoleSpec> all;
    if (given()) all.push_back(roles::kScaleGiven);
    if (given() && tensors_.zero_points) all.push_back(roles::kAzpGiven);
    if (tensors_.outer) all.push_back(roles::kGlobalScale);
    all.push_back(roles::kQ);
    if (!given()) all.push_back(roles::kScale);
    if (!given() && tensors_.zero_points) all.push_back(roles::kAzp);
    return all;
  }
  std::vector<ParameterSpec> parameters(StagePlace place) const override {
    std::vector<ParameterSpec> all;
    if (names_rows(place)) all.push_back(roles::kGroupRows);
    if (names_columns(place)) all.push_back(roles::kGroupSize);
    if (tensors_.tiles) all.insert(all.end(), {roles::kTileRows, roles::kTileColumns});
    if (tensors_.bound) all.push_back(roles::kScaleUb);
    return all;
  }
  void add_to(Problem& problem, const RowCase& c, StagePlace place) const override {
    std::vector<HostTensor>& tensors = problem.tensors;
    const RowTensors of_case(c);
    if (given()) tensors.push_back(of_case.given_scale());
    if (given() && c.bound->group_quant()->has_zero()) tensors.push_back(of_case.zero_points());
    if (c.scales.outer()) tensors.push_back(of_case.outer_scale());
    tensors.push_back(of_case.output("q", code_format(c)));
    if (!given()) tensors.push_back({of_case.scale(Role::kOutput), {}});
    if (!given() && tensors_.zero_points)
      tensors.push_back({dense("azp", Role::kOutput, kInt32, {c.rows_of_scales(), c.scales_of_row()}), {}});
    if (names_rows(place)) problem.parameters.emplace_back("group_rows", double(c.group_rows()));
    if (names_columns(place)) problem.parameters.emplace_back("group_size", double(c.group_size()));
    if (tensors_.tiles && c.layout()->tile_rows > 1) {
      problem.parameters.emplace_back("scale_tile_rows", double(c.layout()->tile_rows));
      problem.parameters.emplace_back("scale_tile_columns", double(c.layout()->tile_columns));
    }
    if (tensors_.bound && std::isfinite(c.scale_ub)) problem.parameters.emplace_back("scale_ub", c.scale_ub);
  }

 private:
  bool given() const { return tensors_.scales.given; }
  /// A call has the parameter group_size if the group size can vary. In a chain, a given scale is one scale for the whole tensor.
  bool names_columns(StagePlace place) const { return place.first || !given(); }
  bool names_rows(StagePlace place) const { return place.first && (given() || tensors_.scales.across_rows); }

  const QuantTensors tensors_;
};

}  // namespace

RoleSpec RowStage::role_of_x() const { return roles::kX; }
HostTensor RowStage::x(const RowCase& c) const { return RowTensors(c).x(); }

RowStagePtr norm_stage(NormInputs inputs) { return std::make_shared<const NormStage>(inputs); }
RowStagePtr gated_stage() { return std::make_shared<const GatedStage>(); }
RowStagePtr quant_stage(QuantTensors tensors) { return std::make_shared<const QuantStage>(tensors); }

std::string RowChain::why_not(const ContractRow& contract, const std::vector<std::string>& columns) const {
  const RowStage& first = *stages_.front();
  std::string why;
  if (stages_.size() > 1)
    why = not_chain_of(contract, first.flow());
  else if (!first.takes_other_flows())
    why = not_of_flow(contract, first.flow());
  else if (contract.flow == &chain_flow())
    why = "'" + contract.id + "' is a chain of contracts; expected a single quantization";
  for (size_t i = 0; i < stages_.size() && why.empty(); ++i) why = stages_[i]->why_not(contract);
  if (!why.empty()) return why;
  return lacking_column(contract,
                        [&](const char* column) { return std::find(columns.begin(), columns.end(), column) != columns.end(); });
}

void RowChain::require(const Cells& cells, const ContractRow& contract, const std::vector<std::string>& columns) const {
  cells.refuse_contract(why_not(contract, columns));
  if (stages_.back()->stores_y()) require_stored_y(cells, contract);
}

std::vector<RoleSpec> RowChain::roles() const {
  std::vector<RoleSpec> all = {stages_.front()->role_of_x()};
  if (experts_ == Experts::kInRooms) {
    const bool quantizes = stages_.size() == 1;
    all = {{"x", Access::kIn,
            quantizes ? "[experts * room, n]; each expert uses its first `tokens` rows"
                      : "[experts * room, 2 n]: a gate half and an up half in each row; each expert uses its first `tokens` rows"},
           {"tokens", Access::kIn, "[experts] int32: how many of the `room` rows of each expert are in use"}};
  }
  for (size_t i = 0; i < stages_.size(); ++i)
    for (RoleSpec& role : stages_[i]->roles(place_of(i))) all.push_back(std::move(role));
  if (experts_ == Experts::kOneBehindTheOther) {
    all.push_back(
        {"expert_offsets", Access::kIn, "[experts + 1] int32: first row of each expert in x and q; last: the number of rows"});
    all.push_back({"blockscale_offsets", Access::kIn,
                   "[experts + 1] int32: first row of each expert in `scale`, where a tile begins; last: the number of rows"});
  }
  return all;
}

std::vector<ParameterSpec> RowChain::parameters() const {
  std::vector<ParameterSpec> all;
  for (size_t i = 0; i < stages_.size(); ++i)
    for (ParameterSpec& parameter : stages_[i]->parameters(place_of(i))) all.push_back(std::move(parameter));
  all.push_back(roles::kWarp);
  return all;
}

Problem RowChain::problem(const RowCase& c, HostTensor x) const {
  Problem made;
  made.tensors.push_back(std::move(x));
  if (experts_ == Experts::kInRooms) made.tensors.push_back(input_integers("tokens", c.groups.sizes()));
  if (experts_ == Experts::kOneBehindTheOther) {
    made.tensors.push_back(input_integers("expert_offsets", c.groups.offsets()));
    made.tensors.push_back(input_integers("blockscale_offsets", ScalePlaces(c).first_rows_of_tiles()));
  }
  for (size_t i = 0; i < stages_.size(); ++i) stages_[i]->add_to(made, c, place_of(i));
  made.parameters.emplace_back("warp", double(c.warp));
  return made;
}

namespace {

// What --minimize can reduce in a case.

/// Reduces rows and columns by whole groups, and the group size. `multiple_of`: the kernel requires multiples of these numbers.
Shrinking shrink_rows(const RowCase& c, const std::map<std::string, int64_t>& multiple_of);

ShrinkAxis number_axis(const std::string& column, int64_t now, int64_t unit) {
  return {now / unit, [column, unit](int64_t units) {
            return CellChanges{{column, std::to_string(units * unit)}};
          }};
}

/// Reduces the rows of all experts in proportion; no expert loses its last row.
ShrinkAxis tokens_axis(const RowCase& c) {
  return {c.m, [c](int64_t rows) {
            std::string counts;
            const RowCase fewer = c.with_fewer_tokens(rows);
            for (const int64_t count : fewer.groups.sizes())
              counts.append(counts.empty() ? "" : ";").append(std::to_string(count));
            return CellChanges{{"tokens", counts}};
          }};
}

Shrinking shrink_rows(const RowCase& c, const std::map<std::string, int64_t>& multiple_of) {
  const ScaleLevel group = c.has_scales() ? c.scales.block() : ScaleLevel{};
  const auto multiple = multiple_of.find("n");
  const int64_t unit_of_n = group.columns > 0 ? group.columns : multiple == multiple_of.end() ? 1 : multiple->second;
  const int64_t unit_of_m = std::max<int64_t>(1, group.rows);
  Shrinking all;
  all.axes.push_back(c.groups.any() ? tokens_axis(c) : number_axis("m", c.m, unit_of_m));
  all.axes.push_back(number_axis("n", c.n, unit_of_n));
  if (group.rows == 1 && group.columns > 0 && !c.scales.outer())
    for (const int64_t size : {32, 64})
      if (size < group.columns)
        all.instead.push_back({{"group_size", std::to_string(size)}, {"n", std::to_string(c.n / group.columns * size)}});
  all.elements = c.m * c.n;
  return all;
}

// A parsed case of any row-wise op, and how an Op is made of a chain of stages.

/// Elements of a subsample: enough that each generator repeats its pattern, few enough that a mutant takes only milliseconds.
constexpr int64_t kExcerptElements = 1 << 18;

/// The case without generators for the tensors that gather_rows() overwrites. Generating their data would take most of the
/// time.
RowCase unfilled(RowCase c) {
  if (!c.groups.any()) c.fill = c.up = c.residual = c.gate = "";  // storage between groups keeps its generated data
  return c;
}

/// Copies row rows[i] of `from` to row i of `to`. A tensor that all rows share is copied as a whole.
void gather_rows(const RowCase& c, const HostTensor& from, const std::vector<int64_t>& rows, HostTensor& to) {
  if (from.spec.name == "global_scale") {
    const LevelGrid grid = c.scales.outer()->grid(c.m, c.n);
    for (size_t i = 0; i < rows.size(); ++i) to.set_code(grid.row_block > 0 ? int64_t(i) : 0, from.code(grid.of(rows[i], 0)));
    return;
  }
  if (from.spec.name != "x" && from.spec.name != "residual" && from.spec.name != "gate") {
    if (from.spec.shape == to.spec.shape) to.bytes = from.bytes;  // weights, scales and bounds, which all rows share
    return;
  }
  const size_t bytes = size_t(from.spec.shape.back() * from.spec.format->bytes());
  for (size_t i = 0; i < rows.size(); ++i)
    std::memcpy(to.bytes.data() + size_t(to.spec.row(int64_t(i)) * to.spec.format->bytes()),
                from.bytes.data() + size_t(from.spec.row(rows[i]) * from.spec.format->bytes()), bytes);
}

}  // namespace

Problem BoundRows::problem() const {
  Problem made = op_->chain.problem(*c_);
  for (const std::string& name : c_->shifted) {
    HostTensor& tensor = find(made.tensors, name);
    tensor = shifted(std::move(tensor), 1);
  }
  return made;
}

Expectation BoundRows::expect_of(const std::shared_ptr<const Contract>& contract, const Problem& problem,
                                 const std::vector<HostTensor>* outputs) const {
  return expect_rows(contract, c_, problem, outputs);
}

Expectation BoundRows::expect(const Problem& problem, const std::vector<HostTensor>* outputs) const {
  return expect_rows(c_->bound, c_, problem, outputs);
}

std::vector<Hypothesis> BoundRows::mutants() const { return row_hypotheses(c_); }

std::unique_ptr<const BoundCase> BoundRows::excerpt() const {
  if (c_->groups.capacity() > 0) return nullptr;  // masked groups store `capacity` rows each, however few are in use
  int64_t rows = std::max<int64_t>(1, kExcerptElements / c_->n);
  if (c_->m <= rows) return nullptr;
  if (c_->groups.any()) return with(c_->with_fewer_tokens(rows));
  // whole groups of rows
  if (c_->group_rows() < c_->m) rows = (rows + c_->group_rows() - 1) / c_->group_rows() * c_->group_rows();
  return rows < c_->m ? with(c_->with_rows(rows)) : nullptr;
}

CaseOfRows BoundRows::with_rows(const Problem& problem, const std::vector<int64_t>& rows) const {
  std::unique_ptr<const BoundRows> some = with(c_->with_rows(int64_t(rows.size())));
  Problem made = with(unfilled(some->row_case()))->problem();
  for (HostTensor& to : made.tensors) gather_rows(*c_, find(problem.tensors, to.spec.name), rows, to);
  return {std::move(some), std::move(made), {{"m", std::to_string(rows.size())}}};
}

std::vector<std::string> BoundRows::formulas() const { return assay::formulas(*c_->bound); }

std::vector<std::string> BoundRows::trace(const Problem& problem, int64_t row, int64_t column) const {
  return trace_element(*c_, problem, row, column);
}

std::vector<std::string> BoundRows::layouts() const { return row_layout_lines(*c_); }

std::optional<Shrinking> BoundRows::shrinking(const std::map<std::string, int64_t>& multiple_of) const {
  return shrink_rows(*c_, multiple_of);
}

std::unique_ptr<const BoundRows> bind_rows(const std::shared_ptr<const RowOpParts>& op, const Case& c) {
  const Cells cells(c);
  op->chain.require(cells, cells.contract(), op->columns);
  RowCase p = read_row_case(c);
  CaseName name = row_name(c, p);
  return std::make_unique<const BoundRows>(op, std::move(p), std::move(name));
}

Op row_op(RowOpParts own) {
  const auto parts = std::make_shared<const RowOpParts>(std::move(own));
  return {.name = parts->name,
          .roles = parts->chain.roles(),
          .parameters = parts->chain.parameters(),
          .columns = parts->columns,
          .optional_columns = parts->optional_columns,
          .takes =
              [parts](const std::string& contract) {
                const ContractRow* row = rulebook().contracts.lookup(contract);
                return row != nullptr && parts->chain.why_not(*row, parts->columns).empty();
              },
          .bind = [parts](const Case& c) { return bind_rows(parts, c); },
          .case_of_dump = row_case_of_dump};
}

}  // namespace assay
