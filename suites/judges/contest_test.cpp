// The inputs that recipes make (inputs of other projects' tests), and the cache of results.
#include "suites/judges/contest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "harness/core/cases.h"
#include "reference/formats/catalogue.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::judges {
namespace {

// The inputs that recipes produce: data, shapes, rank counts and warm-up calls.

std::vector<double> values_of(const std::string& recipe, size_t scale, const char* tensor) {
  open_rulebook(".");
  const std::vector<Recipe> recipes = load_recipes("suites/judges/recipes.csv");
  const auto found = std::find_if(recipes.begin(), recipes.end(), [&](const Recipe& r) { return r.id == recipe; });
  const std::string op = found->gamma == "ones" ? "quant_group" : "rms_norm";
  const std::vector<Case> quick =
      select_cases(load_cases(shipped_ops().all(), "."), {.suites = {op + "/quick"}, .cases = {}, .arch = {}, .warp = {}});
  const KernelOffer kernel{.name = "any", .op = op, .contracts = {quick[0].text("contract")}};
  const std::vector<Trial> made = trials(*found, kernel, quick);
  EXPECT_EQ(made.size(), found->shapes.size() * kScales.size());
  std::vector<double> values;
  const HostTensor& x = find(made.at(scale).problem.tensors, tensor);
  for (int64_t i = 0; i < x.spec.elements(); ++i) values.push_back(decode(*x.spec.format, x.code(i)));
  return values;
}

TEST(Recipes, AFactorIsAppliedAfterTheFillIsRounded) {
  const std::vector<double> x = values_of("vllm_group", 1, "x"), small = values_of("vllm_group", 0, "x");
  double squares = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(small[i] * 1024, x[i]);
    squares += x[i] * x[i];
  }
  EXPECT_NEAR(squares / double(x.size()), 64, 6);
}

TEST(Recipes, HiddenDividesAndWeightsAreNormal) {
  const std::vector<double> x = values_of("vllm_norm", 1, "x"), gamma = values_of("aiter_norm", 1, "gamma");
  EXPECT_LT(*std::max_element(x.begin(), x.end()), 6.0 / (2 * 768));
  EXPECT_LT(*std::min_element(gamma.begin(), gamma.end()), -1);
}

/// The trials of recipe `id` on cases of op all_reduce: inputs for groups of 2, 4 and 8 ranks.
std::vector<Trial> trials_of_ranks(const std::string& id, const std::string& contract) {
  open_rulebook(".");
  const std::vector<Recipe> recipes = load_recipes("suites/judges/recipes.csv");
  const auto found = std::find_if(recipes.begin(), recipes.end(), [&](const Recipe& r) { return r.id == id; });
  const std::vector<Case> quick =
      select_cases(load_cases(shipped_ops().all(), "."), {.suites = {"all_reduce/quick"}, .cases = {}, .arch = {}, .warp = {}});
  return trials(*found, {.name = "any", .op = "all_reduce", .contracts = {contract}}, quick);
}

TEST(Recipes, EachRankHasItsShareOfTheFactorAndCallsBeforeAreWhatTheRecipeSays) {
  const std::vector<Trial> same = trials_of_ranks("flashinfer_fusion", "vllm.all_reduce_1stage"),
                           other = trials_of_ranks("sglang_ranks", "vllm.all_reduce_1stage");
  ASSERT_EQ(same.size(), 3u * 3 * kScales.size()) << "shapes, ranks, scales";
  EXPECT_EQ(same.front().problem.ranks, 2);
  EXPECT_EQ(same.back().problem.ranks, 8);
  ASSERT_EQ(same.front().problem.before.size(), 4u);
  ASSERT_EQ(other.front().problem.before.size(), 2u);
  for (size_t i = 0; i < same.front().problem.tensors.size(); ++i) {
    const HostTensor &now = same.front().problem.tensors[i], &then = same.front().problem.before[3].tensors[i];
    EXPECT_EQ(now.bytes, then.bytes);
    if (now.spec.role == Role::kInput) {
      EXPECT_EQ(decode(*now.spec.format, now.code(7)) * 1024, decode(*now.spec.format, same[1].problem.tensors[i].code(7)));
    }
  }
  EXPECT_NE(other.front().problem.tensors[0].bytes, other.front().problem.before[0].tensors[0].bytes);
}

TEST(Recipes, OfMatrixProductsHaveAThirdExtentAndScaleTheirResult) {
  open_rulebook(".");
  const std::vector<Recipe> recipes = load_recipes("suites/judges/recipes.csv");
  const auto named = [&](const char* id) {
    return *std::find_if(recipes.begin(), recipes.end(), [&](const Recipe& r) { return r.id == id; });
  };
  const std::vector<Case> quick =
      select_cases(load_cases(shipped_ops().all(), "."), {.suites = {"gemm_scaled/quick"}, .cases = {}, .arch = {}, .warp = {}});
  const KernelOffer kernel{.name = "any", .op = "gemm_scaled", .contracts = {"torch.scaled_mm_row.sm_90"}};
  const std::vector<Trial> made = trials(named("torch_scaled_mm"), kernel, quick);
  ASSERT_EQ(made.size(), kScales.size());
  EXPECT_EQ(made[0].one.text("k"), "128");
  EXPECT_EQ(made[0].one.text("y"), "bf16");
  const auto scale = [&](size_t i) {
    const HostTensor& s = find(made[i].problem.tensors, "scale_a");
    return decode(*s.spec.format, s.code(3));
  };
  EXPECT_EQ(scale(2), scale(1) * 1024);
  EXPECT_EQ(scale(0), scale(1) / 1024);
  EXPECT_EQ(find(made[0].problem.tensors, "a").bytes, find(made[2].problem.tensors, "a").bytes);
  EXPECT_TRUE(trials(named("vllm_norm"), kernel, quick).empty()) << "a recipe of rows is none of products";
}

TEST(Recipes, AFormatThatTheContractDoesNotTakeIsPassedOver) {
  EXPECT_EQ(trials_of_ranks("vllm_chunked", "vllm.all_reduce_1stage").front().one.text("x"), "bf16");
  EXPECT_EQ(trials_of_ranks("vllm_chunked", "quickreduce.all_reduce_int4.gfx942").front().one.text("x"), "f16");
  EXPECT_TRUE(trials_of_ranks("vllm_group", "vllm.all_reduce_1stage").empty()) << "a recipe without ranks";
}

std::string complaint_about_before(const std::string& before) {
  const std::string file = testing::TempDir() + "judges_recipes.csv";
  std::ofstream(file) << "recipe,x,fill,factor,offset,over_n,gamma,eps,shapes,ranks,before,source,status,why\n"
                      << "a,bf16,normal,1,,,ones,1e-6,1x8,2," << before << ",s,read,w\n";
  try {
    load_recipes(file);
  } catch (const TableError& error) {
    return error.name() + ": " + error.problem();
  }
  return "";
}

TEST(Recipes, CallsBeforeAreANumber) {
  EXPECT_EQ(complaint_about_before("3"), "");
  EXPECT_EQ(complaint_about_before("3 same"), "");
  EXPECT_EQ(complaint_about_before("3 as one"), "before: expected a number of calls, or a number and 'same', such as '3 same'");
  EXPECT_EQ(complaint_about_before("-1"), "before: expected a number of calls, or a number and 'same', such as '3 same'");
}

// A cached result is used only while everything on which it depends is unchanged.

/// A kernel of rms_norm that sets all output bytes to one value, two of its cases, and a cache file.
struct Kitchen {
  std::filesystem::path folder = std::filesystem::temp_directory_path() / ("assay_kept_test_" + std::to_string(getpid()));
  std::string file = folder / "kept.json", table = folder / "rules.csv";
  std::byte byte{1};
  Backend backend;
  Contestant contestant{"mine", false, &backend, {.name = "mine", .op = "rms_norm"}};
  Field field;

  Kitchen() {
    std::filesystem::create_directory(folder);
    std::ofstream(table) << "id\n";
    open_rulebook(".");
    field.quick = select_cases(load_cases(std::span(&shipped_ops().find("rms_norm"), 1), "."), {.suites = {"quick"}});
    field.quick.resize(2);
    contestant.kernel.contracts = {field.quick[0].text("contract"), field.quick[1].text("contract")};
    backend.call = [this](const CallRequest&) {
      HostTensor y{};
      y.spec.name = "y";
      y.bytes.assign(8, byte);
      CallResult result;
      result.outputs = {y};
      return result;
    };
  }
  ~Kitchen() { std::filesystem::remove_all(folder); }

  /// Whether the results of the kernel are cached. If they are not, stores results.
  bool known() {
    Kept kept(file, field, {table});
    if (const auto marks = kept.of(contestant)) return marks->kind == "norm";
    Marks marks;
    marks.kind = "norm";
    kept.add(contestant, marks);
    return false;
  }
  int stale() {
    Kept kept(file, field, {table});
    (void)kept.of(contestant);
    return kept.stale();
  }
};

TEST(Kept, IsTakenAsLongAsNothingHasChanged) {
  Kitchen kitchen;
  EXPECT_FALSE(kitchen.known());
  EXPECT_TRUE(kitchen.known());
  EXPECT_EQ(kitchen.stale(), 0);
}

TEST(Kept, IsStaleOnceTheKernelReturnsSomethingElse) {
  Kitchen kitchen;
  EXPECT_FALSE(kitchen.known());
  kitchen.byte = std::byte{2};
  EXPECT_EQ(kitchen.stale(), 1);
  EXPECT_FALSE(kitchen.known());
  EXPECT_TRUE(kitchen.known()) << "measured again";
}

TEST(Kept, IsStaleOnceItsCasesOrATableChange) {
  Kitchen kitchen;
  EXPECT_FALSE(kitchen.known());
  const Case last = kitchen.field.quick.back();
  kitchen.field.quick.pop_back();
  EXPECT_EQ(kitchen.stale(), 1);
  kitchen.field.quick.push_back(last);
  EXPECT_EQ(kitchen.stale(), 0);
  std::ofstream(kitchen.table) << "id,part\n";
  EXPECT_EQ(kitchen.stale(), 1);
}

TEST(Kept, AFileOfSomethingElseIsNamed) {
  Kitchen kitchen;
  std::ofstream(kitchen.file) << "{\"mine\": {\"kind\": \"norm\"}}";  // the old format, without `state`
  EXPECT_THAT([&] { read_kept(kitchen.file); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("is not a file of measured kernels")));
}

}  // namespace
}  // namespace assay::judges
