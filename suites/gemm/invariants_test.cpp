// Invariance levels of GEMMs: a correct GEMM passes all, and a GEMM that is right in the plain call but violates one invariant
// fails at that level.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "harness/run/ladder.h"
#include "reference/formats/catalogue.h"
#include "suites/gemm/expect.h"
#include "suites/gemm/scale_tensors.h"
#include "suites/testing/case_with.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Op& gemm() { return shipped_op("gemm_block_scaled"); }

/// Five tokens and 24 columns. Codes ascend, so that an order differs from its reverse.
struct Plain {
  Case one;
  Problem problem;

  Plain() {
    one = case_of(gemm(), {{"contract", "torch.scaled_mm_1x128_1x128.sm_90"}, {"m", "5"}, {"n", "24"}, {"k", "416"},
                      {"fill", "few_maxima"}, {"b", "few_maxima"}, {"scales", "1x128_1x128"}, {"scale", "amax_scales"},
                      {"layout_a", "col"}, {"layout_b", "row"}, {"y", "f32"}, {"c", ""}, {"seed", "1"}, {"warp", "32"}}, {});
    problem = gemm().bind(one)->problem();
    for (const char* role : {"a", "b"}) {
      HostTensor& tensor = find(problem.tensors, role);
      for (int64_t row = 0; row < tensor.spec.shape[0]; ++row) tensor.set_code(row * 416, uint32_t(0x20 + row));
    }
  }
};

/// The codes of all rows, without gaps.
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

/// A GEMM computed by the reference with the variant that `program_of` returns.
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

Climb climb_of(const Product& product) {
  static const Plain plain;
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
    for (const double scale : scale_values(find(problem.tensors, "scale_b"), c.shape_of_scale_b(), c.layout_b()).values) all += scale;
    return all;
  };
  const double whole = sum(plain.problem, read_gemm_case(plain.one));
  const Climb climb = climb_of({[&](const GemmCase& c, const Problem& problem) { return size_t(std::fabs(sum(problem, c) - whole) > 1e-9); }});
  EXPECT_EQ(climb.broken, "scales");
  EXPECT_THAT(climb.message, HasSubstr("another scale 12 of b"));
}

/// Strides that are derived from shapes (vLLM #55534).
TEST(GemmInvariants, RowsThatLieApartAreReadAsIfTheyDidNot) {
  Product packed;
  packed.knows_pitches = false;
  const Climb climb = climb_of(packed);
  EXPECT_EQ(climb.broken, "pitch");
}

}  // namespace
}  // namespace assay
