#include "harness/core/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include "harness/diagnosis/looking.h"
#include "harness/cli/places.h"
#include "harness/cli/verbs.h"
#include "harness/dump/recording.h"
#include "harness/report/console.h"
#include "harness/report/report.h"
#include "suites/registry.h"

namespace assay {
namespace {

/// One line that is written over, on a terminal only.
class ProgressLine {
 public:
  explicit ProgressLine(size_t cases) : cases_(cases), shown_(::isatty(STDERR_FILENO) == 1) {}
  ~ProgressLine() { clear(); }
  void clear() const {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }
  void step(const Verdict& verdict) {
    ++done_;
    if (shown_) std::fprintf(stderr, "\r\033[K%zu verdicts, %zu cases  %.100s", done_, cases_, verdict.case_id.c_str());
  }

 private:
  size_t cases_, done_ = 0;
  bool shown_;
};

}  // namespace

int run_verb(const RunArguments& arguments) {
  std::vector<ReportRequest> reports;
  for (const std::string& text : arguments.reports) reports.push_back(parse_report(text));
  const bool to_console = reports.empty() || std::any_of(reports.begin(), reports.end(),
                                                         [](const ReportRequest& r) { return r.kind == ReportKind::kConsole; });
  const std::vector<Case> cases = open_selected_cases(arguments.selection);
  const Backend backend = shared_between_threads(open_backend({arguments.backend, arguments.in_process, arguments.timeout_seconds}));

  ProgressLine progress(cases.size());
  RunOptions options;
  options.each.repeat = arguments.repeat;
  options.each.power = power_of_data();
  options.each.diagnose = look_for_causes(backend);
  std::optional<Recorder> recorder;
  if (!arguments.record.empty()) {
    recorder.emplace(arguments.record, backend);
    options.each.record = [&](const Evidence& evidence, const Verdict& verdict) { recorder->write(evidence, verdict); };
  }
  options.kernel_glob = arguments.kernel;
  options.threads = int(std::max(1u, std::thread::hardware_concurrency()));
  options.on_verdict = [&](const Verdict& verdict) {
    progress.clear();
    if (to_console && !as_expected(verdict)) std::printf("%s\n", failure_text(verdict).c_str());
    progress.step(verdict);
  };
  const RunResult result = run_all(all_ops(), cases, backend, options);
  progress.clear();
  if (recorder) recorder->finish(result);
  write_reports(reports, result, backend.library);
  std::printf("%s", to_console ? summary_text(result).c_str() : outcome_line(result).c_str());
  return result.exit_code();
}

}  // namespace assay
