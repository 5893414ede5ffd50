// Recorded mutation scores of data sets (golden/power). Computing them takes half of a run's time.
//
// Each record has a seal: a digest of the record, of the table rows it was computed from, of the mutants that its case declares
// undetected (docs/decisions/mutation-analysis.md), and of the evaluator's version. A record whose seal does not match is ignored
// and computed again. The seal does not cover source code, so an edit that changes no result keeps all records valid. CI
// recomputes a sample.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/golden/golden.h"

namespace assay {

/// Version of all code that affects a mutation score: generators, reference, mutants, comparison. Raise it in the commit that
/// changes a result; then `assay golden write` recomputes every record.
inline constexpr int kPowerEvaluator = 2;

/// Digest of the table rows that the answers and mutants of a case are made from.
using RowsRead = std::function<std::string(const Case&)>;

/// `rows`: result of RowsRead. `evaluator`: kPowerEvaluator, or another version in tests.
std::string power_seal(const Case& one, const Power& power, const std::string& rows, int evaluator = kPowerEvaluator);

class PowerRecords {
 public:
  /// No records.
  PowerRecords() = default;

  /// Reads the records of these cases in `folder` and keeps those whose seal matches. Throws std::runtime_error naming a damaged
  /// file.
  static PowerRecords read(const std::string& folder, const std::vector<Case>& cases, const RowsRead& rows,
                           int evaluator = kPowerEvaluator);

  size_t size() const { return by_data_.size(); }
  bool empty() const { return by_data_.empty(); }

  /// nullptr if the data are not recorded, or if the case declares other mutants than the recorded one.
  const Power* find(const Case& one) const;
  /// Records that belong to none of the cases, as "file: data set".
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

/// One line for each of these cases whose recomputed score differs from the record. Cases without a record are skipped.
std::vector<std::string> changed_power(const PowerRecords& records, const std::vector<Case>& cases,
                                       const std::function<Power(const Case&)>& compute);

}  // namespace assay
