// Records of what data show: only those of the same sources, tables and declarations are believed.
#include "harness/golden/power_records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace assay {
namespace {

using testing::HasSubstr;

Case case_of(const std::string& op, const std::string& shape, std::vector<std::string> blind_to = {}) {
  Case one;
  one.op = op;
  one.set_name({op, "contract", shape, "normal", 32});
  one.blind_to = std::move(blind_to);
  return one;
}

/// A folder of its own for each test.
class Records : public testing::Test {
 protected:
  std::string folder = testing::TempDir() + "assay_power_" + testing::UnitTest::GetInstance()->current_test_info()->name();
  Case plain = case_of("norm", "m1"), declared = case_of("norm", "m2", {"gain *"}), other = case_of("cast", "m1");

  Power reckoned{3, {"drop \"x\"; y"}, {{"q", "e4m3fn", 512, {}, 1, 2, 3}, {"y, rank 1", "bf16", 8, {}, 0, 0, 0}}};

  void SetUp() override {
    for (const size_t code : {0, 1, 126, 255}) reckoned.data[0].codes.set(code);
    std::filesystem::remove_all(folder);
    Golden norm{"power", "norm", {}, {}, {}}, cast{"power", "cast", {}, {}, {}};
    norm.power[plain.data_id()] = {reckoned, declared_by(plain)};
    norm.power[declared.data_id()] = {{2, {"gain 2"}}, declared_by(declared)};
    cast.power[other.data_id()] = {{1}, ""};
    write_power_records(folder, "today", {{"norm", norm}, {"cast", cast}});
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  PowerRecords read(const std::string& made_of = "today") const { return PowerRecords::read(folder, made_of, {"norm", "cast"}); }

  void edit(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read_golden_text(folder + "/" + file);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    std::ofstream(folder + "/" + file) << text;
  }
};

TEST_F(Records, AreFoundByDataWhateverTheWarp) {
  plain.set_name({"norm", "contract", "m1", "normal", 64});
  const PowerRecords records = read();
  ASSERT_NE(records.find(plain), nullptr);
  EXPECT_EQ(*records.find(plain), reckoned);
  EXPECT_EQ(*records.find(declared), (Power{2, {"gain 2"}}));
  EXPECT_EQ(*records.find(other), (Power{1}));
  EXPECT_EQ(records.find(case_of("norm", "m3")), nullptr);
}

TEST_F(Records, OfOtherSourcesOrTablesAreNotBelieved) { EXPECT_TRUE(read("yesterday").empty()); }

TEST_F(Records, OfAnotherDeclarationAreNotBelieved) {
  EXPECT_EQ(read().find(case_of("norm", "m2")), nullptr);
  EXPECT_EQ(read().find(case_of("norm", "m2", {"gain *", "drop *"})), nullptr);
  EXPECT_EQ(read().find(case_of("norm", "m1", {"gain *"})), nullptr);
}

TEST_F(Records, ADamagedSetOfCodesIsNamed) {
  Golden norm{"power", "norm", {}, {}, {}};
  norm.power["data"] = {reckoned, ""};
  std::string text = golden_text(norm);
  text.replace(text.find("\"codes\":\"") + 9, 1, "x");
  EXPECT_THAT([&] { parse_golden(text, "norm.json"); }, testing::ThrowsMessage<std::runtime_error>(HasSubstr("norm.json: 'x")));
}

TEST_F(Records, OfOtherOpsAreNotRead) {
  std::ofstream(folder + "/cast.json") << "{";
  EXPECT_EQ(PowerRecords::read(folder, "today", {"norm"}).size(), 2u);
}

TEST_F(Records, AnEditedFileIsNamed) {
  edit("norm.json", "\"faults\":3", "\"faults\":4");
  EXPECT_THAT([&] { read(); }, testing::ThrowsMessage<std::runtime_error>(HasSubstr(folder + "/norm.json: is not the file that " +
                                                                                    folder + "/index.json was written with")));
}

TEST_F(Records, ADamagedIndexIsNamed) {
  edit("index.json", "\"files\"", "\"file\"");
  EXPECT_THROW(read(), std::runtime_error);
  std::ofstream(folder + "/index.json") << "{\"made_of\"";
  EXPECT_THAT([&] { read(); },
              testing::ThrowsMessage<std::runtime_error>(HasSubstr(folder + "/index.json: is truncated or damaged")));
}

TEST_F(Records, WithoutAnIndexNothingIsKnown) {
  std::filesystem::remove(folder + "/index.json");
  EXPECT_TRUE(read().empty());
}

}  // namespace
}  // namespace assay
