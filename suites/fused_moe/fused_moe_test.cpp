// Op fused_moe: results of slots compared with an oracle, blocks of expert -1, lists of slots, mutants, and rejected cases.
// Chains of MoE ops, checked stage by stage and from end to end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <set>
#include <stdexcept>
#include <string>

#include "harness/compare/compare.h"
#include "harness/core/expectation.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/gemm_op.h"
#include "suites/rows/row_tensors.h"
#include "suites/testing/case_with.h"

namespace assay::fused_moe_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

const Op& op() { return shipped_op("fused_moe"); }

const TestCells kUsual = {{"contract", "vllm.fused_moe_block_m16.sm_90"}, {"tokens", "3;0;18;4"}, {"absent", "3"}, {"topk", "2"}, {"block_m", "16"},
                          {"order", "ascending"}, {"n", "128"}, {"k", "416"}, {"fill", "few_maxima"}, {"b", "few_maxima"}, {"scales", "1x128_128x128"},
                          {"scale", "amax_scales"}, {"layout_a", "row"}, {"layout_b", "row"}, {"bias", "normal"}, {"weights", "scales"}, {"y", "bf16"},
                          {"seed", "1"}, {"warp", "32"}};
const TestCells kOfRows = {{"contract", "vllm.fused_moe_channel@v0.14.0.sm_90"}, {"scales", "token_channel"}, {"layout_a", ""}, {"layout_b", ""}};

std::string refusal(const TestCells& cells) { return refusal_of(op(), kUsual, cells); }

/// A case whose codes are -1, 0 and 1, and whose scales, weights and biases are powers of two, so that every result is exact.
struct Exact {
  Case one;
  GemmCase c;
  std::unique_ptr<const BoundCase> bound;
  Problem problem;

  explicit Exact(const TestCells& changed = {}) : one(case_of(op(), kUsual, changed)), c(read_gemm_case(one)), bound(op().bind(one)), problem(bound->problem()) {
    int64_t count = 0;
    for (HostTensor& tensor : problem.tensors) {
      const Format& format = *tensor.spec.format;
      for (int64_t i = 0; i < tensor.spec.elements() && tensor.spec.role == Role::kInput; ++i, ++count) {
        const double code = double((count * 7919 >> 3) % 3 - 1), power = std::ldexp(1.0, int((count * 31 >> 2) % 3) - 1);
        if (format == kE4M3Fn) tensor.set_code(i, code_of(format, code));
        if (format == kF32) tensor.set_code(i, code_of(format, power));
      }
    }
  }

  double value(const char* role, int64_t i) const {
    const HostTensor& tensor = find(problem.tensors, role);
    return decode(*tensor.spec.format, tensor.code(i));
  }
  /// The result of a slot, computed a second time from the lists in the call.
  double by_hand(int64_t slot, int64_t column) const {
    const std::vector<int64_t> ids = integers_of(problem.tensors, "sorted_token_ids"), experts = integers_of(problem.tensors, "expert_ids");
    const auto place = std::find(ids.begin(), ids.end(), slot) - ids.begin();
    const int64_t expert = experts[size_t(place / c.block_m)], row = slot / c.topk, blocks = (c.k + 127) / 128;
    double sum = 0;
    for (int64_t k = 0; k < c.k; ++k)
      sum += value("a", row * c.k + k) * value("b", (expert * c.n + column) * c.k + k) * value("scale_a", row * blocks + k / 128) *
             value("scale_b", expert * (c.n / 128) * blocks + column / 128 * blocks + k / 128);
    return (sum + value("bias", expert * c.n + column)) * value("topk_weights", slot);
  }
  std::vector<HostTensor> outputs() const {
    std::vector<HostTensor> all = {find(problem.tensors, "d")};
    all[0].bytes.assign(all[0].spec.bytes(), std::byte{0});
    for (int64_t row = 0; row < c.m; ++row)
      for (int64_t n = 0; n < c.n; ++n) {
        const int64_t slot = c.groups.stored_row(row);
        all[0].set_code(slot * c.n + n, code_of(kBf16, round_to(kBf16, by_hand(slot, n), Rounding::kNearestEven, Overflow::kSpecial)));
      }
    return all;
  }
  /// Bytes of the rows of d whose slots are in no block; the call must not write them.
  std::vector<ByteRange> untouched() const {
    std::vector<ByteRange> ranges;
    c.groups.for_each_unused([&](int64_t slot) {
      if (std::find(c.absent.begin(), c.absent.end(), slot) == c.absent.end()) ranges.push_back({slot * c.n * 2, (slot + 1) * c.n * 2});
    });
    return ranges;
  }
  bool agrees(const std::vector<HostTensor>& d) const { return compare(bound->expect(problem, nullptr), d, {untouched()}).agrees(); }
};

TEST(FusedMoe, EachSlotMeetsItsTokenItsExpertAndItsWeight) {
  for (const TestCells& changed : {TestCells{}, TestCells{{"order", "descending"}}, TestCells{{"topk", "1"}, {"tokens", "5;1"}}}) {
    const Exact of(changed);
    std::vector<HostTensor> d = of.outputs();
    EXPECT_TRUE(of.agrees(d));
    const int64_t at = of.c.groups.stored_row(2) * of.c.n;
    d[0].set_code(at, d[0].code(at) ^ 1u);
    EXPECT_FALSE(of.agrees(d));
  }
}

TEST(FusedMoe, BlocksOfExpertMinusOneAreZerosAndSlotsInNoBlockStay) {
  const Exact of(TestCells{{"tokens", "3;0;18;3"}});
  ASSERT_EQ(of.c.absent.size(), 3u);
  ASSERT_EQ(of.untouched().size(), 1u) << "27 slots are in blocks, and a token has 2";
  std::vector<HostTensor> d = of.outputs();
  EXPECT_TRUE(of.agrees(d));
  d[0].set_code(of.c.absent[1] * of.c.n + 5, code_of(kBf16, 3));
  EXPECT_FALSE(of.agrees(d));
  d = of.outputs();
  EXPECT_FALSE(compare(of.bound->expect(of.problem, nullptr), d, {{}}).agrees()) << "a slot in no block was written";
}

TEST(FusedMoe, WithoutRowsOnlyTheBlocksOfExpertMinusOneAreWritten) {
  const Exact of({{"tokens", "0;0"}, {"absent", "2"}});
  EXPECT_THAT(integers_of(of.problem.tensors, "expert_ids"), ElementsAre(-1, 0));
  EXPECT_THAT(integers_of(of.problem.tensors, "num_tokens_post_padded"), ElementsAre(16));
  std::vector<HostTensor> d = of.outputs();
  EXPECT_TRUE(of.agrees(d));
  d[0].set_code(of.c.n + 5, code_of(kBf16, 3));
  EXPECT_FALSE(of.agrees(d)) << "the block behind the list was computed";
  const Exact nobody({{"tokens", "0;0"}, {"absent", "0"}});
  EXPECT_THAT(integers_of(nobody.problem.tensors, "expert_ids"), testing::IsEmpty());
  EXPECT_EQ(find(nobody.problem.tensors, "d").spec.elements(), 0);
}

TEST(FusedMoe, TheContractSaysWhatBlocksOfExpertMinusOneHold) {
  const std::string file = (std::filesystem::temp_directory_path() / ("moe_" + std::to_string(::getpid()) + ".csv")).string();
  {
    std::ofstream table(file);
    table << "id,unit,promote,join,split,scales,y,bias,router,out,layouts,experts,block_m,padding,since,until,source,why\n"
             "moe.alone,sm_90.wgmma.e4m3.f32,every(128),\"fma(sa*sb,acc)\",none,1x128_128x128,to(y),add(bias),mul(w),bf16,row,sorted ids,16,untouched,2026,,here,because\n";
  }
  open_rulebook(ASSAY_SOURCE_DIR, {file});
  std::filesystem::remove(file);
  const Exact of(TestCells{{"contract", "moe.alone"}});
  std::vector<PaddingRule> rules;
  of.bound->expect(of.problem, nullptr).parts().front().padding([&](const Padding& padding) { rules.push_back(padding.rule); });
  EXPECT_THAT(std::set(rules.begin(), rules.end()), ElementsAre(PaddingRule::kUntouched));
  open_rulebook(ASSAY_SOURCE_DIR);
}

TEST(FusedMoe, ListsHaveWholeBlocksAndOneBehindTheLastInUse) {
  const Exact of;
  const std::vector<int64_t> ids = integers_of(of.problem.tensors, "sorted_token_ids"), experts = integers_of(of.problem.tensors, "expert_ids");
  EXPECT_THAT(experts, ElementsAre(0, -1, 2, 2, 3, 1)) << "the last one is not in use";
  EXPECT_THAT(integers_of(of.problem.tensors, "num_tokens_post_padded"), ElementsAre(5 * 16));
  ASSERT_EQ(ids.size(), 6u * 16);
  EXPECT_EQ(std::count(ids.begin(), ids.begin() + 80, 28), 80 - 28) << "padding is the number of slots";
  EXPECT_TRUE(std::equal(ids.begin(), ids.begin() + 16, ids.begin() + 80));
  EXPECT_THAT(integers_of(Exact(TestCells{{"order", "descending"}}).problem.tensors, "expert_ids"), ElementsAre(3, -1, 2, 2, 0, 0));
  EXPECT_EQ(find(of.problem.tensors, "a").spec.shape, (std::vector<int64_t>{14, 416}));
  EXPECT_EQ(find(of.problem.tensors, "d").spec.shape, (std::vector<int64_t>{28, 128}));
  EXPECT_THAT(of.problem.parameters, Contains(std::pair<std::string, double>("block_m", 16)));
}

TEST(FusedMoe, OtherListsOfTheSameSlotsGiveTheSameBits) {
  const Exact of;
  const std::vector<Relation> relations = of.bound->relations(of.problem);
  ASSERT_EQ(relations.size(), 2u);
  for (const Relation& relation : relations) {
    Exact other;
    other.problem = relation.problem;
    for (const int64_t row : {int64_t{0}, of.c.m - 1})
      EXPECT_EQ(other.by_hand(of.c.groups.stored_row(row), 7), of.by_hand(of.c.groups.stored_row(row), 7)) << relation.what;
    EXPECT_NE(integers_of(relation.problem.tensors, "sorted_token_ids"), integers_of(of.problem.tensors, "sorted_token_ids"));
    EXPECT_EQ(relation.same_as[size_t(of.c.absent[0] * of.c.n)], Relation::kAnything);
  }
}

/// Expects that the case has the mutants `wanted`, and that its inputs expose each of them.
void expect_seen(const TestCells& changed, const std::vector<std::string>& wanted) {
  TestCells cells = kUsual;
  for (const auto& [column, cell] : changed) cells[column] = cell;
  const Case one = case_of(op(), cells, {});
  const auto bound = op().bind(one);
  const Problem problem = bound->problem();
  const std::vector<int32_t> right = computed(bound->expect(problem, nullptr))[0].low;
  std::set<std::string> all;
  for (const Hypothesis& wrong : bound->mutants()) {
    all.insert(wrong.name);
    if (std::find(wanted.begin(), wanted.end(), wrong.name) != wanted.end()) {
      EXPECT_NE(computed(wrong.expect(problem, nullptr))[0].low, right) << wrong.name;
    }
  }
  for (const std::string& name : wanted) EXPECT_TRUE(all.contains(name)) << name;
}

TEST(FusedMoe, MutantsShow) {
  const std::vector<std::string> of_slots = {
      "experts: that of the block before", "blocks: those behind num_tokens_post_padded are computed", "a: slots are not divided by top_k",
      "a: slots modulo the number of tokens", "topk_weights: by place in the sorted list", "topk_weights: that of the token's first slot",
      "topk_weights: rounded to y", "bias: that of the first expert", "bias: that of the next expert", "bias: missing", "router: w is left out",
      "router: to(y) before mul(w)", "router: mul(w) before the bias", "b: weights of the next expert", "scale_b: of the next expert"};
  expect_seen({}, of_slots);
  expect_seen({{"bias", ""}, {"weights", ""}, {"y", "f32"}}, {"acc: in bf16"});
  std::vector<std::string> of_rows = of_slots;
  of_rows.push_back("bias: before the scales");
  TestCells cells = kOfRows;
  cells["n"] = "40";
  expect_seen(cells, of_rows);
  cells["contract"] = "vllm.fused_moe_channel.sm_90", cells["bias"] = "", cells["y"] = "f32", cells["block_m"] = "64";
  expect_seen(cells, {"router: mul(w) behind the scales", "router: w is left out"});
  expect_seen({{"contract", "vllm.fused_moe_block_cast_first.sm_90"}, {"bias", ""}, {"block_m", "64"}}, {"router: no to(y) before mul(w)"});
}

TEST(FusedMoe, WithoutWeightsTheWeightIsOne) {
  const Case plain = case_of(op(), kUsual, {{"weights", ""}});
  const auto bound = op().bind(plain);
  for (const Hypothesis& wrong : bound->mutants()) EXPECT_EQ(wrong.name.find("router"), std::string::npos) << wrong.name;
  Problem problem = bound->problem();
  const std::vector<int32_t> none = computed(bound->expect(problem, nullptr))[0].low;
  const auto ones = op().bind(case_of(op(), kUsual, {{"weights", "ones"}}));
  EXPECT_EQ(computed(ones->expect(ones->problem(), nullptr))[0].low, none);
}

TEST(FusedMoe, ATraceNamesTheWeight) {
  const Exact of;
  std::string trace;
  for (const std::string& line : of.bound->trace(of.problem, 1, 2)) trace += line + "\n";
  EXPECT_THAT(trace, HasSubstr("bias = "));
  EXPECT_THAT(trace, HasSubstr("w = "));
  EXPECT_THAT(trace, HasSubstr("  mul(w)"));
}

TEST(FusedMoe, RefusesWhatTheContractLacks) {
  EXPECT_EQ(refusal({}), "");
  EXPECT_THAT(refusal({{"block_m", "64"}}), HasSubstr("does not support blocks of 64 slots; supported: 16|32"));
  EXPECT_THAT(refusal({{"order", "up"}}), HasSubstr("expected ascending or descending"));
  EXPECT_THAT(refusal({{"n", "200"}}), HasSubstr("expected a multiple of 128, the rows of b that share a scale, got 200"));
  EXPECT_THAT(refusal({{"contract", "deepgemm.m_grouped_fp8_gemm_contiguous.sm_90"}}), HasSubstr("does not use sorted_token_ids"));
  EXPECT_THAT(refusal({{"contract", "vllm.fused_moe_block_cast_first.sm_90"}, {"block_m", "64"}}), HasSubstr("takes no bias"));
  TestCells int8 = kOfRows;
  int8["contract"] = "vllm.fused_moe_int8@v0.14.0.sm_90", int8["fill"] = int8["b"] = "uniform_bits", int8["k"] = "1025";
  EXPECT_THAT(refusal(int8), HasSubstr("expected at most 1024"));
  EXPECT_FALSE(op().takes("deepgemm.m_grouped_fp8_gemm_contiguous.sm_90"));
  EXPECT_FALSE(shipped_op("gemm_grouped").takes("vllm.fused_moe_block.sm_90"));
}

// Chains of ops: the outputs of each stage are inputs of the next one.

/// The accepted code of each output element. Throws if an element accepts several, since the next stage needs exact inputs.
std::vector<HostTensor> pinned_outputs(const Problem& problem, const Expectation& expectation) {
  std::vector<HostTensor> outputs;
  for (const HostTensor& tensor : problem.tensors)
    if (tensor.spec.role == Role::kOutput) outputs.push_back(tensor), outputs.back().bytes.assign(tensor.spec.bytes(), std::byte{0});
  for (const WholePart& whole : computed(expectation.any_of.front()))
    for (HostTensor& tensor : outputs) {
      if (tensor.spec.name != whole.part.tensor) continue;
      const int64_t bytes = whole.part.format->bytes(), columns = whole.part.columns();
      for (int64_t e = 0; e < whole.part.elements(); ++e) {
        if (!whole.at(e).single()) throw std::logic_error(whole.part.label() + " has elements with more than one accepted code");
        const uint32_t code = code_from_ordinal(*whole.part.format, whole.at(e).low);
        std::memcpy(tensor.bytes.data() + whole.part.offset(e / columns, e % columns) * bytes, &code, size_t(bytes));
      }
    }
  return outputs;
}

struct ChainStage {
  std::string name;
  std::unique_ptr<const BoundCase> bound;
  std::vector<std::pair<std::string, std::string>> from_before;  ///< (output of the previous stage, input of this stage)
};

/// The mistake of a kernel in a chain; each member may be empty.
struct ChainFault {
  std::function<void(size_t stage, std::vector<HostTensor>& outputs)> stores;
  std::function<void(size_t stage, Problem& problem)> reads;  ///< changes the inputs that a stage reads
};

/// One run of a chain: the inputs and outputs of each stage. `stages` must outlive it.
class ChainRun {
 public:
  ChainRun(const std::vector<ChainStage>& stages, const ChainFault& fault) : stages_(stages) {
    for (size_t i = 0; i < stages.size(); ++i) {
      received_.push_back(i == 0 ? stages[0].bound->problem() : handed_on(i, outputs_.back()));
      if (fault.reads) fault.reads(i, received_.back());
      outputs_.push_back(pinned_outputs(received_.back(), stages[i].bound->expect(received_.back(), nullptr)));
      if (fault.stores) fault.stores(i, outputs_.back());
    }
  }

  /// The stages that fail if only the outputs of the `visible` stages and of the last stage are checked. The reference computes
  /// the outputs of the other stages.
  std::set<std::string> failing(const std::set<size_t>& visible) const {
    std::set<std::string> names;
    for (size_t first = 0; first < stages_.size();) {
      Problem problem = received_[first];
      size_t last = first;
      for (; last + 1 < stages_.size() && !visible.contains(last); ++last)
        problem = handed_on(last + 1, pinned_outputs(problem, stages_[last].bound->expect(problem, nullptr)));
      if (!compare(stages_[last].bound->expect(problem, &outputs_[last]), outputs_[last], {}).agrees()) names.insert(stages_[last].name);
      first = last + 1;
    }
    return names;
  }
  std::set<std::string> failing_stages() const {
    std::set<size_t> all;
    for (size_t i = 0; i < stages_.size(); ++i) all.insert(i);
    return failing(all);
  }
  std::set<std::string> failing_end_to_end() const { return failing({}); }

 private:
  Problem handed_on(size_t to, const std::vector<HostTensor>& outputs) const {
    Problem problem = stages_[to].bound->problem();
    for (const auto& [output, input] : stages_[to].from_before) {
      HostTensor& tensor = find(problem.tensors, input);
      const HostTensor& stored = find(outputs, output);
      if (tensor.bytes.size() != stored.bytes.size()) throw std::logic_error(output + " and " + input + " differ in size");
      tensor.bytes = stored.bytes;
    }
    return problem;
  }

  const std::vector<ChainStage>& stages_;
  std::vector<Problem> received_;
  std::vector<std::vector<HostTensor>> outputs_;
};

ChainStage stage(const char* op, const TestCells& cells, std::vector<std::pair<std::string, std::string>> from_before = {}) {
  const Op& shipped = shipped_op(op);
  return {op, shipped.bind(case_of(shipped, cells, {})), std::move(from_before)};
}

using testing::IsEmpty;

/// mxfp8_experts_quant, then the grouped GEMM that reads its codes and its scales in tiles.
std::vector<ChainStage> quantized_experts() {
  std::vector<ChainStage> stages;
  stages.push_back(stage("quant_experts", {{"contract", "vllm.mxfp8_experts"}, {"x", "bf16"}, {"tokens", "3;2"}, {"n", "128"}, {"group_size", "32"},
                                           {"layout", "e8m0_128x4"}, {"fill", "normal"}, {"seed", "1"}, {"warp", "32"}}));
  stages.push_back(stage("gemm_grouped",
                         {{"contract", "vllm.cutlass_mxfp8_grouped_mm.sm_100"}, {"tokens", "3;2"}, {"room", ""}, {"align", ""}, {"order", "ascending"},
                          {"n", "128"}, {"k", "128"}, {"fill", "normal"}, {"b", "amax_scaled"}, {"scales", "1x32_1x32"}, {"scale", "amax_scales"},
                          {"layout_a", "e8m0_128x4"}, {"layout_b", "e8m0_128x4"}, {"y", "bf16"}, {"padding", "filled"}, {"seed", "1"}, {"warp", "32"}},
                         {{"q", "a"}, {"scale", "scale_a"}}));
  return stages;
}

/// Halves the codes of a group and doubles its scale: other bytes with the same values.
void double_first_scale(std::vector<HostTensor>& outputs) {
  HostTensor &q = find(outputs, "q"), &scale = find(outputs, "scale");
  for (int64_t c = 0; c < 32; ++c) q.set_code(c, code_of(kE4M3Fn, decode(kE4M3Fn, q.code(c)) / 2));
  scale.bytes[0] = std::byte(std::to_integer<int>(scale.bytes[0]) + 1);
}

TEST(MoeChain, ACorrectChainPassesByStagesAndAsAWhole) {
  const std::vector<ChainStage> stages = quantized_experts();
  const ChainRun run(stages, {});
  EXPECT_THAT(run.failing_stages(), IsEmpty());
  EXPECT_THAT(run.failing_end_to_end(), IsEmpty());
}

TEST(MoeChain, AnotherScaleOfTheSameNumbersShowsInTheStageAlone) {
  const std::vector<ChainStage> stages = quantized_experts();
  const ChainRun run(stages, {.stores = [](size_t i, std::vector<HostTensor>& outputs) { if (i == 0) double_first_scale(outputs); }, .reads = {}});
  EXPECT_THAT(run.failing_stages(), ElementsAre("quant_experts"));
  EXPECT_THAT(run.failing_end_to_end(), IsEmpty()) << "the product is the same";
}

TEST(MoeChain, ScalesOfAnotherExpertShowEndToEndAlone) {
  const std::vector<ChainStage> stages = quantized_experts();
  const ChainRun run(stages, {.stores = {}, .reads = [](size_t i, Problem& problem) {
    if (i != 1) return;
    HostTensor& scale = find(problem.tensors, "scale_a");
    const size_t tile = scale.bytes.size() / 2;  // bytes of the tiles of one expert
    std::rotate(scale.bytes.begin(), scale.bytes.begin() + std::ptrdiff_t(tile), scale.bytes.end());
  }});
  EXPECT_THAT(run.failing_stages(), IsEmpty()) << "each stage is right for what it received";
  EXPECT_THAT(run.failing_end_to_end(), ElementsAre("gemm_grouped"));
}

/// Both GEMMs of a mixture of experts, with SiLU and a quantization between them, as in vLLM's fused_experts with topk 1.
std::vector<ChainStage> both_gemms() {
  const auto gemm = [](const char* n, const char* weights) {
    TestCells cells = kUsual;
    for (const auto& [column, cell] : TestCells{{"tokens", "3;2;3"}, {"absent", "0"}, {"topk", "1"}, {"n", n}, {"k", "128"}, {"fill", "amax_scaled"},
                                                {"b", "amax_scaled"}, {"bias", ""}, {"weights", weights}})
      cells[column] = cell;
    return cells;
  };
  std::vector<ChainStage> stages;
  stages.push_back(stage("fused_moe", gemm("256", "")));
  stages.back().name = "fused_moe w1";
  stages.push_back(stage("act_and_mul", {{"contract", "vllm.silu_and_mul"}, {"x", "bf16"}, {"m", "8"}, {"n", "128"}, {"fill", "normal"}, {"up", "normal"},
                                         {"seed", "1"}, {"warp", "32"}}, {{"d", "x"}}));
  stages.push_back(stage("quant_group", {{"contract", "vllm.group_fp8"}, {"x", "bf16"}, {"m", "8"}, {"n", "128"}, {"group_size", "128"}, {"layout", "row"},
                                         {"fill", "normal"}, {"seed", "1"}, {"warp", "32"}}, {{"y", "x"}}));
  stages.push_back(stage("fused_moe", gemm("128", "scales"), {{"q", "a"}, {"scale", "scale_a"}}));
  stages.back().name = "fused_moe w2";
  return stages;
}

TEST(MoeChain, BothGemmsPassWithEveryChoiceOfVisibleStages) {
  const std::vector<ChainStage> stages = both_gemms();
  const ChainRun run(stages, {});
  for (unsigned choice = 0; choice < 8; ++choice) {
    std::set<size_t> visible;
    for (size_t i = 0; i < 3; ++i)
      if (choice >> i & 1) visible.insert(i);
    EXPECT_THAT(run.failing(visible), IsEmpty()) << choice;
  }
}

TEST(MoeChain, AnErrorThatTheQuantizationAbsorbsShowsInTheStageAlone) {
  const std::vector<ChainStage> stages = both_gemms();
  int absorbed = 0;
  for (int64_t element = 0; element < 8 && absorbed == 0; ++element) {
    const ChainRun run(stages, {.stores = [&](size_t i, std::vector<HostTensor>& outputs) {
                                  if (i == 1) outputs[0].set_code(element, outputs[0].code(element) ^ 1u);
                                }, .reads = {}});
    if (!run.failing_end_to_end().empty()) continue;
    ++absorbed;
    EXPECT_THAT(run.failing_stages(), ElementsAre("act_and_mul"));
    EXPECT_THAT(run.failing({1}), ElementsAre("act_and_mul")) << "the activation is visible, d of the first GEMM is not";
    EXPECT_THAT(run.failing({0}), IsEmpty()) << "its output is not visible";
  }
  EXPECT_EQ(absorbed, 1);
}

TEST(MoeChain, RowsOfOtherSlotsShowEndToEndAlone) {
  const std::vector<ChainStage> stages = both_gemms();
  const ChainRun run(stages, {.stores = {}, .reads = [](size_t i, Problem& problem) {
    if (i != 3) return;
    HostTensor& a = find(problem.tensors, "a");
    std::rotate(a.bytes.begin(), a.bytes.begin() + 128, a.bytes.end());  // each slot reads the next slot's codes, but its own scale
  }});
  EXPECT_THAT(run.failing_stages(), IsEmpty());
  EXPECT_THAT(run.failing_end_to_end(), ElementsAre("fused_moe w2"));
  EXPECT_THAT(run.failing({0, 1}), ElementsAre("fused_moe w2")) << "codes and scales are not visible";
}

}  // namespace
}  // namespace assay::fused_moe_test
