// Compares accumulate() on whole tiles with outputs of real GEMM libraries on an H200, for kernels that run one chain of a unit
// or several split parts. Reads the folder `gemm` of ASSAY_HARDWARE_VECTORS; its README describes the inputs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "reference/testing/gemm_recordings.h"
#include "reference/testing/units.h"
#include "reference/units/predict.h"

namespace assay {
namespace {

using testing::mix, testing::npy;

struct Recorded {
  const char *name, *unit, *a_table, *b_table;
  int m, n, k;
  int split;  ///< parts of K; each is a chain from 0, and they are added in f32 in ascending order
  uint64_t a_seed, b_seed;
};

/// The recordings with f32 outputs and no scales; see index.json.
constexpr Recorded kRecorded[] = {
    {"torch_fast_f32_positive", "sm_90.wgmma.e4m3.f32", "e4m3_positive", "e4m3_positive", 64, 64, 4096, 1, 1, 2},
    {"torch_k32_f32", "sm_90.wgmma.e4m3.f32", "e4m3_sub", "e4m3_sub", 128, 128, 32, 1, 1, 2},
    {"torch_fast_f32_split6", "sm_90.wgmma.e4m3.f32", "e4m3_sub", "e4m3_sub", 64, 64, 16384, 6, 1, 2},
    {"torch_e5m2_e4m3_f32", "sm_90.wgmma.e5m2_e4m3.f32", "e5m2_wide", "e4m3_wide", 17, 128, 8192, 3, 3, 4},
    {"triton_plain_f32", "sm_90.wgmma.e4m3.f32", "e4m3_wide", "e4m3_wide", 64, 64, 4096, 1, 1, 2},
    {"triton_imprecise0_mma_sync_f32", "sm_90.mma.e4m3_unpacked.f32", "e4m3_sub", "e4m3_sub", 64, 64, 1024, 1, 1, 2},
};

std::vector<std::byte> factor(const std::string& table, uint64_t seed, int rows, int k) {
  std::vector<std::byte> codes;
  for (uint64_t row = 0; row < uint64_t(rows); ++row)
    for (uint64_t i = 0; i < uint64_t(k); ++i)
      codes.push_back(std::byte(table[mix((row * 16384 + i + 1) * 0x9e3779b97f4a7c15 + seed * 0xd1342543de82ef95) & 4095]));
  return codes;
}

/// f32 results predicted with the unit's chains.
std::vector<uint32_t> predicted(const Unit& unit, const Recorded& r, const UnitProduct& product) {
  const size_t size = size_t(r.m * r.n);
  const int part = ((r.k + 127) / 128 + r.split - 1) / r.split * 128;
  std::vector<float> sum(size);
  std::vector<uint32_t> d;
  for (int first = 0; first < r.k; first += part) {
    d.assign(size, 0);
    accumulate(unit, product, {0, r.m, 0, r.n}, first, std::min(r.k, first + part), d.data(), r.n);
    for (size_t i = 0; i < size; ++i) sum[i] += float(decode(kF32, d[i]));
  }
  for (size_t i = 0; i < size && r.split > 1; ++i) d[i] = code_of(kF32, sum[i]);
  return d;
}

TEST(GemmRecordings, OfLibrariesOnAnH200AreReproduced) {
  const char* const vectors = std::getenv("ASSAY_HARDWARE_VECTORS");
  const std::filesystem::path folder = vectors ? std::filesystem::path(vectors) / "gemm" : std::filesystem::path();
  if (!vectors || !std::filesystem::exists(folder)) GTEST_SKIP() << "ASSAY_HARDWARE_VECTORS names no folder with gemm/";
  for (const Recorded& r : kRecorded) {
    const std::string bits = npy(folder / (std::string(r.name) + ".npy"));
    std::vector<uint32_t> recorded;
    for (size_t i = 0; i + 4 <= bits.size(); i += 4) {
      uint32_t word = 0;
      for (size_t byte = 0; byte < 4; ++byte) word |= uint32_t(uint8_t(bits[i + byte])) << (8 * byte);
      recorded.push_back(word);
    }
    ASSERT_EQ(recorded.size(), size_t(r.m * r.n)) << r.name;
    const auto table = [&](const char* name) { return npy(folder / ("table_" + std::string(name) + ".npy")); };
    const std::vector<std::byte> a = factor(table(r.a_table), r.a_seed, r.m, r.k),
                                 b = factor(table(r.b_table), r.b_seed, r.n, r.k);
    const UnitProduct product{{a.data(), r.k}, {b.data(), r.k}, r.k};
    const Unit& unit = unit_table().find(r.unit).unit;
    EXPECT_EQ(predicted(unit, r, product), recorded) << r.name;
    Unit coarse = unit;
    --coarse.fraction_bits;
    EXPECT_NE(predicted(coarse, r, product), recorded) << r.name << " does not see a fraction bit";
  }
}

}  // namespace
}  // namespace assay
