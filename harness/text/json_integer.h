// Integers of untrusted JSON files.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace assay {

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
