#include "harness/witness/candidate.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "harness/diagnosis/visibility.h"

namespace assay {

int64_t bytes_of(const Problem& problem) {
  int64_t sum = 0;
  for (const HostTensor& tensor : problem.tensors)
    sum += int64_t(tensor.spec.bytes()) * (access_of(tensor) == Access::kInOut ? 2 : 1);
  return sum + (problem.before.empty() ? 0 : bytes_of(problem.before.back()));  // warm-up calls mostly have the same inputs
}

int64_t Candidate::batch_row(const Part& part, int64_t row) const {
  const int64_t rows = part.rows();
  return rows == 0 ? 0 : std::min(batch - 1, row * batch / rows);
}

int64_t Candidate::richest_row() const {
  std::map<int64_t, std::set<int32_t>> codes;
  for (const WholePart& part : right)
    for (int64_t i = 0; i < part.part.elements(); ++i)
      codes[batch_row(part.part, i / part.part.columns())].insert(part.low[size_t(i)]);
  const auto richest = std::max_element(codes.begin(), codes.end(),
                                        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return richest == codes.end() ? 0 : richest->first;
}

std::vector<Candidate> candidates_of(const Op& op, const std::vector<Case>& cases, int64_t most_bytes) {
  std::vector<Candidate> all;
  std::set<std::string> data;
  for (const Case& one : cases) {
    if (!data.insert(one.data_id()).second) continue;
    std::shared_ptr<const BoundCase> bound = op.bind(one);
    Problem problem = bound->problem();
    // Empty calls show nothing, and outputs that share memory with an input have no file entry of their own.
    const bool shares = std::any_of(problem.tensors.begin(), problem.tensors.end(), [](const HostTensor& tensor) { return !tensor.spec.shares.empty(); });
    if (shares || bytes_of(problem) == 0 || bytes_of(problem) > most_bytes) continue;
    std::vector<WholePart> right = computed(bound->expect(problem, nullptr));
    const int64_t batch = std::max<int64_t>(1, bound->independent_rows());
    all.push_back({&one, std::move(bound), std::move(problem), std::move(right), batch});
  }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return bytes_of(a.problem) / std::max<int64_t>(1, a.batch) < bytes_of(b.problem) / std::max<int64_t>(1, b.batch);
  });
  return all;
}

}  // namespace assay
