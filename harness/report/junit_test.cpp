// Approval test of the JUnit report; known failures are not failures in it.
#include "harness/report/junit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "harness/testing/sample_verdicts.h"

namespace assay {
namespace {

using ::testing::HasSubstr;
using testing::one_of_each;
using testing::truncating_kernel;

TEST(Junit, IsApproved) {
  LibraryInfo library;
  library.name = "assay <cpu>";
  library.arch = "cpu";
  RunResult result = one_of_each();
  result.verdicts.erase(result.verdicts.begin() + 1);
  EXPECT_EQ(junit_text(result, library, {}), R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="assay" tests="4" failures="1" errors="1" skipped="1" time="1.000000">
  <testsuite name="quant_group" tests="3" failures="0" errors="1" skipped="1" time="0.750000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="quant_group" name="quant_group/a [group_fp8]" time="0.250000" />
    <testcase classname="quant_group" name="quant_group/b [group_fp8]" time="0.250000">
      <error type="broken" message="wrote outside 'q': 1 byte behind its end &lt;&amp;&quot;'>, first 0 bytes behind it">BROKEN  quant_group/b
  kernel    group_fp8 of back end cpu
  reason    wrote outside 'q': 1 byte behind its end &lt;&amp;"'&gt;, first 0 bytes behind it
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'quant_group/b'
</error>
    </testcase>
    <testcase classname="quant_group" name="quant_group/c" time="0.250000">
      <skipped message="no kernel for contract vllm.group_fp8" />
    </testcase>
  </testsuite>
  <testsuite name="rms_norm" tests="1" failures="1" errors="0" skipped="0" time="0.250000">
    <properties>
      <property name="library" value="assay &lt;cpu>" />
      <property name="arch" value="cpu" />
    </properties>
    <testcase classname="rms_norm" name="rms_norm/d [group_fp8]" time="0.250000">
      <failure type="untrusted" message="blind to scale dropped">UNTRUSTED  rms_norm/d
  kernel    group_fp8 of back end cpu
  reason    blind to scale dropped
  row       suites/quant_group/cases/quick.csv:3  every quotient lies halfway between two codes
  repro     assay run --backend cpu --case 'rms_norm/d'
</failure>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(Junit, AnExpectedDeviationIsNoFailure) {
  RunResult result;
  result.verdicts = {truncating_kernel()};
  result.verdicts[0].expected = "fail";
  result.verdicts[0].deviation = "expects fail: truncates (#7)";
  const std::string text = junit_text(result, {}, {});
  EXPECT_THAT(text, HasSubstr("failures=\"0\""));
  EXPECT_THAT(
      text,
      HasSubstr("<skipped message=\"expects fail: truncates (#7); q: 223 of 512 elements outside, worst 1 ulp at [1, 7]\" />"));
}

}  // namespace
}  // namespace assay
