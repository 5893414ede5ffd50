// The only reader of describe()'s JSON.
#include <nlohmann/json.hpp>

#include "harness/backend/library.h"
#include "harness/core/error.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// Reads fields of one JSON object and says which one is wrong.
class Fields {
 public:
  Fields(const Json& json, std::string where, const std::string& path) : json_(json), where_(std::move(where)), path_(path) {
    if (!json.is_object()) refuse("", "must be an object");
  }

  [[noreturn]] void refuse(const std::string& field, const std::string& problem) const {
    throw LibraryError(path_ + ": describe(): " + where_ + (field.empty() ? "" : "." + field) + " " + problem);
  }

  std::string text(const char* field, bool required) const {
    if (!json_.contains(field)) {
      if (required) refuse(field, "is missing");
      return "";
    }
    if (!json_[field].is_string()) refuse(field, "must be a string");
    return json_[field].get<std::string>();
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
  const Json& json_;
  std::string where_;
  const std::string& path_;
};

/// As it would stand in a cell of a case table.
std::string cell(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

KernelOffer offer_of(const Json& json, const std::string& where, const std::string& path) {
  const Fields fields(json, where, path);
  KernelOffer offer;
  offer.name = fields.text("name", true);
  offer.op = fields.text("op", true);
  offer.fault = fields.text("fault", false);
  offer.cites = fields.text("cites", false);
  offer.twin = fields.text("twin", false);
  for (const Json& contract : fields.child("contracts", Json::value_t::array, "must be a list of strings")) {
    if (!contract.is_string()) fields.refuse("contracts", "must be a list of strings");
    offer.contracts.push_back(contract.get<std::string>());
  }
  for (const auto& [parameter, values] : fields.child("accepts", Json::value_t::object, "must be an object").items()) {
    if (!values.is_array()) fields.refuse("accepts." + parameter, "must be a list");
    for (const Json& value : values) offer.accepts[parameter].push_back(cell(value));
  }
  for (const auto& [parameter, divisor] : fields.child("multiple_of", Json::value_t::object, "must be an object").items()) {
    if (!divisor.is_number_integer() || divisor.get<int64_t>() < 1)
      fields.refuse("multiple_of." + parameter, "must be an integer from 1 up");
    offer.multiple_of[parameter] = divisor.get<int64_t>();
  }
  return offer;
}

}  // namespace

LibraryInfo parse_description(const std::string& text, const std::string& path) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& error) {
    throw LibraryError(path + ": describe() is not JSON: at byte " + std::to_string(error.byte) + " of " +
                       std::to_string(text.size()));
  }
  const Fields fields(json, "library", path);
  LibraryInfo info;
  info.path = path;
  info.name = fields.text("name", true);
  info.arch = fields.text("arch", true);
  info.device = fields.text("device", false);
  info.driver = fields.text("driver", false);
  info.toolkit = fields.text("toolkit", false);
  info.honours_schedule_seed = fields.flag("honours_schedule_seed");
  if (!json.contains("kernels")) fields.refuse("kernels", "is missing");
  for (const Json& kernel : fields.child("kernels", Json::value_t::array, "must be a list")) {
    info.kernels.push_back(offer_of(kernel, "kernels[" + std::to_string(info.kernels.size()) + "]", path));
  }
  return info;
}

}  // namespace assay
