// Every mutant of every contract row has a valid name, differs from the contract, and differs from all other mutants.
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

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/contract_mutants.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {

// Mutants by name: they include mistakes of real kernels, and no change without effect.

namespace {

using namespace contract_tables;
using testing::Contains;

/// True for suspects with a small mistake in one step: another operator, sign or constant.
bool is_slip(const std::string& name) {
  for (const char* const other : {" -> add(", " -> mul(", " -> sub(", " -> div(", " - v", " -> max(", " -> min(", " / v", " -> v",
                                " -> sqrt", "/v", " -> 0", ": always 0"})
    if (name.find(other) != std::string::npos) return true;
  return false;
}

TEST(Neighbours, OtherSignsAndConstantsAreSuspects) {
  std::map<std::string, std::string> h;
  for (const Neighbour& neighbour : neighbours(tables(), "vllm.silu_mul_once", kBf16))
    if (neighbour.suspect) h[neighbour.name] = std::get<Gated>(neighbour.contract.links[0]).h.text();
  EXPECT_EQ(h.at("h: add(1) -> 1 - v"), "neg exp~2 neg add(1) rdiv(g) mul(u) to(x)");
  EXPECT_EQ(h.at("h: add(1) -> add(2)"), "neg exp~2 add(2) rdiv(g) mul(u) to(x)");
  EXPECT_EQ(h.at("h: mul(u) -> div(u)"), "neg exp~2 add(1) rdiv(g) div(u)~2 to(x)");
  EXPECT_EQ(h.at("h: rdiv(g) -> mul(g)"), "neg exp~2 add(1) mul(g)~2 mul(u) to(x)");
  EXPECT_FALSE(h.contains("h: add(1) -> add(0)")) << "drop add(1), which is not a suspect";
}

TEST(Neighbours, SlipsWithTheLargestCodeAreSuspects) {
  const auto suspects = [](const char* contract) {
    std::set<std::string> names;
    for (const Neighbour& neighbour : neighbours(tables(), contract, kBf16))
      if (neighbour.suspect) names.insert(neighbour.name);
    return names;
  };
  const std::set<std::string> floored = suspects("vllm.per_tensor_native_gpu"), twice = suspects("vllm.scaled_quantize_block_rcp");
  for (const char* name : {"scale: mul(1/M) -> mul(1/(M+1))", "scale: mul(1/M) -> mul(1/(M-1))", "scale: mul(1/M) -> mul(M)",
                           "scale: mul(1/M) -> div(0)", "scale: max(1/(512*M),keep) -> max(1/(512*(M-1)),keep)",
                           "M: 448 -> 449 in all steps"})
    EXPECT_TRUE(floored.contains(name)) << name;
  EXPECT_TRUE(twice.contains("mul(M) -> mul(0) in all cells"));
  EXPECT_TRUE(suspects("aiter.ar_token_ftz_fnuz").contains("amax: if0(M) -> if0(M+1)"));
  EXPECT_TRUE(suspects("aiter.per_1x32_mxfp4").contains("amax: max(1e-10) -> max(1+1e-10)"));
  EXPECT_TRUE(floored.contains("amax: Inf counts as the largest number of bf16"));
  EXPECT_TRUE(suspects("vllm.nvfp4").contains("mult: from the scale before it is rounded"));
  EXPECT_FALSE(suspects("vllm.per_tensor_native_gpu").contains("mult: from the scale before it is rounded")) << "it is not rounded";
  EXPECT_FALSE(suspects("vllm.per_tensor").contains("mul(M) -> mul(0) in all cells")) << "one cell has the factor";
}

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
      if (neighbour.suspect && !neighbour.name.starts_with("sum: ") && neighbour.name != "r: rounded to bf16" &&
          !is_slip(neighbour.name))
        names.insert(neighbour.name);
    return names;
  };
  EXPECT_EQ(suspects("vllm.rms_norm@v0.19.1", kBf16),
            (std::set<std::string>{"y: to(x)#1 -> to(x,rna)", "y: to(x)#2 -> to(x,rna)"}));
  EXPECT_EQ(suspects("vllm.fused_add_rms_norm@2026-06-18", kF16),
            (std::set<std::string>{"y: to(x) -> to(x,rna)", "z: to(x) -> to(x,rna)", "residual: to(x) -> to(x,rna)"}));
  EXPECT_EQ(suspects("aiter.rms_norm_gfx942", kBf16), std::set<std::string>()) << "it cuts off";
  EXPECT_EQ(suspects("vllm.rms_norm@v0.19.1", kF32), std::set<std::string>()) << "f32 in f32 has no ties";
}

TEST(Neighbours, WrongSumsOfSquaresAreSuspects) {
  const auto is_there = [](const char* contract) {
    const std::vector<Neighbour> all = neighbours(tables(), contract, kBf16);
    return std::any_of(all.begin(), all.end(),
                       [](const Neighbour& one) { return one.name == "sum: squares rounded to bf16" && one.suspect; });
  };
  EXPECT_TRUE(is_there("vllm.rms_norm@v0.19.1"));
  EXPECT_FALSE(is_there("flashinfer.layer_norm")) << "it adds deviations from the mean";
}

TEST(Neighbours, TiesOfEightBitCodesAndAMultiplierOfFewBitsAreSuspects) {
  const auto suspects = [](const char* contract, const Format& x) {
    std::set<std::string> names;
    for (const Neighbour& neighbour : neighbours(tables(), contract, x))
      if (neighbour.suspect && !is_slip(neighbour.name)) names.insert(neighbour.name);
    return names;
  };
  EXPECT_EQ(suspects("vllm.static", kBf16), (std::set<std::string>{"code: to(q) -> to(q,rna)", "mult: rounded to bf16"}));
  EXPECT_EQ(suspects("vllm.static", kF32), std::set<std::string>{"mult: rounded to bf16"}) << "f32 inputs seldom lie on ties";
  EXPECT_FALSE(suspects("vllm.nvfp4", kBf16).contains("code: to(q) -> to(q,rna)")) << "of four bits every data set must show it";
}

TEST(Neighbours, WrongSetsOfElementsAndScalesInBf16AreSuspects) {
  const auto suspect = [](const std::string& name) {
    for (const Neighbour& neighbour : neighbours(tables(), "vllm.group_fp8", kF32))
      if (neighbour.name == name && neighbour.suspect) return *neighbour.contract.group_quant();
    throw std::runtime_error("no suspect " + name);
  };
  const auto maximum = [&](const std::string& name) {
    return group_maxima(suspect(name), Spans(std::vector<double>{-4, 2, 3, -8}), 4)[0].low;
  };
  EXPECT_EQ(maximum("amax: without the last element"), 4);
  EXPECT_EQ(maximum("amax: of positive elements only"), 3);
  const GroupQuant rounded = suspect("code: with the scale rounded to bf16");
  EXPECT_EQ(rounded.mult.text(), "to(bf16)");
  EXPECT_EQ(rounded.code.text(), "div(m) clamp(max_min,M) to(q)");
  EXPECT_EQ(group_scales(rounded, Spans(std::vector<double>{448 * 1.001}), 0, {}).m[0].low, 1);
}

TEST(Neighbours, ExponentsOfScalesThatOtherLibrariesComputeAreSuspects) {
  const auto scale_of = [](const char* contract, const std::string& name) {
    for (const Neighbour& neighbour : neighbours(tables(), contract, kBf16))
      if (neighbour.name == name)
        return (neighbour.suspect ? "" : "no suspect: ") +
               std::get<AmaxScales>(neighbour.contract.group_quant()->scales).scale.text();
    return std::string("none");
  };
  EXPECT_EQ(scale_of("vllm.group_fp8_packed", "scale: the next larger power of two, even of a power of two"),
            "div(M) max(1e-10) pow2(floor) mul(2)");
  EXPECT_EQ(scale_of("vllm.group_fp8_packed", "scale: exponent - 1"), "div(M) max(1e-10) pow2(ceil) mul(1/2)");
  EXPECT_EQ(scale_of("vllm.mxfp8_torch@v0.27.0", "scale: exponent of amax - 8"), "pow2(floor) mul(1/256) to(e8m0,undef)");
  EXPECT_EQ(scale_of("torchao.mx_floor", "scale: exponent of amax - 8"), "none");
  EXPECT_EQ(scale_of("torchao.mx_floor", "scale: exponent + 1"), "pow2(floor) mul(2) mul(1/256) to(e8m0,nosat)");
  EXPECT_EQ(scale_of("torchao.mx_floor", "scale: exponent - 1"), "pow2(floor) mul(1/2) mul(1/256) to(e8m0,nosat)");
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
                           "code: mul(m) -> div(s)", "amax: over two groups", "amax: over half the group",
                           "amax: without the last element", "amax: of positive elements only"})
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
        "lo, hi: without the last element",
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

// Every shipped row has many mutants. Each has a unique name and differs in one cell. They depend on nothing but the cells.

using namespace contract_tables;

/// The cells of a bound contract as text, to compare two contracts cell by cell.
std::map<std::string, std::string> cells(const Contract& contract) {
  std::map<std::string, std::string> all;
  for (size_t i = 0; i < contract.links.size(); ++i) {
    const std::string link = std::to_string(i) + ".";
    if (const auto* g = std::get_if<GroupQuant>(&contract.links[i])) {
      all[link + "q"] = g->q->name;
      const auto* of_amax = std::get_if<AmaxScales>(&g->scales);
      const auto* of_range = std::get_if<RangeScales>(&g->scales);
      std::map<std::string, const Recipe*> recipes = {{"mult", &g->mult}, {"code", &g->code}};
      if (of_amax) recipes.insert({{"amax", &of_amax->amax}, {"scale", &of_amax->scale}});
      if (of_range)
        recipes.insert({{"lo", &of_range->lo}, {"hi", &of_range->hi}, {"scale", &of_range->scale}, {"zero", &of_range->zero}});
      for (const char* cell : {"amax", "lo", "hi", "zero", "scale"})
        all[link + cell] = recipes.contains(cell) ? recipes[cell]->text() : "";
      all[link + "mult"] = g->mult.text();
      all[link + "code"] = g->code.text();
      all[link + "rival"] = g->rival.text() + " " + std::to_string(int(g->takes));
      all[link + "error"] = g->error.text() + (g->squares ? " squared" : "");
      // binding replaces M by its value, so M shows only in the constants
      for (const auto& [cell, recipe] : recipes)
        for (const Step& step : recipe->steps) all[link + "constants"] += std::to_string(step.a.constant) + " ";
    } else if (const auto* h = std::get_if<Gated>(&contract.links[i])) {
      all[link + "halves"] = h->gate_first ? "gate_up" : "up_gate";
      all[link + "h"] = h->h.text();
    } else if (const auto* rope = std::get_if<Rope>(&contract.links[i])) {
      std::string& turn = all[link + "rope"];
      for (const bool choice : {rope->interleaved, rope->first})
        turn += choice ? "yes " : "no ";
      for (const Recipe* recipe : {&rope->even, &rope->odd, &rope->rest}) turn += recipe->text() + "; ";
      const RopeSlip& slip = rope->slip;
      for (const int pairs : {slip.cos, slip.sin, slip.even, slip.odd, int(slip.left_out), int(slip.zero_cos), int(slip.zero_sin)}) turn += std::to_string(pairs) + " ";
    } else {
      const auto& n = std::get<RowNorm>(contract.links[i]);
      all[link + "sum"] = n.sum.text();
      all[link + "mean"] = n.mean.text();
      all[link + "w"] = n.w.text();
      all[link + "gate"] = n.gate.text();
      all[link + "depth"] = n.depth.text();
      all[link + "z"] = n.z.text();
      all[link + "residual"] = n.residual.text();
      all[link + "r"] = n.r.text();
      all[link + "y"] = n.y.text() + " of the residual from " + std::to_string(n.stored_from);
    }
  }
  return all;
}

/// Cells in which two contracts differ. Differing constants count only if no text differs.
std::set<std::string> differing_cells(const Contract& a, const Contract& b) {
  std::set<std::string> differing;
  const auto left = cells(a), right = cells(b);
  for (const auto& [name, text] : left)
    if (!name.ends_with("constants") && right.at(name) != text) differing.insert(name);
  if (!differing.empty()) return differing;
  for (const auto& [name, text] : left)
    if (right.count(name) && right.at(name) != text) differing.insert(name);
  return differing;
}

TEST(Neighbours, EveryRowHasAtLeastFifteenWithNamesOfTheirOwn) {
  for (const Format* x : {&kBf16, &kF32}) {
    for (const ContractRow& row : tables().rows()) {
      if (!has_recipes(row)) continue;  // casts_test.cpp and packing_test.cpp test the others
      std::set<std::string> names;
      for (const Neighbour& neighbour : neighbours(tables(), row.id, *x))
        EXPECT_TRUE(names.insert(neighbour.name).second) << row.id << ": two are called " << neighbour.name;
      const auto empty = [&](const char* cell) { return row.cells.contains(cell) && row.text(cell).empty(); };
      const bool scale_given = row.flow->name == "gated" || empty("amax") || empty("lo"),
                 integers = row.cells.contains("q") && row.text("q") == "int8";
      const bool few = scale_given || row.flow->name == "rope" || row.flow->name == "cache_insert" ||
                       (row.flow->name == "row_norm" && row.text("y") == "mul(r)");
      const bool given_to_cache = scale_given && row.flow->name == "cache_insert";  // the cell `code` only divides and casts
      EXPECT_GE(names.size(), given_to_cache ? 5u : few ? integers ? 6u : 8u : 11u) << row.id << " " << x->name;
      const bool unlimited = row.cells.contains("code") && row.text("code").starts_with("div(s) to(q");  // the code has no clamp
      EXPECT_TRUE(x != &kBf16 || few || unlimited || names.size() >= (integers ? 11u : 15u)) << row.id;
    }
  }
}

TEST(Neighbours, ASecondMistakeLeavesTheFirstAndIsCalledAsInTheContract) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;  // casts_test.cpp and packing_test.cpp test the others
    const Contract contract = bind(tables(), row.id, kBf16);
    std::set<std::string> names;
    const auto all = neighbours(tables(), row.id, kBf16);
    for (const Neighbour& neighbour : all) names.insert(neighbour.name);
    for (size_t i = 0; i < all.size(); i += 7) {
      for (const Neighbour& second : neighbours_of(tables(), all[i], kBf16)) {
        EXPECT_NE(second.name, all[i].name);
        EXPECT_TRUE(names.contains(second.name)) << row.id << ": " << second.name << " is not a mistake without " << all[i].name;
        EXPECT_FALSE(cells(second.contract) == cells(contract)) << all[i].name << " and " << second.name << " cancel";
        const bool constant = second.name.starts_with("M:") || second.name.starts_with("L:");
        const bool quantity = second.name == "r: eps -> 10 eps" || second.name == "y: w -> 1 + w" ||
                              second.name == "r: div(n) -> div(n - 1)" || second.name.starts_with("rope: ");
        const bool rival =
            all[i].name == "rival: never taken" && (second.name.starts_with("rival: ") || second.name.starts_with("error: "));
        const bool unused = constant || quantity || rival;  // the first mistake removed what the second changes
        EXPECT_TRUE(unused || !(cells(second.contract) == cells(all[i].contract))) << second.name;
      }
    }
  }
}

TEST(Neighbours, EachDiffersFromTheRowInOneCell) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;  // casts_test.cpp and packing_test.cpp test the others
    const Contract contract = bind(tables(), row.id, kBf16);
    EXPECT_TRUE(differing_cells(contract, contract).empty());
    for (const Neighbour& neighbour : neighbours(tables(), row.id, kBf16)) {
      const std::set<std::string> differing = differing_cells(contract, neighbour.contract);
      if (neighbour.name.ends_with(" in all cells")) {
        EXPECT_GT(differing.size(), 1u) << row.id << ": " << neighbour.name;
        continue;
      }
      const bool reciprocal = neighbour.name.ends_with("-> mul(1/s)");  // this mutant also needs a multiplier
      // this mutant also needs the squares from which mu^2 is subtracted
      const bool other_squares = neighbour.name.ends_with("less mu^2");
      const bool both_ends = neighbour.name.starts_with("lo, hi: ");     // this mutant changes both ends of the range
      const bool other_scale = neighbour.name.ends_with("with the scale rounded to bf16");  // this mutant also needs a multiplier
      EXPECT_EQ(differing.size(), reciprocal || other_squares || both_ends || other_scale ? 2u : 1u)
          << row.id << ": " << neighbour.name;
      if (differing.empty()) continue;
      const std::string column = neighbour.name.substr(0, neighbour.name.find(':'));
      const std::string cell = differing.begin()->substr(2);
      const bool of_the_flow =  // such mutants are stored in another cell than the one that they name
          (neighbour.name.starts_with("mean: its sum ") && cell == "sum") || neighbour.name == "r: eps -> 10 eps" ||
          neighbour.name == "y: w -> 1 + w" || neighbour.name.starts_with("lo, hi: ");
      EXPECT_TRUE(cell == column || column == "M" || column == "L" || column == "amax" || cell == "rope" || reciprocal ||
                  of_the_flow)
          << neighbour.name << " changes " << cell;
    }
  }
}

/// The shipped tables, plus a copy of a row under another id (a line of the row's file).
ContractTables with_a_copy(const ContractRow& row, const std::string& id) {
  std::ifstream in(row.file);
  std::string header, line;
  std::getline(in, header);
  for (int at = 1; at < row.line; ++at) std::getline(in, line);
  const auto path = std::filesystem::temp_directory_path() / ("neighbours_test_" + std::to_string(::getpid()) + ".csv");
  std::ofstream(path) << header << "\n" << id << line.substr(line.find(',')) << "\n";
  ContractTables copy = tables();
  copy.add(path.string());
  std::filesystem::remove(path);
  return copy;
}

TEST(Neighbours, DependOnTheCellsAndNotOnTheId) {
  for (const ContractRow& row : tables().rows()) {
    if (!has_recipes(row)) continue;  // casts_test.cpp and packing_test.cpp test the others
    const auto before = neighbours(tables(), row.id, kBf16);
    const auto after = neighbours(with_a_copy(row, "somebody.elses"), "somebody.elses", kBf16);
    ASSERT_EQ(before.size(), after.size()) << row.id;
    for (size_t i = 0; i < before.size(); ++i) {
      EXPECT_EQ(before[i].name, after[i].name);
      EXPECT_EQ(cells(before[i].contract), cells(after[i].contract));
    }
  }
  EXPECT_NE(neighbours(tables(), "vllm.group_fp8", kBf16).size(), neighbours(tables(), "vllm.group_fp8_packed", kBf16).size());
}

}  // namespace

}  // namespace assay
