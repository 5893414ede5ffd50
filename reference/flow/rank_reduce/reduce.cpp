#include "reference/flow/rank_reduce/reduce.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "reference/recipe/eval.h"
#include "reference/recipe/fused.h"

namespace assay {

void include(Spans& all, const Spans& other) {
  all.widen();
  for (size_t i = 0; i < all.size(); ++i) {
    const Span next = other[i];
    if (all.low[i] < next.low && next.high < all.high[i]) continue;  // most: no NaN is less or greater
    const Span both = either({all.low[i], all.high[i]}, next);
    all.low[i] = both.low;
    all.high[i] = both.high;
  }
}

void append(Spans& all, Spans more) {
  if (!more.pinned()) all.widen();
  if (!all.pinned()) more.widen();
  all.low.insert(all.low.end(), more.low.begin(), more.low.end());
  all.high.insert(all.high.end(), more.high.begin(), more.high.end());
}

RankSums::RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs)
    : contract_(contract),
      x_(x),
      inputs_(inputs),
      wire_(rank_recipe(contract.wire, x)),
      add_(rank_recipe(contract.add, x)),
      y_(rank_recipe(contract.y, x)),
      scale_(rank_recipe(contract.codec.scale, x)),
      mult_(rank_recipe(contract.codec.mult, x)),
      code_(rank_recipe(contract.codec.code, x)),
      decode_(rank_recipe(contract.codec.decode, x)) {
  const bool by_segments = (contract.result && !is_result(ResultStep::kOwnNumbers)) || contract.codec.keeps_sums();
  RankOwners owners = contract.owners;
  if (by_segments && owners.of_bytes == 0 && owners.stripe == 0)
    owners.of_bytes = contract.codec.group > 0 ? contract.codec.group * contract.codec.apart * x.bytes() : kUsualPacket;
  if ((owners.of_bytes > 0 || owners.stripe > 0) && (contract.has_owners() || by_segments))
    segments_ = rank_segments(owners, x, inputs.elements(), inputs.world_size());
}

std::vector<int> RankSums::order_from(int owner, int rank) const {
  const int size = inputs_.world_size();
  std::vector<int> order;
  for (int i = 0; i < size; ++i) switch (contract_.order) {
      case RankOrder::kFromOwner:
        order.push_back((owner + i) % size);
        break;
      case RankOrder::kBehindOwner:
        order.push_back((owner + 1 + i) % size);
        break;
      case RankOrder::kDescending:
        order.push_back(size - 1 - i);
        break;
      case RankOrder::kFromReader:
        order.push_back((rank + i) % size);
        break;
      default:
        order.push_back(i);
    }
  for (const TermStep& step : contract_.terms) {
    const auto place = std::find(order.begin(), order.end(), step.rank);
    if (step.kind == TermStep::kDrop) order.erase(place);
    if (step.kind == TermStep::kRepeat) order.insert(place, step.rank);
  }
  return order;
}

/// Of numbers of 16 bits, what is sent as it is: all but the first of two that are +0 and share a word of 32 bits.
void RankSums::keep_beside_others(Spans& sent, const std::vector<double>& numbers, int64_t first) const {
  const auto is_plus_zero = [&](size_t at) { return numbers[at] == 0 && !std::signbit(numbers[at]); };
  for (size_t i = 0; i < sent.size(); ++i) {
    const size_t at = size_t(first) + i;
    const bool rewritten = at % 2 == 0 && is_plus_zero(at) && is_plus_zero(at + 1);
    if (!rewritten) sent.set(i, {numbers[at], numbers[at]});
  }
}

RankSums::Sources RankSums::sources(const RankNumbers& of_call) const {
  Sources all;
  for (const std::vector<double>& numbers : of_call) all.push_back(&numbers);
  for (const TermStep& step : contract_.terms)
    if (step.kind == TermStep::kRecall && !inputs_.before.empty()) all[size_t(step.rank)] = &inputs_.before[size_t(step.rank)];
  return all;
}

/// What is added, in its order, each as it is on the wire; of a sum from zero the first of them was added to +0.
std::vector<Spans> RankSums::terms(const Sources& from, const std::vector<int>& order, int64_t first, int64_t count) const {
  std::vector<Spans> terms;
  for (const int rank : order) {
    const auto begin = from[size_t(rank)]->begin() + std::ptrdiff_t(first);
    Spans term(std::vector<double>(begin, begin + std::ptrdiff_t(count)));
    evaluate(wire_, term, {});
    if (contract_.wire_of_words && x_.bytes() == 2) keep_beside_others(term, *from[size_t(rank)], first);
    const bool codes = contract_.codec.group > 0 && contract_.codec.of_numbers;
    terms.push_back(codes ? coded(std::move(term)) : std::move(term));
  }
  terms.front() = begun(std::move(terms.front()));
  return terms;
}

/// The first sum of a chain.
Spans RankSums::begun(Spans first) const {
  if (!contract_.from_zero) return first;
  Spans zero(std::vector<double>(first.size(), 0.0));
  add(zero, first);
  return zero;
}

void RankSums::add(Spans& sum, const Spans& next) const {
  Environment environment;
  environment.set("v", next);
  evaluate(add_, sum, environment);
}

Spans RankSums::chain(std::vector<Spans> terms) const {
  Spans sums = chain_of_sums(std::move(terms));
  evaluate(y_, sums, {});
  return sums;
}

/// Each chunk of terms as one, a chain of its own. The first of all terms was begun already.
std::vector<Spans> RankSums::sums_of_chunks(std::vector<Spans> terms) const {
  std::vector<Spans> sums;
  for (size_t i = 0; i < terms.size(); ++i) {
    if (i % size_t(contract_.chunk) == 0)
      sums.push_back(i == 0 ? std::move(terms[i]) : begun(std::move(terms[i])));
    else
      add(sums.back(), terms[i]);
  }
  sums.front() = begun(std::move(sums.front()));
  return sums;
}

/// One chain of additions, of chunks, or pairs of pairs.
Spans RankSums::chain_of_sums(std::vector<Spans> terms) const {
  const bool pairs = contract_.order == RankOrder::kPairs;
  if (contract_.order == RankOrder::kChunks) terms = sums_of_chunks(std::move(terms));
  while (terms.size() > 1) {
    std::vector<Spans> sums;
    for (size_t i = 0; i < terms.size(); ++i) {
      const bool begins = pairs ? i % 2 == 0 : i == 0;
      if (begins)
        sums.push_back(std::move(terms[i]));
      else
        add(sums.back(), terms[i]);
    }
    terms = std::move(sums);
  }
  return std::move(terms.front());
}

/// What some tree of additions makes: additions round monotonically, so the least sum of a set of ranks is that of the least sums
/// of some two parts of it, and likewise the greatest.
Spans RankSums::tree(std::vector<Spans> terms) const {
  std::vector<Spans> of_set(size_t(1) << terms.size());
  for (size_t set = 1; set < of_set.size(); ++set) {
    if ((set & (set - 1)) == 0) {
      of_set[set] = std::move(terms[size_t(std::countr_zero(set))]);
      continue;
    }
    const size_t lowest = set & (~set + 1);
    for (size_t part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      if (!(part & lowest)) continue;  // the other half of each cut
      Spans sum = of_set[part];
      add(sum, of_set[set & ~part]);
      if (of_set[set].size() == 0)
        of_set[set] = std::move(sum);
      else
        include(of_set[set], sum);
    }
  }
  Spans all = std::move(of_set.back());
  evaluate(y_, all, {});
  return all;
}

}  // namespace assay
