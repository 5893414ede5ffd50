// Bytes from a library cannot control a terminal or break the rows of a table.
#include "harness/text/printable.h"

#include <gtest/gtest.h>

namespace assay {
namespace {

using std::string_view_literals::operator""sv;

TEST(Printable, ControlCharactersAndBrokenUtf8AreNamedByTheirBytes) {
  EXPECT_EQ(printable("plain \\ 'text'"), "plain \\ 'text'");
  EXPECT_EQ(printable("\0\x1b[31m\x7f"sv), "\\x00\\x1b[31m\\x7f");
  EXPECT_EQ(printable("a\tb\r\nALL AS EXPECTED"), "a\\tb\\r\\nALL AS EXPECTED") << "a message cannot end its line";
  EXPECT_EQ(printable("\xff\xC3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"), "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80");
  EXPECT_EQ(printable("\xC0\x80"), "\\xc0\\x80") << "overlong";
  EXPECT_EQ(printable("\xED\xA0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(printable("\xC2\x9B"), "\\xc2\\x9b") << "U+009B steers a terminal as ESC [ does";
  EXPECT_EQ(printable("\xE2\x80\xAE"), "\\xe2\\x80\\xae") << "U+202E turns what follows round";
  EXPECT_EQ(printable_lines("one\n\x1btwo\n"), "one\n\\x1btwo\n");
}

TEST(Printable, AShellReadsItsWordsBack) {
  EXPECT_EQ(shell_word("--report"), "--report");
  EXPECT_EQ(shell_word("csv:out/v.csv"), "csv:out/v.csv");
  EXPECT_EQ(shell_word(""), "''");
  EXPECT_EQ(shell_word("*/ties.s1/w32"), "'*/ties.s1/w32'");
  EXPECT_EQ(shell_word("it's $HOME"), "'it'\\''s $HOME'");
  EXPECT_EQ(shell_word("\x1b'\\\xff"), "$'\\x1b\\'\\\\\\xff'");
}

}  // namespace
}  // namespace assay
