#include "harness/check/match_tensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/core/missing_role.h"
#include "harness/diagnosis/pieces.h"
#include "harness/diagnosis/programs.h"
#include "harness/run/judge_outputs.h"
#include "harness/run/run_case.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Algorithms are identified on kRowsOfLarge evenly spread rows if the outputs have more elements than kMostElements.
constexpr int64_t kMostElements = int64_t{1} << 16, kRowsOfLarge = 8;

using Held = MatchedContract;

void hold(const Op& op, const std::string& contract, const DumpRequest& request, std::vector<Held>& all,
          ReasonsByContract& reasons) {
  try {
    Held held{&op, contract, dumped_call(op, request), {}};
    held.verdict = blank_verdict(held.call.dump.one, "", "");
    judge_outputs(*held.call.judging, held.call.problem, held.call.result, held.verdict);
    for (const TensorFinding& finding : held.verdict.tensors) held.outside += finding.outside;
    all.push_back(std::move(held));
  } catch (const MissingRole& missing) {
    reasons[std::string("no tensor ") + missing.role].push_back(contract);
  } catch (const UsageError& error) {
    reasons[error.what()].push_back(contract);
  } catch (const TableError& error) {
    reasons[error.what()].push_back(contract);
  }
}

/// The call on a few of its rows, if it has many rows and they are independent; otherwise null. `rows` is set to a text such as "
/// (looked at 8 of 4096 rows)".
std::optional<CaseOfRows> few_rows(const Held& held, std::vector<HostTensor>& outputs, std::string& rows) {
  const DumpCase& dump = held.call.dump;
  outputs = held.call.result.outputs;
  const int64_t elements = outputs.front().spec.elements();
  const int64_t all = dump.bound->independent_rows();
  if (elements <= kMostElements || all == 0) return std::nullopt;
  const int64_t few = std::min(all, kRowsOfLarge);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < few; ++i) chosen.push_back(i * all / few);
  Problem with_outputs = held.call.problem;
  for (HostTensor& tensor : with_outputs.tensors)
    for (const HostTensor& output : outputs)
      if (tensor.spec.name == output.spec.name) tensor.bytes = output.bytes;
  CaseOfRows some = dump.bound->with_rows(with_outputs, chosen);
  for (HostTensor& output : outputs) output = find(some.problem.tensors, output.spec.name);
  rows = fmt::format(" (looked at {} of {} rows)", few, all);
  return some;
}

/// Prints the algorithms that could have made the outputs, independently of contracts.
std::string programs_text(const std::vector<Held>& ranked) {
  std::string text, nearest, untried;
  for (const Held& held : ranked) {
    std::vector<HostTensor> outputs;
    std::string rows;
    const std::optional<CaseOfRows> some = few_rows(held, outputs, rows);
    const Expectation programs = some ? some->bound->programs(some->problem) : held.call.dump.bound->programs(held.call.problem);
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

MatchedContracts match_tensors(const std::vector<const Op*>& ops, const DumpedRoles& roles,
                               const std::map<std::string, std::string>& parameters, const std::string& layout) {
  MatchedContracts matched;
  for (const std::string& contract : rulebook().contract_ids())
    for (const Op* op : ops)
      if (op->takes(contract)) hold(*op, contract, {contract, roles, parameters, layout}, matched.asked, matched.reasons);
  std::stable_sort(matched.asked.begin(), matched.asked.end(), [](const Held& a, const Held& b) {
    return std::pair(!a.obeys(), a.outside) < std::pair(!b.obeys(), b.outside);
  });
  return matched;
}

std::string match_text(const MatchedContracts& matched) {
  std::string text;
  for (const Held& held : matched.asked)
    text += fmt::format("  {:<9} {:<40} {}\n", held.obeys() ? "obeys" : "not", held.contract,
                        held.obeys() ? held.verdict.case_id + (held.verdict.program.empty() ? "" : ", " + held.verdict.program)
                                     : fmt::format("{} elements outside; {}", held.outside, held.verdict.case_id));
  text += programs_text(matched.asked);
  size_t others = 0, shown = 0;
  constexpr size_t kMostReasons = 8;
  for (const auto& [reason, contracts] : matched.reasons) {
    const bool lacks_a_number = reason.find("--param") != std::string::npos;
    if ((lacks_a_number || matched.asked.empty()) && shown++ < kMostReasons)
      text += fmt::format("  not asked {}{}: {}\n", contracts.front(),
                          contracts.size() > 1 ? fmt::format(" and {} more", contracts.size() - 1) : "", reason);
    else
      others += contracts.size();
  }
  if (others > 0)
    text += fmt::format("  not asked {} {}contracts, whose shapes or formats do not fit these tensors\n", others,
                        shown > 0 ? "other " : "");
  return text;
}

}  // namespace assay
