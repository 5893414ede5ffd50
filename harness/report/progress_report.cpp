#include "harness/report/progress_report.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <utility>

#include "harness/text/printable.h"

namespace assay {
namespace {

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void write_to_stderr(const std::string& text) { std::fputs(text.c_str(), stderr); }

}  // namespace

ProgressReport::ProgressReport(size_t cases)
    : ProgressReport(cases, ::isatty(STDERR_FILENO) == 1, seconds_now, write_to_stderr) {}

ProgressReport::ProgressReport(size_t cases, bool terminal, Clock clock, Write write)
    : cases_(cases), terminal_(terminal), clock_(std::move(clock)), write_(std::move(write)), begun_(clock_()), last_(begun_) {}

void ProgressReport::clear() const {
  if (terminal_) write_("\r\033[K");
}

void ProgressReport::step(const Verdict& verdict) {
  ++done_;
  if (!as_expected(verdict)) ++unexpected_;
  if (terminal_) {
    write_(fmt::format("\r\033[K{} verdicts, {} cases  {:.100}", done_, cases_, printable(verdict.case_id)));
    return;
  }
  const double now = clock_();
  if (now - last_ < kSecondsBetweenLines) return;
  last_ = now;
  write_(fmt::format("assay: {} verdicts after {:.0f} s, {} not as expected; {} cases in all; now {}\n", done_, now - begun_,
                     unexpected_, cases_, printable(verdict.case_id)));
}

}  // namespace assay
