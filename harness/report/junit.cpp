#include "harness/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "harness/report/console.h"
#include "harness/report/report.h"

namespace assay {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the UTF-8 character at the front that XML 1.0 allows, or 0.
size_t character_length(std::string_view text) {
  const auto byte = [&](size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto continues = [&](size_t n) {
    for (size_t i = 1; i <= n; ++i) {
      if ((byte(i) & 0xc0) != 0x80) return false;
    }
    return true;
  };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r' ? 1 : 0;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    const bool noncharacter = first == 0xef && second == 0xbf && byte(2) > 0xbd;
    return continues(2) && !overlong && !surrogate && !noncharacter ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool out_of_range = (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
    return continues(3) && !out_of_range ? 4 : 0;
  }
  return 0;
}

std::string outcome_element(const Verdict& v) {
  const std::string message = xml_escaped(headline(v));
  if (v.outcome == Outcome::kSkip && !v.offered) return fmt::format("      <skipped message=\"{}\"/>\n", message);
  if (as_expected(v)) {
    if (v.outcome == Outcome::kPass) return "";
    return fmt::format("      <skipped message=\"expected {}: {}\"/>\n", name(v.outcome), message);
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

std::string xml_escaped(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = character_length(text);
    const char c = text.front();
    if (length == 0) {
      escaped += kReplacement;
    } else if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else if (c == '\'') {
      escaped += "&apos;";
    } else {
      escaped += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return escaped;
}

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
