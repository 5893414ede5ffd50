// Progress of a long command, on standard error. Standard output must be the same for every run.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>

#include "harness/compare/verdict.h"

namespace assay {

/// On a terminal one line that is overwritten: per cent, time left, failures, what is at work. Elsewhere, as in a CI log,
/// verdicts make a line from time to time, and other steps make none. May be used by several threads.
class ProgressReport {
 public:
  static constexpr double kSecondsBetweenLines = 30;

  using Clock = std::function<double()>;  ///< seconds since an arbitrary origin
  using Write = std::function<void(const std::string&)>;

  /// What a terminal is; the default is standard error and the system's clock.
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
  /// A verdict was made. Verdicts of one case follow each other.
  void step(const Verdict& verdict);
  /// One more of the units is done. `what`: its name.
  void step(const std::string& what, bool failed = false);
  /// `done` units are done so far.
  void at(size_t done, const std::string& what);
  /// A bad verdict was made, and its cause is being looked for. On a terminal, and elsewhere if the last line is old.
  void judged(const Verdict& verdict);
  /// Shows what is at work, without counting it.
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
