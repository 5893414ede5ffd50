// All-reduces: rows of the table, their evaluation over all ranks, and their formula.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/recipe/recipe.h"

namespace assay {

// A parsed row of contracts/rank_reduce.csv: the order in which the values of all ranks are added, and the roundings in between.

/// The registry entry of this op kind.
const Flow& rank_reduce_flow();

/// Which rank's value comes first, and the order of the others. The owner is the rank that computes an element.
enum class RankOrder {
  kAbsolute,     ///< 0, 1, ...
  kFromOwner,    ///< the owner, the next rank, ...
  kBehindOwner,  ///< a ring: the rank after the owner first, the owner last
  kAnyTree,      ///< any tree of additions
  kChunks,       ///< chains over chunks of ranks, then the sum of the chunks
  kDescending,   ///< the last rank first; this one and the following ones occur in mutants only
  kPairs,        ///< adjacent ranks first, then pairs of pairs
  kFromReader    ///< each rank starts with its own value, then the next rank
};

/// Which elements each rank owns.
struct RankOwners {
  bool any = false;  ///< the row does not define owners: any rank may own any element
  /// equal parts that are whole packets of this many bytes, and the rest for the last rank; 0: not applicable
  int64_t of_bytes = 0;
  int64_t stripe = 0;  ///< each rank in turn owns this many elements; 0: parts instead of stripes
};

/// Encoding on the wire: codes of a group under one scale, as steps of a row. Empty if nothing is encoded.
struct RankCodec {
  bool signed_extreme =
      false;  ///< true: m is the element of largest magnitude with its sign (of +v and -v: -v); false: its magnitude
  int64_t group = 0, apart = 1;  ///< group size, and the distance between a group's elements; size 0: no codec
  std::vector<CellStep> scale;   ///< from m to the scale d
  std::vector<CellStep> mult;    ///< from d, or from m, to the multiplier e
  std::vector<CellStep> code;    ///< from an element to its code, with e
  std::vector<CellStep> decode;  ///< from a code to a value, with d
  bool of_numbers = true,
       of_sums = true;  ///< true (in all rows): sums are encoded; false: the ranks' values before they are added
  /// Rank, counted from the owner, that returns a sum unencoded, while all others return the decoded sum. 0 in rows that have
  /// one.
  int keeper = kNobody;
  static constexpr int kNobody = -1;

  bool keeps_sums() const { return keeper != kNobody; }
};

/// A mistake with a rank's value among the terms. Occurs in mutants only.
struct TermStep {
  enum Kind {
    kDrop,    ///< the value is not added
    kRepeat,  ///< the value is added twice in a row
    kRecall   ///< the value is that of the previous call, if there was one
  } kind;
  int rank;
};

/// A mistake on the way from results to a rank's output. Occurs in mutants only.
struct ResultStep {
  enum Kind {
    kOwnNumbers,   ///< `rank` returns its own input
    kOwnRest,      ///< after the equal parts of all ranks, each rank returns its own input
    kNextSegment,  ///< each owner uses the segment of the next owner, up to its own length
    kOthersBefore  ///< segments of other ranks are results of the previous call
  } kind;
  int rank = -1;
};

/// An all-reduce contract. Mutants modify it.
struct RankReduce {
  const ContractRow* row = nullptr;
  std::vector<int> ranks;  ///< supported numbers of ranks, ascending
  RankOrder order = RankOrder::kAbsolute;
  int chunk = 0;  ///< ranks per chunk; 0: no chunks
  RankOwners owners;
  bool from_zero = false;      ///< true: the first value is added to +0; false: the first value is the first partial sum
  RankCodec codec;             ///< applied to every value before it is added, and to every sum
  std::vector<CellStep> wire;  ///< steps from a value to the term that is added
  /// `wire` applies only to 32-bit words that are all zeros, and there only to the first of the two 16-bit elements
  bool wire_of_words = false;
  std::vector<CellStep> add;           ///< from the sum to the next one, with v, the next value
  std::vector<CellStep> y;             ///< from the last sum to the result
  std::vector<TermStep> terms;         ///< mutations of the terms, in the order in which they apply
  std::optional<ResultStep> result;    ///< mutation of the results
  std::vector<const Format*> formats;  ///< formats of values and result
  int64_t bytes = 1;                   ///< divisor of the size of a rank's data in bytes

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
  /// True if the order of ranks depends on the owner of an element.
  bool has_owners() const { return order == RankOrder::kFromOwner || order == RankOrder::kBehindOwner; }
  /// True if every partial sum is rounded to the format of x.
  bool adds_in_x() const { return !add.empty() && add.back().word == "to"; }
};

/// Returns "absolute", "from_owner", ...
const char* name_of(RankOrder order);

/// The largest number of ranks that a row may name; no shared-memory kernel supports more.
inline constexpr int kMostRanksOfRows = 16;

/// Packet size in bytes that mutants use if a row names no owners.
inline constexpr int64_t kUsualPacket = 16;

/// Throws TableError at the cell.
RankReduce read_rank_reduce(const ContractRow& row);

/// The recipe of a cell of the contract for numbers of a format.
Recipe rank_recipe(const std::vector<CellStep>& cell, const Format& x);

/// The owner of a range of elements: the rank, and the index after its last element. For `owners` that are parts or stripes.
struct RankSegment {
  int owner = 0;
  int64_t first = 0, end = 0;
};
std::vector<RankSegment> rank_segments(const RankOwners& owners, const Format& x, int64_t elements, int world_size);

// The results of a contract for the values of all ranks.

/// The values of each rank, all of the same length.
using RankNumbers = std::vector<std::vector<double>>;

struct RankInputs {
  RankNumbers x;
  RankNumbers before;  ///< values of the previous call, with the same lengths; empty: there was none
  int world_size() const { return int(x.size()); }
  int64_t elements() const { return int64_t(x.front().size()); }
};

/// Results of one contract. The inputs must outlive this object.
class RankSums {
 public:
  RankSums(const RankReduce& contract, const Format& x, const RankInputs& inputs);

  /// Results of elements first .. first + count - 1 on that rank.
  Spans results(int rank, int64_t first, int64_t count) const;
  /// Results for all ranks in order. What ranks share is computed once. With a `keeper`, ranks differ only in which sums they
  /// return unencoded.
  std::vector<Spans> results_of_ranks(int64_t first, int64_t count) const;
  /// True if all ranks return the same, so that results() is needed for only one of them.
  bool same_for_all() const;

 private:
  /// The ranks' values from which sums are computed, of this call or the previous one.
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
  /// Results for a range of elements: on ranks that decode codes, and on the rank that keeps its sums, if there is one.
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
  std::vector<RankSegment> segments_;  ///< empty if there are no owners
};

/// Appends values.
void append(Spans& all, Spans more);

/// Extends each interval of `all` to include that of `other`.
void include(Spans& all, const Spans& other);

// All-reduce contracts as text.

/// The contract as formulas, one line per step.
std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x);

// Mutants of all-reduces: other cells of a row, and steps that no cell can express.

/// A contract with one modified cell, or one additional step.
struct RankNeighbour {
  std::string name;  ///< such as "order: absolute -> from_owner", "rank 3 is left out"
  RankReduce contract;
  bool hidden_by_residual = false;  ///< visible only in signs of zeros and in subnormals, which adding a residual hides
};

/// Every mutant that can change a result for that many ranks and elements. `before`: there was a previous call with other data.
std::vector<RankNeighbour> rank_neighbours(const RankReduce& contract, const Format& x, int world_size, int64_t elements,
                                           bool before);

// Collects the mutants of an all-reduce from the files of this folder.

/// The mutants of one contract, as they are found.
class RankEdits {
 public:
  explicit RankEdits(const RankReduce& right) : right_(right) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    RankNeighbour wrong{name, right_};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  void cell(const std::string& column, std::vector<CellStep> RankReduce::*cell, const std::vector<CellStep>& steps,
            const std::string& words) {
    add(column + ": " + words,
        [&](RankNeighbour& wrong) { wrong.contract.*cell = steps, wrong.hidden_by_residual = cell == &RankReduce::wire; });
  }

  std::vector<RankNeighbour> all;

 private:
  const RankReduce& right_;
};

/// Mutants of its codec, if it has one.
void edit_rank_codec(const RankReduce& right, RankEdits& edits);

}  // namespace assay
