// All-reduces: contract rows, evaluation over all ranks, formulas and mutants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/formats/misreadings.h"
#include "reference/recipe/recipe.h"

namespace assay {

// Contracts of contracts/rank_reduce.csv: in which order the values of the ranks are added, and which sums are rounded.

/// The registry entry of this op kind.
const Flow& rank_reduce_flow();

/// In which order the values of the ranks are added. The owner of an element is the rank that computes its sum.
enum class RankOrder {
  kAbsolute,     ///< 0, 1, ...
  kFromOwner,    ///< the owner, the next rank, ...
  kBehindOwner,  ///< a ring: the rank after the owner first, the owner last
  kAnyTree,      ///< any tree of additions
  kChunks,       ///< the ranks of each chunk in ascending order, then the sums of the chunks in ascending order
  kDescending,   ///< the last rank first; this order and the following two occur in mutants only
  kPairs,        ///< sums of two neighbouring ranks, then sums of two such sums, ...
  kFromReader    ///< the rank that reads the result, the next rank, ...: ranks add in different orders
};

/// Which elements each rank owns.
struct RankOwners {
  bool any = false;  ///< the row does not define owners: any rank may own any element
  /// each rank owns an equal number of packets of this many bytes, and the last rank also owns the rest; 0: no packets
  int64_t of_bytes = 0;
  int64_t stripe = 0;  ///< the ranks in turn own stripes of this many elements; 0: no stripes
};

/// How ranks encode what they send: the elements of a group become codes with one scale. Without a codec, all cells are empty.
struct RankCodec {
  bool signed_extreme =
      false;  ///< true: m is a group's element of largest magnitude, or -v if both v and -v have it; false: m is this magnitude
  int64_t group = 0, apart = 1;  ///< group size, and the distance between a group's elements; size 0: no codec
  std::vector<CellStep> scale;   ///< from m to the scale d
  std::vector<CellStep> mult;    ///< from d, or from m, to the multiplier e
  std::vector<CellStep> code;    ///< from an element to its code, with e
  std::vector<CellStep> decode;  ///< from a code to a value, with d
  bool of_numbers = true,
       of_sums = true;   ///< of_numbers: ranks encode their values before the addition; of_sums: ranks encode the sums, as in all rows
  CodeReader read = {};  ///< mutants only: reads the codes in the place of decode()
  /// The rank, counted from the owner, that returns its own sum unencoded, while the other ranks return the decoded sum. 0 in all
  /// rows that have such a rank.
  int keeper = kNobody;
  static constexpr int kNobody = -1;

  bool keeps_sums() const { return keeper != kNobody; }
  /// The format of codes that are floating-point numbers; null for integer codes.
  const Format* code_format() const;
};

/// A mutant's mistake with the value of one rank.
struct TermStep {
  enum Kind {
    kDrop,    ///< the value is not added
    kRepeat,  ///< the value is added twice in a row
    kRecall   ///< the value comes from the previous call, if there was one
  } kind;
  int rank;
};

/// A mutant's mistake when a rank writes results to its output.
struct ResultStep {
  enum Kind {
    kOwnNumbers,   ///< `rank` returns its own input
    kOwnRest,      ///< the elements after the ranks' equal parts are not summed: each rank returns its own input there
    kNextSegment,  ///< the part of each rank holds the results of the next rank's part
    kOthersBefore  ///< in the segments that other ranks own, a rank returns the sums of the previous call
  } kind;
  int rank = -1;
};

/// An all-reduce contract. Mutants modify it.
struct RankReduce {
  const ContractRow* row = nullptr;
  std::vector<int> ranks;  ///< supported numbers of ranks, ascending
  RankOrder order = RankOrder::kAbsolute;
  int chunk = 0;  ///< ranks per chunk; 0: no chunks
  bool keeps_tree = false;  ///< of kAnyTree: the tree is the same for every number of rows (order `one_tree`)
  RankOwners owners;
  bool from_zero = false;      ///< true: the first value is added to +0; false: the first value is the first partial sum
  RankCodec codec;             ///< applied to every value before it is added, and to every sum
  std::vector<CellStep> wire;  ///< steps from a value to the term that is added
  /// `wire` changes only the first of two adjacent 16-bit elements that form a 32-bit word, and only if both are +0
  bool wire_of_words = false;
  std::vector<CellStep> add;           ///< from the sum to the next one, with v, the next value
  std::vector<CellStep> y;             ///< from the last sum to the result
  std::vector<TermStep> terms;         ///< mutations of the terms, in the order in which they apply
  std::optional<ResultStep> result;    ///< mutation of the results
  std::vector<const Format*> formats;  ///< formats of values and result
  int64_t bytes = 1;                   ///< the size in bytes of a rank's data must be a multiple of this

  bool takes(int world_size) const;
  bool takes(const Format& x) const;
  /// True if the order in which the ranks' values are added depends on which rank owns the element.
  bool has_owners() const { return order == RankOrder::kFromOwner || order == RankOrder::kBehindOwner; }
  /// True if every partial sum is rounded to the format of x.
  bool adds_in_x() const { return !add.empty() && add.back().word == "to"; }
};

/// Returns "absolute", "from_owner", ...
const char* name_of(RankOrder order);

/// The largest number of ranks that a row may name; no shared-memory kernel supports more.
inline constexpr int kMostRanksOfRows = 16;

/// Packet size in bytes for mutants of rows that name no packet size.
inline constexpr int64_t kUsualPacket = 16;

/// Throws TableError at the cell.
RankReduce read_rank_reduce(const ContractRow& row);

/// The recipe of a cell, for elements in format `x`.
Recipe rank_recipe(const std::vector<CellStep>& cell, const Format& x);

/// A range of elements, first .. end - 1, and the rank that owns it. rank_segments() needs `owners` with packets or stripes.
struct RankSegment {
  int owner = 0;
  int64_t first = 0, end = 0;
};
std::vector<RankSegment> rank_segments(const RankOwners& owners, const Format& x, int64_t elements, int world_size);

// Computes the accepted results from the values of all ranks.

/// The values of each rank; all ranks have the same number of values.
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

  /// Results of elements first .. first + count - 1 on `rank`.
  Spans results(int rank, int64_t first, int64_t count) const;
  /// results() of every rank. Computes only once what ranks share. With a `keeper`, ranks differ only in which sums they return
  /// unencoded.
  std::vector<Spans> results_of_ranks(int64_t first, int64_t count) const;
  /// True if all ranks return the same results, so that results() of one rank is enough.
  bool same_for_all() const;

 private:
  /// For each rank, the values from which sums are computed: of this call or, in mutants, of the previous one.
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
  /// A range of elements, first .. end - 1, that lies in one segment.
  struct Stretch {
    RankSegment segment;
    int64_t first, end;
  };
  /// Results of a range of elements: `read` on ranks that decode codes, `kept` on the rank that keeps its sums, if there is one.
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

/// Appends the intervals `more` to `all`.
void append(Spans& all, Spans more);

/// Widens each interval of `all` to contain the interval of the same element in `other`.
void include(Spans& all, const Spans& other);

// All-reduce contracts as text.

/// The contract as formulas, one line per step.
std::vector<std::string> rank_lines(const RankReduce& contract, const Format& x);

// Mutants of all-reduces: other cells of a row, and mistakes that no cell can express.

/// A contract with one modified cell, or one additional step.
struct RankNeighbour {
  std::string name;  ///< such as "order: absolute -> from_owner", "rank 3 is left out"
  RankReduce contract;
  bool hidden_by_residual = false;  ///< changes only signs of zeros and subnormals; after a residual is added, nothing differs
  bool suspect = false;             ///< only the diagnosis uses it: inputs need not expose it
};

/// Every mutant that can change a result, for that many ranks and elements. `before`: a previous call had other data.
std::vector<RankNeighbour> rank_neighbours(const RankReduce& contract, const Format& x, int world_size, int64_t elements,
                                           bool before);

// Collects the mutants of an all-reduce from the files of this folder.

/// The mutants of one contract that were found so far.
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

/// Adds mutants of the contract's codec, if it has one.
void edit_rank_codec(const RankReduce& right, RankEdits& edits);

}  // namespace assay
