// Two runs of one case: the number of changed codes, the first changed element, and the largest change.
#include "harness/dump/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

const Format& bf16() { return *find_format("bf16"); }

/// A [2, 3] tensor with the bf16 codes of 1, 2, 3 and of their negatives.
HostTensor plain() {
  HostTensor tensor{dense("y", Role::kOutput, bf16(), {2, 3}), {}};
  tensor.bytes.resize(tensor.spec.bytes());
  for (int64_t i = 0; i < 6; ++i) tensor.set_code(i, code_of(bf16(), double(i < 3 ? i + 1 : 2 - i)));
  return tensor;
}

const Part kPart{.tensor = "y", .format = &bf16(), .shape = {2, 3}};

TEST(Changes, EqualBitsAreNone) { EXPECT_TRUE(changes({kPart}, {plain()}, {plain()}).empty()); }

TEST(Changes, CountsElementsAndNamesTheFirstAndTheFarthest) {
  HostTensor now = plain();
  now.set_code(2, now.code(2) + 1);
  now.set_code(4, now.code(4) + 3);
  const std::vector<PartChange> all = changes({kPart}, {plain()}, {now});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].part, "y");
  EXPECT_EQ(all[0].changed, 2);
  EXPECT_EQ(all[0].elements(), 6);
  EXPECT_EQ(all[0].most_ulps, 3);
  EXPECT_THAT(all[0].at, ::testing::ElementsAre(0, 2));
  EXPECT_EQ(all[0].before, 0x4040u);
  EXPECT_EQ(all[0].now, 0x4041u);
}

TEST(Changes, NanHasNoDistanceAndTheOtherZeroIsAChange) {
  HostTensor before = plain(), now = plain();
  now.set_code(0, 0x7fc0);
  before.set_code(1, 0x0000);
  now.set_code(1, 0x8000);
  const std::vector<PartChange> all = changes({kPart}, {before}, {now});
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].changed, 2);
  EXPECT_EQ(all[0].most_ulps, 0);
}

TEST(Changes, PaddingIsNotCompared) {
  HostTensor before = plain(), now = plain();
  for (HostTensor* const tensor : {&before, &now}) {
    tensor->spec.storage = 8;
    tensor->bytes.resize(tensor->spec.bytes());
  }
  now.set_code(7, 1);
  EXPECT_TRUE(changes({kPart}, {before}, {now}).empty());
}

TEST(Changes, AnotherSizeIsRefusedByName) {
  HostTensor now = plain();
  now.bytes.resize(4);
  try {
    changes({kPart}, {plain()}, {now});
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), ::testing::HasSubstr("output 'y'"));
  }
}

}  // namespace
}  // namespace assay
