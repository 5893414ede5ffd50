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
      {"version", "version of the report's layout; it is raised when a key changes its meaning or is removed", "integer"},
      {"library", "the kernel library, as its function describe() describes it", "object"},
      {"library.name", "name of the library"},
      {"library.arch", "architecture of the library's device"},
      {"library.device", "device"},
      {"library.driver", "driver version"},
      {"library.toolkit", "toolkit version"},
      {"library.notes[]", "remarks of assay about the library"},
      {"provenance", "facts that may differ between two runs of one command; they are on one line of the file", "object"},
      {"provenance.version", "version of assay"},
      {"provenance.commit", "commit of assay"},
      {"provenance.begun", "start of the run, UTC"},
      {"provenance.ended", "end of the run, UTC"},
      {"provenance.ended_early", "signal that ended the run before its last case; empty if none did"},
      {"provenance.host", "name of the machine"},
      {"provenance.command", "command line"},
      {"provenance.options",
       "values of options that the command line does not set: defaults, and values of environment variables", "object"},
      {"provenance.share", "share of the cases that this run ran, such as 2/4; empty if it ran all"},
      {"provenance.library_file", "path and digest of the kernel library; null if there is none", "object or null"},
      {"provenance.ledger", "path and digest of the known-failures list; null if there is none", "object or null"},
      {"provenance.tables[]", "path and digest of each contract table and case table of the user", "object"},
      {"provenance.evidence", "number of checked contracts for each kind of evidence: ran, executed, read, inferred"},
      {"provenance.power", "number of mutation scores that were read from golden/power, and number that were computed"},
      {"ending", "result of the run: ALL AS EXPECTED, NOT AS EXPECTED, GATE OPEN, GATE CLOSED, or what ended the run early"},
      {"counts", "number of verdicts by outcome", "object"},
      {"gate", "result of `assay gate`; null in reports of other commands", "object or null"},
      {"gate.baseline", "folder of the baseline, or history file that contains it"},
      {"gate.run", "if the baseline is a run of a history file: number of this run, and how it ended"},
      {"gate.notes[]",
       "notes about failures that are known only because the baseline has them, about newer runs that cannot be the baseline, "
       "and about a run that is compared with itself"},
      {"gate.same_bits", "whether --same-bits was given", "boolean"},
      {"gate.strict", "whether --strict was given", "boolean"},
      {"gate.gaps[]", "parts of the recordings that are missing; the gate is closed if there is one"},
      {"gate.counts", "number of verdicts by state of the gate", "object"},
      {"verdicts[]", "one object for each case and kernel, on a line of its own", "object"},
      {"verdicts[].case", "id of the case"},
      {"verdicts[].op", "op"},
      {"verdicts[].contract", "contract"},
      {"verdicts[].arch", "architecture that the case is for; empty if it is for all"},
      {"verdicts[].warp", "32 or 64 lanes"},
      {"verdicts[].kernel", "name of the kernel"},
      {"verdicts[].backend", "name of the kernel library"},
      {"verdicts[].outcome", "pass, fail, skip, untrusted, broken, flaky or unjudged"},
      {"verdicts[].expected", "outcome that the known-failures list expects; pass if no row of the list covers the verdict"},
      {"verdicts[].deviation", "row of the known-failures list that covers this verdict"},
      {"verdicts[].as_expected", "true if the outcome is pass, skip, or what the known-failures list expects", "boolean"},
      {"verdicts[].gate",
       "state that `assay gate` gives to the verdict; null in reports of other commands, and for calls that both recordings skip",
       "object or null"},
      {"verdicts[].gate.state", "new, gone, known, fixed, changed within the budget, same bits, or not in the baseline"},
      {"verdicts[].gate.passes", "false if this verdict closes the gate", "boolean"},
      {"verdicts[].gate.note", "why the verdict has this state"},
      {"verdicts[].gate.changes[]",
       "for each tensor whose bits changed: number of changed elements, largest distance, first changed element"},
      {"verdicts[].offered", "false if the library has no kernel for the case", "boolean"},
      {"verdicts[].device_lost", "true if the device was lost; the verdict then says nothing about the kernel", "boolean"},
      {"verdicts[].message", "why the case is skipped, broken, untrusted or unjudged"},
      {"verdicts[].program",
       "if the contract allows several algorithm variants: the variant whose outputs are equal or closest to the kernel's"},
      {"verdicts[].program_said", "algorithm variant that the library itself reported with the call"},
      {"verdicts[].violations[]",
       "contradictions between elements, such as two elements of a row that no single factor r explains", "object"},
      {"verdicts[].violations[].rule", "rule that the elements must obey together, such as: one factor r for a row"},
      {"verdicts[].violations[].words", "how the elements contradict each other"},
      {"verdicts[].violations[].places[]", "tensor, row and column of an element; the column is null for a whole row", "object"},
      {"verdicts[].looked_at", "rows of a large tensor that were searched for a cause; empty if all were"},
      {"verdicts[].causes[]",
       "causes that explain the failure, the best first; they begin with 'probably' if too few elements fail to be sure. Or: 'no "
       "known cause'"},
      {"verdicts[].why", "what the case is for"},
      {"verdicts[].row", "file and line of the case in its table"},
      {"verdicts[].repro", "command that repeats the case"},
      {"verdicts[].seconds", "wall time of the kernel call", "number or string"},
      {"verdicts[].power", "mutation score of the case's inputs", "object"},
      {"verdicts[].power.faults", "number of mutants of the contract that some inputs can expose", "integer"},
      {"verdicts[].power.seen", "number of mutants that the inputs of this case expose", "integer"},
      {"verdicts[].power.blind_to[]", "names of the mutants that the inputs of this case do not expose"},
      {"verdicts[].power.data[]",
       "for each output tensor: number of elements, and how many distinct codes, subnormal, saturated and NaN elements every "
       "correct kernel returns",
       "object"},
      {"verdicts[].ladder", "results of the determinism tests of --ladder; null without --ladder, or if the outputs were wrong",
       "object or null"},
      {"verdicts[].ladder.held[]", "determinism tests in which all calls returned the same bits"},
      {"verdicts[].ladder.absent", "determinism tests that could not run, with the reason", "object"},
      {"verdicts[].ladder.broken", "first determinism test in which a call returned other bits; empty if none did"},
      {"verdicts[].tensors[]", "one object for each output tensor", "object"},
      {"verdicts[].tensors[].name", "name of the tensor"},
      {"verdicts[].tensors[].format", "format of the tensor's elements"},
      {"verdicts[].tensors[].shape", "rows and columns", "array"},
      {"verdicts[].tensors[].elements", "number of elements", "integer"},
      {"verdicts[].tensors[].outside", "number of elements outside their accepted interval", "integer"},
      {"verdicts[].tensors[].single_code", "number of elements with exactly one accepted code", "integer"},
      {"verdicts[].tensors[].unjudged", "number of elements that the contract leaves undefined", "integer"},
      {"verdicts[].tensors[].padding_wrong", "number of padding elements that hold something else than the contract says",
       "integer"},
      {"verdicts[].tensors[].toward_zero", "number of wrong elements that are too small in magnitude", "integer"},
      {"verdicts[].tensors[].away_from_zero", "number of wrong elements that are too large in magnitude", "integer"},
      {"verdicts[].tensors[].worst_ulps", "largest distance of an element from its accepted interval, in ulp", "integer"},
      {"verdicts[].tensors[].budget_use",
       "largest distance of an element from the middle of its accepted interval, divided by half the width", "number or string"},
      {"verdicts[].tensors[].reason", "why some elements accept more than one code"},
      {"verdicts[].tensors[].padding_first", "the first padding element that is wrong"},
      {"verdicts[].tensors[].notes[]", "facts about the wrong elements"},
      {"verdicts[].tensors[].first",
       "first wrong element: its place, code and value, the accepted codes and values, and the distance in ulp; absent if no "
       "element is wrong",
       "optional object"},
      {"verdicts[].tensors[].worst", "the element that is furthest outside its accepted interval, in the same form as `first`",
       "optional object"},
      {"verdicts[].tensors[].picture", "map of the wrong elements, with at most 64 x 112 cells; absent if no element is wrong",
       "optional object"},
      {"verdicts[].tensors[].picture.cell", "number of rows and columns of the tensor in one cell of the map", "array"},
      {"verdicts[].tensors[].picture.cells", "number of cells of the map in each direction", "array"},
      {"verdicts[].tensors[].picture.outside", "number of wrong elements in each cell, row by row", "array"},
      {"verdicts[].tensors[].picture.joint", "number of contradictions between elements in each cell", "array"},
      {"verdicts[].tensors[].picture.distances[]",
       "histogram of distances from the accepted interval: bin k counts distances from 2^(k-1) to below 2^k ulp", "object"},
      {"verdicts[].tensors[].picture.became_nan", "number of elements that are NaN and must be a number", "integer"},
      {"verdicts[].tensors[].picture.should_be_nan", "number of elements that are a number and must be NaN", "integer"},
      {"verdicts[].tensors[].picture.other_nan", "number of elements with a NaN code that is not accepted, where another is",
       "integer"},
      {"verdicts[].tensors[].picture.sign_of_zero", "number of zeros with the wrong sign", "integer"},
      {"verdicts[].tensors[].picture.budget",
       "histogram of budget_use in steps of 0.1; the last two bins count elements up to 2, and beyond 2", "array"},
      {"verdicts[].tensors[].picture.magnitudes[]",
       "for each exponent of the accepted value: number of elements and of wrong elements, largest distance and sum of distances",
       "object"},
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
       "Written by assay docs. New keys may be added. If a key changes its meaning or is removed, `version` is raised."},
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
                      "Written by assay docs. New columns may be added, so read columns by name. If a column changes its meaning "
                      "or is removed, run_schema is raised."},
                     {"fields", SchemaJson::array()},
                     {"missingValues", SchemaJson::array({""})}};
  const auto add = [&](const std::string& name, const std::string& type, const std::string& meaning) {
    SchemaJson field = {{"name", name}, {"type", type}, {"description", meaning}};
    if (type == "boolean") field["trueValues"] = {"yes"}, field["falseValues"] = {"no"};
    root["fields"].push_back(field);
  };
  for (const ReportField& column : csv_columns()) add(column.name, column.type, column.meaning);
  add("run_id", "string", "id of the run, the same in all rows of a run");
  add("run_schema", "integer", "version of the columns' layout, in the first row of a run only");
  for (const Fact& fact : facts_of({}, {})) add("run_" + fact.name, "string", "a fact about the run, in its first row only");
  return root.dump(1) + "\n";
}

}  // namespace assay
