// The one reader of JSON that strangers wrote: what its length, depth and number of values cost is bounded before it is paid.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "reference/table/table.h"

namespace assay {

/// A place in a JSON text that is wrong. what() reads `file:line:column: what`.
class JsonError : public TableError {
 public:
  JsonError(const std::string& file, std::string_view text, size_t byte, const std::string& problem);
  size_t byte() const { return byte_; }  ///< of the text, from 0

 private:
  size_t byte_;
};

/// What a text may cost. A named member takes some 150 bytes once it is parsed, any other value 16 to 60; the largest golden file has
/// 750,000 values.
struct JsonLimits {
  size_t levels = 256;
  size_t members = size_t{1} << 20;  ///< named
  size_t values = size_t{1} << 22;   ///< scalars, lists and objects
  size_t list = size_t{1} << 22;     ///< values in one list
};

/// Throws JsonError: no JSON, no UTF-8, a number beyond double, more than the limits allow, a name that stands twice in one object.
///
/// The text is parsed twice, once to count alone: the library's own callbacks would look through the whole object again at the end of
/// each of its members.
nlohmann::json guarded_json(std::string_view text, const std::string& file, const JsonLimits& limits = {});

/// The same of a file, as read_text() reads it.
nlohmann::json read_json(const std::string& path, const JsonLimits& limits = {});

}  // namespace assay
