// Numbers and sums that go through a codec.
#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "reference/flow/rank_reduce/reduce.h"
#include "reference/recipe/eval.h"

namespace assay {
namespace {

/// The lesser and the greater of two numbers; -0 is less than +0.
double lesser(double a, double b) { return a < b || (a == b && std::signbit(a)) ? a : b; }
double greater(double a, double b) { return a > b || (a == b && std::signbit(b)) ? a : b; }

/// What the magnitude of a number may be.
Span magnitude_of(Span v) {
  const double low = std::fabs(v.low), high = std::fabs(v.high);
  if (v.low <= 0 && v.high >= 0) return {0.0, std::max(low, high)};
  return {std::min(low, high), std::max(low, high)};
}

}  // namespace

/// The number that makes the scale of a group; NaN is no number of it.
Span RankSums::extreme(const Spans& numbers, size_t first) const {
  const bool with_sign = contract_.codec.signed_extreme;
  if (with_sign && !numbers.pinned()) throw std::logic_error("extremes with their sign are of pinned numbers");
  const double nan = std::nan("");
  double low = nan, high = nan;
  Span widest{nan, nan};
  for (int64_t i = 0; i < contract_.codec.group; ++i) {
    const Span v = numbers[first + size_t(i * contract_.codec.apart)];
    if (v.any()) return any_number();
    if (std::isnan(v.low)) continue;
    low = std::isnan(low) ? v.low : lesser(low, v.low);
    high = std::isnan(high) ? v.high : greater(high, v.high);
    const Span magnitude = magnitude_of(v);
    widest =
        std::isnan(widest.low) ? magnitude : Span{std::max(widest.low, magnitude.low), std::max(widest.high, magnitude.high)};
  }
  return with_sign ? point(-low >= high ? low : high) : widest;
}

/// One pass of the codec over whole groups: what a reader of the codes has.
Spans RankSums::coded(Spans numbers) const {
  const auto apart = size_t(contract_.codec.apart), block = size_t(contract_.codec.group) * apart;
  const size_t groups = numbers.size() / block * apart;
  Spans extremes(std::vector<double>(groups, 0.0));
  for (size_t group = 0; group < groups; ++group) extremes.set(group, extreme(numbers, group / apart * block + group % apart));
  Spans scale = extremes;
  evaluate(scale_, scale, {});
  Spans mult = mult_.start == "m" ? extremes : scale;
  evaluate(mult_, mult, {});
  const auto ends_of_numbers = [&](const std::vector<double>& of_groups) {
    std::vector<double> all(of_groups.empty() ? 0 : numbers.size());
    for (size_t first = 0; first < all.size(); first += apart) {
      const auto group = of_groups.begin() + std::ptrdiff_t(first / block * apart);
      std::copy(group, group + std::ptrdiff_t(apart), all.begin() + std::ptrdiff_t(first));
    }
    return all;
  };
  const auto of_numbers = [&](const Spans& of_groups) {
    Spans all(ends_of_numbers(of_groups.low));
    all.high = ends_of_numbers(of_groups.high);
    return all;
  };
  const Spans scales = of_numbers(scale), mults = of_numbers(mult);
  Environment environment;
  environment.set("e", mults);
  environment.set("d", scales);
  evaluate(code_, numbers, environment);
  Environment reader;
  reader.set("d", scales);
  evaluate(decode_, numbers, reader);
  return numbers;
}

/// Numbers of this call from `first` on, as many as `count`; beyond the message zeros.
RankNumbers RankSums::whole_groups(int64_t first, int64_t count) const {
  RankNumbers all;
  for (const std::vector<double>* x : sources(inputs_.x)) {
    std::vector<double>& part = all.emplace_back(size_t(count), 0.0);
    std::copy(x->begin() + std::ptrdiff_t(first),
              x->begin() + std::ptrdiff_t(std::min<int64_t>(first + count, int64_t(x->size()))), part.begin());
  }
  return all;
}

bool RankSums::keeps(const RankSegment& segment, int rank) const {
  return contract_.codec.keeps_sums() && (segment.owner + contract_.codec.keeper) % inputs_.world_size() == rank;
}

/// From the sums of all groups that hold elements of the stretch; groups begin with the segment.
RankSums::CodedSums RankSums::coded_sums(const Stretch& stretch, int rank) const {
  const RankSegment& segment = stretch.segment;
  const int64_t block = contract_.codec.group * contract_.codec.apart;
  const int64_t begin = segment.first + (stretch.first - segment.first) / block * block;
  const int64_t end = begin + (stretch.end - begin + block - 1) / block * block;
  const RankNumbers numbers = whole_groups(begin, end - begin);
  Sources all;
  for (const std::vector<double>& of_rank : numbers) all.push_back(&of_rank);
  const auto result_of = [&](Spans sums) {
    evaluate(y_, sums, {});
    const auto from = std::ptrdiff_t(stretch.first - begin), to = std::ptrdiff_t(stretch.end - begin);
    Spans result;
    result.low.assign(sums.low.begin() + from, sums.low.begin() + to);
    if (!sums.pinned()) result.high.assign(sums.high.begin() + from, sums.high.begin() + to);
    return result;
  };
  Spans sums = chain_of_sums(terms(all, order_from(segment.owner, rank), 0, end - begin));
  CodedSums results;
  if (contract_.codec.keeps_sums()) results.kept = result_of(sums);
  results.read = result_of(contract_.codec.of_sums ? coded(std::move(sums)) : std::move(sums));
  return results;
}

std::vector<RankSums::Stretch> RankSums::stretches(int64_t first, int64_t count) const {
  if (segments_.empty()) return {{{0, 0, inputs_.elements()}, first, first + count}};
  std::vector<Stretch> all;
  for (const RankSegment& segment : segments_) {
    const int64_t begin = std::max(first, segment.first), end = std::min(first + count, segment.end);
    if (begin < end) all.push_back({segment, begin, end});
  }
  return all;
}

Spans RankSums::coded_results(int rank, int64_t first, int64_t count) const {
  Spans all;
  for (const Stretch& stretch : stretches(first, count)) {
    CodedSums sums = coded_sums(stretch, rank);
    append(all, keeps(stretch.segment, rank) ? std::move(sums.kept) : std::move(sums.read));
  }
  return all;
}

std::vector<Spans> RankSums::results_of_ranks(int64_t first, int64_t count) const {
  const int size = inputs_.world_size();
  std::vector<Spans> all;
  const bool differ_by_keeper =
      contract_.codec.group > 0 && count > 0 && contract_.order != RankOrder::kFromReader && !contract_.result;
  if (!differ_by_keeper) {
    for (int rank = 0; rank < size; ++rank) all.push_back(rank > 0 && same_for_all() ? all.front() : results(rank, first, count));
    return all;
  }
  all.resize(size_t(size));
  for (const Stretch& stretch : stretches(first, count)) {
    const CodedSums sums = coded_sums(stretch, 0);
    for (int rank = 0; rank < size; ++rank) append(all[size_t(rank)], keeps(stretch.segment, rank) ? sums.kept : sums.read);
  }
  return all;
}

}  // namespace assay
