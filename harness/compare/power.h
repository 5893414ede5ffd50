// What the data of a case can show: which faults of its contract, and which codes of its outputs.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// The accepted answer of one output tensor, counted. An element counts where every code that it may have is of the kind, so that
/// each right kernel visits at least this much.
struct DataPower {
  std::string tensor, format;
  int64_t elements = 0;
  std::bitset<256> codes;  ///< that an element must have; of formats of 8 bits
  int64_t subnormal = 0;   ///< below the normal range, but not zero
  int64_t saturated = 0;   ///< at the largest finite magnitude of the format
  int64_t not_a_number = 0;
  bool operator==(const DataPower&) const = default;
};

struct Power {
  int64_t faults = 0;  ///< single-step faults of the contract that some data can show; 0: not reckoned
  std::vector<std::string>
      blind_to{};  ///< those of them that these data cannot show, or are declared not to and whose first row does not
  std::vector<DataPower> data{};  ///< one for each output tensor
  /// Of blind_to: those that are declared, and that rows behind the first show. Only golden/power has them, for the table of power.
  std::vector<std::string> seen_later{};

  bool operator==(const Power&) const = default;
  int64_t seen() const { return faults - int64_t(blind_to.size()); }
};

DataPower data_power(const WholePart& expected);

}  // namespace assay
