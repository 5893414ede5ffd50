// Op weak_contiguity: the examples in the comment of vLLM's function, and tensors that its rule wrongly accepts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "reference/flow/contiguity/contiguity.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay::contiguity_test {
namespace {

using testing::HasSubstr;

Contiguity row(const std::string& id) {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return read_contiguity(rulebook().contracts.find(id));
}

/// A = torch.zeros(3, 3, 3) and its slices and permutations, in the order of that comment.
TEST(WeakContiguity, TakesWhatItsCommentSays) {
  const std::pair<StridedExtents, bool> examples[] = {
      {{{3, 3, 3}, {9, 3, 1}, 0, 27, 2}, true},        {{{2, 3, 3}, {9, 3, 1}, 9, 27, 2}, true},
      {{{3, 3, 3}, {1, 9, 3}, 0, 27, 2}, true},        {{{3, 2, 3}, {1, 9, 3}, 9, 27, 2}, true},
      {{{2, 3, 3, 3}, {0, 9, 3, 1}, 0, 27, 2}, false}, {{{3, 2, 2}, {9, 3, 1}, 4, 27, 2}, false}};
  for (const char* id : {"vllm.weak_contiguous", "vllm.weak_contiguous@v0.33.0"})
    for (const auto& [x, taken] : examples) EXPECT_EQ(row(id).takes(x), taken) << id;
}

TEST(WeakContiguity, HasHoles) {
  const Contiguity weak = row("vllm.weak_contiguous"), whole = row("sglang.contiguous");
  EXPECT_TRUE(weak.takes({{2, 2}, {0, 1}, 0, 4, 2})) << "overlaps, but the size is right";
  EXPECT_FALSE(whole.takes({{2, 2}, {0, 1}, 0, 4, 2}));
  EXPECT_FALSE(weak.takes({{3, 2, 3}, {1, 9, 3}, 0, 27, 2})) << "no overlap, but the storage is larger than the tensor";
  EXPECT_TRUE(weak.takes({{3, 0, 2}, {1, 7, 5}, 4, 16, 2})) << "no elements";
  EXPECT_TRUE(whole.takes({{3, 0, 2}, {1, 7, 5}, 4, 16, 2}));
  EXPECT_TRUE(whole.takes({{1, 12}, {77, 1}, 0, 24, 2})) << "the stride of a dimension of size 1 does not count";
}

TEST(WeakContiguity, ACellOfOtherWordsIsRefused) {
  (void)row("vllm.weak_contiguous");
  ContractTables tables = rulebook().contracts;
  const std::string file = testing::TempDir() + "contiguity.csv";
  std::ofstream(file) << "id,accepts,since,until,source,why\na,contiguous|any,2026,,here,because\n";
  try {
    tables.add(file);
    ADD_FAILURE() << "taken";
  } catch (const TableError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'any' is not one of: contiguous, tail"));
  }
}

}  // namespace
}  // namespace assay::contiguity_test
