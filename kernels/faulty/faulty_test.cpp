// Runs every faulty kernel. Each must differ from its correct counterpart where the mistake is visible, and agree with the
// counterpart elsewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "kernels/simt/simt.h"
#include "kernels/testing/library.h"

namespace assay_kernels {
namespace {

const assay_library& healthy() { return open_library(ASSAY_CPU_LIBRARY); }
const assay_library& faulty() { return open_library(ASSAY_FAULTY_LIBRARY); }

uint16_t code(float v) { return simt::bf16_bits_from_float(v); }

/// weights (bf16 codes) for which builds with and without flushing of subnormals give different results
constexpr uint16_t kLargestSubnormal = 0x007f, kMinusZero = 0x8000;

/// Input rows that expose the faults: groups of different magnitude, a NaN, a huge value, zeros, small values, negative values and multiples of
/// 0.5.
std::vector<uint16_t> telling_rows(int64_t m, int64_t n, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> x(size_t(m * n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = code(normal(random) * std::ldexp(1.0f, int(i / 128 * 7 % 13)));
  std::fill(x.begin(), x.begin() + long(n), uint16_t(0));
  for (int64_t j = n; j < 2 * n; ++j) x[size_t(j)] = code(normal(random) * 1e-4f);
  x[size_t(2 * n + 5)] = 0x7fc0;
  x[size_t(2 * n + 6)] = code(1e30f);
  for (int64_t j = 3 * n; j < 4 * n; ++j) x[size_t(j)] |= 0x8000;
  for (int64_t j = 4 * n; j < 5 * n; ++j) x[size_t(j)] = code(j == 4 * n ? 127.0f : float(j % 127) + 0.5f);
  return x;
}

/// Input rows for ops on gate and up. All gates of the first row are large and negative.
std::vector<uint16_t> telling_halves(int64_t m, int64_t n, uint32_t seed) {
  std::vector<uint16_t> x = telling_rows(m, n, seed);
  for (int64_t j = 0; j < n; ++j) x[size_t(j)] = code(-20.0f - float(j % 13));
  return x;
}

struct Fault {
  Request request;
  std::string fault, cites, twin;
};

std::vector<Fault> faults() {
  std::vector<Fault> all;
  const auto description = nlohmann::json::parse(faulty().describe());
  for (const auto& kernel : description["kernels"]) {
    const auto& accepts = kernel["accepts"];
    // suites/catches covers all faults. This test covers the ops that outputs_of() can call. It leaves out tiled byte scales,
    // strided views, and rows whose length is no multiple of a load.
    const bool bytes = accepts.contains("layout") && std::string(accepts["layout"][0]).rfind("e8m0", 0) == 0;
    static const std::set<std::string> called = {"pack_scales",  "quant_azp",  "quant_group",
                                                 "quant_static", "quant_tile", "rms_norm"};
    const bool ragged = kernel["fault"] == "cut_off_load" || kernel["fault"] == "stride_ignored";
    const bool four_bits = std::string(kernel["contracts"][0]).find("fp4") != std::string::npos;  // outputs_of() calls no FP4 kernel
    if (called.count(std::string(kernel["op"])) == 0 || bytes || ragged || four_bits) continue;
    Request r{kernel["op"], kernel["contracts"][0], kernel["name"]};
    if (accepts.contains("layout")) r.layout = accepts["layout"][0];
    if (accepts.contains("group_size") && accepts["group_size"].back().is_number()) r.group_size = accepts["group_size"].back();
    r.by_row = r.op == "quant_group" && !accepts.contains("group_size");
    all.push_back({r, kernel["fault"], kernel["cites"], kernel["twin"]});
  }
  return all;
}

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.fault; }

class Faulty : public testing::TestWithParam<Fault> {
 protected:
  bool differs(int warp, uint64_t seed = 1) const {
    Request r = GetParam().request;
    // A row of zeros alone: with one scale for all rows, a NaN or a large row hides that the scale has no lower limit.
    const bool of_zeros = r.op == "quant_tile" && differs_in(1, warp, seed);
    return of_zeros || differs_in(11, warp, seed);
  }

 private:
  bool differs_in(int64_t m, int warp, uint64_t seed) const {
    Request r = GetParam().request;
    // 55 groups of 128 in a row; row 10 begins beyond element 2^16; the last pass of a block over a row is incomplete
    r.m = m, r.n = 7040, r.warp = warp, r.seed = seed;
    if (r.contract.find("block") != std::string::npos) r.m = 140, r.n = 1001;  // partial blocks at both edges
    if (r.op == "pack_scales") r.n = 1001;                                     // an incomplete int32 at the end of a row
    const bool gated = r.op.rfind("silu", 0) == 0;
    const auto x = (gated ? telling_halves : telling_rows)(std::max<int64_t>(r.m, 11), r.n, uint32_t(seed));
    std::vector<uint16_t> gamma(size_t(r.n));
    for (size_t j = 0; j < gamma.size(); ++j) gamma[j] = code(1.0f + float(j % 97) / 128.0f);
    for (size_t j = 1; j + 1 < gamma.size(); j += 97) gamma[j] = kLargestSubnormal, gamma[j + 1] = kMinusZero;
    const auto wrong = outputs_of(faulty(), r, x, gamma);
    r.kernel = GetParam().twin;
    return wrong != outputs_of(healthy(), r, x, gamma);
  }
};

TEST_P(Faulty, CitesWhereItHappened) { EXPECT_FALSE(GetParam().cites.empty()); }

TEST_P(Faulty, DiffersFromItsTwin) {
  const bool width_matters = GetParam().fault == "groups_merged_at_64";
  EXPECT_EQ(differs(32), !width_matters);
  EXPECT_TRUE(differs(64));
}

class Race : public Faulty {};

TEST_P(Race, ShowsInNearlyEverySeed) {
  int seen = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) seen += differs(32, seed);
  EXPECT_GE(seen, 99);
}

std::vector<Fault> races() {
  std::vector<Fault> all = faults();
  all.erase(std::remove_if(all.begin(), all.end(), [](const Fault& f) { return f.fault.find("barrier") == std::string::npos; }),
            all.end());
  return all;
}

std::string fault_name(const testing::TestParamInfo<Fault>& info) { return info.param.fault; }
INSTANTIATE_TEST_SUITE_P(All, Faulty, testing::ValuesIn(faults()), fault_name);
INSTANTIATE_TEST_SUITE_P(All, Race, testing::ValuesIn(races()), fault_name);

}  // namespace
}  // namespace assay_kernels
