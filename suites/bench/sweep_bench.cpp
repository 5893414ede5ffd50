// Measures casts of all 2^32 fp32 inputs (sweeps) through the C ABI. For comparison it also measures the least possible work on
// the same blocks: generate inputs, copy, set codes, compare. Targets: 2 s on two cores with AVX-512, 5 s without. Usage:
// assay_sweep_bench ROOT LIBRARY [CONTRACT...]
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>
#include <vector>

#include "harness/backend/worker.h"
#include "harness/run/run_case.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace {

using namespace assay;

struct Times {
  double wall, cpu;
};

template <class F>
Times time_of(F f) {
  const auto start = std::chrono::steady_clock::now();
  const std::clock_t cpu = std::clock();
  f();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
          double(std::clock() - cpu) / CLOCKS_PER_SEC};
}

/// The least possible work of a sweep, on one core. Returns the number of equal blocks, so that nothing is optimized away.
int64_t plain_pass() {
  constexpr size_t kBlock = size_t{1} << 18;
  std::vector<uint32_t> x(kBlock), uploaded(kBlock);
  std::vector<uint8_t> q(kBlock), expected(kBlock, 0x7e);
  int64_t equal = 0;
  for (uint64_t first = 0; first < uint64_t{1} << 32; first += kBlock) {
    for (uint32_t i = 0; i < kBlock; ++i) x[i] = uint32_t(first) + i;
    std::memcpy(uploaded.data(), x.data(), kBlock * 4);
    std::memset(q.data(), 0x7e, kBlock);
    equal += std::memcmp(q.data(), expected.data(), kBlock) == 0 && uploaded[kBlock - 1] == x[kBlock - 1];
  }
  return equal;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: assay_sweep_bench ROOT LIBRARY [CONTRACT...]\n"), 2;
  open_rulebook(argv[1]);
  const Backend backend = open_in_process(argv[2], "bench");
  std::vector<std::string> contracts(argv + 3, argv + argc);
  if (contracts.empty()) contracts = {"cuda.e4m3fn_sat", "cuda.e5m2_sat", "cuda.e8m0_rp_sat"};

  int64_t equal = 0;
  const Times plain = time_of([&] { equal = plain_pass(); });
  std::printf("%-24s %8s %8s %8s %10s\n", "", "wall s", "CPU s", "calls s", "x plain");
  std::printf("%-24s %8.2f %8.2f %8s %10s   %lld blocks\n", "plain pass, one core", plain.wall, plain.cpu, "", "",
              static_cast<long long>(equal));
  const Op& op = shipped_ops().find("cast");
  for (const std::string& contract : contracts) {
    Case one;
    one.op = "cast";
    one.parameters = {{"contract", contract}, {"x", "f32"}, {"fill", "all"}, {"warp", "32"}};
    one = checked_case(op, one);
    Verdict verdict;
    const Times times = time_of([&] { verdict = run_case(op, one, {.name = "cast", .op = "cast"}, backend, {}); });
    std::printf("%-24s %8.2f %8.2f %8.2f %10.1f   %s %s\n", contract.c_str(), times.wall, times.cpu, verdict.seconds,
                times.cpu / plain.cpu, name(verdict.outcome), verdict.message.c_str());
    if (verdict.outcome != Outcome::kPass) return 1;
  }
  return 0;
}
