// Golden files: the reference's predictions, results observed on real GPUs, and recorded mutation scores.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/op.h"

namespace assay {

/// The accepted intervals of one tensor, as digests. An ordinal is the index of a code when codes are sorted by value.
struct PredictedTensor {
  std::string name, format;
  int64_t elements = 0, single_code = 0;
  std::string low, high;  ///< XXH3 of the lowest, and of the highest accepted ordinal of each element, in hex
  bool operator==(const PredictedTensor&) const = default;
};

/// The observed elements of one tensor without padding: a digest, and their distances from the lowest accepted ordinal.
struct ObservedTensor {
  std::string name, format;
  std::string digest;                ///< XXH3 of the ordinals
  std::map<int64_t, int32_t> steps;  ///< logical element -> ordinal minus the lowest accepted ordinal, if nonzero
};

/// The device on which bits were observed, and the date.
struct ObservedOn {
  std::string arch, device, driver, toolkit, date;
};

/// The mutation score of a data set, with its seal (power_seal()).
struct RecordedPower {
  Power power;
  std::string seal;
};

/// The content of a golden file: predictions, observations or mutation scores of one op.
struct Golden {
  std::string kind;  ///< "predicted", "observed" or "power"
  std::string op;
  ObservedOn provenance;                                                               ///< for observed bits
  std::map<std::string, std::vector<PredictedTensor>> predicted;                       ///< by case
  std::map<std::string, std::map<std::string, std::vector<ObservedTensor>>> observed;  ///< keys: case, kernel
  std::map<std::string, RecordedPower> power{};                                        ///< by data set

  /// Number of records of the file's kind.
  size_t cases() const { return predicted.size() + observed.size() + power.size(); }
};

/// The case id without warp size, which predictions do not depend on.
std::string prediction_key(const Case& one);

/// The accepted intervals as digests. If the contract has several variants, labels name them: "d, split-K 2".
std::vector<PredictedTensor> predict(const Expectation& expectation);
/// The outputs, as distances from the answer (algorithm variant) that they are closest to.
std::vector<ObservedTensor> observe(const Expectation& expectation, const std::vector<HostTensor>& outputs);

/// Why the observed bits are not accepted any more: a digest differs, or an element lies outside its interval. Empty if they are.
std::string disagreement(const std::vector<ObservedTensor>& observed, const Expectation& expectation);

/// Reads or writes a file: one case per line, sorted. Writing is atomic. Reading throws std::runtime_error naming the file and
/// the problem: not JSON (such as a truncated file), another version, a wrong count.
Golden read_golden(const std::string& path);
void write_golden(const std::string& path, const Golden& golden);

/// The two steps of read_golden(): reads a file, and parses its text. parse_golden() uses `path` in messages only.
std::string read_golden_text(const std::string& path);
Golden parse_golden(const std::string& text, const std::string& path);
std::string golden_text(const Golden& golden);

/// A mutation-score record as a file holds it, without its seal.
std::string power_text(const Power& power);

// Recorded mutation scores of data sets (golden/power). Computing them takes half of a run's time.
//
// Each record has a seal: a digest of the record, of the table rows it was computed from, of the mutants that its case declares
// in blind_to (docs/decisions/mutation-analysis.md), and of kPowerEvaluator. A record whose seal does not match is ignored, and
// its score is computed again. The seal does not cover source code, so code changes that change no result keep records valid. CI
// recomputes a sample.

/// Version of all code that affects a mutation score: generators, reference, mutants, comparison. Raise it in the commit that
/// changes a result; then `assay golden write` recomputes every record.
inline constexpr int kPowerEvaluator = 2;

/// Digest of the rows of tables that determine the answers and mutants of a case.
using RowsRead = std::function<std::string(const Case&)>;

/// `rows`: result of RowsRead. `evaluator` is kPowerEvaluator, except in tests.
std::string power_seal(const Case& one, const Power& power, const std::string& rows, int evaluator = kPowerEvaluator);

class PowerRecords {
 public:
  /// An empty set of records.
  PowerRecords() = default;

  /// Reads the records of these cases in `folder` and keeps those whose seal matches. Throws std::runtime_error naming a damaged
  /// file.
  static PowerRecords read(const std::string& folder, const std::vector<Case>& cases, const RowsRead& rows,
                           int evaluator = kPowerEvaluator);

  size_t size() const { return by_data_.size(); }
  bool empty() const { return by_data_.empty(); }

  /// The score of a case's data. nullptr if there is no record, or if the case declares other mutants than the recorded case.
  const Power* find(const Case& one) const;
  /// Records of data sets that no case has any more, as "file: data set".
  const std::vector<std::string>& strays() const { return strays_; }

 private:
  struct Known {
    Power power;
    std::vector<std::string> declared;
  };
  std::map<std::string, Known> by_data_;
  std::vector<std::string> strays_;
};

/// Writes one file per op, each atomically. Throws like write_golden().
void write_power_records(const std::string& folder, const std::map<std::string, Golden>& by_op);

/// A random sample of about `percent` of the data sets of each op, at least one per op; one case per data set.
std::vector<Case> sample_of_data(const std::vector<Case>& cases, double percent, uint64_t seed);

/// Recomputes the scores of these cases. Returns a line for each that differs from its record; cases without one are skipped.
std::vector<std::string> changed_power(const PowerRecords& records, const std::vector<Case>& cases,
                                       const std::function<Power(const Case&)>& compute);

}  // namespace assay
