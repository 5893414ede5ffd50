// Tests the HTML report: it contains the verdicts, is well-formed and loads nothing from the network.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "harness/report/html/parts.h"
#include "harness/report/report.h"
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
  EXPECT_THAT(page, HasSubstr("<span class=\"soft\">3 of 256</span>")) << "codes of both";
  EXPECT_THAT(page, Not(HasSubstr("<th>NaN</th>"))) << "an empty column";
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
  EXPECT_THAT(html_text(result, {}, {}), HasSubstr("<summary>1 contract not offered by the library</summary>"));
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

/// The HTML between two texts, the second after the first.
std::string between(const std::string& page, const std::string& begin, const std::string& end) {
  const size_t from = page.find(begin);
  return from == std::string::npos ? "" : page.substr(from, page.find(end, from) - from);
}

TEST(Html, TheHeaderSaysWhichLibraryOnWhatWhenByWhichVersion) {
  Provenance provenance;
  provenance.begun = "2026-11-25T10:00:00Z", provenance.ended = "2026-11-25T10:00:41Z";
  provenance.version = "1.2", provenance.commit = "0123456789abcdef", provenance.host = "box";
  provenance.library = {"libmine.so", "xxh3:77"};
  LibraryInfo library;
  library.name = "mine", library.arch = "sm_90", library.device = "H200", library.driver = "580";
  for (const RunResult& result : {everything(), RunResult()}) {
    const std::string facts = between(html_text(result, library, provenance), "<dl class=\"facts\">", "</dl>");
    for (const char* fact :
         {"mine (xxh3:77)", "sm_90, H200", "580", "2026-11-25 10:00:00Z, 41 s", "box", "1.2, commit 0123456789ab<"})
      EXPECT_THAT(facts, HasSubstr(fact));
  }
  EXPECT_THAT(html_text(RunResult(), {}, {}), Not(HasSubstr("<dl class=\"facts\">")));
}

TEST(Html, OpsByVendorLeadToTheirContracts) {
  RunResult result;
  for (const char* contract : {"vllm.a", "vllm.b", "sm_90.mma", "gfx942.mma"}) {
    result.verdicts.push_back(testing::verdict(Outcome::kPass));
    result.verdicts.back().contract = contract;
  }
  result.verdicts[1].outcome = Outcome::kFail;
  const std::string page = html_text(result, {}, {}, nullptr, {{"vllm.a", {{"q = x / s"}, {}}}});
  const std::string table = between(page, "<table class=\"vendors\">", "</table>");
  EXPECT_THAT(table, HasSubstr("<th>op</th><th>amd</th><th>nvidia</th><th>vllm</th>"));
  EXPECT_THAT(table, HasSubstr("<td class=\"bad\" data-vendor=\"vllm\">"));
  EXPECT_THAT(table, HasSubstr(" 1 of 2</td>"));
  EXPECT_THAT(table, HasSubstr("<a href=\"#op-quant_group\">"));
  EXPECT_THAT(page, HasSubstr("<details id=\"op-quant_group\" open=\"open\"><summary>quant_group"));
  EXPECT_THAT(page, HasSubstr("title=\"q = x / s\"")) << "the formula of the contract";
}

TEST(Html, ACardShowsTheContractAndTheTermThatChanged) {
  RunResult result;
  result.verdicts = {testing::one_wrong_row()};
  const ContractTexts contracts = {
      {result.verdicts[0].contract,
       {{"amax = max|x|", "q = e4m3fn(x / s)"}, {{"code", "div(s) clamp(max_min,M) to(q)"}, {"y", "mul(r) to(q)"}}}}};
  const auto card = [&](const std::string& cause) {
    result.verdicts[0].causes = {"explains 7 of 7 failing elements: " + cause};
    return html_text(result, {}, {}, nullptr, contracts);
  };
  EXPECT_THAT(card("code: div(s) -> mul(1/s)"), HasSubstr("<pre>amax = max|x|\nq = e4m3fn(x / s)</pre>"));
  EXPECT_THAT(card("code: div(s) -> mul(1/s)"),
              HasSubstr("<code><del>div(s)</del> <ins>mul(1/s)</ins> clamp(max_min,M) to(q)</code>"));
  EXPECT_THAT(card("y: to(x) after mul(r)"), HasSubstr("<code>mul(r) <ins>to(x)</ins> to(q)</code>"));
  EXPECT_THAT(card("code: drop to(q)#0"), HasSubstr("clamp(max_min,M) <del>to(q)</del></code>"));
  EXPECT_THAT(card("sum: ignores the data"), Not(HasSubstr("class=\"changed\"")));
}

TEST(Html, OnlyFailuresHideWhatPasses) {
  const std::string failing = html_text(everything(), {}, {});
  EXPECT_THAT(failing, HasSubstr("#only-failures:checked ~ main .passing { display: none; }"));
  EXPECT_THAT(failing, HasSubstr("<label class=\"only\" for=\"only-failures\">Failures only</label>"));
  EXPECT_THAT(failing, HasSubstr("<section class=\"passing\" id=\"passed\">"));
  RunResult result;
  result.verdicts = {testing::verdict(Outcome::kPass)};
  EXPECT_THAT(html_text(result, {}, {}), Not(HasSubstr("<label class=\"only\"")));
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

// The page has a card for each cause; it shows what failed and where.
namespace {

using testing::everything;
using ::testing::HasSubstr;
using testing::nesting_error;
using ::testing::Not;
using testing::one_wrong_row;
using testing::times;

RunResult failing(size_t count) {
  RunResult result;
  for (size_t i = 0; i < count; ++i) {
    result.verdicts.push_back(one_wrong_row());
    result.verdicts.back().case_id = "quant_group/wrong" + std::to_string(i);
  }
  return result;
}

/// The HTML source of a finding's figure.
std::string map_of(const TensorFinding& finding) {
  pugi::xml_document document;
  html::heat_map(document, finding);
  return html::source_of(document);
}

TEST(Html, NamesEachFailureWithItsIdEscaped) {
  const std::string page = html_text(everything(), {}, {});
  EXPECT_THAT(page, HasSubstr("quant_group/&lt;row&gt; &amp; 'three'"));
  EXPECT_THAT(page, Not(HasSubstr("<row>")));
  EXPECT_THAT(page, HasSubstr("scale: &lt;doubled&gt;"));
  for (const char* id : {"quant_group/b", "rms_norm/d", "quant_group/e4m3fn.m2.n256.g128.ties.s17"})
    EXPECT_THAT(page, HasSubstr(id));
  EXPECT_EQ(times(page, "<section class=\"card\""), 4u) << "fail twice, broken, untrusted";
}

TEST(Html, WordsOfTheGlossaryHaveATooltip) {
  RunResult result;
  result.verdicts = {testing::truncating_kernel()};
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("<dt title=\"why some elements accept more than one code: "));
  EXPECT_THAT(page, HasSubstr("<span class=\"outcome\" title=\"an element is outside its accepted interval, "));
  result.verdicts[0].outcome = Outcome::kBroken, result.verdicts[0].causes.clear();
  EXPECT_THAT(html_text(result, {}, {}), HasSubstr(" --minimize finds the smallest case that still breaks</code>"));
}

TEST(Html, AFailureSaysWhatWhereByWhichRightAndHowToRepeat) {
  RunResult result;
  result.verdicts = {testing::truncating_kernel()};
  const std::string page = html_text(result, {}, {});
  EXPECT_THAT(page, HasSubstr("223 of 512 elements are wrong: outside their accepted set (43.6 %), every one toward zero"));
  EXPECT_THAT(page, HasSubstr(">worst</td><td><code>q[1, 7]</code></td><td><code>0x55 = 13</code></td>"
                              "<td><code>0x56 = 14 .. 0x57 = 15</code></td><td>-1 ulp of e4m3fn</td></tr>"));
  EXPECT_THAT(page, HasSubstr(">accepted</dt><dd>pinned: one code</dd>"));
  EXPECT_THAT(page, HasSubstr(">row</dt><dd><code>suites/quant_group/cases/quick.csv:3</code>"));
  EXPECT_THAT(page, HasSubstr(">repro</dt><dd><code>assay run --backend cpu --case"));
}

TEST(Html, AWrongRowIsABlackRowInTheHeatMap) {
  const std::string map = map_of(one_wrong_row().tensors[0]);
  EXPECT_THAT(map, HasSubstr("<path stroke=\"#000\" d=\"M0 3.5h64\"/>"));
  EXPECT_EQ(times(map, "<path stroke="), 1u);
  EXPECT_THAT(map, HasSubstr("1024 of 1024"));
  EXPECT_EQ(times(map, "0 of 1024"), 4u) << "the other rows";
  EXPECT_THAT(map, HasSubstr("all outside: 64 cells"));
  EXPECT_THAT(map, HasSubstr("none outside: 256 cells"));
}

TEST(Html, PlacesThatAreWrongTogetherAreALineInTheHeatMap) {
  Verdict v = one_wrong_row();
  EXPECT_THAT(map_of(v.tensors[0]), Not(HasSubstr("joint")));
  v.tensors[0].picture->add_joint(1, Place::kWholeRow);
  const std::string map = map_of(v.tensors[0]);
  EXPECT_THAT(map, HasSubstr("<path class=\"joint\" d=\"M54 "));
  EXPECT_EQ(times(map, "h15"), 64u) << "every cell of row 1";
  EXPECT_THAT(map, HasSubstr("a line marks elements that contradict each other, though each alone may be accepted"));
}

TEST(Html, ACauseHasOneCardWhateverItsNumbers) {
  RunResult result = failing(5);
  result.verdicts[1].causes = {"explains 7 of 9 failing elements and contradicts 1 right elements: scale: <doubled>"};
  result.verdicts[2].causes = {"explains 8 of 8 failing elements: rows 3 .. 17 of m-block"};
  result.verdicts[3].causes = {"explains 8 of 8 failing elements: rows 4 .. 9 of m-block"};
  result.verdicts[4].causes = {"explains 8 of 8 failing elements: e4m3fn -> e4m3fnuz"};
  const std::string page = html_text(result, {}, {});
  EXPECT_EQ(times(page, "<section class=\"card\""), 3u);
  EXPECT_EQ(times(page, "<li>"), 2u) << "the second of each pair";
  EXPECT_THAT(page, HasSubstr("<h3><a href=\"#c1\">1</a> scale: &lt;doubled&gt;</h3>\n<p>2 verdicts of 1 kernel"));
  EXPECT_THAT(page, HasSubstr("<details><summary>1 verdict more of kernel <code>group_fp8</code></summary>"));
  EXPECT_THAT(page, HasSubstr("; rows 4 .. 9 of m-block")) << "the numbers of the others are told";
  EXPECT_EQ(nesting_error(page), "");
}

TEST(Html, ThousandFailuresOfOneCauseAreOneCardAndAFoldedList) {
  const std::string page = html_text(failing(1000), {}, {});
  EXPECT_EQ(times(page, "<section class=\"card\""), 1u);
  EXPECT_EQ(times(page, "<svg class=\"heat\""), 1u);
  EXPECT_EQ(times(page, "<li>"), 999u);
}

TEST(Html, TwinsOfTwoWarpSizesAreShownOnce) {
  RunResult result;
  for (const char* warp : {"32", "64"}) {
    result.verdicts.push_back(one_wrong_row());
    result.verdicts.back().case_id = std::string("quant_group/x/w") + warp;
    result.verdicts.back().warp = warp;
  }
  const std::string page = html_text(result, {}, {});
  EXPECT_EQ(times(page, "<section class=\"card\""), 1u);
  EXPECT_EQ(times(page, "<li>"), 0u);
  EXPECT_THAT(page, HasSubstr("<code>quant_group/x/w32 and w64</code>"));
  EXPECT_THAT(page, HasSubstr("<td>32, 64 each</td><td class=\"bad\"><a href=\"#c1\">1</a></td>"));
  result.verdicts.push_back(testing::verdict(Outcome::kPass));
  const std::string told_apart = html_text(result, {}, {});
  EXPECT_THAT(told_apart, HasSubstr("<td>32</td><td class=\"some\">1</td><td class=\"bad\"><a href=\"#c1\">1</a></td>"));
  EXPECT_THAT(told_apart, HasSubstr("<td>64</td><td class=\"none\">\xC2\xB7</td><td class=\"bad\"><a href=\"#c1\">1</a></td>"));
}

TEST(Html, TheMatrixLeadsToTheCards) {
  RunResult result = everything();
  const std::string page = html_text(result, {}, {});
  for (int card = 1; card <= 4; ++card) {
    EXPECT_THAT(page, HasSubstr("id=\"c" + std::to_string(card) + "\""));
    EXPECT_GE(times(page, "href=\"#c" + std::to_string(card) + "\""), 3u) << "from the list of causes, the matrix and the card";
  }
  EXPECT_THAT(page, HasSubstr("<td class=\"bad\"><a href=\"#c"));
}

}  // namespace
}  // namespace assay
