#include "suites/qk_norm_rope/head_case.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/near.h"
#include "suites/rows/row_expectation.h"
#include "suites/rows/row_tensors.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// A case of the ops that normalize and rotate heads: qk_norm_rope, q_norm_rope.

const Format& half_format(const Cells& cells, const char* column) {
  const Format* format = find_format(cells.text(column));
  if (!format || (!(*format == kBf16) && !(*format == kF16)))
    cells.refuse(column, "'" + cells.text(column) + "' is not one of: bf16, f16");
  return *format;
}

/// The format of cos_sin_cache, which must be in the contract's list, such as "x|f32".
const Format& cache_format(const Cells& cells, const Format& x, const std::string& row) {
  const std::string& cell = cells.text("cache");
  const std::string own = cell == x.name ? "x" : cell, allowed = rulebook().contracts.find(row).text("cache");
  if (("|" + allowed + "|").find("|" + own + "|") == std::string::npos)
    cells.refuse("cache", "contract " + row + " requires a cache of " + allowed + ", not " + cell);
  return *find_format(cell);
}

enum Stream : uint32_t { kQkv, kQWeight, kKWeight, kCache, kPositions };

HostTensor weight(const HeadCase& p, const char* name, Stream stream) {
  HostTensor tensor{dense(name, Role::kInput, *p.x, {p.n}), {}};
  fill(tensor, {.name = p.gamma, .seed = p.seed, .group_size = 0, .q = p.x, .tensor = stream});
  return tensor;
}

std::vector<int64_t> positions_of(const HeadCase& p) {
  const Random random(p.seed, kPositions);
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < p.m; ++i) {
    const int64_t anywhere = random.below(p.max_position, p.positions == Positions::kRepeated ? i / 3 : i);
    positions.push_back(p.positions == Positions::kAscending ? i % p.max_position : anywhere);
  }
  if (p.positions == Positions::kScattered && p.m > 0) positions.back() = p.max_position - 1;
  return positions;
}

}  // namespace

const char* name(Positions positions) {
  switch (positions) {
    case Positions::kAscending:
      return "ascending";
    case Positions::kScattered:
      return "scattered";
    case Positions::kRepeated:
      break;
  }
  return "repeated";
}

static Positions read_positions(const Cells& cells) {
  for (const Positions kind : {Positions::kAscending, Positions::kScattered, Positions::kRepeated})
    if (cells.text("positions") == name(kind)) return kind;
  cells.refuse("positions", "'" + cells.text("positions") + "' is not one of: ascending, scattered, repeated");
}

HeadCase read_head_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& contract = cells.contract();
  const std::shared_ptr<const Contract> bound = bound_contract(contract.id, half_format(cells, "x"));
  if (!bound->rope()) cells.refuse("contract", "'" + contract.id + "' is not a chain of row_norm and rope");
  const Format& cache = cache_format(cells, half_format(cells, "x"), bound->rope()->row);
  return read_head_case(cells, contract,
                        {cells.positive("n"), cells.positive("rotary"), &cache, cells.positive("max_position"),
                         read_positions(cells), cells.fill_name("fill")});
}

HeadCase read_head_case(const Cells& cells, const ContractRow& row, const HeadLayout& layout) {
  HeadCase p;
  p.contract = row.id;
  p.x = &half_format(cells, "x");
  p.bound = bound_contract(p.contract, *p.x);
  const Contract& contract = *p.bound;
  if (!contract.row_norm() || !contract.rope() || contract.links.size() != 2 || contract.row_norm()->adds())
    cells.refuse("contract", "'" + p.contract + "' is not a chain of row_norm and rope");
  const bool weighted = takes(rulebook().contracts, row, "gamma");
  if (weighted != cells.has("gamma"))
    cells.refuse("contract", "'" + p.contract + (weighted ? "' has weights" : "' has no weights") + "; use another op");
  p.m = cells.from_zero("m");
  p.q_heads = cells.positive("q_heads");
  if (cells.has("k_heads")) p.k_heads = cells.positive("k_heads");
  if (cells.has("v_heads")) p.v_heads = cells.positive("v_heads");
  if (cells.has("padded_heads")) p.padded_heads = cells.positive("padded_heads");
  if (!p.in_place() && p.padded_heads < p.q_heads)
    cells.refuse("padded_heads", fmt::format("expected at least q_heads = {}, got {}", p.q_heads, p.padded_heads));
  p.n = layout.n;
  p.rotary = layout.rotary;
  if (p.rotary > p.n || p.rotary % 2 != 0)
    cells.refuse("rotary", fmt::format("expected an even number up to n = {}, got {}", p.n, p.rotary));
  p.cache = layout.cache;
  p.max_position = layout.max_position;
  p.eps = cells.number("eps");
  p.positions = layout.positions;
  p.fill = layout.fill;
  if (cells.has("gamma")) p.gamma = cells.fill_name("gamma");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

CaseName head_name(const Case& c, const HeadCase& p) {
  const std::string heads = p.in_place() ? fmt::format("q{}.k{}.v{}", p.q_heads, p.k_heads, p.v_heads)
                                         : fmt::format("q{}.pad{}", p.q_heads, p.padded_heads);
  return {c.op, p.contract,
          fmt::format("{}.m{}.{}.n{}.r{}.{}.p{}.eps{}", p.x->name, p.m, heads, p.n, p.rotary, p.cache->name, p.max_position,
                      c.text("eps")),
          fmt::format("{}{}.{}.s{}", p.fill, p.gamma.empty() ? "" : "." + p.gamma, name(p.positions), p.seed), p.warp};
}

HostTensor heads_of(const HeadCase& p, const char* name, Role role) {
  HostTensor rows{dense(name, role, *p.x, {p.m * p.heads(), p.n}), {}};
  fill(rows, {.name = p.fill, .seed = p.seed, .group_size = 0, .q = p.x, .tensor = kQkv});
  return {dense(name, role, *p.x, {p.m, p.columns()}), std::move(rows.bytes)};
}

HostTensor q_out_of(const HeadCase& p) { return {dense("q_out", Role::kOutput, *p.x, {p.m, p.padded_heads * p.n}), {}}; }

Problem head_problem(const HeadCase& p) {
  Problem problem;
  problem.tensors.push_back(heads_of(p, p.in_place() ? "qkv" : "q", p.in_place() ? Role::kOutput : Role::kInput));
  if (p.in_place()) {
    problem.tensors.push_back(weight(p, "q_weight", kQWeight));
    problem.tensors.push_back(weight(p, "k_weight", kKWeight));
  }
  problem.tensors.push_back(unit_circle_cache(*p.cache, p.max_position, p.rotary, p.seed, kCache));
  problem.tensors.push_back(input_int64("positions", positions_of(p)));
  if (!p.in_place()) problem.tensors.push_back(q_out_of(p));
  problem.parameters = {{"q_heads", double(p.q_heads)}, {"eps", p.eps}, {"warp", double(p.warp)}};
  if (p.in_place()) {
    problem.parameters.emplace_back("k_heads", double(p.k_heads));
    problem.parameters.emplace_back("v_heads", double(p.v_heads));
  }
  return problem;
}

namespace {

// The accepted outputs of a case of heads, and its mutants.

const HostTensor& heads_in(const HeadCase& c, const Problem& problem) {
  return find(problem.tensors, c.in_place() ? "qkv" : "q");
}

std::vector<double> numbers(const HostTensor& tensor, int64_t first, int64_t count) {
  std::vector<double> values(size_t(count), 0.0);
  const Format& format = *tensor.spec.format;
  decode_all(format, tensor.bytes.data() + first * format.bytes(), values);
  return values;
}

/// Whether a kernel that reads like this normalizes and rotates the head.
bool is_rotated(const HeadCase& c, const HeadReading& reading, int64_t head) {
  return head < c.q_heads + c.k_heads || reading.v_as_k;
}

void append(Spans& row, const Spans& head) {
  if (!head.pinned()) row.widen();
  row.low.insert(row.low.end(), head.low.begin(), head.low.end());
  const std::vector<double>& high = head.pinned() ? head.low : head.high;
  if (!row.pinned() || !head.pinned()) row.high.insert(row.high.end(), high.begin(), high.end());
}

/// Requires zeros in the heads of q_out after the heads of Q.
void pad_heads(Part& q_out, const HeadCase& c) {
  const int64_t pitch = c.padded_heads * c.n;
  q_out.places = Places::of_rows([pitch](int64_t token) { return token * pitch; });
  q_out.padding = [tokens = c.m, columns = c.columns(), pitch](const std::function<void(const Padding&)>& visit) {
    for (int64_t token = 0; token < tokens; ++token)
      for (int64_t column = columns; column < pitch; ++column)
        visit({token * pitch + column, {token, column}, PaddingRule::kZero});
  };
}

/// Computes the accepted codes, token by token.
struct Tokens {
  const Contract contract;
  const HeadCase c;
  const Problem& problem;
  const std::vector<HostTensor>* outputs;
  const HeadReading reading;

  const char* tensor() const { return c.in_place() ? "qkv" : "q_out"; }

  Spans head(int64_t token, int64_t head, const Part& part, AcceptedBlock& block) const {
    const RowInputs inputs = inputs_of_head(c, problem, reading, token, head);
    if (!is_rotated(c, reading, head)) return Spans(inputs.x);
    const int64_t pitch = c.in_place() ? c.columns() : c.padded_heads * c.n;
    StoredRow stored;
    if (outputs) stored.y = numbers(find(*outputs, tensor()), token * pitch + head * c.n, c.n);
    RowOutputs answer = evaluate_row(contract, inputs, outputs ? &stored : nullptr, *c.x);
    for (const std::string& violation : answer.joint_violations)
      block.violations.push_back({"one r for a head",
                                  "token " + std::to_string(token) + ", head " + std::to_string(head) + ": " + violation, token,
                                  {{part.label(), token, head * c.n}}});
    return std::move(answer.y);
  }

  AcceptedBlock accepted(const Part& part, int64_t first, int64_t end) const {
    AcceptedBlock block;
    Accepted rows(part, first, end);
    for (int64_t token = first; token < end; ++token) {
      Spans row;
      for (int64_t h = 0; h < c.heads(); ++h) append(row, head(token, h, part, block));
      rows.put(token, std::move(row));
    }
    block.parts.push_back(std::move(rows).finish());
    return block;
  }
};

}  // namespace

RowInputs inputs_of_head(const HeadCase& c, const Problem& problem, const HeadReading& reading, int64_t token, int64_t head) {
  RowInputs inputs{numbers(heads_in(c, problem), token * c.columns() + head * c.n, c.n), {}, c.eps};
  const bool of_q = (head < c.q_heads || reading.q_weight_alone) && !reading.k_weight_alone;
  if (c.in_place()) inputs.gamma = numbers(find(problem.tensors, of_q ? "q_weight" : "k_weight"), 0, c.n);
  Angles angles = angles_of_token(problem, reading.angles, token);
  for (std::vector<double>* values : {&angles.cos, &angles.sin}) {
    if (reading.angles_in != nullptr)
      for (double& v : *values) v = round_to(*reading.angles_in, v, Rounding::kNearestEven, Overflow::kSpecial);
    if (!reading.whole_head) continue;
    const size_t pairs = values->size();
    for (size_t i = pairs; i < size_t(c.n) / 2; ++i) values->push_back((*values)[i % pairs]);
  }
  inputs.cos = std::move(angles.cos), inputs.sin = std::move(angles.sin);
  return inputs;
}

Expectation expect_heads(const Contract& contract, const HeadCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const HeadReading& reading) {
  const auto tokens = std::make_shared<const Tokens>(Tokens{contract, c, problem, outputs, reading});
  Part part{tokens->tensor(),
            c.x,
            {c.m, c.columns()},
            c.m > 0 ? reason_of(contract, inputs_of_head(c, problem, reading, 0, 0), *c.x) : ""};
  if (!c.in_place()) pad_heads(part, c);
  return {{Answer{"", {part}, c.m, [tokens, part](int64_t first, int64_t end) { return tokens->accepted(part, first, end); }}}};
}

}  // namespace assay
