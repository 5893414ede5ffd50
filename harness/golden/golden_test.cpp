// Tests golden files of contracts with several algorithm variants, and recorded mutation scores.
#include "harness/golden/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Golden files of contracts with several algorithm variants.

Answer answer_of(const std::string& program, const std::vector<int32_t>& codes) {
  WholePart part{{"d", &kInt8, {1, int64_t(codes.size())}}, {}, {}};
  for (const int32_t code : codes) part.low.push_back(ordinal(kInt8, uint32_t(code)));
  Answer answer = expectation_of({part}).any_of.front();
  answer.program = program;
  return answer;
}

Expectation two_programs() { return {{answer_of("split-K 1", {1, 2, 3, 4}), answer_of("split-K 2", {1, 2, 5, 6})}}; }

std::vector<HostTensor> outputs(const std::vector<uint32_t>& codes) {
  HostTensor d{dense("d", Role::kOutput, kInt8, {1, int64_t(codes.size())}), {}};
  d.bytes.resize(d.spec.bytes());
  for (size_t i = 0; i < codes.size(); ++i) d.set_code(int64_t(i), codes[i]);
  return {d};
}

TEST(GoldenPrograms, EachHasItsTensors) {
  const std::vector<PredictedTensor> tensors = predict(two_programs());
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "d, split-K 1");
  EXPECT_EQ(tensors[1].name, "d, split-K 2");
  EXPECT_NE(tensors[0].low, tensors[1].low);
  EXPECT_EQ(predict({{answer_of("", {1, 2})}})[0].name, "d") << "with a single answer, the name is the tensor's";
}

TEST(GoldenPrograms, AnObservationIsOfTheProgramThatItComesNearestTo) {
  const std::vector<ObservedTensor> second = observe(two_programs(), outputs({1, 2, 5, 6}));
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].name, "d, split-K 2");
  EXPECT_TRUE(second[0].steps.empty());
  EXPECT_EQ(disagreement(second, two_programs()), "");
}

TEST(GoldenPrograms, AMixtureIsSeenOutside) {
  const std::vector<ObservedTensor> mixture = observe(two_programs(), outputs({1, 2, 3, 6}));
  EXPECT_THAT(disagreement(mixture, two_programs()), HasSubstr("was observed outside its accepted set"));
}

TEST(GoldenPrograms, AProgramThatIsNoMoreIsToldSo) {
  const std::vector<ObservedTensor> second = observe(two_programs(), outputs({1, 2, 5, 6}));
  EXPECT_THAT(disagreement(second, {{answer_of("split-K 1", {1, 2, 3, 4})}}),
              HasSubstr("tensor d, split-K 2 int8 where d, split-K 1"));
}

/// Three observed records; the first two have the same steps.
Golden observed_thrice() {
  const ObservedTensor same{"y", "bf16", "3d736551ff169343", {{71, 1}, {3727, -2}}},
      other{"y", "bf16", "053c60f4447135e1", {{5, 1}}};
  return {"observed",
          "norm",
          {"sm_90", "a chip", "13.0", "13.0", "2026-11-24"},
          {},
          {{"norm/a", {{"norm", {same}}}}, {"norm/b", {{"norm", {same}}}}, {"norm/c", {{"norm", {other}}}}}};
}

TEST(GoldenSteps, OfRecordsWithTheSameStepsAreWrittenOnce) {
  const std::string text = golden_text(observed_thrice());
  EXPECT_EQ(text.find("71 3656:-2"), text.rfind("71 3656:-2"));
  const Golden read = parse_golden(text, "norm.json");
  for (const auto& [id, kernels] : observed_thrice().observed)
    EXPECT_EQ(read.observed.at(id).at("norm").at(0).steps, kernels.at("norm").at(0).steps) << id;
}

TEST(GoldenSteps, BeyondTheListAreNamed) {
  std::string text = golden_text(observed_thrice());
  text.replace(text.rfind("053c60f4447135e1\",1"), 19, "053c60f4447135e1\",2");
  EXPECT_THAT([&] { parse_golden(text, "norm.json"); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("norm.json: position 2 of 'steps', which has 2 entries")));
}

// Records refer to shared data by position.

/// Two cases of two ranks: in one, both ranks have the same accepted codes; in the other, rank 1 has different ones.
Golden predicted_of_ranks() {
  const auto of_rank = [](const char* name, const char* low, int64_t single_code, const char* high) {
    return PredictedTensor{name, "bf16", 64, single_code, low, high};
  };
  const PredictedTensor first = of_rank("y.rank 0", "f73c16d1ffe3b25b", 64, "f73c16d1ffe3b25b");
  return {"predicted",
          "norm",
          {},
          {{"norm/same", {first, of_rank("y.rank 1", "f73c16d1ffe3b25b", 64, "f73c16d1ffe3b25b")}},
           {"norm/other", {first, of_rank("y.rank 1", "f73c16d1ffe3b25b", 63, "712071b35aae8173")}},
           {"norm/none_alone", {of_rank("y.rank 0", "f73c16d1ffe3b25b", 60, "f73c16d1ffe3b25b")}}},
          {}};
}

TEST(GoldenRecords, AreReadAsTheyWereWritten) {
  const std::string text = golden_text(predicted_of_ranks());
  EXPECT_EQ(parse_golden(text, "norm.json").predicted, predicted_of_ranks().predicted);
  EXPECT_EQ(text.find("y.rank 1"), text.rfind("y.rank 1")) << text;
  EXPECT_THAT(text, HasSubstr("\"norm/same\":[1,[64,\"f73c16d1ffe3b25b\"],0]"));
}

/// Expects that the text of predicted_of_ranks(), with `from` replaced by `to`, is refused with this message.
void expect_refused(const std::string& from, const std::string& to, const std::string& message) {
  std::string text = golden_text(predicted_of_ranks());
  ASSERT_NE(text.find(from), std::string::npos) << text;
  text.replace(text.find(from), from.size(), to);
  EXPECT_THAT([&] { parse_golden(text, "norm.json"); }, ::testing::ThrowsMessage<std::runtime_error>(HasSubstr(message)));
}

TEST(GoldenRecords, ThatDoNotFitTheirListsAreRefused) {
  expect_refused("],0]", "],1]", "norm.json: position 1 of 'earlier tensors', which has 1 entries");
  expect_refused("\"norm/same\":[1", "\"norm/same\":[2", "norm.json: position 2 of 'outputs', which has 2 entries");
  expect_refused("\"norm/same\":[1", "\"norm/same\":[0", "norm.json: a record has 2 tensors, its 'outputs' 1");
  expect_refused("\"assay_golden\":2", "\"assay_golden\":1", "has version 1 and this program reads version 2");
}

// A record is used only if its table rows, blind_to and evaluator version are unchanged.

Case case_of(const std::string& op, const std::string& shape, std::vector<std::string> blind_to = {}, int warp = 32) {
  Case one;
  one.op = op;
  one.set_name({op, "contract", shape, "normal", warp});
  one.blind_to = std::move(blind_to);
  return one;
}

/// A fresh folder for each test.
class Records : public ::testing::Test {
 protected:
  std::string folder = ::testing::TempDir() + "assay_power_" + ::testing::UnitTest::GetInstance()->current_test_info()->name();
  Case plain = case_of("norm", "m1"), declared = case_of("norm", "m2", {"gain *"}), other = case_of("cast", "m1");
  std::vector<Case> cases = {plain, declared, other};
  std::string rows = "rows of today";

  Power reckoned{
      3, {"drop \"x\"; y"}, {{"q", "e4m3fn", 512, {}, 1, 2, 3}, {"y, rank 1", "bf16", 8, {}, 0, 0, 0}}, {"drop \"x\"; y"}};

  void SetUp() override {
    for (const size_t code : {0, 1, 126, 255}) reckoned.data[0].codes.set(code);
    std::filesystem::remove_all(folder);
    write({{plain, reckoned}, {declared, {2, {"gain 2"}}}, {other, {1}}});
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::vector<std::pair<Case, Power>>& all) const {
    std::map<std::string, Golden> by_op;
    for (const auto& [one, power] : all) {
      Golden& golden = by_op.try_emplace(one.op, Golden{"power", one.op, {}, {}, {}}).first->second;
      golden.power[one.data_id()] = {power, power_seal(one, power, rows)};
    }
    write_power_records(folder, by_op);
  }

  PowerRecords read(int evaluator = kPowerEvaluator) const {
    return PowerRecords::read(
        folder, cases, [&](const Case&) { return rows; }, evaluator);
  }

  /// The mutation score of a case, as it was written.
  Power computed(const Case& one) const {
    return one.id == plain.id ? reckoned : one.id == declared.id ? Power{2, {"gain 2"}} : Power{1};
  }

  void edit(const std::string& file, const std::string& from, const std::string& to) const {
    std::string text = read_golden_text(folder + "/" + file);
    ASSERT_NE(text.find(from), std::string::npos);
    text.replace(text.find(from), from.size(), to);
    std::ofstream(folder + "/" + file) << text;
  }
};

TEST_F(Records, AreFoundByDataWhateverTheWarp) {
  const PowerRecords records = read();
  EXPECT_EQ(records.size(), 3u);
  const Power* const found = records.find(case_of("norm", "m1", {}, 64));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(*found, reckoned);
  EXPECT_EQ(*records.find(declared), (Power{2, {"gain 2"}}));
  EXPECT_EQ(*records.find(other), (Power{1}));
  EXPECT_EQ(records.find(case_of("norm", "m3")), nullptr);
}

TEST_F(Records, OfOtherRowsAreNotBelieved) {
  rows = "rows of tomorrow";
  EXPECT_TRUE(read().empty());
}

TEST_F(Records, OfAnotherEvaluatorAreNotBelieved) { EXPECT_TRUE(read(kPowerEvaluator + 1).empty()); }

TEST_F(Records, OfAnotherDeclarationAreNotBelieved) {
  const PowerRecords records = read();
  EXPECT_EQ(records.find(case_of("norm", "m2")), nullptr);
  EXPECT_EQ(records.find(case_of("norm", "m2", {"gain *", "drop *"})), nullptr);
  EXPECT_EQ(records.find(case_of("norm", "m1", {"gain *"})), nullptr);
  cases[1].blind_to = {"gain 2"};
  EXPECT_EQ(read().find(cases[1]), nullptr);
}

TEST_F(Records, AnEditedRecordIsNotBelieved) {
  edit("norm.json", "\"faults\":3", "\"faults\":4");
  const PowerRecords records = read();
  EXPECT_EQ(records.find(plain), nullptr);
  EXPECT_NE(records.find(declared), nullptr);
}

TEST_F(Records, ADamagedSetOfCodesIsNamed) {
  edit("norm.json", "\"codes\":[\n\"\",\n\"", "\"codes\":[\n\"\",\n\"x");
  EXPECT_THAT([&] { read(); }, ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("norm.json: 'x")));
}

TEST_F(Records, NameEachMutantOnce) {
  Power both = reckoned;
  both.blind_to = {"drop \"x\"; y", "gain 2"};
  write({{plain, both}, {declared, {2, {"gain 2"}}}, {other, {1}}});
  const std::string text = read_golden_text(folder + "/norm.json");
  EXPECT_EQ(text.find("gain 2"), text.rfind("gain 2"));
  EXPECT_EQ(read().find(plain)->blind_to, both.blind_to);
  EXPECT_EQ(read().find(declared)->blind_to, std::vector<std::string>{"gain 2"});
}

TEST_F(Records, AMutantBeyondTheListIsNamed) {
  edit("norm.json", "\"blind_to\":[0]", "\"blind_to\":[7]");
  EXPECT_THAT([&] { read(); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("norm.json: position 7 of 'mutants', which has 2 entries")));
}

TEST_F(Records, AnotherMutantThanTheSealedOneIsNotBelieved) {
  edit("norm.json", "\"blind_to\":[0]", "\"blind_to\":[1]");
  EXPECT_EQ(read().find(plain), nullptr);
}

TEST_F(Records, ATruncatedFileIsNamed) {
  std::ofstream(folder + "/norm.json") << "{\"assay_golden\"";
  EXPECT_THAT([&] { read(); },
              ::testing::ThrowsMessage<std::runtime_error>(HasSubstr("is truncated or damaged")));
}

TEST_F(Records, OfOtherOpsAreNotRead) {
  std::ofstream(folder + "/cast.json") << "{";
  cases.pop_back();
  EXPECT_EQ(read().size(), 2u);
}

TEST_F(Records, WithoutAFileNothingIsKnown) {
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(read().empty());
}

TEST_F(Records, OfNoCaseAreStrays) {
  cases.erase(cases.begin());
  EXPECT_THAT(read().strays(), ElementsAre(folder + "/norm.json: " + plain.data_id()));
}

TEST_F(Records, WhatIsComputedAgainIsTheSame) {
  EXPECT_THAT(changed_power(read(), cases, [&](const Case& one) { return computed(one); }), IsEmpty());
}

TEST_F(Records, AChangedEntryIsNoticed) {
  Power edited = reckoned;
  edited.data[0].saturated += 1;
  write({{plain, edited}, {declared, {2, {"gain 2"}}}, {other, {1}}});  // with a valid seal
  EXPECT_THAT(changed_power(read(), cases, [&](const Case& one) { return computed(one); }),
              ElementsAre(plain.id + ": the codes of its outputs changed"));
}

TEST_F(Records, AChangedEvaluatorIsNoticed) {
  const auto with_fewer_mutants = [&](const Case& one) {
    Power power = computed(one);
    --power.faults;
    return power;
  };
  EXPECT_THAT(changed_power(read(), {other}, with_fewer_mutants), ElementsAre(other.id + ": recorded 1 mutants, computed 0"));
  const auto blind = [&](const Case& one) {
    Power power = computed(one);
    power.blind_to = {"gain 3"};
    return power;
  };
  EXPECT_THAT(changed_power(read(), {declared}, blind), ElementsAre(declared.id + ": now kills 'gain 2'"));
}

TEST(SampleOfData, HasEveryOpAndAboutThePercentage) {
  std::vector<Case> cases = {case_of("rare", "m1")};
  for (int m = 0; m < 200; ++m)
    for (const int warp : {32, 64}) cases.push_back(case_of("usual", "m" + std::to_string(m), {}, warp));
  const std::vector<Case> sample = sample_of_data(cases, 5, 1), again = sample_of_data(cases, 5, 1),
                          other = sample_of_data(cases, 5, 2);
  ASSERT_EQ(sample.size(), 11u);
  EXPECT_EQ(sample.front().op, "rare");
  const auto ids = [](const std::vector<Case>& all) {
    std::vector<std::string> ids;
    for (const Case& one : all) ids.push_back(one.id);
    return ids;
  };
  EXPECT_EQ(ids(sample), ids(again));
  EXPECT_NE(ids(sample), ids(other));
}

}  // namespace
}  // namespace assay
