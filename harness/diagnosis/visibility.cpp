#include "harness/diagnosis/visibility.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "harness/diagnosis/apart.h"
#include "harness/text/glob.h"

namespace assay {
namespace {

std::vector<Hypothesis> mistakes_of(const BoundCase& bound) {
  std::vector<Hypothesis> all = bound.mutants();
  std::erase_if(all, [](const Hypothesis& hypothesis) { return hypothesis.suspect; });
  return all;
}

/// All answers of an expectation.
std::vector<Whole> answers_of(const Expectation& expectation) {
  std::vector<Whole> all;
  for (const Answer& answer : expectation.any_of) all.push_back(computed(answer));
  return all;
}

}  // namespace

VisibilityReport fault_visibility(const BoundCase& bound) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  const BoundCase& one = excerpt ? *excerpt : bound;
  const Problem problem = one.problem();
  const std::vector<Whole> right = answers_of(one.expect(problem, nullptr));
  VisibilityReport report;
  for (const WholePart& part : right.front()) report.data.push_back(data_power(part));
  for (const Hypothesis& hypothesis : mistakes_of(one)) {
    Visibility seen{hypothesis.name, hypothesis.equivalent, 0, 0};
    if (hypothesis.equivalent.empty()) {
      for (const WholePart& part : right.front()) seen.elements += part.part.elements();
      seen.outside = outside_of(right, computed(hypothesis.expect(problem, nullptr)));
    }
    report.faults.push_back(std::move(seen));
  }
  return report;
}

std::vector<Visibility> visibilities(const BoundCase& bound) { return fault_visibility(bound).faults; }

namespace {

Power power_of_data(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made, bool look_behind_first_row) {
  const std::unique_ptr<const BoundCase> excerpt = bound.excerpt();
  const BoundCase& one = excerpt ? *excerpt : bound;
  std::optional<Problem> of_excerpt;
  if (made == nullptr || excerpt) made = &of_excerpt.emplace(one.problem());
  const Problem& problem = *made;
  const std::vector<Whole> right = answers_of(one.expect(problem, nullptr));
  const auto is_declared = [&](const std::string& fault) {
    return std::any_of(declared.begin(), declared.end(), [&](const std::string& glob) { return glob_match(glob, fault); });
  };
  const auto shows = [&](const Hypothesis& hypothesis, Steps of_declared) {
    if (hypothesis.first_row) {
      const Answer first = hypothesis.first_row(problem).any_of.front();
      if (std::all_of(right.begin(), right.end(), [&](const Whole& one) { return is_apart_in_first_rows(one, first); }))
        return true;
    }
    const Expectation edited = hypothesis.expect(problem, nullptr);
    return is_apart(right, edited.any_of.front(), is_declared(hypothesis.name) ? of_declared : Steps::kAll);
  };
  Power power;
  for (const WholePart& part : right.front()) power.data.push_back(data_power(part));
  for (const Hypothesis& hypothesis : mistakes_of(one)) {
    if (!hypothesis.equivalent.empty()) continue;
    ++power.faults;
    if (shows(hypothesis, Steps::kFirst)) continue;
    power.blind_to.push_back(hypothesis.name);
    if (look_behind_first_row && is_declared(hypothesis.name) && shows(hypothesis, Steps::kAll))
      power.seen_later.push_back(hypothesis.name);
  }
  return power;
}

}  // namespace

Power power_of(const BoundCase& bound, const std::vector<std::string>& declared, const Problem* made) {
  return power_of_data(bound, declared, made, false);
}

Power power_to_record(const BoundCase& bound, const std::vector<std::string>& declared) {
  return power_of_data(bound, declared, nullptr, true);
}

}  // namespace assay
