// Rotary embeddings: contract rows, mutants and accepted intervals.
#include "reference/flow/row.h"

#include <cmath>
#include <tuple>

#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/flow/row_run.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

Link bind_rope(const RowCells& cells, const Format& x) {
  Rope rope;
  rope.row = cells.id();
  rope.interleaved = cells.is_first_of("pairs", "interleaved", "neox");
  rope.first = cells.is_first_of("dims", "first", "last");
  rope.rest = cells.recipe("rest", {{}, {{"x", &x}}, {}});
  const Names names{{}, {{"x", &x}}, {"e", "o", "c", "s"}};
  rope.even = cells.recipe("even", names);
  rope.odd = cells.recipe("odd", names);
  for (const auto& [column, recipe] : {std::pair{"even", &rope.even}, {"odd", &rope.odd}, {"rest", &rope.rest}})
    cells.forbid_reduction(column, *recipe);
  return rope;
}

/// Replaces one quantity by another in the cells even and odd.
void replace_in_both(Link& link, const std::string& from, const std::string& to) {
  Rope& rope = std::get<Rope>(link);
  for (Recipe* cell : {&rope.even, &rope.odd}) replace_quantity(*cell, from, to);
}

/// Exchanges two quantities in the cells even and odd.
void exchange_in_both(Link& link, const std::string& one, const std::string& other) {
  const std::string between = "the other";
  replace_in_both(link, one, between);
  replace_in_both(link, other, one);
  replace_in_both(link, between, other);
}

/// Mutant: rounds each product and each sum to the format of x, as separate operators on 16-bit tensors do.
void in_16_bits(RowEdits& edits) {
  for (const char* column : {"even", "odd"})
    for (const EditedStep& token : edits.steps(column))
      if (token.edited) return;
  EditedRow& row = edits.add_whole("rope: every step rounded to x");
  for (const char* column : {"even", "odd"}) {
    EditedCell& tokens = RowEdits::steps(row, column);
    for (EditedStep& token : tokens)
      token = RowEdits::edited(token.step.slack.fma ? CellStep::made(token.step.word, token.step.argument_texts()) : token.step,
                               token.label);
    tokens.insert(tokens.begin(), RowEdits::edited(CellStep::made(std::string(edits.x().name) + ":"), "f32:"));
  }
}

/// Adds mutants of how elements form pairs and rotate, and of all cells.
void add_edits(RowEdits& edits) {
  edits.constants("pairs");
  edits.constants("dims", EditKind::kPartOfHead);
  edits.flow_edit("turn", "rope: turned the other way", [](Link& link) { replace_in_both(link, "s", kMinusS); });
  edits.flow_edit("turn", "rope: cos and sin exchanged", [](Link& link) { exchange_in_both(link, "c", "s"); });
  edits.flow_edit("turn", "rope: each number is its own partner", [](Link& link) { exchange_in_both(link, "e", "o"); });
  if (edits.row().text("pairs") == "neox" && !edits.is_edited("pairs"))
    edits.flow_edit("turn", "rope: half a head apart", [](Link& link) {
      replace_in_both(link, "o", kOAcross);
      replace_in_both(link, "e", kEAcross);
    }, EditKind::kPartOfHead);
  const auto slip = [&](const std::string& name, const RopeSlip& made) {
    edits.suspect_flow_edit("turn", "rope: " + name, [made](Link& link) { std::get<Rope>(link).slip = made; });
  };
  slip("left out", {.left_out = true});
  slip("cos and sin are 0", {.zero_cos = true, .zero_sin = true});
  slip("cos is 0", {.zero_cos = true});
  slip("sin is 0", {.zero_sin = true});
  for (const int by : {1, -1}) {
    const std::string other = by > 0 ? " of the next pair" : " of the previous pair";
    slip("cos and sin" + other, {.cos = by, .sin = by});
    slip("cos" + other, {.cos = by});
    slip("sin" + other, {.sin = by});
    slip("first number" + other, {.even = by});
    slip("second number" + other, {.odd = by});
    slip("both numbers" + other, {.even = by, .odd = by});
  }
  for (const auto& [column, verb, other] : {std::tuple{"even", "sub", "add"}, {"odd", "add", "sub"}}) {
    const EditedCell& tokens = edits.steps(column);
    for (size_t i = 0; i < tokens.size(); ++i) {
      const CellStep& step = tokens[i].step;
      if (step.word == verb && !tokens[i].edited)
        edits.replace(column, tokens, i, CellStep::made(other, step.argument_texts(), step.slack));
    }
  }
  edits.in_all_cells("rope: to(x) -> to(x,rz)", "to(x)", CellStep::made("to", {"x", "rz"}));
  if (edits.x().bits < kF32.bits) in_16_bits(edits);
}

}  // namespace

const Flow& rope_flow() {
  static const Flow flow{
      .name = "rope",
      .says = "pairs",
      .files = {"rope.csv"},
      .columns = {"pairs", "dims", "cache", "even", "odd", "rest"},
      .link = LinkFlow{
          .steps = {"even", "odd", "rest"},
          .bind = bind_rope,
          .edits = add_edits,
          .inputs = [](const ContractRow&) { return std::vector<std::string>{"cos", "sin"}; },
      },
  };
  return flow;
}

namespace {

using Pairs = std::vector<std::pair<size_t, size_t>>;

/// The even element of each pair, or the odd one.
Spans gather(const Spans& head, const Pairs& pairs, size_t Pairs::value_type::*which) {
  Spans numbers;
  for (const auto& pair : pairs) {
    numbers.low.push_back(head.low[pair.*which]);
    if (!head.pinned()) numbers.high.push_back(head.high[pair.*which]);
  }
  return numbers;
}

/// For the even (or odd) element of each pair, the element half a head away.
Spans partners(const Spans& head, Pairs pairs, size_t Pairs::value_type::*which) {
  for (auto& pair : pairs) pair.*which = (pair.*which + head.size() / 2) % head.size();
  return gather(head, pairs, which);
}

/// The row with all signs changed.
Spans negated(Spans row) {
  for (double& v : row.low) v = -v;
  return row;
}

bool negative(Span span) { return std::signbit(span.low) && std::signbit(span.high); }
bool positive(Span span) { return !std::signbit(span.low) && !std::signbit(span.high); }

/// -1 or 1; 0 if the interval contains numbers of both signs.
int sign_of(Span span) {
  if (span.any() || std::isnan(span.low)) return 0;
  return negative(span) ? -1 : positive(span) ? 1 : 0;
}

}  // namespace

std::vector<std::pair<size_t, size_t>> rope_pairs(const Rope& contract, size_t head, size_t pairs) {
  const size_t first = contract.first ? 0 : head - 2 * pairs;
  Pairs all;
  for (size_t i = 0; i < pairs; ++i) {
    if (contract.interleaved)
      all.emplace_back(first + 2 * i, first + 2 * i + 1);
    else
      all.emplace_back(first + i, first + pairs + i);
  }
  return all;
}

/// CellPlaces of a cell with one value per pair. `even`: the value applies to the even element of the pair. `odd`: it applies
/// to the odd element.
CellPlaces pair_places(Pairs pairs, bool even, bool odd) {
  return [=](size_t column) -> std::optional<size_t> {
    for (size_t i = 0; i < pairs.size(); ++i)
      if ((even && pairs[i].first == column) || (odd && pairs[i].second == column)) return i;
    return {};
  };
}

namespace {

/// For each pair i, the value of pair i + by. Kernels read pairs in vectors whose length is a multiple of 4; what a mistaken
/// read gets past the end of a vector is unknown.
Spans beside(const Spans& numbers, int by) {
  if (by == 0) return numbers;
  constexpr int64_t kVector = 4;
  Spans moved = numbers;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const int64_t at = int64_t(i) % kVector + by, from = int64_t(i) + by;
    moved.set(i, at < 0 || at >= kVector || from >= int64_t(numbers.size()) ? any_number() : numbers[size_t(from)]);
  }
  return moved;
}

}  // namespace

Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener) {
  const Pairs pairs = rope_pairs(contract, head.size(), angles.cos.size());
  const RopeSlip& slip = contract.slip;
  const Spans e = beside(gather(head, pairs, &Pairs::value_type::first), slip.even),
              o = beside(gather(head, pairs, &Pairs::value_type::second), slip.odd);
  const auto all = [&](double value) { return Spans(std::vector<double>(pairs.size(), value)); };
  const Spans c = slip.left_out   ? all(1)
                  : slip.zero_cos ? all(0)
                                  : beside(Spans(angles.cos), slip.cos),
              s = slip.left_out || slip.zero_sin ? all(0) : beside(Spans(angles.sin), slip.sin), minus_s = negated(s);
  Environment environment;
  environment.set("e", e);
  environment.set("o", o);
  environment.set("c", c);
  environment.set("s", s);
  environment.set(kMinusS, minus_s);
  Spans o_across, e_across;
  if (reads(contract.even, kOAcross) || reads(contract.odd, kEAcross)) {
    o_across = partners(head, pairs, &Pairs::value_type::first);
    e_across = partners(head, pairs, &Pairs::value_type::second);
  }
  environment.set(kOAcross, o_across);
  environment.set(kEAcross, e_across);
  if (listener) {
    for (const char* name : {"e", "o", "c", "s"}) {
      const Environment::Value& value = environment.get(name);
      listener->quantity(name, *value.row, pair_places(pairs, true, true));
    }
  }
  Spans even = e, odd = o, result = head;
  run_cell(listener, "even", contract.even, even, environment, [&] { return pair_places(pairs, true, false); });
  run_cell(listener, "odd", contract.odd, odd, environment, [&] { return pair_places(pairs, false, true); });
  run_cell(listener, "rest", contract.rest, result, Environment{}, [&] {
    return [in_pairs = pair_places(pairs, true, true)](size_t column) {
      return in_pairs(column) ? std::nullopt : std::optional(column);
    };
  });
  for (size_t i = 0; i < pairs.size(); ++i) {
    result.set(pairs[i].first, even[i]);
    result.set(pairs[i].second, odd[i]);
  }
  return result;
}

void run(const Rope& link, RowRun& row) {
  row.values = rope_outputs(link, row.values, {row.inputs.cos, row.inputs.sin}, row.listener);
}

std::vector<bool> rises_with_head(const Rope& contract, const Spans& head, const Angles& angles) {
  std::vector<bool> rises(head.size(), true);
  const Pairs pairs = rope_pairs(contract, head.size(), angles.cos.size());
  for (size_t i = 0; i < pairs.size(); ++i) {
    const auto [e, o] = pairs[i];
    const int signs = sign_of(head[e]) * sign_of(head[o]);
    const int turn = sign_of(point(angles.cos[i])) * sign_of(point(angles.sin[i]));
    rises[e] = signs * turn < 0;  // e cos - o sin
    rises[o] = signs * turn > 0;  // o cos + e sin
  }
  return rises;
}

}  // namespace assay
