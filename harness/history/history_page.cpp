#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <pugixml.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "harness/history/history_view.h"
#include "harness/report/html/parts.h"

namespace assay::html {
namespace {

/// CSS rules in addition to the style sheet of reports.
constexpr const char* kPlotStyle = R"(
.plot { display: block; width: 100%; max-width: 720px; height: auto; }
.plot text { font-size: 11px; fill: var(--soft); font-family: inherit; }
.plot .axis { stroke: var(--line); fill: none; }
.plot .edge { stroke: var(--ink); stroke-dasharray: 2 3; fill: none; }
.plot .series { stroke: var(--ink); stroke-width: 1.5; fill: none; }
.plot .wrong { stroke: var(--alarm); stroke-width: 2; fill: none; }
.plot .known { stroke: var(--soft); stroke-width: 2; fill: none; }
.turns td:first-child { font-weight: bold; white-space: nowrap; }
.runs td, .runs th, .turns th { white-space: nowrap; overflow-wrap: normal; }
@media (max-width: 800px) { .runs, .turns { font-size: 11.5px; } .runs td, .turns td { padding: 2px 4px; } .plot text { font-size: 12px; } }
)";

constexpr double kWidth = 720, kLeft = 46, kRight = 190, kTop = 22, kHeight = 150, kBottom = 22;
/// Dash patterns (SVG stroke-dasharray) distinguish the lines of a plot without colour.
constexpr const char* kDashes[] = {"", "7 3", "2 2", "9 3 2 3", "1 4", "14 4"};
constexpr size_t kMostSeries = 6;

/// A line plot of numbers by run.
struct Plot {
  struct Mark {
    size_t run;
    bool is_known;
    std::string title;
  };
  struct Series {
    std::string name;
    std::vector<std::pair<size_t, double>> points;  ///< run and value
    std::vector<Mark> marks;                        ///< crosses
  };
  std::string top, bottom;  ///< labels of the y axis
  double most = 1;          ///< value at height `top`; larger values are drawn at this height, too
  bool has_edge = false;    ///< whether a dotted line is drawn at `most`
  std::vector<Series> series;
};

Node text_at(Node svg, double x, double y, const std::string& words, const char* anchor = "start") {
  const Node text = set(set(child(svg, "text"), "x", fmt::format("{:.4g}", x)), "y", fmt::format("{:.4g}", y));
  return write(set(text, "text-anchor", anchor), words);
}

void path(Node svg, const std::string& css_class, const std::string& steps, const std::string& dashes = "") {
  const Node made = set(child(svg, "path", css_class), "d", steps);
  if (!dashes.empty()) set(made, "stroke-dasharray", dashes);
}

void draw(Node parent, const HistoryData& data, const Plot& plot) {
  const double bottom = kTop + kHeight, wide = kWidth - kLeft - kRight;
  const size_t last = std::max<size_t>(1, data.runs.size() - 1);
  const auto x = [&](size_t run) { return kLeft + wide * double(run) / double(last); };
  const auto y = [&](double value) { return bottom - kHeight * std::clamp(value / plot.most, 0.0, 1.0); };
  const Node svg =
      set(child(line(parent, "figure"), "svg", "plot"), "viewBox", fmt::format("0 0 {} {}", kWidth, bottom + kBottom));
  set(svg, "role", "img");
  path(svg, "axis", fmt::format("M{0:.4g} {1:.4g}V{2:.4g}H{3:.4g}", kLeft, kTop, bottom, kLeft + wide));
  if (plot.has_edge) path(svg, "edge", fmt::format("M{:.4g} {:.4g}H{:.4g}", kLeft, kTop, kLeft + wide));
  text_at(svg, kLeft - 5, kTop + 4, plot.top, "end");
  text_at(svg, kLeft - 5, bottom + 4, plot.bottom, "end");
  text_at(svg, kLeft, bottom + 16, run_text(data.runs.front()));
  if (data.runs.size() > 1) text_at(svg, kLeft + wide, bottom + 16, run_text(data.runs.back()), "end");
  double label_at = kTop - 12;
  std::vector<std::pair<double, size_t>> ends;  // labels at the ends of lines (y and series), drawn from top to bottom
  for (size_t i = 0; i < plot.series.size(); ++i)
    if (!plot.series[i].points.empty()) ends.push_back({y(plot.series[i].points.back().second), i});
  std::sort(ends.begin(), ends.end());
  for (const auto& [at, i] : ends) {
    const Plot::Series& series = plot.series[i];
    std::string steps;
    for (const auto& [run, value] : series.points)
      steps += fmt::format("{}{:.5g} {:.5g}", steps.empty() ? "M" : "L", x(run), y(value));
    if (series.points.size() == 1) steps += "h2";
    path(svg, "series", steps, kDashes[i % std::size(kDashes)]);
    for (const Plot::Mark& mark : series.marks) {
      const auto value =
          std::find_if(series.points.begin(), series.points.end(), [&](const auto& point) { return point.first == mark.run; });
      const Node cross = child(svg, "path", mark.is_known ? "known" : "wrong");
      set(cross, "d",
          fmt::format("M{:.5g} {:.5g}l8 8m0 -8l-8 8", x(mark.run) - 4, y(value == series.points.end() ? 0 : value->second) - 4));
      write(child(cross, "title"), mark.title);
    }
    label_at = std::max(at + 4, label_at + 14);
    const double from = kLeft + wide + 8;
    path(svg, "series", fmt::format("M{:.4g} {:.4g}h16", from, label_at - 4), kDashes[i % std::size(kDashes)]);
    text_at(svg, from + 20, label_at, series.name);
  }
}

std::string short_name(const std::string& name) { return name.size() > 26 ? name.substr(0, 25) + "…" : name; }

/// A plot of the number of wrong verdicts in each run, with a line for each chip.
Plot overview(const HistoryData& data, const std::vector<HistoryLine>& lines) {
  std::map<std::string, std::map<size_t, std::pair<int64_t, int64_t>>>
      wrong;  // for each chip and run: number of wrong verdicts, and of all verdicts
  int64_t most = 0;
  for (const HistoryLine& one : lines)
    for (const LinePoint& point : one.points) {
      auto& [bad, all] = wrong[one.chip][point.run];
      most = std::max(most, bad += point.wrong);
      all += point.verdicts;
    }
  Plot plot{std::to_string(most), "0", double(std::max<int64_t>(1, most)), false, {}};
  for (const auto& [chip, runs] : wrong) {
    Plot::Series series{short_name(chip), {}, {}};
    for (const auto& [run, counts] : runs) {
      series.points.push_back({run, double(counts.first)});
      if (counts.first > 0)
        series.marks.push_back(
            {run, false, fmt::format("{}: {} of {} wrong", run_text(data.runs[run]), counts.first, counts.second)});
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

/// A plot of the budget use of a contract by run, with a line for each kernel and chip.
void contract_plots(Node parent, const HistoryData& data, const std::vector<const HistoryLine*>& lines) {
  std::set<std::string> kernels, chips;
  for (const HistoryLine* one : lines) kernels.insert(one->kernel), chips.insert(one->chip);
  for (size_t first = 0; first < lines.size(); first += kMostSeries) {
    Plot plot{"1", "0", 1, true, {}};
    for (size_t i = first; i < std::min(lines.size(), first + kMostSeries); ++i) {
      const HistoryLine& one = *lines[i];
      Plot::Series series{short_name(kernels.size() == 1 && chips.size() > 1 ? one.chip
                                     : chips.size() == 1                     ? one.kernel
                                                                             : one.kernel + ", " + one.chip),
                          {},
                          {}};
      for (const LinePoint& point : one.points) {
        series.points.push_back({point.run, point.budget_use});
        if (point.wrong > 0)
          series.marks.push_back({point.run, point.wrong == point.known,
                                  fmt::format("{}: {} of {} wrong, budget use {:.3g}", run_text(data.runs[point.run]),
                                              point.wrong, point.verdicts, point.budget_use)});
      }
      plot.series.push_back(std::move(series));
    }
    draw(parent, data, plot);
  }
}

void turns_table(Node section, const HistoryData& data, const std::vector<ChangeGroup>& groups) {
  const Node body = table(wide(section), "turns", {"what", "since, kernel, contract and chip", "cause", "cases"});
  for (const ChangeGroup& group : groups) {
    const HistoryData::Series& series = data.series[size_t(group.first().series)];
    const Node row = line(body, "tr");
    write(cell(row), name(group.first().turn));
    const Node what = cell(row);
    write(what, turn_text(data, group).substr(group.first().turn == Turn::kFlips ? 2 : 1));
    child(what, "br");
    write(what, contracts_text(data, group));
    const Node cause = cell(row);
    write(cause, group.first().cause);
    if (const std::string note = remark(group); !note.empty()) soft(cause, (group.first().cause.empty() ? "" : " — ") + note);
    const Node cases = cell(row);
    if (group.cases.size() == 1) {
      code(cases, series.case_id);
      continue;
    }
    const Folded list = folded(cases);
    write(list.summary, fmt::format("{} cases", group.cases.size()));
    for (const CaseChange& one : group.cases) {
      code(list.content, data.series[size_t(one.series)].case_id);
      child(list.content, "br");
    }
  }
}

void runs_list(Node section, const HistoryData& data) {
  const Node body = table(wide(section), "runs", {"run", "begun", "commit", "library", "chip", "driver", "Assay", "ending"});
  for (size_t i = data.runs.size(); i-- > 0;) {
    const HistoryRun& run = data.runs[i];
    const Node row = line(body, "tr");
    const std::string library = run.library + (run.library_digest.empty() ? "" : " " + run.library_digest);
    for (const std::string& text :
         {std::to_string(run.id), run.begun, run.commit.substr(0, 12), library, run.chip_text(), run.driver,
          run.assay_commit.substr(0, 12), run.ending + (run.share.empty() ? "" : "; share " + run.share)})
      write(cell(row), text);
  }
}

Node section_of(Node main, const char* title) {
  const Node section = line(main, "section");
  write(line(section, "h2"), title);
  return section;
}

}  // namespace
}  // namespace assay::html

namespace assay {

std::string history_page(const HistoryData& data, const std::string& file) {
  using namespace html;
  pugi::xml_document document;
  document.append_child(pugi::node_doctype).set_value("html");
  const Node html = set(document.append_child("html"), "lang", "en"), head = child(html, "head");
  set(line(head, "meta"), "charset", "utf-8");
  set(set(line(head, "meta"), "name", "viewport"), "content", "width=device-width");
  write(line(head, "title"), "Assay history: " + file);
  write(line(head, "style"), std::string(kStyle) + kPlotStyle);
  const Node main = line(line(html, "body"), "main");

  const std::vector<ChangeGroup> groups = change_groups(data);
  const std::vector<HistoryLine> lines = history_lines(data);
  size_t wrong = 0;
  for (const ChangeGroup& group : groups)
    wrong += size_t(std::count_if(group.cases.begin(), group.cases.end(),
                                  [](const CaseChange& one) { return one.is_wrong && one.turn != Turn::kMissing; }));
  code(write(line(main, "h1"), "Assay history "), file);
  write(line(main, "p", wrong == 0 ? "ending" : "ending bad"),
        wrong == 0 ? "NOTHING WRONG NOW" : fmt::format("{} WRONG NOW", wrong));
  write(line(main, "p"), fmt::format("{} runs from {} to {}, {} cases.", data.runs.size(), data.runs.front().begun,
                                     data.runs.back().begun, data.series.size()));

  const Node all = section_of(main, "Wrong verdicts by run");
  draw(all, data, overview(data, lines));
  const Node turns = section_of(main, "What changed");
  if (groups.empty()) write(line(turns, "p"), "No case failed, and none changed its bits.");
  if (!groups.empty()) turns_table(turns, data, groups);

  const Node contracts = section_of(main, "Budget use of each contract by run");
  write(line(contracts, "p"),
        "The line is the largest budget use of all cases. The dotted line at 1 is the edge of the accepted interval. 0 means "
        "that every element has one accepted code. A red cross marks a run with wrong verdicts, a grey one a run where only "
        "known failures were wrong.");
  std::set<std::string> changed;
  for (const ChangeGroup& group : groups)
    for (const CaseChange& one : group.cases) changed.insert(data.series[size_t(one.series)].contract);
  std::map<std::pair<bool, std::string>, std::vector<const HistoryLine*>> by_contract;
  for (const HistoryLine& one : lines) by_contract[{!changed.contains(one.contract), one.contract}].push_back(&one);
  for (const auto& [key, of_contract] : by_contract) {
    const Folded plots = folded(contracts);
    if (!key.first) set(plots.summary.parent(), "open", "open");
    code(plots.summary, key.second);
    write(plots.summary, key.first ? ": nothing changed" : "");
    contract_plots(plots.content, data, of_contract);
  }
  runs_list(section_of(main, "Runs"), data);
  return source_of(document);
}

}  // namespace assay
