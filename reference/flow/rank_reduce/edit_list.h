// The edits of an all-reduce while they are collected, by files of this folder.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reference/flow/rank_reduce/edits.h"

namespace assay {

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
