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

// A row of contracts/rank_reduce.csv, read: in which order the numbers of all ranks are added, and what is rounded on the way.

/// The row of the registry.
const Flow& rank_reduce_flow();

/// Whose number comes first and who follows. The owner is the rank that makes an element.
enum class RankOrder {
  kAbsolute,     ///< 0, 1, ...
  kFromOwner,    ///< the owner, the rank behind it, ...
  kBehindOwner,  ///< the rank behind the owner first, the owner last: a ring
  kAnyTree,      ///< any tree of additions
  kChunks,       ///< 0, 1, ... of so many ranks at a time, and then the sums of these
  kDescending,   ///< the last rank first; of edits alone, as is what follows
  kPairs,        ///< neighbours first, then pairs of pairs
  kFromReader    ///< each rank begins with its own number, then the rank behind it
};

/// Which elements a rank is the owner of.
struct RankOwners {
  bool any = false;      ///< the row does not say: any rank of any element
  int64_t of_bytes = 0;  ///< equal parts of whole packets of so many bytes, the last rank has what is left; 0: nobody asks
  int64_t stripe = 0;    ///< so many elements of each rank in turn, as far as there are any; 0: parts
};

/// What numbers become on the wire: codes of a group under one scale. The steps of a row, none if nothing is coded.
struct RankCodec {
  bool signed_extreme =
      false;  ///< m is the number of largest magnitude with its sign, the negative one of two; else the magnitude
  int64_t group = 0, apart = 1;  ///< so many numbers have one scale, each `apart` from the next; 0: there is no codec
  std::vector<CellStep> scale;   ///< from m to the scale d
  std::vector<CellStep> mult;    ///< from d, or from m, to the multiplier e
  std::vector<CellStep> code;    ///< from a number to its code, with e
  std::vector<CellStep> decode;  ///< from a code to a number, with d
  bool of_numbers = true,
       of_sums = true;  ///< what is coded: the numbers of ranks before they are added, and sums; of all rows sums
  /// Who returns a sum as it is, where all others return what the codec made of it: counted from its owner on, 0 in rows that
  /// have one.
  int keeper = kNobody;
  static constexpr int kNobody = -1;

  bool keeps_sums() const { return keeper != kNobody; }
};

/// What becomes of a rank's number among those that are added. No row says any.
struct TermStep {
  enum Kind {
    kDrop,    ///< it is not added
    kRepeat,  ///< it is added twice, one behind the other
    kRecall   ///< it is that of the call before, if there was one
  } kind;
  int rank;
};

/// What becomes of results on their way to a rank's output. No row says any.
struct ResultStep {
  enum Kind {
    kOwnNumbers,   ///< `rank` returns its own numbers
    kOwnRest,      ///< what is behind equal parts of all ranks is each rank's own numbers
    kNextSegment,  ///< the segment of each owner is that of the next one, as far as it goes
    kOthersBefore  ///< segments of other ranks are results of the call before
  } kind;
  int rank = -1;
};

/// What all ranks have, added up. Edits change it.
struct RankReduce {
  const ContractRow* row = nullptr;
  std::vector<int> ranks;  ///< numbers of ranks that it is made for, ascending
  RankOrder order = RankOrder::kAbsolute;
  int chunk = 0;  ///< ranks of a chunk; 0: there are none
  RankOwners owners;
  bool from_zero = false;      ///< +0 is added to first; else the first number is the first sum
  RankCodec codec;             ///< of every number before it is added, and of every sum
  std::vector<CellStep> wire;  ///< what becomes of a number on its way to the sum
  bool wire_of_words = false;  ///< of words of 32 bits that are all zeros alone, and of two numbers in one the first becomes that
  std::vector<CellStep> add;   ///< from the sum to the next one, with v, the next number
  std::vector<CellStep> y;     ///< from the last sum to the result
  std::vector<TermStep> terms;         ///< of the numbers in their order
  std::optional<ResultStep> result;    ///< of the results
  std::vector<const Format*> formats;  ///< of numbers and of the result
  int64_t bytes = 1;                   ///< that the size of a rank's numbers is a multiple of

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
  /// Whether the owner of an element decides who comes first.
  bool has_owners() const { return order == RankOrder::kFromOwner || order == RankOrder::kBehindOwner; }
  /// Whether every sum is rounded to the format of x.
  bool adds_in_x() const { return !add.empty() && add.back().word == "to"; }
};

/// "absolute", "from_owner", ...
const char* name_of(RankOrder order);

/// The most ranks that a row may name: of a kernel in shared memory nobody has more.
inline constexpr int kMostRanksOfRows = 16;

/// Bytes of the packets by which edits cut numbers where a row names no owners.
inline constexpr int64_t kUsualPacket = 16;

/// Throws TableError at the cell.
RankReduce read_rank_reduce(const ContractRow& row);

/// The recipe of such a cell for numbers of a format.
Recipe rank_recipe(const std::vector<CellStep>& cell, const Format& x);

/// The rank that owns each element, in stretches: rank, and the element behind its last. `owners` that are parts or stripes.
struct RankSegment {
  int owner = 0;
  int64_t first = 0, end = 0;
};
std::vector<RankSegment> rank_segments(const RankOwners& owners, const Format& x, int64_t elements, int world_size);

// What a contract makes of the numbers of all ranks.

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

// Adding up ranks in words.

/// The contract as formulas, a line a step.
std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x);

// Mutants of all-reduces: other cells of a row, and steps that no cell says.

/// A contract with one cell edited, or with one step more.
struct RankNeighbour {
  std::string name;  ///< "order: absolute -> from_owner", "rank 3 is left out"
  RankReduce contract;
  bool hidden_by_residual = false;  ///< it shows in signs of zeros and in subnormal numbers, which adding a residual hides
};

/// Every edit that may matter for so many ranks and elements. `before`: a call was made before with other numbers.
std::vector<RankNeighbour> rank_neighbours(const RankReduce& contract, const Format& x, int world_size, int64_t elements,
                                           bool before);

// The edits of an all-reduce while they are collected, by files of this folder.

/// Edits of one contract, as they are found.
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
    add(column + ": " + words, [&](RankNeighbour& wrong) { wrong.contract.*cell = steps, wrong.hidden_by_residual = cell == &RankReduce::wire; });
  }

  std::vector<RankNeighbour> all;

 private:
  const RankReduce& right_;
};

/// Of its codec, if it has one.
void edit_rank_codec(const RankReduce& right, RankEdits& edits);

}  // namespace assay
