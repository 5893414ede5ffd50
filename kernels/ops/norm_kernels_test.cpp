// Compares norm kernels with plain loops, and tests offsets beyond 2^31 elements, through the C ABI.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>
#include <cstring>

#include "kernels/simt/simt.h"
#include "kernels/testing/library.h"
#include "kernels/testing/oracle.h"

namespace assay_kernels {

// Compares norms of the CPU library with plain loops, and fused norms with the unfused ops, through the C ABI.

namespace {

struct Norm {
  int64_t m, n;
  std::vector<uint16_t> x, gamma, y;
  Norm(int64_t rows, int64_t columns, const char* contract, int warp)
      : m(rows),
        n(columns),
        x(random_bf16(size_t(m * n), uint32_t(n), 1.0f)),
        gamma(random_bf16(size_t(n), 5, 0.25f)),
        y(x.size()) {
    CallBuilder call;
    call.matrix("x", kBf16, false, m, n, x.data()).tensor("gamma", kBf16, false, {n}, {1}, gamma.data(), size_t(n) * 2);
    call.matrix("y", kBf16, true, m, n, y.data()).parameter("eps", 1e-6).parameter("warp", warp);
    EXPECT_EQ(call.run(cpu_library(), "rms_norm", contract, "rms_norm"), ASSAY_OK) << call.message();
  }
  /// y as a plain loop computes it, with r multiplied by 1 + shift.
  uint16_t expected(size_t i, double shift, bool round_first) const {
    double sum = 0;
    const size_t row = i / size_t(n) * size_t(n);
    for (size_t j = 0; j < size_t(n); ++j) sum += double(bf16_value(x[row + j])) * bf16_value(x[row + j]);
    const double r = (1 + shift) / std::sqrt(sum / double(n) + double(1e-6f));
    const double scaled = bf16_value(x[i]) * r;
    return simt::bf16_bits_from_float(float((round_first ? oracle::round_bf16(scaled) : scaled) * bf16_value(gamma[i % size_t(n)])));
  }
};

/// Bound of r's relative error: half the bound of the sum of squares (its depth in additions times 2^-24), plus a few roundings.
double norm_shift(int64_t n) { return double((n + 2047) / 2048 * 8 + 16) * 0x1p-24; }

TEST(RmsNorm, GivesWhatAPlainLoopGivesWithinTheDepthOfItsSum) {
  for (const auto& [m, n] : {std::array<int64_t, 2>{1, 8}, {3, 264}, {2, 1024}, {3, 7168}, {2, 32768}})
    for (const int warp : {32, 64})
      for (const bool first : {true, false}) {
        const Norm norm(m, n, first ? "vllm.rms_norm@v0.19.1" : "vllm.rms_norm@2026-06-18", warp);
        const double shift = norm_shift(n);
        for (size_t i = 0; i<norm.y.size(); i += n> 1000 ? 97 : 1) {
          const uint16_t low = norm.expected(i, -shift, first), high = norm.expected(i, shift, first);
          ASSERT_TRUE(norm.y[i] >= std::min(low, high) && norm.y[i] <= std::max(low, high))
              << "element " << i << " of " << m << "x" << n;
        }
      }
}

TEST(FusedAddRmsNorm, IsTheRoundedSumFollowedByTheNorm) {
  for (const auto& [m, n] : {std::array<int64_t, 2>{1, 8}, {3, 264}, {3, 7168}, {2, 32768}}) {
    const auto x = random_bf16(size_t(m * n), 3, 1.0f), residual = random_bf16(size_t(m * n), 4, 1.0f);
    const auto gamma = random_bf16(size_t(n), 5, 0.25f);
    std::vector<uint16_t> sum(x.size()), y(x.size()), expected(x.size());
    for (size_t i = 0; i < x.size(); ++i) sum[i] = simt::bf16_bits_from_float(bf16_value(x[i]) + bf16_value(residual[i]));
    const auto run = [&](const char* op, const char* contract, const std::vector<uint16_t>& in, uint16_t* in_place,
                         uint16_t* out) {
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, in.data()).tensor("gamma", kBf16, false, {n}, {1}, gamma.data(), size_t(n) * 2);
      call.matrix("y", kBf16, true, m, n, out).parameter("eps", 1e-6).parameter("warp", 32);
      if (in_place) call.matrix("residual", kBf16, true, m, n, in_place);
      ASSERT_EQ(call.run(cpu_library(), op, contract, op), ASSAY_OK) << call.message();
    };
    run("rms_norm", "vllm.rms_norm@2026-06-18", sum, nullptr, expected.data());
    std::vector<uint16_t> stored = residual;
    run("fused_add_rms_norm", "vllm.fused_add_rms_norm@2026-06-18", x, stored.data(), y.data());
    EXPECT_EQ(stored, sum);
    EXPECT_EQ(y, expected);
    stored = residual;
    run("fused_add_rms_norm", "flashinfer.fused_add_rms_norm", x, stored.data(), y.data());
    EXPECT_EQ(stored, sum);
    if (n > 1000) {
      EXPECT_NE(y, expected) << "the sum stays fp32";
    }
  }
}

TEST(Plugin, AStrangersKernelObeysTheSameContract) {
  const Norm ours(5, 1000, "vllm.rms_norm@2026-06-18", 32);
  std::vector<uint16_t> y(ours.y.size());
  CallBuilder call;
  call.matrix("x", kBf16, false, ours.m, ours.n, ours.x.data())
      .tensor("gamma", kBf16, false, {ours.n}, {1}, ours.gamma.data(), size_t(ours.n) * 2);
  call.matrix("y", kBf16, true, ours.m, ours.n, y.data()).parameter("eps", 1e-6);
  ASSERT_EQ(call.run(open_library(ASSAY_PLUGIN_LIBRARY), "rms_norm", "vllm.rms_norm@2026-06-18", "my_rms_norm"), ASSAY_OK)
      << call.message();
  for (size_t i = 0; i < y.size(); ++i) {
    const uint16_t low = ours.expected(i, -norm_shift(ours.n), false), high = ours.expected(i, norm_shift(ours.n), false);
    ASSERT_TRUE(y[i] >= std::min(low, high) && y[i] <= std::max(low, high)) << i;
  }
}

TEST(RmsNormQuantGroup, IsTheNormFollowedByTheQuantization) {
  for (const auto& [m, n, group] :
       {std::array<int64_t, 3>{5, 128, 128}, {3, 1152, 128}, {6, 7168, 128}, {2, 320, 64}, {9, 96, 32}})
    for (const int warp : {32, 64}) {
      const Norm norm(m, n, "vllm.rms_norm@2026-06-18", warp);
      const auto expected = quantize("quant_group.register", "vllm.group_fp8_packed", norm.y, m, n, group, Layout::kPacked, 32);
      const int64_t aligned = (m + 3) / 4 * 4, words = (n / group + 3) / 4;
      Quantized out{std::vector<uint8_t>(norm.x.size()), std::vector<uint32_t>(expected.scale.size(), 0xa5a5a5a5u)};
      CallBuilder call;
      call.matrix("x", kBf16, false, m, n, norm.x.data())
          .tensor("gamma", kBf16, false, {n}, {1}, norm.gamma.data(), size_t(n) * 2);
      call.matrix("q", kE4m3fn, true, m, n, out.q.data());
      call.tensor("scale", kInt32, true, {m, words}, {1, aligned}, out.scale.data(), out.scale.size() * 4);
      call.parameter("eps", 1e-6).parameter("warp", warp).parameter("group_size", double(group));
      ASSERT_EQ(call.run(cpu_library(), "rms_norm_quant_group", "assay.rms_norm_group_packed", "rms_norm_quant_group"), ASSAY_OK)
          << call.message();
      EXPECT_EQ(out, expected) << m << "x" << n << " warp " << warp;
    }
}

// Tests rows of a, b and d that begin beyond 2^31 elements. Address space is reserved for them; few pages are touched.

constexpr int64_t kM = 3, kN = 2, kK = 96;
/// Row 1 starts after 2^31 elements, row 2 after 2^32.
constexpr int64_t kPitch = (int64_t{1} << 31) + 64;

/// Reserved memory that reads as zeros, with a matrix in its middle, so that reads at wrong (wrapped, negative) offsets do not crash.
class Reserved {
 public:
  explicit Reserved(size_t bytes_behind) : size_(kBefore + bytes_behind) {
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  }
  ~Reserved() {
    if (is_there()) munmap(memory_, size_);
  }
  bool is_there() const { return memory_ != MAP_FAILED; }
  uint8_t* begin() const { return static_cast<uint8_t*>(memory_) + kBefore; }

 private:
  static constexpr size_t kBefore = size_t{1} << 32;
  size_t size_;
  void* memory_;
};

std::vector<uint8_t> codes(int64_t rows, uint32_t seed) {
  std::vector<uint8_t> all;
  for (int64_t i = 0; i < rows * kK; ++i) {
    seed = seed * 1664525 + 1013904223;
    all.push_back(uint8_t((seed >> 24 & 0x87) | 0x38));  // values from 1 to 1.875, both signs
  }
  return all;
}

struct Product {
  std::vector<uint8_t> a = codes(kM, 1), b = codes(kN, 2);
  std::vector<float> scale_a = {1, 0.5, 2}, scale_b = {0.25, 4};

  assay_status run(const assay_library& library, const char* kernel, const uint8_t* of_a, int64_t pitch_a, const uint8_t* of_b, int64_t pitch_b,
                   void* d, int64_t pitch_d) {
    const auto bytes = [](int64_t rows, int64_t pitch, int64_t columns) { return size_t((rows - 1) * pitch + columns); };
    CallBuilder call;
    call.tensor("a", kE4m3fn, false, {kM, kK}, {pitch_a, 1}, of_a, bytes(kM, pitch_a, kK));
    call.tensor("b", kE4m3fn, false, {kN, kK}, {pitch_b, 1}, of_b, bytes(kN, pitch_b, kK));
    call.tensor("scale_a", kF32, false, {kM}, {1}, scale_a.data(), sizeof(float) * kM);
    call.tensor("scale_b", kF32, false, {kN}, {1}, scale_b.data(), sizeof(float) * kN);
    call.tensor("d", kBf16, true, {kM, kN}, {pitch_d, 1}, d, 2 * bytes(kM, pitch_d, kN)).parameter("warp", 32);
    const assay_status status = call.run(library, "gemm_scaled", "vllm.cutlass_scaled_mm.sm_90", kernel);
    EXPECT_EQ(status, ASSAY_OK) << call.message();
    return status;
  }
};

std::vector<uint16_t> dense(Product& product) {
  std::vector<uint16_t> d(kM * kN);
  product.run(open_library(ASSAY_CPU_LIBRARY), "gemm_scaled", product.a.data(), kK, product.b.data(), kK, d.data(), kN);
  return d;
}

void place(const std::vector<uint8_t>& codes, uint8_t* to, int64_t pitch) {
  for (size_t row = 0; row < codes.size() / kK; ++row) std::memcpy(to + int64_t(row) * pitch, codes.data() + row * kK, kK);
}

TEST(GemmOffsets, RowsBeyond2To31AreReadAndWrittenWhereTheyLie) {
  Product product;
  const Reserved a(kM * kPitch), b(kN * kPitch), d(2 * kM * kPitch);
  if (!a.is_there() || !b.is_there() || !d.is_there()) GTEST_SKIP() << "no room for so many addresses";
  place(product.a, a.begin(), kPitch);
  place(product.b, b.begin(), kPitch);
  product.run(open_library(ASSAY_CPU_LIBRARY), "gemm_scaled", a.begin(), kPitch, b.begin(), kPitch, d.begin(), kPitch);
  const std::vector<uint16_t> right = dense(product);
  for (int64_t i = 0; i < kM * kN; ++i) {
    uint16_t code;
    std::memcpy(&code, d.begin() + 2 * (i / kN * kPitch + i % kN), sizeof code);
    EXPECT_EQ(code, right[size_t(i)]) << i / kN << ", " << i % kN;
  }
}

/// Runs a deliberately wrong kernel with 32-bit offsets: right if rows are adjacent, wrong if they are far apart.
TEST(GemmOffsets, OffsetsOf32BitsAreSeen) {
  Product product;
  const assay_library& probe = open_library(ASSAY_OFFSETS_PROBE);
  const Reserved a(kM * kPitch);
  if (!a.is_there()) GTEST_SKIP() << "no room for so many addresses";
  place(product.a, a.begin(), kPitch);
  std::vector<uint16_t> close(kM * kN), apart(kM * kN);
  product.run(probe, "offset_32", product.a.data(), kK, product.b.data(), kK, close.data(), kN);
  EXPECT_EQ(close, dense(product));
  product.run(probe, "offset_32", a.begin(), kPitch, product.b.data(), kK, apart.data(), kN);
  EXPECT_EQ(apart[0], close[0]) << "row 0 has no offset";
  for (int64_t i = kN; i < kM * kN; ++i) EXPECT_NE(apart[size_t(i)], close[size_t(i)]) << i / kN << ", " << i % kN;
}

}  // namespace

}  // namespace assay_kernels
