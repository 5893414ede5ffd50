#include "harness/report/progress_report.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "harness/text/messages.h"

namespace assay {
namespace {

double seconds_now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

void write_to_stderr(const std::string& text) { std::fputs(text.c_str(), stderr); }

size_t width_of_stderr() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// "1:05:00", "2:07", "12 s"
std::string duration_text(double seconds) {
  const auto whole = int64_t(seconds + 0.5);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

/// The first columns of a text, without cutting a UTF-8 character.
std::string cut_to(std::string text, size_t width) {
  if (text.size() <= width) return text;
  while (width > 0 && (static_cast<unsigned char>(text[width]) & 0xc0) == 0x80) --width;
  return text.substr(0, width);
}

}  // namespace

ProgressReport::ProgressReport(size_t all, std::string unit)
    : ProgressReport(all, std::move(unit), {::isatty(STDERR_FILENO) == 1, width_of_stderr(), seconds_now, write_to_stderr}) {}

ProgressReport::ProgressReport(size_t all, std::string unit, Where where)
    : all_(all), unit_(std::move(unit)), where_(std::move(where)), begun_(where_.clock()), last_(begun_) {}

double ProgressReport::share() const { return all_ == 0 ? 0 : std::min(1.0, double(done_) / double(all_)); }

void ProgressReport::clear() {
  const std::lock_guard lock(mutex_);
  if (where_.terminal) where_.write("\r\033[K");
  drawn_ = -1;
}

/// The last column stays free: some terminals begin a new line in it.
void ProgressReport::draw(const std::string& what) {
  constexpr double kSecondsBetweenDraws = 0.05, kFirstGuess = 2;
  const double now = where_.clock();
  if (!where_.terminal || where_.width < 2 || (drawn_ >= 0 && now - drawn_ < kSecondsBetweenDraws && done_ < all_)) return;
  drawn_ = now;
  std::string text = fmt::format("{:3.0f} %  {} of {} {}", 100 * share(), done_, all_, unit_);
  if (failed_ > 0) text += fmt::format(", {} failed", failed_);
  if (const double passed = now - begun_; passed > kFirstGuess && done_ > 0 && done_ < all_)
    text += fmt::format(", {} left", duration_text(passed / share() - passed));
  where_.write("\r\033[K" + cut_to(text + "  " + printable(what), where_.width - 1));
}

void ProgressReport::step(const Verdict& verdict) {
  const std::lock_guard lock(mutex_);
  ++verdicts_;
  if (!as_expected(verdict)) ++failed_;
  if (verdict.case_id != last_case_) ++done_, last_case_ = verdict.case_id;
  draw(verdict.case_id);
  const double now = where_.clock();
  if (where_.terminal || now - last_ < kSecondsBetweenLines) return;
  last_ = now;
  where_.write(fmt::format("assay: {} verdicts after {:.0f} s, {} not as expected; {} of {} cases; now {}\n", verdicts_,
                           now - begun_, failed_, done_, all_, printable(verdict.case_id)));
}

void ProgressReport::step(const std::string& what, bool failed) {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (failed) ++failed_;
  draw(what);
}

void ProgressReport::at(size_t done, const std::string& what) {
  const std::lock_guard lock(mutex_);
  done_ = done;
  draw(what);
}

void ProgressReport::judged(const Verdict& verdict) {
  const std::lock_guard lock(mutex_);
  const std::string text =
      fmt::format("{}, searching for its cause: {} on {}", name(verdict.outcome), verdict.case_id, verdict.kernel);
  drawn_ = -1;
  draw(text);
  const double now = where_.clock();
  if (where_.terminal || now - last_ < kSecondsBetweenLines) return;
  last_ = now;
  where_.write(fmt::format("assay: {}\n", printable(text)));
}

void ProgressReport::begin(const std::string& what) {
  const std::lock_guard lock(mutex_);
  draw(what);
}

}  // namespace assay
