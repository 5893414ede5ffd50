#include "reference/flow/rope/rope.h"

#include <cmath>

#include "reference/flow/row_run.h"

namespace assay {
namespace {

using Pairs = std::vector<std::pair<size_t, size_t>>;

/// One number of each pair.
Spans gather(const Spans& head, const Pairs& pairs, size_t Pairs::value_type::*which) {
  Spans numbers;
  for (const auto& pair : pairs) {
    numbers.low.push_back(head.low[pair.*which]);
    if (!head.pinned()) numbers.high.push_back(head.high[pair.*which]);
  }
  return numbers;
}

/// The numbers half a head away from one number of each pair.
Spans partners(const Spans& head, Pairs pairs, size_t Pairs::value_type::*which) {
  for (auto& pair : pairs) pair.*which = (pair.*which + head.size() / 2) % head.size();
  return gather(head, pairs, which);
}

/// The same row with the other signs.
Spans negated(Spans row) {
  for (double& v : row.low) v = -v;
  return row;
}

bool negative(Span span) { return std::signbit(span.low) && std::signbit(span.high); }
bool positive(Span span) { return !std::signbit(span.low) && !std::signbit(span.high); }

/// -1, 1, or 0 if both signs are in it.
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

/// Where the numbers of pairs stand: those of the even ones, of the odd ones, of both.
CellPlaces pair_places(Pairs pairs, bool even, bool odd) {
  return [=](size_t column) -> std::optional<size_t> {
    for (size_t i = 0; i < pairs.size(); ++i)
      if ((even && pairs[i].first == column) || (odd && pairs[i].second == column)) return i;
    return {};
  };
}

Spans rope_outputs(const Rope& contract, const Spans& head, const Angles& angles, RowListener* listener) {
  const Pairs pairs = rope_pairs(contract, head.size(), angles.cos.size());
  const Spans e = gather(head, pairs, &Pairs::value_type::first), o = gather(head, pairs, &Pairs::value_type::second);
  const Spans c(angles.cos), s(angles.sin), minus_s = negated(s);
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
    rises[e] = signs * turn < 0;  // e c - o s
    rises[o] = signs * turn > 0;  // o c + e s
  }
  return rises;
}

}  // namespace assay
