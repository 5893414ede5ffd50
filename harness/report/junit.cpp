#include "harness/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "harness/report/console.h"
#include "harness/report/escape.h"
#include "harness/report/words.h"

namespace assay {
namespace {

std::string outcome_element(const Verdict& v) {
  const std::string message = xml_escaped(headline(v));
  if (v.outcome == Outcome::kSkip && !v.offered) return fmt::format("      <skipped message=\"{}\"/>\n", message);
  if (as_expected(v)) {
    if (v.outcome == Outcome::kPass) return "";
    return fmt::format("      <skipped message=\"{}; {}\"/>\n", xml_escaped(v.deviation), message);
  }
  const char* tag = v.outcome == Outcome::kBroken ? "error" : "failure";
  return fmt::format("      <{0} type=\"{1}\" message=\"{2}\">{3}</{0}>\n", tag, name(v.outcome), message,
                     xml_escaped(failure_text(v)));
}

struct Counts {
  int64_t tests = 0, failures = 0, errors = 0, skipped = 0;
  double seconds = 0;
};

Counts counts_of(const std::vector<const Verdict*>& verdicts) {
  Counts c;
  for (const Verdict* v : verdicts) {
    ++c.tests;
    c.seconds += v->seconds;
    const bool silent = as_expected(*v) && v->outcome == Outcome::kPass;
    if (silent) continue;
    if (as_expected(*v)) {
      ++c.skipped;
    } else {
      ++(v->outcome == Outcome::kBroken ? c.errors : c.failures);
    }
  }
  return c;
}

std::string attributes(const Counts& c) {
  return fmt::format("tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.6f}\"", c.tests, c.failures, c.errors,
                     c.skipped, c.seconds);
}

std::string suite_text(const std::string& op, const std::vector<const Verdict*>& verdicts, const LibraryInfo& library) {
  std::string text = fmt::format("  <testsuite name=\"{}\" {}>\n", xml_escaped(op), attributes(counts_of(verdicts)));
  text += "    <properties>\n";
  const std::pair<const char*, const std::string&> properties[] = {{"library", library.name},
                                                                   {"arch", library.arch},
                                                                   {"device", library.device},
                                                                   {"driver", library.driver},
                                                                   {"toolkit", library.toolkit}};
  for (const auto& [key, value] : properties) {
    if (!value.empty()) text += fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", key, xml_escaped(value));
  }
  text += "    </properties>\n";
  for (const Verdict* v : verdicts) {
    const std::string title = v->case_id + (v->kernel.empty() ? "" : " [" + v->kernel + "]");
    text += fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.6f}\"", xml_escaped(op), xml_escaped(title),
                        v->seconds);
    const std::string inner = outcome_element(*v);
    text += inner.empty() ? "/>\n" : ">\n" + inner + "    </testcase>\n";
  }
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_text(const RunResult& result, const LibraryInfo& library) {
  std::vector<std::string> ops;
  std::vector<const Verdict*> all;
  for (const Verdict& v : result.verdicts) {
    all.push_back(&v);
    if (std::find(ops.begin(), ops.end(), v.op) == ops.end()) ops.push_back(v.op);
  }
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  text += fmt::format("<testsuites name=\"assay\" {}>\n", attributes(counts_of(all)));
  for (const std::string& op : ops) {
    std::vector<const Verdict*> of_op;
    std::copy_if(all.begin(), all.end(), std::back_inserter(of_op), [&](const Verdict* v) { return v->op == op; });
    text += suite_text(op, of_op, library);
  }
  return text + "</testsuites>\n";
}

}  // namespace assay
