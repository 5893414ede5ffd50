// What the data of a case can detect: which mutants of its contract, and which codes its outputs visit.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <vector>

#include "harness/core/expectation.h"

namespace assay {

/// Counts over the accepted answer of one output tensor. An element is counted only if every code that it may have is of that
/// kind, so every correct kernel visits at least this much.
struct DataPower {
  std::string tensor, format;
  int64_t elements = 0;
  std::bitset<256> codes;  ///< codes that some element must have; 8-bit formats only
  int64_t subnormal = 0;   ///< nonzero and below the normal range
  int64_t saturated = 0;   ///< at the largest finite magnitude of the format
  int64_t not_a_number = 0;
  bool operator==(const DataPower&) const = default;
};

struct Power {
  int64_t faults = 0;  ///< mutants of the contract that some data can detect; 0: not computed
  std::vector<std::string>
      blind_to{};  ///< the mutants among them that this case cannot detect, or that are declared undetectable and not detected by
                   ///< the first row
  std::vector<DataPower> data{};  ///< one for each output tensor
  /// The part of blind_to that is declared but that rows after the first detect. Only golden/power fills it, for POWER.md.
  std::vector<std::string> seen_later{};

  bool operator==(const Power&) const = default;
  int64_t seen() const { return faults - int64_t(blind_to.size()); }
};

DataPower data_power(const WholePart& expected);

}  // namespace assay
