// Golden files of contracts with several algorithm variants.
#include "harness/golden/golden.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using ::testing::HasSubstr;

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
  EXPECT_EQ(predict({{answer_of("", {1, 2})}})[0].name, "d") << "of one answer the tensor alone";
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
  EXPECT_THAT(disagreement(mixture, two_programs()), HasSubstr("was seen outside its accepted set"));
}

TEST(GoldenPrograms, AProgramThatIsNoMoreIsToldSo) {
  const std::vector<ObservedTensor> second = observe(two_programs(), outputs({1, 2, 5, 6}));
  EXPECT_THAT(disagreement(second, {{answer_of("split-K 1", {1, 2, 3, 4})}}), HasSubstr("tensor d, split-K 2 int8 where d, split-K 1"));
}

}  // namespace
}  // namespace assay
