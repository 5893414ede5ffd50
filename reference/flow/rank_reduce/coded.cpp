// Numbers and sums that go through a codec.
#include <algorithm>
#include <cmath>

#include "reference/flow/rank_reduce/reduce.h"
#include "reference/recipe/eval.h"

namespace assay {

/// The number that makes the scale of a group; NaN is no number of it.
double RankSums::extreme(const std::vector<double>& numbers, size_t first) const {
  double low = std::nan(""), high = low;
  for (int64_t i = 0; i < contract_.codec.group; ++i) {
    const double v = numbers[first + size_t(i * contract_.codec.apart)];
    if (std::isnan(v)) continue;
    low = std::isnan(low) ? v : lesser(low, v);
    high = std::isnan(high) ? v : greater(high, v);
  }
  if (contract_.codec.signed_extreme) return -low >= high ? low : high;
  return std::max(std::fabs(low), std::fabs(high));
}

/// One pass of the codec over whole groups: what a reader of the codes has.
Spans RankSums::coded(Spans numbers) const {
  const auto apart = size_t(contract_.codec.apart), block = size_t(contract_.codec.group) * apart;
  Spans scale;
  for (size_t i = 0; i < numbers.size(); i += block)
    for (size_t lane = 0; lane < apart; ++lane) scale.low.push_back(extreme(numbers.low, i + lane));
  evaluate(scale_, scale, {});
  Spans mult = scale;
  evaluate(mult_, mult, {});
  Spans scales(std::vector<double>(numbers.size())), mults = scales;
  for (size_t i = 0; i < numbers.size(); ++i) {
    const size_t group = i / block * apart + i % apart;
    scales.low[i] = scale.low[group];
    mults.low[i] = mult.low[group];
  }
  Environment environment;
  environment.set("e", mults);
  evaluate(code_, numbers, environment);
  Environment reader;
  reader.set("d", scales);
  evaluate(decode_, numbers, reader);
  return numbers;
}

/// Numbers from `first` on, as many as `count`; beyond the message zeros.
RankNumbers RankSums::whole_groups(const RankNumbers& from, int64_t first, int64_t count) const {
  RankNumbers all;
  for (const std::vector<double>& x : from) {
    std::vector<double>& part = all.emplace_back(size_t(count), 0.0);
    std::copy(x.begin() + std::ptrdiff_t(first), x.begin() + std::ptrdiff_t(std::min<int64_t>(first + count, int64_t(x.size()))),
              part.begin());
  }
  return all;
}

/// Results of the groups that hold these elements.
Spans RankSums::coded_results(int rank, int64_t first, int64_t count) const {
  const int64_t block = contract_.codec.group * contract_.codec.apart, begin = first / block * block;
  const int64_t end = (first + count + block - 1) / block * block;
  RankNumbers mixed = whole_groups(inputs_.x, begin, end - begin);
  if (mistake_.stale >= 0 && !inputs_.before.empty())
    mixed[size_t(mistake_.stale)] = whole_groups(inputs_.before, begin, end - begin)[size_t(mistake_.stale)];
  RankSums plain(*this);
  plain.mistake_.stale = -1;
  Spans sums = plain.chain(plain.terms(mixed, order_from(0, rank), 0, end - begin));
  const Spans uncoded = sums;
  if (!mistake_.sum_uncoded) sums = coded(std::move(sums));
  if (mistake_.owner_uncoded)
    for (const RankSegment& segment : segments_)
      for (int64_t i = std::max(begin, segment.first); i < std::min(end, segment.end) && segment.owner == rank; ++i)
        sums.low[size_t(i - begin)] = uncoded.low[size_t(i - begin)];
  const auto from = sums.low.begin() + std::ptrdiff_t(first - begin);
  return Spans(std::vector<double>(from, from + std::ptrdiff_t(count)));
}

}  // namespace assay
