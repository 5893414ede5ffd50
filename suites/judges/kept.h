// What was found of kernels, kept in a file: a fault more is measured alone.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "suites/judges/contest.h"

namespace assay::judges {

/// Marks and the state of everything that they were found in.
struct KeptMarks {
  std::string state;
  Marks marks;
};

/// By the contestant's name. Empty if there is no such file. Throws std::runtime_error naming a file that is none of
/// write_kept().
std::map<std::string, KeptMarks> read_kept(const std::string& file);

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all);

/// Files whose bytes decide marks of all kernels: rules, recipes, contracts and layouts, the healthy library, and this program.
std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library);

/// What was found of contestants before, and what is found now. Marks count only in the state in which they were found: those
/// files, the kernel's quick cases, and what it returns on the first few of them that are of one rank. A change of a kernel that
/// shows on none of these is not seen. May be used by several threads.
class Kept {
 public:
  /// `file` empty: nothing is kept.
  Kept(std::string file, const Field& field, const std::vector<std::string>& files);

  std::optional<Marks> of(const Contestant& contestant);
  /// What was found of one that of() did not know.
  void add(const Contestant& contestant, const Marks& marks);
  /// How many were there in another state.
  int stale() const { return stale_; }

 private:
  std::string state_of(const Contestant& contestant) const;

  std::string file_, common_;
  const Field& field_;
  std::map<std::string, KeptMarks> marks_;
  std::map<std::string, std::string> states_;  ///< of those that were asked for
  int stale_ = 0;
  std::mutex mutex_;
};

}  // namespace assay::judges
