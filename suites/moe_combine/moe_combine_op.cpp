// The op moe_combine, which adds the rows of a token's experts: tensors of a case, accepted outputs, mutants.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/moe_combine/combine_case.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_dump.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Rows of x that belong to no slot, if the contract has row_of_slot.
constexpr int64_t kSpareRows = 3;

void read_ids(const Cells& cells, CombineCase& c) {
  if (!cells.wanted("ids", c.contract.skips(), "slots to skip")) return;
  const std::string& ids = cells.text("ids");
  c.absent = ids == "absent" || ids == "both";
  c.elsewhere = ids == "elsewhere" || ids == "both";
  if (!c.absent && !c.elsewhere && ids != "local")
    cells.refuse("ids", "'" + ids + "' is not one of: local, absent, elsewhere, both");
  if (c.elsewhere && !c.contract.skips_mapped) cells.refuse("ids", "contract " + c.id() + " has no expert_map");
}

}  // namespace

int64_t CombineCase::rows() const { return m * topk + (contract.permuted() ? kSpareRows : 0); }

CombineCase read_combine_case(const Cells& cells, const ContractRow& row) {
  if (row.flow != &combine_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a contract that adds the rows of experts");
  CombineCase c;
  c.contract = read_combine(row);
  c.x = &cells.format_taken("x", row, "numbers", [&](const Format& x) { return c.contract.takes(x); });
  c.m = cells.from_zero("m");
  c.topk = cells.positive("topk");
  if (!c.contract.takes_topk(c.topk))
    cells.refuse("topk", "contract " + row.id + " does not support topk = " + cells.text("topk") + "; supported: " + row.text("topk"));
  c.n = cells.positive("n");
  if (c.contract.order == SlotOrder::kLanes && c.n < 2) cells.refuse("n", "expected at least 2, which " + row.id + " requires");
  read_ids(cells, c);
  c.fill = cells.fill_name("fill");
  const std::string weights = cells.has("router_weights") ? "router_weights" : "weights";
  if (cells.wanted(weights, c.contract.weighs(), "router weights")) c.weights = cells.fill_name(weights);
  if (cells.wanted("factor", c.contract.scales(), "routed scaling factor")) c.factor = cells.number("factor");
  if (cells.wanted("shared", c.contract.adds_shared(), "shared expert")) c.shared = cells.fill_name("shared");
  if (cells.wanted("padding", c.contract.skips() || c.contract.permuted(), "unused rows")) {
    const std::string& padding = cells.text("padding");
    if (padding != "filled" && padding != "nan") cells.refuse("padding", "'" + padding + "' is not one of: filled, nan");
    c.nan_padding = padding == "nan";
  }
  c.seed = cells.seed();
  c.warp = cells.warp();
  return c;
}

std::string combine_shape(const CombineCase& c) {
  const char* const ids = c.absent && c.elsewhere ? ".both" : c.absent ? ".absent" : c.elsewhere ? ".elsewhere" : "";
  return ids + (c.contract.scales() ? fmt::format(".f{:g}", c.factor) : "");
}

std::string combine_fills(const CombineCase& c) {
  std::string fills;
  for (const std::string& given : {c.weights, c.shared})
    if (!given.empty()) fills += "." + given;
  return fills + (c.nan_padding ? ".nan_padding" : "");
}

namespace {

CaseName name_of(const Case& one, const CombineCase& c) {
  return {one.op, c.id(), fmt::format("{}.m{}.k{}.n{}{}", c.x->name, c.m, c.topk, c.n, combine_shape(c)),
          c.fill.empty() ? "" : fmt::format("{}{}.s{}", c.fill, combine_fills(c), c.seed), c.warp};
}

// The tensors of a call.

/// Random streams of the tensors of a case. The row of x for slot k of a token uses stream k.
enum Ordinal : uint32_t { kWeights = 1000, kIds = 1001, kRows = 1002, kShared = 1003 };

/// The random stream of a tensor on this rank.
uint32_t of_rank(const CombineCase& c, Ordinal ordinal) { return ordinal + uint32_t(c.rank) * 16; }

/// Slots without an expert are true: all of tokens 1 and m - 1, the first of token 0, the last of token 2, and a random quarter.
std::vector<bool> absent_slots(const CombineCase& c) {
  std::vector<bool> absent(size_t(c.m * c.topk), false);
  const Random random(c.seed, of_rank(c, kIds));
  for (int64_t t = 0; c.absent && t < c.m; ++t)
    for (int64_t k = 0; k < c.topk; ++k) {
      const bool whole = t == 1 || (t > 2 && t == c.m - 1), end = (t == 0 && k == 0) || (t == 2 && k == c.topk - 1);
      absent[size_t(t * c.topk + k)] = whole || end || random.below(4, t * c.topk + k) == 0;
    }
  return absent;
}

std::vector<int64_t> ids_of(const CombineCase& c, const std::vector<bool>& absent) {
  std::vector<int64_t> ids;
  const Random random(c.seed, of_rank(c, kIds));
  for (int64_t t = 0; t < c.m; ++t) {
    const int64_t first = random.below(c.experts(), t, 1);
    for (int64_t k = 0; k < c.topk; ++k) ids.push_back(absent[ids.size()] ? -1 : (first + 2 * k) % c.experts());
  }
  return ids;
}

/// expert_map: experts with odd numbers are on another device.
std::vector<int64_t> map_of(const CombineCase& c) {
  std::vector<int64_t> map;
  for (int64_t expert = 0; expert < c.experts(); ++expert) map.push_back(expert % 2 == 0 ? expert / 2 : -1);
  return map;
}

/// The row of x for each slot, in random order. Slots without expert get row -1 (skips_negative) or the last rows (skips_rows).
std::vector<int64_t> rows_of_slots(const CombineCase& c, const std::vector<bool>& absent) {
  std::vector<int64_t> rows(size_t(c.rows()));
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = int64_t(i);
  const Random random(c.seed, of_rank(c, kRows));
  for (int64_t i = c.rows() - 1; i > 0; --i) std::swap(rows[size_t(i)], rows[size_t(random.below(i + 1, i))]);
  rows.resize(absent.size());
  for (size_t slot = 0; c.contract.skips_negative && slot < rows.size(); ++slot)
    if (absent[slot]) rows[slot] = -1;
  if (!c.contract.skips_rows) return rows;
  std::vector<size_t> order(rows.size());
  for (size_t slot = 0; slot < order.size(); ++slot) order[slot] = slot;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return rows[a] < rows[b]; });
  int64_t used = 0, unused = std::count(absent.begin(), absent.end(), false);
  for (const size_t slot : order) rows[slot] = absent[slot] ? unused++ : used++;
  return rows;
}

/// For each row of x, the slot t * topk + k whose data it holds; -1: none.
std::vector<int64_t> slots_of_rows(const CombineCase& c, const std::vector<int64_t>& row_of_slot) {
  std::vector<int64_t> slots(size_t(c.rows()), -1);
  for (size_t slot = 0; slot < row_of_slot.size(); ++slot)
    if (row_of_slot[slot] >= 0) slots[size_t(row_of_slot[slot])] = int64_t(slot);
  return slots;
}

HostTensor x_of(const CombineCase& c, const std::vector<int64_t>& row_of_slot, const std::vector<bool>& unused) {
  const std::vector<int64_t> shape = c.contract.permuted() ? std::vector{c.rows(), c.n} : std::vector{c.m, c.topk, c.n};
  HostTensor x{dense("x", Role::kInput, *c.x, shape), {}};
  x.bytes.resize(x.spec.bytes());
  if (c.fill.empty()) return x;
  std::vector<HostTensor> of_slot;
  for (int64_t k = 0; k < c.topk; ++k) {
    of_slot.push_back({dense("x", Role::kInput, *c.x, {c.m, c.n}), {}});
    const int64_t part = c.rank * c.topk + k;
    fill(of_slot.back(),
         {.name = c.fill, .seed = c.seed, .tensor = uint32_t(part), .rank = int(part), .ranks = int(c.ranks * c.topk)});
  }
  const std::vector<int64_t> slots = slots_of_rows(c, row_of_slot);
  const uint32_t nan = code_of(*c.x, std::numeric_limits<double>::quiet_NaN());
  for (int64_t row = 0; row < c.rows(); ++row) {
    const int64_t slot = slots[size_t(row)];
    const bool is_unused = slot < 0 || unused[size_t(slot)];
    for (int64_t i = 0; i < c.n; ++i)
      x.set_code(row * c.n + i,
                 is_unused && (c.nan_padding || slot < 0) ? nan : of_slot[size_t(slot % c.topk)].code(slot / c.topk * c.n + i));
  }
  return x;
}

}  // namespace

Problem combine_problem(const CombineCase& c) {
  const std::vector<bool> absent = absent_slots(c);
  const std::vector<int64_t> ids = ids_of(c, absent), map = map_of(c);
  std::vector<bool> unused = absent;
  for (size_t slot = 0; c.elsewhere && slot < ids.size(); ++slot)
    if (ids[slot] >= 0 && map[size_t(ids[slot])] < 0) unused[slot] = true;
  std::vector<int64_t> row_of_slot(absent.size());
  for (size_t slot = 0; slot < row_of_slot.size(); ++slot) row_of_slot[slot] = int64_t(slot);
  if (c.contract.permuted()) row_of_slot = rows_of_slots(c, absent);
  Problem made;
  made.tensors.push_back(x_of(c, row_of_slot, unused));
  if (c.contract.permuted()) {
    const bool slot_major = c.contract.rows == RowsOfX::kBySlotMajor;
    std::vector<int64_t> stored(row_of_slot.size());
    for (int64_t t = 0; t < c.m; ++t)
      for (int64_t k = 0; k < c.topk; ++k)
        stored[size_t(slot_major ? k * c.m + t : t * c.topk + k)] = row_of_slot[size_t(t * c.topk + k)];
    made.tensors.push_back(
        input_integers("row_of_slot", slot_major ? std::vector{c.topk, c.m} : std::vector{c.m, c.topk}, stored));
  }
  if (c.contract.weighs()) {
    HostTensor weights{dense("topk_weights", Role::kInput, c.contract.weights_of_x ? *c.x : kF32, {c.m, c.topk}), {}};
    fill(weights, {.name = c.weights, .seed = c.seed, .tensor = of_rank(c, kWeights)});
    made.tensors.push_back(std::move(weights));
  }
  if (c.contract.adds_shared()) {
    HostTensor shared{dense("shared", Role::kInput, *c.x, {c.m, c.n}), {}};
    fill(shared, {.name = c.shared, .seed = c.seed, .tensor = of_rank(c, kShared)});
    made.tensors.push_back(std::move(shared));
  }
  if (c.contract.skips_ids) made.tensors.push_back(input_integers("topk_ids", {c.m, c.topk}, ids));
  if (c.elsewhere) made.tensors.push_back(input_integers("expert_map", map));
  made.tensors.push_back({dense("y", Role::kOutput, *c.x, {c.m, c.n}), {}});
  made.parameters = {{"warp", double(c.warp)}};
  if (c.contract.scales()) made.parameters.emplace_back("routed_scaling_factor", c.factor);
  if (c.contract.skips_rows) made.parameters.emplace_back("rows_in_use", double(std::count(absent.begin(), absent.end(), false)));
  return made;
}

namespace {

/// A function that decodes row `row` of a tensor with n elements per row. The tensor must outlive the function.
std::function<std::vector<double>(int64_t)> rows_of(const HostTensor& tensor, int64_t n) {
  return [&tensor, n](int64_t row) {
    std::vector<double> values(static_cast<size_t>(n));
    decode_all(*tensor.spec.format, tensor.bytes.data() + tensor.spec.byte_of(tensor.spec.offset + row * n), values);
    return values;
  };
}

}  // namespace

CombineInputs combine_inputs(const CombineCase& c, const Problem& problem) {
  CombineInputs inputs;
  inputs.x = c.x;
  inputs.m = c.m, inputs.topk = c.topk, inputs.n = c.n, inputs.rows = c.rows();
  inputs.row_of_x = rows_of(find(problem.tensors, "x"), c.n);
  if (c.contract.adds_shared()) inputs.shared_of = rows_of(find(problem.tensors, "shared"), c.n);
  if (c.contract.weighs()) {
    const HostTensor& weights = find(problem.tensors, "topk_weights");
    inputs.weights.resize(size_t(c.m * c.topk));
    decode_all(*weights.spec.format, weights.bytes.data(), inputs.weights);
  }
  inputs.ids = integers_of(problem.tensors, "topk_ids");
  inputs.map = integers_of(problem.tensors, "expert_map");
  inputs.row_of_slot = integers_of(problem.tensors, "row_of_slot");
  for (const auto& [name, value] : problem.parameters) {
    if (name == "routed_scaling_factor") inputs.factor = value;
    if (name == "rows_in_use") inputs.in_use = int64_t(value);
  }
  return inputs;
}

namespace {

// The accepted outputs of a case.

std::string freedom(const Combine& contract) {
  const bool fused = std::any_of(contract.add.begin(), contract.add.end(), [](const CellStep& step) { return step.slack.fma; });
  return fused ? "the kernel may round a product, or not, before it adds it"
               : "every rounding and the order are pinned: one code";
}

/// The part y: the rows of the tokens `written`. The rows of all other tokens must keep their content.
Part part_of(const CombineCase& c, const std::shared_ptr<const std::vector<int64_t>>& written) {
  Part y{"y", c.x, {int64_t(written->size()), c.n}, freedom(c.contract)};
  if (int64_t(written->size()) == c.m) return y;
  y.places = Places::of_rows([written, n = c.n](int64_t row) { return (*written)[size_t(row)] * n; });
  y.row_number = [written](int64_t row) { return (*written)[size_t(row)]; };
  y.padding = [written, m = c.m, n = c.n](const std::function<void(const Padding&)>& visit) {
    for (int64_t t = 0; t < m; ++t) {
      if (std::binary_search(written->begin(), written->end(), t)) continue;
      for (int64_t i = 0; i < n; ++i) visit({t * n + i, {t, i}, PaddingRule::kUntouched});
    }
  };
  return y;
}

AcceptedRows of_values(const Format& x, const std::vector<Spans>& rows, int64_t first) {
  const bool free = std::any_of(rows.begin(), rows.end(), [](const Spans& row) { return !row.pinned(); });
  Spans all;
  for (const Spans& row : rows) {
    all.low.insert(all.low.end(), row.low.begin(), row.low.end());
    const std::vector<double>& high = row.pinned() ? row.low : row.high;
    if (free) all.high.insert(all.high.end(), high.begin(), high.end());
  }
  return accepted_rows(all, x, first, first + int64_t(rows.size()));
}

Expectation expect_combined(const CombineCase& c, const Combine& contract, const Problem& problem) {
  const auto inputs = std::make_shared<const CombineInputs>(combine_inputs(c, problem));
  auto tokens = std::make_shared<std::vector<int64_t>>();
  for (int64_t t = 0; t < c.m; ++t)
    if (writes_token(c.contract, *inputs, t)) tokens->push_back(t);
  const std::shared_ptr<const std::vector<int64_t>> written = std::move(tokens);
  Answer answer;
  answer.steps = int64_t(written->size());
  answer.parts = {part_of(c, written)};
  answer.products = c.topk;
  answer.accepted = [contract, inputs, written](int64_t first, int64_t end) {
    std::vector<Spans> rows;
    for (int64_t row = first; row < end; ++row) rows.push_back(combined(contract, *inputs, (*written)[size_t(row)]));
    return AcceptedBlock{{of_values(*inputs->x, rows, first)}};
  };
  return {{std::move(answer)}};
}

class BoundCombine : public BoundCase {
 public:
  BoundCombine(CombineCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return combine_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    return expect_combined(c_, c_.contract, problem);
  }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    for (CombineNeighbour& wrong :
         combine_neighbours(c_.contract, *c_.x, {c_.m, c_.topk, c_.factor, c_.absent || c_.elsewhere, c_.elsewhere}))
      all.push_back({wrong.name,
                     [c = c_, contract = std::move(wrong.contract)](const Problem& problem, const std::vector<HostTensor>*) {
                       return expect_combined(c, contract, problem);
                     },
                     wrong.suspect ? "" : rulebook().equivalent(c_.id(), *c_.x, wrong.name)}),
          all.back().suspect = wrong.suspect;
    return all;
  }
  std::vector<std::string> formulas() const override { return combine_lines(c_.contract, *c_.x); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::string traced() const override { return "y"; }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>& multiple_of) const override;

 private:
  const CombineCase c_;
  const CaseName name_;
};

std::vector<std::string> BoundCombine::trace(const Problem& problem, int64_t row, int64_t column) const {
  if (row >= c_.m || column >= c_.n) return {fmt::format("y has {} rows and {} columns", c_.m, c_.n)};
  CombineInputs inputs = combine_inputs(c_, problem);
  if (!writes_token(c_.contract, inputs, row))
    return {fmt::format("token {} has only ids < 0: its row of y keeps its earlier contents", row)};
  const auto whole = inputs.row_of_x;
  inputs.n = 1;
  inputs.row_of_x = [&](int64_t source) { return std::vector<double>{whole(source)[size_t(column)]}; };
  if (c_.contract.adds_shared())
    inputs.shared_of = [&, shared = inputs.shared_of](int64_t token) {
      return std::vector<double>{shared(token)[size_t(column)]};
    };
  std::vector<std::string> lines;
  for (const AddedSlot& slot : added_slots(c_.contract, inputs, row)) {
    std::string line = fmt::format("slot {}: x row {:>4} {:>16.9g}", slot.slot, slot.row, inputs.row_of_x(slot.row)[0]);
    if (c_.contract.weighs()) line += fmt::format("   weight {:.9g}", slot.weight);
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.push_back("no slot is added");
  if (c_.contract.adds_shared()) lines.push_back(fmt::format("shared: {:.9g}", inputs.shared_of(row)[0]));
  const Span y = combined(c_.contract, inputs, row)[0];
  lines.push_back("y = " + (y.pinned() ? fmt::format("{:.9g}", y.low) : fmt::format("{:.9g} to {:.9g}", y.low, y.high)));
  return lines;
}

std::optional<Shrinking> BoundCombine::shrinking(const std::map<std::string, int64_t>& multiple_of) const {
  const auto found = multiple_of.find("n");
  const int64_t unit = found == multiple_of.end() ? 1 : found->second;
  const auto axis = [](const char* column, int64_t size, int64_t each) {
    return ShrinkAxis{size / each, [=](int64_t units) { return CellChanges{{column, std::to_string(units * each)}}; }};
  };
  Shrinking shrinking{{}, {}, std::max<int64_t>(1, c_.m * c_.n)};
  if (c_.m > 1) shrinking.axes.push_back(axis("m", c_.m, 1));
  if (c_.n > unit && c_.n % unit == 0) shrinking.axes.push_back(axis("n", c_.n, unit));
  return shrinking;
}

/// The case of a dump with x [m, topk, n] and the other tensors of the contract.
DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const DumpedTensor& x = dumped_role(request.roles, "x");
  const std::vector<int64_t>& shape = x.tensor.spec.shape;
  if (read_combine(rulebook().contracts.find(request.contract)).permuted())
    throw UsageError("contract " + request.contract +
                     " uses row_of_slot, which dumps do not support yet; try a contract whose x is [m, topk, n]");
  if (shape.size() != 3) throw UsageError(fmt::format("{}: expected [m, topk, n], got {} dimensions", x.place(), shape.size()));
  std::map<std::string, std::string> cells = {{"contract", request.contract},
                                              {"x", std::string(x.tensor.spec.format->name)},
                                              {"m", std::to_string(shape[0])},
                                              {"topk", std::to_string(shape[1])},
                                              {"n", std::to_string(shape[2])}};
  const bool ids = request.roles.contains("topk_ids"), map = request.roles.contains("expert_map");
  if (ids || map) cells["ids"] = map ? "both" : "absent";
  if (const auto factor = request.parameters.find("routed_scaling_factor"); factor != request.parameters.end())
    cells["factor"] = factor->second;
  return case_of_cells(op, request, x, cells);
}

}  // namespace

Op moe_combine_op() {
  return {
      .name = "moe_combine",
      .roles = {{"x", Access::kIn,
                 "[m, topk, n]: for each token and slot, the row that the expert computed; with row_of_slot: [rows, n]"},
                {"row_of_slot", Access::kIn,
                 "[m, topk] or, slot-major, [topk, m] int32: the row of x for each slot; only for contracts whose x is [rows, n]"},
                {"topk_weights", Access::kIn,
                 "[m, topk] f32 or, in one contract, in the format of x: router weights; only for contracts that apply them"},
                {"shared", Access::kIn, "[m, n] in the format of x: the rows of a shared expert; only for contracts that add it"},
                {"topk_ids", Access::kIn,
                 "[m, topk] int32: the expert of each slot; < 0: no expert; only for contracts that skip slots by id"},
                {"expert_map", Access::kIn,
                 "[experts] int32: the number of each expert on this device; < 0: the expert is on another device; may be absent"},
                {"y", Access::kOut, "[m, n] in the format of x: the combined rows"}},
      .parameters = {roles::kWarp,
                     {"routed_scaling_factor", "multiplies all router weights; only for contracts with this factor"},
                     {"rows_in_use", "number of rows of x in use; slots with a later row are skipped; only for contracts that skip rows"}},
      .columns = {"contract", "x", "m", "topk", "n", "ids", "fill", "weights", "factor", "padding", "shared", "seed", "warp"},
      .optional_columns = {"ids", "weights", "factor", "padding", "shared"},
      .takes = [](const std::string& contract) { return rulebook().is_row(contract, combine_flow()); },
      .bind =
          [](const Case& one) {
            const Cells cells(one);
            CombineCase c = read_combine_case(cells, cells.contract());
            CaseName name = name_of(one, c);
            return std::make_unique<const BoundCombine>(std::move(c), std::move(name));
          },
      .case_of_dump = case_of_dump};
}

}  // namespace assay
