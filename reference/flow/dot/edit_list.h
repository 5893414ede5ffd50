// Collects the edits of one GEMM: of its unit and sums (edits.cpp), and of its result (edits_of_result.cpp).
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reference/flow/dot/edits.h"

namespace assay::dot {

using Steps = std::vector<CellStep>;

/// Edits of a contract for one k.
class Edits {
 public:
  Edits(const DotContract& right, int64_t k) : right_(right), k_(k) {}

  template <class Change>
  void add(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_};
    change(wrong);
    all.push_back(std::move(wrong));
  }
  /// Adds the edit only if its first program differs, for this k, from every program of the contract.
  template <class Change>
  void add_programs(const std::string& name, Change change) {
    DotNeighbour wrong{name, right_};
    change(wrong.contract);
    if (!ways(right_).contains(way_of(dot_programs(wrong.contract, k_).front()))) all.push_back(std::move(wrong));
  }
  void y(const std::string& name, const Steps& steps) {
    if (text_of(steps) != text_of(right_.y)) add(name, [&](DotNeighbour& wrong) { wrong.contract.y = steps; });
  }

  std::vector<DotNeighbour> all;

 private:
  using Way = std::pair<int64_t, int64_t>;  ///< promotion and part
  /// Promotion every n products without a join is the same as parts of n products.
  Way way_of(const DotProgram& program) const {
    return program.part >= k_ && program.promote > 0 ? Way(0, program.promote) : Way(program.promote, program.part);
  }
  std::set<Way> ways(const DotContract& contract) const {
    std::set<Way> found;
    for (const DotProgram& program : dot_programs(contract, k_)) found.insert(way_of(program));
    return found;
  }
  const DotContract& right_;
  int64_t k_;
};

/// Edits that read OCP fp8 codes as fnuz, or fnuz as OCP.
void edit_codes(const DotContract& right, Edits& edits);
/// Edits of scales and roundings after the sum.
void edit_y(const DotContract& right, const Format& y, Edits& edits);
void edit_bias(const DotContract& right, const Format& y, Edits& edits);

}  // namespace assay::dot
