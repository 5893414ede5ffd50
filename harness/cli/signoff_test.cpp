// The conditions of a sign-off: a correct manifest fulfils all of them, and a manifest with a single flaw breaks one.
#include "harness/cli/signoff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "suites/rulebook.h"

namespace assay::signoff {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A library with one op, one instruction and one conversion, all of which pass.
Json right_manifest() {
  return Json::parse(R"JSON({
    "assay_signoff": 1,
    "program": {"version": "0", "commit": "c", "digest": "xxh3:1"},
    "library": {"name": "lib", "arch": "chip", "device": "Chip 1", "driver": "7", "toolkit": "", "file": "lib.so", "digest": "xxh3:2"},
    "request": {"backend": "lib.so", "tier": "full", "unit": "*", "ledger": "", "scope": "scope.csv", "golden": "", "by": "ada", "data": "/data"},
    "inputs": {"digest": "xxh3:3", "files": 2},
    "began": "2026-11-26T00:00:00Z", "ended": "2026-11-26T00:01:00Z", "host": "h",
    "scope": [{"op": "rms_norm", "contracts": 1, "offered": 1, "cases": 2}],
    "offers": {"kernels": 3, "instructions": 1, "conversions": 1},
    "needs": [{"need": "a norm", "op": "*norm*", "format": "bf16|f16", "why": "w"}],
    "deviations": [],
    "plan": [{"name": "rms_norm quick", "kind": "run"}, {"name": "probe chip", "kind": "probe"}, {"name": "reference", "kind": "golden"}, {"name": "golden", "kind": "golden"},
             {"name": "conversions", "kind": "probe"}],
    "steps": [
      {"name": "rms_norm quick", "kind": "run", "state": "ended", "code": 0, "message": "", "seconds": 1, "files": [{"file": "rms_norm.quick.json", "digest": "xxh3:4", "bytes": 9}],
       "summary": {"counts": {"verdicts": 3, "unexpected": 0, "judged": 2, "outcomes": {"pass": 2, "skip": 1}}, "passed": 2, "elements": 100, "single_code": 90,
                   "formats": {"bf16": {"pass": 2}}, "contracts": ["vllm.rms_norm"], "worst": {"use": 0.5, "case": "rms_norm/vllm.rms_norm/a/b/w32", "kernel": "k", "tensor": "y", "format": "bf16"},
                   "held": {"repeat": 2}, "absent": {}, "covered": {}, "failures": []}},
      {"name": "probe chip", "kind": "probe", "state": "ended", "code": 0, "message": "", "seconds": 1, "files": [],
       "summary": {"instructions": [{"id": "sm_90.mma.f16.f32", "known": true, "no_answer": "", "cells": {"order": "take(16)"},
                                     "called": {"row": "sm_90.mma.f16.f32", "alike": 7, "of": 7, "equal": true, "differs_in": [], "same_cells": []},
                                     "nearest": {"row": "sm_90.mma.f16.f32", "alike": 7, "of": 7, "equal": true, "differs_in": [], "same_cells": []}}],
                   "conversions": []}},
      {"name": "reference", "kind": "golden", "state": "ended", "code": 0, "message": "", "seconds": 1, "files": []},
      {"name": "golden", "kind": "golden", "state": "ended", "code": 0, "message": "", "seconds": 1, "files": []},
      {"name": "conversions", "kind": "probe", "state": "ended", "code": 0, "message": "", "seconds": 1, "files": [],
       "summary": {"instructions": [], "conversions": [{"called": "cuda.e4m3fn_sat", "from": "f32", "as_called": true, "obeys": ["cuda.e4m3fn_sat"], "disobeys": [], "no_answer": ""}]}}
    ]})JSON");
}

Headline headline(const Json& manifest) {
  const Totals totals = totals_of(manifest);
  return headline_of(manifest, totals, rules_of(manifest, totals));
}

/// The text of the broken rules.
std::string broken(const Json& manifest) {
  std::string text;
  for (const Rule& rule : rules_of(manifest, totals_of(manifest)))
    if (!rule.kept && !rule.open) text += rule.what + ": " + rule.found + "\n";
  return text;
}

/// The text of the rules that the remaining steps decide.
std::string open(const Json& manifest) {
  std::string text;
  for (const Rule& rule : rules_of(manifest, totals_of(manifest)))
    if (rule.open) text += rule.what + ": " + rule.found + "\n";
  return text;
}

TEST(Signoff, ARightManifestPassesAndSaysAllOnlyIfAllIsThere) {
  const Json manifest = right_manifest();
  EXPECT_EQ(broken(manifest), "");
  EXPECT_EQ(open(manifest), "");
  EXPECT_EQ(headline(manifest).text, "PASS: all 1 ops, all 1 contracts");
}

TEST(Signoff, APartialOfferNeverSaysAll) {
  const std::function<void(Json&)> parts[] = {
      [](Json& m) { m["scope"].push_back({{"op", "cast"}, {"contracts", 3}, {"offered", 0}, {"cases", 9}}); },
      [](Json& m) { m["scope"][0]["contracts"] = 2; },
      [](Json& m) { m["offers"]["instructions"] = 2; },
      [](Json& m) { m["request"]["tier"] = "quick"; },
  };
  for (const auto& part : parts) {
    Json manifest = right_manifest();
    part(manifest);
    EXPECT_EQ(headline(manifest).state, "PASS");
    EXPECT_THAT(headline(manifest).text, HasSubstr("PASS for a partial scope"));
    EXPECT_THAT(headline(manifest).text, Not(HasSubstr("all ")));
  }
}

TEST(Signoff, AMissingStepIsIncompleteAndAFailedStepFails) {
  Json manifest = right_manifest();
  manifest["steps"].erase(1);
  EXPECT_EQ(headline(manifest).text, "INCOMPLETE: 4 of 5 steps");
  EXPECT_EQ(broken(manifest), "");
  EXPECT_THAT(open(manifest), HasSubstr("Every step ran to its end: 4 of 5; not run yet: probe chip"));
  EXPECT_THAT(open(manifest), HasSubstr("Each probed tensor core instruction has a model"));
  EXPECT_THAT(open(manifest), Not(HasSubstr("Each conversion"))) << "they were probed";
  manifest = right_manifest();
  manifest["steps"][3]["state"] = "failed", manifest["steps"][3]["code"] = 2, manifest["steps"][3]["message"] = "disk full";
  EXPECT_EQ(headline(manifest).state, "FAIL");
  EXPECT_THAT(broken(manifest), HasSubstr("failed: golden: disk full"));
}

TEST(Signoff, WhatHasNotRunIsOpenAndWhatIsBrokenStaysBroken) {
  Json manifest = right_manifest();
  const Json run = manifest["steps"][0];
  manifest["steps"].clear();
  EXPECT_EQ(headline(manifest).text, "INCOMPLETE: 0 of 5 steps");
  EXPECT_EQ(broken(manifest), "");
  for (const char* text : {"Every verdict is a pass", "Minimum scope: a norm (*norm* in bf16 | f16): not run yet: rms_norm",
                           "Every op was called repeatedly", "none probed; 1 offered"})
    EXPECT_THAT(open(manifest), HasSubstr(text));
  EXPECT_THAT(page_of(manifest, "xxh3:abc"), HasSubstr("open: not run yet: rms_norm"));
  // A need is broken if no remaining step runs its op. A failure of a finished step stays a failure.
  manifest["needs"][0]["op"] = "cast";
  EXPECT_THAT(broken(manifest), HasSubstr("Minimum scope: a norm (cast in bf16 | f16): not offered, or no case passes"));
  manifest = right_manifest();
  manifest["steps"] = {run};
  EXPECT_EQ(broken(manifest), "");
  EXPECT_THAT(open(manifest), Not(HasSubstr("Minimum scope")));
  manifest["plan"].push_back({{"name", "cast quick"}, {"kind", "run"}});
  manifest["steps"][0]["summary"]["counts"]["unexpected"] = 1;
  EXPECT_THAT(broken(manifest),
              HasSubstr("Every verdict is a pass or an allowed deviation: 2 verdicts: 2 pass, 0 deviate, 1 neither"));
  // A row of the known-failures list that covers no verdict yet may cover one of a later step.
  manifest["deviations"].push_back({{"case", "cast/*"}, {"kernel", "k"}, {"outcome", "fail"}, {"issue", "i/1"}});
  EXPECT_THAT(open(manifest), HasSubstr("Each allowed deviation names"));
  manifest["deviations"][0]["outcome"] = "broken";
  EXPECT_THAT(broken(manifest), HasSubstr("row 1 (i/1) allows 'broken'"));
}

TEST(Signoff, AtMostSixMissingStepsAreNamed) {
  Json manifest = right_manifest();
  manifest["plan"].clear(), manifest["steps"].clear();
  for (int i = 0; i < 6; ++i) manifest["plan"].push_back({{"name", "op" + std::to_string(i) + " quick"}, {"kind", "run"}});
  EXPECT_THAT(open(manifest),
              HasSubstr("0 of 6; not run yet: op0 quick, op1 quick, op2 quick, op3 quick, op4 quick, op5 quick\n"));
  manifest["plan"].push_back({{"name", "op6 quick"}, {"kind", "run"}});
  EXPECT_THAT(open(manifest), HasSubstr("op5 quick and 1 more\n"));
}

TEST(Signoff, EachConditionCanBreak) {
  struct Flaw {
    std::function<void(Json&)> put;
    const char* rule;
  };
  const Flaw flaws[] = {
      {[](Json& m) { m["steps"][0]["summary"]["counts"]["unexpected"] = 1; },
       "Every verdict is a pass or an allowed deviation: 2 verdicts: 2 pass, 0 deviate, 1 neither"},
      {[](Json& m) { m["steps"][0]["summary"]["counts"]["judged"] = 0; },
       "Every verdict is a pass or an allowed deviation: 0 verdicts"},
      {[](Json& m) { m["needs"][0]["format"] = "f16"; },
       "Minimum scope: a norm (*norm* in f16): not offered, or no case passes"},
      {[](Json& m) {
         m["steps"][0]["summary"]["formats"]["bf16"] = {{"deviating", 2}};
       },
       "Minimum scope: a norm (*norm* in bf16 | f16): not offered, or no case passes"},
      {[](Json& m) {
         m["steps"][0]["summary"]["held"] = {{"columns", 2}};
       },
       "Every op was called repeatedly and returned the same bits: not tested: rms_norm"},
      {[](Json& m) { m["steps"][1]["summary"]["instructions"][0]["known"] = false; }, "0 of 1 probed; not: sm_90.mma.f16.f32"},
      {[](Json& m) { m["steps"][1]["summary"]["instructions"][0]["called"]["equal"] = false; },
       "0 of 1 probed; not: sm_90.mma.f16.f32"},
      {[](Json& m) { m["steps"][1]["summary"]["instructions"].clear(); }, "has a model that equals its row in the table: none probed; 1 offered"},
      {[](Json& m) { m["steps"][4]["summary"]["conversions"][0]["as_called"] = false; },
       "is offered for: 0 of 1 probed; not: cuda.e4m3fn_sat from f32"},
      {[](Json& m) { m["steps"][4]["summary"]["conversions"].clear(); }, "is offered for: none probed; 1 offered"},
      {[](Json& m) { m["steps"][2]["code"] = 1; }, "The reference computes the recorded predictions: NO"},
      {[](Json& m) {
         m["deviations"].push_back({{"case", "*"}, {"kernel", "k"}, {"outcome", "fail"}, {"issue", "i/1"}});
       },
       "row 1 (i/1) covers no verdict"},
      {[](Json& m) {
         m["deviations"].push_back({{"case", "*"}, {"kernel", "k"}, {"outcome", "broken"}, {"issue", "i/2"}});
         m["steps"][0]["summary"]["covered"] = {{"0", 1}};
       },
       "row 1 (i/2) allows 'broken'"},
  };
  for (const Flaw& flaw : flaws) {
    Json manifest = right_manifest();
    flaw.put(manifest);
    EXPECT_THAT(broken(manifest), HasSubstr(flaw.rule));
    EXPECT_EQ(headline(manifest).state, "FAIL") << flaw.rule;
  }
}

TEST(Signoff, AnAllowedDeviationIsCountedAndNamed) {
  Json manifest = right_manifest();
  manifest["deviations"].push_back({{"case", "rms_norm/*"},
                                    {"kernel", "k"},
                                    {"outcome", "fail"},
                                    {"reason", "one chain"},
                                    {"issue", "i/3"},
                                    {"since", "2026-11-26"},
                                    {"owner", "grace"}});
  manifest["steps"][0]["summary"]["covered"] = {{"0", 1}};
  EXPECT_EQ(broken(manifest), "");
  EXPECT_EQ(headline(manifest).text, "PASS: all 1 ops, all 1 contracts, 1 deviation");
  const std::string page = page_of(manifest, "xxh3:abc");
  for (const char* text : {"grace", "i/3", "one chain", "xxh3:abc", "Chip 1", "ada", "vllm.rms_norm/a/b/w32", "50 %"})
    EXPECT_THAT(page, HasSubstr(text));
}

TEST(Signoff, CountsAndSummaryFollowTheReport) {
  open_rulebook(ASSAY_SOURCE_DIR);
  const Json report = Json::parse(R"JSON({"verdicts": [
    {"case": "c/1", "kernel": "k", "op": "rms_norm", "contract": "vllm.group_fp8", "outcome": "pass", "as_expected": true, "deviation": "", "message": "", "causes": [],
     "ladder": {"held": ["repeat", "columns"], "absent": {"graph": "none"}, "broken": ""},
     "tensors": [{"name": "q", "format": "e4m3fn", "elements": 8, "single_code": 6, "budget_use": 0.75}, {"name": "scale", "format": "f32", "elements": 2, "single_code": 2, "budget_use": "nan"}]},
    {"case": "c/2", "kernel": "k", "op": "rms_norm", "contract": "vllm.group_fp8", "outcome": "fail", "as_expected": false, "deviation": "", "message": "m", "causes": ["x -> y"], "ladder": null, "tensors": []},
    {"case": "c/3", "kernel": "k", "op": "rms_norm", "contract": "vllm.group_fp8", "outcome": "fail", "as_expected": true, "deviation": "expects fail", "message": "", "causes": [], "ladder": null, "tensors": []},
    {"case": "c/4", "kernel": "", "op": "rms_norm", "contract": "other", "outcome": "skip", "as_expected": true, "deviation": "", "message": "", "causes": [], "ladder": null, "tensors": []}]})JSON");
  Deviation known;
  known.cases = "c/3", known.kernels = "*", known.outcome = "fail";
  const Json summary = summary_of_run(report, {}, {known});
  EXPECT_EQ(summary["counts"], counts_of(report));
  EXPECT_EQ(summary["counts"]["judged"], 3);
  EXPECT_EQ(summary["counts"]["unexpected"], 1);
  EXPECT_EQ(summary["passed"], 1);
  EXPECT_EQ(summary["formats"]["e4m3fn"], Json::parse(R"({"pass": 1, "bad": 1, "deviating": 1})"))
      << "the codes of the contract, also where no tensor was compared";
  EXPECT_FALSE(summary["formats"].contains("f32")) << "scales";
  EXPECT_EQ(summary["worst"]["use"], 0.75);
  EXPECT_EQ(summary["held"]["columns"], 1);
  EXPECT_EQ(summary["absent"]["graph"], 1);
  EXPECT_EQ(summary["covered"]["0"], 1);
  EXPECT_EQ(summary["failures"].size(), 1u);
  Json altered = report;
  altered["verdicts"][1]["outcome"] = "pass";
  EXPECT_NE(counts_of(altered), summary["counts"]);
}

}  // namespace
}  // namespace assay::signoff
