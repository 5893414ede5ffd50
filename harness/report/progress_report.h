// Signs of life of a long run, on standard error: standard output holds the same for every run.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// On a terminal one line that is written over; elsewhere, as in the log of a CI job, a line now and then.
class ProgressReport {
 public:
  static constexpr double kSecondsBetweenLines = 30;

  using Clock = std::function<double()>;  ///< seconds since any moment
  using Write = std::function<void(const std::string&)>;

  /// To standard error, by the clock.
  explicit ProgressReport(size_t cases);
  ProgressReport(size_t cases, bool terminal, Clock clock, Write write);
  ~ProgressReport() { clear(); }

  /// Makes room for other output of the terminal.
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
