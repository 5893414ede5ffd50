#include "harness/report/junit.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <pugixml.hpp>
#include <sstream>
#include <vector>

#include "harness/report/console.h"
#include "harness/report/counts.h"
#include "harness/report/words.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

using Verdicts = std::vector<const Verdict*>;

void set(pugi::xml_node node, const char* attribute, const std::string& value) {
  node.append_attribute(attribute).set_value(printable_lines(value).c_str());
}

/// An error, as opposed to a failure, says nothing about the numbers.
bool is_error(const Verdict& v) { return v.outcome == Outcome::kBroken || v.outcome == Outcome::kNotJudged; }

bool is_silent(const Verdict& v) { return as_expected(v) && v.outcome == Outcome::kPass; }

void append_outcome(pugi::xml_node testcase, const Verdict& v) {
  if (is_silent(v)) return;
  if (as_expected(v)) {
    const std::string known = v.deviation.empty() ? "" : v.deviation + "; ";
    return set(testcase.append_child("skipped"), "message", known + headline(v));
  }
  pugi::xml_node failure = testcase.append_child(is_error(v) ? "error" : "failure");
  set(failure, "type", name(v.outcome));
  set(failure, "message", headline_with_cause(v));
  failure.text().set(printable_lines(failure_text(v)).c_str());
}

void append_counts(pugi::xml_node node, const Verdicts& verdicts) {
  int64_t failures = 0, errors = 0, skipped = 0;
  double seconds = 0;
  for (const Verdict* v : verdicts) {
    seconds += v->seconds;
    if (!is_silent(*v)) ++(as_expected(*v) ? skipped : is_error(*v) ? errors : failures);
  }
  set(node, "tests", std::to_string(verdicts.size()));
  set(node, "failures", std::to_string(failures));
  set(node, "errors", std::to_string(errors));
  set(node, "skipped", std::to_string(skipped));
  set(node, "time", fmt::format("{:.6f}", seconds));
}

void append_suite(pugi::xml_node suites, const std::string& op, const Verdicts& verdicts, const std::vector<Fact>& facts) {
  pugi::xml_node suite = suites.append_child("testsuite");
  set(suite, "name", op);
  append_counts(suite, verdicts);
  pugi::xml_node properties = suite.append_child("properties");
  for (const Fact& fact : facts) {
    if (fact.value.empty()) continue;
    if (fact.name == "begun") set(suite, "timestamp", fact.value);
    if (fact.name == "host") set(suite, "hostname", fact.value);
    pugi::xml_node property = properties.append_child("property");
    set(property, "name", fact.name);
    set(property, "value", fact.value);
  }
  for (const Verdict* v : verdicts) {
    pugi::xml_node testcase = suite.append_child("testcase");
    set(testcase, "classname", op);
    set(testcase, "name", v->case_id + (v->kernel.empty() ? "" : " [" + v->kernel + "]"));
    set(testcase, "time", fmt::format("{:.6f}", v->seconds));
    append_outcome(testcase, *v);
  }
}

/// A run that ended early must not look as if all its tests passed.
void append_ending(pugi::xml_node suites, const RunResult& result) {
  pugi::xml_node suite = suites.append_child("testsuite");
  set(suite, "name", "assay");
  for (const char* count : {"tests", "errors"}) {
    set(suite, count, "1");
    suites.attribute(count).set_value(std::to_string(suites.attribute(count).as_llong() + 1).c_str());
  }
  pugi::xml_node testcase = suite.append_child("testcase");
  set(testcase, "classname", "assay");
  set(testcase, "name", "the run finished");
  pugi::xml_node error = testcase.append_child("error");
  set(error, "type", "ended early");
  set(error, "message", ending_text(result) + ": the other cases have no verdict");
}

}  // namespace

std::string junit_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  std::vector<std::string> ops;
  Verdicts all;
  for (const Verdict& v : result.verdicts) {
    all.push_back(&v);
    if (std::find(ops.begin(), ops.end(), v.op) == ops.end()) ops.push_back(v.op);
  }
  pugi::xml_document document;
  pugi::xml_node declaration = document.append_child(pugi::node_declaration);
  set(declaration, "version", "1.0");
  set(declaration, "encoding", "UTF-8");
  pugi::xml_node suites = document.append_child("testsuites");
  set(suites, "name", "assay");
  append_counts(suites, all);
  const std::vector<Fact> facts = facts_of(provenance, library);
  for (const std::string& op : ops) {
    Verdicts of_op;
    std::copy_if(all.begin(), all.end(), std::back_inserter(of_op), [&](const Verdict* v) { return v->op == op; });
    append_suite(suites, op, of_op, facts);
  }
  if (!result.ended_by.empty() || !result.harness_error.empty()) append_ending(suites, result);
  std::ostringstream text;
  document.save(text, "  ", pugi::format_indent, pugi::encoding_utf8);
  return text.str();
}

}  // namespace assay
