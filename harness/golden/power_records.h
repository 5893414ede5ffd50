// What each data set shows (golden/power), so that a run need not reckon again what its sources and tables have not changed: it
// is half of what a run costs.
#pragma once

#include <map>
#include <set>
#include <string>

#include "harness/golden/golden.h"

namespace assay {

class PowerRecords {
 public:
  /// Knows nothing.
  PowerRecords() = default;

  /// Reads the files of these ops in `folder`, if its index says that they were made of `made_of`, the sources and tables of this
  /// run; otherwise, and without an index, nothing is known. Throws std::runtime_error naming the file that is damaged, or that
  /// is not the one which the index was written with.
  static PowerRecords read(const std::string& folder, const std::string& made_of, const std::set<std::string>& ops);

  size_t size() const { return by_data_.size(); }
  bool empty() const { return by_data_.empty(); }

  /// nullptr of data that are not recorded, or whose row declares something else now.
  const Power* find(const Case& one) const;

 private:
  std::map<std::string, RecordedPower> by_data_;
};

/// Writes a file for each op, and then the index. A writer that is killed leaves none, so that nothing is known of what it left.
/// Throws as write_golden().
void write_power_records(const std::string& folder, const std::string& made_of, const std::map<std::string, Golden>& by_op);

}  // namespace assay
