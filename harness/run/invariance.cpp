#include <cstdio>
#include <functional>
#include <numeric>
#include <optional>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/run/run.h"
#include "harness/run/run_case.h"

namespace assay {
namespace {

/// Result of testing one level: it holds, it cannot be tested (`absent`), or it is broken.
struct Trial {
  std::string absent{}, broken{};
};

/// Makes a call that must succeed. If it does not, returns nothing and stores the reason in the trial.
std::optional<CallResult> answer_to(const Backend& backend, const CallRequest& request, Trial& trial) {
  CallResult result = backend.call(request);
  if (result.status == CallStatus::kOk) return result;
  (result.status == CallStatus::kUnsupported ? trial.absent : trial.broken) = result.message;
  return std::nullopt;
}

/// The first element of a row whose bits differ between the two batches.
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

/// The first element that breaks the relation.
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

/// The plain call and its result, for comparison with other calls.
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
    return trial;
  }

 private:
  const BoundCase& bound_;
  const Case& one_;
  const KernelOffer& kernel_;
  const Backend& backend_;
  const CallRequest& plain_;
  const CallResult& first_;
  Expectation before_;  ///< accepts the rows as they are; empty if the op's rows are not independent
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

/// The first broken trial. If there is none and no trial could run, the last reason why not.
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
      if (rows == 0) return {.absent = "rows of this op are not independent"};
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
      return result;
    }
    if (trial.absent.empty())
      result.held.push_back(name);
    else
      result.absent.emplace_back(name, trial.absent);
  }
  return result;
}

}  // namespace assay
