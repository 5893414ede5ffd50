#include "suites/other_contracts.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "harness/diagnosis/visibility.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// If more cells differ, or their text is longer, the differences are not listed.
constexpr size_t kMostCells = 2, kLongestText = 80;

struct Difference {
  size_t cells = 0;
  std::string words;  ///< "code: mul(m) -> div(s); M: 448 -> 240"
};

Difference difference(const std::string& from, const std::string& to) {
  Difference all;
  const std::vector<const ContractRow*> a = rulebook().links_of(from), b = rulebook().links_of(to);
  if (a.size() != b.size() || a.empty()) return {size_t(-1), ""};
  for (size_t link = 0; link < a.size(); ++link)
    for (const CellDifference& cell : differing_cells(*a[link], *b[link]))
      if (++all.cells <= kMostCells)
        all.words += fmt::format("{}{}: {} -> {}", all.words.empty() ? "" : ", ", cell.column,
                                 cell.one.empty() ? "nothing" : cell.one, cell.other.empty() ? "nothing" : cell.other);
  if (all.cells > kMostCells || all.words.size() > kLongestText) all.words.clear();
  return all;
}

}  // namespace

std::vector<OtherContract> other_contracts(const Case& one, const Problem& problem) {
  const auto own = one.parameters.find("contract");
  if (own == one.parameters.end() || one.of_given_data) return {};
  const std::span<const Op> ops = shipped_ops().all();
  const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& candidate) { return candidate.name == one.op; });
  if (op == ops.end()) return {};
  std::vector<std::pair<size_t, OtherContract>> found;
  for (const std::string& id : rulebook().contract_ids()) {
    if (id == own->second || !op->takes(id)) continue;
    std::shared_ptr<const BoundCase> bound = under_contract(*op, one, id);
    if (!bound || bound->is_sweep() || !same_call(problem, bound->problem())) continue;
    Difference differs = difference(own->second, id);
    if (differs.cells == 0) continue;
    found.emplace_back(differs.cells, OtherContract{id, std::move(differs.words), std::move(bound)});
  }
  std::ranges::stable_sort(found, {}, [](const auto& each) { return each.first; });
  std::vector<OtherContract> all;
  for (auto& [cells, other] : found) all.push_back(std::move(other));
  return all;
}

}  // namespace assay
