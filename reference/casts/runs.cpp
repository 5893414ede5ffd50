#include "reference/casts/runs.h"

#include <algorithm>
#include <set>

namespace assay {
namespace {

/// First patterns of the ranges in which a single monotone rule applies.
std::vector<uint64_t> stretches(const CastProfile& p) {
  const CastSource& source = *p.from;
  std::set<uint64_t> starts = {0, 1, source.infinity(), source.infinity() + 1};
  for (const Anomaly& anomaly : p.anomalies) {
    starts.insert(anomaly.first);
    starts.insert(anomaly.last + 1);
  }
  std::vector<uint64_t> all;
  for (const uint64_t sign : {uint64_t{0}, source.sign()})
    for (const uint64_t start : starts)
      if (start < source.sign()) all.push_back(sign | start);
  return all;
}

void append(std::vector<CodeRun>& runs, const CodeRun& run) {
  if (!runs.empty() && runs.back().code == run.code)
    runs.back().last = run.last;
  else
    runs.push_back(run);
}

}  // namespace

std::vector<CodeRun> runs_of(const CastProfile& p) {
  const std::vector<uint64_t> starts = stretches(p);
  std::vector<CodeRun> runs;
  for (size_t i = 0; i < starts.size(); ++i) {
    const uint64_t end = i + 1 < starts.size() ? starts[i + 1] - 1 : p.from->last();
    for (uint64_t first = starts[i];;) {
      const uint32_t code = cast(p, first);
      uint64_t same = first, other = end;  // the last input with this code is in [same, other]
      while (same < other) {
        const uint64_t middle = other - (other - same) / 2;
        if (cast(p, middle) == code)
          same = middle;
        else
          other = middle - 1;
      }
      append(runs, {first, same, code});
      if (same == end) break;
      first = same + 1;
    }
  }
  return runs;
}

std::vector<RunDifference> differences(const std::vector<CodeRun>& a, const std::vector<CodeRun>& b) {
  std::vector<RunDifference> all;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const uint64_t first = std::max(a[i].first, b[j].first), last = std::min(a[i].last, b[j].last);
    if (a[i].code != b[j].code) {
      if (!all.empty() && all.back().last + 1 == first && all.back().a == a[i].code && all.back().b == b[j].code)
        all.back().last = last;
      else
        all.push_back({first, last, a[i].code, b[j].code});
    }
    const bool a_ends = a[i].last == last, b_ends = b[j].last == last;
    i += a_ends ? 1 : 0;
    j += b_ends ? 1 : 0;
  }
  return all;
}

double inputs_of(const std::vector<RunDifference>& differences) {
  double sum = 0;
  for (const RunDifference& d : differences) sum += double(d.last - d.first) + 1;
  return sum;
}

uint32_t code_at(const std::vector<CodeRun>& runs, uint64_t input) {
  return std::partition_point(runs.begin(), runs.end(), [&](const CodeRun& run) { return run.last < input; })->code;
}

std::string flaw_of(const std::vector<CodeRun>& runs, const CastSource& source) {
  uint64_t next = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const std::string place = "run " + std::to_string(i + 1);
    if (runs[i].first != next || runs[i].last < runs[i].first) return place + " does not begin where the one before ends";
    if (i > 0 && runs[i].code == runs[i - 1].code) return place + " has the code of the one before";
    next = runs[i].last + 1;
  }
  return runs.empty() || runs.back().last != source.last() ? "the last inputs are missing" : "";
}

}  // namespace assay
