// Mutants of contracts by name: mistakes of real kernels are among them, and equivalent changes are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "reference/contracts/bind.h"
#include "reference/contracts/neighbours.h"
#include "reference/contracts/rows.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

using namespace contract_tables;
using testing::Contains;

TEST(Neighbours, AStepThatStandsTwiceIsNumbered) {
  std::map<std::string, std::string> y;
  for (const Neighbour& neighbour : neighbours(tables(), "vllm.rms_norm@v0.19.1", kBf16))
    y[neighbour.name] = std::get<RowNorm>(neighbour.contract.links[0]).y.text();
  EXPECT_EQ(y.at("y: drop to(x)#1"), "mul(r) mul(w) to(x)");
  EXPECT_EQ(y.at("y: to(x)#1 -> to(x,rz)"), "mul(r) to(x,rz) mul(w) to(x)");
  EXPECT_EQ(y.at("y: to(x)#2 -> to(x,rz)"), "mul(r) to(x) mul(w) to(x,rz)");
  EXPECT_FALSE(y.contains("y: to(x) -> to(x,rz)"));
}

TEST(Neighbours, TiesAwayFromZeroAreASuspectOfEveryRoundingTo16Bits) {
  const auto suspects = [](const char* contract, const Format& x) {
    std::set<std::string> names;
    for (const Neighbour& neighbour : neighbours(tables(), contract, x))
      if (neighbour.suspect) names.insert(neighbour.name);
    return names;
  };
  EXPECT_EQ(suspects("vllm.rms_norm@v0.19.1", kBf16),
            (std::set<std::string>{"y: to(x)#1 -> to(x,rna)", "y: to(x)#2 -> to(x,rna)"}));
  EXPECT_EQ(suspects("vllm.fused_add_rms_norm@2026-06-18", kF16),
            (std::set<std::string>{"y: to(x) -> to(x,rna)", "z: to(x) -> to(x,rna)", "residual: to(x) -> to(x,rna)"}));
  EXPECT_EQ(suspects("aiter.rms_norm_gfx942", kBf16), std::set<std::string>()) << "it cuts off";
  EXPECT_EQ(suspects("vllm.rms_norm@v0.19.1", kF32), std::set<std::string>()) << "f32 in f32 has no ties";
}

TEST(Neighbours, TheEditsThatRealKernelsMadeAreAmongThem) {
  const auto names = [](const char* id) {
    std::vector<std::string> all;
    for (const Neighbour& neighbour : neighbours(tables(), id, kBf16)) all.push_back(neighbour.name);
    return all;
  };
  const auto quant = names("vllm.group_fp8_packed");
  for (const char* name : {"M: 448 -> 240", "M: 448 -> 224", "scale: pow2(ceil) -> pow2(floor)", "scale: drop max(1e-10)",
                           "code: clamp(max_min,M) -> clamp(min_max,M)", "code: drop clamp(max_min,M)", "code: to(q) -> to(q,rz)",
                           "code: mul(m) -> div(s)", "amax: over two groups", "amax: over half the group"})
    EXPECT_THAT(quant, Contains(name));
  const auto bounded = names("vllm.per_token_ub");
  for (const char* name : {"scale: drop min(ub)", "scale: min(ub) after div(M)"}) EXPECT_THAT(bounded, Contains(name));
  EXPECT_THAT(bounded, testing::Not(Contains("scale: min(ub) -> min(2^127)")));
  EXPECT_THAT(names("deepgemm.per_token_cast_ue8m0"), testing::Not(Contains("scale: min(2^127) -> min(ub)")));
  const auto int8 = names("vllm.group_int8");
  for (const char* name : {"M: 127 -> 128", "code: to(q,rz) -> to(q)", "code: to(q,rz) -> to(q,rna)", "amax: drop max(1e-10)"})
    EXPECT_THAT(int8, Contains(name));
  EXPECT_THAT(int8, testing::Not(Contains("M: 127 -> 448"))) << "constants of other codes";
  const auto token = names("vllm.per_token_int8");
  for (const char* name : {"mult: M/amax -> 1/s", "code: to(q) -> to(q,rz)", "code: to(q) -> to(q,wrap)"})
    EXPECT_THAT(token, Contains(name));
  EXPECT_THAT(names("vllm.static_int8"), Contains("code: clamp(keep,127,-127) before to(q)"));
  const auto azp = names("vllm.per_token_int8_azp");
  for (const char* name :
       {"L: 255 -> 254", "L: 255 -> 256", "zero: drop rint", "zero: drop sub(128)", "code: drop add(azp)",
        "code: add(azp) before rint", "code: add(azp) -> add(azp,wrap)", "code: rint -> trunc", "lo, hi: over half the group",
        "lo: min(2^128-2^104) -> min(0)", "code: clamp(keep,127,-127) before to(q)"})
    EXPECT_THAT(azp, Contains(name));
  EXPECT_THAT(names("vllm.per_tensor"), Contains("amax: over the first row alone"));
  EXPECT_THAT(names("vllm.static"), Contains("mult: drop rcp"));
  const auto gated = names("vllm.silu_and_mul_per_block_quant_ub");
  for (const char* name :
       {"halves: gate_up -> up_gate", "h: to(x) after mul(g)", "h: to(x) after mul(u)", "h: sigmoid by exp -> by tanh",
        "h: drop neg", "scale: min(ub) before div(M)", "scale: drop max(1/(512*M))"})
    EXPECT_THAT(gated, Contains(name));
  for (const char* name : {"h: drop to(bf16)", "h: bf16: -> f32:", "scale: bf16: -> f32:"})
    EXPECT_THAT(names("vllm.silu_mul_fp8_quant_deep_gemm_ue8m0"), Contains(name));
  EXPECT_THAT(names("vllm.fused_silu_mul_group_rounded"), Contains("scale: pow2(ceil) -> exponent by log2 in bf16"));
  EXPECT_THAT(names("vllm.group_fp8_rounded"), testing::Not(Contains("scale: pow2(ceil) -> exponent by log2 in bf16")));
  EXPECT_THAT(names("vllm.fused_silu_mul_group_sm100"), testing::Not(Contains("h: sigmoid by exp -> by tanh")));
  const auto norm = names("vllm.rms_norm@v0.19.1");
  for (const char* name :
       {"sum: ignores the data", "sum: over half the row", "r: drop add(eps)", "r: add(eps) before div(n)", "r: eps -> 10 eps",
        "r: add(eps) outside the root", "r: to(x) after rsqrt~2", "y: drop to(x)#1", "y: drop mul(w)", "y: w -> 1 + w"})
    EXPECT_THAT(norm, Contains(name));
  EXPECT_THAT(norm, testing::Not(Contains("M: 448 -> 240")));
  const auto rope = names("vllm.fused_qk_norm_rope_neox");
  for (const char* name :
       {"pairs: neox -> interleaved", "dims: first -> last", "rope: turned the other way", "rope: half a head apart",
        "rope: each number is its own partner", "rope: cos and sin exchanged", "even: sub(o*s)~fma -> add(o*s)~fma",
        "rope: every step rounded to x", "rope: to(x) -> to(x,rz)", "y: to(x) after mul(r*w)", "y: mul(r*w) -> mul(r)"})
    EXPECT_THAT(rope, Contains(name));
  EXPECT_THAT(names("vllm.deepseek_v4_q_norm_rope"), testing::Not(Contains("y: w -> 1 + w"))) << "there is no weight";
}

TEST(Neighbours, AnActivationHasTheStepsOfTheRowThatItIsMistakenFor) {
  const auto path = std::filesystem::temp_directory_path() / ("mistaken_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << "id,halves,h,mistaken_for,since,until,source,why\n"
                         "my.gelu,gate_up,erf add(1) mul(g) mul(u) to(x),torch.silu_mul,2026,,here,because\n";
  ContractTables copy = tables();
  copy.add(path.string());
  std::filesystem::remove(path);
  int found = 0;
  for (const Neighbour& neighbour : neighbours(copy, "my.gelu", kBf16)) {
    if (neighbour.name != "h: that of torch.silu_mul") continue;
    ++found;
    EXPECT_EQ(neighbour.contract.gated()->h.text(), bind(copy, "torch.silu_mul", kBf16).gated()->h.text());
  }
  EXPECT_EQ(found, 1);
}

TEST(Neighbours, LeaveTheLastRoundingOutBeforeOtherLinksAlone) {
  const auto drops = [](const char* id, const std::string& step) {
    const auto all = neighbours(tables(), id, kBf16);
    return std::any_of(all.begin(), all.end(), [&](const Neighbour& one) { return one.name == "h: drop " + step; });
  };
  EXPECT_TRUE(drops("torch.silu_mul_group_fp8", "to(x)#2"));
  EXPECT_TRUE(drops("torch.silu_mul", "to(x)#1"));
  EXPECT_FALSE(drops("torch.silu_mul", "to(x)#2")) << "what is stored is a number of x's format";
}

}  // namespace
}  // namespace assay
