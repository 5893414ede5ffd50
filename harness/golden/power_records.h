// What each data set shows (golden/power), so that a run need not compute it again: it is half of what a run costs.
//
// A record has a seal: a digest of the record, of the table rows that it was computed from, of what its row declares
// (docs/decisions/mutation-analysis.md), and of the evaluator's version. A record with another seal is unknown, and is computed again. The seal does not cover
// the sources of the evaluator, so an edit that changes no result leaves all records valid. CI computes a sample again.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "harness/golden/golden.h"

namespace assay {

/// The version of everything that decides what a data set shows besides tables: generators, reference, mutants, comparison. Raise
/// it in the commit that changes such a result; then `assay golden write` computes every record again.
inline constexpr int kPowerEvaluator = 2;

/// Digest of the table rows that answers and mutants of a case are made from.
using RowsRead = std::function<std::string(const Case&)>;

/// `rows`: of RowsRead. `evaluator`: kPowerEvaluator, or another version in tests.
std::string power_seal(const Case& one, const Power& power, const std::string& rows, int evaluator = kPowerEvaluator);

class PowerRecords {
 public:
  /// Knows nothing.
  PowerRecords() = default;

  /// Reads the records of these cases in `folder` and keeps those whose seal is right. Throws std::runtime_error naming a damaged
  /// file.
  static PowerRecords read(const std::string& folder, const std::vector<Case>& cases, const RowsRead& rows,
                           int evaluator = kPowerEvaluator);

  size_t size() const { return by_data_.size(); }
  bool empty() const { return by_data_.empty(); }

  /// nullptr of data that are not recorded, or whose row declares something else.
  const Power* find(const Case& one) const;
  /// Files and data sets in them that are of none of the cases: "file: data set".
  const std::vector<std::string>& strays() const { return strays_; }

 private:
  struct Known {
    Power power;
    std::vector<std::string> declared;
  };
  std::map<std::string, Known> by_data_;
  std::vector<std::string> strays_;
};

/// Writes a file for each op, each atomically. Throws as write_golden().
void write_power_records(const std::string& folder, const std::map<std::string, Golden>& by_op);

/// A random sample of the data sets, at least one of each op and about `percent` of each: one case of each data set.
std::vector<Case> sample_of_data(const std::vector<Case>& cases, double percent, uint64_t seed);

/// A line for each of these cases whose data show something else than is recorded; what is not recorded is left out.
std::vector<std::string> changed_power(const PowerRecords& records, const std::vector<Case>& cases,
                                       const std::function<Power(const Case&)>& compute);

}  // namespace assay
