// Size and speed of a history. usage: assay_history_bench [RUNS [VERDICTS]]   (default 100 15000)
// Each run repeats the verdicts of the previous run with three changes. One case in a thousand changes its bits permanently. One
// case in a hundred returns other bits in every run, as kernels with atomic additions do. In the last tenth of the runs, one case
// in 500 fails.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "harness/history/history.h"
#include "harness/history/history_view.h"

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string digest_of(size_t number) { return fmt::format("{:016x}", (number + 1) * 0x9e3779b97f4a7c15u); }

/// The verdicts of the first run: 25 cases for each contract and kernel.
std::vector<assay::HistoryVerdict> first_verdicts(size_t count) {
  std::vector<assay::HistoryVerdict> all;
  for (size_t i = 0; i < count; ++i)
    all.push_back({fmt::format("quant_group/vllm.group_fp8_{}@2026-06-18/bf16.m{}.n{}.g128.row/normal.s{}/w32", i / 25, i % 5 + 1,
                               1024 * (i % 7 + 1), i),
                   fmt::format("group_fp8_{}", i / 25), "quant_group", fmt::format("vllm.group_fp8_{}@2026-06-18", i / 25), "32",
                   assay::Outcome::kPass, true, double(i % 97) / 97, digest_of(i), ""});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const size_t runs = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 100,
               count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 15000;
  const std::string path = (std::filesystem::temp_directory_path() / fmt::format("assay_history_bench_{}", ::getpid())).string();
  std::vector<assay::HistoryVerdict> verdicts = first_verdicts(count);
  std::vector<double> seconds;
  uintmax_t first = 0;
  assay::HistoryRun about;
  about.library = "bench", about.chip = "sm_90", about.device = "NVIDIA H100 80GB HBM3", about.driver = "570.86";
  for (size_t run = 0; run < runs; ++run) {
    about.begun = fmt::format("2026-11-{:02}T00:00:00Z", run % 30 + 1), about.commit = digest_of(run);
    for (size_t i = 0; i < count; ++i) {
      if ((i + run * 31) % 1000 == 0 || i % 100 == 7) verdicts[i].digest = digest_of(run * count + i);
      const bool fails = i % 500 == 3 && run * 10 >= runs * 9;
      verdicts[i].outcome = fails ? assay::Outcome::kFail : assay::Outcome::kPass,
      verdicts[i].cause = fails ? "code: div(s) -> mul(1/s)" : "";
    }
    seconds.push_back(seconds_of([&] { assay::History(path, assay::History::Access::kWrite).add(about, verdicts); }));
    if (run == 0) first = std::filesystem::file_size(path);
  }
  const auto size = std::filesystem::file_size(path);
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  fmt::print("a history of {} runs of {} verdicts: {:.1f} MB, of which {:.1f} MB for the first run\n", runs, count,
             double(size) / 1e6, double(first) / 1e6);
  fmt::print("time to add a run: {:.2f} s for the first, {:.2f} s at the median, {:.2f} s at most\n", seconds.front(),
             sorted[sorted.size() / 2], sorted.back());
  const assay::History history(path, assay::History::Access::kRead);
  assay::HistoryData data;
  std::string text, page;
  const double read = seconds_of([&] { data = history.read({}); }),
               shown = seconds_of([&] { text = assay::history_text(data, path, false); }),
               drawn = seconds_of([&] { page = assay::history_page(data, path); });
  fmt::print(
      "time for the whole history: {:.2f} s to read it, {:.2f} s for the console text, {:.2f} s for the HTML page ({:.1f} MB); "
      "{} groups of changes\n",
      read, shown, drawn, double(page.size()) / 1e6, assay::change_groups(data).size());
  const double one =
      seconds_of([&] { text = assay::history_text(history.read({.contracts = {"vllm.group_fp8_7@*"}}), path, false); });
  const double newest = seconds_of([&] { (void)history.verdicts_of(history.newest()); });
  fmt::print(
      "time for one contract: {:.2f} s to read it and make its text; time to read the verdicts of the newest run: {:.2f} s\n",
      one, newest);
  std::filesystem::remove(path);
}
