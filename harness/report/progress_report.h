// Progress of a long command, on standard error. Standard output must be the same for every run.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// On a terminal: one line that is overwritten, with per cent, time left, failures and the current case. In a file, such as a CI
/// log: a line when a verdict is known and the last line is 30 s old. May be used by several threads.
class ProgressReport {
 public:
  static constexpr double kSecondsBetweenLines = 30;

  using Clock = std::function<double()>;  ///< seconds since an arbitrary origin
  using Write = std::function<void(const std::string&)>;

  /// Where progress goes; by default standard error, with the system's clock.
  struct Where {
    bool terminal;
    size_t width;  ///< columns of the terminal
    Clock clock;
    Write write;
  };

  /// `unit`: what is counted, "cases".
  explicit ProgressReport(size_t all, std::string unit = "cases");
  ProgressReport(size_t all, std::string unit, Where where);
  ~ProgressReport() { clear(); }
  ProgressReport(const ProgressReport&) = delete;
  ProgressReport& operator=(const ProgressReport&) = delete;

  /// Erases the line before other output to the terminal.
  void clear();
  /// Call it for each verdict. All verdicts of a case must come in succession, because cases are counted when the id changes.
  void step(const Verdict& verdict);
  /// Call it when one more unit is done. `what`: its name.
  void step(const std::string& what, bool failed = false);
  /// Sets the number of finished units.
  void at(size_t done, const std::string& what);
  /// Call it before the search for the cause of a bad verdict. Prints on a terminal, and in a file if the last line is old.
  void judged(const Verdict& verdict);
  /// Shows the name of the current unit, without counting it.
  void begin(const std::string& what);

 private:
  void draw(const std::string& what);
  double share() const;

  std::mutex mutex_;
  size_t all_, done_ = 0, verdicts_ = 0, failed_ = 0;
  std::string unit_, last_case_;
  Where where_;
  double begun_, last_;
  double drawn_ = -1;
};

}  // namespace assay
