// Contract rows with block scales below a given scale, beside the shipped ones: for tests of both levels in quantizations and GEMMs.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "suites/rulebook.h"

namespace assay {

/// Opens the rulebook with these rows, and the shipped one again afterwards.
class WithTwoLevels : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = std::filesystem::temp_directory_path() / ("two_levels_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/quant.csv") << "id,q,M,amax,scale,mult,code,group,layouts,pad,since,until,source,why\n"
                                            "quant.two,e4m3fn,448,absmax,mul(1/M) mul(g) to(e4m3fn),rdiv(g),mul(m) to(q),4+tensor|4+row,row,"
                                            "rows:free,2026,,here,because\n";
    std::ofstream(folder + "/gemm.csv") << "id,unit,promote,join,split,scales,y,bias,out,layouts,since,until,source,why\n"
                                        << gemm_row("gemm.one", "1x128_1x128", "to(y)") << gemm_row("gemm.two", "1x128+tensor_1x128+tensor", "mul(ga) mul(gb) to(y)")
                                        << gemm_row("gemm.rows", "1x128+row_1x128+row", "mul(ga*gb) to(y)");
    open_rulebook(ASSAY_SOURCE_DIR, {folder + "/quant.csv", folder + "/gemm.csv"});
    std::filesystem::remove_all(folder);
  }
  static void TearDownTestSuite() { open_rulebook(ASSAY_SOURCE_DIR); }

 private:
  static std::string gemm_row(const std::string& id, const std::string& scales, const std::string& y) {
    return id + ",sm_90.wgmma.e4m3.f32,every(128),\"fma(sa*sb,acc)\",none," + scales + "," + y + ",,f32|bf16,col,2026,,here,because\n";
  }
};

}  // namespace assay
