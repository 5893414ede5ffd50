// Compares the cast profiles cuda.* with the host code of CUDA's headers, bit for bit, NaN included. Tests a sample of inputs;
// with ASSAY_EXHAUSTIVE=1 all 2^32 of each profile.
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <random>
#include <string>

#include "reference/casts/runs.h"

namespace assay {
namespace {

struct Header {
  const char* id;
  uint8_t (*cast)(float);
};

constexpr Header kHeader[] = {
    {"cuda.e4m3fn_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3); }},
    {"cuda.e4m3fn_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E4M3); }},
    {"cuda.e5m2_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2); }},
    {"cuda.e5m2_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_fp8(x, __NV_NOSAT, __NV_E5M2); }},
    {"cuda.e8m0_rz_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundZero); }},
    {"cuda.e8m0_rz_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundZero); }},
    {"cuda.e8m0_rp_sat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_SATFINITE, cudaRoundPosInf); }},
    {"cuda.e8m0_rp_nosat", [](float x) -> uint8_t { return __nv_cvt_float_to_e8m0(x, __NV_NOSAT, cudaRoundPosInf); }},
    {"cuda.e2m1", [](float x) -> uint8_t { return __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest); }},
    {"cuda.e2m3", [](float x) -> uint8_t { return __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest); }},
    {"cuda.e3m2", [](float x) -> uint8_t { return __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest); }}};

CastProfile profile(const std::string& id) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return read_cast(tables.find(id));
}

/// Counts inputs for which the header and the runs differ, among every `stride`-th input and both ends of every run.
uint64_t differing(const Header& header, const std::vector<CodeRun>& runs, uint64_t stride) {
  uint64_t count = 0, next = 0;
  const auto wrong = [&](uint64_t input, uint32_t code) { return header.cast(std::bit_cast<float>(uint32_t(input))) != code; };
  for (const CodeRun& run : runs) {
    for (; next <= run.last; next += stride) count += wrong(next, run.code);
    count += wrong(run.first, run.code) + wrong(run.last, run.code);
  }
  return count;
}

TEST(CudaCasts, HeaderAndRunsAgree) {
  const char* exhaustive = std::getenv("ASSAY_EXHAUSTIVE");
  const uint64_t stride = exhaustive && *exhaustive == '1' ? 1 : 1021;
  for (const Header& header : kHeader) {
    EXPECT_EQ(differing(header, runs_of(profile(header.id)), stride), 0u) << header.id;
    RecordProperty(header.id, std::to_string(((uint64_t{1} << 32) + stride - 1) / stride) + " inputs and all borders");
  }
}

TEST(CudaCasts, TheHeaderIsSeenToBeNoOtherProfile) {
  for (const auto& [id, other] : {std::pair{0, "ml_dtypes.e4m3fn"},
                                  {1, "ml_dtypes.e4m3fn"},
                                  {2, "ml_dtypes.e5m2"},
                                  {5, "torch.e8m0@2.11"},
                                  {8, "cutlass.e2m1"},
                                  {9, "ml_dtypes.e2m3"}})
    EXPECT_GT(differing(kHeader[id], runs_of(profile(other)), 1021), 0u) << kHeader[id].id << " as " << other;
}

struct DoubleHeader {
  const char* id;
  __nv_saturation_t saturation;
  __nv_fp8_interpretation_t kind;
};

TEST(CudaCasts, FromDoubleTheyAgreeAtEveryBorderAndAtRandom) {
  constexpr DoubleHeader headers[] = {{"cuda.e4m3fn_sat_f64", __NV_SATFINITE, __NV_E4M3},
                                      {"cuda.e4m3fn_nosat_f64", __NV_NOSAT, __NV_E4M3},
                                      {"cuda.e5m2_sat_f64", __NV_SATFINITE, __NV_E5M2},
                                      {"cuda.e5m2_nosat_f64", __NV_NOSAT, __NV_E5M2}};
  std::mt19937_64 random(11);
  for (const DoubleHeader& header : headers) {
    const std::vector<CodeRun> runs = runs_of(profile(header.id));
    const auto theirs = [&](uint64_t input) -> uint32_t {
      return __nv_cvt_double_to_fp8(std::bit_cast<double>(input), header.saturation, header.kind);
    };
    for (const CodeRun& run : runs) {
      ASSERT_EQ(theirs(run.first), run.code) << header.id << std::hex << " " << run.first;
      ASSERT_EQ(theirs(run.last), run.code) << header.id << std::hex << " " << run.last;
      for (int i = 0; i < 1000; ++i) ASSERT_EQ(theirs(run.first + random() % (run.last - run.first + 1)), run.code) << header.id;
    }
  }
}

}  // namespace
}  // namespace assay
