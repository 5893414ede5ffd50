// Fixture for tests of products that run once per instruction set of the processor.
#pragma once

#include <gtest/gtest.h>

#include "reference/dot/kernels.h"

namespace assay {

/// The parameter is the name of the instruction set.
class WithDotKernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    kernels = dot_kernels_named(GetParam());
    if (!kernels) GTEST_SKIP() << "this processor has no " << GetParam();
    EXPECT_EQ(kernels->name, GetParam());
  }
  const DotKernels* kernels = nullptr;
};

}  // namespace assay
