// The sample of a large answer that the diagnosis examines in detail: failing and good steps, and columns, spread over the whole
// answer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/blocks.h"

namespace assay {

/// Steps and columns of an answer. For small tensors: all of them.
struct Sample {
  std::vector<StepRange> steps;             ///< ascending, disjoint
  int64_t failing = 0, good = 0, of = 0;    ///< number of chosen steps with and without a failure; `of`: all steps of the answer
  std::vector<StepRange> columns = {};      ///< ascending, disjoint; empty: all
  int64_t of_columns = 0;                   ///< number of columns of the answer, if only some are chosen

  bool is_everything() const { return failing + good == of && columns.empty(); }
  /// Number of chosen columns, or `all`.
  int64_t columns_chosen(int64_t all) const;
  /// "looked at 64 of 65536 rows: 32 that fail, 32 that do not; of each 128 of 4096 columns"; empty if the sample is complete.
  std::string words() const;
};

/// Steps and columns of a sample that are computed at once; no columns: all.
struct SampleBlock {
  StepRange steps, columns{};

  bool has_all_columns() const { return columns.end == 0; }
};

/// Divides a sample into blocks of at most about ten thousand elements, ordered by steps and then by columns.
std::vector<SampleBlock> blocks_of(const Sample& sample, const Answer& answer);

/// What an answer accepts in a block. Each part has the columns of the block, or all of its own columns. Throws std::logic_error
/// if the block has columns but the answer has no `of_columns`.
AcceptedBlock accepted_in(const SampleBlock& block, const Answer& answer);

/// Calls f(row, column, interval) for the elements of a part in a block, row by row.
template <class F>
void for_each_element(const SampleBlock& block, const Part& part, const AcceptedRows& rows, F f) {
  const int64_t first = block.columns.first, end = block.has_all_columns() ? part.columns() : block.columns.end;
  for (int64_t row = rows.first; row < rows.end; ++row)
    for (int64_t column = first; column < end; ++column)
      f(row, column, rows.at(size_t((row - rows.first) * (end - first) + column - first)));
}

/// The complete sample.
Sample all_steps(const Answer& answer);

/// Collects a sample while steps are checked in order. Divides the steps into 64 ranges and keeps one failing and one good step
/// of each; divides the columns into 64 ranges and keeps one failing element of each.
class SampleKeeper {
 public:
  static constexpr int64_t kNone = -1, kParts = 64;

  /// `columns`: number of columns of the only part, if columns may be chosen; otherwise 0.
  SampleKeeper(int64_t steps, int64_t columns);

  /// `wrong`: the columns of the step that contain a failure; {kNone} if the step fails as a whole; empty for a good step.
  void add(int64_t step, const std::vector<int64_t>& wrong);
  void merge(const SampleKeeper& later);

  /// Everything if the answer has few elements. Otherwise as many of the remembered steps as the limit allows, equally many
  /// failing and good ones, and of their columns some failing ones and some others.
  Sample chosen(const Answer& answer) const;

 private:
  struct Place {
    int64_t step = kNone, column = kNone;
  };
  using Places = std::array<Place, kParts>;

  static std::vector<Place> thinned(const Places& places, int64_t most);
  Sample of_columns(const Answer& answer) const;

  int64_t steps_, columns_;
  Places failing_{}, good_{};  ///< first one of each range of steps
  Places failing_columns_{};   ///< first one of each range of columns
};

}  // namespace assay
