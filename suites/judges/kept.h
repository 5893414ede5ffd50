// Cache of results in a file, so that a new fault can be measured alone.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

/// Results, and a hash of everything they depend on.
struct KeptMarks {
  std::string state;
  Marks marks;
};

/// By kernel name. Empty if there is no such file. Throws std::runtime_error naming a file that write_kept() did not write.
std::map<std::string, KeptMarks> read_kept(const std::string& file);

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all);

/// Files that affect the results of all kernels: rules, recipes, contracts, layouts, the healthy library, and this program.
std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library);

/// Cached and new results of kernels. A cached result is valid only while these files, the kernel's quick cases, and its outputs
/// on the first few single-rank cases are unchanged. A change of a kernel that affects none of these is missed. Thread-safe.
class Kept {
 public:
  /// `file` empty: no cache file.
  Kept(std::string file, const Field& field, const std::vector<std::string>& files);

  std::optional<Marks> of(const Contestant& contestant);
  /// Adds the results of a kernel that of() did not find.
  void add(const Contestant& contestant, const Marks& marks);
  /// Number of cached results that were out of date.
  int stale() const { return stale_; }

 private:
  std::string state_of(const Contestant& contestant) const;

  std::string file_, common_;
  const Field& field_;
  std::map<std::string, KeptMarks> marks_;
  std::map<std::string, std::string> states_;  ///< hashes of the kernels requested so far
  int stale_ = 0;
  std::mutex mutex_;
};

}  // namespace assay::judges
