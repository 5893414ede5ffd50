#include "reference/flow/rank_reduce/reduce.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "reference/recipe/eval.h"

namespace assay {
namespace {

/// What either may be. NaN of one of them alone leaves anything.
Span hull(Span a, Span b) {
  const auto has_nan = [](Span s) { return std::isnan(s.low) || std::isnan(s.high); };
  const auto is_nan = [](Span s) { return std::isnan(s.low) && std::isnan(s.high); };
  if (is_nan(a) && is_nan(b)) return a;
  if (has_nan(a) || has_nan(b)) return any_number();
  return {lesser(a.low, b.low), greater(a.high, b.high)};
}

void include(Spans& all, const Spans& other) {
  all.widen();
  for (size_t i = 0; i < all.size(); ++i) {
    const Span next = other[i];
    if (all.low[i] < next.low && next.high < all.high[i]) continue;  // most: no NaN is less or greater
    const Span both = hull({all.low[i], all.high[i]}, next);
    all.low[i] = both.low;
    all.high[i] = both.high;
  }
}

}  // namespace

void append(Spans& all, Spans more) {
  if (!more.pinned()) all.widen();
  if (!all.pinned()) more.widen();
  all.low.insert(all.low.end(), more.low.begin(), more.low.end());
  all.high.insert(all.high.end(), more.high.begin(), more.high.end());
}

RankSums::RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs, const RankMistake& mistake)
    : contract_(contract),
      x_(x),
      inputs_(inputs),
      mistake_(mistake),
      wire_(rank_recipe(contract.wire, x)),
      add_(rank_recipe(contract.add, x)),
      y_(rank_recipe(contract.y, x)),
      scale_(rank_recipe(contract.codec.scale, x)),
      mult_(rank_recipe(contract.codec.mult, x)),
      code_(rank_recipe(contract.codec.code, x)),
      decode_(rank_recipe(contract.codec.decode, x)) {
  const bool by_segments =
      mistake.next_segment || mistake.segments_before || mistake.rest_left || mistake.owner_uncoded || contract.codec.owner_keeps;
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
  const auto place = [&](int wanted) { return std::find(order.begin(), order.end(), wanted); };
  if (mistake_.lost >= 0) order.erase(place(mistake_.lost));
  if (mistake_.twice >= 0) order.insert(place(mistake_.twice), mistake_.twice);
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

/// What is added, in its order, each as it is on the wire; of a sum from zero the first of them was added to +0.
std::vector<Spans> RankSums::terms(const RankNumbers& from, const std::vector<int>& order, int64_t first, int64_t count) const {
  std::vector<Spans> terms;
  for (const int rank : order) {
    const RankNumbers& numbers = rank == mistake_.stale && !inputs_.before.empty() ? inputs_.before : from;
    const auto begin = numbers[size_t(rank)].begin() + std::ptrdiff_t(first);
    Spans term(std::vector<double>(begin, begin + std::ptrdiff_t(count)));
    evaluate(wire_, term, {});
    if (contract_.wire_of_words && x_.bytes() == 2) keep_beside_others(term, numbers[size_t(rank)], first);
    const bool codes = contract_.codec.group > 0 && contract_.codec.of_numbers && !mistake_.first_uncoded;
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

Spans RankSums::by_owner(const RankNumbers& from, int owner, int rank, int64_t first, int64_t count) const {
  const auto from_owner = [&](int o) { return terms(from, order_from(o, rank), first, count); };
  if (contract_.order == RankOrder::kAnyTree) return tree(from_owner(0));
  if (!contract_.has_owners() || !contract_.owners.any) return chain(from_owner(owner));
  Spans all = chain(from_owner(0));
  for (int other = 1; other < inputs_.world_size(); ++other) include(all, chain(from_owner(other)));
  return all;
}

Spans RankSums::own(int rank, int64_t first, int64_t count) const {
  const auto begin = inputs_.x[size_t(rank)].begin() + std::ptrdiff_t(first);
  return Spans(std::vector<double>(begin, begin + std::ptrdiff_t(count)));
}

Spans RankSums::results(int rank, int64_t first, int64_t count) const {
  if (contract_.codec.group > 0 && mistake_.misses != rank && count > 0) return coded_results(rank, first, count);
  if (mistake_.misses == rank) return own(rank, first, count);
  if (segments_.empty()) return by_owner(inputs_.x, 0, rank, first, count);
  const int64_t packet = (contract_.owners.of_bytes > 0 ? contract_.owners.of_bytes : kUsualPacket) / x_.bytes();
  const int64_t part = inputs_.elements() / packet / inputs_.world_size() * packet;
  Spans all;
  for (const RankSegment& segment : segments_) {
    const int64_t begin = std::max(first, segment.first), end = std::min(first + count, segment.end);
    if (begin >= end) continue;
    if (mistake_.segments_before && segment.owner != rank && !inputs_.before.empty()) {
      append(all, by_owner(inputs_.before, segment.owner, rank, begin, end - begin));
    } else if (mistake_.rest_left) {
      const int64_t rest = std::clamp(part * inputs_.world_size(), begin, end);
      append(all, by_owner(inputs_.x, segment.owner, rank, begin, rest - begin));
      append(all, own(rank, rest, end - rest));
    } else if (mistake_.next_segment && part > 0) {
      const int size = inputs_.world_size(), next = (segment.owner + 1) % size;
      const int64_t moved = next * part - segment.owner * part;
      const int64_t inside = std::clamp(segment.first + part, begin, end);
      append(all, by_owner(inputs_.x, next, rank, begin + moved, inside - begin));
      append(all, by_owner(inputs_.x, segment.owner, rank, inside, end - inside));
    } else {
      append(all, by_owner(inputs_.x, segment.owner, rank, begin, end - begin));
    }
  }
  return all;
}

}  // namespace assay
