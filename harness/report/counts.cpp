#include "harness/report/counts.h"

#include <fmt/format.h>

namespace assay {

std::map<CountKey, std::map<Outcome, int64_t>> counts_by_contract(const RunResult& result) {
  std::map<CountKey, std::map<Outcome, int64_t>> counts;
  for (const Verdict& v : result.verdicts) ++counts[{v.op, v.contract, v.warp}][v.outcome];
  return counts;
}

std::map<std::string, int64_t> counts_by_message(const RunResult& result, Outcome outcome) {
  std::map<std::string, int64_t> counts;
  for (const Verdict& v : result.verdicts) {
    if (v.outcome == outcome) ++counts[v.message];
  }
  return counts;
}

std::string counts_text(const RunResult& result) {
  std::string text;
  for (const Outcome outcome : kOutcomes) {
    const int64_t count = result.count(outcome);
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name(outcome));
  }
  return text;
}

std::string ending_text(const RunResult& result) {
  if (result.device_lost) return "DEVICE LOST";
  if (result.judged() == 0) return "NOTHING RAN";
  return result.unexpected() > 0 ? "NOT AS EXPECTED" : "ALL AS EXPECTED";
}

}  // namespace assay
