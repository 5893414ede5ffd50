// Progress of a long run, on standard error. Standard output must be the same for every run.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// On a terminal one line that is overwritten; otherwise, as in a CI log, a line from time to time.
class ProgressReport {
 public:
  static constexpr double kSecondsBetweenLines = 30;

  using Clock = std::function<double()>;  ///< seconds since an arbitrary origin
  using Write = std::function<void(const std::string&)>;

  /// Writes to standard error and uses the system clock.
  explicit ProgressReport(size_t cases);
  ProgressReport(size_t cases, bool terminal, Clock clock, Write write);
  ~ProgressReport() { clear(); }

  /// Erases the line before other output to the terminal.
  void clear() const;
  void step(const Verdict& verdict);

 private:
  size_t cases_, done_ = 0, unexpected_ = 0;
  bool terminal_;
  Clock clock_;
  Write write_;
  double begun_, last_;
};

}  // namespace assay
