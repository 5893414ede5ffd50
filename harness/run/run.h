// Many cases on one back end: pair, call, judge, count.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/call.h"
#include "harness/core/op.h"
#include "harness/run/ledger.h"
#include "harness/run/run_case.h"
#include "harness/text/error.h"

namespace assay {

struct RunOptions {
  CaseOptions each;
  std::string kernel_glob = "*";  ///< kernels whose name matches
  int threads = 2;                ///< that make inputs and judge; calls are made one at a time
  const Ledger* ledger = nullptr;   ///< of known deviations; without one every verdict is expected to be a pass
  /// Asked again and again: what ended the run early ("SIGINT"), nullptr as long as nothing did. What is under way then gives no verdict.
  std::function<const char*()> ended{};
  /// Called for each verdict, in the order of the cases, from one thread at a time.
  std::function<void(const Verdict&)> on_verdict;
};

struct RunResult {
  std::vector<Verdict> verdicts;
  bool device_lost = false;
  std::string harness_error{};  ///< why the harness itself ended the run; the verdicts are those until then
  std::string ended_by{};       ///< "SIGINT" if the run was ended before all cases had their verdicts

  int64_t count(Outcome outcome) const;
  int64_t unexpected() const;
  /// Verdicts on outputs of a call: all but the skips, whether the library does not offer the case or its kernel refused it.
  int64_t judged() const;
  /// 0 all as expected, 1 not, 2 nothing ran, 3 the device was lost or the harness failed.
  ExitCode exit_code() const;
};

/// Runs every case on every kernel that offers it; a case that no kernel offers gives one skip that says why not.
///
/// The op's functions are called from several threads at once, each time for another case. After a lost device the remaining
/// cases of an in-process library would say nothing, so the run ends after three losses in a row. A HarnessError ends it at once.
RunResult run_all(std::span<const Op> ops, const std::vector<Case>& cases, const Backend& backend, const RunOptions& options);

}  // namespace assay
