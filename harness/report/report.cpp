#include "harness/report/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <pugixml.hpp>
#include <sstream>
#include <vector>

#include "harness/report/console.h"
#include "harness/report/failure_groups.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

using Cells = std::vector<std::string>;

using Fields = std::vector<ReportField>;

const Fields kVerdictColumns = {
    {"case", "id of the case"},
    {"op", "op"},
    {"contract", "contract that the outputs were checked against"},
    {"arch", "architecture that the case is for; empty if it is for all"},
    {"warp", "32 or 64 lanes"},
    {"kernel", "name of the kernel"},
    {"backend", "name of the kernel library"},
    {"outcome", "pass, fail, skip, untrusted, broken, flaky or unjudged"},
    {"as_expected", "yes if the outcome is pass, skip, or what the known-failures list expects; otherwise no", "boolean"},
    {"message", "why the case is skipped, broken, untrusted or unjudged"},
    {"ledger", "row of the known-failures list that covers this verdict"},
    {"seconds", "wall time of the kernel call", "number"},
    {"row", "file and line of the case in its table"},
    {"program",
     "if the contract allows several algorithm variants: the variant whose outputs are equal or closest to the kernel's"},
    {"program_said", "algorithm variant that the library itself reported with the call"}};
const Fields kTensorColumns = {
    {"tensor", "output tensor, or a part of it"},
    {"format", "format of the tensor's elements"},
    {"elements", "number of elements", "integer"},
    {"outside", "number of elements outside their accepted interval", "integer"},
    {"worst_ulps", "largest distance of an element from its accepted interval, in ulp of the format", "integer"},
    {"single_code", "number of elements with exactly one accepted code", "integer"},
    {"unjudged", "number of elements that the contract leaves undefined", "integer"},
    {"padding_wrong", "number of padding elements that hold something else than the contract says", "integer"},
    {"budget_use",
     "largest distance of an element from the middle of its accepted interval, divided by half the width. 1 is the edge; 0 if "
     "every element accepts one code",
     "number"}};
/// Columns of the mutation score. They describe the whole case or, if it is large, a subsample of its rows.
const Fields kPowerColumns = {
    {"faults_seen", "number of mutants of the contract that the inputs of this case expose", "integer"},
    {"faults", "number of mutants of the contract that some inputs can expose", "integer"},
    {"codes_visited", "for 8-bit formats: number of distinct codes that every correct kernel returns on these inputs", "integer"},
    {"power_elements", "number of output elements that were examined for the next three columns", "integer"},
    {"power_subnormal", "number of elements that must be subnormal", "integer"},
    {"power_saturated", "number of elements that must have the largest finite magnitude", "integer"},
    {"power_nan", "number of elements that must be NaN", "integer"}};
const Fields kGateColumns = {{"gate",
                              "state that `assay gate` gives to the verdict: new, gone, known, fixed, changed within the budget, "
                              "same bits, or not in the baseline; empty in reports of other commands"},
                             {"gate_note", "why the gate gives this state, and how many elements changed"}};

Cells joined(Cells a, const Cells& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

std::string cell(const std::string& bytes) { return csv_cell(printable(bytes)); }

std::string row(const Cells& cells) {
  std::string text;
  for (const std::string& one : cells) text.append(&one == &cells.front() ? "" : ",").append(cell(one));
  return text.append("\n");
}

Cells verdict_cells(const Verdict& v) {
  return {v.case_id,
          v.op,
          v.contract,
          v.arch,
          v.warp,
          v.kernel,
          v.backend,
          name(v.outcome),
          as_expected(v) ? "yes" : "no",
          v.message,
          v.deviation,
          fmt::format("{:.6f}", v.seconds),
          v.origin,
          v.program,
          v.program_said};
}

Cells tensor_cells(const TensorFinding& f) {
  Cells cells = {f.name, f.format};
  for (const int64_t count : {f.elements, f.outside, f.worst_ulps, f.single_code, f.unjudged, f.padding_wrong}) {
    cells.push_back(std::to_string(count));
  }
  cells.push_back(fmt::format("{:.4f}", f.budget_use));
  return cells;
}

/// Mutation score of the case, and counts for this tensor. Empty if not computed.
Cells power_cells(const Power& power, const std::string& tensor) {
  Cells cells(kPowerColumns.size());
  if (power.faults > 0) cells[0] = std::to_string(power.seen()), cells[1] = std::to_string(power.faults);
  for (const DataPower& data : power.data) {
    if (data.tensor != tensor) continue;
    if (data.codes.any()) cells[2] = std::to_string(data.codes.count());
    cells[3] = std::to_string(data.elements);
    cells[4] = std::to_string(data.subnormal);
    cells[5] = std::to_string(data.saturated);
    cells[6] = std::to_string(data.not_a_number);
  }
  return cells;
}

Cells gate_cells(const Verdict& v) {
  if (!v.gate) return Cells(kGateColumns.size());
  return {name(v.gate->state), gate_note(*v.gate)};
}

Cells names_of(const Fields& fields) {
  Cells names;
  for (const ReportField& field : fields) names.push_back(field.name);
  return names;
}

}  // namespace

std::vector<ReportField> csv_columns() {
  Fields all = kVerdictColumns;
  all.insert(all.end(), kTensorColumns.begin(), kTensorColumns.end());
  all.insert(all.end(), kPowerColumns.begin(), kPowerColumns.end());
  all.insert(all.end(), kGateColumns.begin(), kGateColumns.end());
  return all;
}

std::string csv_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  const std::vector<Fact> facts = facts_of(provenance, library);
  Cells run_columns = {"run_id", "run_schema"}, run_cells = {run_id(facts), std::to_string(kCsvVersion)};
  for (const Fact& fact : facts) {
    run_columns.push_back("run_" + fact.name);
    run_cells.push_back(fact.value);
  }
  const auto whole_row = [](const Cells& verdict, const Cells& tensor, const Cells& power, const Cells& gate, const Cells& run) {
    return row(joined(joined(joined(joined(verdict, tensor), power), gate), run));
  };
  std::string text = whole_row(names_of(kVerdictColumns), names_of(kTensorColumns), names_of(kPowerColumns),
                               names_of(kGateColumns), run_columns);
  const auto put = [&](const Verdict& verdict, const Cells& tensor, const std::string& name) {
    text += whole_row(verdict_cells(verdict), tensor, power_cells(verdict.power, name), gate_cells(verdict), run_cells);
    std::fill(run_cells.begin() + 1, run_cells.end(), "");  // values that are equal for all rows are printed in the first row
                                                            // only
  };
  for (const Verdict& verdict : result.verdicts) {
    for (const TensorFinding& finding : verdict.tensors) put(verdict, tensor_cells(finding), finding.name);
    if (verdict.tensors.empty()) put(verdict, Cells(kTensorColumns.size()), "");
  }
  return text;
}

namespace {

using Verdicts = std::vector<const Verdict*>;

void set(pugi::xml_node node, const char* attribute, const std::string& value) {
  node.append_attribute(attribute).set_value(printable_lines(value).c_str());
}

/// Whether JUnit calls the verdict an error. An error says nothing about the output values, unlike a failure.
bool is_error(const Verdict& v) { return v.outcome == Outcome::kBroken || v.outcome == Outcome::kNotJudged; }

bool is_silent(const Verdict& v) { return as_expected(v) && v.outcome == Outcome::kPass; }

/// Writes the state of the gate as properties of a test case; pytest writes such properties too.
void append_gate(pugi::xml_node testcase, const GateFinding& gate) {
  pugi::xml_node properties = testcase.append_child("properties");
  const auto add = [&](const char* name, const std::string& value) {
    pugi::xml_node property = properties.append_child("property");
    set(property, "name", name);
    set(property, "value", value);
  };
  add("gate", name(gate.state));
  if (const std::string note = gate_note(gate); !note.empty()) add("gate_note", note);
}

void append_outcome(pugi::xml_node testcase, const Verdict& v) {
  if (v.gate) append_gate(testcase, *v.gate);
  if (is_silent(v)) return;
  if (as_expected(v)) {
    std::string known = v.deviation.empty() ? "" : v.deviation + "; ";
    if (v.gate) known = fmt::format("{}: {}; ", name(v.gate->state), v.gate->note) + known;
    return set(testcase.append_child("skipped"), "message", known + headline(v));
  }
  pugi::xml_node failure = testcase.append_child(is_error(v) ? "error" : "failure");
  set(failure, "type", v.gate ? name(v.gate->state) : name(v.outcome));
  set(failure, "message",
      (v.gate ? fmt::format("{}: {}; ", name(v.gate->state), gate_note(*v.gate)) : "") + headline_with_cause(v));
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

/// Adds a failing test case, so that a run that ended early does not look as if all its tests passed.
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

namespace {

struct FileKind {
  const char* word;
  ReportKind kind;
};

constexpr FileKind kFileKinds[] = {
    {"csv", ReportKind::kCsv},   {"junit", ReportKind::kJunit},   {"json", ReportKind::kJson},
    {"html", ReportKind::kHtml}, {"md", ReportKind::kMarkdown}, {"sarif", ReportKind::kSarif}};

std::string text_of(ReportKind kind, const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                    const EarlierRun* earlier, const ContractTexts& contracts) {
  switch (kind) {
    case ReportKind::kConsole:
    case ReportKind::kGithub:
      break;
    case ReportKind::kMarkdown:
      return markdown_text(result, library, provenance);
    case ReportKind::kSarif:
      return sarif_text(result, library, provenance, workspace_of_job());
    case ReportKind::kCsv:
      return csv_text(result, library, provenance);
    case ReportKind::kJunit:
      return junit_text(result, library, provenance);
    case ReportKind::kJson:
      return json_text(result, library, provenance);
    case ReportKind::kHtml:
      return html_text(result, library, provenance, earlier, contracts);
  }
  return "";
}

}  // namespace

std::string workspace_of_job() {
  for (const char* const name : {"GITHUB_WORKSPACE", "CI_PROJECT_DIR"})
    if (const char* const value = std::getenv(name); value != nullptr && *value != '\0') return value;
  std::error_code none;
  return std::filesystem::current_path(none).string();
}

ReportRequest parse_report(const std::string& text) {
  std::string known = "reports: console, github";
  for (const FileKind& kind : kFileKinds) known += fmt::format(", {}:FILE", kind.word);
  const size_t colon = text.find(':');
  const std::string word = text.substr(0, colon);
  const std::string file = colon == std::string::npos ? "" : text.substr(colon + 1);
  if (word == "console" || word == "github") {
    if (colon != std::string::npos) throw UsageError(fmt::format("--report {}: {} takes no file; {}", text, word, known));
    return {word == "console" ? ReportKind::kConsole : ReportKind::kGithub, ""};
  }
  for (const FileKind& kind : kFileKinds) {
    if (word != kind.word) continue;
    if (file.empty()) throw UsageError(fmt::format("--report {}: a file name is missing; {}", text, known));
    return {kind.kind, file};
  }
  throw UsageError(fmt::format("--report {}: unknown report '{}'; {}", text, word, known));
}

void write_reports(const std::vector<ReportRequest>& requests, const RunResult& result, const LibraryInfo& library,
                   const Provenance& provenance, const EarlierRun* earlier, const ContractTexts& contracts) {
  for (const ReportRequest& request : requests) {
    if (!request.file.empty())
      write_atomically(request.file, text_of(request.kind, result, library, provenance, earlier, contracts));
  }
}

}  // namespace assay
