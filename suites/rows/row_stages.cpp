#include "suites/rows/row_stages.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "suites/rows/places.h"
#include "suites/rows/roles.h"
#include "suites/rows/tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Stages that round a row to the format of x if they are last.
class StoringStage : public RowStage {
 public:
  bool stores_y() const override { return true; }

 protected:
  static void append_y(std::vector<RoleSpec>& roles, StagePlace place) {
    if (place.last) roles.push_back(roles::kY);
  }
  static void add_y(Problem& problem, const RowCase& c, StagePlace place) {
    if (place.last) problem.tensors.push_back(output_matrix("y", c, *c.x));
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
    if (c.bound->row_norm()->adds()) problem.tensors.push_back(in_place_residual(c));
    problem.tensors.push_back(input_gamma(c));
    if (inputs_.beta) problem.tensors.push_back(input_beta(c));
    if (c.bound->row_norm()->gates()) problem.tensors.push_back(input_gate(c));
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
  HostTensor x(const RowCase& c) const override { return input_halves(c); }
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
    if (given()) tensors.push_back(input_scale(c));
    if (given() && c.bound->group_quant()->has_zero()) tensors.push_back(input_zero(c));
    if (c.scales.outer()) tensors.push_back(input_outer_scale(c));
    tensors.push_back(output_matrix("q", c, code_format(c)));
    if (!given()) tensors.push_back(output_scale(c));
    if (!given() && tensors_.zero_points) tensors.push_back(output_zero(c));
    if (names_rows(place)) problem.parameters.emplace_back("group_rows", double(c.group_rows()));
    if (names_columns(place)) problem.parameters.emplace_back("group_size", double(c.group_size()));
    if (tensors_.tiles) name_tiles(c, problem);
    if (tensors_.bound && std::isfinite(c.scale_ub)) problem.parameters.emplace_back("scale_ub", c.scale_ub);
  }

 private:
  bool given() const { return tensors_.scales.given; }
  /// A call states the extents of its groups if they can vary; scales given to a chain are per tensor.
  bool names_columns(StagePlace place) const { return place.first || !given(); }
  bool names_rows(StagePlace place) const { return place.first && (given() || tensors_.scales.across_rows); }

  const QuantTensors tensors_;
};

}  // namespace

RoleSpec RowStage::role_of_x() const { return roles::kX; }
HostTensor RowStage::x(const RowCase& c) const { return input_matrix(c); }

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
    why = "'" + contract.id + "' is a chain of steps and this op is a quantization alone";
  for (size_t i = 0; i < stages_.size() && why.empty(); ++i) why = stages_[i]->why_not(contract);
  if (!why.empty()) return why;
  return lacking_column(contract, [&](const char* column) { return std::find(columns.begin(), columns.end(), column) != columns.end(); });
}

void RowChain::require(const Cells& cells, const ContractRow& contract, const std::vector<std::string>& columns) const {
  cells.refuse_contract(why_not(contract, columns));
  if (stages_.back()->stores_y()) require_stored_y(cells, contract);
}

std::vector<RoleSpec> RowChain::roles() const {
  std::vector<RoleSpec> all = {stages_.front()->role_of_x()};
  if (experts_ == Experts::kInRooms)
    all = {{"x", Access::kIn, "[experts room, 2 n]: a gate and an up half in each row; rows from an expert's tokens on are unused"},
           {"tokens", Access::kIn, "[experts] int32: rows in use, of the room that each expert has"}};
  for (size_t i = 0; i < stages_.size(); ++i)
    for (RoleSpec& role : stages_[i]->roles(place_of(i))) all.push_back(std::move(role));
  if (experts_ == Experts::kOneBehindTheOther) {
    all.push_back({"expert_offsets", Access::kIn, "[experts + 1] int32: the row of x and q where each expert begins, and their number"});
    all.push_back({"blockscale_offsets", Access::kIn,
                   "[experts + 1] int32: the row of scales, whole tiles, where each expert begins, and their number"});
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

}  // namespace assay
