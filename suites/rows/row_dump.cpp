#include "suites/rows/row_dump.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "harness/core/op.h"
#include "harness/text/messages.h"
#include "reference/contracts/scale_spec.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_case.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Infers group size and layout of a dumped scale tensor.

struct Candidate {
  std::string group;
  const Layout* layout;
  ScalePlacing placing;
};

/// Whether two layouts give all scales of a case the same offsets, as `col` and `tma` do if no row is padded.
bool place_alike(const Layout& one, const Layout& other, const RowCase& c) {
  const ScalePlaces a(one, c), b(other, c);
  if (a.storage_elements() != b.storage_elements()) return false;
  for (int64_t r = 0; r < c.rows_of_scales(); ++r)
    for (int64_t g = 0; g < c.scales_of_row(); ++g)
      if (a.offset(r, g) != b.offset(r, g)) return false;
  return true;
}

std::string wanted_text(const ScalePlaces& places, const std::string& group) {
  return places.layout().id + " with groups of " + group + ": " + ScaleStorage(places).text();
}

class ScaleReader {
 public:
  ScaleReader(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix)
      : row_(row), scale_(scale), matrix_(matrix), m_(matrix.m), n_(matrix.n) {}

  Candidate best(const std::string& group, const std::string& layout) {
    for (const std::string& one : layout.empty() ? alternatives_of(row_.text("layouts")) : std::vector<std::string>{layout})
      for (const std::string& size : group.empty() ? alternatives_of(row_.text("group")) : std::vector<std::string>{group})
        consider(rulebook().layout(one), size);
    if (found_.empty()) refuse();
    const ScalePlacing best = std::min_element(found_.begin(), found_.end(), [](const Candidate& a, const Candidate& b) {
                                return a.placing < b.placing;
                              })->placing;
    std::erase_if(found_, [&](const Candidate& one) { return one.placing != best; });
    for (const Candidate& other : found_) {
      if (other.group != found_.front().group)
        throw UsageError(scale_.place() + ": group sizes " + found_.front().group + " and " + other.group +
                         " both fit its shape; try --param group_size=N");
      if (best == ScalePlacing::kLogical || other.layout == found_.front().layout) continue;
      RowCase one = matrix_;
      one.scales = spec_of(other.group);
      if (!place_alike(*found_.front().layout, *other.layout, one))
        throw UsageError(scale_.place() + ": fits layout " + found_.front().layout->id + " as well as " +
                         other.layout->id + "; try --layout NAME");
    }
    return found_.front();
  }

 private:
  void consider(const Layout& layout, const std::string& group) {
    if (group == "any") return;  // the contract allows any group size, so shapes do not determine it; the user must state it
    RowCase one = matrix_;
    one.scales = spec_of(group);
    if (!pads_x(row_) && (m_ % one.group_rows() != 0 || n_ % one.group_size() != 0)) return;
    const ScalePlaces places(layout, one);
    if (const auto placing = placing_of(scale_, ScaleStorage(places))) found_.push_back({group, &layout, *placing});
    wanted_.push_back(wanted_text(places, group));
  }

  static ScaleSpec spec_of(const std::string& group) {
    try {
      return parse_scale_spec(group);
    } catch (const ParseError& error) {
      throw UsageError("--param group_size=" + group + ": " + error.what());
    }
  }

  [[noreturn]] void refuse() const {
    std::string text = scale_.place() + ": is " + scale_.dtype + " " + shape_text(scale_.tensor.spec.shape) + "; contract " +
                       row_.id + " with x [" + std::to_string(m_) + ", " + std::to_string(n_) + "] expects";
    constexpr size_t kMost = 8;
    for (size_t i = 0; i < std::min(kMost, wanted_.size()); ++i) text += "\n  " + wanted_[i];
    if (wanted_.size() > kMost)
      text += "\n  ... (" + std::to_string(wanted_.size()) + " in all; try --param group_size=N or --layout NAME)";
    if (wanted_.empty())
      text += " a group size, --param group_size=N, that divides " + std::to_string(n_) + ": " + row_.text("group");
    const bool fp32_for_words = *scale_.tensor.spec.format == kF32 && row_.text("layouts").find("ue8m0x4") != std::string::npos;
    if (fp32_for_words)
      text +=
          "\nThese are fp32 scales, but packed UE8M0 words are expected: a kernel that reads their bits as exponents computes "
          "NaN or garbage."
          "\nPrint them with: assay judge '" +
          scale_.file + (scale_.file.ends_with(".npy") ? "" : ":" + scale_.name) +
          "' --as ue8m0_scale"
          "\nTheir values may be right. `assay contracts match` with the same files names the contracts that store fp32 scales."
          "\nPowers of two are packed as bits >> 23, four in a word, group 0 in the lowest byte.";
    throw UsageError(text);
  }

  const ContractRow& row_;
  const DumpedTensor& scale_;
  const RowCase& matrix_;
  const int64_t m_, n_;
  std::vector<Candidate> found_;
  std::vector<std::string> wanted_;
};

}  // namespace

ScaleStorage::ScaleStorage(const PlacedLayout& placed)
    : type(placed.layout().type), shape(placed.shape()), strides(placed.strides()), storage(placed.storage()) {}

ScaleStorage::ScaleStorage(const ScalePlaces& places)
    : type(places.layout().type), shape(places.shape()), strides(places.strides()), storage(places.storage()) {}

std::string ScaleStorage::text() const { return std::string(type->name) + " " + shape_text(shape); }

std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const ScaleStorage& stored) {
  const TensorSpec& spec = scale.tensor.spec;
  const std::vector<int64_t>& shape = stored.shape;
  if (!(*spec.format == *stored.type) && !(scale.plain_bytes && spec.format->bits == stored.type->bits)) return std::nullopt;
  if (spec.shape == shape && spec.strides == stored.strides && spec.storage >= stored.storage) return ScalePlacing::kMemory;
  const std::vector<int64_t> matrix = as_matrix(shape);
  const bool one_group = spec.shape.size() == 1 && matrix[1] == 1 && spec.shape[0] == matrix[0];
  const bool one_scale = spec.elements() == 1 && matrix[0] * matrix[1] == 1;
  if (as_matrix(spec.shape) == matrix || one_group || one_scale) return ScalePlacing::kLogical;
  const bool contiguous = spec.storage == spec.elements();
  if (spec.shape.size() == 1 && contiguous && spec.storage == stored.storage) return ScalePlacing::kFlat;
  // column-major, with or without padding of the last column
  const bool columns_first = spec.shape.size() == 2 && shape.size() == 2 && stored.strides[0] == 1 && spec.shape[0] == shape[1] &&
                             spec.shape[1] == stored.strides[1];
  if (columns_first && contiguous && spec.storage >= stored.storage) return ScalePlacing::kFlat;
  return std::nullopt;
}

ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix,
                                const std::string& group, const std::string& layout) {
  const Candidate best = ScaleReader(row, scale, matrix).best(group, layout);
  return {best.group, best.layout, best.placing};
}

namespace {

// Makes a case of a row-wise op from a user's tensors (a dump).

using Cellmap = std::map<std::string, std::string>;

bool has_column(const Op& op, const std::string& column) {
  return std::find(op.columns.begin(), op.columns.end(), column) != op.columns.end();
}

std::vector<int64_t> integers_of(const DumpedTensor& tensor) {
  const TensorSpec& spec = tensor.tensor.spec;
  if (spec.shape.size() != 1 || !(*spec.format == kInt32))
    throw UsageError(tensor.place() + ": expected a vector of int32, got " + tensor.dtype + " " + shape_text(spec.shape));
  std::vector<int64_t> all;
  for (int64_t i = 0; i < spec.shape[0]; ++i) all.push_back(int32_t(tensor.tensor.code(spec.offset + i * spec.strides[0])));
  return all;
}

/// Reads the number of rows of each group from the dump, for ops with groups, and sets the cells `tokens` and `room`.
Groups groups_in_dump(const Op& op, const DumpedRoles& roles, int64_t stored_rows, Cellmap& cells) {
  if (!has_column(op, "tokens")) return {};
  const bool masked = has_column(op, "room");
  const DumpedTensor& tensor = dumped_role(roles, masked ? "tokens" : "expert_offsets");
  std::vector<int64_t> sizes = integers_of(tensor);
  const auto refuse = [&](const std::string& what) {
    throw UsageError(tensor.place() + ": " + what + " for " + std::to_string(stored_rows) + " rows of x");
  };
  if (!masked) {
    if (sizes.size() < 2 || sizes.front() != 0 || sizes.back() != stored_rows)
      refuse("expected offsets from 0 to the number of rows");
    for (size_t g = 0; g + 1 < sizes.size(); ++g) sizes[g] = sizes[g + 1] - sizes[g];
    sizes.pop_back();
  }
  if (sizes.empty() || std::any_of(sizes.begin(), sizes.end(), [](int64_t size) { return size < 0; }))
    refuse("expected at least one group, and no negative number of rows");
  if (masked && stored_rows % int64_t(sizes.size()) != 0)
    refuse("expected a number of groups that divides the number of rows, got " + std::to_string(sizes.size()) + " groups");
  cells["tokens"] = fmt::format("{}", fmt::join(sizes, ";"));
  if (!masked) return Groups::contiguous(std::move(sizes));
  const int64_t room = stored_rows / int64_t(sizes.size());
  cells["room"] = std::to_string(room);
  if (*std::max_element(sizes.begin(), sizes.end()) > room)
    refuse("expected at most " + std::to_string(room) + " rows in a group");
  return Groups::masked(std::move(sizes), room);
}

/// Columns that name input generators, seed or warp: they have no meaning for a dump.
bool names_data(const std::string& column) {
  static constexpr const char* kColumns[] = {"fill", "up",   "gamma",        "beta", "scale", "residual",
                                             "azp",  "gate", "global_scale", "seed", "warp"};
  return std::find(std::begin(kColumns), std::end(kColumns), column) != std::end(kColumns);
}

/// Throws UsageError if the user must give a parameter that no tensor shows, such as eps.
void require_given(const Op& op, const DumpRequest& request, const Cellmap& cells) {
  const ContractTables& tables = rulebook().contracts;
  const bool bounded = takes(tables, tables.find(request.contract), "scale_ub");
  for (const std::string& column : op.columns) {
    const bool needed = column == "scale_ub" ? bounded : !op.optional_columns.contains(column);
    if (needed && !names_data(column) && !cells.contains(column))
      throw UsageError("contract " + request.contract + " needs --param " + column + "=VALUE: no tensor determines it");
  }
}

}  // namespace

std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape) {
  int64_t rows = 1;
  for (size_t d = 0; d + 1 < shape.size(); ++d) rows *= shape[d];
  return {rows, shape.empty() ? 1 : shape.back()};
}

std::string shape_text(const std::vector<int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name) {
  if (const auto found = roles.find(name); found != roles.end()) return found->second;
  throw MissingRole(name);
}

void require_known_parameters(const Op& op, const DumpRequest& request) {
  for (const auto& [name, value] : request.parameters)
    if (!has_column(op, name))
      throw UsageError("--param " + name + ": op " + op.name + " has no such parameter" + did_you_mean(name, op.columns));
}

DumpCase case_of_cells(const Op& op, const DumpRequest& request, const DumpedTensor& x,
                       const std::map<std::string, std::string>& cells) {
  DumpCase dump;
  dump.one.op = op.name;
  dump.one.origin = {x.file, 0};
  dump.one.why = "your dump, checked against " + request.contract;
  dump.one.of_given_data = true;
  for (const std::string& column : op.columns)
    if (const auto cell = cells.find(column); cell != cells.end()) dump.one.parameters.insert(*cell);
  dump.bound = op.bind(dump.one);
  dump.one.set_name(dump.bound->name());
  dump.problem = dump.bound->problem();
  return dump;
}

DumpCase row_case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const ContractTables& tables = rulebook().contracts;
  const ContractRow& last = tables.find(chain_of(tables.find(request.contract)).back());

  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t> shape = as_matrix(x.tensor.spec.shape);
  if (shape[0] <= 0 || shape[1] <= 0)
    throw UsageError(x.place() + ": is " + shape_text(x.tensor.spec.shape) + ", which is empty");
  const bool gated = takes(tables, tables.find(request.contract), "up");  // a row of x then has a gate half and an up half
  if (gated && shape[1] % 2 != 0)
    throw UsageError(x.place() + ": has rows of " + std::to_string(shape[1]) + " elements; contract " + request.contract +
                     " expects an even number: a gate half and an up half");
  RowCase matrix;
  matrix.n = gated ? shape[1] / 2 : shape[1];

  Cellmap cells = request.parameters;
  cells["contract"] = request.contract;
  cells["x"] = std::string(x.tensor.spec.format->name);
  matrix.groups = groups_in_dump(op, request.roles, shape[0], cells);
  matrix.m = matrix.groups.any() ? matrix.groups.rows() : shape[0];
  cells["m"] = std::to_string(matrix.m);
  cells["n"] = std::to_string(matrix.n);
  if (has_column(op, "weights"))
    cells.emplace("weights", std::string(dumped_role(request.roles, "gamma").tensor.spec.format->name));
  DumpCase dump;
  const std::string group = cells.contains("group_size") ? cells["group_size"] : "";
  if (has_column(op, "group_size")) cells["group_size"] = cells["layout"] = "";  // set below, from the scales
  require_given(op, request, cells);
  if (has_column(op, "group_size")) {
    const ScaleReading reading = read_dumped_scales(last, dumped_role(request.roles, "scale"), matrix, group, request.layout);
    cells["group_size"] = reading.group;
    cells["layout"] = reading.layout->id;
    dump.placings["scale"] = reading.placing;
  }

  Case one;
  one.op = op.name;
  one.origin = {x.file, 0};
  one.why = "your dump, checked against " + request.contract;
  one.of_given_data = true;
  for (const std::string& column : op.columns)
    if (!names_data(column)) one.parameters[column] = cells[column];
  dump.bound = op.bind(one);
  dump.one = std::move(one);
  dump.one.set_name(dump.bound->name());
  dump.problem = dump.bound->problem();
  return dump;
}

}  // namespace assay
