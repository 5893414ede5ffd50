// In the build with -fsanitize=thread: a kernel that lacks a barrier is reported with the name of its shared variable, a healthy
// one is not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// What the probe prints, TSan's reports among it.
std::string probe(const std::string& library, const std::string& op, const std::string& contract, const std::string& kernel,
                  int warp) {
  const std::string command = std::string("TSAN_OPTIONS=exitcode=0 " ASSAY_TSAN_PROBE " ") + library + " " + op + " " + contract +
                              " " + kernel + " " + std::to_string(warp) + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  while (pipe && std::fgets(part.data(), int(part.size()), pipe)) text += part.data();
  if (pipe) pclose(pipe);
  return text;
}

class Tsan : public testing::TestWithParam<int> {};

TEST_P(Tsan, NamesTheSharedVariableOfAMissingBarrier) {
  const auto report = probe(ASSAY_FAULTY_LIBRARY, "rms_norm", "vllm.rms_norm@2026-06-18", "missing_barrier", GetParam());
  EXPECT_THAT(report, HasSubstr("WARNING: ThreadSanitizer: data race"));
  EXPECT_THAT(report, HasSubstr("warp_results"));
  EXPECT_THAT(report, HasSubstr("block_reduce.h"));
}

TEST_P(Tsan, NamesTheStagingTileOfAMissingBarrier) {
  const auto report = probe(ASSAY_FAULTY_LIBRARY, "quant_group", "vllm.group_fp8", "missing_barrier_in_staging", GetParam());
  EXPECT_THAT(report, HasSubstr("WARNING: ThreadSanitizer: data race"));
  EXPECT_THAT(report, ContainsRegex("Location is global '[^']*staging<[^']*>\\(\\)::shared'"));
}

TEST_P(Tsan, IsSilentAboutHealthyKernels) {
  for (const char* kernel : {"quant_group.register", "quant_group.shared"}) {
    const auto report = probe(ASSAY_CPU_LIBRARY, "quant_group", "vllm.group_fp8", kernel, GetParam());
    EXPECT_THAT(report, Not(HasSubstr("ThreadSanitizer")));
    EXPECT_THAT(report, HasSubstr("status 0"));
  }
  const auto report = probe(ASSAY_CPU_LIBRARY, "rms_norm", "vllm.rms_norm@2026-06-18", "rms_norm", GetParam());
  EXPECT_THAT(report, Not(HasSubstr("ThreadSanitizer")));
  EXPECT_THAT(report, HasSubstr("status 0"));
}

INSTANTIATE_TEST_SUITE_P(Lanes, Tsan, testing::Values(32, 64));

}  // namespace
