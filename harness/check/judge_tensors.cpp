#include "harness/check/judge_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <charconv>
#include <cmath>
#include <iterator>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "harness/compare/compare.h"
#include "harness/core/case.h"
#include "harness/core/op.h"
#include "harness/diagnosis/diagnose.h"
#include "harness/diagnosis/programs.h"
#include "harness/diagnosis/visibility.h"
#include "harness/dump/dump.h"
#include "harness/fill/fill.h"
#include "harness/report/causes.h"
#include "harness/report/console.h"
#include "harness/run/run_case.h"
#include "harness/text/messages.h"
#include "reference/contracts/contract_rows.h"
#include "reference/formats/catalogue.h"
#include "reference/table/near.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

// The verdict on tensors that a kernel computed, and the mutation score of their inputs.

/// If the first input has more than kMostElementsOfPower elements, or if the check is costly, the mutation score is computed on a
/// sample of rows: about kMostElementsOfPower elements at most, at least one row, and at most kMostRowsOfPower rows.
constexpr int64_t kMostElementsOfPower = int64_t{1} << 14, kMostRowsOfPower = 8;
/// Limit on the cost of the mutation score, and on that of the comparison with one other contract; in units of WorkBudget.
constexpr int64_t kMostWork = WorkBudget::kShort;

/// A case whose data are the user's.
class WithData : public ForwardedCase {
 public:
  WithData(std::shared_ptr<const BoundCase> to, const Problem& problem) : ForwardedCase(std::move(to)), problem_(problem) {}
  Problem problem() const override { return problem_; }
  std::unique_ptr<const BoundCase> excerpt() const override { return nullptr; }

 private:
  const Problem& problem_;
};

Power power_of_problem(std::shared_ptr<const BoundCase> bound, const Problem& problem) {
  return power_of(WithData(std::move(bound), problem), {}, &problem);
}

/// Returns the indices of evenly spread rows of a large problem. `work`: work units for one row with all mutants.
std::vector<int64_t> rows_of_power(int64_t rows, int64_t elements, int64_t work) {
  const int64_t few = std::clamp(std::min(kMostElementsOfPower / std::max<int64_t>(1, elements / rows), kMostWork / work),
                                 int64_t{1}, std::min(rows, kMostRowsOfPower));
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < few; ++i) chosen.push_back(i * rows / few);
  return chosen;
}

void add_power(const DumpedCall& call, TensorsVerdict& judged) {
  const Problem& problem = call.problem;
  const int64_t elements = problem.tensors.front().spec.elements(), rows = call.dump.bound->independent_rows();
  const int64_t work =
      std::max<int64_t>(1, judged.work / std::max<int64_t>(1, rows)) * (1 + int64_t(call.judging->mutants().size()));
  if (elements <= kMostElementsOfPower && judged.work <= kMostWork / 8) {
    judged.verdict.power = power_of_problem(call.judging, problem);
    return;
  }
  if (rows <= 0) {
    judged.notes.push_back("the mutation score was not computed: the inputs are large and their rows depend on each other");
    return;
  }
  if (work > 4 * kMostWork) {
    judged.notes.push_back("the mutation score was not computed: k of the GEMM is so large that one row takes too much work");
    return;
  }
  const std::vector<int64_t> chosen = rows_of_power(rows, elements, work);
  CaseOfRows some = call.dump.bound->with_rows(problem, chosen);
  judged.verdict.power =
      power_of_problem(without_unseen_padding(std::shared_ptr<const BoundCase>(std::move(some.bound)), {}), some.problem);
  judged.notes.push_back(fmt::format("the mutation score was computed on {} of {} rows", chosen.size(), rows));
}

/// True for a cause "explains 7 of 7 failing elements: ...": it explains all failing elements, and no right element contradicts
/// it.
bool explains_all(const std::string& cause) {
  const std::optional<ToldCause> told = parse_cause(cause);
  return told && told->complete();
}

std::string power_note(const Power& power) {
  if (power.faults == 0) return "";
  std::string text = fmt::format("these inputs expose {} of {} mutants", power.seen(), power.faults);
  constexpr size_t kMostNamed = 4;
  for (size_t i = 0; i < std::min(kMostNamed, power.blind_to.size()); ++i)
    text += (i == 0 ? "; not: " : "; ") + power.blind_to[i];
  if (power.blind_to.size() > kMostNamed) text += fmt::format("; and {} more", power.blind_to.size() - kMostNamed);
  return text;
}

std::array<int64_t, 2> matrix_of(const TensorSpec& spec) {
  const int64_t columns = spec.shape.size() > 1 ? spec.shape.back() : 1;
  return {spec.elements() / std::max<int64_t>(1, columns), columns};
}

/// Row and column of the worst wrong element, as indices of the first tensor. For a scale: those of the first element of its
/// group.
std::array<int64_t, 2> worst_element(const Verdict& verdict, const std::array<int64_t, 2>& shape) {
  for (const TensorFinding& finding : verdict.tensors) {
    if (finding.outside == 0 || finding.worst.at[0] >= shape[0]) continue;
    const int64_t apart = std::max<int64_t>(1, shape[1] / std::max<int64_t>(1, finding.shape[1]));
    return {finding.worst.at[0], std::min(shape[1] - 1, finding.worst.at[1] * apart)};
  }
  return {0, 0};
}

}  // namespace

/// A note if at least 90 % of the scales have the same value, so that exchanged scales would hardly show; otherwise empty.
static std::string one_value_note(const HostTensor& scale, const Verdict& verdict) {
  constexpr int64_t kFewest = 16;
  const auto finding = std::find_if(verdict.tensors.begin(), verdict.tensors.end(),
                                    [&](const TensorFinding& one) { return one.name == scale.spec.name; });
  if (!scale.spec.name.starts_with("scale") || finding == verdict.tensors.end() || finding->outside > 0 ||
      finding->elements < kFewest)
    return "";
  const CodeMatrix matrix = code_matrix(scale);
  const bool words = *scale.spec.format == kInt32;
  std::map<uint32_t, int64_t> times;
  for (size_t i = 0; i < matrix.codes.size(); ++i)
    for (int64_t byte = 0; byte < (words ? 4 : 1); ++byte) {
      const int64_t group = int64_t(i) % matrix.columns * 4 + byte;
      if (!words || group < finding->shape[1]) ++times[words ? matrix.codes[i] >> (8 * byte) & 0xff : matrix.codes[i]];
    }
  int64_t all = 0, most = 0;
  for (const auto& [code, count] : times) all += count, most = std::max(most, count);
  if (10 * most < 9 * all) return "";
  return fmt::format("{} of {} scales have the same value, so these data hardly show whether scales are exchanged", most, all);
}

static int64_t work_of(const BoundCase& bound, const DumpedCall& call) {
  const Expectation right = bound.expect(call.problem, &call.result.outputs);
  const Answer& answer = right.any_of.front();
  return answer.elements() * work_of_element(answer);
}

TensorsVerdict judge_tensors(const DumpedCall& call, const std::string& repro, WithPower with_power, const CauseSearch& search) {
  const DumpCase& dump = call.dump;
  TensorsVerdict judged{blank_verdict(dump.one, "", ""), call.notes};
  Verdict& verdict = judged.verdict;
  verdict.kernel = "unknown kernel";
  verdict.backend = "dump";
  verdict.origin = dump.one.origin.file;
  verdict.repro = repro;
  const Sample sample = judge_outputs(*call.judging, call.problem, call.result, verdict, Remarks::kOfAll);
  const bool elements_wrong =
      std::any_of(verdict.tensors.begin(), verdict.tensors.end(), [](const TensorFinding& f) { return f.outside > 0; });
  if (verdict.outcome == Outcome::kFail && search.before) search.before(verdict);
  if (verdict.outcome == Outcome::kFail && elements_wrong && search.budget > 0) {
    WorkBudget budget(search.budget);
    const std::vector<Cause> causes = diagnose(*call.judging, call.problem, call.result.outputs, &sample, &budget);
    verdict.causes = causes_in_words(causes);
    if (causes.empty() || !causes.front().complete())
      add_patterns(*call.judging, call.problem, call.result.outputs, verdict, budget);
    add_limits(budget, verdict);
  }
  judged.work = work_of(*call.judging, call);
  judged.unchecked = call.unchecked;
  for (const HostTensor& output : call.result.outputs)
    if (const std::string note = one_value_note(output, verdict); !note.empty()) judged.notes.push_back(note);
  if (with_power == WithPower::kYes) add_power(call, judged);
  return judged;
}

std::string tensors_text(const TensorsVerdict& judged) {
  std::string text = failure_text(judged.verdict);
  if (!judged.unchecked.empty()) text.insert(std::min(text.find('\n'), text.size()), "   NOT CHECKED: " + judged.unchecked);
  for (const std::string& note : judged.notes) text += fmt::format("  note      {}\n", note);
  const std::string power = power_note(judged.verdict.power);
  return power.empty() ? text : text + fmt::format("  power     {}\n", power);
}

std::string explain_tensors(const DumpedCall& call, int64_t row, int64_t column) {
  const TensorsVerdict judged = judge_tensors(call, "", WithPower::kNo);
  std::string text = tensors_text(judged) + fmt::format("\ncontract {}\n", judged.verdict.contract);
  for (const std::string& line : call.dump.bound->formulas()) text += fmt::format("  {}\n", line);
  const std::array<int64_t, 2> shape = matrix_of(call.problem.tensors.front().spec);
  const std::array<int64_t, 2> at = row < 0 ? worst_element(judged.verdict, shape) : std::array<int64_t, 2>{row, column};
  if (at[0] >= shape[0] || at[1] < 0 || at[1] >= shape[1])
    throw UsageError(fmt::format("element [{}, {}]: expected one of [{}, {}]", at[0], at[1], shape[0], shape[1]));
  text += fmt::format("\ntrace of element [{}, {}]\n", at[0], at[1]);
  for (const std::string& line : call.dump.bound->trace(call.problem, at[0], at[1])) text += fmt::format("  {}\n", line);
  return text;
}

namespace {

// Search for the contracts that a user's tensors obey, and for the algorithm that computed a GEMM.

/// If the outputs have more elements than kMostElements, kRowsOfLarge evenly spread rows are compared first. These rows suffice
/// to refute most contracts and to identify the algorithm.
constexpr int64_t kMostElements = int64_t{1} << 16, kRowsOfLarge = 8;

using Held = MatchedContract;

/// The rows that are compared first. Empty if the outputs are small, or if rows depend on each other.
std::vector<int64_t> rows_looked_at(const DumpedCall& call) {
  const int64_t all = call.dump.bound->independent_rows();
  if (call.result.outputs.front().spec.elements() <= kMostElements || all <= kRowsOfLarge) return {};
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < kRowsOfLarge; ++i) chosen.push_back(i * all / kRowsOfLarge);
  return chosen;
}

/// The call reduced to these rows; `outputs` receives the outputs of these rows.
CaseOfRows with_outputs_of(const DumpedCall& call, const std::vector<int64_t>& rows, std::vector<HostTensor>& outputs) {
  outputs = call.result.outputs;
  Problem with_outputs = call.problem;
  for (HostTensor& tensor : with_outputs.tensors)
    for (const HostTensor& output : outputs)
      if (tensor.spec.name == output.spec.name) tensor.bytes = output.bytes;
  CaseOfRows some = call.dump.bound->with_rows(with_outputs, rows);
  for (HostTensor& output : outputs) output = find(some.problem.tensors, output.spec.name);
  return some;
}

/// The first columns of the rows that are compared, and the factor by which each further part of the sample grows.
constexpr int64_t kFirstColumns = 32, kMoreColumns = 4;
/// Limit on the multiply-accumulates of one variant for the sample of a contract whose elements are expensive.
constexpr int64_t kMostProductsOfSample = int64_t{1} << 26;

/// All columns in a random order that only depends on their number.
std::vector<int64_t> shuffled_columns(int64_t columns) {
  std::vector<int64_t> order(static_cast<size_t>(columns));
  std::iota(order.begin(), order.end(), int64_t{0});
  const Random random(1, 0);
  for (int64_t i = columns - 1; i > 0; --i) std::swap(order[size_t(i)], order[size_t(random.below(i + 1, i))]);
  return order;
}

/// Compares the rows with an answer whose elements are expensive: in a few columns, then in more and more of the others, until
/// there is a wrong element. Most contracts that the outputs do not obey are refuted by the first columns. An element is wrong
/// only after all variants of the contract, and right after the first that explains it.
void compare_few_elements(const DumpedCall& call, const Answer& answer, const CallResult& result, Held& held) {
  const int64_t rows = answer.steps, columns = answer.parts.front().columns();
  const std::vector<int64_t> order = shuffled_columns(columns);
  const int64_t most =
      std::clamp(kMostProductsOfSample / std::max<int64_t>(1, answer.products * rows), std::min(kFirstColumns, columns), columns);
  std::atomic<int64_t> wrong = 0;
  int64_t done = 0;
  for (int64_t end = kFirstColumns; done < most && wrong == 0; end *= kMoreColumns) {
    const int64_t next = std::min(end, most);
    for_each_in_parallel(next - done, [&](int64_t i) {
      const int64_t column = order[size_t(done + i)];
      wrong += count_wrong_in({{0, rows}, {column, column + 1}}, answer, result.outputs);
    });
    done = next;
  }
  if (wrong == 0) return;
  const Part& part = answer.parts.front();
  TensorFinding finding;
  finding.name = part.label(), finding.format = part.format->name, finding.shape = {rows, done};
  finding.elements = rows * done, finding.outside = wrong, finding.reason = part.justification;
  held.verdict.tensors = {finding};
  held.verdict.outcome = Outcome::kFail;
  if (done == columns) {
    held.looked_at = rows, held.of_all = call.dump.bound->independent_rows();
  } else {
    held.looked_at = rows * done, held.of_all = call.result.outputs.front().spec.elements(), held.sample_of = "elements";
  }
}

/// Compares a few rows with the contract and returns their number; 0 if the caller must compare all rows instead. If these rows
/// refute the contract, `held` gets the verdict on them.
size_t compare_few_rows(const DumpedCall& call, Held& held) {
  const std::vector<int64_t> rows = rows_looked_at(call);
  if (rows.empty()) return 0;
  CallResult result;
  CaseOfRows some = with_outputs_of(call, rows, result.outputs);
  // For some ops, with_rows() does not copy the bytes of outputs; then all rows are compared.
  if (std::any_of(result.outputs.begin(), result.outputs.end(),
                  [](const HostTensor& one) { return one.bytes.size() != one.spec.bytes(); }))
    return 0;
  result.untouched.resize(result.outputs.size()), result.in_place.assign(result.outputs.size(), true);
  const std::shared_ptr<const BoundCase> bound =
      without_unseen_padding(std::shared_ptr<const BoundCase>(std::move(some.bound)), {});
  const Expectation expectation = bound->expect(some.problem, &result.outputs);
  if (expectation.any_of.size() == 1 && expectation.any_of.front().enough_for) {
    compare_few_elements(call, expectation.any_of.front(), result, held);
    return rows.size();
  }
  judge_outputs(*bound, some.problem, result, held.verdict, Remarks::kNone);
  if (held.obeys())
    held.verdict = blank_verdict(call.dump.one, "", "");
  else
    held.looked_at = int64_t(rows.size()), held.of_all = call.dump.bound->independent_rows();
  return rows.size();
}

/// Calls `compare`. If this shows that the tensors do not fit the contract, adds the reason to `reasons` and returns false.
template <class Compare>
bool fits(const std::string& contract, ReasonsByContract& reasons, Compare compare) {
  try {
    compare();
    return true;
  } catch (const MissingRole& missing) {
    reasons[std::string("no tensor ") + missing.role].push_back(contract);
  } catch (const UsageError& error) {
    reasons[error.what()].push_back(contract);
  } catch (const TableError& error) {
    reasons[error.what()].push_back(contract);
  }
  return false;
}

/// Compares all rows with the contracts that the sample does not refute.
void compare_all_rows(MatchedContracts& matched, const MatchProgress& progress) {
  std::vector<Held>& asked = matched.asked;
  std::vector<Held*> left;
  for (Held& held : asked)
    if (held.looked_at == 0) left.push_back(&held);
  std::set<const Held*> unfit;
  for (size_t i = 0; i < left.size(); ++i) {
    Held& held = *left[i];
    if (progress.compared) progress.compared(i, left.size(), held.contract);
    if (!fits(held.contract, matched.reasons,
              [&] { judge_outputs(*held.call.judging, held.call.problem, held.call.result, held.verdict, Remarks::kNone); }))
      unfit.insert(&held);
  }
  std::vector<Held> fitting;
  for (Held& held : asked) {
    held.outside = elements_outside(held.verdict);
    if (!unfit.contains(&held)) fitting.push_back(std::move(held));
  }
  asked = std::move(fitting);
}

/// Names the algorithms that could have computed the outputs, including those that the compared contracts do not admit.
std::string programs_text(const std::vector<Held>& ranked) {
  std::string text, nearest, untried;
  std::set<std::string> tried;  // to list each algorithm once, though several contracts share it
  for (const Held& held : ranked) {
    const std::vector<int64_t> chosen = rows_looked_at(held.call);
    std::vector<HostTensor> outputs = held.call.result.outputs;
    std::optional<CaseOfRows> some;
    if (!chosen.empty()) some = with_outputs_of(held.call, chosen, outputs);
    const std::string rows =
        some ? fmt::format(" (looked at {} of {} rows)", chosen.size(), held.call.dump.bound->independent_rows()) : "";
    Expectation programs = some ? some->bound->programs(some->problem) : held.call.dump.bound->programs(held.call.problem);
    const std::string& id = held.call.dump.one.id;
    const std::string shape = held.op->name + id.substr(id.find('/', id.find('/') + 1));
    std::erase_if(programs.any_of, [&](const Answer& one) { return !tried.insert(shape + one.program).second; });
    if (programs.any_of.empty()) continue;
    const std::vector<std::string> names = programs_that_made(programs, outputs);
    for (const std::string& line : made_by_lines(names)) text += fmt::format("  {}{}\n", line, rows);
    if (!names.empty()) return text;
    const std::vector<std::string> pieces = pieces_that_made(programs, outputs);
    if (pieces.size() > 1) {
      text += fmt::format("  made by   several algorithms{}\n", rows);
      for (const std::string& piece : pieces) text += fmt::format("            {}\n", piece);
      return text;
    }
    if (nearest.empty() && !pieces.empty()) nearest = pieces.front() + rows, untried = held.op->untried;
  }
  if (!nearest.empty()) text += fmt::format("  made by   no known algorithm; {}\n", nearest);
  if (!untried.empty()) text += fmt::format("  not tried {}\n", untried);
  return text;
}

}  // namespace

/// The first tensor whose name is not a role of the op; empty if all are.
static std::string unused_role(const Op& op, const DumpedRoles& roles) {
  for (const auto& [key, tensor] : roles) {
    const std::string name = name_and_rank(key).first;
    if (std::none_of(op.roles.begin(), op.roles.end(),
                     [&](const RoleSpec& role) { return name == role.name || name == role.name + "_out"; }))
      return name;
  }
  return "";
}

std::string MatchedContract::in_sample() const {
  return looked_at == 0 ? "" : fmt::format(" in {} of {} {}", looked_at, of_all, sample_of);
}

MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout,
                               const MatchProgress& progress) {
  MatchedContracts matched;
  size_t sample = 0;
  const auto uses_all = [&](const Op* op) { return unused_role(*op, roles).empty(); };
  const bool some_use_all = std::any_of(ops.begin(), ops.end(), uses_all);  // true if some op has a role for every tensor
  for (const std::string& contract : rulebook().contract_ids())
    for (const Op* op : ops)
      if (!op->takes(contract))
        continue;
      else if (some_use_all && !uses_all(op))
        matched.reasons["takes no tensor " + unused_role(*op, roles)].push_back(contract);
      else
        fits(contract, matched.reasons, [&] {
          Held held{op, contract, dumped_call(*op, {contract, roles, parameters, layout}), {}};
          held.verdict = blank_verdict(held.call.dump.one, "", "");
          sample = std::max(sample, compare_few_rows(held.call, held));
          matched.asked.push_back(std::move(held));
        });
  if (sample > 0 && progress.sampled) {
    std::vector<std::string> left;
    for (const Held& held : matched.asked)
      if (held.looked_at == 0) left.push_back(held.contract);
    progress.sampled(sample, left);
  }
  compare_all_rows(matched, progress);
  std::stable_sort(matched.asked.begin(), matched.asked.end(), [](const Held& a, const Held& b) {
    return std::pair(!a.obeys(), a.outside_in_all()) < std::pair(!b.obeys(), b.outside_in_all());
  });
  return matched;
}

namespace {

/// Largest output, in elements, that is compared with the other contracts of the op.
constexpr int64_t kMostElementsToMatch = int64_t{1} << 20;

std::string names_text(const std::vector<std::string>& names) {
  constexpr size_t kMost = 4;
  std::string text;
  for (size_t i = 0; i < std::min(kMost, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMost ? text + fmt::format(" and {} more", names.size() - kMost) : text;
}

}  // namespace

void add_other_contracts(const Op& op, const DumpRequest& request, TensorsVerdict& judged) {
  Verdict& verdict = judged.verdict;
  if (verdict.outcome != Outcome::kFail) return;
  const int64_t outside = elements_outside(verdict);
  int64_t elements = 0;
  for (const TensorFinding& finding : verdict.tensors) elements += finding.elements;
  if (elements > kMostElementsToMatch || judged.work > kMostWork) {
    judged.notes.push_back("other contracts were not tried, because the outputs are large; next: assay contracts match FILE ...");
    return;
  }
  const MatchedContracts matched = match_tensors({&op}, request.roles, request.parameters, request.layout);
  const MatchedContract* nearest = nullptr;
  for (const MatchedContract& one : matched.asked) {
    if (one.contract == request.contract) continue;
    if (one.obeys()) judged.obeys.push_back(one.contract);
    if (!one.obeys() && nearest == nullptr) nearest = &one;
  }
  if (!judged.obeys.empty()) {
    if (verdict.causes == causes_in_words({})) verdict.causes.clear();
    // "obeys X" goes after causes that explain every wrong element, since such a cause names the mistake itself
    const auto place = std::find_if_not(verdict.causes.begin(), verdict.causes.end(), explains_all);
    verdict.causes.insert(place, "obeys " + names_text(judged.obeys) + " instead");
  } else if (nearest != nullptr && nearest->outside > 0 && 2 * nearest->outside_in_all() < outside) {
    judged.notes.push_back(fmt::format("the nearest contract is {}: {} wrong elements{} instead of {}", nearest->contract,
                                       nearest->outside, nearest->in_sample(), outside));
  }
}

std::string in_releases(const std::string& contract) {
  const ContractRow* const row = rulebook().contracts.lookup(contract);
  const std::string releases = row == nullptr ? "" : releases_of(*row);
  return releases.empty() ? "" : "   (" + releases + ")";
}

bool is_current_contract(const std::string& contract) {
  const ContractRow* const row = rulebook().contracts.lookup(contract);
  return row == nullptr || is_current(*row);
}

/// "scale 1024 of 1024 wrong, q right".
static std::string wrong_tensors(const Verdict& verdict) {
  std::string wrong, right;
  for (const TensorFinding& one : verdict.tensors)
    if (one.outside > 0)
      wrong += fmt::format("{}{} {} of {} wrong", wrong.empty() ? "" : ", ", one.name, one.outside, one.elements);
    else
      right += (right.empty() ? "" : ", ") + one.name;
  if (wrong.empty()) wrong = verdict.message.empty() ? "the tensors contradict each other" : verdict.message;
  return wrong + (right.empty() ? "" : ", " + right + " right");
}

/// Last line of the list, if no contract is obeyed, or if several are and these tensors do not distinguish them.
static std::string last_line(const std::vector<const MatchedContract*>& ranked) {
  if (ranked.empty()) return "";
  const auto obeyed = std::count_if(ranked.begin(), ranked.end(), [](const MatchedContract* one) { return one->obeys(); });
  if (obeyed > 1)
    return fmt::format(
        "OBEYS {} CONTRACTS, which these tensors do not distinguish; their order has no meaning; assay contracts diff "
        "{} {} shows inputs that distinguish them\n",
        obeyed, ranked[0]->contract, ranked[1]->contract);
  if (obeyed == 1) return fmt::format("OBEYS {}\n", ranked.front()->contract);
  const auto as_near = std::count_if(ranked.begin(), ranked.end(), [&](const MatchedContract* one) {
    return one->outside_in_all() == ranked.front()->outside_in_all();
  });
  return fmt::format("NONE OBEYED; nearest: {}, {}{}{}\n", ranked.front()->contract, wrong_tensors(ranked.front()->verdict),
                     ranked.front()->in_sample(), as_near > 1 ? fmt::format(" ({} more are as near)", as_near - 1) : "");
}

std::string match_text(const MatchedContracts& matched) {
  std::string text;
  std::vector<const Held*> ranked;
  for (const Held& held : matched.asked) ranked.push_back(&held);
  std::stable_sort(ranked.begin(), ranked.end(), [](const Held* a, const Held* b) {  // at equal results, contracts of the newest releases come first
    return std::tuple(!a->obeys(), a->outside_in_all(), !is_current_contract(a->contract)) <
           std::tuple(!b->obeys(), b->outside_in_all(), !is_current_contract(b->contract));
  });
  for (const Held* one : ranked) {
    const Held& held = *one;
    text +=
        fmt::format("  {:<9} {:<40} {}{}\n", held.obeys() ? "obeys" : "not", held.contract,
                    held.obeys() ? held.verdict.case_id + (held.verdict.program.empty() ? "" : ", " + held.verdict.program)
                                 : fmt::format("{} elements outside{}; {}", held.outside, held.in_sample(), held.verdict.case_id),
                    in_releases(held.contract));
  }
  text += programs_text(matched.asked);
  size_t others = 0, shown = 0;
  constexpr size_t kMostReasons = 8;
  const auto lacks_a_number = [](const std::string& reason) { return reason.find("needs --param") != std::string::npos; };
  const bool some_lack = std::any_of(matched.reasons.begin(), matched.reasons.end(),
                                     [&](const auto& reason) { return lacks_a_number(reason.first); });
  const auto is_near = [&](const std::string& contract) {  // true if a contract of the same op was compared, or if none was compared at all
    return matched.asked.empty() ||
           std::any_of(matched.asked.begin(), matched.asked.end(), [&](const Held& held) { return held.op->takes(contract); });
  };
  for (const auto& [reason, all] : matched.reasons) {
    std::vector<std::string> contracts;
    std::copy_if(all.begin(), all.end(), std::back_inserter(contracts), is_near);
    others += all.size() - contracts.size();
    if (contracts.empty()) continue;
    if ((some_lack ? lacks_a_number(reason) : matched.asked.empty()) && shown++ < kMostReasons)
      text += fmt::format("  not compared {}{}: {}\n", contracts.front(),
                          contracts.size() > 1 ? fmt::format(" and {} more", contracts.size() - 1) : "", reason);
    else
      others += contracts.size();
  }
  if (others > 0)
    text += fmt::format("  not compared {} {}contracts, whose shapes or formats do not fit these tensors\n", others,
                        shown > 0 ? "other " : "");
  return text + last_line(ranked);
}

// Rows and groups of a single scale tensor, inferred for the analysis in harness/diagnosis/scales.h.

ScaleFacts::ScaleFacts(std::map<std::string, std::string> stated, const std::map<std::string, std::string>& metadata,
                       const std::string& layout)
    : values_(std::move(stated)) {
  const std::vector<std::string> known = {"m", "n", "groups", "group_size"};
  for (const auto& [name, value] : values_)
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw UsageError("--param " + name + ": unknown here" + did_you_mean(name, known));
  for (const auto& [key, value] : metadata)
    if (key.starts_with("parameter.")) values_.emplace(key.substr(10), value);
  if (!layout.empty()) values_["layout"] = layout;
  if (std::string& size = values_["group_size"]; size.find('+') != size.npos) size.resize(size.find('+'));  // 16+tensor: 16
}

std::string ScaleFacts::text(const std::string& name) const { return values_.contains(name) ? values_.at(name) : ""; }

std::optional<int64_t> ScaleFacts::integer(const std::string& name) const {
  const std::string cell = text(name);
  if (cell.empty()) return std::nullopt;
  int64_t number = 0;
  const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  if (read.ec != std::errc() || read.ptr != cell.data() + cell.size() || number <= 0 || number > (int64_t{1} << 31))
    throw UsageError(name + " '" + cell + "': expected a positive integer");
  return number;
}

std::optional<int64_t> ScaleFacts::groups() const {
  if (const auto stated = integer("groups")) return stated;
  const auto n = integer("n");
  if (text("group_size") == "row") return 1;
  const auto size = integer("group_size");
  if (n && size) return (*n + *size - 1) / *size;
  return std::nullopt;
}

namespace {

DumpError refused(const DumpedTensor& dumped, const std::string& problem) {
  return DumpError(dumped.file, "tensor '" + dumped.name + "'", problem);
}

/// Bits after conversion to fp32, which is exact for bf16 and f16.
int64_t fp32_bits(const Format& format, uint32_t code) { return code_of(kF32, decode(format, code)); }

ScaleKind kind_of(const DumpedTensor& dumped) {
  const Format& format = *dumped.tensor.spec.format;
  if (format == kInt32) return ScaleKind::kWords;
  if (format == kE8M0 || (dumped.plain_bytes && format.bits == 8)) return ScaleKind::kBytes;
  if (format == kF32 || format == kBf16 || format == kF16 || format == kE4M3Fn) return ScaleKind::kFloats;
  throw refused(dumped, dumped.dtype + " is not a format of scales; expected int32 words or bytes of UE8M0, fp32, bf16, f16 or e4m3fn");
}

/// The storage of a known layout, padding included.
ScaleGrid placed_grid(const HostTensor& tensor, const PlacedLayout& placed, ScaleKind kind) {
  ScaleGrid grid;
  grid.rows = placed.rows();
  grid.columns = placed.cols();
  const bool floats = kind == ScaleKind::kFloats;
  const Format& element = floats ? *tensor.spec.format : *placed.layout().element;  // has the sign bit, which UE4M3 lacks
  HostTensor elements{dense("", Role::kInput, element, {placed.storage_elements()}), tensor.bytes};
  for (int64_t r = 0; r < grid.rows; ++r)
    for (int64_t c = 0; c < grid.columns; ++c) {
      const std::optional<int64_t> at = placed.offset_within(r, c);
      const uint32_t code = at ? elements.code(*at) : 0;
      grid.codes.push_back(!at ? -1 : floats ? fp32_bits(element, code) : int64_t(code));
    }
  return grid;
}

/// The tensor as a matrix of rows and groups.
ScaleGrid logical_grid(const HostTensor& tensor, ScaleKind kind) {
  const CodeMatrix matrix = code_matrix(tensor);
  ScaleGrid grid;
  grid.rows = matrix.rows;
  grid.columns = matrix.columns * (kind == ScaleKind::kWords ? 4 : 1);
  for (const uint32_t code : matrix.codes) {
    if (kind == ScaleKind::kFloats)
      grid.codes.push_back(fp32_bits(*tensor.spec.format, code));
    else if (kind == ScaleKind::kBytes)
      grid.codes.push_back(int64_t(code));
    else
      for (int shift = 0; shift < 32; shift += 8) grid.codes.push_back(code >> shift & 0xff);
  }
  return grid;
}

/// Whether the tensor's elements are in the layout's storage order: it is a vector, or has the layout's shape and strides.
bool in_order_of_storage(const TensorSpec& spec, const PlacedLayout& placed) {
  return spec.shape.size() == 1 || (spec.shape == placed.shape() && spec.strides == placed.strides());
}

void check_layout(const DumpedTensor& dumped, const PlacedLayout& placed) {
  const Layout& layout = placed.layout();
  const TensorSpec& spec = dumped.tensor.spec;
  const bool plain_bytes = dumped.plain_bytes && layout.type->bits == spec.format->bits;
  if (!(*layout.type == *spec.format) && !plain_bytes)
    throw refused(dumped, "is " + dumped.dtype + ", but layout " + layout.id + " needs " + std::string(layout.type->name) +
                              "; without --layout it is read as a row-major matrix");
  if (placed.storage() != spec.storage)
    throw refused(dumped, "has " + std::to_string(spec.storage) + " elements, but layout " + layout.id + " needs " +
                              std::to_string(placed.storage()));
}

/// Sets which padding must be zero. If the contract is known from a recording, the contract decides which. Otherwise padding of
/// packed scales must be zero, since GEMMs that take such scales read it.
void state_padding(const ScaleFacts& facts, ScaleGrid& grid) {
  grid.zero_rows = grid.zero_columns = grid.kind == ScaleKind::kWords;
  if (facts.text("contract").empty()) return;
  const std::string last = chain_of(rulebook().contracts.find(facts.text("contract"))).back();
  const std::string& pad = rulebook().contracts.find(last).text("pad");
  grid.zero_rows = pad.find("rows:00") != std::string::npos;
  grid.zero_columns = pad.find("k:00") != std::string::npos;
}

}  // namespace

ScaleGrid scale_grid(const DumpedTensor& dumped, const ScaleFacts& facts) {
  const HostTensor& tensor = dumped.tensor;
  const ScaleKind kind = kind_of(dumped);
  const std::optional<int64_t> m = facts.integer("m"), groups = facts.groups();
  ScaleGrid grid;
  std::optional<PlacedLayout> placed;
  if (const std::string layout = facts.text("layout"); !layout.empty() && m && groups)
    placed.emplace(rulebook().layout(layout), *m, *groups);
  if (placed && in_order_of_storage(tensor.spec, *placed)) {
    check_layout(dumped, *placed);
    grid = placed_grid(tensor, *placed, kind);
  } else {
    if (kind == ScaleKind::kWords && tensor.spec.shape.size() == 1 && !placed)
      throw refused(dumped,
                    "is a vector of words, in which padding looks like scales; state --layout ue8m0x4_tma --param m=ROWS --param "
                    "groups=GROUPS");
    grid = logical_grid(tensor, kind);
  }
  grid.kind = kind;
  grid.of_e4m3 = *tensor.spec.format == kE4M3Fn;
  grid.name = dumped.name == "array" ? "scale" : dumped.name;
  grid.present_rows = m.value_or(grid.rows);
  grid.present_columns = groups.value_or(grid.columns);
  grid.extent_known = groups.has_value();
  if (grid.present_rows > grid.rows || grid.present_columns > grid.columns)
    throw refused(dumped,
                  "holds " + std::to_string(grid.rows) + " rows of " + std::to_string(grid.columns) + " scales, " +
                      std::to_string(grid.present_rows) + " of " + std::to_string(grid.present_columns) + " were expected" +
                      (grid.present_rows == grid.columns && grid.present_columns == grid.rows ? ": it is transposed" : ""));
  if (grid.present_rows == 0 || grid.present_columns == 0) throw refused(dumped, "is empty");
  state_padding(facts, grid);
  return grid;
}

/// The number of groups into which a row of `columns` elements is divided, without padding of the last word; 0 if none fits.
static int64_t groups_in(const ScaleGrid& grid, int64_t columns) {
  const int64_t most_padding = grid.kind == ScaleKind::kWords && !grid.extent_known ? 3 : 0;
  for (int64_t groups = grid.present_columns; groups > 0 && groups >= grid.present_columns - most_padding; --groups)
    if (columns % groups == 0 && columns > groups && std::has_single_bit(uint64_t(columns / groups))) return groups;
  return 0;
}

std::vector<double> group_maxima(const HostTensor& x, ScaleGrid& grid) {
  const Format& format = *x.spec.format;
  if (format.is_integer() || format.bits < 16 || x.spec.shape.size() < 2) return {};
  const CodeMatrix matrix = code_matrix(x);
  const int64_t groups = groups_in(grid, matrix.columns);
  if (matrix.rows != grid.present_rows || groups == 0) return {};
  grid.present_columns = groups;
  const int64_t width = matrix.columns / groups;
  std::vector<double> maxima(size_t(matrix.rows * groups), 0);
  for (size_t i = 0; i < matrix.codes.size(); ++i) {
    double& most = maxima[i / size_t(width)];
    const double size = std::abs(decode(format, matrix.codes[i]));
    if (!std::isfinite(size)) most = NAN;
    if (size > most) most = size;  // false for NaN
  }
  return maxima;
}

}  // namespace assay
