// Every faulty kernel runs, differs from its healthy twin where its mistake can be seen, and agrees with it where it cannot.
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

constexpr uint16_t kLargestSubnormal = 0x007f, kMinusZero = 0x8000;  ///< weights in which builds differ

/// Rows that show what the faults do: groups of different size, a NaN, a huge number, rows of zeros, of small ones, of negative
/// ones and of halves.
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

/// The same where two rows are the halves of one: all gates of the first are closed.
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
    // suites/catches has all faults. Here are those of ops whose calls outputs_of() makes, but for bytes of scales in tiles, views and
    // rows that are no whole loads.
    const bool bytes = accepts.contains("layout") && std::string(accepts["layout"][0]).rfind("e8m0", 0) == 0;
    static const std::set<std::string> called = {"pack_scales", "quant_azp", "quant_group", "quant_static", "quant_tile", "rms_norm"};
    const bool ragged = kernel["fault"] == "cut_off_load" || kernel["fault"] == "stride_ignored";
    if (called.count(std::string(kernel["op"])) == 0 || bytes || ragged) continue;
    Request r{kernel["op"], kernel["contracts"][0], kernel["name"]};
    if (accepts.contains("layout")) r.layout = accepts["layout"][0];
    if (accepts.contains("group_size") && accepts["group_size"].back().is_number()) r.group_size = accepts["group_size"].back();
    all.push_back({r, kernel["fault"], kernel["cites"], kernel["twin"]});
  }
  return all;
}

void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.fault; }

class Faulty : public testing::TestWithParam<Fault> {
 protected:
  bool differs(int warp, uint64_t seed = 1) const {
    Request r = GetParam().request;
    const bool of_zeros = r.op == "quant_tile" && differs_in(1, warp, seed);  // a NaN or a large row hides a floor from one scale
    return of_zeros || differs_in(11, warp, seed);
  }

 private:
  bool differs_in(int64_t m, int warp, uint64_t seed) const {
    Request r = GetParam().request;
    r.m = m, r.n = 7040, r.warp = warp, r.seed = seed;  // 55 groups of 128; row 10 begins beyond 2^16; no whole number of passes
    if (r.contract.find("block") != std::string::npos) r.m = 140, r.n = 1001;  // blocks that both edges cut off
    if (r.op == "pack_scales") r.n = 1001;                                     // a word that is not full
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
