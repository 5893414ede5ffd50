// A JSON reader for untrusted input: checks limits on length, depth and number of values before it allocates memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <string_view>

#include "reference/table/table.h"

namespace assay {

/// An error at a place of a JSON text. what() reads `file:line:column: what`.
class JsonError : public TableError {
 public:
  JsonError(const std::string& file, std::string_view text, size_t byte, const std::string& problem);
  size_t byte() const { return byte_; }  ///< byte offset in the text

 private:
  size_t byte_;
};

/// Limits for a text. A parsed named member takes about 150 bytes of memory, any other value 16 to 60 bytes. The largest golden
/// file has 750,000 values.
struct JsonLimits {
  size_t levels = 256;
  size_t members = size_t{1} << 20;  ///< named members
  size_t values = size_t{1} << 22;   ///< scalars, lists and objects
  size_t list = size_t{1} << 22;     ///< values per list
};

/// Parses the text. Throws JsonError for invalid JSON or UTF-8, a number too large for double, exceeded limits, a duplicate name.
///
/// Parses twice, first only to check limits. (A parser callback would be slow: nlohmann-json then rescans an object per member.)
nlohmann::json guarded_json(std::string_view text, const std::string& file, const JsonLimits& limits = {});

/// guarded_json() of a file's text (see read_text()).
nlohmann::json read_json(const std::string& path, const JsonLimits& limits = {});

// Integers in untrusted JSON files.

/// The integer `j`, with a range check: nlohmann-json's own conversion is undefined behaviour if the number does not fit. @throws
/// std::runtime_error for a fraction, a value that is not a number, or one outside `Int`.
template <class Int>
Int json_integer(const nlohmann::json& j) {
  constexpr auto kLeast = int64_t{std::numeric_limits<Int>::min()}, kGreatest = int64_t{std::numeric_limits<Int>::max()};
  const bool fits = j.is_number_unsigned()  ? j.get<uint64_t>() <= uint64_t(kGreatest)
                    : j.is_number_integer() ? j.get<int64_t>() >= kLeast && j.get<int64_t>() <= kGreatest
                                            : false;
  if (!fits)
    throw std::runtime_error("holds " + j.dump().substr(0, 40) + " where an integer from " + std::to_string(kLeast) + " to " +
                             std::to_string(kGreatest) + " belongs");
  return Int(j.get<int64_t>());
}

}  // namespace assay
