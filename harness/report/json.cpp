#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "harness/report/failure_groups.h"
#include "harness/report/provenance.h"
#include "harness/report/report.h"
#include "harness/report/verdict_text.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// On one line. Invalid UTF-8 is replaced.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json number(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return value;
}

Json element(const std::string& format, const Element& e) {
  return {{"at", e.at},
          {"code", code_digits(format, e.code)},
          {"value", number(e.value)},
          {"low_code", code_digits(format, e.low_code)},
          {"low", number(e.low)},
          {"high_code", code_digits(format, e.high_code)},
          {"high", number(e.high)},
          {"ulps", e.ulps},
          {"outside", e.outside}};
}

/// Writes a map as a list of objects with the key as a field, because keys of a JSON object can only be strings.
Json magnitudes(const Picture& picture) {
  Json list = Json::array();
  for (const auto& [exponent, m] : picture.magnitudes) {
    const Json key = exponent == Picture::kZero        ? Json("zero")
                     : exponent == Picture::kNotFinite ? Json("not_finite")
                                                       : Json(exponent);
    list.push_back({{"exponent", key},
                    {"elements", m.elements},
                    {"outside", m.outside},
                    {"worst_ulps", m.worst_ulps},
                    {"sum_ulps", m.sum_ulps}});
  }
  return list;
}

Json picture(const std::string& format, const Picture& p) {
  Json distances = Json::array();
  for (const auto& [bin, count] : p.ulps()) distances.push_back({{"bin", bin}, {"elements", count}});
  Json around = Json::array();
  for (const Element& e : p.around) around.push_back(element(format, e));
  return {{"cell", {p.cell_rows, p.cell_columns}},
          {"cells", {p.rows, p.columns}},
          {"outside", p.outside},
          {"joint", p.joint},
          {"distances", distances},
          {"became_nan", p.became_nan},
          {"should_be_nan", p.should_be_nan},
          {"other_nan", p.other_nan},
          {"sign_of_zero", p.sign_of_zero},
          {"budget", p.budget},
          {"magnitudes", magnitudes(p)},
          {"around", around}};
}

Json tensor(const TensorFinding& f) {
  Json json = {{"name", f.name},
               {"format", f.format},
               {"shape", f.shape},
               {"elements", f.elements},
               {"outside", f.outside},
               {"single_code", f.single_code},
               {"unjudged", f.unjudged},
               {"padding_wrong", f.padding_wrong},
               {"toward_zero", f.toward_zero},
               {"away_from_zero", f.away_from_zero},
               {"worst_ulps", f.worst_ulps},
               {"budget_use", number(f.budget_use)},
               {"reason", f.reason},
               {"padding_first", f.padding_first},
               {"notes", f.notes}};
  if (f.outside > 0) {
    json["first"] = element(f.format, f.first);
    json["worst"] = element(f.format, f.worst);
  }
  if (f.picture) json["picture"] = picture(f.format, *f.picture);
  return json;
}

Json power(const Power& p) {
  Json data = Json::array();
  for (const DataPower& d : p.data) {
    data.push_back({{"tensor", d.tensor},
                    {"format", d.format},
                    {"elements", d.elements},
                    {"codes", d.codes.count()},
                    {"subnormal", d.subnormal},
                    {"saturated", d.saturated},
                    {"nan", d.not_a_number}});
  }
  return {{"faults", p.faults}, {"seen", p.seen()}, {"blind_to", p.blind_to}, {"data", data}};
}

/// Null if the determinism tests (--ladder) were not run.
Json ladder(const std::optional<Climb>& climb) {
  if (!climb) return nullptr;
  Json absent = Json::object();
  for (const auto& [rung, reason] : climb->absent) absent[rung] = reason;
  return {{"held", climb->held}, {"absent", absent}, {"broken", climb->broken}};
}

Json violations(const std::vector<Violation>& found) {
  Json list = Json::array();
  for (const Violation& violation : found) {
    Json places = Json::array();
    for (const Place& place : violation.places) {
      const Json column = place.column == Place::kWholeRow ? Json(nullptr) : Json(place.column);
      places.push_back({{"tensor", place.part}, {"row", place.row}, {"column", column}});
    }
    list.push_back({{"rule", violation.rule}, {"words", violation.words}, {"places", places}});
  }
  return list;
}

/// Null for other verbs than `assay gate`.
Json gate(const std::optional<GateFinding>& finding) {
  if (!finding) return nullptr;
  return {{"state", name(finding->state)}, {"passes", finding->passes}, {"note", finding->note}, {"changes", finding->changes}};
}

Json gate_run(const RunResult& result) {
  if (!result.gate) return nullptr;
  Json counts = Json::object();
  for (const auto& [state, count] : counts_by_state(result)) counts[name(state)] = count;
  return {{"baseline", result.gate->baseline},
          {"run", result.gate->run},
          {"notes", result.gate->notes},
          {"same_bits", result.gate->same_bits},
          {"strict", result.gate->strict},
          {"gaps", result.gate->gaps},
          {"counts", counts}};
}

Json verdict(const Verdict& v) {
  Json tensors = Json::array();
  for (const TensorFinding& finding : v.tensors) tensors.push_back(tensor(finding));
  return {{"case", v.case_id},
          {"op", v.op},
          {"contract", v.contract},
          {"arch", v.arch},
          {"warp", v.warp},
          {"kernel", v.kernel},
          {"backend", v.backend},
          {"outcome", name(v.outcome)},
          {"expected", v.expected},
          {"deviation", v.deviation},
          {"as_expected", as_expected(v)},
          {"gate", gate(v.gate)},
          {"offered", v.offered},
          {"device_lost", v.device_lost},
          {"message", v.message},
          {"program", v.program},
          {"program_said", v.program_said},
          {"violations", violations(v.violations)},
          {"looked_at", v.looked_at},
          {"causes", v.causes},
          {"why", v.why},
          {"row", v.origin},
          {"repro", v.repro},
          {"seconds", number(v.seconds)},
          {"power", power(v.power)},
          {"ladder", ladder(v.climb)},
          {"tensors", tensors}};
}

Json stamp(const FileStamp& file) {
  return file.path.empty() ? Json(nullptr) : Json{{"path", file.path}, {"digest", file.digest}};
}

Json provenance_of(const Provenance& p) {
  Json options = Json::object(), tables = Json::array();
  for (const Fact& option : p.options) options[option.name] = option.value;
  for (const FileStamp& table : p.tables) tables.push_back(stamp(table));
  return {{"version", p.version},
          {"commit", p.commit},
          {"begun", p.begun},
          {"ended", p.ended},
          {"ended_early", p.ended_early},
          {"host", p.host},
          {"command", p.command},
          {"options", options},
          {"share", p.share},
          {"library_file", stamp(p.library)},
          {"ledger", stamp(p.ledger)},
          {"tables", tables},
          {"evidence", p.evidence},
          {"power", p.power}};
}

}  // namespace

std::vector<ReportField> json_fields() {
  return {
      {"version", "version of this layout; raised when a key changes its meaning or is removed", "integer"},
      {"library", "the kernel library, as it describes itself", "object"},
      {"library.name", "name of the library"},
      {"library.arch", "architecture of the library's device"},
      {"library.device", "device"},
      {"library.driver", "driver version"},
      {"library.toolkit", "toolkit version"},
      {"library.notes[]", "remarks of the program about the loaded library"},
      {"provenance", "facts that may differ between two runs of one command, on one line", "object"},
      {"provenance.version", "version of assay"},
      {"provenance.commit", "commit of assay"},
      {"provenance.begun", "start of the run, UTC"},
      {"provenance.ended", "end of the run, UTC"},
      {"provenance.ended_early", "signal that ended the run early; empty: none"},
      {"provenance.host", "name of the machine"},
      {"provenance.command", "command line"},
      {"provenance.options", "options set by default or by environment variables", "object"},
      {"provenance.share", "share of a divided run, such as 2/4; empty: the whole run"},
      {"provenance.library_file", "path and digest of the library; null: none", "object or null"},
      {"provenance.ledger", "path and digest of the known-failures list; null: none", "object or null"},
      {"provenance.tables[]", "path and digest of each table of the user", "object"},
      {"provenance.evidence", "how many of the checked contracts were run, executed, read or inferred"},
      {"provenance.power", "how many mutation results were read from golden/power and how many were computed"},
      {"ending", "ALL AS EXPECTED, NOT AS EXPECTED, GATE OPEN, GATE CLOSED, or what ended the run"},
      {"counts", "number of verdicts by outcome", "object"},
      {"gate", "comparison of `assay gate`; null for other verbs", "object or null"},
      {"gate.baseline", "folder of the baseline, or file of a history"},
      {"gate.run", "if the baseline is a history file: its run that is the baseline, and how that run ended"},
      {"gate.notes[]",
       "notes: failures known only because the baseline has them, newer runs that are no baseline, a run compared with itself"},
      {"gate.same_bits", "whether --same-bits was given", "boolean"},
      {"gate.strict", "whether --strict was given", "boolean"},
      {"gate.gaps[]", "missing parts of the recordings; any gap closes the gate"},
      {"gate.counts", "number of verdicts by state", "object"},
      {"verdicts[]", "one object for each case and kernel, on a line of its own", "object"},
      {"verdicts[].case", "id of the case"},
      {"verdicts[].op", "op"},
      {"verdicts[].contract", "contract"},
      {"verdicts[].arch", "architecture that the case is for; empty: all"},
      {"verdicts[].warp", "32 or 64 lanes"},
      {"verdicts[].kernel", "name of the kernel"},
      {"verdicts[].backend", "name of the kernel library"},
      {"verdicts[].outcome", "pass, fail, skip, untrusted, broken, flaky or unjudged"},
      {"verdicts[].expected", "outcome that the known-failures list demands; pass without a list"},
      {"verdicts[].deviation", "row of the known-failures list that covers this verdict"},
      {"verdicts[].as_expected", "whether the run may pass with this verdict", "boolean"},
      {"verdicts[].gate", "state that `assay gate` gives; null for other verbs, and for calls that both recordings skip",
       "object or null"},
      {"verdicts[].gate.state", "new, gone, known, fixed, changed within the budget, same bits, or not in the baseline"},
      {"verdicts[].gate.passes", "whether the gate may be open with this verdict", "boolean"},
      {"verdicts[].gate.note", "why the verdict has this state"},
      {"verdicts[].gate.changes[]", "for each tensor with other bits: elements changed, largest distance, first element"},
      {"verdicts[].offered", "false: the library has no kernel for the case", "boolean"},
      {"verdicts[].device_lost", "true: the device was lost, and the verdict says nothing about the kernel", "boolean"},
      {"verdicts[].message", "why the case was skipped, or is broken or untrusted"},
      {"verdicts[].program", "algorithm variant whose outputs are equal or closest, if the contract admits several"},
      {"verdicts[].program_said", "algorithm that the library itself reported with the call"},
      {"verdicts[].violations[]", "violated rules between elements; example of a rule: a row has one factor r", "object"},
      {"verdicts[].violations[].rule", "the rule"},
      {"verdicts[].violations[].words", "how the elements violate it"},
      {"verdicts[].violations[].places[]", "tensor, row and column (null: the whole row)", "object"},
      {"verdicts[].looked_at", "rows of a large tensor that were searched for a cause; empty: all"},
      {"verdicts[].causes[]",
       "hypotheses that explain the failure, best first; 'probably ...' if too few elements fail, or 'no known cause'"},
      {"verdicts[].why", "what the case is for"},
      {"verdicts[].row", "file and line of the case"},
      {"verdicts[].repro", "command that repeats the case"},
      {"verdicts[].seconds", "wall time of the kernel call", "number or string"},
      {"verdicts[].power", "mutation analysis of the data set", "object"},
      {"verdicts[].power.faults", "mutants of the contract that some data set can expose", "integer"},
      {"verdicts[].power.seen", "mutants that this data set exposes", "integer"},
      {"verdicts[].power.blind_to[]", "mutants that this data set does not expose"},
      {"verdicts[].power.data[]",
       "for each output tensor: elements, distinct codes, subnormal, saturated and NaN elements of every correct kernel",
       "object"},
      {"verdicts[].ladder", "determinism tests of --ladder; null: no --ladder, or the outputs were wrong", "object or null"},
      {"verdicts[].ladder.held[]", "tests that gave the same bits"},
      {"verdicts[].ladder.absent", "tests that could not run, with the reason", "object"},
      {"verdicts[].ladder.broken", "first test that gave other bits; empty: none"},
      {"verdicts[].tensors[]", "one object for each output tensor", "object"},
      {"verdicts[].tensors[].name", "name of the tensor"},
      {"verdicts[].tensors[].format", "format of the tensor's elements"},
      {"verdicts[].tensors[].shape", "rows and columns", "array"},
      {"verdicts[].tensors[].elements", "number of elements", "integer"},
      {"verdicts[].tensors[].outside", "elements outside their accepted interval", "integer"},
      {"verdicts[].tensors[].single_code", "elements with exactly one accepted code", "integer"},
      {"verdicts[].tensors[].unjudged", "elements that the contract leaves undefined", "integer"},
      {"verdicts[].tensors[].padding_wrong", "padding elements that break their rule", "integer"},
      {"verdicts[].tensors[].toward_zero", "wrong elements that are too small in magnitude", "integer"},
      {"verdicts[].tensors[].away_from_zero", "wrong elements that are too large in magnitude", "integer"},
      {"verdicts[].tensors[].worst_ulps", "largest distance from the accepted interval, in ulp", "integer"},
      {"verdicts[].tensors[].budget_use", "largest distance from the middle of an accepted interval, divided by half its width",
       "number or string"},
      {"verdicts[].tensors[].reason", "why accepted intervals have a width"},
      {"verdicts[].tensors[].padding_first", "first wrong padding element"},
      {"verdicts[].tensors[].notes[]", "facts about the wrong elements"},
      {"verdicts[].tensors[].first",
       "first wrong element: at, code, value, accepted codes and values, ulps; absent if all agree", "optional object"},
      {"verdicts[].tensors[].worst", "the element that is furthest outside its accepted interval, in the same form", "optional object"},
      {"verdicts[].tensors[].picture", "where the wrong elements lie, in at most 64 x 112 cells; absent if all agree",
       "optional object"},
      {"verdicts[].tensors[].picture.cell", "rows and columns of a cell", "array"},
      {"verdicts[].tensors[].picture.cells", "number of cells in each direction", "array"},
      {"verdicts[].tensors[].picture.outside", "wrong elements of each cell, row by row", "array"},
      {"verdicts[].tensors[].picture.joint", "violated rules between elements, counted in each cell", "array"},
      {"verdicts[].tensors[].picture.distances[]", "histogram: bin k counts distances from 2^(k-1) to below 2^k ulp", "object"},
      {"verdicts[].tensors[].picture.became_nan", "elements that are NaN and must be a number", "integer"},
      {"verdicts[].tensors[].picture.should_be_nan", "elements that are a number and must be NaN", "integer"},
      {"verdicts[].tensors[].picture.other_nan", "elements with the wrong NaN code", "integer"},
      {"verdicts[].tensors[].picture.sign_of_zero", "zeros of the wrong sign", "integer"},
      {"verdicts[].tensors[].picture.budget", "histogram of budget_use in tenths; the last two: up to 2, beyond 2", "array"},
      {"verdicts[].tensors[].picture.magnitudes[]",
       "by exponent of the accepted value: elements, wrong elements, worst and total distance", "object"},
      {"verdicts[].tensors[].picture.around[]", "the worst element and its neighbours", "object"},
  };
}

std::string json_text(const RunResult& result, const LibraryInfo& library, const Provenance& provenance) {
  Json counts = Json::object();
  for (const Outcome outcome : outcomes_of(result)) counts[name(outcome)] = result.count(outcome);
  const Json about = {{"name", library.name},
                      {"arch", library.arch},
                      {"device", library.device},
                      {"driver", library.driver},
                      {"toolkit", library.toolkit},
                      {"notes", library.notes}};
  std::string text = "{\"version\":" + std::to_string(kJsonVersion) + ",\n\"library\":" + text_of(about) +
                     ",\n\"provenance\":" + text_of(provenance_of(provenance)) + ",\n\"ending\":" + text_of(ending_text(result)) +
                     ",\n\"counts\":" + text_of(counts) + ",\n\"gate\":" + text_of(gate_run(result)) + ",\n\"verdicts\":[";
  const char* separator = "\n";
  for (const Verdict& v : result.verdicts) {
    text.append(separator).append(text_of(verdict(v)));
    separator = ",\n";
  }
  return text + "\n]}\n";
}

// Schemas of the JSON and CSV reports, made from the lists that describe their fields.

namespace {

using SchemaJson = nlohmann::ordered_json;

/// Converts ReportField::type to the `type` of a JSON Schema.
SchemaJson types_of(const std::string& words) {
  const std::string type = words.starts_with("optional ") ? words.substr(9) : words;
  const size_t alternative = type.find(" or ");
  if (alternative == std::string::npos) return type;
  return SchemaJson::array({type.substr(0, alternative), type.substr(alternative + 4)});
}

/// Schema of the value at a path such as "verdicts[].tensors[]", inside the schema of an object. Creates missing schemas.
SchemaJson& schema_at(SchemaJson& object, const std::string& path) {
  const size_t end = path.find('.');
  std::string key = path.substr(0, end);
  const bool is_list = key.ends_with("[]");
  if (is_list) key.resize(key.size() - 2);
  SchemaJson& value = object["properties"][key];
  if (is_list) value["type"] = "array";
  SchemaJson& schema = is_list ? value["items"] : value;
  return end == std::string::npos ? schema : schema_at(schema, path.substr(end + 1));
}

/// Every key that is not optional is required in its object.
void require(SchemaJson& root, const ReportField& field) {
  if (field.type.starts_with("optional ")) return;
  const size_t dot = field.name.rfind('.');
  std::string key = field.name.substr(dot == std::string::npos ? 0 : dot + 1);
  if (key.ends_with("[]")) key.resize(key.size() - 2);
  SchemaJson& object = dot == std::string::npos ? root : schema_at(root, field.name.substr(0, dot));
  object["required"].push_back(key);
}

}  // namespace

std::string json_schema_text() {
  SchemaJson root = {
      {"$schema", "https://json-schema.org/draft/2020-12/schema"},
      {"title", "Assay report, version " + std::to_string(kJsonVersion)},
      {"description",
       "Written by assay docs. New keys may be added; the version is raised if a key changes its meaning or is removed."},
      {"type", "object"}};
  for (const ReportField& field : json_fields()) {
    SchemaJson& schema = schema_at(root, field.name);
    schema["description"] = field.meaning;
    schema["type"] = types_of(field.type);
    if (field.name == "version") schema["const"] = kJsonVersion;
    require(root, field);
  }
  return root.dump(1) + "\n";
}

std::string csv_schema_text() {
  SchemaJson root = {{"$schema", "https://datapackage.org/profiles/2.0/tableschema.json"},
                     {"title", "Assay verdicts, version " + std::to_string(kCsvVersion)},
                     {"description",
                      "Written by assay docs. New columns may be added, so read columns by name; run_schema is raised if a "
                      "column changes its meaning or is removed."},
                     {"fields", SchemaJson::array()},
                     {"missingValues", SchemaJson::array({""})}};
  const auto add = [&](const std::string& name, const std::string& type, const std::string& meaning) {
    SchemaJson field = {{"name", name}, {"type", type}, {"description", meaning}};
    if (type == "boolean") field["trueValues"] = {"yes"}, field["falseValues"] = {"no"};
    root["fields"].push_back(field);
  };
  for (const ReportField& column : csv_columns()) add(column.name, column.type, column.meaning);
  add("run_id", "string", "id of the run, equal in all its rows");
  add("run_schema", "integer", "version of this layout; in the first row of a run");
  for (const Fact& fact : facts_of({}, {})) add("run_" + fact.name, "string", "details of the run; in its first row");
  return root.dump(1) + "\n";
}

}  // namespace assay
