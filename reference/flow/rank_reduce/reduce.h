// What a contract makes of the numbers of all ranks.
#pragma once

#include <cstdint>
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

/// Results by one contract. The inputs must live as long.
class RankSums {
 public:
  RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs);

  /// Results of elements first .. first + count - 1 as that rank returns them.
  Spans results(int rank, int64_t first, int64_t count) const;
  /// Of all ranks in turn. What they have in common is made once: of contracts whose owners keep their sums all but who keeps which.
  std::vector<Spans> results_of_ranks(int64_t first, int64_t count) const;
  /// Whether all ranks return the same: results() need be asked for one of them only.
  bool same_for_all() const;

 private:
  /// Numbers of each rank that sums of this call or of the one before are made of.
  using Sources = std::vector<const std::vector<double>*>;
  Sources sources(const RankNumbers& of_call) const;
  std::vector<Spans> terms(const Sources& from, const std::vector<int>& order, int64_t first, int64_t count) const;
  void add(Spans& sum, const Spans& next) const;
  Spans chain(std::vector<Spans> terms) const;
  Spans chain_of_sums(std::vector<Spans> terms) const;
  Spans begun(Spans first) const;
  std::vector<Spans> sums_of_chunks(std::vector<Spans> terms) const;
  Span extreme(const Spans& numbers, size_t first) const;
  void keep_beside_others(Spans& sent, const std::vector<double>& numbers, int64_t first) const;
  Spans coded(Spans numbers) const;
  /// Elements first .. end - 1, which lie in one segment.
  struct Stretch {
    RankSegment segment;
    int64_t first, end;
  };
  /// What ranks return of a stretch: those that read codes, and, where one keeps its sums, that one.
  struct CodedSums {
    Spans read, kept;
  };
  std::vector<Stretch> stretches(int64_t first, int64_t count) const;
  bool keeps(const RankSegment& segment, int rank) const;
  CodedSums coded_sums(const Stretch& stretch, int rank) const;
  Spans coded_results(int rank, int64_t first, int64_t count) const;
  RankNumbers whole_groups(int64_t first, int64_t count) const;
  Spans tree(std::vector<Spans> terms) const;
  Spans by_owner(const RankNumbers& from, int owner, int rank, int64_t first, int64_t count) const;
  Spans own(int rank, int64_t first, int64_t count) const;
  Spans segment_results(const RankSegment& segment, int rank, int64_t begin, int64_t end) const;
  bool is_result(ResultStep::Kind kind) const { return contract_.result && contract_.result->kind == kind; }
  std::vector<int> order_from(int owner, int rank) const;

  RankReduce contract_;
  const Format& x_;
  const RankInputs& inputs_;
  Recipe wire_, add_, y_, scale_, mult_, code_, decode_;
  std::vector<RankSegment> segments_;  ///< empty if nobody asks for owners
};

/// More numbers behind those that are there.
void append(Spans& all, Spans more);

/// Each number of `all` becomes what either of both may be.
void include(Spans& all, const Spans& other);

}  // namespace assay
