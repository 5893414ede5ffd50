#include "harness/history/history_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <tuple>

#include "harness/report/causes.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

/// A verdict on a case: `run` is an index of HistoryData::runs, and `state` is one of HistoryData::states.
struct Visit {
  size_t run;
  int32_t state;
};

bool is_wrong(const HistoryData::State& state) { return is_bad(state.outcome); }

/// The verdicts on one case, kernel and chip, oldest first. `skipped`: those that are skips; `judged`: all others.
struct Timeline {
  std::vector<Visit> judged;
  std::vector<Visit> skipped;
};
/// The distinct chips of a history (`names`), and for each run the index of its chip in `names` (`of_run`).
struct Chips {
  explicit Chips(const HistoryData& data) {
    for (const HistoryRun& run : data.runs) {
      const std::string text = run.chip_text();
      const auto found = std::find(names.begin(), names.end(), text);
      of_run.push_back(size_t(found - names.begin()));
      if (found == names.end()) names.push_back(text);
    }
  }
  std::vector<std::string> names;
  std::vector<size_t> of_run;
};

/// The Timeline of each series and chip, at index series * (number of chips) + chip.
std::vector<Timeline> timelines_of(const HistoryData& data, const Chips& chips) {
  std::vector<Timeline> timelines(data.series.size() * chips.names.size());
  for (size_t run = 0; run < data.runs.size(); ++run)
    for (const int32_t at : data.verdicts[run]) {
      const HistoryData::State& state = data.states[size_t(at)];
      Timeline& timeline = timelines[size_t(state.series) * chips.names.size() + chips.of_run[run]];
      (state.outcome == Outcome::kSkip ? timeline.skipped : timeline.judged).push_back({run, at});
    }
  return timelines;
}

/// The first run after `visit` that should have a verdict on the case, but has none. Such a run has the same chip, library,
/// selection and share, and did not end early. The number of runs if there is no such run.
size_t first_without(const HistoryData& data, const Visit& visit) {
  const HistoryRun& had = data.runs[visit.run];
  for (size_t run = visit.run + 1; run < data.runs.size(); ++run) {
    const HistoryRun& one = data.runs[run];
    if (one.selection == had.selection && one.share == had.share && one.chip_text() == had.chip_text() &&
        one.library == had.library && one.ended_early.empty())
      return run;
  }
  return data.runs.size();
}

/// Counts turns between right and wrong, and changes of bits and budget use, over the visits in order.
CaseChange change_of(const HistoryData& data, const Timeline& timeline) {
  CaseChange change;
  const std::vector<Visit>& visits = timeline.judged;
  const auto state = [&](size_t i) -> const HistoryData::State& { return data.states[size_t(visits[i].state)]; };
  size_t turned = 0, turned_before = 0, changed = 0;  // visit indices: newest turn, turn before it, newest change
  int64_t turns = 0, changes = 0;
  bool turned_same = false, changed_same = false, other_bits = false;
  for (size_t i = 1; i < visits.size(); ++i) {
    const std::string& library = data.runs[visits[i].run].library_digest;
    const bool same = !library.empty() && library == data.runs[visits[i - 1].run].library_digest;
    if (is_wrong(state(i)) != is_wrong(state(i - 1))) turned_before = turned, turned = i, ++turns, turned_same |= same;
    const bool bits = !state(i).digest.empty() && !state(i - 1).digest.empty() && state(i).digest != state(i - 1).digest;
    if (bits || state(i).budget_use != state(i - 1).budget_use) changed = i, ++changes, changed_same |= same, other_bits = bits;
  }
  const HistoryData::State& newest = state(visits.size() - 1);
  const bool never_wrong = turns == 0 && !is_wrong(newest);
  const size_t at = never_wrong ? changed : turned;
  change.series = newest.series;
  const bool flips = turns > 2 || (turns == 2 && turned_same);  // two turns with new libraries: a bug, and its fix
  change.turn = flips              ? Turn::kFlips
                : is_wrong(newest) ? Turn::kFails
                : turns > 0        ? Turn::kFixed
                : other_bits       ? Turn::kBits
                                   : Turn::kBudget;
  change.since = visits[at].run;
  change.runs = int64_t(visits.size()), change.before = int64_t(at - (never_wrong ? 0 : turned_before));
  change.from = visits[never_wrong ? 0 : turned_before].run;
  change.times = never_wrong ? changes : turns;
  change.same_library = never_wrong ? changed_same : turned_same;
  change.is_wrong = is_wrong(newest), change.is_known = is_wrong(newest) && newest.as_expected;
  change.budget_now = newest.budget_use;
  change.budget_before = at > 0 ? state(at - 1).budget_use : newest.budget_use;
  if (change.is_wrong) change.cause = data.causes[size_t(newest.cause)];
  return change;
}

}  // namespace

std::vector<CaseChange> case_changes(const HistoryData& data) {
  std::vector<CaseChange> all;
  const Chips chips(data);
  const std::vector<Timeline> timelines = timelines_of(data, chips);
  for (size_t i = 0; i < timelines.size(); ++i) {
    const Timeline& timeline = timelines[i];
    if (timeline.judged.empty()) continue;  // every call was skipped
    CaseChange change = change_of(data, timeline);
    const size_t without = first_without(data, timeline.judged.back());
    if (without < data.runs.size()) {
      change.turn = Turn::kMissing, change.since = without, change.before = change.runs;
      change.cause.clear();
      if (!timeline.skipped.empty() && timeline.skipped.back().run >= without)
        change.cause = data.causes[size_t(data.states[size_t(timeline.skipped.back().state)].cause)];
    }
    if (change.times == 0 && (change.turn == Turn::kBits || change.turn == Turn::kBudget)) continue;
    change.chip = chips.names[i % chips.names.size()];
    all.push_back(std::move(change));
  }
  return all;
}

std::vector<ChangeGroup> change_groups(const HistoryData& data) {
  std::map<std::tuple<Turn, size_t, std::string, std::string, std::string, std::string, bool, int64_t>, ChangeGroup> groups;
  for (CaseChange& change : case_changes(data)) {
    const HistoryData::Series& series = data.series[size_t(change.series)];
    const bool by_contract = change.turn == Turn::kFails || change.turn == Turn::kFlips;
    groups[{change.turn, data.runs.size() - change.since, by_contract ? series.contract : "", by_contract ? series.kernel : "",
            change.chip, with_numbers_masked(change.cause), change.is_known,
            change.times > 1 && change.turn != Turn::kMissing ? change.times : 0}]
        .cases.push_back(std::move(change));
  }
  std::vector<ChangeGroup> all;
  for (auto& [key, group] : groups) all.push_back(std::move(group));
  return all;
}

std::vector<HistoryLine> history_lines(const HistoryData& data) {
  const Chips chips(data);
  std::map<std::tuple<std::string, std::string, std::string, std::string>, size_t> known;
  std::vector<HistoryLine> lines;
  std::vector<size_t> line_of(data.series.size() * chips.names.size(), SIZE_MAX);
  for (size_t run = 0; run < data.runs.size(); ++run)
    for (const int32_t at : data.verdicts[run]) {
      const HistoryData::State& state = data.states[size_t(at)];
      if (state.outcome == Outcome::kSkip) continue;
      size_t& number = line_of[size_t(state.series) * chips.names.size() + chips.of_run[run]];
      if (number == SIZE_MAX) {
        const HistoryData::Series& series = data.series[size_t(state.series)];
        const std::string& chip = chips.names[chips.of_run[run]];
        number = known.try_emplace({series.op, series.contract, series.kernel, chip}, lines.size()).first->second;
        if (number == lines.size()) lines.push_back({series.op, series.contract, series.kernel, chip, {}});
      }
      HistoryLine& line = lines[number];
      if (line.points.empty() || line.points.back().run != run) line.points.push_back({run, 0, 0, 0, 0});
      LinePoint& point = line.points.back();
      ++point.verdicts;
      point.wrong += is_wrong(state), point.known += is_wrong(state) && state.as_expected;
      point.budget_use = std::max(point.budget_use, state.budget_use);
    }
  std::vector<HistoryLine> all;
  for (const auto& [key, number] : known) all.push_back(std::move(lines[number]));
  return all;
}

std::string contracts_text(const HistoryData& data, const ChangeGroup& group) {
  std::set<std::pair<std::string, std::string>> all;
  for (const CaseChange& one : group.cases)
    all.insert({data.series[size_t(one.series)].contract, data.series[size_t(one.series)].kernel});
  const HistoryData::Series& first = data.series[size_t(group.first().series)];
  return fmt::format("{} of {} on {}{}", first.kernel, first.contract, group.first().chip,
                     all.size() == 1 ? "" : fmt::format(", and {} other kernels and contracts", all.size() - 1));
}

std::string run_text(const HistoryRun& run) {
  return fmt::format("run {} ({}{})", run.id, run.begun.substr(0, 10),
                     run.commit.empty() ? "" : ", commit " + run.commit.substr(0, 12));
}

namespace {

std::string counted(int64_t count, const char* noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); }

std::string times_text(int64_t times) { return times == 1 ? "once" : times == 2 ? "twice" : fmt::format("{} times", times); }

/// ", budget use 0.31 -> 0.62": the largest budget use in a group, before and now; empty if both are 0.
std::string budget_text(const ChangeGroup& group) {
  double before = 0, now = 0;
  for (const CaseChange& one : group.cases) before = std::max(before, one.budget_before), now = std::max(now, one.budget_now);
  return before == 0 && now == 0 ? "" : fmt::format(", budget use {:.2f} -> {:.2f}", before, now);
}

}  // namespace

const char* name(Turn turn) {
  constexpr std::array kNames = {"FAILS", "FLIPS", "MISSING", "FIXED", "OTHER BITS", "OTHER BUDGET"};
  return kNames[size_t(turn)];
}

std::string turn_text(const HistoryData& data, const ChangeGroup& group) {
  const CaseChange& first = group.first();
  const std::string since = run_text(data.runs[first.since]), before = counted(first.before, "run");
  const std::string known = first.is_known ? ", as the known-failures list says" : "";
  switch (first.turn) {
    case Turn::kFails:
      return first.before == 0 ? fmt::format(" in every run, first in {}{}", since, known)
                               : fmt::format(" since {}, right in {} before{}{}", since, before,
                                             first.times > 1 ? ", and wrong before that" : "", known);
    case Turn::kFlips:
      return fmt::format(": changed between right and wrong {} in {}, the last time in {}, now {}{}", times_text(first.times), counted(first.runs, "run"),
                         since, first.is_wrong ? "wrong" : "right", known);
    case Turn::kMissing:
      return fmt::format(" since {}: no verdict; it had one in {} before", since, before);
    case Turn::kFixed:
      return fmt::format(" since {}, wrong in {} before{}", since, before,
                         first.times > 1 ? ", from " + run_text(data.runs[first.from]) + " on" : "");
    case Turn::kBits:
    case Turn::kBudget:
      return fmt::format(" since {}, right as before{}", since, budget_text(group));
  }
  return "";
}

std::string remark(const ChangeGroup& group) {
  const CaseChange& first = group.first();
  const bool same = std::any_of(group.cases.begin(), group.cases.end(), [](const CaseChange& one) { return one.same_library; });
  if (first.turn == Turn::kBudget && !same)
    return "the bits did not change, or were not recorded: the contract or the case changed";
  if (same && first.turn != Turn::kMissing)
    return "changed with the same library file: the kernel, its inputs or the machine differ from run to run";
  const auto often = std::max_element(group.cases.begin(), group.cases.end(),
                                      [](const CaseChange& a, const CaseChange& b) { return a.times < b.times; });
  const bool drifts = first.turn == Turn::kBits || first.turn == Turn::kBudget;
  return drifts && often->times > 1 ? fmt::format("changed up to {} in {}", times_text(often->times), counted(often->runs, "run"))
                                    : "";
}

namespace {

std::string counts_of(const HistoryData& data, size_t run) {
  std::map<Outcome, int64_t> counts;
  for (const int32_t at : data.verdicts[run]) ++counts[data.states[size_t(at)].outcome];
  std::string text;
  for (const auto& [outcome, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name(outcome));
  return text.empty() ? "no verdict" : text;
}

/// Columns with two spaces between them; the last is not padded.
std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const std::vector<std::string>& row : rows)
    for (size_t i = 0; i < row.size(); ++i) {
      if (i == widths.size()) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) line += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

/// One character for each of the newest runs with a verdict: '.' all right, 'F' some wrong, 'k' only known failures.
std::string strip(const HistoryLine& line, size_t most) {
  std::string text;
  for (size_t i = line.points.size() > most ? line.points.size() - most : 0; i < line.points.size(); ++i)
    text += line.points[i].wrong == 0 ? '.' : line.points[i].wrong == line.points[i].known ? 'k' : 'F';
  return text;
}

constexpr size_t kMostRuns = 10, kMostGroups = 20, kMostLines = 30, kMostMarks = 40;

std::string runs_table(const HistoryData& data, bool everything) {
  const size_t first = everything || data.runs.size() <= kMostRuns ? 0 : data.runs.size() - kMostRuns;
  std::vector<std::vector<std::string>> rows = {{"run", "begun", "commit", "library", "chip", "driver", "verdicts"}};
  for (size_t run = data.runs.size(); run-- > first;) {
    const HistoryRun& one = data.runs[run];
    std::string counts = counts_of(data, run);
    if (!one.share.empty()) counts += "; share " + one.share;
    if (!one.ended_early.empty()) counts += "; ended early by " + one.ended_early;
    rows.push_back(
        {std::to_string(one.id), one.begun, one.commit.substr(0, 12), one.library, one.chip_text(), one.driver, counts});
  }
  return aligned(rows) + (first == 0 ? "" : fmt::format("and {} older; --all lists them\n", counted(int64_t(first), "run")));
}

std::string group_text(const HistoryData& data, const ChangeGroup& group, bool everything) {
  const CaseChange& first = group.first();
  const HistoryData::Series& series = data.series[size_t(first.series)];
  std::string text = fmt::format("{}{}: {}\n  kernel    {}\n", name(first.turn), turn_text(data, group),
                                 counted(int64_t(group.cases.size()), "case"), contracts_text(data, group));
  if (!first.cause.empty()) text += fmt::format("  {:<9} {}\n", first.turn == Turn::kMissing ? "reason" : "cause", first.cause);
  if (const std::string words = remark(group); !words.empty()) text += "  note      " + words + "\n";
  if (everything) {
    for (const CaseChange& one : group.cases) text += "  case      " + data.series[size_t(one.series)].case_id + "\n";
  } else {
    text += "  case      " + series.case_id +
            (group.cases.size() > 1 ? fmt::format(" and {} more", group.cases.size() - 1) : "") + "\n";
  }
  return text;
}

std::string lines_table(const HistoryData& data, const std::vector<ChangeGroup>& groups, bool everything) {
  std::vector<HistoryLine> lines = history_lines(data);
  std::set<std::tuple<std::string, std::string, std::string>> changed;
  for (const ChangeGroup& group : groups)
    for (const CaseChange& one : group.cases)
      changed.insert({data.series[size_t(one.series)].contract, data.series[size_t(one.series)].kernel, one.chip});
  std::stable_partition(lines.begin(), lines.end(), [&](const HistoryLine& line) {
    return changed.contains({line.contract, line.kernel, line.chip});
  });
  const size_t shown = everything ? lines.size() : std::min(lines.size(), kMostLines);
  std::vector<std::vector<std::string>> rows = {
      {"contract", "kernel", "chip", "right", "budget use", "runs, the newest last (. right, F wrong, k known failure)"}};
  for (size_t i = 0; i < shown; ++i) {
    const HistoryLine& line = lines[i];
    const LinePoint& newest = line.points.back();
    rows.push_back({line.contract, line.kernel, line.chip,
                    fmt::format("{} of {}", newest.verdicts - newest.wrong, newest.verdicts),
                    newest.budget_use == 0 ? "pinned" : fmt::format("{:.2f}", newest.budget_use),
                    strip(line, everything ? line.points.size() : kMostMarks)});
  }
  return aligned(rows) + (shown == lines.size() ? "" : fmt::format("and {} more; --all lists them\n", lines.size() - shown));
}

}  // namespace

std::string history_text(const HistoryData& data, const std::string& path, bool everything) {
  std::set<std::string> chips;
  for (const HistoryRun& run : data.runs) chips.insert(run.chip_text());
  const std::vector<ChangeGroup> groups = change_groups(data);
  std::string text =
      fmt::format("{}: {} from {} to {}, {}, {}\n\n", path, counted(int64_t(data.runs.size()), "run"), data.runs.front().begun,
                  data.runs.back().begun, counted(int64_t(data.series.size()), "case"), counted(int64_t(chips.size()), "chip"));
  text += runs_table(data, everything) + "\n";
  const size_t shown = everything ? groups.size() : std::min(groups.size(), kMostGroups);
  for (size_t i = 0; i < shown; ++i) text += group_text(data, groups[i], everything) + "\n";
  if (shown < groups.size()) text += fmt::format("and {} more groups of changes; --all lists them\n\n", groups.size() - shown);
  if (groups.empty()) text += "no case failed, and none changed its bits\n\n";
  return printable_lines(text + lines_table(data, groups, everything));
}

}  // namespace assay
