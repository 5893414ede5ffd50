// Parser for the JSON of describe(). No other code reads this JSON.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "harness/backend/library.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "reference/table/near.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// Reads the fields of one JSON object; errors name the field.
class Fields {
 public:
  Fields(const Json& json, std::string where, const std::string& path) : json_(json), where_(std::move(where)), path_(path) {
    if (!json.is_object()) refuse("", "must be an object");
  }

  [[noreturn]] void refuse(const std::string& field, const std::string& problem) const {
    throw LibraryError(path_ + ": describe(): " + where_ + (field.empty() ? "" : "." + field) + " " + problem);
  }

  /// Rejects unknown fields, since a misspelled one would be ignored.
  void allow(const std::vector<std::string>& known) const {
    for (const auto& [name, value] : json_.items())
      if (std::find(known.begin(), known.end(), name) == known.end())
        throw LibraryError(path_ + ": describe(): " + where_ + ": unknown key '" + printable(name) + "'" +
                           did_you_mean(name, known));
  }

  /// Free text, made printable for reports.
  std::string text(const char* field) const {
    if (!json_.contains(field)) return "";
    if (!json_[field].is_string()) refuse(field, "must be a string");
    return printable(bounded(field, json_[field].get<std::string>(), kMostText));
  }

  /// A required field that may be empty, such as `device` of a library for the CPU.
  std::string text_that_is_there(const char* field) const {
    if (!json_.contains(field)) refuse(field, "is missing");
    return text(field);
  }

  /// A name must be printable: reports and files use it as a key, and it is sent back to the library unchanged.
  std::string name(const char* field) const {
    if (!json_.contains(field)) refuse(field, "is missing");
    if (!json_[field].is_string()) refuse(field, "must be a string");
    return checked_name(field, json_[field].get<std::string>());
  }

  std::string checked_name(const char* field, const std::string& name) const {
    if (name.empty()) refuse(field, "is empty");
    (void)bounded(field, name, kMostName);
    if (printable(name) != name) refuse(field, "holds a control character: " + printable(name));
    return name;
  }

  bool flag(const char* field) const {
    if (!json_.contains(field)) return false;
    if (!json_[field].is_boolean()) refuse(field, "must be true or false");
    return json_[field].get<bool>();
  }

  const Json& child(const char* field, Json::value_t type, const char* problem) const {
    static const Json kEmptyObject = Json::object(), kEmptyArray = Json::array();
    if (!json_.contains(field)) return type == Json::value_t::object ? kEmptyObject : kEmptyArray;
    if (json_[field].type() != type) refuse(field, problem);
    return json_[field];
  }

 private:
  /// Limits on names and texts, in bytes: every report prints them. In Assay the longest name has 60 bytes, the longest text 300.
  static constexpr size_t kMostName = 256, kMostText = 4096;

  const std::string& bounded(const char* field, const std::string& text, size_t most) const {
    if (text.size() > most)
      refuse(field, "has " + std::to_string(text.size()) + " bytes; expected at most " + std::to_string(most));
    return text;
  }

  const Json& json_;
  std::string where_;
  const std::string& path_;
};

/// A JSON value as the text that a case table would have in a cell.
std::string cell(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

KernelOffer offer_of(const Json& json, const std::string& where, const std::string& path) {
  const Fields fields(json, where, path);
  KernelOffer offer;
  fields.allow({"name", "op", "contracts", "accepts", "multiple_of", "fault", "cites", "twin"});
  offer.name = fields.name("name");
  offer.op = fields.name("op");
  offer.fault = fields.text("fault");
  offer.cites = fields.text("cites");
  offer.twin = fields.text("twin");
  for (const Json& contract : fields.child("contracts", Json::value_t::array, "must be a list of strings")) {
    if (!contract.is_string()) fields.refuse("contracts", "must be a list of strings");
    offer.contracts.push_back(fields.checked_name("contracts", contract.get<std::string>()));
  }
  for (const auto& [parameter, values] : fields.child("accepts", Json::value_t::object, "must be an object").items()) {
    if (!values.is_array()) fields.refuse("accepts." + parameter, "must be a list");
    for (const Json& value : values) offer.accepts[parameter].push_back(cell(value));
  }
  for (const auto& [parameter, divisor] : fields.child("multiple_of", Json::value_t::object, "must be an object").items()) {
    if (!divisor.is_number_integer() || divisor.get<int64_t>() < 1)
      fields.refuse("multiple_of." + parameter, "must be an integer >= 1");
    offer.multiple_of[parameter] = divisor.get<int64_t>();
  }
  return offer;
}

/// Rejects two entries of one kernel with the same op and contract, since two verdicts would then have the same case and
/// kernel. Entries with different contracts are allowed.
void require_different(const LibraryInfo& info) {
  std::map<std::tuple<std::string, std::string, std::string>, size_t> places;
  for (size_t i = 0; i < info.kernels.size(); ++i) {
    const KernelOffer& kernel = info.kernels[i];
    for (const std::string& contract : kernel.contracts) {
      const auto [first, is_new] = places.try_emplace({kernel.name, kernel.op, contract}, i);
      if (!is_new)
        throw LibraryError(info.path + ": describe(): kernels[" + std::to_string(i) + "]: '" + kernel.name + "' for contract " +
                           contract + " of op " + kernel.op + " is listed twice, first in kernels[" +
                           std::to_string(first->second) + "]");
    }
  }
}

}  // namespace

LibraryInfo parse_description(const std::string& text, const std::string& path) {
  Json json;
  try {
    if (text.size() > kMostFileBytes) throw LibraryError(path + ": describe() is larger than 64 MiB");
    json = guarded_json(text, path, {.levels = 16});
  } catch (const JsonError& error) {
    throw LibraryError(path + ": describe(): line " + std::to_string(error.line()) + ", column " +
                       std::to_string(error.column()) + ": " + error.problem());
  }
  const Fields fields(json, "library", path);
  LibraryInfo info;
  info.path = path;
  fields.allow({"name", "arch", "device", "driver", "toolkit", "honours_schedule_seed", "honours_group_streams", "kernels"});
  info.name = fields.name("name");
  info.arch = fields.text_that_is_there("arch");
  info.device = fields.text("device");
  info.driver = fields.text("driver");
  info.toolkit = fields.text("toolkit");
  info.honours_schedule_seed = fields.flag("honours_schedule_seed");
  if (!json.contains("kernels")) fields.refuse("kernels", "is missing");
  for (const Json& kernel : fields.child("kernels", Json::value_t::array, "must be a list")) {
    info.kernels.push_back(offer_of(kernel, "kernels[" + std::to_string(info.kernels.size()) + "]", path));
  }
  require_different(info);
  return info;
}

}  // namespace assay
