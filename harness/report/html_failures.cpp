#include "harness/report/html_failures.h"

#include <fmt/format.h>

#include <map>

#include "harness/report/causes.h"
#include "harness/report/escape.h"
#include "harness/report/html_failure.h"
#include "harness/report/html_parts.h"
#include "harness/report/words.h"

namespace assay::html {
namespace {

std::string counted(int64_t count, const char* what) { return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s"); }

std::string kernels_text(const FailureGroup& group) {
  constexpr int64_t kMost = 4;
  std::string text;
  int64_t named = 0;
  for (const std::string& kernel : group.kernels) {
    if (named++ == kMost) return text + fmt::format(" and {} more", int64_t(group.kernels.size()) - kMost);
    text += (text.empty() ? "" : ", ") + code(kernel);
  }
  return text;
}

std::string title(const RunResult& result, const FailureGroup& group) {
  if (!group.cause.empty()) return xml_escaped(group.cause);
  return xml_escaped(headline(result.verdicts[group.first()]));
}

/// One failure in a line: which case, what is wrong, and its cause where that has other numbers than the card's.
std::string line(const RunResult& result, const FailureGroup& group, const Twins& twins) {
  const Verdict& v = result.verdicts[twins.places.front()];
  std::string words = headline(v);
  if (const std::string mistake = first_mistake(v); mistake != group.cause && mistake != v.message) words += "; " + mistake;
  return fmt::format("<li>{} {}</li>\n", code(twins_text(result, twins)), soft(xml_escaped(words)));
}

std::string folded(const std::string& summary, const std::string& lines) {
  return "<details><summary>" + summary + "</summary>\n<ul class=\"others\">\n" + lines + "</ul>\n</details>\n";
}

/// All failures of a group but the first, which the card shows in full.
std::string others(const RunResult& result, const FailureGroup& group) {
  struct OfKernel {
    int64_t verdicts = 0;
    std::string lines;
  };
  std::map<std::string, OfKernel> by_kernel;
  for (const Twins& twins : group.failures) {
    if (&twins == &group.failures.front()) continue;
    OfKernel& kernel = by_kernel[result.verdicts[twins.places.front()].kernel];
    kernel.verdicts += int64_t(twins.places.size());
    kernel.lines += line(result, group, twins);
  }
  std::string text;
  for (const auto& [name, kernel] : by_kernel)
    text += folded(fmt::format("{} more of kernel {}", counted(kernel.verdicts, "verdict"), code(name)), kernel.lines);
  return text;
}

}  // namespace

std::string cause_table(const RunResult& result, const std::vector<FailureGroup>& groups) {
  std::vector<std::vector<std::string>> rows = {{"", "verdicts", "cause", "kernels"}};
  for (size_t i = 0; i < groups.size(); ++i) {
    const FailureGroup& group = groups[i];
    const std::string known = group.expected ? " " + soft("(as expected)") : "";
    rows.push_back({cause_link(i, std::to_string(i + 1)), std::to_string(group.verdicts),
                    cause_link(i, title(result, group)) + known, kernels_text(group)});
  }
  return table("causes", rows);
}

std::string cause_cards(const RunResult& result, const std::vector<FailureGroup>& groups) {
  std::string text;
  for (size_t i = 0; i < groups.size(); ++i) {
    const FailureGroup& group = groups[i];
    text += fmt::format("<section class=\"card\" id=\"c{0}\">\n<h3><a href=\"#c{0}\">{0}</a> {1}</h3>\n<p>{2} of {3}: {4}</p>\n",
                        i + 1, title(result, group), counted(group.verdicts, "verdict"),
                        counted(int64_t(group.kernels.size()), "kernel"), kernels_text(group));
    const Twins& first = group.failures.front();
    text += failure_body(result.verdicts[group.first()], twins_text(result, first)) + others(result, group) + "</section>\n";
  }
  return text;
}

}  // namespace assay::html
