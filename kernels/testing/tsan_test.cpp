// In builds with -fsanitize=thread: TSan must name the shared variable of a missing barrier, and report nothing for a correct
// kernel.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <string>

namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

std::string printed_by(const std::string& program, const std::string& options = "") {
  const std::string command = "TSAN_OPTIONS='exitcode=0 " + options + "' " + program + " 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  std::string text;
  std::array<char, 4096> part;
  while (pipe && std::fgets(part.data(), int(part.size()), pipe)) text += part.data();
  if (pipe) pclose(pipe);
  return text;
}

/// Returns the probe's output, including TSan's reports.
std::string probe(const std::string& library, const std::string& op, const std::string& contract, const std::string& kernel,
                  int warp) {
  return printed_by(ASSAY_TSAN_PROBE " " + library + " " + op + " " + contract + " " + kernel + " " + std::to_string(warp));
}

/// Runs tsan_ranks_probe, i.e. the kernel with four ranks, and returns its output.
std::string ranks_probe(const std::string& library, const std::string& op, const std::string& contract, const std::string& kernel,
                        const std::string& how = "") {
  return printed_by(ASSAY_TSAN_RANKS_PROBE " " + library + " " + op + " " + contract + " " + kernel + " " + how,
                    "suppressions=" ASSAY_TSAN_OF_RANKS);
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

TEST(TsanRanks, NamesTheGatherBehindABarrierWithoutRelease) {
  for (const char* kernel : {"rank_barrier_relaxed", "rank_barrier_missing"}) {
    const auto report = ranks_probe(ASSAY_FAULTY_LIBRARY, "all_reduce", "vllm.all_reduce_2stage", kernel);
    EXPECT_THAT(report, HasSubstr("WARNING: ThreadSanitizer: data race")) << kernel;
    EXPECT_THAT(report, HasSubstr("all_reduce_two_shot<")) << kernel;
  }
}

TEST(TsanRanks, NamesTheCopyThatOvertakesPeersWhoStillRead) {
  const auto report = ranks_probe(ASSAY_FAULTY_LIBRARY, "all_reduce", "vllm.all_reduce_1stage", "rank_end_missing", "in_a_row");
  EXPECT_THAT(report, HasSubstr("WARNING: ThreadSanitizer: data race"));
  EXPECT_THAT(report, HasSubstr("all_reduce_registered<"));
}

TEST(TsanRanks, NamesTheGatherOfWhoGaveUpAStraggler) {
  const auto report = ranks_probe(ASSAY_FAULTY_LIBRARY, "all_reduce", "vllm.all_reduce_2stage", "rank_gives_up", "straggler");
  EXPECT_THAT(report, HasSubstr("WARNING: ThreadSanitizer: data race"));
  EXPECT_THAT(report, HasSubstr("all_reduce_two_shot<"));
}

/// Leaves out kernels with relaxed final barriers, such as vLLM's: they rely on the order of launches, which TSan does not see.
TEST(TsanRanks, IsSilentAboutCallsInARow) {
  for (const char* how : {"in_a_row", "in_a_row straggler"}) {
    const auto report = ranks_probe(ASSAY_CPU_LIBRARY, "all_reduce", "vllm.all_reduce_1stage", "all_reduce.registered", how);
    EXPECT_THAT(report, Not(HasSubstr("ThreadSanitizer"))) << how;
    EXPECT_THAT(report, HasSubstr("status 0")) << how;
  }
}

TEST(TsanRanks, IsSilentAboutHealthyProtocols) {
  const std::array<const char*, 3> kernels[] = {
      {"all_reduce", "vllm.all_reduce_1stage", "all_reduce.one_shot"},
      {"all_reduce", "vllm.all_reduce_1stage", "all_reduce.registered"},
      {"all_reduce", "vllm.all_reduce_2stage", "all_reduce.two_shot"},
      {"all_reduce", "flashinfer.all_reduce_oneshot", "all_reduce.lamport"},
      {"all_reduce", "sglang.all_reduce_v2_push", "all_reduce.lamport"},
      {"all_reduce", "assay.all_reduce_ring", "all_reduce.ring"},
      {"all_reduce", "nccl.all_reduce_tree", "all_reduce.pairs"},
      {"all_reduce", "quickreduce.all_reduce_int8.gfx942", "all_reduce.coded"},
      {"all_reduce", "quickreduce.all_reduce_fp8_nosat.gfx950", "all_reduce.coded"},
      {"all_reduce", "aiter.all_reduce_fp8_nosat.gfx942", "all_reduce.owner_keeps"},
      {"all_reduce", "aiter.all_reduce_fp8_g8_nosat.gfx950", "all_reduce.owner_keeps"},
      {"all_reduce", "flashinfer.all_reduce_fp8_twoshot", "all_reduce.owner_keeps"},
      {"all_reduce", "flashinfer.all_reduce_mnnvl_twoshot", "all_reduce.two_shot"},
      {"all_reduce_add_rms_norm_quant_group", "flashinfer.all_reduce_add_rms_norm_token_fp8_oneshot",
       "all_reduce_add_rms_norm_quant_group.lamport"},
      {"all_reduce_add_rms_norm_quant_group", "aiter.all_reduce_add_rms_norm_token_fp8_ftz",
       "all_reduce_add_rms_norm_quant_group.one_shot"},
      {"all_reduce_add_rms_norm_quant_group", "aiter.all_reduce_add_rms_norm_token_fp8_ftz_2stage",
       "all_reduce_add_rms_norm_quant_group.two_shot"},
      {"all_reduce_add_rms_norm_quant_static", "flashinfer.all_reduce_add_rms_norm_fp8_oneshot",
       "all_reduce_add_rms_norm_quant_static.lamport"},
      {"all_reduce_add_rms_norm_quant_static", "flashinfer.all_reduce_add_rms_norm_fp8_twoshot",
       "all_reduce_add_rms_norm_quant_static.two_shot"},
      {"all_reduce_add_rms_norm", "vllm.all_reduce_add_rms_norm", "all_reduce_add_rms_norm.one_shot"},
      {"all_reduce_add_rms_norm", "flashinfer.all_reduce_add_rms_norm_twoshot", "all_reduce_add_rms_norm.two_shot"},
      {"all_reduce_add_rms_norm", "flashinfer.all_reduce_add_rms_norm_oneshot", "all_reduce_add_rms_norm.lamport"},
      {"all_reduce_rms_norm", "vllm.minimax_all_reduce_rms_norm", "all_reduce_rms_norm.lamport"},
      {"all_reduce_rms_norm", "vllm.minimax_all_reduce_qk_rms_norm", "all_reduce_rms_norm.qk_lamport"}};
  for (const auto& [op, contract, kernel] : kernels)
    for (const char* how : {"", "straggler"}) {
      const auto report = ranks_probe(ASSAY_CPU_LIBRARY, op, contract, kernel, how);
      EXPECT_THAT(report, Not(HasSubstr("ThreadSanitizer"))) << contract << " " << how;
      EXPECT_THAT(report, HasSubstr("status 0")) << contract << " " << how;
    }
}

INSTANTIATE_TEST_SUITE_P(Lanes, Tsan, testing::Values(32, 64));

}  // namespace
