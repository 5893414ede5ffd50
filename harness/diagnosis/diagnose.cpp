#include "harness/diagnosis/diagnose.h"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/expectation.h"
#include "harness/diagnosis/visibility.h"
#include "harness/diagnosis/wrong_part.h"
#include "harness/run/run_case.h"

namespace assay {

// Collects positions in a matrix and prints them as ranges of rows and columns.

std::string runs_text(const std::set<int64_t>& numbers) {
  constexpr int kMostRuns = 8;
  std::string text;
  int runs = 0;
  for (auto at = numbers.begin(); at != numbers.end();) {
    const int64_t first = *at;
    int64_t last = first;
    while (++at != numbers.end() && *at == last + 1) ++last;
    if (runs++ == kMostRuns) return text + ", ... (" + std::to_string(numbers.size()) + " in all)";
    text.append(text.empty() ? "" : ", ").append(std::to_string(first));
    if (last > first) text.append("..").append(std::to_string(last));
  }
  return text;
}

std::string PlacesFound::text() const {
  return std::string(rows.size() == 1 ? "row " : "rows ") + runs_text(rows) + "; " +
         (columns.size() == 1 ? "group " : "groups ") + runs_text(columns);
}

// Compares outputs with an answer, element by element, on the steps of a sample.

Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted) {
  if (accepted.any()) return Membership::kAnything;
  const bool there = 0 <= offset && offset < stored;
  const bool holds = there && accepted.holds(*part.format, ordinal(*part.format, load_code(part, tensor, offset)));
  return holds ? Membership::kInside : Membership::kOutside;
}

namespace {

Memberships with_answer(const Answer& answer, const std::vector<HostTensor>& outputs, const Sample& sample) {
  const std::vector<SampleBlock> blocks = blocks_of(sample, answer);
  Memberships all;
  std::vector<std::vector<size_t>> begins;  // per part: the index of the first element of each block
  for (const Part& part : answer.parts) {
    size_t at = 0;
    std::vector<size_t>& begin = begins.emplace_back();
    for (const SampleBlock& block : blocks) {
      begin.push_back(at);
      const auto [first, end] = part.rows_of_steps(block.steps.first, block.steps.end);
      at += size_t((end - first) * (block.has_all_columns() ? part.columns() : block.columns.end - block.columns.first));
    }
    all.parts.emplace_back(at);
  }
  std::mutex mutex;
  for_each_in_parallel(int64_t(blocks.size()), [&](int64_t i) {
    const SampleBlock& at = blocks[size_t(i)];
    const AcceptedBlock block = accepted_in(at, answer);
    std::set<int64_t> outside;
    for (size_t p = 0; p < answer.parts.size(); ++p) {
      const Part& part = answer.parts[p];
      const AcceptedRows& rows = block.parts[p];
      const HostTensor& tensor = tensor_of(outputs, part);
      Membership* found = all.parts[p].data() + begins[p][size_t(i)];
      const int64_t stored = stored_elements(part, tensor);
      for_each_element(at, part, rows, [&](int64_t row, int64_t column, Interval accepted) {
        *found = membership(part, tensor, stored, part.offset(row, column), accepted);
        if (*found++ == Membership::kOutside) outside.insert(row * part.steps_per_row);
      });
    }
    const std::lock_guard lock(mutex);
    all.outside_steps.merge(outside);
    for (const Violation& violation : block.violations) all.violated_steps.insert(violation.step);
  });
  return all;
}

int64_t outside(const Memberships& found) {
  int64_t count = 0;
  for (const std::vector<Membership>& part : found.parts) count += std::count(part.begin(), part.end(), Membership::kOutside);
  return count;
}

}  // namespace

int64_t Memberships::elements() const {
  int64_t sum = 0;
  for (const std::vector<Membership>& part : parts) sum += int64_t(part.size());
  return sum;
}

Memberships memberships(const Expectation& expectation, const std::vector<HostTensor>& outputs, const Sample& sample) {
  Memberships best = with_answer(expectation.any_of.front(), outputs, sample);
  for (size_t i = 1; i < expectation.any_of.size(); ++i) {
    Memberships other = with_answer(expectation.any_of[i], outputs, sample);
    if (outside(other) < outside(best)) best = std::move(other);
  }
  return best;
}

MembershipCounts tally(const Memberships& contract, const Memberships& hypothesis) {
  MembershipCounts sum;
  const auto count = [&](int64_t failing, int64_t explained) {
    sum.failing += failing;
    sum.explained += explained;
    sum.most_of_a_part = sum.most_of_a_part || (failing > 0 && 4 * explained >= 3 * failing);
  };
  for (size_t p = 0; p < contract.parts.size(); ++p) {
    int64_t failing = 0, explained = 0;
    for (size_t i = 0; i < contract.parts[p].size(); ++i) {
      const bool fails = contract.parts[p][i] == Membership::kOutside;
      failing += fails;
      explained += fails && hypothesis.parts[p][i] == Membership::kInside;
      sum.contradicted += !fails && hypothesis.parts[p][i] == Membership::kOutside;
    }
    count(failing, explained);
  }
  int64_t violated = 0, explained = 0;
  for (const int64_t step : contract.violated_steps) {
    if (contract.outside_steps.contains(step)) continue;
    ++violated;
    explained += !hypothesis.violated_steps.contains(step) && !hypothesis.outside_steps.contains(step);
  }
  count(violated, explained);
  for (const int64_t step : hypothesis.violated_steps)
    sum.contradicted += !contract.violated_steps.contains(step) && !contract.outside_steps.contains(step) &&
                        !hypothesis.outside_steps.contains(step);
  return sum;
}

int64_t explained_by_one_alone(const Memberships& contract, const Memberships& one, const Memberships& other) {
  int64_t count = 0;
  for (size_t p = 0; p < contract.parts.size(); ++p)
    for (size_t i = 0; i < contract.parts[p].size(); ++i)
      count += contract.parts[p][i] == Membership::kOutside && one.parts[p][i] == Membership::kInside &&
               other.parts[p][i] != Membership::kInside;
  return count;
}


namespace {

// Checks whether wrong outputs change when the call is repeated. On a back end with a schedule of its own (honours_schedule_seed)
// that is a race between lanes; on others the reason remains open.

/// Repeats a call under other schedules. Empty if the bits stay the same; otherwise a cause as text: "race: ... q at storage
/// element 7: ...", or "unsteady: ..." if the library has no schedule that could have changed.
std::string race_in_words(const Backend& backend, const CallRequest& request);

std::string race_in_words(const Backend& backend, const CallRequest& request) {
  constexpr int kSchedules = 8;
  CallRequest next = request;
  const CallResult first = backend.call(next);
  if (first.status != CallStatus::kOk) return {};
  for (int call = 2; call <= kSchedules; ++call) {
    ++next.schedule_seed;
    const CallResult again = backend.call(next);
    if (again.status != CallStatus::kOk) return {};
    const std::string difference = call_difference(first, again, call);
    if (difference.empty()) continue;
    if (backend.library.honours_schedule_seed)
      return "race: the outputs change with the order in which the lanes run (" + difference + ")";
    return "unsteady: the outputs change from call to call; the kernel keeps state between calls, reads unwritten "
           "memory, or has a race (" + difference + ")";
  }
  return {};
}

}  // namespace

// Functions that a run calls for each verdict.

std::function<Power(const Evidence&)> power_of_data(std::function<const Power*(const Case&)> recorded) {
  struct Known {
    std::once_flag once;
    Power power;
  };
  struct Store {
    std::mutex mutex;
    std::map<std::string, Known> by_data;
  };
  return [recorded = std::move(recorded), store = std::make_shared<Store>()](const Evidence& evidence) {
    if (const Power* const power = recorded(evidence.one)) return *power;
    Known* known = nullptr;
    {
      const std::lock_guard lock(store->mutex);
      known = &store->by_data[evidence.one.data_id()];
    }
    std::call_once(known->once, [&] { known->power = power_of(evidence.bound, evidence.one.blind_to, &evidence.problem); });
    return known->power;
  };
}

std::function<bool(const Verdict&, const std::string&)> exposed_by_data(std::span<const Op> ops, const std::vector<Case>& cases) {
  struct Store {
    std::map<std::string, const Case*> by_id;
    std::map<std::string, std::set<std::string>> mutants;  ///< of each case that was asked for
  };
  const auto store = std::make_shared<Store>();
  for (const Case& one : cases) store->by_id.emplace(one.id, &one);
  return [ops, store](const Verdict& passed, const std::string& mistake) {
    const std::vector<std::string>& blind = passed.power.blind_to;
    if (passed.power.faults == 0 || std::find(blind.begin(), blind.end(), mistake) != blind.end()) return false;
    const auto found = store->by_id.find(passed.case_id);
    if (found == store->by_id.end()) return false;
    const auto [mutants, is_new] = store->mutants.try_emplace(passed.case_id);
    const auto op = std::find_if(ops.begin(), ops.end(), [&](const Op& one) { return one.name == passed.op; });
    if (is_new && op != ops.end())
      for (const Hypothesis& mutant : op->bind(*found->second)->mutants())
        if (!mutant.suspect && mutant.equivalent.empty()) mutants->second.insert(mutant.name);
    return mutants->second.contains(mistake);
  };
}

/// Text for wrong padding, with or without wrong elements.
constexpr const char* kPadding = "padding: left unwritten, or overwritten where it must not change";

static bool padding_is_wrong(const Verdict& verdict) {
  return std::any_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.padding_wrong > 0; });
}

static bool only_padding(const Verdict& verdict) {
  return padding_is_wrong(verdict) && verdict.violations.empty() &&
         std::all_of(verdict.tensors.begin(), verdict.tensors.end(),
                     [](const TensorFinding& finding) { return finding.outside == 0; });
}

/// Partly written outputs: what was written may be at the offsets of another layout.
static bool never_written(const Evidence& evidence, const Verdict& verdict) {
  return verdict.outcome == Outcome::kBroken && evidence.outputs && verdict.tensors.empty();
}

void add_limits(const WorkBudget& budget, Verdict& verdict) {
  if (const std::string limits = budget.words(); !limits.empty())
    verdict.looked_at += (verdict.looked_at.empty() ? "" : "; ") + limits;
}

void add_patterns(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, Verdict& verdict,
                  WorkBudget& budget) {
  std::vector<std::string> of_input, complete, partial, facts;
  for (const Regularity& found : regularities(bound, problem, outputs, budget)) {
    if (found.decides) {
      verdict.causes = {in_words(found)};
      return;
    }
    (!found.input.empty() ? of_input : found.is_fact ? facts : found.complete() ? complete : partial).push_back(in_words(found));
  }
  if (verdict.causes == causes_in_words({}) && of_input.size() + complete.size() + partial.size() > 0) verdict.causes.clear();
  verdict.causes.insert(verdict.causes.begin(), complete.begin(), complete.end());
  // A mutant that explains a part says more than that its inputs are NaN.
  const bool by_mutant = std::any_of(verdict.causes.begin(), verdict.causes.end(),
                                     [](const std::string& words) { return words.starts_with("explains "); });
  verdict.causes.insert(by_mutant ? verdict.causes.end() : verdict.causes.begin(), of_input.begin(), of_input.end());
  verdict.causes.insert(verdict.causes.end(), partial.begin(), partial.end());
  verdict.causes.insert(verdict.causes.end(), facts.begin(), facts.end());
}

Backend shared_between_threads(Backend backend) {
  backend.call = [mutex = std::make_shared<std::mutex>(), call = std::move(backend.call)](const CallRequest& request) {
    const std::lock_guard lock(*mutex);
    return call(request);
  };
  return backend;
}

std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend, int64_t budget_of_case) {
  return [&backend, budget_of_case](const Evidence& evidence, Verdict& verdict) {
    if (budget_of_case == 0) return;
    WorkBudget budget(budget_of_case);
    if (never_written(evidence, verdict)) {
      const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample, &budget);
      if (!causes.empty() && causes.front().complete()) verdict.causes = causes_in_words(causes);
      return;
    }
    if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
    if (only_padding(verdict)) {
      verdict.causes = {std::string(kPadding) + "; every element is right"};
      return;
    }
    const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample, &budget);
    verdict.causes = causes_in_words(causes);
    if (causes.empty()) {
      const std::string situation = evidence.bound.situation(evidence.problem, *evidence.outputs);
      if (!situation.empty()) verdict.causes = {situation};
    }
    if (causes.empty() || !causes.front().complete()) {
      const CallRequest request{evidence.one.op, evidence.one.text("contract"), verdict.kernel, &evidence.problem, 1};
      if (const std::string race = race_in_words(backend, request); !race.empty())
        verdict.causes = {race};
      else
        add_patterns(evidence.bound, evidence.problem, *evidence.outputs, verdict, budget);
    }
    add_limits(budget, verdict);
    if (padding_is_wrong(verdict)) verdict.causes.emplace_back(kPadding);
  };
}

}  // namespace assay
