// An invalid cell is rejected with its position and the allowed values.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "reference/testing/contract_tables.h"

namespace assay {
namespace {

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
              EndsWith("2:14: amax: begins with absmax, absmax(keep) or absmax(all)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "absmax", "div(s) to(q)")),
              EndsWith("scale: must not begin with a reduction: it starts from one number"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(s)")), EndsWith("code: ends with to(q)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(s) to(bf16)")), EndsWith("code: ends with to(q)"));
  EXPECT_THAT(error_of(quant_row("a", "absmax", "div(M)", "div(r) to(q)")),
              HasSubstr("code: unknown name 'r' in 'r'; known here: s, m, M"));
  EXPECT_THAT(error_of(kQuantHeader + "a,e4m3fm,448,absmax,div(M),,to(q),128,row,,2026,,here,because\n"),
              StartsWith("2:3: q: unknown format 'e4m3fm'; did you mean 'e4m3fn'"));
}

TEST(Rows, AWrongGroupSaysWhichPartOfWhichAlternative) {
  const auto group = [](const std::string& cell) {
    return error_of(kQuantHeader + "a,e4m3fn,448,absmax,div(M),,to(q)," + cell + ",row,,2026,,here,because\n");
  };
  for (const char* right : {"128", "32|64", "128x128", "row", "column", "tensor", "row|column|any"})
    EXPECT_EQ(group(right), "no error") << right;
  const std::string forms = "; a group is a number of columns, ROWSxCOLUMNS, row, column or tensor, and GROUP+tensor has two levels";
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
  EXPECT_THAT(error_of(norm_row("rcp", "3", "div(n)")), StartsWith("2:3: sum: begins with squares or deviations"));
  EXPECT_THAT(error_of(norm_row("absmax", "3", "div(n)")), StartsWith("2:3: sum: begins with squares or deviations"));
  EXPECT_THAT(error_of(norm_row("squares max(1)", "3", "div(n)")), StartsWith("2:3: sum: is squares or deviations alone"));
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
  EXPECT_THAT(added("add(res)", ""), EndsWith("residual: z and residual need each other"));
  EXPECT_THAT(added("", "to(x)"), EndsWith("z: z and residual need each other"));
  EXPECT_THAT(added("add(res)~1", "to(x)"), EndsWith("z: 'add(res)~1' has an interval of results; what is summed must be one number"));
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
  EXPECT_EQ(error_of(azp_row("min(0)", scale, zero, code)), "2:8: lo: begins with least");
  EXPECT_EQ(error_of(azp_row("least", "sub(lo)", zero, code)), "2:32: scale: begins with a quantity: lo: or hi:");
  EXPECT_THAT(error_of(azp_row("least", scale, "lo: div(s)", code)), EndsWith("zero: ends with to(int32)"));
  EXPECT_THAT(error_of(azp_row("least", scale, zero, "mul(m) add(zero) to(q)")), HasSubstr("unknown name 'zero'"));
  EXPECT_THAT(error_of(azp_row("least", scale, zero, "mul(m) int32: rint mul(azp) to(q)")),
              HasSubstr("'mul' is not available for integers"));
}

}  // namespace
}  // namespace assay
