// The first difference between a section of a file and a text, with file and line.
#include "harness/text/section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/first_difference.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::string in_words(const std::string& a, const std::string& b) {
  const std::optional<LineDifference> found = first_difference(a, b);
  return found ? std::to_string(found->line) + ": " + found->a + "/" + found->b : "none";
}

TEST(FirstDifference, IsTheFirstLineThatDiffers) {
  EXPECT_EQ(in_words("one\ntwo\nthree\n", "one\nzwei\ndrei\n"), "2: two/zwei");
  EXPECT_EQ(in_words("one\ntwo\n", "one\ntwo\n"), "none");
  EXPECT_EQ(in_words("", ""), "none");
}

TEST(FirstDifference, IsEmptyWhereATextHasEnded) {
  EXPECT_EQ(in_words("one\n", "one\ntwo\n"), "2: /two");
  EXPECT_EQ(in_words("one\ntwo\n", "one\n"), "2: two/");
  EXPECT_EQ(in_words("", "one\n"), "1: /one");
  EXPECT_EQ(in_words("one\n", "one"), "2: /") << "only the final line break";
}

TEST(Section, IsWrittenBetweenItsMarksAndDiffersAtALineOfTheFile) {
  const std::string file = ::testing::TempDir() + "section_test.md";
  write_atomically(file, "# Title\n<!-- begin: table -->\nold\n<!-- end: table -->\nrest\n");
  EXPECT_EQ(section_difference(file, "table", "new\n"), file + ":3: has 'old' and should have 'new'");
  EXPECT_TRUE(write_section(file, "table", "new\n"));
  EXPECT_FALSE(write_section(file, "table", "new\n"));
  EXPECT_EQ(section_difference(file, "table", "new\n"), "");
  EXPECT_EQ(read_text(file), "# Title\n<!-- begin: table -->\nnew\n<!-- end: table -->\nrest\n");
  EXPECT_THAT([&] { write_section(file, "other", ""); }, ThrowsMessage<UsageError>(HasSubstr("'<!-- begin: other -->'")));
  std::remove(file.c_str());
  EXPECT_THAT([&] { section_difference(file, "table", ""); }, ThrowsMessage<TableError>(file + ": cannot be read"));
}

}  // namespace
}  // namespace assay
