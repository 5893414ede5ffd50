// For tests: cases of a shipped op, outputs that the reference accepts, and contracts with two levels of scales.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/op.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {

using TestCells = std::map<std::string, std::string>;

/// An op. Opens the registry of the shipped contracts at the first call.
inline const Op& shipped_op(std::string_view name) {
  static const bool open = (open_rulebook(ASSAY_SOURCE_DIR), true);
  (void)open;
  return shipped_ops().find(name);
}

/// A case with the cells `usual`; cells of `changed` replace them or are added. Throws TableError if the op rejects the case.
inline Case case_of(const Op& op, TestCells usual, const TestCells& changed) {
  Case one;
  one.op = op.name;
  one.parameters = std::move(usual);
  for (const auto& [column, cell] : changed) one.parameters[column] = cell;
  return checked_case(op, std::move(one));
}

/// The op's error for the case that case_of() would return; empty if the case is valid.
inline std::string refusal_of(const Op& op, const TestCells& usual, const TestCells& changed) {
  try {
    (void)case_of(op, usual, changed);
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

// Makes outputs that the reference accepts for a GEMM.

/// Tensor d, each element with its lowest accepted code.
inline std::vector<HostTensor> outputs_of(const Problem& problem, const Answer& answer) {
  std::vector<HostTensor> outputs = {find(problem.tensors, "d")};
  outputs[0].bytes.resize(outputs[0].spec.bytes());
  const std::vector<WholePart> d = computed(answer);
  for (size_t i = 0; i < d[0].low.size(); ++i)
    outputs[0].set_code(int64_t(i), code_from_ordinal(*outputs[0].spec.format, d[0].low[i]));
  return outputs;
}

// Contracts whose block scales are relative to a given outer scale, in addition to the shipped ones. Tests of quantizations and
// GEMMs with two levels of scales use them.

/// Opens the registry with these contracts, and afterwards the shipped registry again.
class WithTwoLevels : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const std::string folder = std::filesystem::temp_directory_path() / ("two_levels_" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/quant.csv")
        << "id,q,M,amax,scale,mult,code,group,layouts,pad,since,until,source,why\n"
           "quant.two,e4m3fn,448,absmax,mul(1/M) mul(g) to(e4m3fn),rdiv(g),mul(m) to(q),4+tensor|4+row,row,"
           "rows:unspecified,2026,,here,because\n";
    std::ofstream(folder + "/gemm.csv") << "id,unit,promote,join,split,scales,y,bias,out,layouts,since,until,source,why\n"
                                        << gemm_row("gemm.one", "1x128_1x128", "to(y)")
                                        << gemm_row("gemm.two", "1x128+tensor_1x128+tensor", "mul(ga) mul(gb) to(y)")
                                        << gemm_row("gemm.rows", "1x128+row_1x128+row", "mul(ga*gb) to(y)");
    open_rulebook(ASSAY_SOURCE_DIR, {folder + "/quant.csv", folder + "/gemm.csv"});
    std::filesystem::remove_all(folder);
  }
  static void TearDownTestSuite() { open_rulebook(ASSAY_SOURCE_DIR); }

 private:
  static std::string gemm_row(const std::string& id, const std::string& scales, const std::string& y) {
    return id + ",sm_90.wgmma.e4m3.f32,every(128),\"fma(sa*sb,acc)\",none," + scales + "," + y +
           ",,f32|bf16,col,2026,,here,because\n";
  }
};

}  // namespace assay
