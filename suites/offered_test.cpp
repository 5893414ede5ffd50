// Every quick case has a kernel of ours on the CPU. A kernel that is lost in the build would otherwise be an expected skip.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "harness/backend/library.h"
#include "harness/core/cases.h"
#include "harness/run/match.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::vector<Case> quick_cases() {
  open_rulebook(ASSAY_SOURCE_DIR);
  return select_cases(load_cases(shipped_ops().all(), ASSAY_SOURCE_DIR), {.suites = {"quick"}});
}

/// Contracts of cases that no kernel takes.
std::set<std::string> left_out(const std::vector<KernelOffer>& kernels, const std::vector<Case>& cases) {
  std::set<std::string> contracts;
  for (const Case& one : cases)
    if (std::none_of(kernels.begin(), kernels.end(),
                     [&](const KernelOffer& kernel) { return why_not_offered(kernel, one).empty(); }))
      contracts.insert(one.text("contract"));
  return contracts;
}

TEST(Offered, EveryQuickCaseHasAKernelOfOurs) {
  EXPECT_EQ(left_out(open_library(ASSAY_CPU_LIBRARY).info.kernels, quick_cases()), std::set<std::string>());
}

TEST(Offered, AKernelThatIsLostIsFound) {
  std::vector<KernelOffer> kernels = open_library(ASSAY_CPU_LIBRARY).info.kernels;
  std::erase_if(kernels, [](const KernelOffer& kernel) { return kernel.op == "pack_scales"; });
  EXPECT_FALSE(left_out(kernels, quick_cases()).empty());
}

}  // namespace
}  // namespace assay
