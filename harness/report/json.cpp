#include "harness/report/json.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "harness/report/counts.h"
#include "harness/report/words.h"

namespace assay {
namespace {

using Json = nlohmann::ordered_json;

/// On one line; what is no UTF-8 is replaced.
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

/// Lists of what maps hold, with the key as a field: JSON objects would turn the numbers into strings.
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

/// Null if the ladder was not climbed.
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
                     ",\n\"counts\":" + text_of(counts) + ",\n\"verdicts\":[";
  const char* separator = "\n";
  for (const Verdict& v : result.verdicts) {
    text.append(separator).append(text_of(verdict(v)));
    separator = ",\n";
  }
  return text + "\n]}\n";
}

}  // namespace assay
