// Invariants of GEMMs: changed calls after which elements must keep their bits. A correct GEMM passes all of them. A GEMM that is
// right in the plain call, but violates an invariant, fails in the changed call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/compare/compare.h"
#include "harness/core/expectation.h"
#include "harness/run/run_case.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/gemm/gemm_case.h"
#include "suites/gemm/gemm_op.h"
#include "suites/registry.h"
#include "suites/rows/row_tensors.h"
#include "suites/testing/case_with.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Op& gemm() { return shipped_op("gemm_block_scaled"); }

/// Five tokens and 24 columns. The codes ascend, so that every order of them differs from the reverse.
struct Plain {
  Case one;
  Problem problem;

  explicit Plain(const TestCells& changed = {}) {
    one = case_of(gemm(), {{"contract", "torch.scaled_mm_1x128_1x128.sm_90"}, {"m", "5"}, {"n", "24"}, {"k", "416"},
                      {"fill", "few_maxima"}, {"b", "few_maxima"}, {"scales", "1x128_1x128"}, {"scale", "amax_scales"},
                      {"layout_a", "col"}, {"layout_b", "row"}, {"y", "f32"}, {"c", ""}, {"seed", "1"}, {"warp", "32"}}, changed);
    problem = gemm().bind(one)->problem();
    for (const char* role : {"a", "b"}) {
      HostTensor& tensor = find(problem.tensors, role);
      for (int64_t row = 0; row < tensor.spec.shape[0]; ++row) tensor.set_code(row * 416, uint32_t(0x20 + row));
    }
  }
};

/// The codes of all rows, copied to a tensor without gaps.
HostTensor gathered(const HostTensor& tensor) {
  HostTensor dense_one{dense(tensor.spec.name, tensor.spec.role, *tensor.spec.format, tensor.spec.shape), {}};
  if (tensor.bytes.empty()) return dense_one;
  dense_one.bytes.resize(dense_one.spec.bytes());
  const int64_t columns = tensor.spec.shape[1];
  for (int64_t i = 0; i < dense_one.spec.elements(); ++i)
    dense_one.set_code(i, tensor.code(i / columns * tensor.spec.strides[0] + i % columns));
  return dense_one;
}

using ProgramOf = std::function<size_t(const GemmCase&, const Problem&)>;

/// A GEMM that the reference computes, with the algorithm variant whose index `program_of` returns.
struct Product {
  ProgramOf program_of = [](const GemmCase&, const Problem&) { return size_t{0}; };
  std::function<void(const GemmCase&, const Problem&, std::vector<int32_t>&)> spoil = nullptr;
  bool knows_pitches = true;

  CallResult operator()(const Case& plain, const CallRequest& request) const {
    Problem problem = *request.problem;
    for (const char* role : {"a", "b", "d"}) {
      HostTensor& tensor = find(problem.tensors, role);
      if (knows_pitches || std::string(role) == "d") {
        tensor = gathered(tensor);
      } else {
        tensor.spec = dense(role, tensor.spec.role, *tensor.spec.format, tensor.spec.shape);
        tensor.bytes.resize(tensor.spec.bytes());
      }
    }
    Case one = plain;
    one.parameters["m"] = std::to_string(find(problem.tensors, "a").spec.shape[0]);
    const GemmCase c = read_gemm_case(checked_case(gemm(), one));
    const Expectation all = expect_product(c, c.contract, problem);
    std::vector<int32_t> d = computed(all.any_of.at(program_of(c, problem)))[0].low;
    if (spoil) spoil(c, problem, d);
    CallResult result;
    result.outputs = {find(request.problem->tensors, "d")};
    HostTensor& out = result.outputs[0];
    out.bytes.assign(out.spec.bytes(), std::byte{0});
    for (size_t i = 0; i < d.size(); ++i)
      out.set_code(int64_t(i) / c.n * out.spec.strides[0] + int64_t(i) % c.n, code_from_ordinal(kF32, d[i]));
    result.untouched.emplace_back();
    result.in_place.push_back(false);
    return result;
  }
};

Climb climb_of(const Product& product, const Plain& plain = Plain()) {
  const Backend backend{"test", {}, [&](const CallRequest& request) { return product(plain.one, request); }};
  const CallRequest request{gemm().name, plain.one.text("contract"), "product", &plain.problem};
  return climb(*gemm().bind(plain.one), plain.one, {.name = "product", .op = gemm().name, .contracts = {plain.one.text("contract")}}, backend, request, backend.call(request));
}

uint32_t first_code(const Problem& problem, const char* role, int64_t row) { return find(problem.tensors, role).code(row * 416); }

TEST(GemmInvariants, ARightProductHoldsEveryRung) {
  const Climb climb = climb_of({});
  EXPECT_EQ(climb.broken, "") << climb.message;
  EXPECT_THAT(climb.held, ElementsAre("repeat", "batch", "neighbours", "columns", "other rows", "scales", "pitch", "stream", "graph"));
}

TEST(GemmInvariants, KIsCutByTheNumberOfRows) {
  const Climb climb = climb_of({[](const GemmCase& c, const Problem&) { return size_t(c.m == 1); }});
  EXPECT_EQ(climb.broken, "batch");
}

TEST(GemmInvariants, KIsCutByTheRowsBesideEachOther) {
  const Climb climb = climb_of({[](const GemmCase& c, const Problem& problem) {
    return size_t(c.m > 1 && first_code(problem, "a", 0) > first_code(problem, "a", 1));
  }});
  EXPECT_EQ(climb.broken, "neighbours");
}

TEST(GemmInvariants, KIsCutByTheColumnsBesideEachOther) {
  const Climb climb = climb_of({[](const GemmCase&, const Problem& problem) {
    return size_t(first_code(problem, "b", 0) > first_code(problem, "b", 1));
  }});
  EXPECT_EQ(climb.broken, "columns");
  EXPECT_THAT(climb.message, HasSubstr("columns in the opposite order"));
}

TEST(GemmInvariants, NaNOfARowIsSeenInTheNext) {
  Product leaks;
  leaks.spoil = [](const GemmCase& c, const Problem&, std::vector<int32_t>& d) {
    for (int64_t row = c.m - 1; row > 0; --row)
      for (int64_t column = 0; column < c.n; ++column) {
        const int32_t before = d[size_t((row - 1) * c.n + column)];
        if (std::isnan(decode(kF32, code_from_ordinal(kF32, before)))) d[size_t(row * c.n + column)] = before;
      }
  };
  const Climb climb = climb_of(leaks);
  EXPECT_EQ(climb.broken, "other rows");
  EXPECT_THAT(climb.message, HasSubstr("d[3, 0]"));
}

TEST(GemmInvariants, AScaleIsSeenBeyondItsBlock) {
  static const Plain plain;
  const auto sum = [](const Problem& problem, const GemmCase& c) {
    double all = 0;
    for (const double scale : c.scale_b.values(find(problem.tensors, "scale_b")).values) all += scale;
    return all;
  };
  const double whole = sum(plain.problem, read_gemm_case(plain.one));
  const Climb climb = climb_of({[&](const GemmCase& c, const Problem& problem) { return size_t(std::fabs(sum(problem, c) - whole) > 1e-9); }});
  EXPECT_EQ(climb.broken, "scales");
  EXPECT_THAT(climb.message, HasSubstr("a changed scale in row block 12 of b"));
}

/// Scale tiles of 128 rows; only five of these rows have scales.
const TestCells kTiles = {{"contract", "torch.scaled_mm_mxfp8.sm_100"}, {"scales", "1x32_1x32"}, {"layout_a", "e8m0_128x4"}, {"layout_b", "e8m0_128x4"}};

TEST(GemmInvariants, PaddingOfScalesIsNotSeen) {
  const Climb climb = climb_of({}, Plain(kTiles));
  EXPECT_EQ(climb.broken, "") << climb.message;
  EXPECT_THAT(climb.held, testing::Contains("padding"));
}

/// A kernel that first divides all scales of a tile, padding included, by the smallest one (vLLM #45741). NaN in padding does not
/// change the smallest scale; a finite byte does.
TEST(GemmInvariants, PaddingOfScalesIsSeen) {
  TestCells with_nan = kTiles;
  for (int seed = 1; read_gemm_case(Plain(with_nan).one).absent_finite; ++seed) with_nan["seed"] = std::to_string(seed);
  Product prescales;
  prescales.spoil = [](const GemmCase& c, const Problem& problem, std::vector<int32_t>& d) {
    const HostTensor& scale = find(problem.tensors, "scale_a");
    const std::vector<double> own = c.scale_a.values(scale).values;
    double least = std::nan("");
    for (const std::byte code : scale.bytes)
      if (code != std::byte{0}) least = std::fmin(least, decode(kE8M0, uint32_t(code)));
    if (least < *std::min_element(own.begin(), own.end())) d[0] += 1;
  };
  const Climb climb = climb_of(prescales, Plain(with_nan));
  EXPECT_EQ(climb.broken, "padding");
  EXPECT_THAT(climb.message, HasSubstr("padding of the scale buffers holds finite bytes"));
}

/// FP4, dense and grouped: undefined bytes in the padding of scales change no accepted code.
TEST(GemmInvariants, PaddingOfFp4ScalesIsNotSeen) {
  const TestCells dense_one = {{"contract", "torch.scaled_mm_nvfp4_block.sm_100"}, {"scales", "1x16_1x16"}, {"layout_a", "ue4m3_128x4"}, {"layout_b", "ue4m3_128x4"}};
  TestCells of_experts = {{"contract", "vllm.cutlass_mxfp4_group_mm.sm_100"}, {"tokens", "3;0;5"}, {"room", ""}, {"align", ""}, {"order", "ascending"},
                          {"padding", "filled"}, {"n", "128"}, {"k", "256"}, {"fill", "few_maxima"}, {"b", "few_maxima"}, {"scales", "1x32_1x32"},
                          {"scale", "amax_scales"}, {"layout_a", "e8m0_128x4"}, {"layout_b", "e8m0_128x4"}, {"y", "bf16"}, {"seed", "1"}, {"warp", "32"}};
  for (const auto& [op, one] : {std::pair{&gemm(), Plain(dense_one).one}, {&shipped_op("gemm_grouped"), case_of(shipped_op("gemm_grouped"), of_experts, {})}}) {
    const auto bound = op->bind(one);
    const Problem problem = bound->problem();
    const std::vector<int32_t> plain = computed(bound->expect(problem, nullptr))[0].low;
    int seen = 0;
    for (const Relation& relation : bound->relations(problem)) {
      if (relation.rung != "padding") continue;
      ++seen;
      EXPECT_NE(find(relation.problem.tensors, "scale_a").bytes, find(problem.tensors, "scale_a").bytes) << one.id;
      EXPECT_EQ(computed(bound->expect(relation.problem, nullptr))[0].low, plain) << one.id;
    }
    EXPECT_EQ(seen, 1) << one.id;
  }
}

/// A kernel that derives strides from shapes (vLLM #55534).
TEST(GemmInvariants, RowsThatLieApartAreReadAsIfTheyDidNot) {
  Product packed;
  packed.knows_pitches = false;
  const Climb climb = climb_of(packed);
  EXPECT_EQ(climb.broken, "pitch");
}

}  // namespace

}  // namespace assay

namespace assay::gemm_two_levels_test {

// GEMMs whose block scales are relative to a given scale of the tensor or row: results, mutants, invariants, dumps and traces.

namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;
using testing::Not;

/// If the kernel rounds the product 2^129 to f32, it adds Inf + -Inf = NaN. With a fused multiply-add the product is not rounded,
/// so the sum is -Inf.
TEST(GemmBias, AProductThatOverflowsBesideAnInfiniteBiasAcceptsBothResults) {
  const Op& op = shipped_op("gemm_scaled");
  const Case one = case_of(op, {{"contract", "vllm.cutlass_scaled_mm_int8.sm_90"}, {"m", "1"}, {"n", "16"}, {"k", "16"},
                                {"fill", "ones"}, {"b", "ones"}, {"scales", "token_channel"}, {"scale", "amax_scales"}, {"y", "bf16"},
                                {"bias", "normal"}, {"seed", "1"}, {"warp", "32"}}, {});
  const auto bound = op.bind(one);
  Problem problem = bound->problem();
  for (const char* role : {"a", "b"})
    for (int64_t i = 0; i < 16; ++i) find(problem.tensors, role).set_code(i, 1);
  find(problem.tensors, "scale_a").set_code(0, code_of(kF32, 0x1p100));
  for (int64_t i = 0; i < 16; ++i) find(problem.tensors, "scale_b").set_code(i, code_of(kF32, 0x1p25));
  find(problem.tensors, "bias").set_code(3, code_of(kBf16, -HUGE_VAL));
  const WholePart d = computed(bound->expect(problem, nullptr))[0];
  const auto accepts = [&](size_t i, double value) {
    return Interval{d.low[i], d.high.empty() ? d.low[i] : d.high[i]}.holds(kBf16, ordinal_of_value(kBf16, value));
  };
  EXPECT_TRUE(accepts(3, std::nan("")));
  EXPECT_TRUE(accepts(3, -HUGE_VAL));
  EXPECT_TRUE(accepts(2, HUGE_VAL));
  EXPECT_FALSE(accepts(2, std::nan("")));
}

/// With gaps between rows, the reference reads the right codes, and requires that the gaps of d stay unwritten.
TEST(GemmGaps, RowsApartMeetTheirOwnCodesAndNothingIsWrittenBetweenThem) {
  const TestCells apart = {{"gap", "16"}, {"m", "3"}, {"n", "8"}};
  const Plain plain(apart);
  const GemmCase c = read_gemm_case(plain.one);
  const std::unique_ptr<const BoundCase> bound = gemm().bind(plain.one);
  ASSERT_EQ(find(plain.problem.tensors, "a").spec.strides, (std::vector<int64_t>{416 + 16, 1}));
  const Expectation right = bound->expect(plain.problem, nullptr);
  const auto outputs_of = [&](const Expectation& of, int64_t pitch) {
    std::vector<HostTensor> d = {find(plain.problem.tensors, "d")};
    d[0].bytes.assign(d[0].spec.bytes(), std::byte{0});
    const std::vector<int32_t> codes = computed(of.any_of.front())[0].low;
    for (int64_t i = 0; i < c.m * c.n; ++i) d[0].set_code(i / c.n * pitch + i % c.n, code_from_ordinal(kF32, codes[size_t(i)]));
    return d;
  };
  const std::vector<ByteRange> gaps = {{8 * 4, 24 * 4}, {32 * 4, 48 * 4}};
  EXPECT_TRUE(compare(right, outputs_of(right, 24), {gaps}).agrees());
  EXPECT_FALSE(compare(right, outputs_of(right, 24), {{}}).agrees()) << "the gaps of d were written";
  EXPECT_FALSE(compare(right, outputs_of(right, 8), {gaps}).agrees()) << "d has no gaps";
  std::set<std::string> names;
  for (const Hypothesis& wrong : bound->mutants()) {
    if (wrong.name.find("gaps") == std::string::npos) continue;
    names.insert(wrong.name);
    EXPECT_FALSE(compare(right, outputs_of(wrong.expect(plain.problem, nullptr), 24), {gaps}).agrees()) << wrong.name;
  }
  EXPECT_THAT(names, testing::ElementsAre("a: rows are read without the gaps between them", "b: rows are read without the gaps between them"));
  EXPECT_THAT(refusal_of(gemm(), {{"contract", "aiter.ck_gemm_a8w8_blockscale_bpreshuffle.gfx942"}, {"m", "5"}, {"n", "32"}, {"k", "64"},
                      {"fill", "wide"}, {"b", "wide"}, {"scales", "1x128_128x128"}, {"scale", "amax_scales"},
                      {"layout_a", "row_transposed"}, {"layout_b", "row"}, {"y", "f16"}, {"c", ""}, {"seed", "1"}, {"warp", "32"}}, {{"gap", "16"}}),
              testing::HasSubstr("has 4-bit codes, a shuffled b or an undocumented accumulation"));
}

/// Grouped GEMMs with gaps between the rows of `a` and d; `b` is dense. Padding of d: these gaps, and rows of no expert.
TEST(GemmGaps, RowsOfExpertsLieApartByIndexAndInPsum) {
  const Op& grouped = shipped_op("gemm_grouped");
  const TestCells cells = {{"contract", "deepgemm.m_grouped_fp8_gemm_psum.sm_90"}, {"tokens", "3;0;2"}, {"room", ""}, {"order", "ascending"}, {"n", "128"},
                           {"k", "160"}, {"fill", "wide"}, {"b", "wide"}, {"scales", "1x128_128x128"}, {"scale", "amax_scales"}, {"layout_a", "tma"},
                           {"layout_b", "row"}, {"y", "bf16"}, {"gap", "16"}, {"padding", "nan"}, {"seed", "1"}, {"warp", "32"}};
  const std::unique_ptr<const BoundCase> bound = grouped.bind(case_of(grouped, cells, {}));
  const Problem problem = bound->problem();
  EXPECT_EQ(find(problem.tensors, "a").spec.strides, (std::vector<int64_t>{160 + 16, 1}));
  EXPECT_EQ(find(problem.tensors, "b").spec.strides, (std::vector<int64_t>{128 * 160, 160, 1}));
  EXPECT_EQ(find(problem.tensors, "d").spec.strides, (std::vector<int64_t>{128 + 16, 1}));
  const Part d = bound->expect(problem, nullptr).any_of.front().parts.front();
  EXPECT_EQ(d.places.of(3, 5, 128), 128 * (128 + 16) + 5) << "row 3 is the first of the last expert, whose tile begins at row 128";
  std::set<int64_t> padding;
  d.padding([&](const Padding& element) { padding.insert(element.offset); });
  EXPECT_EQ(int64_t(padding.size()), find(problem.tensors, "d").spec.storage - 5 * 128);
  EXPECT_TRUE(padding.contains(128)) << "the gap behind the first row";
  EXPECT_THAT(refusal_of(grouped, cells, {{"contract", "deepgemm.m_grouped_fp8_gemm_masked.sm_90"}, {"room", "128"}}),
              HasSubstr("'by index' or 'psum', but deepgemm.m_grouped_fp8_gemm_masked.sm_90 has experts 'masked'"));
}

const TestCells kTwo = {{"contract", "gemm.two"}, {"m", "5"}, {"n", "24"}, {"k", "416"}, {"fill", "amax_scaled"}, {"b", "amax_scaled"},
                        {"scales", "1x128+tensor_1x128+tensor"}, {"scale", "scales"}, {"layout_a", "col"}, {"layout_b", "row"}, {"y", "f32"},
                        {"c", ""}, {"seed", "1"}, {"warp", "32"}};
const TestCells kRows = {{"contract", "gemm.rows"}, {"scales", "1x128+row_1x128+row"}};

const Op& gemm() { return shipped_ops().find("gemm_block_scaled"); }

class GemmTwoLevels : public WithTwoLevels {
 protected:
  explicit GemmTwoLevels(const TestCells& changed = {}) : one(case_of(gemm(), kTwo, changed)), bound(gemm().bind(one)), problem(bound->problem()) {}

  std::vector<int32_t> right() const { return computed(bound->expect(problem, nullptr))[0].low; }
  double scale(const char* role, int64_t at = 0) const { return decode(kF32, find(problem.tensors, role).code(at)); }
  std::vector<std::string> blind_mutants() const {
    std::vector<std::string> blind;
    for (const Hypothesis& wrong : bound->mutants())
      if (wrong.name.find("global_scale") != std::string::npos || wrong.name.find("is left out") != std::string::npos)
        if (computed(wrong.expect(problem, nullptr))[0].low == right()) blind.push_back(wrong.name);
    return blind;
  }

  const Case one;
  const std::unique_ptr<const BoundCase> bound;
  const Problem problem;
};
class GemmOuterRows : public GemmTwoLevels {
 protected:
  GemmOuterRows() : GemmTwoLevels(kRows) {}
};

std::vector<std::string> names(const std::vector<Hypothesis>& mutants) {
  std::vector<std::string> all;
  for (const Hypothesis& one : mutants) all.push_back(one.name);
  return all;
}

/// The results in f32, without the outer scales (the scales to which block scales are relative).
std::vector<double> without_outer(const Problem& of_two) {
  const Case one = case_of(gemm(), kTwo, {{"contract", "gemm.one"}, {"scales", "1x128_1x128"}});
  const auto bound = gemm().bind(one);
  Problem problem = bound->problem();
  for (HostTensor& tensor : problem.tensors)
    if (tensor.spec.role == Role::kInput) tensor.bytes = find(of_two.tensors, tensor.spec.name).bytes;
  const std::vector<WholePart> parts = computed(bound->expect(problem, nullptr));
  std::vector<double> values;
  for (const int32_t ordinal : parts[0].low) values.push_back(decode(kF32, code_from_ordinal(kF32, ordinal)));
  return values;
}

TEST_F(GemmTwoLevels, TheResultIsThatOfTheBlocksTimesBothScales) {
  const double ga = scale("global_scale_a"), gb = scale("global_scale_b");
  ASSERT_NE(ga, gb);
  const std::vector<double> blocks = without_outer(problem);
  const std::vector<int32_t> all = right();
  for (size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(decode(kF32, code_from_ordinal(kF32, all[i])), double(float(double(float(blocks[i] * ga)) * gb))) << i;
}

TEST_F(GemmOuterRows, EachRowAndColumnHasItsOwn) {
  const std::vector<double> blocks = without_outer(problem);
  const std::vector<int32_t> all = right();
  ASSERT_EQ(find(problem.tensors, "global_scale_a").spec.shape, std::vector<int64_t>{5});
  for (int64_t i = 0; i < int64_t(all.size()); ++i) {
    const double both = double(float(scale("global_scale_a", i / 24) * scale("global_scale_b", i % 24)));
    ASSERT_EQ(decode(kF32, code_from_ordinal(kF32, all[size_t(i)])), double(float(blocks[size_t(i)] * both))) << i;
  }
}

TEST_F(GemmTwoLevels, TheDataShowEveryMistakeOfTheOuterLevel) {
  EXPECT_THAT(names(bound->mutants()), IsSupersetOf({"y: ga is left out", "y: gb is left out", "global_scale_a: its reciprocal", "global_scale_b: its reciprocal"}));
  EXPECT_THAT(names(bound->mutants()), Not(Contains("global_scale_a: of the next row"))) << "there is one";
  EXPECT_THAT(blind_mutants(), testing::IsEmpty());
}

TEST_F(GemmOuterRows, TheDataShowAScaleOfAnotherRow) {
  EXPECT_THAT(names(bound->mutants()), IsSupersetOf({"global_scale_a: of the next row", "global_scale_b: of the first row"}));
  EXPECT_THAT(blind_mutants(), testing::IsEmpty());
}

TEST_F(GemmOuterRows, SomeRowsKeepTheirScales) {
  const CaseOfRows some = bound->with_rows(problem, {3, 1});
  const std::vector<int32_t> rows = computed(some.bound->expect(some.problem, nullptr))[0].low, all = right();
  EXPECT_TRUE(std::equal(rows.begin(), rows.begin() + 24, all.begin() + 3 * 24));
  EXPECT_TRUE(std::equal(rows.begin() + 24, rows.end(), all.begin() + 24));
}

TEST_F(GemmOuterRows, RelationsHoldAndChangeTheOuterScales) {
  const std::vector<int32_t> plain = right();
  std::vector<std::string> said;
  for (const Relation& relation : bound->relations(problem)) {
    if (relation.rung == "pitch") continue;  // bound->expect() reads rows without gaps
    said.push_back(relation.what);
    const std::vector<int32_t> other = computed(bound->expect(relation.problem, nullptr))[0].low;
    bool any_differs = false;
    for (size_t i = 0; i < other.size(); ++i) {
      if (relation.same_as[i] == Relation::kAnything)
        any_differs |= other[i] != plain[i];
      else
        ASSERT_EQ(other[i], plain[size_t(relation.same_as[i])]) << relation.what << " " << i;
    }
    EXPECT_TRUE(any_differs || relation.rung != "scales") << relation.what;
  }
  EXPECT_THAT(said, IsSupersetOf({"a changed global scale of row 2 of a", "a changed global scale of row 12 of b"}));
}

TEST_F(GemmTwoLevels, ADumpIsRecognized) {
  DumpedRoles roles;
  for (HostTensor tensor : problem.tensors) {
    tensor.bytes.resize(tensor.spec.bytes());
    roles[tensor.spec.name] = {tensor, "dump.safetensors", tensor.spec.name, std::string(tensor.spec.format->name), false};
  }
  const DumpCase dump = gemm().case_of_dump(gemm(), {"gemm.two", roles});
  EXPECT_EQ(dump.one.text("scales"), "1x128+tensor_1x128+tensor");
  EXPECT_EQ(find(dump.problem.tensors, "global_scale_a").spec.shape, std::vector<int64_t>{1});
  for (const char* role : {"global_scale_a", "global_scale_b"})
    EXPECT_TRUE(std::any_of(gemm().roles.begin(), gemm().roles.end(), [&](const RoleSpec& known) { return known.name == role; }))
        << "a dump is searched for the tensors that roles names";
}

TEST_F(GemmTwoLevels, TheTraceNamesBothScales) {
  std::string trace;
  for (const std::string& line : bound->trace(problem, 1, 2)) trace += line + "\n";
  EXPECT_THAT(trace, HasSubstr("ga = "));
  EXPECT_THAT(trace, HasSubstr("gb = "));
  EXPECT_THAT(trace, HasSubstr("  mul(gb)"));
}

TEST_F(GemmTwoLevels, RemarksCompareWithTheScaledProduct) {
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  const std::vector<int32_t> all = right();
  for (size_t i = 0; i < all.size(); ++i) outputs[0].set_code(int64_t(i), code_from_ordinal(kF32, all[i]));
  const std::string kBefore = "the worst element differs from the exact product by ";
  const auto worst = [&](const std::string& note) { return std::stod(note.substr(note.find(kBefore) + kBefore.size())); };
  EXPECT_LT(worst(bound->remarks(problem, outputs).front()), 1e6) << "in ULP of f32, which 14 bits of the sums lose";
  for (size_t i = 0; i < all.size(); ++i)
    outputs[0].set_code(int64_t(i), code_of(kF32, double(float(decode(kF32, code_from_ordinal(kF32, all[i])) * scale("global_scale_a")))));
  EXPECT_GT(worst(bound->remarks(problem, outputs).front()), 1e6) << "a scale that is multiplied twice";
}

}  // namespace

}  // namespace assay::gemm_two_levels_test

namespace assay::gemm_groups_test {

// GEMMs whose rows belong to experts: results compared with an oracle, unused rows, mutants, and rejected cases.

namespace {

using testing::HasSubstr;
using Matrix = Eigen::MatrixXd;

const TestCells kGroups = {{"contract", "grouped.0"},
                           {"tokens", "3;0;5"},
                           {"room", ""},
                           {"order", "ascending"},
                           {"padding", "filled"},
                           {"align", ""},
                           {"n", "256"},
                           {"k", "416"},
                           {"fill", "few_maxima"},
                           {"b", "few_maxima"},
                           {"scales", "1x128_128x128"},
                           {"scale", "amax_scales"},
                           {"layout_a", "tma"},
                           {"layout_b", "row"},
                           {"y", "bf16"},
                           {"c", ""},
                           {"seed", "1"},
                           {"warp", "32"}};

constexpr GroupOrder kOrders[] = {GroupOrder::kContiguous, GroupOrder::kMasked, GroupOrder::kOffsets, GroupOrder::kByIndex, GroupOrder::kPsum};

std::string contract_of(GroupOrder order) { return "grouped." + std::to_string(int(order)); }

Op grouped() {
  Op op = gemm_op({.name = "grouped", .of_blocks = true, .scales = {{"scale_a", Access::kIn, "scales of a"}, {"scale_b", Access::kIn, "scales of b"}},
                   .columns = {}, .experts = roles_of_experts()});
  for (const auto& [column, cell] : kGroups) op.columns.push_back(column);
  return op;
}

/// Opens the registry with a contract for each order of groups, and afterwards the shipped registry again.
class GemmGroups : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string file = (std::filesystem::temp_directory_path() / ("groups_" + std::to_string(::getpid()) + ".csv")).string();
    std::ofstream table(file);
    table << "id,unit,promote,join,split,scales,y,bias,out,layouts,experts,tile_rows,padding,since,until,source,why\n";
    for (const GroupOrder order : kOrders) {
      const bool tiles = order == GroupOrder::kMasked || order == GroupOrder::kByIndex || order == GroupOrder::kPsum;
      add_row(table, contract_of(order), order, order == GroupOrder::kContiguous ? "" : tiles ? "undefined" : "untouched",
              order == GroupOrder::kPsum ? "4" : "");
    }
    add_row(table, "grouped.zero", GroupOrder::kByIndex, "zero");
    add_row(table, "grouped.tiles", GroupOrder::kMasked, "undefined in tiles", "2");
    table.close();
    open_rulebook(ASSAY_SOURCE_DIR, {file});
    std::filesystem::remove(file);
  }
  static void TearDownTestSuite() { open_rulebook(ASSAY_SOURCE_DIR); }

 private:
  static void add_row(std::ostream& table, const std::string& id, GroupOrder order, const std::string& padding,
                      const std::string& tile_rows = "") {
    table << id << ",sm_90.wgmma.e4m3.f32,every(128),\"fma(sa*sb,acc)\",none,1x128_128x128,to(y),,bf16,tma," << name(order) << ","
          << tile_rows << "," << padding << ",2026,,here,because\n";
  }
};

/// A case whose codes are -1, 0 and 1 and whose scales are 1/2, 1 and 2, so that every sum is exact.
struct Exact {
  Op op;
  Case one;
  GemmCase c;
  std::unique_ptr<const BoundCase> bound;
  Problem problem;

  explicit Exact(GroupOrder order, const std::string& contract = "", const TestCells& changed = {})
      : op(grouped()),
        one(case_of(op, with_cells(order, changed), {{"contract", contract.empty() ? contract_of(order) : contract}})),
        c(read_gemm_case(one)),
        bound(op.bind(one)),
        problem(bound->problem()) {
    int64_t count = 0;
    for (const char* role : {"a", "b"}) {
      HostTensor& tensor = find(problem.tensors, role);
      for (int64_t i = 0; i < tensor.spec.elements(); ++i) tensor.set_code(i, code_of(kE4M3Fn, double((count++ * 7919 >> 3) % 3 - 1)));
    }
    for (const auto& [role, scale] : {std::pair("scale_a", &c.scale_a), std::pair("scale_b", &c.scale_b)})
      for (int64_t row = 0; row < scale->grid().rows; ++row)
        for (int64_t block = 0; block < scale->grid().columns; ++block)
          scale->set(find(problem.tensors, role), row, block, std::ldexp(1.0, int((row + 2 * block + row / 3) % 3) - 1));
  }

  static TestCells with_cells(GroupOrder order, const TestCells& changed) {
    TestCells cells = kGroups;
    if (order == GroupOrder::kMasked) cells["room"] = "6";
    if (order == GroupOrder::kOffsets || order == GroupOrder::kByIndex) cells["align"] = "4";
    for (const auto& [column, cell] : changed) cells[column] = cell;
    return cells;
  }
  Matrix values(const char* role, int64_t rows) const {
    const HostTensor& tensor = find(problem.tensors, role);
    return Matrix::NullaryExpr(rows, c.k, [&](Eigen::Index row, Eigen::Index k) { return decode(kE4M3Fn, tensor.code(row * c.k + k)); });
  }
  /// d for all stored rows: each row is multiplied by the weights of its expert. Rows without expert are 0.
  Matrix oracle() const {
    const Matrix a = values("a", c.stored_rows()), b = values("b", c.rows_of_b());
    const ScaleValues sa = c.scale_a.values(find(problem.tensors, "scale_a")), sb = c.scale_b.values(find(problem.tensors, "scale_b"));
    Matrix d = Matrix::Zero(c.stored_rows(), c.n);
    const std::vector<int64_t> expert = c.groups.index();
    for (int64_t row = 0; row < d.rows(); ++row)
      for (int64_t n = 0; n < c.n && expert[size_t(row)] >= 0; n += 128)
        for (int64_t k = 0; k < c.k; k += 128) {
          const int64_t first = expert[size_t(row)] * c.n + n, length = std::min<int64_t>(128, c.k - k);
          d.row(row).segment(n, 128) += sa.at(row, k) * sb.at(first, k) * a.row(row).segment(k, length) * b.block(first, k, 128, length).transpose();
        }
    return d;
  }
  std::vector<HostTensor> outputs(const Matrix& d) const {
    std::vector<HostTensor> all = {find(problem.tensors, "d")};
    all[0].bytes.resize(all[0].spec.bytes());
    for (int64_t i = 0; i < d.size(); ++i)
      all[0].set_code(i, code_of(kBf16, round_to(kBf16, d(i / c.n, i % c.n), Rounding::kNearestEven, Overflow::kSpecial)));
    return all;
  }
  /// Bytes of d in rows that belong to no expert.
  std::vector<ByteRange> unused() const {
    std::vector<ByteRange> ranges;
    c.groups.for_each_unused([&](int64_t row) { ranges.push_back({row * c.n * 2, (row + 1) * c.n * 2}); });
    return ranges;
  }
};

TEST_F(GemmGroups, EachRowMeetsTheWeightsOfItsExpert) {
  for (const GroupOrder order : kOrders) {
    const Exact of(order);
    const Expectation right = of.bound->expect(of.problem, nullptr);
    const Matrix d = of.oracle();
    ASSERT_GT(d.cwiseAbs().maxCoeff(), 8);
    EXPECT_TRUE(compare(right, of.outputs(d), {of.unused()}).agrees()) << name(order);
    Matrix wrong = d;
    wrong.row(of.c.groups.stored_row(4)) = d.row(of.c.groups.stored_row(3));
    EXPECT_FALSE(compare(right, of.outputs(wrong), {of.unused()}).agrees()) << name(order);
  }
}

TEST_F(GemmGroups, TensorsStateWhereTheRowsOfEachExpertLie) {
  const Exact offsets(GroupOrder::kOffsets);
  EXPECT_THAT(integers_of(offsets.problem.tensors, "expert_offsets"), ElementsAre(0, 4, 4)) << "an expert without rows begins where the next one does";
  EXPECT_THAT(integers_of(offsets.problem.tensors, "problem_sizes"), ElementsAre(3, 256, 416, 0, 256, 416, 5, 256, 416));
  const Exact down(GroupOrder::kOffsets, "", {{"order", "descending"}, {"align", ""}, {"room", "11"}});
  EXPECT_THAT(integers_of(down.problem.tensors, "expert_offsets"), ElementsAre(5, 0, 0));
  EXPECT_EQ(down.c.stored_rows(), 11);
  EXPECT_THAT(integers_of(Exact(GroupOrder::kContiguous).problem.tensors, "expert_ends"), ElementsAre(3, 3, 8));
  const Exact psum(GroupOrder::kPsum);
  EXPECT_THAT(integers_of(psum.problem.tensors, "expert_ends"), ElementsAre(3, 4, 9)) << "each begins at the next multiple of 4";
  EXPECT_EQ(psum.c.stored_rows(), 12);
}

TEST_F(GemmGroups, ExpertsAlongKHaveAKOfTheirOwn) {
  const Op op = grouped();
  const Case one = case_of(op, kGroups, {{"contract", "deepgemm.k_grouped_fp8_gemm_nt_contiguous.sm_90"}, {"tokens", "256;0;128"}, {"room", "3"}, {"n", "2"},
                                         {"k", "256"}, {"scales", "1x128_1x128"}, {"layout_b", "tma"}, {"y", "f32"}, {"c", "ones"}});
  const std::unique_ptr<const BoundCase> bound = op.bind(one);
  Problem problem = bound->problem();
  EXPECT_THAT(integers_of(problem.tensors, "expert_products"), ElementsAre(256, 0, 128));
  HostTensor &a = find(problem.tensors, "a"), &b = find(problem.tensors, "b"), &sa = find(problem.tensors, "scale_a"), &sb = find(problem.tensors, "scale_b");
  ASSERT_EQ(a.spec.shape, (std::vector<int64_t>{3 * 384}));
  ASSERT_EQ(sa.spec.shape, (std::vector<int64_t>{3, 3}));
  for (HostTensor* codes : {&a, &b})
    for (int64_t i = 0; i < codes->spec.elements(); ++i) codes->set_code(i, code_of(kE4M3Fn, double(i * 7919 / 8 % 3 - 1)));
  const auto scale = [](int64_t row, int64_t block) { return std::ldexp(1.0, int((row + 2 * block) % 3)); };
  for (const auto& [tensor, rows] : {std::pair(&sa, 3), std::pair(&sb, 2)})
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t block = 0; block < 3; ++block) tensor->set_code(row + block * 4, code_of(kF32, scale(row, block)));
  HostTensor d = find(problem.tensors, "d");
  d.bytes.resize(d.spec.bytes());
  const std::vector<int64_t> k = {256, 0, 128}, before = {0, 256, 256};
  for (int64_t row = 0; row < 9; ++row)
    for (int64_t n = 0; n < 2; ++n) {
      double sum = 1;
      const auto expert = size_t(row / 3);
      for (int64_t i = 0; i < k[expert]; ++i) {
        const int64_t block = (before[expert] + i) / 128;
        sum += decode(kE4M3Fn, a.code(before[expert] * 3 + row % 3 * k[expert] + i)) * decode(kE4M3Fn, b.code(before[expert] * 2 + n * k[expert] + i)) *
               scale(row % 3, block) * scale(n, block);
      }
      d.set_code(row * 2 + n, code_of(kF32, sum));
    }
  const Expectation right = bound->expect(problem, nullptr);
  EXPECT_TRUE(compare(right, {d}, {{}}).agrees());
  EXPECT_EQ(decode(kF32, d.code(3 * 2)), 1) << "an expert without a k has c";
  d.set_code(6 * 2, d.code(0));
  EXPECT_FALSE(compare(right, {d}, {{}}).agrees());
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", "deepgemm.k_grouped_fp8_gemm_nt_contiguous.sm_90"}, {"tokens", "256;64"}, {"room", "3"}, {"n", "2"}, {"k", "256"},
                                       {"scales", "1x128_1x128"}, {"layout_b", "tma"}, {"y", "f32"}, {"c", "ones"}}),
              HasSubstr("expected multiples of 128, the number of elements along k that share a scale, got 64"));
}

TEST_F(GemmGroups, UnusedRowsAreLeftAloneUnlessTilesAreStored) {
  for (const GroupOrder order : kOrders) {
    const Exact of(order);
    Matrix d = of.oracle();
    of.c.groups.for_each_unused([&](int64_t row) { d.row(row).setConstant(3); });
    const bool may = order != GroupOrder::kOffsets;  // groups at offsets have no unused rows
    EXPECT_EQ(compare(of.bound->expect(of.problem, nullptr), of.outputs(d), {{}}).agrees(), may) << name(order);
  }
}

/// For each unused stored row: the padding rule of its first element.
std::map<int64_t, PaddingRule> rules_of(const Exact& of) {
  std::map<int64_t, PaddingRule> rules;
  of.bound->expect(of.problem, nullptr).parts().front().padding([&](const Padding& padding) {
    rules.emplace(padding.at[0], padding.rule);
  });
  return rules;
}

TEST_F(GemmGroups, TheContractSaysWhatUnusedRowsHold) {
  const Exact zero(GroupOrder::kByIndex, "grouped.zero");
  for (const auto& [row, rule] : rules_of(zero)) EXPECT_EQ(rule, PaddingRule::kZero) << row;
  Matrix d = zero.oracle();
  EXPECT_TRUE(compare(zero.bound->expect(zero.problem, nullptr), zero.outputs(d), {{}}).agrees());
  zero.c.groups.for_each_unused([&](int64_t row) { d(row, 0) = 3; });
  EXPECT_FALSE(compare(zero.bound->expect(zero.problem, nullptr), zero.outputs(d), {{}}).agrees());
  // Tiles of two rows: unused row 3 of expert 0 shares a tile with row 2, which is in use. The tile of rows 4 and 5 is unused.
  const std::map<int64_t, PaddingRule> tiles = rules_of(Exact(GroupOrder::kMasked, "grouped.tiles"));
  EXPECT_EQ(tiles, (std::map<int64_t, PaddingRule>{{3, PaddingRule::kFree},
                                                   {4, PaddingRule::kUntouched},
                                                   {5, PaddingRule::kUntouched},
                                                   {6, PaddingRule::kUntouched},
                                                   {7, PaddingRule::kUntouched},
                                                   {8, PaddingRule::kUntouched},
                                                   {9, PaddingRule::kUntouched},
                                                   {10, PaddingRule::kUntouched},
                                                   {11, PaddingRule::kUntouched},
                                                   {17, PaddingRule::kFree}}));
}

TEST_F(GemmGroups, NaNInUnusedRowsReachesNoOtherRow) {
  for (const GroupOrder order : {GroupOrder::kMasked, GroupOrder::kByIndex}) {
    const Exact plain(order), spoiled(order, "", {{"padding", "nan"}});
    const HostTensor a = find(spoiled.bound->problem().tensors, "a");
    spoiled.c.groups.for_each_unused(
        [&](int64_t row) { EXPECT_TRUE(std::isnan(decode(kE4M3Fn, a.code(row * spoiled.c.k)))) << row; });
    const auto low = [](const Exact& of) { return computed(of.bound->expect(of.bound->problem(), nullptr))[0].low; };
    EXPECT_NE(plain.bound->problem().tensors[0].bytes, spoiled.bound->problem().tensors[0].bytes);
    EXPECT_EQ(low(plain), low(spoiled)) << name(order);
    EXPECT_NE(plain.one.id, spoiled.one.id);
  }
}

TEST_F(GemmGroups, MaskedExpertsHaveScalesOfTheirOwn) {
  const Exact of(GroupOrder::kMasked, "", {{"room", "8"}});
  const TensorSpec& scale = find(of.problem.tensors, "scale_a").spec;
  EXPECT_EQ(scale.shape, (std::vector<int64_t>{3, 8, 4}));
  EXPECT_EQ(scale.strides, (std::vector<int64_t>{4 * 8, 1, 8}));
  EXPECT_EQ(find(of.problem.tensors, "scale_b").spec.shape, (std::vector<int64_t>{3, 2, 4}));
  HostTensor changed = find(of.problem.tensors, "scale_a");
  of.c.scale_a.set(changed, 9, 2, 4);
  EXPECT_EQ(decode(kF32, changed.code(32 + 2 * 8 + 1)), 4) << "row 1 of expert 1, block 2";
}

TEST_F(GemmGroups, ExpertsMayLieInDescendingOrder) {
  const Exact of(GroupOrder::kByIndex, "", {{"order", "descending"}});
  EXPECT_EQ(of.c.groups.index(), (std::vector<int64_t>{2, 2, 2, 2, 2, -1, -1, -1, 0, 0, 0, -1}));
  EXPECT_TRUE(compare(of.bound->expect(of.problem, nullptr), of.outputs(of.oracle()), {of.unused()}).agrees());
  const Exact room(GroupOrder::kByIndex, "", {{"room", "16"}});
  EXPECT_EQ(room.c.groups.stored_rows(), 16);
  EXPECT_EQ(room.c.groups.rows(), 8);
}

TEST_F(GemmGroups, EveryMutantShows) {
  const Exact of(GroupOrder::kByIndex, "", {{"padding", "nan"}, {"align", "64"}, {"tokens", "3;0;64;5"}});
  const Problem problem = of.bound->problem();
  const std::vector<int32_t> right = computed(of.bound->expect(problem, nullptr))[0].low;
  std::set<std::string> blind, all;
  for (const Hypothesis& wrong : of.bound->mutants()) {
    all.insert(wrong.name);
    if ((wrong.name.find("expert") != std::string::npos || wrong.name.find("NaN") != std::string::npos) &&
        computed(wrong.expect(problem, nullptr))[0].low == right)
      blind.insert(wrong.name);
  }
  EXPECT_EQ(blind, std::set<std::string>());
  for (const char* wanted : {"b: weights of the next expert", "b: weights of the first expert for all",
                             "scale_b: of the next expert", "experts: numbered without the empty ones",
                             "experts: that of the row before each tile of 64 rows", "a: NaN of unused rows reaches their tile"})
    EXPECT_TRUE(all.contains(wanted)) << wanted;
  const Exact masked(GroupOrder::kMasked, "", {{"room", "8"}});
  bool seen = false;
  for (const Hypothesis& wrong : masked.bound->mutants()) seen |= wrong.name == "scale_a: all experts as one matrix";
  EXPECT_TRUE(seen);
}

TEST_F(GemmGroups, ScalesOfTheFirstExpertAreASuspectAlsoWithOneScaleForEachExpert) {
  for (const char* n : {"128", "256"})
    for (const char* k : {"128", "256"}) {
      const Exact of(GroupOrder::kByIndex, "", {{"n", n}, {"k", k}});
      std::optional<std::vector<int32_t>> first_expert, first_columns;
      for (const Hypothesis& wrong : of.bound->mutants()) {
        if (wrong.name == "scale_b: all experts use the scales of the first expert") {
          EXPECT_TRUE(wrong.suspect);
          first_expert = computed(wrong.expect(of.problem, nullptr))[0].low;
        }
        if (wrong.name == "scale_b: of the first 128 columns") first_columns = computed(wrong.expect(of.problem, nullptr))[0].low;
      }
      ASSERT_TRUE(first_expert && first_columns) << n << " columns";
      EXPECT_NE(*first_expert, computed(of.bound->expect(of.problem, nullptr))[0].low);
      EXPECT_EQ(*first_expert == *first_columns, std::string_view(n) == "128") << n << " columns, k " << k;
    }
}

TEST_F(GemmGroups, ASubsampleKeepsEveryExpertThatHasRows) {
  const Exact of(GroupOrder::kOffsets);
  const GemmCase few = of.c.resized(2, 128);
  EXPECT_EQ(few.groups.sizes(), (std::vector<int64_t>{1, 0, 1}));
  EXPECT_EQ(few.m, 2);
  EXPECT_EQ(few.scale_b.grid().rows, 3);
}

TEST_F(GemmGroups, WhatExpertsDoNotTakeIsRefused) {
  const Op op = grouped();
  EXPECT_THAT(refusal_of(op, kGroups, {{"n", "200"}}), HasSubstr("expected a multiple of 128, the rows of b that share a scale, got 200"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", contract_of(GroupOrder::kMasked)}, {"room", "4"}}), HasSubstr("tokens"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", contract_of(GroupOrder::kMasked)}, {"room", "8"}, {"align", "4"}}), HasSubstr("align"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", "grouped.tiles"}, {"room", "7"}}),
              HasSubstr("expected a multiple of 2 rows"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", contract_of(GroupOrder::kContiguous)}, {"room", "8"}}),
              HasSubstr("contiguous experts have no unused rows"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", contract_of(GroupOrder::kByIndex)}, {"room", "8"}, {"align", "4"}}),
              HasSubstr("12 rows do not fit into room = 8 rows"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"padding", "zeros"}}), HasSubstr("expected filled or nan"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"order", "descending"}}), HasSubstr("only experts by index or at offsets may be in descending order"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"order", "up"}}), HasSubstr("expected ascending or descending"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"layout_b", "tma"}}), HasSubstr("'tma' is not one of: row, col"));
  EXPECT_THAT(refusal_of(op, kGroups, {{"contract", "deepgemm.fp8_gemm_1d2d.sm_90"}, {"m", "4"}}),
              HasSubstr("is not a grouped GEMM"));
  EXPECT_FALSE(op.takes("deepgemm.fp8_gemm_1d2d.sm_90"));
  EXPECT_TRUE(op.takes(contract_of(GroupOrder::kMasked)));
  EXPECT_FALSE(shipped_ops().find("gemm_block_scaled").takes(contract_of(GroupOrder::kMasked)));
}

}  // namespace

}  // namespace assay::gemm_groups_test
