// Which steps of a large answer are looked at more closely than to count what is wrong, and of which columns: failing ones and
// good ones, spread over all.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/blocks.h"

namespace assay {

/// Steps of an answer, and columns. Of small tensors all of them.
struct Sample {
  std::vector<StepRange> steps;             ///< ascending, apart
  int64_t failing = 0, good = 0, of = 0;    ///< chosen steps with and without something wrong, and the steps of the answer
  std::vector<StepRange> columns = {};      ///< ascending, apart; empty: all
  int64_t of_columns = 0;                   ///< that the answer has, if some are chosen

  bool is_everything() const { return failing + good == of && columns.empty(); }
  /// Columns of each step: those chosen, or all.
  int64_t columns_chosen(int64_t all) const;
  /// "looked at 64 of 65536 rows: 32 that fail, 32 that do not; of each 128 of 4096 columns"; empty if the sample is everything.
  std::string words() const;
};

/// Steps of a sample that are computed at once, and the columns of them: all if there are none.
struct SampleBlock {
  StepRange steps, columns{};

  bool has_all_columns() const { return columns.end == 0; }
};

/// A sample in blocks of some ten thousand elements at most: steps ascending, and within the same steps columns.
std::vector<SampleBlock> blocks_of(const Sample& sample, const Answer& answer);

/// What an answer accepts there; each part has as many columns as the block, or all of its own. Throws std::logic_error for
/// columns of an answer that has no `of_columns`.
AcceptedBlock accepted_in(const SampleBlock& block, const Answer& answer);

/// Calls f(row, column, interval) for the elements of a part in such a block, row by row.
template <class F>
void for_each_element(const SampleBlock& block, const Part& part, const AcceptedRows& rows, F f) {
  const int64_t first = block.columns.first, end = block.has_all_columns() ? part.columns() : block.columns.end;
  for (int64_t row = rows.first; row < rows.end; ++row)
    for (int64_t column = first; column < end; ++column)
      f(row, column, rows.at(size_t((row - rows.first) * (end - first) + column - first)));
}

/// Everything, whatever fails there.
Sample all_steps(const Answer& answer);

/// Remembers, while steps are judged in their order, one failing and one good step of each 64th part of all steps, and one
/// failing element of each 64th part of all columns.
class SampleKeeper {
 public:
  static constexpr int64_t kNone = -1, kParts = 64;

  /// `columns`: of the one part whose columns may be chosen, or 0.
  SampleKeeper(int64_t steps, int64_t columns);

  /// `wrong`: columns of the step in which something is wrong, or one kNone if it is wrong as a whole; none of a good step.
  void add(int64_t step, const std::vector<int64_t>& wrong);
  void merge(const SampleKeeper& later);

  /// Everything if the answer has few elements; else of the remembered steps as many as have few elements, failing ones and good
  /// ones alike, and of their columns some that hold what fails and some others.
  Sample chosen(const Answer& answer) const;

 private:
  struct Place {
    int64_t step = kNone, column = kNone;
  };
  using Places = std::array<Place, kParts>;

  static std::vector<Place> thinned(const Places& places, int64_t most);
  Sample of_columns(const Answer& answer) const;

  int64_t steps_, columns_;
  Places failing_{}, good_{};  ///< the first of each part of the steps
  Places failing_columns_{};   ///< the first of each part of the columns
};

}  // namespace assay
