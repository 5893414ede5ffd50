// What a contract makes of the numbers of all ranks.
#pragma once

#include <cmath>
#include <vector>

#include "reference/flow/rank_reduce/rank_reduce.h"
#include "reference/recipe/span.h"

namespace assay {

/// Numbers of each rank, rank by rank, all of one length.
using RankNumbers = std::vector<std::vector<double>>;

struct RankInputs {
  RankNumbers x;
  RankNumbers before;  ///< of the call that was made before, of the same lengths; empty: there was none
  int world_size() const { return int(x.size()); }
  int64_t elements() const { return int64_t(x.front().size()); }
};

/// What somebody may do wrong that no cell says. Ranks count from 0; -1: none.
struct RankMistake {
  int lost = -1;                                    ///< whose numbers are not added
  int twice = -1;                                   ///< whose numbers are added twice
  int stale = -1;                                   ///< whose numbers are those of the call before
  bool first_uncoded = false, sum_uncoded = false;  ///< a pass of the codec is left out
  bool owner_uncoded = false;                       ///< on the owner's own rank the sum is not coded
  bool owner_coded = false;                         ///< on the owner's own rank it is, where that keeps its sum
  bool next_owner = false;                          ///< the rank behind the owner keeps the sum in its place
  int misses = -1;                                  ///< which rank returns its own numbers
  /// Of the rank's output: the segment of each owner is that of the next one's part of the numbers, as far as it goes.
  bool next_segment = false;
  bool segments_before = false;  ///< segments of other ranks are results of the call before
  bool rest_left = false;        ///< what is behind equal parts of all ranks is the rank's own numbers

  /// Whether ranks may return different bits by it.
  bool divides_ranks() const { return misses >= 0 || owner_uncoded || segments_before || rest_left; }
};

/// Results by one contract. The inputs must live as long.
class RankSums {
 public:
  RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs, const RankMistake& mistake = {});

  /// Results of elements first .. first + count - 1 as that rank returns them.
  Spans results(int rank, int64_t first, int64_t count) const;
  /// Whether all ranks return the same: results() need be asked for one of them only.
  bool same_for_all() const {
    const bool owners_differ = contract_.codec.owner_keeps && !mistake_.owner_coded && !mistake_.sum_uncoded;
    return contract_.order != RankOrder::kFromReader && !mistake_.divides_ranks() && !owners_differ;
  }

 private:
  std::vector<Spans> terms(const RankNumbers& from, const std::vector<int>& order, int64_t first, int64_t count) const;
  void add(Spans& sum, const Spans& next) const;
  Spans chain(std::vector<Spans> terms) const;
  Spans chain_of_sums(std::vector<Spans> terms) const;
  Spans begun(Spans first) const;
  std::vector<Spans> sums_of_chunks(std::vector<Spans> terms) const;
  Span extreme(const Spans& numbers, size_t first) const;
  void keep_beside_others(Spans& sent, const std::vector<double>& numbers, int64_t first) const;
  Spans coded(Spans numbers) const;
  Spans coded_results(int rank, int64_t first, int64_t count) const;
  Spans coded_segment(const RankSegment& segment, int rank, int64_t first, int64_t count) const;
  RankNumbers whole_groups(const RankNumbers& from, int64_t first, int64_t count) const;
  Spans tree(std::vector<Spans> terms) const;
  Spans by_owner(const RankNumbers& from, int owner, int rank, int64_t first, int64_t count) const;
  Spans own(int rank, int64_t first, int64_t count) const;
  std::vector<int> order_from(int owner, int rank) const;

  RankReduce contract_;
  const Format& x_;
  const RankInputs& inputs_;
  RankMistake mistake_;
  Recipe wire_, add_, y_, scale_, mult_, code_, decode_;
  std::vector<RankSegment> segments_;  ///< empty if nobody asks for owners
};

/// The lesser and the greater of two numbers; -0 is less than +0.
inline double lesser(double a, double b) { return a < b || (a == b && std::signbit(a)) ? a : b; }
inline double greater(double a, double b) { return a > b || (a == b && std::signbit(b)) ? a : b; }

/// More numbers behind those that are there.
void append(Spans& all, Spans more);

/// Packets by which edits cut numbers where a row names no owners.
inline constexpr int64_t kUsualPacket = 16;

}  // namespace assay
