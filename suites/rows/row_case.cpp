#include "suites/rows/row_case.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <sstream>
#include <stdexcept>

#include "harness/fill/fill.h"
#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// Reads and checks the columns of row-wise ops.

/// The last row of the contract's chain, which determines groups and layouts.
const ContractRow& last_row(const std::string& contract) {
  return rulebook().contracts.find(chain_of(rulebook().contracts.find(contract)).back());
}

/// The first row of the contract's chain.
const ContractRow& first_row(const std::string& contract) {
  return rulebook().contracts.find(chain_of(rulebook().contracts.find(contract)).front());
}

/// Whether the contract has this input, in any row of its chain.
bool takes(const std::string& contract, const std::string& input) {
  return assay::takes(rulebook().contracts, rulebook().contracts.find(contract), input);
}

void read_groups(const Cells& cells, RowCase& c) {
  const ContractRow& row = last_row(c.contract);
  const auto layouts = alternatives_of(row.text("layouts"));
  const std::string& cell = cells.text("group_size");
  try {
    c.scales = parse_scale_spec(cell);
  } catch (const ParseError& error) {
    cells.refuse("group_size", error.what());
  }
  if (!has_group(row, cell))
    cells.refuse("group_size", "contract " + row.id + " has groups of " + row.text("group") + ", not " + cell);
  // No upstream project defines the scale of an empty tensor (suites/quant_tile/README.md).
  if (c.m == 0 && c.scales.block().rows == 0 && !takes(row.id, "scale")) cells.refuse("m", "expected at least one row, because all rows share one scale");
  if (c.n % c.group_size() != 0 && !pads_x(row))
    cells.refuse("group_size", "group_size " + std::to_string(c.group_size()) + " does not divide n " + std::to_string(c.n));
  if (c.m % c.group_rows() != 0 && !pads_x(row))
    cells.refuse("group_size",
                 std::to_string(c.group_rows()) + " rows of group_size " + cell + " do not divide m " + std::to_string(c.m));
  const Format* q = find_format(row.text("q"));
  if (q && q->bits == 4 && c.n % 2 != 0) cells.refuse("n", "expected an even number: two codes share a byte");
  try {
    c.scales.block().layout = &rulebook().layout(cells.text("layout"));
  } catch (const std::out_of_range& error) {
    cells.refuse("layout", error.what());
  }
  if (std::find(layouts.begin(), layouts.end(), c.layout()->id) == layouts.end())
    cells.refuse("layout", "contract " + row.id + " has layouts " + row.text("layouts") + ", not " + c.layout()->id);
}

/// The rows of each expert, and its capacity if there is a column `room`.
Groups groups_of(const Cells& cells) {
  try {
    return cells.has("room") ? Groups::masked(cells.counts("tokens"), cells.positive("room"))
                             : Groups::contiguous(cells.counts("tokens"));
  } catch (const std::invalid_argument& error) {
    cells.refuse("tokens", error.what());
  }
}

/// Reads row_stride, offset and `unaligned`: gaps between rows of x, and tensors at unaligned addresses.
void read_strides(const Cells& cells, RowCase& c) {
  if (cells.given("row_stride")) c.row_stride = cells.positive("row_stride");
  if (cells.given("offset")) c.offset = int64_t(cells.number("offset"));
  if (c.row_stride > 0 && c.row_stride < c.x_columns())
    cells.refuse("row_stride",
                 "expected at least " + std::to_string(c.x_columns()) + ", the columns of x, got " + std::to_string(c.row_stride));
  if (c.offset > 0 && lie_far(*c.x, c.stored_rows(), c.row_stride))
    cells.refuse("offset",
                 "expected 0: rows " + std::to_string(c.row_stride) + " elements apart lie in a reserved address range, where no offset is possible");
  std::istringstream names(cells.given("unaligned") ? cells.text("unaligned") : "");
  std::vector<std::string> movable;
  if (takes(c.contract, "gamma")) movable.push_back("gamma");
  for (const char* input : {"beta", "gate", "residual"})
    if (takes(c.contract, input)) movable.push_back(input);
  if (!cells.has("group_size")) movable.push_back("y");
  for (std::string name; std::getline(names, name, ';');) {
    if (std::find(movable.begin(), movable.end(), name) == movable.end())
      cells.refuse("unaligned", fmt::format("expected names among {}, got '{}'", fmt::join(movable, ", "), name));
    if (!c.shifted.insert(name).second) cells.refuse("unaligned", "'" + name + "' is named twice");
  }
}

/// Generator of an input that only some contracts have, such as residual or gate. Contracts with this input require its cell;
/// others reject it.
std::string fill_of_taken(const Cells& cells, const RowCase& c, const std::string& input) {
  if (cells.of_given_data()) return "";
  const bool wanted = takes(c.contract, input);
  const bool given = cells.given(input);
  if (wanted != given) cells.refuse(input, "contract " + c.contract + (wanted ? " requires " : " does not take ") + input);
  return given ? cells.fill_name(input) : std::string();
}

/// The cell `beta` is required if the contract adds a beta, and rejected otherwise.
void read_beta(const Cells& cells, RowCase& c) {
  const bool wanted = takes(c.contract, "beta");
  if (wanted) c.beta = cells.fill_name("beta");
}

/// The cell `scale_ub` is required if the contract bounds amax, and rejected otherwise.
void read_scale_ub(const Cells& cells, RowCase& c) {
  const bool wanted = takes(c.contract, "scale_ub");
  const bool given = cells.given("scale_ub");
  if (wanted != given)
    cells.refuse("scale_ub", "contract " + c.contract + (wanted ? " requires " : " does not take ") + "scale_ub");
  if (given) c.scale_ub = cells.number("scale_ub");
}

/// Why a norm op with this input rejects the contract: the contract lacks the input. Empty if the contract has it.
std::string without_input_of_norm(const ContractRow& contract, const std::string& input, const std::string& without) {
  const ContractRow& row = first_row(contract.id);
  return takes(row.id, input) ? "" : "'" + row.id + "' " + without + "; use another op";
}

/// The cell whose last step gives y; null if the row computes no y.
const std::string* cell_of_y(const ContractRow& row) {
  if (row.flow == &row_norm_flow()) return &row.text("y");
  if (row.flow == &gated_flow()) return &row.text("h");
  return nullptr;
}

}  // namespace

/// Refuses x = f16 if the contract rounds y to bf16, and the reverse: y is stored in the format of x.
static void require_format_of_y(const Cells& cells, const ContractRow& contract) {
  const std::string& x = cells.text("x");
  if (x == "f32") return;
  const std::string other = x == "f16" ? "bf16" : "f16";
  for (const ContractRow* link : rulebook().links_of(contract.id))
    if (const std::string* y = cell_of_y(*link);
        y && (y->ends_with("to(" + other + ")") || y->substr(y->rfind(' ') + 1).starts_with("to(" + other + ",")))
      cells.refuse("x", "contract " + link->id + " rounds y to " + other + ", so x must be " + other + ", got " + x);
}

RowCase read_row_case(const Cells& cells, const ContractRow& contract, bool has_x) {
  RowCase c;
  c.contract = contract.id;
  c.gated = takes(c.contract, "up");
  c.x = find_format(cells.text("x"));
  if (!c.x || c.x->bits < 16 || c.x->specials != Specials::kIeee)
    cells.refuse("x", "'" + cells.text("x") + "' is not one of: bf16, f16, f32");
  c.bound = bound_contract(c.contract, *c.x);
  require_format_of_y(cells, contract);
  if (cells.has("tokens")) c.groups = groups_of(cells);
  c.m = c.groups.any() ? c.groups.rows() : cells.from_zero("m");
  c.n = cells.positive("n");
  read_strides(cells, c);
  if (cells.has("group_size")) {
    read_groups(cells, c);
    read_scale_ub(cells, c);
  }
  if (cells.has("eps")) c.eps = cells.number("eps");
  if (has_x) c.fill = cells.fill_name("fill");
  if (cells.has("up")) c.up = cells.fill_name("up");
  if (cells.has("scale")) c.scale_fill = cells.fill_name("scale");
  if (cells.has("scale")) c.zero_fill = fill_of_taken(cells, c, "azp");
  if (cells.has("group_size")) c.outer_fill = fill_of_taken(cells, c, "global_scale");
  c.residual = fill_of_taken(cells, c, "residual");
  c.gate = fill_of_taken(cells, c, "gate");
  read_beta(cells, c);
  if (cells.has("gamma")) c.gamma = cells.fill_name("gamma");
  c.weights = cells.has("weights") ? find_format(cells.text("weights")) : c.x;
  if (!c.weights || (c.weights != c.x && c.weights->bits != 32) || c.weights->specials != Specials::kIeee)
    cells.refuse("weights", "'" + cells.text("weights") + "' is not supported: expected f32 or the format of x");
  c.seed = cells.seed();
  c.warp = cells.warp();
  return c;
}

RowCase RowCase::with_rows(int64_t rows) const {
  RowCase c = *this;
  c.m = rows;
  return c;
}

RowCase RowCase::with_fewer_tokens(int64_t rows) const {
  if (m <= rows) return *this;
  RowCase c = *this;
  std::vector<int64_t> sizes = groups.sizes();
  for (int64_t& count : sizes) count = std::max(std::min<int64_t>(count, 1), count * rows / m);
  c.groups = groups.with_sizes(std::move(sizes));
  c.m = c.groups.rows();
  return c;
}

RowCase read_row_case(const Case& c) {
  const Cells cells(c);
  return read_row_case(cells, cells.contract(), true);
}

std::string lacking_column(const ContractRow& contract, const std::function<bool(const char*)>& has) {
  const std::string& id = contract.id;
  if (takes(id, "residual") && !has("residual")) return "'" + first_row(id).id + "' adds a residual; use an op with a residual";
  if (takes(id, "gate") && !has("gate")) return "'" + first_row(id).id + "' has a gate; use an op with a gate";
  if (takes(id, "global_scale") && !has("global_scale"))
    return "'" + last_row(id).id + "' has scales of two levels; use an op with a global scale";
  if (takes(id, "beta") && !has("beta")) return "'" + first_row(id).id + "' subtracts the mean; use op layer_norm";
  return "";
}

std::string not_of_flow(const ContractRow& row, const std::string& flow) {
  if (row.flow == &flow_named(flow)) return "";
  return "'" + row.id + "' is a " + row.flow->name + " contract; expected " + flow;
}

std::string not_chain_of(const ContractRow& row, const std::string& first_flow) {
  if (const std::string why = not_of_flow(row, "chain"); !why.empty()) return why;
  const Flow& flow = *first_row(row.id).flow;
  if (&flow == &flow_named(first_flow)) return "";
  return "'" + row.id + "' begins with a " + flow.name + " contract; expected a chain that begins with " + first_flow;
}

std::string without_mean(const ContractRow& row) { return without_input_of_norm(row, "beta", "subtracts no mean"); }

std::string without_residual(const ContractRow& row) { return without_input_of_norm(row, "residual", "adds no residual"); }

std::string without_scales(const ContractRow& contract, const ScalesOfOp& scales) {
  const ContractRow& row = last_row(contract.id);
  if (contract.flow != &chain_flow() && !is_quantization(contract))
    if (const std::string why = not_of_flow(contract, "group_quant"); !why.empty()) return why;
  if (!is_quantization(row))
    return "'" + contract.id + "' ends with a " + row.flow->name + " contract; expected a quantization";
  const bool given = takes(row.id, "scale"), across_rows = !given && spans_rows(row);
  if (given == scales.given && across_rows == scales.across_rows) return "";
  const char* const words = given         ? "takes its scales as an input"
                            : across_rows ? "has scales that several rows share"
                                          : "computes a scale for each group of a row";
  return "'" + row.id + "' " + words + "; use another op";
}

void require_stored_y(const Cells& cells, const ContractRow& row) {
  const std::string& x = cells.text("x");
  const std::string* y = cell_of_y(row);
  if (!y || x == "f32") return;
  const std::string last = y->substr(y->rfind(' ') + 1);  // if the cell is one step, npos + 1 is 0 and `last` is the whole cell
  const bool stored = last == "to(x)" || last == "to(" + x + ")" || last.starts_with("to(" + x + ",");
  if (!stored)
    cells.refuse("contract",
                 "the cell y of '" + row.id + "' does not end with a rounding to " + x +
                     ", such as to(x); add this step, or use another op or a fused op");
}

std::string shape_id(const RowCase& c) {
  std::string id = std::string(c.x->name) + ".m" + std::to_string(c.m) + ".n" + std::to_string(c.n);
  if (c.row_stride > 0) id.append(".stride").append(std::to_string(c.row_stride));
  if (c.offset > 0) id.append(".offset").append(std::to_string(c.offset));
  for (const std::string& name : c.shifted) id.append(".unaligned-").append(name);
  if (c.weights != c.x) id.append(".w").append(c.weights->name);
  if (!c.has_scales()) return id;
  id += ".g";
  if (c.group_rows() > 1 || c.group_size() == 1) id.append(std::to_string(c.group_rows())).append("x");
  id.append(std::to_string(c.group_size()));
  if (c.scales.outer()) id.append("+").append(c.scales.outer()->rows == 0 ? "tensor" : "row");
  id.append(".").append(c.layout()->id);
  return id;
}

CaseName row_name(const Case& c, const RowCase& p) {
  std::string shape = shape_id(p), fills = p.fill;
  if (c.parameters.contains("tokens")) {
    std::string counts = c.text("tokens");
    std::replace(counts.begin(), counts.end(), ';', '-');
    shape.append(".t").append(counts);
    if (p.groups.capacity() > 0) shape.append(".r").append(std::to_string(p.groups.capacity()));
  }
  if (c.parameters.contains("eps")) shape.append(".eps").append(c.text("eps"));
  if (std::isfinite(p.scale_ub)) shape.append(".ub").append(c.text("scale_ub"));
  if (c.of_given_data) return {c.op, p.contract, shape, "", 0};
  for (const std::string& another : {p.up, p.residual, p.gamma, p.beta, p.gate, p.scale_fill, p.zero_fill, p.outer_fill})
    if (!another.empty()) fills.append(".").append(another);
  return {c.op, p.contract, shape, fills + ".s" + std::to_string(p.seed), p.warp};
}

// Addresses of the scales of a case: one grid, or a grid for each group of rows, one after the other.

ScalePlaces::ScalePlaces(const Layout& layout, const RowCase& c) : layout_(&layout), groups_(c.scales_of_row()) {
  const std::vector<int64_t> rows = c.groups.any() ? c.groups.sizes() : std::vector<int64_t>{c.rows_of_scales()};
  capacity_ = c.groups.capacity();
  int64_t first_row = 0;
  for (int64_t count : rows) {
    const PlacedLayout placed(layout, capacity_ > 0 ? capacity_ : count, groups_);
    grids_.push_back({placed, count, first_row, storage_elements()});
    storage_ += placed.storage();
    first_row += count;
  }
}

std::vector<int64_t> ScalePlaces::shape() const {
  std::vector<int64_t> shape = grids_.front().placed.shape();
  if (capacity_ > 0) return {int64_t(grids_.size()), shape[0], shape[1]};
  if (grids_.size() == 1) return shape;
  return {first_rows_of_tiles().back(), shape[1]};
}

std::vector<int64_t> ScalePlaces::strides() const {
  const std::vector<int64_t> of_grid = grids_.front().placed.strides();
  return capacity_ > 0 ? std::vector<int64_t>{grids_.front().placed.storage(), of_grid[0], of_grid[1]} : of_grid;
}

std::vector<int64_t> ScalePlaces::first_rows_of_tiles() const {
  std::vector<int64_t> first = {0};
  for (const Grid& grid : grids_) first.push_back(first.back() + grid.placed.shape()[0]);
  return first;
}

const ScalePlaces::Grid& ScalePlaces::grid_of(int64_t row) const {
  const auto after =
      std::upper_bound(grids_.begin(), grids_.end(), row, [](int64_t r, const Grid& g) { return r < g.first_row; });
  return *std::prev(after);
}

int64_t ScalePlaces::offset(int64_t row, int64_t group) const {
  const Grid& grid = grid_of(row);
  return grid.first_element + grid.placed.offset(row - grid.first_row, group);
}

// Padding of a scale tensor: what a kernel must store where there is no scale.

PaddingRule padding_rule(const std::string& rules, const std::string& kind) {
  const size_t at = rules.find(kind + ":");
  if (at == std::string::npos) return PaddingRule::kFree;
  const size_t begin = at + kind.size() + 1;
  const std::string word = rules.substr(begin, rules.find(' ', at) - begin);
  return word == "00" ? PaddingRule::kZero : word == "untouched" ? PaddingRule::kUntouched : PaddingRule::kFree;
}

}  // namespace assay
