// Loads contract tables: ids, columns, cells, rows that name other rows, and the error message for each mistake.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"
#include "reference/flow/contract.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/contract_tables.h"

namespace assay {

// All shipped rows can be bound, ids are unique, periods are releases or dates, and a user's table can be added.

namespace {

using namespace contract_tables;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(Rows, EveryShippedRowBindsForEveryInputFormat) {
  const ContractTables tables = ContractTables::load(kFolder);
  EXPECT_GE(tables.rows().size(), 18u);
  for (const ContractRow& row : tables.rows()) {
    if (!has_recipes(row)) continue;  // casts_test.cpp and packing_test.cpp test the other rows
    for (const Format* x : {&kBf16, &kF16, &kF32}) {
      const Contract contract = bind(tables, row.id, *x);
      EXPECT_EQ(contract.id, row.id);
      EXPECT_EQ(contract.links.size(), chain_of(row).size());
      EXPECT_TRUE(contract.group_quant() || contract.row_norm() || contract.gated() || contract.rope());
    }
    EXPECT_FALSE(row.text("source").empty()) << row.id;
    EXPECT_FALSE(row.text("since").empty()) << row.id;
    EXPECT_FALSE(row.text("why").empty()) << row.id;
    EXPECT_GT(row.line, 1);
  }
}

TEST(Rows, AUsersRowIsAddedAndFound) {
  const TableFile file(quant_row("my.quant", "absmax", "div(M)", "div(s) to(q)"));
  ContractTables tables = ContractTables::load(kFolder);
  EXPECT_THROW(tables.find("my.quant"), std::out_of_range);
  tables.add(file.path());
  EXPECT_EQ(tables.find("my.quant").flow->name, "group_quant");
  EXPECT_EQ(bind(tables, "my.quant", kBf16).group_quant()->code.text(), "div(s) to(q)");
}

TEST(Rows, AnIdIsNeverUsedTwice) {
  EXPECT_EQ(error_of(quant_row("vllm.group_fp8", "absmax", "div(M)", "div(s) to(q)")),
            "2:1: id: 'vllm.group_fp8' is defined in reference/contracts/quant.csv:2 already; ids are never reused");
  EXPECT_EQ(error_of(quant_row("vllm.group_fp8_other", "absmax", "div(M)", "div(s) to(q)")), "no error");
  EXPECT_EQ(error_of(quant_row("", "absmax", "div(M)", "div(s) to(q)")), "2:1: id: is empty: expected a contract id");
}

TEST(Rows, ARetiredIdNamesItsSuccessorAndIsNotUsedAgain) {
  const ContractTables tables = ContractTables::load(kFolder);
  EXPECT_EQ(
      error_of(quant_row("vllm.scaled_quantize_block", "absmax", "div(M)", "div(s) to(q)")),
      "2:1: id: 'vllm.scaled_quantize_block' was withdrawn in favour of 'vllm.scaled_quantize_block_rcp'; ids are never reused");
  try {
    tables.find("vllm.scaled_quantize_block");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(),
                StartsWith("unknown contract 'vllm.scaled_quantize_block': it was withdrawn, because no released code computes this: "));
    EXPECT_THAT(error.what(), EndsWith("; use 'vllm.scaled_quantize_block_rcp'"));
  }
  EXPECT_NO_THROW(tables.find("vllm.scaled_quantize_block_rcp"));
}

/// True for a release "v0.19.1", a date "2026", "2026-06" or "2026-06-18", "unmerged", and several of these separated by "; ".
bool is_period(const std::string& cell) {
  static const std::regex one(R"(v\d+(\.\d+)+(\.post\d+)?|\d{4}(-\d{2}){0,2}|unmerged)");
  for (size_t at = 0; at <= cell.size();) {
    const size_t end = std::min(cell.find("; ", at), cell.size());
    if (!std::regex_match(cell.begin() + long(at), cell.begin() + long(end), one)) return false;
    at = end + 2;
  }
  return true;
}

TEST(Rows, ARowIsInTheReleasesOfItsPeriods) {
  const auto row = [](const std::string& since, const std::string& until) {
    ContractRow one;
    one.cells["since"].text = since, one.cells["until"].text = until;
    return one;
  };
  const ContractRow ended = row("v0.20.0", "v0.33.0"), twice = row("v0.20.0; v0.24.0", "v0.23.0"), open = row("v0.9.2", "");
  for (const char* in : {"v0.20.0", "0.32.0", "0.20", "0.32.9.post1"}) EXPECT_EQ(in_release(ended, in), true) << in;
  for (const char* out : {"v0.19.1", "0.33", "v0.33.0", "v0.33.0.post1", "1.0"}) EXPECT_EQ(in_release(ended, out), false) << out;
  EXPECT_EQ(in_release(twice, "v0.22.9"), true);
  EXPECT_EQ(in_release(twice, "v0.23.5"), false) << "between two periods";
  EXPECT_EQ(in_release(twice, "v0.30.0"), true);
  EXPECT_EQ(in_release(open, "v0.10.0"), true) << "10 is more than 9";
  EXPECT_EQ(in_release(row("2026-06-18", ""), "2026-07"), true);
  EXPECT_EQ(in_release(row("2026-06-18", ""), "2026-06"), false);
  for (const auto& unknown : {row("2026-06-18", ""), row("", ""), row("sm_89", ""), row("", "v0.33.0")})
    EXPECT_EQ(in_release(unknown, "v0.10.0"), std::nullopt);
  EXPECT_EQ(in_release(row("", "v0.33.0"), "v0.40.0"), false) << "ended, whenever it began";
  EXPECT_EQ(in_release(row("unmerged", ""), "v9"), false);
  EXPECT_TRUE(is_current(open) && is_current(twice));
  EXPECT_FALSE(is_current(ended) || is_current(row("unmerged", "")));
  EXPECT_TRUE(is_release("0.33") && is_release("v0.5.10.post1") && is_release("2026-06-18"));
  for (const char* wrong : {"", "v", "latest", "0.33.", "sm_90", "0.33x"}) EXPECT_FALSE(is_release(wrong)) << wrong;
}

TEST(Rows, SinceAndUntilAreReleasesOrDates) {
  for (const char* right : {"v0.19.1", "v0.20.0; v0.24.0", "2026", "2026-06-18", "unmerged", "v0.5.10.post1"})
    EXPECT_TRUE(is_period(right)) << right;
  for (const char* wrong : {"", "0.19.1", "v0.19.1;v0.20.0", "later", "2026-6", "v0.19.1 "})
    EXPECT_FALSE(is_period(wrong)) << wrong;
  const ContractTables tables = ContractTables::load(kFolder);
  for (const ContractRow& row : tables.rows()) {
    if (!has_recipes(row)) continue;  // `since` of a cast may also be an architecture, such as sm_89
    EXPECT_TRUE(is_period(row.text("since"))) << row.id;
    EXPECT_TRUE(row.text("until").empty() || is_period(row.text("until"))) << row.id;
    const bool unmerged = row.text("since") == "unmerged";
    EXPECT_EQ(unmerged, row.text("source").starts_with("unmerged: ")) << row.id << ": a row of a branch says so in both cells";
  }
}

/// Rows that have a date in `since` or `until` although other rows of their package name releases, unless the row states that its
/// code is in no release.
std::vector<std::string> dated_without_reason(const std::vector<ContractRow>& rows) {
  static const std::regex release(R"(v?\d+\.\d+.*)"), date(R"((^|.*; )\d{4}(-\d{2}){0,2}(; .*)?)");
  const auto package = [](const ContractRow& row) { return row.id.substr(0, row.id.find('.')); };
  std::set<std::string> released;
  for (const ContractRow& row : rows)
    if (std::regex_match(row.text("since"), release)) released.insert(package(row));
  std::vector<std::string> dated;
  for (const ContractRow& row : rows) {
    const bool says = (row.text("source") + row.text("why")).find("in no release") != std::string::npos;
    const bool has_date = std::regex_match(row.text("since"), date) || std::regex_match(row.text("until"), date);
    if (released.contains(package(row)) && has_date && !says) dated.push_back(row.id);
  }
  return dated;
}

TEST(Rows, ADateStandsOnlyWhereNoReleaseHoldsTheCode) {
  ContractTables tables = ContractTables::load(kFolder);
  EXPECT_EQ(dated_without_reason(tables.rows()), std::vector<std::string>());
  const TableFile file(quant_row("vllm.dated", "absmax", "div(M)", "div(s) to(q)"));  // since 2026
  tables.add(file.path());
  EXPECT_EQ(dated_without_reason(tables.rows()), std::vector<std::string>{"vllm.dated"});
  const TableFile mine(quant_row("mine.dated", "absmax", "div(M)", "div(s) to(q)"));
  tables.add(mine.path());
  EXPECT_EQ(dated_without_reason(tables.rows()).size(), 1u) << "a package without releases has dates";
}

TEST(Rows, EveryFlowIsInTheRegistryOnceAndSaysWhatItIs) {
  std::set<std::string> names, says;
  for (const Flow* flow : all_flows()) {
    EXPECT_TRUE(names.insert(flow->name).second) << flow->name;
    EXPECT_TRUE(says.insert(flow->says).second) << flow->says;
    EXPECT_THAT(flow->columns, testing::Contains(flow->says));
    EXPECT_TRUE(!flow->link || (flow->link->bind && flow->link->edits && flow->link->inputs)) << flow->name;
    EXPECT_EQ(&flow_named(flow->name), flow);
  }
  EXPECT_THROW(flow_named("row_nrm"), std::out_of_range);
}

TEST(Rows, ATableWithoutAFlowOrWithAStrangeColumnIsRefused) {
  EXPECT_THAT(error_of("id,why\na,b\n"), HasSubstr("the table matches no op kind"));
  EXPECT_THAT(
      error_of("id,sums,depth,r,y,since,until,source,why\n"),
      testing::AllOf(StartsWith("1:4: the table matches no op kind"), HasSubstr("did you mean 'sum' instead of 'sums'?")));
  EXPECT_THAT(error_of("id,sum,depth,r,z,since,until,source,why\n"), HasSubstr("column 'y' is missing"));
  EXPECT_THAT(error_of("id,sum,depth,r,y,zz,since,until,source,why\n"), HasSubstr("1:18: zz: unknown column"));
}

TEST(Rows, AnUnknownContractNamesNearOnes) {
  const ContractTables tables = ContractTables::load(kFolder);
  try {
    tables.find("vllm.group_fp");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_THAT(error.what(), StartsWith("unknown contract 'vllm.group_fp'; did you mean 'vllm.group_fp8'"));
  }
  EXPECT_NO_THROW(tables.find("vllm.group_fp8"));
}

TEST(Rows, AnIdWithoutItsReleaseNamesTheReleases) {
  const ContractTables tables = ContractTables::load(kFolder);
  try {
    tables.find("vllm.rms_norm");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_STREQ(error.what(),
                 "unknown contract 'vllm.rms_norm'; it has releases: 'vllm.rms_norm@v0.19.1' from v0.1.0 before v0.20.0, from "
                 "v0.23.0 before v0.24.0; "
                 "'vllm.rms_norm@2026-06-18' from v0.20.0 before v0.23.0, from v0.24.0");
  }
}

// An invalid cell is rejected with its position and the allowed values.

using namespace contract_tables;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kNormHeader = "id,sum,depth,r,y,since,until,source,why\n";

TEST(Rows, AWrongCellSaysWhereAndWhatIsAllowedThere) {
  EXPECT_EQ(error_of(quant_row("a", "absmax", "div(M)", "div(s) to(q)")), "no error");
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(N)", "div(s) to(q)")),
              StartsWith("2:25: scale: unknown name 'N' in 'N'; known here: ub, M"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "dvi(M)", "div(s) to(q)")),
              StartsWith("2:21: scale: unknown verb 'dvi'; did you mean 'div'"));
  EXPECT_THAT(error_of(quant_row("a", "max(1)", "div(M)", "div(s) to(q)")),
              EndsWith("2:14: amax: must begin with absmax, absmax(keep) or absmax(all)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "absmax", "div(s) to(q)")),
              EndsWith("scale: must not begin with a reduction: its input is one number"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(s)")), EndsWith("code: must end with to(q)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(s) to(bf16)")), EndsWith("code: must end with to(q)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(r) to(q)")),
              HasSubstr("code: unknown name 'r' in 'r'; known here: s, m, zero, M"));
  EXPECT_THAT(error_of(kQuantHeader + "a,e4m3fm,448,absmax,div(M),,to(q),128,row,,2026,,here,because\n"),
              StartsWith("2:3: q: unknown format 'e4m3fm'; did you mean 'e4m3fn'"));
}

TEST(Rows, AWrongGroupSaysWhichPartOfWhichAlternative) {
  const auto group = [](const std::string& cell) {
    return error_of(kQuantHeader + "a,e4m3fn,448,absmax,div(M),,to(q)," + cell + ",row,,2026,,here,because\n");
  };
  for (const char* right : {"128", "32|64", "128x128", "row", "column", "tensor", "row|column|any"})
    EXPECT_EQ(group(right), "no error") << right;
  const std::string forms =
      "; expected a number of columns, ROWSxCOLUMNS, row, column or tensor, or GROUP+tensor for scales of two levels";
  EXPECT_EQ(group("128x"), "2:39: group: a number is missing in '128x'" + forms);
  EXPECT_EQ(group("x128"), "2:35: group: a number is missing in 'x128'" + forms);
  EXPECT_EQ(group("128|64xrow"), "2:42: group: 'row' is not a positive integer" + forms);
  EXPECT_EQ(group("0x128"), "2:35: group: '0' is not a positive integer" + forms);
  EXPECT_EQ(group("rows"), "2:35: group: 'rows' is not a positive integer" + forms);
  EXPECT_EQ(group("128x128x1"), "2:39: group: '128x1' is not a positive integer" + forms);
}

std::string norm_row(const std::string& sum, const std::string& depth, const std::string& r) {
  return kNormHeader + "a," + sum + "," + depth + "," + r + ",mul(r) mul(w) to(x),2026,,here,because\n";
}

TEST(Rows, AWrongNormSaysSoToo) {
  EXPECT_EQ(error_of(norm_row("squares", "n/4+2", "div(n) add(eps) rsqrt~2")), "no error");
  EXPECT_THAT(error_of(norm_row("absmax(keep", "3", "div(n)")), StartsWith("2:3: sum: 'absmax(keep' is not closed by ')'"));
  EXPECT_THAT(error_of(norm_row("rcp", "3", "div(n)")), StartsWith("2:3: sum: must begin with squares or deviations"));
  EXPECT_THAT(error_of(norm_row("absmax", "3", "div(n)")), StartsWith("2:3: sum: must begin with squares or deviations"));
  EXPECT_THAT(error_of(norm_row("squares max(1)", "3", "div(n)")), StartsWith("2:3: sum: must be squares, deviations or"));
  EXPECT_THAT(error_of(norm_row("squares", "m+1", "div(n)")), StartsWith("2:11: depth: unknown name 'm'; known here: n"));
  EXPECT_THAT(error_of(norm_row("squares", "n+*", "div(n)")), StartsWith("2:13: depth: expected a number or a name"));
  EXPECT_THAT(error_of(norm_row("squares", "n/0", "div(n)")), StartsWith("2:11: depth: division by zero"));
  EXPECT_THAT(error_of(norm_row("squares", "3", "div(n) mul(w)")), StartsWith("2:24: r: unknown name 'w'"));
}

TEST(Rows, ANormThatAddsSaysWhatItStores) {
  const auto added = [](const std::string& z, const std::string& residual) {
    return error_of("id,sum,depth,r,y,z,residual,w,since,until,source,why\na,squares,3,div(n),mul(r) mul(w) to(x)," + z + "," +
                    residual + ",,2026,,here,because\n");
  };
  EXPECT_EQ(added("add(res)", "to(x)"), "no error");
  EXPECT_EQ(added("", ""), "no error");
  EXPECT_THAT(added("add(res)", ""), EndsWith("residual: z and residual must both be given or both be empty"));
  EXPECT_THAT(added("", "to(x)"), EndsWith("z: z and residual must both be given or both be empty"));
  EXPECT_THAT(added("add(res)~1", "to(x)"),
              EndsWith("z: 'add(res)~1' has an interval of results; the sum's input must have a single result"));
  EXPECT_THAT(added("add(w)", "to(x)"), HasSubstr("z: unknown name 'w'"));
}

std::string azp_row(const std::string& lo, const std::string& scale, const std::string& zero, const std::string& code) {
  return "id,lo,hi,q,L,scale,zero,mult,code,group,layouts,pad,since,until,source,why\nmy.azp," + lo + ",greatest,int8,255," +
         scale + "," + zero + ",rcp," + code + ",row,row,rows:untouched,2026,,here,because\n";
}

TEST(Rows, ARowWithAZeroPointSaysWhatItsCellsNeed) {
  const std::string scale = "hi: sub(lo) div(L)", zero = "lo: div(s) neg sub(128) to(int32)",
                    code = "mul(m) int32: rint add(azp) to(q)";
  EXPECT_EQ(error_of(azp_row("least", scale, zero, code)), "no error");
  EXPECT_EQ(error_of(azp_row("min(0)", scale, zero, code)), "2:8: lo: must begin with least");
  EXPECT_EQ(error_of(azp_row("least", "sub(lo)", zero, code)), "2:32: scale: must begin with lo: or hi:");
  EXPECT_THAT(error_of(azp_row("least", scale, "lo: div(s)", code)), EndsWith("zero: must end with to(int32)"));
  EXPECT_THAT(error_of(azp_row("least", scale, zero, "mul(m) add(zero) to(q)")), HasSubstr("unknown name 'zero'"));
  EXPECT_THAT(error_of(azp_row("least", scale, zero, "mul(m) int32: rint mul(azp) to(q)")),
              HasSubstr("'mul' is not available for integers"));
}

// Cells that name other rows: stages of chains, halves of launches, and `mistaken_for` of activations. The named rows must
// exist and have a suitable op kind.

using namespace contract_tables;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

const std::string kChainHeader = "id,chain,since,until,source,why\n";

TEST(Rows, AGroupedGemmSaysHowRowsBelongToExpertsAndWhatUnusedOnesHold) {
  const auto row = [](const std::string& experts, const std::string& tile_rows, const std::string& padding) {
    return error_of(
        "id,unit,promote,join,split,scales,y,bias,out,layouts,experts,tile_rows,padding,since,until,source,why\n"
        "a,u,every(128),\"fma(sa*sb,acc)\",none,1x128_128x128,to(y),,bf16,tma," +
        experts + "," + tile_rows + "," + padding + ",2026,,here,because\n");
  };
  for (const char* right : {"untouched", "undefined", "undefined in tiles", "zero"})
    EXPECT_EQ(row("masked", "128", right), "no error") << right;
  EXPECT_EQ(row("contiguous", "", ""), "no error");
  EXPECT_EQ(row("along k", "", ""), "no error");
  EXPECT_EQ(row("psum", "128", "undefined in tiles"), "no error");
  EXPECT_THAT(row("psum", "128", ""),
              EndsWith("padding: must be empty if experts is 'contiguous' or 'along k', and is required otherwise"));
  EXPECT_EQ(row("", "", ""), "no error");
  EXPECT_THAT(row("sorted", "", ""),
              EndsWith("experts: expected 'contiguous', 'masked', 'offsets', 'by index', 'psum', 'along k' or 'sorted ids'"));
  EXPECT_THAT(row("masked", "", ""),
              EndsWith("padding: must be empty if experts is 'contiguous' or 'along k', and is required otherwise"));
  EXPECT_THAT(row("contiguous", "", "zero"),
              EndsWith("padding: must be empty if experts is 'contiguous' or 'along k', and is required otherwise"));
  EXPECT_THAT(row("masked", "", "zeros"), EndsWith("padding: expected 'untouched', 'undefined', 'undefined in tiles' or 'zero'"));
  EXPECT_THAT(row("", "", "zero"), EndsWith("padding: is only allowed if experts is not empty"));
  EXPECT_THAT(row("", "128", ""), EndsWith("tile_rows: is only allowed if experts is not empty"));
  for (const char* wrong : {"0", "x", "64x"})
    EXPECT_THAT(row("masked", wrong, "zero"), EndsWith("tile_rows: expected a number of rows")) << wrong;
}

TEST(Rows, AnActivationIsMistakenForAnotherOne) {
  const std::string header = "id,halves,h,mistaken_for,since,until,source,why\n", row = "my.silu,gate_up,mul(g) mul(u) to(x),";
  EXPECT_EQ(error_of(header + row + "torch.silu_mul,2026,,here,because\n"), "no error");
  EXPECT_THAT(error_of(header + row + "torch.silumul,2026,,here,because\n"),
              testing::AllOf(StartsWith("2:"), HasSubstr("unknown contract 'torch.silumul'; did you mean 'torch.silu_mul'")));
  EXPECT_THAT(error_of(header + row + "vllm.group_fp8,2026,,here,because\n"),
              HasSubstr("'vllm.group_fp8' is not a row of gated"));
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
            "2:3: heads: 'vllm.rope_neox' is not a chain of row_norm and rope");
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
            "2:45: chain: 'vllm.group_fp8' is a row of group_quant, not of row_norm");
  EXPECT_EQ(chain("assay.rms_norm_group_packed"),
            "2:3: chain: 'assay.rms_norm_group_packed' is a chain; the stages of a chain must be single rows");
  EXPECT_EQ(chain(""), "2:3: chain: is empty; expected stages such as row_norm=ID > group_quant=ID");
  EXPECT_THAT(chain("group_quant=vllm.group_fp8 > row_norm=vllm.rms_norm@v0.19.1"),
              EndsWith("a quantization must be the last stage, as in row_norm=ID > group_quant=ID"));
  EXPECT_THAT(chain("row_norm=vllm.rms_norm@v0.19.1 > row_norm=vllm.rms_norm@2026-06-18"),
              EndsWith("a norm must be the first stage, as in row_norm=ID > group_quant=ID"));
  EXPECT_THAT(chain("group_quant=vllm.group_fp8 > group_quant=vllm.per_token"),
              EndsWith("a quantization must be the last stage, as in row_norm=ID > group_quant=ID"));
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > group_quant=vllm.static"), "no error");
  EXPECT_THAT(chain("group_quant=vllm.static"), EndsWith("does not compute its scales within one row, which a chain requires"));
  for (const char* row : {"vllm.per_tensor", "deepgemm.per_block_cast"})
    EXPECT_THAT(chain(std::string("row_norm=vllm.rms_norm@v0.19.1 > group_quant=") + row),
                EndsWith("does not compute its scales within one row, which a chain requires"));
}

TEST(Rows, AChainThatNamesAnUnknownFlowOrNoLinkSaysWhere) {
  const auto chain = [](const std::string& cell) { return error_of(kChainHeader + "a," + cell + ",2026,,here,because\n"); };
  EXPECT_THAT(chain("row_nrm=vllm.rms_norm@v0.19.1 > group_quant=vllm.group_fp8"),
              StartsWith("2:3: chain: unknown flow 'row_nrm'; did you mean 'row_norm'"));
  EXPECT_THAT(chain("row_norm=vllm.rms_norm@v0.19.1 > my_group_quant=vllm.group_fp8"),
              StartsWith("2:36: chain: unknown flow 'my_group_quant'; did you mean 'group_quant'"));
  EXPECT_EQ(chain("row_norm=vllm.rms_norm@v0.19.1 > launch=vllm.deepseek_v4_qnorm_kv_insert"),
            "2:43: chain: 'vllm.deepseek_v4_qnorm_kv_insert' is a row of launch, which cannot be a stage of a chain");
  EXPECT_THAT(chain("quant_azp=vllm.per_token_int8_azp > row_norm=vllm.rms_norm@v0.19.1"), HasSubstr("must be the last stage"));
}

}  // namespace

}  // namespace assay
