// Rows of a, b and d that lie beyond 2^31 elements: memory is reserved for them and little of it is ever there.
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <cstring>

#include "kernels/testing/library.h"

namespace assay_kernels {
namespace {

constexpr int64_t kM = 3, kN = 2, kK = 96;
/// Row 1 is behind 2^31, row 2 behind 2^32.
constexpr int64_t kPitch = (int64_t{1} << 31) + 64;

/// Zeros, in whose middle a matrix begins: what an offset that wrapped below 0 reads is there, too.
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
    all.push_back(uint8_t((seed >> 24 & 0x87) | 0x38));  // 1 to 1.875, both signs
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

/// The twin that such a test is for: it agrees where rows are close, and not here.
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
