#include "harness/cli/dump_case.h"

#include <algorithm>
#include <sstream>

#include "harness/core/error.h"
#include "reference/flow/registry.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::vector<std::string> alternatives(const std::string& cell) {
  std::vector<std::string> parts;
  std::istringstream stream(cell);
  for (std::string part; std::getline(stream, part, '|');) parts.push_back(part);
  return parts;
}

int64_t product_but_last(const std::vector<int64_t>& shape) {
  int64_t rows = 1;
  for (size_t d = 0; d + 1 < shape.size(); ++d) rows *= shape[d];
  return rows;
}

/// More dimensions than two are rows of rows.
std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape) {
  return shape.empty() ? std::vector<int64_t>{1, 1} : std::vector<int64_t>{product_but_last(shape), shape.back()};
}

/// A way to read the scale tensor.
struct Reading {
  std::string group;  ///< cell of the case
  const Layout* layout;
  int quality;  ///< 3 memory, 2 logical, 1 flat
};

int quality(const DumpedTensor& scale, const PlacedLayout& placed) {
  const TensorSpec& spec = scale.tensor.spec;
  const bool type =
      *spec.format == *placed.layout().type || (scale.plain_bytes && spec.format->bits == placed.layout().type->bits);
  if (!type) return 0;
  const std::vector<int64_t> shape = placed.shape(), strides = placed.strides();
  if (spec.shape == shape && spec.strides == strides && spec.storage == placed.storage()) return 3;
  const bool one_group = spec.shape.size() == 1 && shape[1] == 1 && spec.shape[0] == shape[0];
  if (as_matrix(spec.shape) == shape || one_group) return 2;
  const bool contiguous = spec.storage == spec.elements();
  if (spec.shape.size() == 1 && contiguous && spec.storage == placed.storage()) return 1;
  // Columns one after the other, the last one padded too or not.
  const bool columns_first =
      spec.shape.size() == 2 && strides[0] == 1 && spec.shape[0] == shape[1] && spec.shape[1] == strides[1];
  return columns_first && contiguous && spec.storage >= placed.storage() ? 1 : 0;
}

std::string wanted_text(const PlacedLayout& placed, const std::string& group) {
  return placed.layout().id + " with groups of " + group + ": " + std::string(placed.layout().type->name) + " " +
         extents_text(placed.shape());
}

class ScaleReader {
 public:
  ScaleReader(const ContractRow& row, const DumpedTensor& scale, int64_t m, int64_t n) : row_(row), scale_(scale), m_(m), n_(n) {}

  Reading best(const std::string& group, const std::string& layout) {
    const std::vector<std::string> groups = group.empty() ? alternatives(row_.text("group")) : std::vector<std::string>{group};
    const std::vector<std::string> layouts =
        layout.empty() ? alternatives(row_.text("layouts")) : std::vector<std::string>{layout};
    for (const std::string& one : layouts)
      for (const std::string& size : groups) consider(rulebook().layout(one), size);
    if (found_.empty()) refuse();
    const int most = std::max_element(found_.begin(), found_.end(), [](const Reading& a, const Reading& b) {
                       return a.quality < b.quality;
                     })->quality;
    std::erase_if(found_, [&](const Reading& reading) { return reading.quality < most; });
    for (const Reading& other : found_) {
      if (other.group != found_.front().group)
        throw UsageError(scale_.place() + ": groups of " + found_.front().group + " and of " + other.group +
                         " both make its shape; say --param group_size=N");
      if (other.layout != found_.front().layout && most != 2)
        throw UsageError(scale_.place() + ": is the storage of layout " + found_.front().layout->id + " as well as of " +
                         other.layout->id + "; say --layout NAME");
    }
    return found_.front();
  }

 private:
  void consider(const Layout& layout, const std::string& size) {
    const int64_t group = size == "row" ? n_ : std::atoll(size.c_str());
    if (group <= 0 || n_ % group != 0) return;
    const PlacedLayout placed(layout, m_, n_ / group);
    if (const int found = quality(scale_, placed); found > 0) found_.push_back({size, &layout, found});
    if (wanted_.size() < 8) wanted_.push_back(wanted_text(placed, size));
  }

  [[noreturn]] void refuse() const {
    std::string text = scale_.place() + ": is " + scale_.dtype + " " + extents_text(scale_.tensor.spec.shape) + "; contract " +
                       row_.id + " with x [" + std::to_string(m_) + ", " + std::to_string(n_) + "] wants";
    for (const std::string& wanted : wanted_) text += "\n  " + wanted;
    if (wanted_.empty()) text += " a group size that divides " + std::to_string(n_) + ": " + row_.text("group");
    const bool fp32_for_words = *scale_.tensor.spec.format == kF32 && row_.text("layouts").find("ue8m0x4") != std::string::npos;
    if (fp32_for_words)
      text +=
          "\nThese are fp32 scales where packed UE8M0 words are read: a consumer that takes their bits for exponents computes "
          "NaN or garbage."
          "\nLook at them with: assay judge '" +
          scale_.file + (scale_.file.ends_with(".npy") ? "" : ":" + scale_.name) + "' --as ue8m0_scale";
    throw UsageError(text);
  }

  const ContractRow& row_;
  const DumpedTensor& scale_;
  int64_t m_, n_;
  std::vector<Reading> found_;
  std::vector<std::string> wanted_;
};

const DumpedTensor& role(const DumpedRoles& roles, const std::string& name) {
  if (const auto found = roles.find(name); found != roles.end()) return found->second;
  std::string there;
  for (const auto& [other, tensor] : roles) there += (there.empty() ? "" : ", ") + other;
  throw UsageError("no tensor for role '" + name + "'; there are: " + there + "; name it with --tensor " + name + "=NAME or " +
                   name + "=FILE.npy");
}

/// Cells that a case must have and that judge nothing: the data are there already.
void fill_in(std::map<std::string, std::string>& parameters) {
  parameters.emplace("fill", "zeros");
  parameters.emplace("gamma", "gamma");
  parameters.emplace("up", "zeros");
  parameters.emplace("seed", "1");
  parameters.emplace("warp", "32");
}

}  // namespace

const Op& op_of_contract(const std::string& contract) {
  if (rulebook().contracts.find(contract).flow->kind == FlowKind::kCast)
    throw UsageError("'" + contract + "' is a cast: casts are judged on inputs of their own, by assay run, and not from files");
  for (const Op& op : all_ops()) {
    Case probe;
    probe.op = op.name;
    for (const std::string& column : op.columns) probe.parameters[column] = "";
    probe.parameters["contract"] = contract;
    for (const auto& [column, cell] : {std::pair("x", "bf16"),
                                       {"m", "1"},
                                       {"n", "1"},
                                       {"eps", "1"},
                                       {"fill", "zeros"},
                                       {"gamma", "gamma"},
                                       {"up", "zeros"},
                                       {"residual", "zeros"},
                                       {"seed", "1"},
                                       {"warp", "32"}})
      if (probe.parameters.contains(column)) probe.parameters[column] = cell;
    try {
      (void)op.validate(probe);
      return op;
    } catch (const TableError& error) {
      if (error.name() != "contract") return op;  // its flow is right; only the placeholders are not
    }
  }
  throw UsageError("no op has contract '" + contract + "'");
}

DumpCase case_of_dump(const std::string& contract, const DumpedRoles& roles, std::map<std::string, std::string> parameters,
                      const std::string& layout) {
  const Op& op = op_of_contract(contract);
  const auto has = [&](const char* column) {
    return std::find(op.columns.begin(), op.columns.end(), column) != op.columns.end();
  };
  for (const auto& [name, value] : parameters)
    if (!has(name.c_str()))
      throw UsageError("--param " + name + ": op " + op.name + " has no such parameter" + did_you_mean(name, op.columns));
  const DumpedTensor& x = role(roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  if (shape[0] <= 0 || shape[1] <= 0)
    throw UsageError(x.place() + ": is " + extents_text(x.tensor.spec.shape) + ", which is empty");
  const bool gated = has("up");  // then a row of x is a gate and an up half
  if (gated && shape[1] % 2 != 0)
    throw UsageError(x.place() + ": has rows of " + std::to_string(shape[1]) + ", and contract " + contract + " takes two halves");
  const int64_t columns = gated ? shape[1] / 2 : shape[1];

  DumpCase dump;
  Case& one = dump.one;
  one.op = op.name;
  one.origin = {x.file, 0};
  one.why = "a dump of yours, judged under " + contract;
  parameters["contract"] = contract;
  parameters["x"] = std::string(x.tensor.spec.format->name);
  parameters["m"] = std::to_string(shape[0]);
  parameters["n"] = std::to_string(columns);
  if (has("eps") && !parameters.contains("eps"))
    throw UsageError("contract " + contract + " needs --param eps=VALUE, which no tensor shows");
  if (has("group_size")) {
    const ContractRow& row = rulebook().contracts.find(chain_of(rulebook().contracts.find(contract)).back());
    const std::string group = parameters.contains("group_size") ? parameters["group_size"] : "";
    const Reading reading = ScaleReader(row, role(roles, "scale"), shape[0], columns).best(group, layout);
    parameters["group_size"] = reading.group;
    parameters["layout"] = reading.layout->id;
    dump.placing = reading.quality == 3   ? ScalePlacing::kMemory
                   : reading.quality == 2 ? ScalePlacing::kLogical
                                          : ScalePlacing::kFlat;
  }
  fill_in(parameters);
  const ContractRow& first = rulebook().contracts.find(chain_of(rulebook().contracts.find(contract)).front());
  if (has("residual") && takes(rulebook().contracts, first, "residual")) parameters.emplace("residual", "zeros");
  for (const std::string& column : op.columns) one.parameters[column] = parameters[column];
  one = op.validate(std::move(one));
  for (int part = 0; part < 2; ++part) one.id.resize(one.id.rfind('/'));  // fill and warp are placeholders
  return dump;
}

}  // namespace assay
