// The page holds what was put in, is well-formed, and fetches nothing.
#include "harness/report/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>

#include "harness/report/heat_map.h"
#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::one_of_each;
using testing::one_wrong_row;

/// What is wrong with the nesting of tags, or empty. Enough for a page that is written as XML.
std::string nesting_error(const std::string& html) {
  std::vector<std::string> open;
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    const size_t end = html.find('>', at);
    if (end == std::string::npos) return "a tag without end";
    const std::string inside = html.substr(at + 1, end - at - 1);
    if (inside.starts_with("!DOCTYPE") || inside.ends_with("/")) continue;
    const bool closes = inside.starts_with("/");
    const std::string name = inside.substr(closes, inside.find_first_of(" \n", closes) - closes);
    if (!closes) {
      open.push_back(name);
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> closes " + (open.empty() ? "nothing" : open.back());
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? "" : open.back() + " stays open";
}

RunResult failing(size_t count) {
  RunResult result;
  for (size_t i = 0; i < count; ++i) {
    result.verdicts.push_back(one_wrong_row());
    result.verdicts.back().case_id = "quant_group/wrong" + std::to_string(i);
  }
  return result;
}

size_t times(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

RunResult everything() {
  RunResult result = one_of_each();
  result.verdicts.push_back(one_wrong_row());
  return result;
}

TEST(Html, IsWellFormedAndHalfOfItIsNot) {
  const std::string page = html_text(everything(), {}, {});
  EXPECT_EQ(nesting_error(page), "");
  EXPECT_NE(nesting_error(page.substr(0, page.size() / 2)), "");
  EXPECT_EQ(nesting_error(html_text({}, {}, {})), "");
  EXPECT_EQ(nesting_error("<p><b></p></b>"), "</p> closes b");
}

TEST(Html, FetchesNothingAndRunsNothing) {
  const std::string page = html_text(everything(), {}, {});
  for (const char* word : {"http://", "https://", "<script", "<link", "src=", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(word)));
}

TEST(Html, NamesEachFailureWithItsIdEscaped) {
  const std::string page = html_text(everything(), {}, {});
  EXPECT_THAT(page, HasSubstr("quant_group/&lt;row&gt; &amp; &apos;three&apos;"));
  EXPECT_THAT(page, Not(HasSubstr("<row>")));
  EXPECT_THAT(page, HasSubstr("scale: &lt;doubled&gt;"));
  for (const char* id : {"quant_group/b", "rms_norm/d", "quant_group/e4m3fn.m2.n256.g128.ties.s17"})
    EXPECT_THAT(page, HasSubstr(id));
  EXPECT_EQ(times(page, "<section class=\"failure\""), 4u) << "fail twice, broken, untrusted";
}

TEST(Html, SaysHowTheRunEndedOnWhat) {
  LibraryInfo library;
  library.name = "mine & yours";
  library.device = "H200";
  const std::string page = html_text(everything(), library, {});
  EXPECT_THAT(page, HasSubstr("<p class=\"ending bad\">NOT AS EXPECTED</p>"));
  EXPECT_THAT(page, HasSubstr("<dt>library</dt><dd>mine &amp; yours</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>device</dt><dd>H200</dd>"));
  EXPECT_THAT(page, Not(HasSubstr("<dt>driver</dt>"))) << "not known";
  EXPECT_THAT(page, HasSubstr("6, 4 not as expected"));
  EXPECT_THAT(html_text({}, {}, {}), HasSubstr("NOTHING RAN"));
}

TEST(Html, AFailureSaysWhatWhereByWhichRightAndHowToRepeat) {
  RunResult result;
  result.verdicts = {testing::truncating_kernel()};
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("223 of 512 elements outside their accepted set (43.6 %), every one toward zero"));
  EXPECT_THAT(page, HasSubstr("<tr><td>worst</td><td><code>q[1, 7]</code></td><td><code>0x55 = 13</code></td>"
                              "<td><code>0x56 = 14 .. 0x57 = 15</code></td><td>-1 ulp of e4m3fn</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<dt>accepted</dt><dd>pinned: one code</dd>"));
  EXPECT_THAT(page, HasSubstr("<dt>row</dt><dd><code>suites/quant_group/cases/quick.csv:3</code>"));
  EXPECT_THAT(page, HasSubstr("<dt>repro</dt><dd><code>assay run --backend cpu --case"));
}

TEST(Html, AWrongRowIsABlackRowInTheHeatMap) {
  const std::string map = html::heat_map(one_wrong_row().tensors[0]);
  EXPECT_THAT(map, HasSubstr("<path stroke=\"#000\" d=\"M0 3.5h64\"/>"));
  EXPECT_EQ(times(map, "<path stroke="), 1u);
  EXPECT_THAT(map, HasSubstr("1024 of 1024"));
  EXPECT_EQ(times(map, "0 of 1024"), 4u) << "the other rows";
  EXPECT_THAT(map, HasSubstr("all outside: 64 cells"));
  EXPECT_THAT(map, HasSubstr("none outside: 256 cells"));
}

TEST(Html, PowerIsSummedUpOverDataSetsNotOverVerdicts) {
  RunResult result;
  for (const char* id : {"quant_group/a/w32", "quant_group/a/w64", "quant_group/b/w32"}) {
    result.verdicts.push_back(testing::verdict(Outcome::kPass, id));
    result.verdicts.back().power = {4, {"x"}, {{"q", "e4m3fn", 100, {}, 1, 0, 0}}};
    result.verdicts.back().power.data[0].codes.set(0x38);
  }
  result.verdicts[2].power.blind_to.clear();
  result.verdicts[2].power.data[0].codes.set(0x39).set(0xff);
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("<td rowspan=\"1\" class=\"number\">2</td><td rowspan=\"1\" class=\"number\">3 of 4</td>"
                              "<td rowspan=\"1\" class=\"number\">4 of 4</td>"));
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">3</td>")) << "codes of both";
  EXPECT_THAT(page, HasSubstr("d=\"M56 6h2M255 6h1\""));
  EXPECT_THAT(page, HasSubstr("<td class=\"number\">1 %</td>")) << "2 of 200 subnormal";
}

TEST(Html, BeyondTheFirstFortyAFailureIsALine) {
  EXPECT_EQ(times(html_text(failing(kFullSections), {}, {}), "<section class=\"failure\""), kFullSections);
  EXPECT_THAT(html_text(failing(kFullSections), {}, {}), Not(HasSubstr("id=\"others\"")));
  RunResult result = failing(kFullSections + 3);
  result.verdicts.back().causes = {"no known cause"};
  const std::string page = html_text(result, {}, {});
  EXPECT_EQ(times(page, "<section class=\"failure\""), kFullSections);
  EXPECT_EQ(times(page, "<li>"), 3u);
  EXPECT_THAT(page, HasSubstr("40 of 43 in full: the first of each cause"));
  EXPECT_THAT(page, HasSubstr("<section class=\"failure\" id=\"v42\">")) << "the only one of its cause";
  EXPECT_EQ(nesting_error(page), "");
}

TEST(Html, PassesAreFoldedAway) {
  RunResult result;
  result.verdicts = {testing::verdict(Outcome::kPass, "quant_group/fine")};
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("<p class=\"ending\">ALL AS EXPECTED</p>"));
  EXPECT_THAT(page, HasSubstr("<details><summary>1 verdicts</summary>"));
  EXPECT_THAT(page, HasSubstr("<td><code>quant_group/fine</code></td>"));
}

}  // namespace
}  // namespace assay
