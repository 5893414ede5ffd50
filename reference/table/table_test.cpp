#include "reference/table/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reference/table/near.h"

namespace assay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    parse_table(text, "t.csv");
  } catch (const TableError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Table, CellsKnowWhereTheyStand) {
  const Table t = parse_table("m,n,why\n1, 22 ,\"a, \"\"b\"\"\nc\"\n\r\n3,,x\n", "t.csv");
  EXPECT_THAT(t.columns, ElementsAre("m", "n", "why"));
  ASSERT_EQ(t.rows.size(), 2u);
  EXPECT_EQ(t.rows[0].line, 2);
  EXPECT_EQ(t.text(t.rows[0], "n"), "22");
  EXPECT_EQ(t.cell(t.rows[0], "n").column, 4);
  EXPECT_EQ(t.text(t.rows[0], "why"), "a, \"b\"\nc");
  EXPECT_EQ(t.cell(t.rows[0], "why").column, 8);
  EXPECT_EQ(t.rows[1].line, 5) << "a quoted line break and a blank line are counted";
  EXPECT_EQ(t.cell(t.rows[1], "n").line, 5);
  EXPECT_EQ(t.cell(t.rows[1], "n").column, 3) << "an empty cell stands where it would start";
  EXPECT_EQ(t.cell(t.rows[1], "why").column, 4);
}

TEST(Table, CrLfByteOrderMarkAndAMissingLastNewlineAreFine) {
  const Table t = parse_table(
      "\xEF\xBB\xBF"
      "a,b\r\n1,2\r\n3,4",
      "t.csv");
  ASSERT_EQ(t.rows.size(), 2u);
  EXPECT_EQ(t.text(t.rows[1], "b"), "4");
  EXPECT_EQ(t.rows[1].line, 3);
}

TEST(Table, EmptyLastCellOfAFileIsACell) {
  const Table t = parse_table("a,b\n1,", "t.csv");
  EXPECT_EQ(t.text(t.rows[0], "b"), "");
  EXPECT_EQ(t.cell(t.rows[0], "b").column, 3);
}

TEST(Table, AQuoteOfAFileIsShortAndPrintable) {
  const std::string evil = "t\x1b[31m\nALL AS EXPECTED";
  const TableError error("f\n.csv", 3, 1, evil, "'" + evil + "' is none; did you mean 'x'?");
  EXPECT_STREQ(error.what(),
               "f\\n.csv:3:1: t\\x1b[31m\\nALL AS EXPECTED: 't\\x1b[31m\\nALL AS EXPECTED' is none; did you mean 'x'?");
  const std::string what = TableError("f", 1, 1, std::string(5000, 'n'), "'" + std::string(5000, 'q') + "' is none").what();
  EXPECT_EQ(what, "f:1:1: " + std::string(100, 'n') + "...: '" + std::string(100, 'q') + "...' is none");
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "'a' ";
  EXPECT_LT(std::string(TableError("f", 1, 1, "", many).what()).size(), 2100u);
}

TEST(Table, ATableIsBounded) {
  EXPECT_EQ(error_of("a,why\n" + std::string(70000, 'x') + ",y\n").substr(0, 40), "t.csv:2:1: a cell has more than 65536 by");
  std::string many = "a,b\n";
  for (int i = 0; i < 600000; ++i) many += ",\n";
  EXPECT_THAT(error_of(many), HasSubstr("has more than 1048576 cells"));
}

TEST(Table, OnlyRegularFilesAndOpenDescriptorsAreRead) {
  const std::string path = ::testing::TempDir() + "table_test_pipe_" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT([&] { read_text(path); },
              testing::ThrowsMessage<TableError>(HasSubstr("is not a regular file; to read a pipe, pass - or /dev/fd/N")));
  EXPECT_THROW(read_text("/dev/zero"), TableError);
  EXPECT_THROW(read_text("/"), TableError);
  ::unlink(path.c_str());
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "a,b", 3), 3);
  ::close(ends[1]);
  EXPECT_EQ(read_text("/dev/fd/" + std::to_string(ends[0])), "a,b");
  ::close(ends[0]);
}

TEST(Table, ALongWordHasNoNearMatches) {
  const std::vector<std::string> names = {"normal", std::string(300, 'n')};
  EXPECT_EQ(did_you_mean(std::string(1'000'000, 'n'), names).substr(0, 20), "; there are: normal,");
}

TEST(Table, BrokenTablesSayWhere) {
  EXPECT_EQ(error_of(""), "t.csv:1: empty table: the first row must name the columns");
  EXPECT_EQ(error_of("a,b\n1\n"), "t.csv:2:1: row has 1 cells, the header has 2");
  EXPECT_EQ(error_of("a,b\n1,2\n1,2,3\n"), "t.csv:3:5: row has 3 cells, the header has 2; a cell with a comma needs quotes");
  EXPECT_EQ(error_of("a,b,a\n"), "t.csv:1:5: a: column appears twice");
  EXPECT_EQ(error_of("a,,c\n"), "t.csv:1:3: column without a name");
  EXPECT_EQ(error_of("a,b\n1,\"open\n2,3\n"), "t.csv:2:3: quote is never closed");
  EXPECT_THAT(error_of("a,b\n1,x\"y\n"), HasSubstr("t.csv:2:4: misplaced quote"));
  EXPECT_EQ(error_of(std::string_view("a,b\n1,\0\n", 8)), "t.csv:2:3: NUL byte");
  EXPECT_EQ(error_of("a,why\n1,because\n2,\n"), "t.csv:3:3: why: is empty: expected the reason for this row");
}

/// Many commands print cells, so no cell may contain bytes that control a terminal.
TEST(Table, ACellWithUnprintableBytesIsRefused) {
  EXPECT_EQ(error_of("a,why\n1,x\n2,\"red\x1b[31m\"\n"), "t.csv:3:3: holds \\x1b, which is not a printable character of UTF-8");
  EXPECT_EQ(error_of("a,b\n1,bell\x07"), "t.csv:2:3: holds \\x07, which is not a printable character of UTF-8");
  EXPECT_EQ(error_of("a,b\n1,caf\xe9\n"), "t.csv:2:3: holds \\xe9, which is not a printable character of UTF-8");
  EXPECT_EQ(error_of("a,b\x7f\n1,2\n"), "t.csv:1:3: holds \\x7f, which is not a printable character of UTF-8");
  EXPECT_EQ(error_of("a,b\n1,\"\u202eback\"\n"), "t.csv:2:3: holds \\xe2, which is not a printable character of UTF-8");
  EXPECT_NO_THROW(parse_table("a,b\n1,\"caf\u00e9 \u2264 \u20ac\ttwo\r\nlines\"\n", "t.csv"));
}

TEST(Table, MissingFileIsNamed) {
  EXPECT_THROW(
      {
        try {
          read_table("no/such.csv");
        } catch (const TableError& error) {
          EXPECT_STREQ(error.what(), "no/such.csv: cannot be read");
          throw;
        }
      },
      TableError);
}

TEST(Table, RequiredAndUnknownColumns) {
  const Table t = parse_table("group_sise,why\n1,x\n", "t.csv");
  const std::vector<std::string> known = {"group_size", "why"};
  EXPECT_NO_THROW(t.require_columns(std::vector<std::string>{"why"}));
  try {
    t.require_columns(known);
    FAIL();
  } catch (const TableError& error) {
    EXPECT_STREQ(error.what(), "t.csv:1: column 'group_size' is missing; did you mean 'group_sise'?");
  }
  try {
    t.allow_columns(known);
    FAIL();
  } catch (const TableError& error) {
    EXPECT_STREQ(error.what(), "t.csv:1:1: group_sise: unknown column; did you mean 'group_size'?");
  }
  EXPECT_THROW(t.text(t.rows[0], "m"), TableError);
}

TEST(Table, IntegersAreWhole) {
  const Table t = parse_table("a,b,c,d\n-12,1.5,,99999999999999999999\n", "t.csv");
  EXPECT_EQ(t.integer(t.rows[0], "a"), -12);
  EXPECT_THROW(t.integer(t.rows[0], "b"), TableError);
  EXPECT_THROW(t.integer(t.rows[0], "c"), TableError);
  EXPECT_THROW(t.integer(t.rows[0], "d"), TableError);
}

TEST(Near, DistanceCountsASwapAsOne) {
  EXPECT_EQ(edit_distance("scale", "scale"), 0);
  EXPECT_EQ(edit_distance("sclae", "scale"), 1);
  EXPECT_EQ(edit_distance("", "abc"), 3);
}

TEST(Near, NearestComesFirstAndFarOnesAreListed) {
  const std::vector<std::string> names = {"quant_group", "quant_token", "rms_norm"};
  EXPECT_THAT(near_matches("quant_gruop", names), ElementsAre("quant_group"));
  EXPECT_THAT(near_matches("rms", names), ElementsAre("rms_norm"));
  const std::vector<std::string> releases = {"v.norm_a", "v.norm_b", "v.norm_c", "v.norm@2026-06-18"};
  EXPECT_EQ(near_matches("v.norm", releases).front(), "v.norm@2026-06-18");
  EXPECT_EQ(did_you_mean("zzz", names), "; there are: quant_group, quant_token, rms_norm");
  EXPECT_EQ(did_you_mean("x", {}), "");
}

TEST(Table, AbsurdInputIsOneMessageBeforeItFillsTheMemory) {
  std::string wide = "a";
  for (int i = 0; i < 1'000'000; ++i) wide += ",a" + std::to_string(i);
  EXPECT_EQ(error_of(wide + "\n"), "t.csv:1: has more than 1000 columns: not a table of Assay");
  EXPECT_THAT(error_of("a,b\n" + std::string(1'000'000, ',')), HasSubstr("t.csv:2: has more than 1000 columns"));
  EXPECT_THROW(read_text("/dev/zero"), TableError);
}

}  // namespace
}  // namespace assay
