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
#include "harness/diagnosis/structure.h"
#include "harness/diagnosis/visibility.h"
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

namespace {

// Compares outputs with an answer, element by element, on the steps of a sample.

Membership membership(const Part& part, const HostTensor& tensor, int64_t stored, int64_t offset, Interval accepted) {
  if (accepted.any()) return Membership::kAnything;
  const bool there = 0 <= offset && offset < stored;
  const bool holds = there && accepted.holds(*part.format, ordinal(*part.format, load_code(part, tensor, offset)));
  return holds ? Membership::kInside : Membership::kOutside;
}

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

// Detects zeros of the wrong sign, an error that can occur under every contract.

/// Whether -0 and +0 have adjacent ordinals. False for a format with a single zero.
bool has_two_zeros(const Format& format) {
  return format.has_sign() && decode(format, code_from_ordinal(format, ordinal(format, 0) - 1)) == 0;
}

/// Codes that are accepted where the contract expects a zero.
enum class Zeros {
  kEither,        ///< both signs
  kMinusForPlus,  ///< both signs where +0 is expected
  kPlusForMinus,  ///< both signs where -0 is expected
  kOtherSign      ///< the other sign alone, where only one is expected
};

void accept_zeros(Zeros zeros, const Format& format, AcceptedRows& rows) {
  if (!has_two_zeros(format)) return;
  const int32_t plus = ordinal(format, 0), minus = plus - 1;
  if (rows.high.empty()) rows.high = rows.low;
  for (size_t i = 0; i < rows.low.size(); ++i) {
    int32_t &low = rows.low[i], &high = rows.high[i];
    if (zeros == Zeros::kOtherSign) {
      if (low == high && (low == plus || low == minus)) low = high = low == plus ? minus : plus;
      continue;
    }
    if (low == plus && zeros != Zeros::kPlusForMinus) low = minus;
    if (high == minus && zeros != Zeros::kMinusForPlus) high = plus;
  }
}

/// The same answers with other zeros.
Expectation with_zeros(Zeros zeros, const Expectation& right) {
  Expectation edited = right;
  for (Answer& answer : edited.any_of) {
    std::vector<const Format*> formats;
    for (const Part& part : answer.parts) formats.push_back(part.format);
    const auto with = [formats, zeros](AcceptedBlock block) {
      for (size_t p = 0; p < block.parts.size(); ++p) accept_zeros(zeros, *formats[p], block.parts[p]);
      return block;
    };
    answer.accepted = [accepted = answer.accepted, with](int64_t first, int64_t end) { return with(accepted(first, end)); };
    answer.glimpse = nullptr;
    if (answer.of_columns)
      answer.of_columns = [of_columns = answer.of_columns, with](int64_t first, int64_t end, int64_t first_column,
                                                                 int64_t end_column) {
        return with(of_columns(first, end, first_column, end_column));
      };
  }
  return edited;
}

// Finds why a kernel's outputs are wrong: which mutants of the contract reproduce them, alone or in pairs.

constexpr size_t kWorthNaming = 3;
/// Limits for pairs of hypotheses: how many first members, and how many elements all pairs of a case may cost. Where none may be
/// tried, hypotheses are tried on a few failing steps first.
constexpr int64_t kMostFirsts = 12, kElementsOfPairs = int64_t(1) << 26;

/// A hypothesis and its comparison with the outputs.
struct Tried {
  Hypothesis hypothesis;
  Memberships held;
  MembershipCounts result;
};

class Search {
 public:
  Search(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, const Expectation& right,
         const Sample& sample)
      : bound_(bound),
        problem_(problem),
        outputs_(outputs),
        right_(right),
        sample_(sample),
        contract_(memberships(right, outputs, sample)) {
    std::vector<Hypothesis> hypotheses = bound.mutants();
    // Of two that explain as much, a suspect stands behind.
    std::stable_partition(hypotheses.begin(), hypotheses.end(), [](const Hypothesis& one) { return !one.suspect; });
    const bool has_pairs = most_firsts(hypotheses.size()) > 0;
    const Sample few = has_pairs ? Sample() : few_failing_steps();
    const Memberships contract_in_few = few.steps.empty() ? Memberships() : memberships(right, outputs, few);
    for (Hypothesis& hypothesis : hypotheses) {
      if (!hypothesis.equivalent.empty()) continue;
      const Expectation edited = hypothesis.expect(problem, &outputs);
      if (!few.steps.empty() && tally(contract_in_few, memberships(edited, outputs, few)).explained == 0) continue;
      Tried tried{std::move(hypothesis), memberships(edited, outputs, sample), {}};
      tried.result = tally(contract_, tried.held);
      if (!has_pairs) tried.held = {};
      alone_.push_back(std::move(tried));
    }
  }

  std::vector<Cause> causes() {
    int64_t least_left = tally(contract_, contract_).failing;
    for (const Tried& tried : alone_) {
      if (!worth_naming(tried.result, tried.hypothesis)) continue;
      least_left = std::min(least_left, tried.result.left());
      causes_.push_back(cause_of(tried.result, {mistake(tried.hypothesis, tried.result.explained)}));
    }
    wrong_zeros();
    if (least_left > 0 && !in_a_situation())
      for (const Tried* first : firsts()) pairs_from(*first, least_left);
    std::stable_sort(causes_.begin(), causes_.end(), [](const Cause& a, const Cause& b) { return a.left() < b.left(); });
    return std::move(causes_);
  }

 private:
  /// Detects a cause that is no mutant: every wrong element is a zero of the wrong sign. A kernel loses a sign, adds one, or
  /// turns all of them. If some zeros changed in one direction, some in the other and some not at all, signs are not what went
  /// wrong.
  void wrong_zeros() {
    const auto result_of = [&](Zeros zeros) {
      return tally(contract_, memberships(with_zeros(zeros, right_), outputs_, sample_));
    };
    const MembershipCounts result = result_of(Zeros::kEither);
    if (result.failing == 0 || result.left() > 0) return;
    const std::array<Zeros, 3> ways = {Zeros::kMinusForPlus, Zeros::kPlusForMinus, Zeros::kOtherSign};
    if (std::none_of(ways.begin(), ways.end(), [&](Zeros zeros) { return result_of(zeros).left() == 0; })) return;
    causes_.push_back(cause_of(result, {{"zeros: of the other sign", "zeros: of the other sign", result.explained}}));
  }

  /// Whether a tensor speaks against a hypothesis that explains another tensor: the codes that it expects there, and the contract
  /// does not, are never found.
  bool refuted(const Hypothesis& hypothesis) const {
    constexpr int64_t kFewest = 4;
    const Expectation edited = hypothesis.expect(problem_, &outputs_);
    if (edited.any_of.size() != 1 || right_.any_of.size() != 1) return false;
    const Answer &contract = right_.any_of.front(), &other = edited.any_of.front();
    if (contract.parts.size() != other.parts.size() || contract.steps != other.steps) return false;
    std::vector<int64_t> found(contract.parts.size()), neither(contract.parts.size());
    for (const SampleBlock& at : blocks_of(sample_, contract)) {
      const AcceptedBlock of_contract = accepted_in(at, contract), of_other = accepted_in(at, other);
      for (size_t p = 0; p < contract.parts.size(); ++p) {
        const Part& part = contract.parts[p];
        if (part.shape != other.parts[p].shape) continue;
        const HostTensor& tensor = tensor_of(outputs_, part);
        const int64_t stored = stored_elements(part, tensor);
        std::vector<Interval> expected;
        for_each_element(at, part, of_other.parts[p], [&](int64_t, int64_t, Interval one) { expected.push_back(one); });
        size_t i = 0;
        for_each_element(at, part, of_contract.parts[p], [&](int64_t row, int64_t column, Interval accepted) {
          if (const Interval one = expected[i++]; !one.meets(accepted)) {
            const int64_t offset = part.offset(row, column);
            const bool fails = membership(part, tensor, stored, offset, accepted) == Membership::kOutside;
            const bool holds = membership(part, tensor, stored, offset, one) == Membership::kInside;
            found[p] += holds, neither[p] += fails && !holds;
          }
        });
      }
    }
    for (size_t p = 0; p < found.size(); ++p)
      if (found[p] == 0 && neither[p] >= kFewest) return true;
    return false;
  }
  bool worth_naming(const MembershipCounts& result, const Hypothesis& hypothesis) const {
    return result.counts() && (result.left() == 0 || !refuted(hypothesis));
  }

  Mistake mistake(const Hypothesis& hypothesis, int64_t needed) const {
    return {hypothesis.name, hypothesis.in_words ? hypothesis.in_words(outputs_) : hypothesis.name, needed};
  }

  static Cause cause_of(const MembershipCounts& result, std::vector<Mistake> mistakes) {
    return {std::move(mistakes), result.failing, result.explained, result.contradicted};
  }

  /// Of a large output: some failing steps. A hypothesis that explains none of their elements does not explain most of them all.
  Sample few_failing_steps() const {
    constexpr size_t kSteps = 4;
    const std::vector<int64_t> failing(contract_.outside_steps.begin(), contract_.outside_steps.end());
    const std::vector<Part>& parts = right_.any_of.front().parts;
    const bool whole_rows = std::all_of(parts.begin(), parts.end(), [](const Part& part) { return part.steps_per_row == 1; });
    if (failing.size() < 2 * kSteps || !whole_rows || !contract_.violated_steps.empty()) return {};
    Sample few;
    few.of = sample_.of, few.columns = sample_.columns, few.of_columns = sample_.of_columns, few.failing = kSteps;
    for (size_t i = 0; i < kSteps; ++i)
      few.steps.push_back({failing[i * failing.size() / kSteps], failing[i * failing.size() / kSteps] + 1});
    return few;
  }

  /// An element of a GEMM costs as much as its multiply-accumulates.
  int64_t most_firsts(size_t hypotheses) const {
    constexpr int64_t kProductsOfElement = 8;
    const int64_t elements = (1 + contract_.elements()) * (1 + right_.any_of.front().products / kProductsOfElement);
    return std::min(kMostFirsts, kElementsOfPairs / (elements * int64_t(hypotheses + 1)));
  }

  /// First members of pairs: the hypotheses that leave least unexplained and those that explain most, as many as time allows.
  std::vector<const Tried*> firsts() const {
    const int64_t most = most_firsts(alone_.size());
    std::vector<const Tried*> candidates, chosen;
    for (const Tried& tried : alone_)
      if (tried.hypothesis.with_another && tried.result.explained > 0) candidates.push_back(&tried);
    const auto take = [&](auto before) {
      std::stable_sort(candidates.begin(), candidates.end(), before);
      for (int64_t i = 0; i < std::min(most, int64_t(candidates.size())); ++i)
        if (std::find(chosen.begin(), chosen.end(), candidates[size_t(i)]) == chosen.end())
          chosen.push_back(candidates[size_t(i)]);
    };
    take([](const Tried* a, const Tried* b) { return a->result.left() < b->result.left(); });
    take([](const Tried* a, const Tried* b) { return a->result.explained > b->result.explained; });
    return chosen;
  }

  const Tried* find_alone(const std::string& name) const {
    for (const Tried& tried : alone_)
      if (tried.hypothesis.name == name) return &tried;
    return nullptr;
  }

  void pairs_from(const Tried& first, int64_t least_left) {
    for (const Hypothesis& pair : first.hypothesis.with_another()) {
      const Tried* second = find_alone(pair.name);
      if (!second || !tried_pairs_.insert(std::minmax(first.hypothesis.name, pair.name)).second) continue;
      const Memberships held = memberships(pair.expect(problem_, &outputs_), outputs_, sample_);
      const MembershipCounts result = tally(contract_, held);
      if (2 * result.left() > least_left || !worth_naming(result, pair)) continue;
      const int64_t need_first = explained_by_one_alone(contract_, held, second->held);
      const int64_t need_second = explained_by_one_alone(contract_, held, first.held);
      if (need_first == 0 || need_second == 0) continue;
      causes_.push_back(cause_of(result, {mistake(first.hypothesis, need_first), mistake(pair, need_second)}));
    }
  }

  /// If the op recognizes a failure signature, pairs that explain some elements by chance are not tried.
  bool in_a_situation() const {
    return causes_.empty() && !bound_.situation(problem_, outputs_).empty();
  }

  const BoundCase& bound_;
  const Problem& problem_;
  const std::vector<HostTensor>& outputs_;
  const Expectation& right_;
  const Sample& sample_;
  const Memberships contract_;
  std::vector<Tried> alone_;
  std::set<std::pair<std::string, std::string>> tried_pairs_;
  std::vector<Cause> causes_;
};

std::string in_words(const Cause& cause) {
  const std::string only = cause.explained < cause.failing ? "only " : "";
  std::string line =
      "explains " + only + std::to_string(cause.explained) + " of " + std::to_string(cause.failing) + " failing elements";
  if (cause.contradicted > 0) line += " and contradicts " + std::to_string(cause.contradicted) + " good ones";
  for (const Mistake& mistake : cause.mistakes) {
    line += (&mistake == &cause.mistakes.front() ? ": " : "; and ") + mistake.words;
    if (cause.mistakes.size() > 1) line += " (needed for " + std::to_string(mistake.needed) + ")";
  }
  return line;
}

}  // namespace

std::vector<Cause> diagnose(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs,
                            const Sample* sample) {
  const Expectation right = bound.expect(problem, &outputs);
  return Search(bound, problem, outputs, right, sample ? *sample : all_steps(right.any_of.front())).causes();
}

std::vector<std::string> causes_in_words(const std::vector<Cause>& causes) {
  if (causes.empty()) return {"no known cause"};
  const Cause& best = causes.front();
  std::vector<std::string> words;
  for (const Cause& cause : causes) {
    // A hypothesis that explains less than half of what the best one explains is noise.
    if (words.size() == kWorthNaming || 2 * (cause.explained - cause.contradicted) < best.explained - best.contradicted) break;
    if (best.complete() && !cause.complete()) break;
    words.push_back(in_words(cause));
  }
  return words;
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

void add_patterns(const BoundCase& bound, const Problem& problem, const std::vector<HostTensor>& outputs, Verdict& verdict) {
  std::vector<std::string> of_input, complete, partial, facts;
  for (const Regularity& found : regularities(bound, problem, outputs)) {
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

std::function<void(const Evidence&, Verdict&)> look_for_causes(const Backend& backend) {
  return [&backend](const Evidence& evidence, Verdict& verdict) {
    if (never_written(evidence, verdict)) {
      const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample);
      if (!causes.empty() && causes.front().complete()) verdict.causes = causes_in_words(causes);
      return;
    }
    if (verdict.outcome != Outcome::kFail || !evidence.outputs || verdict.tensors.empty()) return;
    if (only_padding(verdict)) {
      verdict.causes = {std::string(kPadding) + "; every element is right"};
      return;
    }
    const std::vector<Cause> causes = diagnose(evidence.bound, evidence.problem, *evidence.outputs, evidence.sample);
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
        add_patterns(evidence.bound, evidence.problem, *evidence.outputs, verdict);
    }
    if (padding_is_wrong(verdict)) verdict.causes.emplace_back(kPadding);
  };
}

}  // namespace assay
