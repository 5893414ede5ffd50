// Cells that name other rows (chains, launches, activations mistaken for others) name existing, suitable rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reference/contracts/bind.h"
#include "reference/contracts/rows.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

using namespace contract_tables;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kChainHeader = "id,chain,since,until,source,why\n";

TEST(Rows, AnActivationIsMistakenForAnotherOne) {
  const std::string header = "id,halves,h,mistaken_for,since,until,source,why\n", row = "my.silu,gate_up,mul(g) mul(u) to(x),";
  EXPECT_EQ(error_of(header + row + "torch.silu_mul,2026,,here,because\n"), "no error");
  EXPECT_THAT(error_of(header + row + "torch.silumul,2026,,here,because\n"),
              testing::AllOf(StartsWith("2:"), HasSubstr("unknown contract 'torch.silumul'; did you mean 'torch.silu_mul'")));
  EXPECT_THAT(error_of(header + row + "vllm.group_fp8,2026,,here,because\n"), HasSubstr("'vllm.group_fp8' is no row of gated"));
}

TEST(Rows, ALaunchNamesHeadsAndRecords) {
  const auto launch = [](const std::string& heads, const std::string& insert) {
    return error_of("id,heads,insert,since,until,source,why\na," + heads + "," + insert + ",2026,,here,because\n");
  };
  EXPECT_EQ(launch("vllm.deepseek_v4_q_norm_rope", "vllm.deepseek_v4_kv_insert"), "no error");
  EXPECT_THAT(
      launch("vllm.deepseek_v4_q_norm_rop", "vllm.deepseek_v4_kv_insert"),
      StartsWith("2:3: heads: unknown contract 'vllm.deepseek_v4_q_norm_rop'; did you mean 'vllm.deepseek_v4_q_norm_rope'"));
  EXPECT_EQ(launch("vllm.rope_neox", "vllm.deepseek_v4_kv_insert"),
            "2:3: heads: 'vllm.rope_neox' is no chain of a norm and a rope");
  EXPECT_EQ(launch("vllm.deepseek_v4_q_norm_rope", "vllm.group_fp8"),
            "2:32: insert: 'vllm.group_fp8' does not end with a row of cache_insert");
  const ContractTables tables = ContractTables::load(kFolder);
  EXPECT_FALSE(has_recipes(tables.find("vllm.deepseek_v4_qnorm_kv_insert")));
  EXPECT_THROW(bind(tables, "vllm.deepseek_v4_qnorm_kv_insert", kBf16), TableError);
}

TEST(Rows, AChainNamesPlainRowsInTheOrderOfTheFlows) {
  const auto chain = [](const std::string& cell) { return error_of(kChainHeader + "a," + cell + ",2026,,here,because\n"); };
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > group_quant=vllm.group_fp8"), "no error");
  EXPECT_THAT(chain("row_norm=vllm.rms_norm@v0.19.2 > group_quant=vllm.group_fp8"),
              StartsWith("2:12: chain: unknown contract 'vllm.rms_norm@v0.19.2'; did you mean 'vllm.rms_norm@v0.19.1'"));
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > row_norm=vllm.group_fp8"),
            "2:45: chain: 'vllm.group_fp8' is a row of group_quant");
  EXPECT_EQ(chain("assay.rms_norm_group_packed"),
            "2:3: chain: 'assay.rms_norm_group_packed' is a chain itself; a chain names plain rows");
  EXPECT_EQ(chain(""), "2:3: chain: names no rows; written as row_norm=ID > group_quant=ID");
  EXPECT_THAT(chain("group_quant=vllm.group_fp8 > row_norm=vllm.rms_norm@v0.19.1"),
              EndsWith("codes end a chain: row_norm=ID > group_quant=ID"));
  EXPECT_THAT(chain("row_norm=vllm.rms_norm@v0.19.1 > row_norm=vllm.rms_norm@2026-06-18"),
              EndsWith("a norm comes first: row_norm=ID > group_quant=ID"));
  EXPECT_THAT(chain("group_quant=vllm.group_fp8 > group_quant=vllm.per_token"),
              EndsWith("codes end a chain: row_norm=ID > group_quant=ID"));
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > group_quant=vllm.static"), "no error");
  EXPECT_THAT(chain("group_quant=vllm.static"), EndsWith("does not make its scales of one row, as a chain must"));
  for (const char* row : {"vllm.per_tensor", "deepgemm.per_block_cast"})
    EXPECT_THAT(chain(std::string("row_norm=vllm.rms_norm@v0.19.1 > group_quant=") + row),
                EndsWith("does not make its scales of one row, as a chain must"));
}

TEST(Rows, AChainThatNamesAnUnknownFlowOrNoLinkSaysWhere) {
  const auto chain = [](const std::string& cell) { return error_of(kChainHeader + "a," + cell + ",2026,,here,because\n"); };
  EXPECT_THAT(chain("row_nrm=vllm.rms_norm@v0.19.1 > group_quant=vllm.group_fp8"),
              StartsWith("2:3: chain: unknown flow 'row_nrm'; did you mean 'row_norm'"));
  EXPECT_THAT(chain("row_norm=vllm.rms_norm@v0.19.1 > my_group_quant=vllm.group_fp8"),
              StartsWith("2:36: chain: unknown flow 'my_group_quant'; did you mean 'group_quant'"));
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > launch=vllm.deepseek_v4_qnorm_kv_insert"),
            "2:43: chain: 'vllm.deepseek_v4_qnorm_kv_insert' is a launch, not a row of recipes");
  EXPECT_THAT(chain("quant_azp=vllm.per_token_int8_azp > row_norm=vllm.rms_norm@v0.19.1"), HasSubstr("codes end a chain"));
}

}  // namespace
}  // namespace assay
