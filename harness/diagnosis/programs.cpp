#include "harness/diagnosis/programs.h"

#include <algorithm>
#include <mutex>
#include <set>

#include "harness/compare/element.h"
#include "harness/core/blocks.h"
#include "harness/core/tensor_of_part.h"

namespace assay {
namespace {

/// Steps that are checked first: most variants fail there.
constexpr int64_t kFewSteps = 2;

bool holds(const Answer& answer, const std::vector<HostTensor>& outputs, int64_t first, int64_t end) {
  const AcceptedBlock block = answer.accepted(first, end);
  for (size_t p = 0; p < answer.parts.size(); ++p) {
    const Part& part = answer.parts[p];
    const HostTensor& tensor = tensor_of(outputs, part);
    const AcceptedRows& rows = block.parts[p];
    for (int64_t row = rows.first; row < rows.end; ++row)
      for (int64_t column = 0; column < part.columns(); ++column) {
        const int32_t seen = ordinal(*part.format, load_code(part, tensor, part.offset(row, column)));
        if (!rows.at(size_t((row - rows.first) * part.columns() + column)).holds(*part.format, seen)) return false;
      }
  }
  return true;
}

/// A longer list is summarized: if results have few bits, a hundred variants may match.
constexpr size_t kMostNamed = 12;

/// Splits "UNIT, split-K 2, acc * s" into the name without the split-K part and that part.
std::pair<std::string, std::string> without_cut(const std::string& name) {
  const size_t at = name.find(", split-K ");
  if (at == std::string::npos) return {name, "k whole"};
  const size_t end = std::min(name.find(',', at + 1), name.size());
  const std::string cut = name.substr(at + 2, end - at - 2);
  return {name.substr(0, at) + name.substr(end), cut == "split-K 1" ? "k whole" : cut};
}

}  // namespace

std::vector<std::string> programs_that_made(const Expectation& programs, const std::vector<HostTensor>& outputs) {
  std::vector<char> made(programs.any_of.size(), 0);
  for_each_in_parallel(int64_t(made.size()), [&](int64_t i) {
    const Answer& answer = programs.any_of[size_t(i)];
    const int64_t few = std::min(kFewSteps, answer.steps);
    made[size_t(i)] = holds(answer, outputs, 0, few) && holds(answer, outputs, few, answer.steps);
  });
  std::vector<std::string> names;
  for (size_t i = 0; i < made.size(); ++i)
    if (made[i]) names.push_back(programs.any_of[i].program);
  return names;
}

std::vector<std::string> made_by_lines(const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  if (names.size() <= kMostNamed) {
    for (const std::string& name : names) lines.push_back("made by   " + name);
    return lines;
  }
  std::map<std::string, int> ways;
  for (const std::string& name : names) ++ways[name.substr(0, name.find(", "))];
  const std::string below(10, ' ');
  lines.push_back("made by   one of " + std::to_string(names.size()) + " algorithms that these outputs cannot distinguish:");
  for (const auto& [unit, count] : ways)
    lines.push_back(below + unit + " in " + std::to_string(count) + (count == 1 ? " way" : " ways"));
  lines.push_back(below + "results with more bits distinguish more of them");
  return lines;
}

void ProgramTally::add(const std::vector<std::string>& names, const std::string& case_id) {
  ++cases_;
  if (names.empty() && unexplained_++ == 0) first_unexplained_ = case_id;
  std::set<std::string> counted;
  for (const std::string& name : names) {
    const auto [way, cut] = without_cut(name);
    ways_[way].cases += counted.insert(way).second;
    ++ways_[way].cuts[cut];
  }
}

std::vector<std::string> ProgramTally::lines() const {
  if (cases_ == 0) return {};
  std::vector<std::string> alike, otherwise;
  for (const auto& [way, seen] : ways_) {
    if (seen.cases < cases_) continue;
    std::string one_cut, cuts;
    for (const auto& [cut, cases] : seen.cuts) {
      if (cases == cases_ && one_cut.empty()) one_cut = cut;
      cuts.append(cuts.empty() ? "" : ", ").append(cut + " in " + std::to_string(cases));
    }
    (one_cut.empty() ? otherwise : alike).push_back(way + "; " + (one_cut.empty() ? cuts : one_cut));
  }
  if (!alike.empty() || !otherwise.empty()) return made_by_lines(alike.empty() ? otherwise : alike);
  std::vector<std::string> lines;
  if (unexplained_ > 0)
    lines.push_back("made by   no known algorithm, in " + std::to_string(unexplained_) + " of " + std::to_string(cases_) +
                    " cases, first " + first_unexplained_);
  else
    lines.push_back("made by   no single algorithm: different cases by different ones");
  return lines;
}

}  // namespace assay
