#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>
#include <optional>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"

namespace assay {
namespace {

/// Result of testing one level: `absent` says why it cannot be tested, `broken` which bits differ. Both are empty if the level
/// passes.
struct Trial {
  std::string absent{}, broken{};
  bool breaks_contract = false;  ///< the changed call fails, or its outputs violate the contract
};

/// Whether the outputs of a call conform to the contract of its case.
bool agrees(const BoundCase& bound, const Problem& problem, const CallResult& result) {
  Verdict verdict;
  judge_outputs(bound, problem, result, verdict);
  return verdict.outcome == Outcome::kPass;
}

/// Makes a call and returns its result. If the call fails, returns nothing and stores the reason in the trial.
std::optional<CallResult> answer_to(const Backend& backend, const CallRequest& request, Trial& trial) {
  CallResult result = backend.call(request);
  if (result.status == CallStatus::kOk) return result;
  (result.status == CallStatus::kUnsupported ? trial.absent : trial.broken) = result.message;
  trial.breaks_contract = !trial.broken.empty();
  return std::nullopt;
}

/// Describes the first element whose bits differ between a row of the first batch and the same row in the second batch.
std::string row_difference(const Expectation& before, const CallResult& first, const Expectation& after, const CallResult& again,
                           const std::vector<int64_t>& rows) {
  for (size_t p = 0; p < before.parts().size(); ++p) {
    const Part &was = before.parts()[p], &is = after.parts()[p];
    const HostTensor &a = tensor_of(first.outputs, was), &b = tensor_of(again.outputs, is);
    for (size_t row = 0; row < rows.size(); ++row) {
      for (int64_t column = 0; column < was.columns(); ++column) {
        const uint32_t x = load_code(was, a, was.offset(rows[row], column));
        const uint32_t y = load_code(is, b, is.offset(int64_t(row), column));
        if (x == y) continue;
        char text[192];
        std::snprintf(text, sizeof text, "%s[%lld, %lld] is 0x%x in a batch of %lld rows, and 0x%x as row %zu of %zu",
                      was.label().c_str(), static_cast<long long>(rows[row]), static_cast<long long>(column), x,
                      static_cast<long long>(was.shape[0]), y, row, rows.size());
        return text;
      }
    }
  }
  return "";
}

/// Storage offset of element i, in row-major order.
int64_t place_of(const TensorSpec& spec, int64_t i) {
  int64_t at = spec.offset;
  for (size_t d = spec.shape.size(); d-- > 0; i /= spec.shape[d]) at += i % spec.shape[d] * spec.strides[d];
  return at;
}

/// Describes the first element of `again` that differs from the element of `first` that it must equal.
std::string relation_difference(const Relation& relation, const CallResult& first, const CallResult& again) {
  const HostTensor &a = find(first.outputs, relation.tensor), &b = find(again.outputs, relation.tensor);
  for (size_t i = 0; i < relation.same_as.size(); ++i) {
    const int64_t was = relation.same_as[i];
    if (was == Relation::kAnything) continue;
    const uint32_t x = a.code(place_of(a.spec, was)), y = b.code(place_of(b.spec, int64_t(i)));
    if (x == y) continue;
    const int64_t columns = a.spec.shape.back();
    char text[256];
    std::snprintf(text, sizeof text, "%s[%lld, %lld] is 0x%x, and 0x%x with %s", relation.tensor.c_str(),
                  static_cast<long long>(was / columns), static_cast<long long>(was % columns), x, y, relation.what.c_str());
    return text;
  }
  return "";
}

/// Tests the levels: makes changed calls and compares their outputs with those of the plain call.
class Climber {
 public:
  Climber(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CallRequest& plain,
          const CallResult& first)
      : bound_(bound), one_(one), kernel_(kernel), backend_(backend), plain_(plain), first_(first) {
    if (bound.independent_rows() > 0) before_ = bound.expect(*plain.problem, nullptr);
  }

  Trial same_problem(uint64_t seed_step, LaunchMode mode) const {
    Trial trial;
    CallRequest request = plain_;
    request.mode = mode;
    request.schedule_seed += seed_step;
    const std::optional<CallResult> again = answer_to(backend_, request, trial);
    if (again) trial.broken = call_difference(first_, *again, 2);
    if (again && !trial.broken.empty()) trial.breaks_contract = !agrees(bound_, *plain_.problem, *again);
    return trial;
  }

  Trial related(const Relation& relation) const {
    CallRequest request = plain_;
    request.problem = &relation.problem;
    Trial trial;
    const std::optional<CallResult> result = answer_to(backend_, request, trial);
    if (result) trial.broken = relation_difference(relation, first_, *result);
    return trial;
  }

  Trial other_rows(const std::vector<int64_t>& rows) const {
    const CaseOfRows again = bound_.with_rows(*plain_.problem, rows);
    if (const std::string why_not = why_not_offered(kernel_, with_cells(one_, again.cells)); !why_not.empty())
      return {.absent = why_not};
    CallRequest request = plain_;
    request.problem = &again.problem;
    Trial trial;
    const std::optional<CallResult> result = answer_to(backend_, request, trial);
    if (result) trial.broken = row_difference(before_, first_, again.bound->expect(again.problem, nullptr), *result, rows);
    if (result && !trial.broken.empty()) trial.breaks_contract = !agrees(*again.bound, again.problem, *result);
    return trial;
  }

 private:
  const BoundCase& bound_;
  const Case& one_;
  const KernelOffer& kernel_;
  const Backend& backend_;
  const CallRequest& plain_;
  const CallResult& first_;
  Expectation before_;  ///< says where the rows of the plain call are stored; empty if a row depends on other rows
};

/// Kernels use other block sizes for larger batches: vLLM's norms use 1024 threads per row below 256 rows, then 256.
constexpr int64_t kManyRows = 259;

/// Limit on the rows of a larger batch, so that no tensor exceeds 32 MiB.
int64_t most_rows(const CallRequest& plain) {
  int64_t most = kManyRows;
  for (const HostTensor& tensor : plain.problem->tensors) {
    const int64_t rows = tensor.spec.shape.empty() ? 1 : std::max<int64_t>(1, tensor.spec.shape[0]);
    most = std::min(most, rows * (int64_t{1} << 25) / std::max<int64_t>(1, int64_t(tensor.spec.bytes())));
  }
  return most;
}

/// Makes the trials in order and returns the first that found different bits. If no trial could be made, the result has the
/// reason of the last one.
Trial each(const std::vector<std::function<Trial()>>& tries) {
  Trial all;
  size_t tried = 0;
  for (const auto& attempt : tries) {
    const Trial trial = attempt();
    if (!trial.broken.empty()) return trial;
    if (trial.absent.empty())
      ++tried;
    else
      all.absent = trial.absent;
  }
  if (tried > 0) all.absent.clear();
  return all;
}

}  // namespace

Climb climb(const BoundCase& bound, const Case& one, const KernelOffer& kernel, const Backend& backend, const CallRequest& plain,
            const CallResult& first) {
  const Climber climber(bound, one, kernel, backend, plain, first);
  const auto same = [&](uint64_t seed_step, LaunchMode mode) {
    return [&, seed_step, mode] { return climber.same_problem(seed_step, mode); };
  };
  const auto with_rows = [&](auto rows_of) {
    return [&, rows_of]() -> Trial {
      const int64_t rows = bound.independent_rows();
      if (rows == 0) return {.absent = "the results of a row depend on other rows"};
      return climber.other_rows(rows_of(rows));
    };
  };
  const auto middle_alone = [](int64_t m) { return std::vector<int64_t>{m / 2}; };
  const int64_t most = most_rows(plain);
  const auto twice_and_more = [most](int64_t m) {
    std::vector<int64_t> rows(size_t(std::max(2 * m + 3, std::min(kManyRows, most))));
    for (size_t i = 0; i < rows.size(); ++i) rows[i] = int64_t(i) % m;
    return rows;
  };
  const auto reversed = [](int64_t m) {
    std::vector<int64_t> rows(static_cast<size_t>(m));
    std::iota(rows.rbegin(), rows.rend(), 0);
    return rows;
  };

  std::vector<std::pair<std::string, std::vector<std::function<Trial()>>>> rungs = {
      {"repeat", {same(1, LaunchMode::kDefault), same(2, LaunchMode::kDefault)}},
      {"batch", {with_rows(middle_alone), with_rows(twice_and_more)}},
      {"neighbours", {with_rows(reversed)}}};
  const std::vector<Relation> relations = bound.relations(*plain.problem);
  for (const Relation& relation : relations) {
    if (rungs.back().first != relation.rung) rungs.push_back({relation.rung, {}});
    rungs.back().second.push_back([&] { return climber.related(relation); });
  }
  rungs.push_back({"stream", {same(0, LaunchMode::kStream)}});
  rungs.push_back({"graph", {same(0, LaunchMode::kGraph)}});
  Climb result;
  for (const auto& [name, tries] : rungs) {
    const Trial trial = each(tries);
    if (!trial.broken.empty()) {
      result.broken = name;
      result.message = trial.broken;
      result.breaks_contract = trial.breaks_contract;
      return result;
    }
    if (trial.absent.empty())
      result.held.push_back(name);
    else
      result.absent.emplace_back(name, trial.absent);
  }
  return result;
}

// Calls in a row: calls of one kernel that alternate between several of its cases.

namespace {

constexpr size_t kMostInRow = 8, kMostOfExtents = 3, kMostOfLayout = 2;
constexpr double kSmallCase = 1 << 14;    ///< limit on the product of a case's extents
constexpr double kExtentsInRow = 1 << 20;  ///< limit on the sum of these products over all calls of one kernel
constexpr int kLeastInRow = 5;
constexpr double kMostSeconds = 1;

/// The value of a cell that is a count, or the sum of a list "3;5" of counts; nothing for other cells.
std::optional<double> count_of(const std::string& cell) {
  double sum = 0, number = 0;
  for (const char c : cell) {
    if (c == ';') sum += number, number = 0;
    else if (c >= '0' && c <= '9') number = 10 * number + (c - '0');
    else return std::nullopt;
  }
  return cell.empty() ? std::nullopt : std::optional(sum + number);
}

struct Extents {
  double product = 1;
  std::string text;
};

Extents extents_of(const Case& one) {
  Extents extents;
  for (const auto& [column, cell] : one.parameters) {
    const std::optional<double> count = column == "seed" || column == "warp" ? std::nullopt : count_of(cell);
    if (!count) continue;
    extents.product *= std::max(1.0, *count);
    extents.text += column + '=' + cell + ' ';
  }
  return extents;
}

bool has_one_rank(const Case& one) {
  const auto ranks = one.parameters.find("ranks");
  return ranks == one.parameters.end() || ranks->second == "1";
}

/// "y: 3 of 64 elements are wrong", or the verdict's message if there is one.
std::string wrong_in(const Verdict& verdict) {
  if (!verdict.message.empty()) return verdict.message;
  std::string text;
  for (const TensorFinding& tensor : verdict.tensors)
    if (!tensor.agrees())
      text += (text.empty() ? "" : "; ") + tensor.name + ": " + std::to_string(tensor.outside) + " of " +
              std::to_string(tensor.elements) + " elements are wrong";
  return text;
}

/// A cyclic sequence of the numbers 0 to n - 1 in which each number follows each number directly once. n = 3: 0 0 1 0 2 1 1 2 2.
std::vector<size_t> each_behind_each(size_t n) {
  std::vector<size_t> order;
  for (size_t a = 0; a < n; ++a) {
    order.push_back(a);
    for (size_t b = a + 1; b < n; ++b) order.insert(order.end(), {a, b});
  }
  return order;
}

}  // namespace

std::vector<size_t> cases_in_a_row(const Op& op, const std::vector<const Case*>& cases) {
  std::vector<Extents> extents;
  std::vector<size_t> by_size;
  for (size_t i = 0; i < cases.size(); ++i) {
    extents.push_back(extents_of(*cases[i]));
    if (has_one_rank(*cases[i])) by_size.push_back(i);
  }
  std::stable_sort(by_size.begin(), by_size.end(), [&](size_t a, size_t b) { return extents[a].product < extents[b].product; });
  std::vector<size_t> chosen;
  std::map<std::string, size_t> of_extents, of_layout;
  for (const size_t i : by_size) {
    const Case& one = *cases[i];
    if (chosen.size() == kMostInRow) break;
    if (!chosen.empty() && (one.name.warp != cases[chosen.front()]->name.warp || extents[i].product > kSmallCase)) continue;
    size_t &equal = of_extents[extents[i].text], &alike = of_layout[one.name.contract + '/' + one.name.shape];
    if (equal == kMostOfExtents || alike == kMostOfLayout || (op.has_sweeps && op.bind(one)->is_sweep())) continue;
    ++equal, ++alike;
    chosen.push_back(i);
  }
  return chosen;
}

Climb calls_in_a_row(const Op& op, const KernelOffer& kernel, const Backend& backend, const std::vector<CaseInRow>& cases,
                     int calls, uint64_t schedule_seed) {
  Climb climb;
  double extents = 1;
  for (const CaseInRow& in : cases) extents += extents_of(*in.one).product;
  const double most = kExtentsInRow * double(cases.size()) / extents;
  calls = std::min(calls, std::max(kLeastInRow, int(std::min(most, 1e6))));
  const std::vector<size_t> order = each_behind_each(cases.size());
  const auto begun = std::chrono::steady_clock::now();
  for (int call = 0; call < calls; ++call) {
    const CaseInRow& in = cases[order[size_t(call) % order.size()]];
    const BoundCase& bound = in.data->bound(op, *in.one);
    const Problem& problem = in.data->problem(bound, *in.one);
    const auto contract = in.one->parameters.find("contract");
    const std::string of = contract == in.one->parameters.end() ? "" : contract->second;
    const CallRequest request{in.one->op, of, kernel.name, &problem, schedule_seed};
    const CallResult result = backend.call(request);
    Verdict verdict;
    if (answered(result, verdict)) {
      if (in.answers->agreed_as(result) != nullptr) verdict.outcome = Outcome::kPass;
      else judge_outputs(bound, problem, result, verdict);
      if (verdict.outcome == Outcome::kPass) in.answers->remember(result, {}, {});
    } else if (verdict.outcome == Outcome::kSkip || verdict.outcome == Outcome::kNotJudged) {
      climb.absent.emplace_back("calls", verdict.message);
      return climb;
    }
    if (verdict.outcome != Outcome::kPass) {
      const std::string before =
          call == 0 ? "" : ", directly after " + cases[order[size_t(call - 1) % order.size()]].one->id;
      climb.broken = "calls";
      climb.breaks_contract = true;
      climb.message = "call " + std::to_string(call + 1) + " of a series of calls is wrong: " + in.one->id + before +
                      " (called alone, it is right): " + wrong_in(verdict);
      for (const CaseInRow& other : cases)
        if (&other != &cases.front()) climb.with.push_back(other.one->id);
      return climb;
    }
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    if (call + 1 >= kLeastInRow && taken.count() > kMostSeconds) break;
  }
  climb.held.emplace_back("calls");
  return climb;
}

}  // namespace assay
