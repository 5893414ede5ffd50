// JSON that strangers wrote: parsed in a time and to a depth that its length bounds.
#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace assay {

/// What the JSON grammar lets pass and no file of ours has.
struct JsonRefused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws JsonRefused for nesting deeper than `deepest` levels and for a name that stands twice in one object, and
/// nlohmann::json::exception for what is no JSON.
///
/// The library's own callbacks would look through the whole object again at the end of each of its members.
nlohmann::json guarded_json(const std::string& text, int deepest);

}  // namespace assay
