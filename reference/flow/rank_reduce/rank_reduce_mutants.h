// Mutants of all-reduces: other cells of a row, and steps that no cell says.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reference/flow/rank_reduce/rank_reduce.h"

namespace assay {

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
