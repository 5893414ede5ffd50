#include "suites/all_reduce/rank_case.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "harness/core/tensor_of_part.h"
#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Seed of the warm-up calls: this plus the case's seed. All warm-up calls have the same inputs, so it does not matter which one
/// a kernel mistakes for the last.
constexpr uint64_t kSeedBefore = 1000;

/// Initial call and barrier counters for cases that wrap: four calls later the counters restart at 0.
constexpr double kNearlyAll = 4294967292.0;

constexpr std::pair<RankUse, const char*> kUses[] = {{RankUse::kAlternating, "alternating"},
                                                    {RankUse::kWrapping, "wrapping"},
                                                    {RankUse::kInPlace, "in_place"},
                                                    {RankUse::kStraggler, "straggler"},
                                                    {RankUse::kInARow, "in_a_row"}};

RankUse use_of(const Cells& cells, int64_t before) {
  if (!cells.has("use") || cells.text("use").empty()) return RankUse::kPlain;
  const std::string& cell = cells.text("use");
  const auto found = std::find_if(std::begin(kUses), std::end(kUses), [&](const auto& use) { return cell == use.second; });
  if (found == std::end(kUses))
    cells.refuse("use", "'" + cell + "' is not one of: alternating, wrapping, in_place, straggler, in_a_row");
  const RankUse use = found->first;
  if (use == RankUse::kAlternating && before < 2)
    cells.refuse("before", "a case of alternating sizes has two calls before it, or more");
  if (use == RankUse::kInARow && before < 1) cells.refuse("before", "a row of calls has one before the case's own, or more");
  if (use == RankUse::kWrapping && before < 1) cells.refuse("before", "counts begin anew for cases that have calls before them");
  return use;
}

RankReduce contract_of(const Cells& cells, const ContractRow& row) {
  if (row.flow != &rank_reduce_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op adds up ranks");
  return read_rank_reduce(row);
}

int64_t from_zero(const Cells& cells, const std::string& column) {
  const double value = cells.number(column);
  const auto whole = int64_t(value);
  if (double(whole) != value) cells.refuse(column, "'" + cells.text(column) + "' is not a whole number");
  return whole;
}

int64_t or_zero(const Cells& cells, const std::string& column) {
  return cells.has(column) && !cells.text(column).empty() ? from_zero(cells, column) : 0;
}

const Format& numbers_of(const Cells& cells, const RankReduce& contract) {
  const Format* format = find_format(cells.text("x"));
  if (!format || !contract.takes(*format))
    cells.refuse("x", "contract " + contract.row->id + " does not support '" + cells.text("x") + "'; supported: " + contract.row->text("numbers"));
  return *format;
}

/// Moves the tensor into its storage by `shift` elements. The elements before it are unused (NaN in inputs).
HostTensor shifted(HostTensor tensor, int64_t shift) {
  if (shift == 0) return tensor;
  HostTensor moved{tensor.spec, {}};
  moved.spec.storage += shift;
  moved.spec.offset = shift;
  if (tensor.spec.role == Role::kOutput && tensor.bytes.empty()) return moved;  // an input without elements has what lies before it
  moved.bytes.resize(moved.spec.bytes());
  const uint32_t nan = code_of(*tensor.spec.format, std::numeric_limits<double>::quiet_NaN());
  for (int64_t i = 0; i < moved.spec.storage; ++i) moved.set_code(i, i < shift ? nan : tensor.code(i - shift));
  return moved;
}

Problem problem_with(const RankCase& c, const std::string& name, uint64_t seed) {
  Problem made;
  made.ranks = c.ranks;
  for (int rank = 0; rank < c.ranks; ++rank) {
    HostTensor x{dense("x", Role::kInput, *c.x, {c.m, c.n}), {}}, y{dense("y", Role::kOutput, *c.x, {c.m, c.n}), {}};
    fill(x, {.name = name, .seed = seed, .tensor = uint32_t(rank), .rank = rank, .ranks = c.ranks});
    for (HostTensor* tensor : {&x, &y}) {
      *tensor = shifted(std::move(*tensor), c.shift);
      if (tensor == &y && c.use == RankUse::kInPlace) y.spec.shares = "x", y.bytes = made.tensors.back().bytes;
      tensor->spec.rank = rank;
      made.tensors.push_back(std::move(*tensor));
    }
  }
  made.parameters = {{"warp", double(c.warp)}};
  if (c.use == RankUse::kWrapping) made.parameters.emplace_back("counter", kNearlyAll);
  if (c.use == RankUse::kStraggler) made.parameters.emplace_back("straggler", double(c.ranks - 2));
  if (c.use == RankUse::kInARow) made.parameters.emplace_back("in_a_row", 1);
  return made;
}

}  // namespace

const char* name(RankUse use) {
  for (const auto& [known, cell] : kUses)
    if (known == use) return cell;
  return "";
}

RankCase read_rank_case(const Case& c) {
  const Cells cells(c);
  return read_rank_case(cells, cells.contract());
}

RankCase read_rank_case(const Cells& cells, const ContractRow& contract) {
  RankCase p;
  p.contract = contract_of(cells, contract);
  p.ranks = int(cells.positive("ranks"));
  if (!p.contract.takes(p.ranks))
    cells.refuse("ranks",
                 "contract " + p.id() + " does not support " + cells.text("ranks") + " ranks; supported: " + p.contract.row->text("ranks"));
  p.m = from_zero(cells, "m");
  p.n = cells.positive("n");
  p.x = &numbers_of(cells, p.contract);
  if (p.elements() * p.x->bytes() % p.contract.bytes != 0)
    cells.refuse("n", p.id() + " takes multiples of " + std::to_string(p.contract.bytes) + " bytes");
  const RankCodec& codec = p.contract.codec;
  if (codec.keeps_sums() && p.contract.owners.of_bytes > 0 && p.elements() % (codec.group * p.ranks) != 0)
    cells.refuse("n", p.id() + " takes whole groups of " + std::to_string(codec.group) + " numbers on each of " +
                          std::to_string(p.ranks) + " ranks");
  p.fill = cells.fill_name("fill");
  p.shift = or_zero(cells, "shift");
  if (p.shift > 0 && p.contract.bytes > p.x->bytes()) cells.refuse("shift", p.id() + " wants aligned tensors");
  p.before = or_zero(cells, "before");
  p.use = use_of(cells, p.before);
  p.seed = cells.seed();
  p.warp = cells.warp();
  return p;
}

Problem rank_problem(const RankCase& c) {
  Problem made = problem_with(c, c.fill, c.seed);
  if (c.before > 0) made.before.assign(size_t(c.before), problem_with(c, kFillBefore, kSeedBefore + c.seed));
  RankCase longer = c;
  longer.m *= 2;
  for (int64_t i = c.before - 1; i >= 0 && c.use == RankUse::kAlternating; i -= 2)
    made.before[size_t(i)] = problem_with(longer, kFillBefore, kSeedBefore + c.seed);
  return made;
}

std::vector<double> values_of_rank(const std::vector<HostTensor>& tensors, const std::string& role, int rank) {
  Part part{.tensor = role, .format = nullptr, .shape = {}};
  part.rank = rank;
  const HostTensor& tensor = tensor_of(tensors, part);
  std::vector<double> values(size_t(tensor.spec.elements()));
  decode_all(*tensor.spec.format, tensor.bytes.data() + tensor.spec.byte_of(tensor.spec.offset), values);
  return values;
}

RankInputs rank_inputs(const RankCase& c, const Problem& problem) {
  RankInputs inputs;
  for (int rank = 0; rank < c.ranks; ++rank) {
    inputs.x.push_back(values_of_rank(problem.tensors, "x", rank));
    const size_t as_long = c.use == RankUse::kAlternating ? 2 : 1;  // calls back
    if (!problem.before.empty())
      inputs.before.push_back(values_of_rank(problem.before[problem.before.size() - as_long].tensors, "x", rank));
  }
  return inputs;
}

}  // namespace assay
