// What each rank returns: sums, segment by segment where owners make them.
#include <algorithm>

#include "reference/flow/rank_reduce/reduce.h"

namespace assay {

bool RankSums::same_for_all() const {
  const bool keeps = contract_.codec.keeps_sums() && contract_.codec.of_sums;
  const bool divides = contract_.result && !is_result(ResultStep::kNextSegment);
  return contract_.order != RankOrder::kFromReader && !keeps && !divides;
}

Spans RankSums::by_owner(const RankNumbers& from, int owner, int rank, int64_t first, int64_t count) const {
  const Sources numbers = sources(from);
  const auto from_owner = [&](int o) { return terms(numbers, order_from(o, rank), first, count); };
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

/// Of elements begin .. end - 1, which lie in that segment.
Spans RankSums::segment_results(const RankSegment& segment, int rank, int64_t begin, int64_t end) const {
  const int64_t packet = (contract_.owners.of_bytes > 0 ? contract_.owners.of_bytes : kUsualPacket) / x_.bytes();
  const int size = inputs_.world_size();
  const int64_t part = inputs_.elements() / packet / size * packet;
  const auto sums = [&](const RankNumbers& from, int owner, int64_t first, int64_t last) {
    return by_owner(from, owner, rank, first, last - first);
  };
  if (is_result(ResultStep::kOthersBefore) && segment.owner != rank && !inputs_.before.empty())
    return sums(inputs_.before, segment.owner, begin, end);
  if (is_result(ResultStep::kOwnRest)) {
    const int64_t rest = std::clamp(part * size, begin, end);
    Spans all = sums(inputs_.x, segment.owner, begin, rest);
    append(all, own(rank, rest, end - rest));
    return all;
  }
  if (is_result(ResultStep::kNextSegment) && part > 0) {
    const int next = (segment.owner + 1) % size;
    const int64_t moved = next * part - segment.owner * part, inside = std::clamp(segment.first + part, begin, end);
    Spans all = sums(inputs_.x, next, begin + moved, inside + moved);
    append(all, sums(inputs_.x, segment.owner, inside, end));
    return all;
  }
  return sums(inputs_.x, segment.owner, begin, end);
}

Spans RankSums::results(int rank, int64_t first, int64_t count) const {
  if (is_result(ResultStep::kOwnNumbers) && contract_.result->rank == rank) return own(rank, first, count);
  if (contract_.codec.group > 0 && count > 0) return coded_results(rank, first, count);
  if (segments_.empty()) return by_owner(inputs_.x, 0, rank, first, count);
  Spans all;
  for (const RankSegment& segment : segments_) {
    const int64_t begin = std::max(first, segment.first), end = std::min(first + count, segment.end);
    if (begin < end) append(all, segment_results(segment, rank, begin, end));
  }
  return all;
}

}  // namespace assay
