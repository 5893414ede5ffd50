// The parameters in the order in which they are decided. Included by parameters*.cpp only.
#pragma once

#include <numeric>

#include "harness/probe/parameters.h"
#include "reference/formats/catalogue.h"

namespace assay {

std::vector<UnitParameter> parameters_of_terms();    ///< how products become terms, and which bits of a term are kept
std::vector<UnitParameter> parameters_of_results();  ///< how c is added, and how the result is rounded
std::vector<UnitParameter> parameters_of_sums();     ///< which terms are summed together, and the lower bound of the alignment
                                                     ///< exponent

inline constexpr int kMostFraction = 28, kMostGroupFraction = 38, kMostJoinFraction = 40;  // limits as in read_sum.cpp

inline std::vector<int> range(int first, int last) {
  std::vector<int> all(size_t(std::max(0, last - first + 1)));
  std::iota(all.begin(), all.end(), first);
  return all;
}
inline std::vector<int> and_none(std::vector<int> all, int none) {
  all.insert(all.begin(), none);
  return all;
}

inline bool aligned(const Unit& u) { return u.sum == ProductSum::kAligned; }
inline bool joined(const Unit& u) { return u.join == AccumulatorJoin::kJoined; }

}  // namespace assay
