#include "harness/report/html_trend.h"

#include <fmt/format.h>

#include "harness/report/escape.h"
#include "harness/report/html_parts.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

std::string list(const char* title, const std::vector<const Verdict*>& verdicts) {
  if (verdicts.empty()) return "";
  std::string lines;
  for (const Verdict* v : verdicts)
    lines += fmt::format("<li>{} {} {} {}</li>\n", mark(v->outcome), code(v->case_id), code(v->kernel),
                         soft(xml_escaped(headline_with_cause(*v))));
  return fmt::format("<details><summary>{}: {}</summary>\n<ul class=\"others\">\n{}</ul>\n</details>\n", title, verdicts.size(),
                     lines);
}

}  // namespace

std::string trend_text(const RunResult& result, const EarlierRun& earlier) {
  const Trend trend = trend_of(result, earlier);
  std::string text = fmt::format(
      "<p>Against {}{}: {} worse, {} better, {} wrong that were not judged before, {} still wrong, {} still right, {} judged "
      "before but "
      "not now.</p>\n",
      code(earlier.path), earlier.begun.empty() ? "" : " of " + xml_escaped(earlier.begun), trend.worse.size(),
      trend.better.size(), trend.fresh.size(), trend.still_bad, trend.still_passed, trend.gone);
  return text + list("Worse: passed before", trend.worse) + list("Wrong, and not judged before", trend.fresh) +
         list("Better: wrong before", trend.better);
}

}  // namespace assay::html
