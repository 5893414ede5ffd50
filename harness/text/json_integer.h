// Integers of a JSON file that anybody may have written.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

namespace assay {

/// The integer `j`. nlohmann-json converts whatever number there is, and of one that does not fit that is undefined behaviour.
/// @throws std::runtime_error for a fraction, no number at all, or one beyond `Int`.
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
