// Cached results are only used while their state is unchanged.
#include "suites/judges/kept.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "harness/core/cases.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::judges {
namespace {

/// A kernel of rms_norm whose output bytes all have one value, two of its cases, and a cache file.
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

  /// Whether results are cached; otherwise stores some.
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
  std::ofstream(kitchen.file) << "{\"mine\": {\"kind\": \"norm\"}}";  // the old format, without a state
  EXPECT_THAT([&] { read_kept(kitchen.file); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("is no file of measured kernels")));
}

}  // namespace
}  // namespace assay::judges
