// The SARIF report: static analysis results interchange format, OASIS standard 2.1.0.
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "harness/report/failure_groups.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// SARIF's `uriBaseId` for the folder of Assay's tables, which lies outside the repository of the kernels.
constexpr const char* kAssayTables = "ASSAY_DATA";

/// A path as a relative URI reference or, for an absolute path, as a file URI.
std::string uri_of(const std::string& path) {
  std::string uri = path.starts_with("/") ? "file://" : "";
  for (const char c : path) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/-._~").find(c) != std::string_view::npos;
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri;
}

Json location(const Verdict& v, const std::string& workspace) {
  Json location = {
      {"logicalLocations",
       Json::array({{{"name", printable(v.kernel)}, {"fullyQualifiedName", printable(v.case_id)}, {"kind", "function"}}})}};
  const CaseRow row = row_of(v, workspace);
  if (row.file.empty()) return location;
  Json artifact = {{"uri", uri_of(row.file)}};
  if (!row.in_workspace && !row.file.starts_with("/")) artifact["uriBaseId"] = kAssayTables;
  location["physicalLocation"] = {{"artifactLocation", artifact}, {"region", {{"startLine", row.line}}}};
  return location;
}

/// SARIF's own word for the state of the gate; empty: no comparison with a baseline.
std::string baseline_state(const Verdict& v) {
  if (!v.gate) return "";
  switch (v.gate->state) {
    case GateState::kKnown:
    case GateState::kSameBits:
      return "unchanged";
    case GateState::kFixed:
      return "absent";
    case GateState::kChanged:
      return "updated";
    case GateState::kNew:
    case GateState::kGone:
    case GateState::kNotInBaseline:
      break;
  }
  return "new";
}

/// False for verdicts that are no result: expected passes and skips, unless the gate's state is `fixed` or `gone`.
bool is_result(const Verdict& v) {
  if (!as_expected(v) || is_bad(v.outcome)) return true;
  return v.gate && (v.gate->state == GateState::kFixed || v.gate->state == GateState::kGone);
}

std::string rule_of(const Verdict& v) { return v.contract.empty() ? (v.op.empty() ? "assay" : v.op) : v.contract; }

Json result_of(const Verdict& v, size_t rule, const std::string& workspace) {
  std::string message = fmt::format("{} {}: {}", v.case_id, v.kernel, name(v.outcome));
  if (v.gate) message += fmt::format("; {}{}", name(v.gate->state), gate_note(*v.gate).empty() ? "" : ": " + gate_note(*v.gate));
  if (const std::string found = headline_with_cause(v); !found.empty()) message += "; " + found;
  Json properties = {{"outcome", name(v.outcome)}, {"kernel", printable(v.kernel)}, {"repro", printable(v.repro)}};
  if (v.gate) properties["gate"] = name(v.gate->state);
  Json json = {{"ruleId", printable(rule_of(v))},
               {"ruleIndex", rule},
               {"kind", as_expected(v) && !is_bad(v.outcome) ? "informational" : "fail"},
               {"level", as_expected(v) && !is_bad(v.outcome) ? "none" : as_expected(v) ? "warning" : "error"},
               {"message", {{"text", printable_lines(message)}}},
               {"locations", Json::array({location(v, workspace)})},
               {"partialFingerprints", {{"caseAndKernel/v1", printable(v.case_id + " " + v.kernel)}}},
               {"properties", properties}};
  if (const std::string state = baseline_state(v); !state.empty()) json["baselineState"] = state;
  if (as_expected(v) && is_bad(v.outcome)) {
    const std::string why = !v.deviation.empty() ? v.deviation : v.gate ? v.gate->note : "";
    json["suppressions"] = Json::array({{{"kind", "external"}, {"status", "accepted"}, {"justification", printable(why)}}});
  }
  return json;
}

}  // namespace

std::string sarif_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance,
                       const std::string& workspace) {
  Json rules = Json::array(), results = Json::array();
  std::map<std::string, size_t> places;
  for (const Verdict& v : result.verdicts) {
    if (!is_result(v)) continue;
    const std::string rule = rule_of(v);
    const auto [place, is_new] = places.emplace(rule, rules.size());
    if (is_new)
      rules.push_back(
          {{"id", printable(rule)}, {"shortDescription", {{"text", printable("op " + v.op + " must follow contract " + rule)}}}});
    results.push_back(result_of(v, place->second, workspace));
  }
  const bool complete = result.ended_by.empty() && result.harness_error.empty() && !result.device_lost;
  Json invocation = {
      {"executionSuccessful", complete}, {"exitCode", int(result.exit_code())}, {"commandLine", printable(provenance.command)}};
  if (!provenance.begun.empty()) invocation["startTimeUtc"] = provenance.begun;
  if (!provenance.ended.empty()) invocation["endTimeUtc"] = provenance.ended;
  if (!complete)
    invocation["toolExecutionNotifications"] = Json::array(
        {{{"level", "error"}, {"message", {{"text", printable(ending_text(result) + ": " + result.harness_error)}}}}});
  const Json driver = {{"name", "Assay"}, {"version", provenance.version.empty() ? "0" : provenance.version}, {"rules", rules}};
  const Json run = {
      {"tool", {{"driver", driver}}},
      {"invocations", Json::array({invocation})},
      {"originalUriBaseIds",
       {{kAssayTables, {{"description", {{"text", "folder of Assay's case tables; assay list names their cases"}}}}}}},
      {"columnKind", "utf16CodeUnits"},
      {"results", results},
      {"properties",
       {{"library", printable(library.name)},
        {"arch", printable(library.arch)},
        {"device", printable(library.device)},
        {"ending", ending_text(result)}}}};
  const Json log = {{"$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"},
                    {"version", "2.1.0"},
                    {"runs", Json::array({run})}};
  return log.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace assay
