// Golden files: what the reference predicted and what chips were seen to return.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/op.h"

namespace assay {

/// The accepted sets of one tensor, told by digests: two equal digests are the same codes.
struct PredictedTensor {
  std::string name, format;
  int64_t elements = 0, single_code = 0;
  std::string low, high;  ///< XXH3 of the ordinals, hexadecimal
  bool operator==(const PredictedTensor&) const = default;
};

/// The bits that one tensor held, as steps from the low end of its accepted set, and their digest. Padding is not part of it.
struct ObservedTensor {
  std::string name, format;
  std::string digest;                ///< XXH3 of the ordinals
  std::map<int64_t, int32_t> steps;  ///< logical element -> ordinal minus the lowest accepted one, where that is not 0
};

/// Where observed bits came from.
struct ObservedOn {
  std::string arch, device, driver, toolkit, date;
};

/// The power of a data set, with the seal that says what it was computed from (power_records.h).
struct RecordedPower {
  Power power;
  std::string seal;
};

/// One file: predicted, observed or power, for one op.
struct Golden {
  std::string kind;  ///< "predicted", "observed" or "power"
  std::string op;
  ObservedOn provenance;                                                               ///< of observed bits
  std::map<std::string, std::vector<PredictedTensor>> predicted;                       ///< by case
  std::map<std::string, std::map<std::string, std::vector<ObservedTensor>>> observed;  ///< by case, then kernel
  std::map<std::string, RecordedPower> power{};                                        ///< by data

  /// Of that kind.
  size_t cases() const { return predicted.size() + observed.size() + power.size(); }
};

/// The case without its warp: predictions do not depend on it.
std::string prediction_key(const Case& one);

/// Of several answers the tensors of each, named with its program: "d, split-K 2".
std::vector<PredictedTensor> predict(const Expectation& expectation);
/// Against the answer that the outputs come nearest to.
std::vector<ObservedTensor> observe(const Expectation& expectation, const std::vector<HostTensor>& outputs);

/// Empty, or why the observed bits are not what is accepted now: a digest that does not fit, an element outside its set.
std::string disagreement(const std::vector<ObservedTensor>& observed, const Expectation& expectation);

/// Reads or writes a file; one case to a line, sorted. Writing is atomic. Reading throws std::runtime_error naming the file and
/// what is wrong: not JSON (a truncated file), another version, a count that does not fit.
Golden read_golden(const std::string& path);
void write_golden(const std::string& path, const Golden& golden);

/// The text of a file, and what it says. `path` is only used in messages. Both throw as read_golden().
std::string read_golden_text(const std::string& path);
Golden parse_golden(const std::string& text, const std::string& path);
std::string golden_text(const Golden& golden);

/// A record of power as it is written, without its seal.
std::string power_text(const Power& power);

}  // namespace assay
