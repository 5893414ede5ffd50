// The page contains the verdicts, is well-formed and loads nothing from the network.
#include "harness/report/html/html.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "harness/report/html/parts.h"
#include "harness/report/html/style.h"
#include "harness/testing/html_pages.h"
#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using testing::everything;
using ::testing::HasSubstr;
using testing::nesting_error;
using ::testing::Not;
using testing::one_of_each;

TEST(Html, IsWellFormedAndHalfOfItIsNot) {
  const std::string page = html_text(everything(), {}, {});
  EXPECT_EQ(nesting_error(page), "");
  EXPECT_NE(nesting_error(page.substr(0, page.size() / 2)), "");
  EXPECT_EQ(nesting_error(html_text({}, {}, {})), "");
  EXPECT_EQ(nesting_error("<p><b></p></b>"), "</p> closes b");
}

TEST(Html, TextStaysTextAndElementsKeepTheirEndTags) {
  pugi::xml_document document;
  const html::Node cell = html::child(document, "td");
  html::code(cell, "a<b>&\x1b\"'");
  html::child(cell, "br");
  html::child(cell, "span", "key");
  html::write_powers(cell, "-2^-3 .. 2^10x");
  EXPECT_EQ(html::source_of(document),
            "<td><code>a&lt;b&gt;&amp;\\x1b\"'</code><br/><span class=\"key\"></span>-2<sup>-3</sup> .. "
            "2<sup>10</sup>x</td>");
  EXPECT_THAT(html_text({}, {}, {}), HasSubstr(html::kStyle)) << "a style sheet is no XML: nothing in it may need an entity";
}

TEST(Html, FetchesNothingAndRunsNothing) {
  const std::string page = html_text(everything(), {}, {});
  for (const char* word : {"http://", "https://", "<script", "<link", "src=", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(word)));
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

TEST(Html, WhatIsNotOfferedIsToldFromWhatWasRefused) {
  RunResult result = one_of_each();
  result.verdicts[0].outcome = Outcome::kSkip;
  result.verdicts[0].message = "needs 128 bytes of alignment";
  const std::string page = html_text(result, {}, {});
  EXPECT_LT(page.find("passed</div>"), page.find("not run</div>"));
  EXPECT_LT(page.find("not run</div>"), page.find("not offered</div>"));
  EXPECT_LT(page.find("not offered</div>"), page.find("failed</div>"));
  EXPECT_THAT(
      page, HasSubstr("<h2>Not run</h2>\n<table class=\"skips\"><thead><tr><th>cases</th><th>because</th></tr></thead><tbody>\n"
                      "<tr><td>1</td><td>needs 128 bytes of alignment</td></tr>"));
  EXPECT_THAT(page, HasSubstr("<tr><td>1</td><td>no kernel for contract vllm.group_fp8</td></tr>"));
  result.verdicts = {one_of_each().verdicts[3]};
  EXPECT_THAT(html_text(result, {}, {}), HasSubstr("<details><summary>1 contract not offered by the library</summary>"));
}

TEST(Html, AnEarlyEndIsSaidBesideTheEnding) {
  Provenance provenance;
  provenance.ended_early = "SIGINT";
  EXPECT_THAT(html_text(everything(), {}, provenance), HasSubstr("<p class=\"early\">Ended early by SIGINT"));
  EXPECT_THAT(html_text(everything(), {}, {}), Not(HasSubstr("Ended early")));
}

TEST(Html, HasADarkSchemeAndWideTablesScrollByThemselves) {
  const std::string page = html_text(everything(), {}, {});
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
  for (const char* table : {"matrix", "elements", "power"}) {
    const size_t at = page.find(std::string("<table class=\"") + table);
    ASSERT_NE(at, std::string::npos) << table;
    EXPECT_EQ(page.substr(page.rfind("<div", at), 18), "<div class=\"wide\">") << table;
  }
}

TEST(Html, PassesAreFoldedAway) {
  RunResult result;
  result.verdicts = {testing::verdict(Outcome::kPass, "quant_group/fine")};
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("<p class=\"ending\">ALL AS EXPECTED</p>"));
  EXPECT_THAT(page, HasSubstr("<details><summary><code>group_fp8</code>: 1 verdict</summary>"));
  EXPECT_THAT(page, HasSubstr("<td><code>quant_group/fine</code></td>"));
}

}  // namespace
}  // namespace assay
