// Golden files: the reference's predictions, and results observed on real GPUs.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/compare/power.h"
#include "harness/core/op.h"

namespace assay {

/// The accepted intervals of one tensor, as digests.
struct PredictedTensor {
  std::string name, format;
  int64_t elements = 0, single_code = 0;
  std::string low, high;  ///< XXH3 of the ordinals, in hex
  bool operator==(const PredictedTensor&) const = default;
};

/// The observed bits of one tensor, as offsets from the low end of the accepted interval, and their digest. Without padding.
struct ObservedTensor {
  std::string name, format;
  std::string digest;                ///< XXH3 of the ordinals
  std::map<int64_t, int32_t> steps;  ///< logical element -> ordinal minus the lowest accepted ordinal, if nonzero
};

/// Where the observed bits come from.
struct ObservedOn {
  std::string arch, device, driver, toolkit, date;
};

/// The mutation score of a data set, with a seal that states what it was computed from (power_records.h).
struct RecordedPower {
  Power power;
  std::string seal;
};

/// One file: predictions, observations or mutation scores of one op.
struct Golden {
  std::string kind;  ///< "predicted", "observed" or "power"
  std::string op;
  ObservedOn provenance;                                                               ///< for observed bits
  std::map<std::string, std::vector<PredictedTensor>> predicted;                       ///< by case
  std::map<std::string, std::map<std::string, std::vector<ObservedTensor>>> observed;  ///< by case, then by kernel
  std::map<std::string, RecordedPower> power{};                                        ///< by data set

  /// Number of records of the file's kind.
  size_t cases() const { return predicted.size() + observed.size() + power.size(); }
};

/// The case id without warp size, which predictions do not depend on.
std::string prediction_key(const Case& one);

/// With several answers, the tensors of each are labelled with the variant: "d, split-K 2".
std::vector<PredictedTensor> predict(const Expectation& expectation);
/// Relative to the answer that the outputs are closest to.
std::vector<ObservedTensor> observe(const Expectation& expectation, const std::vector<HostTensor>& outputs);

/// Why the observed bits are no longer accepted (a digest that differs, or an element outside its interval); empty if they are.
std::string disagreement(const std::vector<ObservedTensor>& observed, const Expectation& expectation);

/// Reads or writes a file: one case per line, sorted. Writing is atomic. Reading throws std::runtime_error naming the file and
/// the problem: not JSON (such as a truncated file), another version, a wrong count.
Golden read_golden(const std::string& path);
void write_golden(const std::string& path, const Golden& golden);

/// The text of a file, and its parsed content. `path` is used in messages only. Both throw like read_golden().
std::string read_golden_text(const std::string& path);
Golden parse_golden(const std::string& text, const std::string& path);
std::string golden_text(const Golden& golden);

/// A mutation-score record as written, without its seal.
std::string power_text(const Power& power);

}  // namespace assay
