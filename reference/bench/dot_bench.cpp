// Compares exact dot products with OpenBLAS's dgemm in one run: multiply-accumulates per second of each, and their ratio. Both
// use the same number of threads. They alternate, and the best of several rounds counts, since other programs may share the
// machine. One thread is timed by its CPU clock, several by the wall clock.
// Usage: assay_dot_bench [M N K [ROUNDS]]
#include <cblas.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "reference/dot/exact_dot.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/testing/unit_data.h"

namespace assay {
namespace {

struct Shape {
  int64_t m = 2048, n = 2048, k = 4096;
};

/// An operand with normally distributed values, and scales near 1 (powers of two if the scale format has no other values).
struct Side {
  std::vector<std::byte> codes, scales;
  DotOperand operand;

  Side(const Format& format, int64_t rows, int64_t k, DotScales of, unsigned seed) : operand{nullptr, &format, rows, k, 1, of} {
    std::mt19937 random(seed);
    std::normal_distribution<double> normal(0, format.exponent_bits == 4 ? 64 : 1);
    const auto append = [](std::vector<std::byte>& to, const Format& f, double x) {
      const uint32_t code = code_of(f, round_to(f, x, Rounding::kNearestEven, Overflow::kSaturate));
      for (int i = 0; i < f.bytes(); ++i) to.push_back(std::byte(code >> (8 * i)));
    };
    for (int64_t i = 0; i < rows * k; ++i) append(codes, format, normal(random));
    operand.codes = codes.data();
    if (!of.format) return;
    const int64_t down = (rows + of.rows_per_scale - 1) / of.rows_per_scale, across = (k + of.k_per_scale - 1) / of.k_per_scale;
    for (int64_t i = 0; i < down * across; ++i) append(scales, *of.format, std::exp2(-6 + normal(random) / 32));
    operand.scales.codes = scales.data();
    operand.scales.row_stride = across;
    operand.scales.k_stride = 1;
  }
};

DotScales scales(const Format& format, int64_t rows_per_scale, int64_t k_per_scale) {
  return {.codes = nullptr, .format = &format, .rows_per_scale = rows_per_scale, .k_per_scale = k_per_scale};
}

double seconds(int threads, const std::function<void()>& work) {
  const auto now = [&] {
    timespec t;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
  };
  const double begin = now();
  work();
  return now() - begin;
}

enum class Asked { kRounded, kAbsoluteSums, kBounds, kAll };

struct Contest {
  std::string name;
  Side a, b;
  Asked asked;
};

/// Times exact_dot() and dgemm alternately. Prints the rate of each in 1e9 multiply-accumulates per second, and their ratio.
void race(const Contest& contest, const Shape& s, int threads, int rounds) {
  const auto random_doubles = [](int64_t n) {
    std::mt19937 random(9);
    std::vector<double> x(static_cast<size_t>(n));
    for (double& v : x) v = double(random()) * 0x1p-32;
    return x;
  };
  const std::vector<double> x = random_doubles(s.m * s.k), y = random_doubles(s.n * s.k);
  std::vector<double> z(size_t(s.m * s.n)), rounded(size_t(s.m * s.n));
  oneapi::tbb::task_arena arena(threads);
  openblas_set_num_threads(threads);
  std::vector<double> sums, bounds;
  DotOutputs outputs{.rounded = {{&kBf16, rounded}}};
  if (contest.asked == Asked::kAbsoluteSums || contest.asked == Asked::kAll) sums.resize(z.size()), outputs.absolute_sum = sums;
  if (contest.asked == Asked::kBounds || contest.asked == Asked::kAll) {
    bounds.resize(z.size()), outputs.bound = bounds;
    outputs.model = accumulator_model(unit_table().find("sm_90.wgmma.e4m3.f32").unit, 128);
  }
  double blas = HUGE_VAL, ours = HUGE_VAL;
  for (int round = 0; round < rounds; ++round) {
    blas = std::min(blas, seconds(threads, [&] {
                      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, int(s.m), int(s.n), int(s.k), 1, x.data(), int(s.k),
                                  y.data(), int(s.k), 0, z.data(), int(s.n));
                    }));
    ours = std::min(ours, seconds(threads, [&] {
                      arena.execute([&] { exact_dot({contest.a.operand, contest.b.operand, s.k}, {0, s.m, 0, s.n}, outputs); });
                    }));
  }
  const double products = double(s.m) * double(s.n) * double(s.k) * 1e-9;
  std::printf("%-34s %3d %10.1f %10.1f %8.2f\n", contest.name.c_str(), threads, products / ours, products / blas, blas / ours);
  std::fflush(stdout);
}

void run(const Shape& s, int rounds) {
  const auto contest = [&](const char* name, const Format& f, DotScales a, DotScales b, Asked asked = Asked::kRounded) {
    return Contest{name, Side(f, s.m, s.k, a, 1), Side(f, s.n, s.k, b, 2), asked};
  };
  const DotScales row = scales(kF32, 1, s.k), mx = scales(kE8M0, 1, 32);
  const Contest contests[] = {
      contest("e4m3fn, one scale per row and column", kE4M3Fn, row, row),
      contest("e4m3fn, scales 1x128 and 128x128", kE4M3Fn, scales(kF32, 1, 128), scales(kF32, 128, 128)),
      contest("  also sums of magnitudes", kE4M3Fn, scales(kF32, 1, 128), scales(kF32, 128, 128), Asked::kAbsoluteSums),
      contest("  also error bounds of sm_90", kE4M3Fn, scales(kF32, 1, 128), scales(kF32, 128, 128), Asked::kBounds),
      contest("  also both of these", kE4M3Fn, scales(kF32, 1, 128), scales(kF32, 128, 128), Asked::kAll),
      contest("e4m3fn, one e8m0 scale per 32", kE4M3Fn, mx, mx),
      contest("e5m2, one scale per row and column", kE5M2, row, row),
      contest("f16, one scale per row and column", kF16, row, row),
      contest("bf16, no scales", kBf16, {}, {})};
  std::printf("%lld x %lld x %lld, exact_dot for %s, OpenBLAS for %s; best of %d rounds\n", static_cast<long long>(s.m),
              static_cast<long long>(s.n), static_cast<long long>(s.k), std::string(dot_kernels().name).c_str(),
              openblas_get_corename(), rounds);
  std::printf("%-34s %3s %10s %10s %8s\n", "1e9 multiply-adds/s, to bf16", "thr", "exact_dot", "dgemm", "ratio");
  const int all = oneapi::tbb::info::default_concurrency();
  for (const Contest& c : contests)
    for (int threads = 1; threads <= all; threads = threads == all ? all + 1 : all) race(c, s, threads, rounds);
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  // Debian's OpenBLAS uses old kernels on processors that it does not know. It reads OPENBLAS_CORETYPE only when the library is
  // loaded.
  const char* wanted = assay::dot_kernels_named("avx512") ? "SKYLAKEX" : "HASWELL";
  if (const char* chosen = std::getenv("OPENBLAS_CORETYPE"); !chosen || std::strcmp(chosen, wanted) != 0) {
    setenv("OPENBLAS_CORETYPE", wanted, 1);
    execv("/proc/self/exe", argv);
  }
  assay::Shape shape;
  if (argc > 3) shape = {std::atoll(argv[1]), std::atoll(argv[2]), std::atoll(argv[3])};
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 5;
  if (shape.m < 1 || shape.n < 1 || shape.k < 1 || rounds < 1) {
    std::fprintf(stderr, "usage: assay_dot_bench [M N K [ROUNDS]], where each number is at least 1\n");
    return 2;
  }
  assay::run(shape, rounds);
  return 0;
}
