#include "harness/report/html/trend.h"

#include <fmt/format.h>

#include "harness/report/words.h"

namespace assay::html {
namespace {

void list(Node section, const char* title, const std::vector<const Verdict*>& verdicts) {
  if (verdicts.empty()) return;
  const Folded list = folded(section);
  write(list.summary, fmt::format("{}: {}", title, verdicts.size()));
  const Node lines = line(list.content, "ul", "others");
  for (const Verdict* v : verdicts) {
    const Node item = line(lines, "li");
    mark(item, v->outcome);
    code(write(item, " "), v->case_id);
    code(write(item, " "), v->kernel);
    soft(write(item, " "), headline_with_cause(*v));
  }
}

}  // namespace

void trend(Node section, const RunResult& result, const EarlierRun& earlier) {
  const Trend trend = trend_of(result, earlier);
  const Node counts = write(line(section, "p"), "Against ");
  code(counts, earlier.path);
  write(counts, earlier.begun.empty() ? "" : " of " + earlier.begun);
  write(
      counts,
      fmt::format(": {} worse, {} better, {} wrong that were not judged before, {} still wrong, {} still right, {} judged "
                  "before but not now.",
                  trend.worse.size(), trend.better.size(), trend.fresh.size(), trend.still_bad, trend.still_passed, trend.gone));
  list(section, "Worse: passed before", trend.worse);
  list(section, "Wrong, and not judged before", trend.fresh);
  list(section, "Better: wrong before", trend.better);
}

}  // namespace assay::html
