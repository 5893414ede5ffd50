// Tests that text files are written completely or not at all, that sections are replaced and compared, and that untrusted text is
// made printable.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <thread>

#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/table/table.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;
using std::string_view_literals::operator""sv;

// Files are written completely or not at all, also by several threads; devices and pipes are not replaced by files.

namespace fs = std::filesystem;

class AtomicFile : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(fs::is_directory("/dev/shm") ? "/dev/shm" : ::testing::TempDir()) /
              ("assay_files_" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t files() const { return size_t(std::distance(fs::directory_iterator(folder_), fs::directory_iterator())); }
  fs::path folder_;
};

mode_t rights_of(const fs::path& file) {
  struct stat status {};
  EXPECT_EQ(::stat(file.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST_F(AtomicFile, ReplacesTheOldFileAndMakesFolders) {
  write_atomically(path("a"), "old");
  write_atomically(path("a"), "new");
  write_atomically(path("b/c/d"), "deep");
  EXPECT_EQ(read_text(path("a")), "new");
  EXPECT_EQ(read_text(path("b/c/d")), "deep");
  EXPECT_EQ(files(), 2u) << "nothing temporary is left";
}

TEST_F(AtomicFile, ALinkStaysALink) {
  write_atomically(path("target"), "old");
  fs::create_symlink("target", path("link"));
  fs::create_symlink("nothing yet", path("dangling"));
  write_atomically(path("link"), "new");
  write_atomically(path("dangling"), "made");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("dangling")));
  EXPECT_EQ(read_text(path("target")), "new");
  EXPECT_EQ(read_text(path("nothing yet")), "made");
}

TEST_F(AtomicFile, APipeIsWrittenToAndNotReplaced) {
  ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
  require_writable(path("pipe"));
  std::string got;
  std::thread reader([&] {
    FILE* file = std::fopen(path("pipe").c_str(), "r");
    std::array<char, 64> chunk{};
    got.assign(chunk.data(), std::fread(chunk.data(), 1, chunk.size(), file));
    std::fclose(file);
  });
  write_atomically(path("pipe"), "through it");
  reader.join();
  EXPECT_EQ(got, "through it");
  EXPECT_TRUE(fs::is_fifo(path("pipe")));
}

TEST_F(AtomicFile, ADeviceIsWrittenToAndItsWordIsTold) {
  write_atomically("/dev/null", "text");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  fs::create_symlink("/dev/full", path("full"));
  EXPECT_NO_THROW(require_writable(path("full")));
  EXPECT_THROW(write_atomically(path("full"), "text"), std::system_error);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(AtomicFile, WhatCannotBeWrittenIsRefusedBefore) {
  EXPECT_THROW(require_writable("/dev/null/r.csv"), std::system_error);
  EXPECT_THROW(require_writable(folder_.string()), std::system_error) << "a folder";
  fs::create_symlink("round", path("round"));
  EXPECT_THROW(require_writable(path("round")), std::system_error);
  write_atomically(path("kept"), "kept");
  require_writable(path("kept"));
  require_writable(path("new"));
  EXPECT_EQ(read_text(path("kept")), "kept");
  EXPECT_FALSE(fs::exists(path("new")));
  try {
    require_writable("/dev/null/r.csv");
  } catch (const std::system_error& error) {
    EXPECT_STREQ(error.what(), "cannot write /dev/null/r.csv: Not a directory");
  }
}

TEST_F(AtomicFile, FilesOfOtherThreadsKeepTheirRights) {
  const mode_t before = ::umask(027);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 4000; ++i) write_atomically(folder_ / "report.csv", "text");
    done = true;
  });
  int wrong = 0;
  for (int i = 0; !done; ++i) {
    const fs::path other = folder_ / "other";
    ::close(::open(other.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0666));
    wrong += rights_of(other) != 0640;
    ::unlink(other.c_str());
  }
  writer.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(rights_of(folder_ / "report.csv"), mode_t{0640});
  ::umask(before);
}

TEST_F(AtomicFile, NothingElseStaysInTheFolder) {
  write_atomically(folder_ / "a" / "b", "one");
  write_atomically(folder_ / "a" / "b", "two");
  EXPECT_THROW(write_atomically(folder_ / "a" / "b" / "c", "three"), std::runtime_error);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "a"), fs::directory_iterator()), 1);
  EXPECT_EQ(fs::file_size(folder_ / "a" / "b"), 3u);
}

// The first difference between a section of a file and a text, with file and line.

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

// Text from a library cannot send control characters to a terminal or break the rows of a table.

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

namespace {

using ::testing::HasSubstr;
using nlohmann::json;

std::string error_of(const std::string& text, const JsonLimits& limits = {}) {
  try {
    (void)guarded_json(text, "f.json", limits);
  } catch (const JsonError& error) {
    return error.what();
  }
  return "no error";
}

TEST(GuardedJson, ErrorsSayFileLineAndColumn) {
  EXPECT_EQ(error_of(R"({"a": [1, 2.5, null, true, "x"]})"), "no error");
  EXPECT_EQ(error_of("{\n \"a\": ]"), "f.json:2:7: is truncated or damaged: not valid JSON");
  EXPECT_EQ(error_of("{\"a\""), "f.json:1:5: is truncated or damaged: not valid JSON");
  EXPECT_EQ(error_of(""), "f.json:1:1: is truncated or damaged: not valid JSON");
  EXPECT_EQ(error_of("{\"a\": 1,\n\"a\": 2}"), "f.json:2:3: 'a' appears twice");
  EXPECT_THAT(error_of("{\"\xff\": 1}"), HasSubstr("is not UTF-8"));
  EXPECT_THAT(error_of("[1e999999]"), HasSubstr("f.json:1:9: has a number too large for double"));
  EXPECT_THAT(error_of("{\"a\\u001b[31m\":1,\"a\\u001b[31m\":1}"), HasSubstr("'a\\x1b[31m' appears twice"));
}

TEST(GuardedJson, DepthMembersValuesAndListsAreBounded) {
  EXPECT_EQ(error_of(std::string(200, '[') + std::string(200, ']')), "no error");
  EXPECT_EQ(error_of(std::string(200000, '[')), "f.json:1:257: is nested deeper than 256 levels");
  EXPECT_THAT(error_of("[1,2,3]", {.list = 2}), HasSubstr("f.json:1:7: has a list of more than 2 values"));
  EXPECT_THAT(error_of("[1,[2],3]", {.values = 4}), HasSubstr("has more than 4 values"));
  EXPECT_THAT(error_of(R"([{"a":1},{"b":2}])", {.members = 1}), HasSubstr("has more than 1 named members"));
}

TEST(GuardedJson, WhatIsReadIsWhatStandsThere) {
  EXPECT_EQ(guarded_json(R"({"b": [1, -2, 0.5], "a": "x"})", "f").dump(), R"({"a":"x","b":[1,-2,0.5]})");
}

TEST(JsonInteger, TakesWhatFits) {
  EXPECT_EQ(json_integer<int64_t>(json::parse("9223372036854775807")), 9223372036854775807);
  EXPECT_EQ(json_integer<int32_t>(json::parse("-2147483648")), std::numeric_limits<int32_t>::min());
}

TEST(JsonInteger, RefusesTheRest) {
  for (const char* text : {"1e106", "1.0", "9223372036854775808", "\"1\"", "null", "[1]", "true"})
    EXPECT_THROW(json_integer<int64_t>(json::parse(text)), std::runtime_error) << text;
  for (const char* text : {"2147483648", "-2147483649"})
    EXPECT_THROW(json_integer<int32_t>(json::parse(text)), std::runtime_error) << text;
}

TEST(JsonInteger, SaysWhatIsThere) {
  EXPECT_THAT([] { json_integer<int32_t>(json(2.5)); },
              ::testing::ThrowsMessage<std::runtime_error>("holds 2.5 where an integer from -2147483648 to 2147483647 belongs"));
}

}  // namespace

}  // namespace assay
