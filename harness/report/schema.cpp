// Schemas of the JSON and CSV reports, made from the lists that describe their fields.
#include <nlohmann/json.hpp>
#include <string>

#include "harness/report/provenance.h"
#include "harness/report/report.h"

namespace assay {
namespace {

using SchemaJson = nlohmann::ordered_json;

/// The words of ReportField::type as JSON types.
SchemaJson types_of(const std::string& words) {
  const std::string type = words.starts_with("optional ") ? words.substr(9) : words;
  const size_t alternative = type.find(" or ");
  if (alternative == std::string::npos) return type;
  return SchemaJson::array({type.substr(0, alternative), type.substr(alternative + 4)});
}

/// Schema of the value at a path such as "verdicts[].tensors[]", inside the schema of an object. Creates what is missing.
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
      {"description", "Written by assay docs. Keys may be added; a key that changes its meaning or goes raises the version."},
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
                      "Written by assay docs. Columns may be added, so read them by name; a column that changes its meaning or "
                      "goes raises run_schema."},
                     {"fields", SchemaJson::array()},
                     {"missingValues", SchemaJson::array({""})}};
  const auto add = [&](const std::string& name, const std::string& type, const std::string& meaning) {
    SchemaJson field = {{"name", name}, {"type", type}, {"description", meaning}};
    if (type == "boolean") field["trueValues"] = {"yes"}, field["falseValues"] = {"no"};
    root["fields"].push_back(field);
  };
  for (const ReportField& column : csv_columns()) add(column.name, column.type, column.meaning);
  add("run_id", "string", "equal in all rows of a run");
  add("run_schema", "integer", "version of this layout; in the first row of a run");
  for (const Fact& fact : facts_of({}, {})) add("run_" + fact.name, "string", "details of the run; in its first row");
  return root.dump(1) + "\n";
}

}  // namespace assay
