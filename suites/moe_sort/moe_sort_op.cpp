// The op moe_sort, which sorts the slots of tokens by expert: tensors of a case, accepted outputs, mutants.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/flow/routing/routing.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/registry.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_dump.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

struct SortCase {
  Routing contract;
  const Format* x = nullptr;  ///< nullptr: the contract moves no rows
  int64_t m = 0, topk = 1, n = 0, experts = 1, block_size = 1;
  int64_t room = 0;        ///< number of entries of sorted_ids; for contracts that only move rows: rows of y
  bool absent = false;     ///< some ids name no expert, or some indices name no row of x
  bool elsewhere = false;  ///< there is an expert_map, which places every second expert on another device
  bool one = false;        ///< all tokens have the same experts
  std::string ids, fill;
  uint64_t seed = 0;
  int warp = 0;
  bool given = false;  ///< the data come from a dump

  const std::string& id() const { return contract.row->id; }
  bool blocks() const { return contract.gives == RoutingGives::kBlocks; }
  bool sorts() const { return contract.gives != RoutingGives::kMoved; }
  int64_t slots() const { return m * topk; }
  int64_t locals() const { return elsewhere ? (experts + 1) / 2 : experts; }
};

/// Entries of sorted_ids that suffice for any distribution of the slots, as the projects' Python functions reserve them. Slots
/// without an expert count as one more expert.
int64_t entries_for(const SortCase& c) {
  const int64_t most = c.slots() + (c.experts + 1) * (c.block_size - 1);
  return c.slots() < c.experts ? std::min(most, c.slots() * c.block_size) : most;
}

void read_ids(const Cells& cells, SortCase& c) {
  c.ids = cells.text("ids");
  c.absent = c.ids == "absent" || c.ids == "both";
  c.elsewhere = c.ids == "elsewhere" || c.ids == "both";
  c.one = c.ids == "one";
  if (!c.absent && !c.elsewhere && !c.one && c.ids != "spread")
    cells.refuse("ids", "'" + c.ids + "' is not one of: spread, one, absent, elsewhere, both");
  if (c.elsewhere && c.contract.elsewhere == SlotsElsewhere::kNoMap)
    cells.refuse("ids", "contract " + c.id() + " has no expert_map");
  if (c.absent && c.contract.absent == AbsentSlots::kNotAllowed)
    cells.refuse("ids", "contract " + c.id() + " does not support ids that are absent (-1)");
  if (c.one && !c.sorts()) cells.refuse("ids", "contract " + c.id() + " does not sort by experts");
}

SortCase read_sort_case(const Case& one) {
  const Cells cells(one);
  const ContractRow& row = cells.contract();
  if (row.flow != &routing_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " contract; expected a contract that sorts the slots of tokens");
  SortCase c;
  c.contract = read_routing(row);
  if (cells.wanted("x", c.contract.has_rows(), "rows"))
    c.x = &cells.format_taken("x", row, "numbers", [&](const Format& x) { return c.contract.takes(x); });
  c.m = cells.from_zero("m");
  c.topk = cells.positive("topk");
  if (cells.wanted("n", c.contract.has_rows(), "rows")) c.n = cells.positive("n");
  if (cells.wanted("experts", c.sorts(), "experts")) c.experts = cells.positive("experts");
  if (c.sorts() && c.experts < c.topk)
    cells.refuse("experts", fmt::format("expected at least topk = {} experts, got {}", c.topk, c.experts));
  if (cells.wanted("block_size", c.blocks(), "blocks")) c.block_size = cells.positive("block_size");
  read_ids(cells, c);
  c.room = c.blocks() ? entries_for(c) : c.slots();
  if (cells.wanted("entries", c.contract.gives != RoutingGives::kRows, "number of entries", false))
    c.room = cells.from_zero("entries");
  if (cells.wanted("fill", c.contract.has_rows(), "rows")) c.fill = cells.fill_name("fill");
  c.seed = cells.seed();
  c.warp = cells.warp();
  c.given = cells.of_given_data();
  if (c.given) return c;
  if (c.blocks() && c.room < entries_for(c))
    cells.refuse("entries", fmt::format("expected at least {} entries, as many as any distribution of the slots needs, got {}",
                                        entries_for(c), c.room));
  if (!c.blocks() && c.m == 0 && c.room > 0 && c.contract.absent == AbsentSlots::kNotAllowed)
    cells.refuse("entries", fmt::format("expected 0 entries, because x has no rows, got {}", c.room));
  return c;
}

CaseName name_of(const Case& one, const SortCase& c) {
  std::string shape = c.x ? std::string(c.x->name) + "." : "";
  shape += fmt::format("m{}.k{}", c.m, c.topk);
  if (c.x) shape += fmt::format(".n{}", c.n);
  if (c.sorts()) shape += fmt::format(".e{}", c.experts);
  if (c.blocks()) shape += fmt::format(".b{}", c.block_size);
  if (c.room != (c.blocks() ? entries_for(c) : c.slots())) shape += fmt::format(".entries{}", c.room);
  return {one.op, c.id(), shape + "." + c.ids, c.given ? "" : fmt::format("{}s{}", c.fill.empty() ? "" : c.fill + ".", c.seed),
          c.warp};
}

// The tensors of a call.

/// Random streams of the tensors of a case.
enum Ordinal : uint32_t { kRows = 0, kIds = 1001, kMoves = 1002 };

/// The ids of a token's experts, all different. With `absent`, all slots of token 1, the first of token 0 and a random quarter
/// have no expert. Their ids are < 0 or, where the contract allows it, also >= experts.
std::vector<int64_t> ids_of(const SortCase& c) {
  std::vector<int64_t> ids;
  const Random random(c.seed, kIds);
  for (int64_t t = 0; t < c.m; ++t) {
    std::vector<int64_t> experts(size_t(c.experts));
    std::iota(experts.begin(), experts.end(), int64_t{0});
    for (int64_t k = 0; k < c.topk; ++k) {
      const int64_t other = c.one ? c.experts - 1 - k : k + random.below(c.experts - k, t, uint32_t(k));
      std::swap(experts[size_t(k)], experts[size_t(other)]);
      const bool none = c.absent && (t == 1 || (t == 0 && k == 0) || random.below(4, t, uint32_t(c.topk + k)) == 0);
      const bool below = c.contract.absent == AbsentSlots::kFirst || random.below(2, t, uint32_t(2 * c.topk + k)) == 0;
      ids.push_back(!none ? experts[size_t(k)] : below ? -1 : c.experts + k);
    }
  }
  return ids;
}

/// expert_map: experts with odd numbers are on another device. Experts with even numbers get descending numbers on this device.
std::vector<int64_t> map_of(const SortCase& c) {
  std::vector<int64_t> map;
  for (int64_t expert = 0; expert < c.experts; ++expert) map.push_back(expert % 2 == 0 ? c.locals() - 1 - expert / 2 : -1);
  return map;
}

std::vector<int64_t> moves_of(const SortCase& c) {
  std::vector<int64_t> moves;
  const Random random(c.seed, kMoves);
  for (int64_t row = 0; row < c.room; ++row) {
    const bool outside = c.absent && (row == 0 || random.below(4, row, 1) == 0);
    moves.push_back(c.m == 0 ? -1 : outside ? (row % 2 == 0 ? -1 : c.m) : random.below(c.m, row, 0));
  }
  return moves;
}

HostTensor indices(const std::string& name, const std::vector<int64_t>& shape) {
  return {dense(name, Role::kOutput, kInt32, shape), {}};
}

Problem problem_of(const SortCase& c) {
  Problem made;
  if (c.x) {
    made.tensors.push_back({dense("x", Role::kInput, *c.x, {c.m, c.n}), {}});
    if (c.fill.empty()) made.tensors.back().bytes.resize(made.tensors.back().spec.bytes());
    else fill(made.tensors.back(), {.name = c.fill, .seed = c.seed, .tensor = kRows});
  }
  if (c.sorts()) made.tensors.push_back(input_integers("topk_ids", {c.m, c.topk}, ids_of(c)));
  else made.tensors.push_back(input_integers("dst2src_map", moves_of(c)));
  if (c.elsewhere) made.tensors.push_back(input_integers("expert_map", map_of(c)));
  made.parameters = {{"warp", double(c.warp)}};
  if (c.sorts()) made.parameters.emplace_back("experts", double(c.experts));
  if (c.x) made.tensors.push_back({dense("y", Role::kOutput, *c.x, {c.sorts() ? c.slots() : c.room, c.n}), {}});
  if (c.contract.gives == RoutingGives::kRows) {
    made.tensors.push_back(indices("expert_first_token_offset", {c.locals() + 1}));
    made.tensors.push_back(indices("inv_permuted_idx", {c.m, c.topk}));
    made.tensors.push_back(indices("permuted_idx", {c.slots()}));
  }
  if (c.blocks()) {
    const int64_t blocks = (c.room + c.block_size - 1) / c.block_size;
    made.tensors.push_back(indices("sorted_ids", {c.room}));
    made.tensors.push_back(indices("expert_ids", {blocks}));
    if (c.contract.counts) made.tensors.push_back(indices("token_nums", {blocks}));
    made.tensors.push_back(indices("num_tokens_post_pad", {1}));
    made.parameters.emplace_back("block_size", double(c.block_size));
  }
  return made;
}

RoutingInputs inputs_of(const SortCase& c, const Problem& problem) {
  RoutingInputs inputs;
  inputs.m = c.m, inputs.topk = c.topk, inputs.experts = c.experts, inputs.block_size = c.block_size, inputs.room = c.room;
  inputs.ids = integers_of(problem.tensors, "topk_ids");
  inputs.map = integers_of(problem.tensors, "expert_map");
  inputs.moves = integers_of(problem.tensors, "dst2src_map");
  return inputs;
}

// The accepted outputs of a case.

/// The rows of a part that a call writes. The rows `left` must keep their content.
struct Written {
  std::vector<int64_t> rows, left;

  explicit Written(const std::vector<int64_t>& values, int64_t untouched) {
    for (int64_t i = 0; i < int64_t(values.size()); ++i) (values[size_t(i)] == untouched ? left : rows).push_back(i);
  }
};

WholePart part_of(const std::string& tensor, const Format& format, int64_t columns, Written of, const std::string& why) {
  const auto written = std::make_shared<const Written>(std::move(of));
  WholePart whole{{tensor, &format, {int64_t(written->rows.size()), columns}, why}, {}, {}};
  if (written->left.empty()) return whole;
  whole.part.places = Places::of_rows([written, columns](int64_t row) { return written->rows[size_t(row)] * columns; });
  whole.part.row_number = [written](int64_t row) { return written->rows[size_t(row)]; };
  whole.part.padding = [written, columns](const std::function<void(const Padding&)>& visit) {
    for (const int64_t row : written->left)
      for (int64_t i = 0; i < columns; ++i) visit({row * columns + i, {row, i}, PaddingRule::kUntouched});
  };
  return whole;
}

/// Accepted entries of an index tensor. If the order within a run of entries is free, each of them may hold any number between
/// the smallest and the largest one of the run. `free` lists these runs; it is empty once the kernel's order is known.
WholePart part_of_index(const RoutedIndex& right, const RoutedIndex& shown,
                        const std::vector<std::pair<int64_t, int64_t>>& free) {
  Written written(right.values, RoutedIndex::kUntouched);
  WholePart whole = part_of(right.name, kInt32, 1, written,
                            free.empty() ? "indices are exact: one code" : "the slots of an expert may be in any order, each exactly once");
  std::vector<int64_t> low = shown.values, high = shown.values;
  for (const auto& [first, end] : free) {
    const auto [least, most] = std::minmax_element(shown.values.begin() + first, shown.values.begin() + end);
    std::fill(low.begin() + first, low.begin() + end, *least);
    std::fill(high.begin() + first, high.begin() + end, *most);
  }
  for (const int64_t row : written.rows) {
    whole.low.push_back(ordinal(kInt32, uint32_t(low[size_t(row)])));
    if (!free.empty()) whole.high.push_back(ordinal(kInt32, uint32_t(high[size_t(row)])));
  }
  return whole;
}

WholePart part_of_rows(const SortCase& c, const Routed& right, const Routed& shown, const Problem& problem) {
  const HostTensor& x = find(problem.tensors, "x");
  const Format& format = with_nans_by_code(*c.x);
  const Written written(right.rows, Routed::kUntouched);
  WholePart whole = part_of("y", format, c.n, written, "copied bit for bit");
  for (const int64_t row : written.rows)
    for (int64_t i = 0; i < c.n; ++i) {
      const int64_t from = shown.rows[size_t(row)];
      whole.low.push_back(ordinal(format, from < 0 ? 0 : x.code(from * c.n + i)));
    }
  return whole;
}

/// The outputs that `contract` accepts; it may be a mutant. The case's contract determines which elements a call writes.
Expectation expect_sorted(const SortCase& c, const Routing& contract, const Problem& problem,
                          const std::vector<HostTensor>* outputs) {
  const RoutingInputs inputs = inputs_of(c, problem);
  const Routed right = routed(c.contract, inputs);
  Routed shown = contract.mistake == RoutingMistake::kNone ? right : routed(contract, inputs);
  if (outputs && !shown.free.empty()) {
    follow_order(shown, integers_of(*outputs, "sorted_ids"));
    shown.free.clear();
  }
  std::vector<WholePart> parts;
  if (c.x) parts.push_back(part_of_rows(c, right, shown, problem));
  for (size_t i = 0; i < right.indices.size(); ++i)
    parts.push_back(
        part_of_index(right.indices[i], shown.indices[i], i == 0 ? shown.free : std::vector<std::pair<int64_t, int64_t>>{}));
  return expectation_of(std::move(parts));
}

class BoundSort : public BoundCase {
 public:
  BoundSort(SortCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override { return problem_of(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_sorted(c_, c_.contract, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override {
    std::vector<Hypothesis> all;
    const int64_t work = c_.m == 0 ? 0 : c_.sorts() ? c_.slots() : c_.room;
    for (RoutingNeighbour& wrong : routing_neighbours(c_.contract, {work, c_.topk, c_.absent, c_.elsewhere}))
      all.push_back(
          {wrong.name,
           [c = c_, contract = std::move(wrong.contract)](const Problem& problem, const std::vector<HostTensor>* outputs) {
             return expect_sorted(c, contract, problem, outputs);
           },
           rulebook().equivalent(c_.id(), c_.x ? *c_.x : kInt32, wrong.name)});
    return all;
  }
  std::vector<std::string> formulas() const override { return routing_lines(c_.contract); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override;
  std::string traced() const override { return c_.contract.gives == RoutingGives::kBlocks ? "sorted_ids" : "y"; }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    if (c_.m < 2) return std::nullopt;
    return Shrinking{{{c_.m,
                       [](int64_t units) {
                         return CellChanges{{"m", std::to_string(units)}};
                       }}},
                     {},
                     std::max<int64_t>(1, c_.slots() * std::max<int64_t>(1, c_.n))};
  }

 private:
  const SortCase c_;
  const CaseName name_;
};

/// What each output tensor holds in row `row`.
std::vector<std::string> BoundSort::trace(const Problem& problem, int64_t row, int64_t column) const {
  const Routed right = routed(c_.contract, inputs_of(c_, problem));
  std::vector<std::string> lines;
  if (row < int64_t(right.rows.size()) && column < c_.n) {
    const int64_t from = right.rows[size_t(row)];
    lines.push_back(fmt::format("y[{}] is {}", row,
                                from == Routed::kZeros       ? "zeros"
                                : from == Routed::kUntouched ? "unchanged"
                                                             : fmt::format("row {} of x", from)));
  }
  for (const RoutedIndex& index : right.indices)
    if (row < int64_t(index.values.size()))
      lines.push_back(fmt::format(
          "{}[{}] = {}", index.name, row,
          index.values[size_t(row)] == RoutedIndex::kUntouched ? "unchanged" : std::to_string(index.values[size_t(row)])));
  if (lines.empty()) lines.push_back(fmt::format("no output has an element {}", row));
  return lines;
}

DumpCase case_of_dump(const Op& op, const DumpRequest& request) {
  require_known_parameters(op, request);
  const Routing contract = read_routing(rulebook().contracts.find(request.contract));
  const bool moved = contract.gives == RoutingGives::kMoved, map = request.roles.contains("expert_map");
  const DumpedTensor& first = dumped_role(request.roles, contract.has_rows() ? "x" : "topk_ids");
  std::map<std::string, std::string> cells = {
      {"contract", request.contract}, {"m", std::to_string(first.tensor.spec.shape.at(0))}, {"topk", "1"}};
  if (!moved) cells["topk"] = std::to_string(dumped_role(request.roles, "topk_ids").tensor.spec.shape.at(1));
  if (contract.has_rows()) {
    if (first.tensor.spec.shape.size() != 2)
      throw UsageError(fmt::format("{}: expected [m, n], got {} dimensions", first.place(), first.tensor.spec.shape.size()));
    cells["x"] = std::string(first.tensor.spec.format->name), cells["n"] = std::to_string(first.tensor.spec.shape[1]);
  }
  if (contract.gives != RoutingGives::kRows)
    cells["entries"] = std::to_string(dumped_role(request.roles, moved ? "y" : "sorted_ids").tensor.spec.shape.at(0));
  for (const char* name : {"experts", "block_size"})
    if (const auto found = request.parameters.find(name); found != request.parameters.end()) cells[name] = found->second;
  const bool absent = contract.absent != AbsentSlots::kNotAllowed;
  cells["ids"] = absent && map ? "both" : absent ? "absent" : map ? "elsewhere" : "spread";
  return case_of_cells(op, request, first, cells);
}

}  // namespace

Op moe_sort_op() {
  return {
      .name = "moe_sort",
      .roles = {{"x", Access::kIn, "[m, n]: the rows of tokens; only for contracts that move rows"},
                {"topk_ids", Access::kIn, "[m, topk] int32: the expert of each slot; absent for contracts with a given order"},
                {"dst2src_map", Access::kIn,
                 "[rows] int32: the row of x for each row of y; only for contracts with a given order"},
                {"expert_map", Access::kIn,
                 "[experts] int32: the number of each expert on this device; -1: the expert is on another device; may be absent"},
                {"y", Access::kOut, "[m * topk, n], or [rows, n] if the order is given: the sorted rows, in the format of x"},
                {"expert_first_token_offset", Access::kOut,
                 "[local experts + 1] int32: the first row of each expert; last: the number of rows in use"},
                {"inv_permuted_idx", Access::kOut, "[m, topk] int32: the row of each slot"},
                {"permuted_idx", Access::kOut, "[m * topk] int32: the slot of each row"},
                {"sorted_ids", Access::kOut, "[entries] int32: the slots of each expert, padded to whole blocks"},
                {"expert_ids", Access::kOut, "[blocks] int32: the expert of each block"},
                {"token_nums", Access::kOut,
                 "[blocks] int32: number of slots of the expert in this block and later ones; only for contracts that have it"},
                {"num_tokens_post_pad", Access::kOut, "[1] int32: the number of entries of all blocks"}},
      .parameters = {{"experts", "number of experts on all devices"}, {"block_size", "number of entries of sorted_ids in a block"}, roles::kWarp},
      .columns = {"contract", "x", "m", "topk", "n", "experts", "block_size", "entries", "ids", "fill", "seed", "warp"},
      .optional_columns = {"x", "n", "experts", "block_size", "entries", "fill"},
      .data_column = "ids",
      .takes = [](const std::string& contract) { return rulebook().is_row(contract, routing_flow()); },
      .bind =
          [](const Case& one) {
            SortCase c = read_sort_case(one);
            CaseName name = name_of(one, c);
            return std::make_unique<const BoundSort>(std::move(c), std::move(name));
          },
      .case_of_dump = case_of_dump};
}

}  // namespace assay
