#include <algorithm>

#include "reference/flow/dot/edits.h"

namespace assay {
namespace {

DotInputs left_out(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp_adj.begin(), wrong.azp_adj.end(), 0.0);
  return wrong;
}

DotInputs added(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  for (double& adj : wrong.azp_adj) adj = -adj;
  return wrong;
}

DotInputs of_the_next_column(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::rotate(wrong.azp_adj.begin(), wrong.azp_adj.begin() + 1, wrong.azp_adj.end());
  return wrong;
}

DotInputs of_the_next_row(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::rotate(wrong.azp.begin(), wrong.azp.begin() + 1, wrong.azp.end());
  return wrong;
}

DotInputs of_the_first_row(const DotInputs& right, int64_t) {
  DotInputs wrong = right;
  std::fill(wrong.azp.begin(), wrong.azp.end(), right.azp.front());
  return wrong;
}

}  // namespace

void add_azp_misreadings(const DotInputs& right, std::vector<DotMisreading>& all) {
  if (right.azp_adj.empty()) return;
  all.push_back({"azp: left out", left_out});
  all.push_back({"azp: added", added});
  if (right.azp_adj.size() > 1) all.push_back({"azp_adj: of the next column", of_the_next_column});
  if (right.azp.size() > 1) all.push_back({"azp: of the next row", of_the_next_row});
  if (right.azp.size() > 1) all.push_back({"azp: of the first row for all", of_the_first_row});
}

}  // namespace assay
