// Casts of real implementations: measured facts, and agreement of run lists with single evaluations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>

#include "reference/casts/neighbours.h"
#include "reference/casts/profile.h"
#include "reference/casts/runs.h"
#include "reference/flow/registry.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

const std::map<std::string, CastProfile>& profiles() {
  static const auto all = [] {
    const ContractTables tables = ContractTables::load("reference/contracts");
    std::map<std::string, CastProfile> profiles;
    for (const ContractRow& row : tables.rows())
      if (row.flow->kind == FlowKind::kCast) profiles.emplace(row.id, read_cast(row));
    return profiles;
  }();
  return all;
}

std::vector<CastProfile> profiles_in_order() {
  std::vector<CastProfile> all;
  for (const auto& [id, profile] : profiles()) all.push_back(profile);
  return all;
}

const std::vector<CodeRun>& runs(std::string_view id) {
  static std::map<std::string, std::vector<CodeRun>> known;
  std::vector<CodeRun>& runs = known[std::string(id)];
  if (runs.empty()) runs = runs_of(profiles().at(std::string(id)));
  return runs;
}

/// A row of facts.csv: the result of one implementation for one input, with its source.
struct Fact {
  std::string id, input, value, code, source;
};
void PrintTo(const Fact& fact, std::ostream* out) { *out << fact.id << " of " << fact.input << " = " << fact.value; }

std::vector<Fact> facts() {
  const Table table = read_table("reference/casts/facts.csv");
  const auto text = [&](const TableRow& row, const char* column) { return table.text(row, column); };
  std::vector<Fact> all;
  for (const TableRow& row : table.rows)
    all.push_back({text(row, "id"), text(row, "input"), text(row, "value"), text(row, "code"), text(row, "source")});
  return all;
}

class CastFact : public testing::TestWithParam<Fact> {};

TEST_P(CastFact, IsWhatTheProfileGives) {
  const auto& [id, input_text, value, code_text, source] = GetParam();
  ASSERT_TRUE(profiles().contains(id));
  const uint64_t input = std::strtoull(input_text.c_str(), nullptr, 16);
  const auto code = uint32_t(std::strtoul(code_text.c_str(), nullptr, 16));
  EXPECT_EQ(cast(profiles().at(id), input), code) << source;
  EXPECT_EQ(code_at(runs(id), input), code) << source;
  EXPECT_FALSE(source.empty());
}

INSTANTIATE_TEST_SUITE_P(Facts, CastFact, testing::ValuesIn(facts()), [](const auto& info) {
  std::string name = info.param.id + "_of_" + info.param.input;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

TEST(Casts, EveryProfileHasAFactAndWhatNobodyRanSaysSo) {
  std::map<std::string, int> facts_of, inferred;
  for (const Fact& fact : facts()) {
    ++facts_of[fact.id];
    inferred[fact.id] += fact.source.find("inferred") != std::string::npos;
  }
  for (const auto& [id, profile] : profiles()) {
    EXPECT_GT(facts_of[id], 0) << id;
    EXPECT_TRUE(inferred[id] == 0 || inferred[id] == facts_of[id]) << id << ": measured in part";
  }
}

TEST(Casts, RoundingTwiceChangesAsManyInputsAsWereCounted) {
  // over all 2^32 inputs, counted on the host
  const auto changed = [](const std::string& id, const Format& via) {
    CastProfile twice = profiles().at(id);
    twice.before = {{CastStep::kRound, &via}};
    return inputs_of(differences(runs(id), runs_of(twice)));
  };
  EXPECT_EQ(changed("cuda.e4m3fn_sat", kBf16), 8257536);
  EXPECT_EQ(changed("cuda.e4m3fn_sat", kF16), 1032192);
  EXPECT_EQ(changed("cuda.e5m2_sat", kF16), 1105920);
}

TEST(Casts, RunsAreCompleteAndSayWhatTheProfileSays) {
  std::mt19937_64 random(5);
  for (const auto& [id, profile] : profiles()) {
    EXPECT_EQ(flaw_of(runs(id), *profile.from), "") << id;
    // a finite sign has at most two runs per code; non-monotone rules add a few
    EXPECT_LT(runs(id).size(), 620u) << id;
    for (const CodeRun& run : runs(id)) {
      ASSERT_EQ(cast(profile, run.first), run.code) << id;
      ASSERT_EQ(cast(profile, run.last), run.code) << id;
      for (int i = 0; i < 4; ++i) ASSERT_EQ(cast(profile, run.first + random() % (run.last - run.first + 1)), run.code) << id;
    }
  }
}

TEST(Casts, FlawsOfRunsAreSeen) {
  const CastSource& f32 = *find_cast_source("f32");
  const std::vector<CodeRun>& right = runs("cuda.e4m3fn_sat");
  std::vector<CodeRun> gap = right, twice = right, cut = right;
  ++gap[3].first;
  twice[4].code = twice[3].code;
  cut.pop_back();
  for (const auto& wrong : {gap, twice, cut}) EXPECT_NE(flaw_of(wrong, f32), "");
}

TEST(Casts, DifferencesAreTheRunsOfInputsThatTellTwoProfilesApart) {
  using testing::ElementsAre;
  EXPECT_THAT(differences(runs("cuda.e4m3fn_sat"), runs("cuda.e4m3fn_nosat")),
              ElementsAre(RunDifference{0x43e80001, 0x7f800000, 0x7e, 0x7f}, RunDifference{0xc3e80001, 0xff800000, 0xfe, 0xff}));
  EXPECT_THAT(differences(runs("cuda.e4m3fn_nosat"), runs("ml_dtypes.e4m3fn")),
              ElementsAre(RunDifference{0xff800001, 0xffffffff, 0x7f, 0xff}));
  EXPECT_THAT(differences(runs("ml_dtypes.e4m3fn"), runs("torch.e4m3fn@2.11")), ElementsAre());
  EXPECT_THAT(differences(runs("torch.e4m3fn@2.11"), runs("torch.e4m3fn_sat@2.13")),
              ElementsAre(RunDifference{0x43e80001, 0x7f800000, 0x7f, 0x7e}, RunDifference{0xc3e80001, 0xff800000, 0xff, 0xfe}));
  EXPECT_THAT(differences(runs("hip.e4m3fn_nosat"), runs("hip.e4m3fn_sat@2025")),
              ElementsAre(RunDifference{0x43e00001, 0x7f7fffff, 0x7f, 0x7e}, RunDifference{0xc3e00001, 0xff7fffff, 0xff, 0xfe}));
  EXPECT_THAT(differences(runs("cuda.e8m0_rp_sat"), runs("cutlass.e8m0")),
              ElementsAre(RunDifference{0x7f800000, 0x7f800000, 0xfe, 0xff}, RunDifference{0xff800000, 0xff800000, 0xfe, 0xff}))
      << "exactly at the two infinities";
  EXPECT_EQ(inputs_of(differences(runs("cuda.e4m3fn_nosat"), runs("ml_dtypes.e4m3fn"))), 0x7fffff);
}

TEST(Casts, NarrowerInputsAreWidenedExactly) {
  const CastSource &bf16 = *find_cast_source("bf16"), &f16 = *find_cast_source("f16"), &f32 = *find_cast_source("f32");
  for (const char* id : {"cuda.e4m3fn_sat", "hip.e4m3fn_sat@2025", "torch.e8m0@2.11", "deepgemm.e8m0_ceil"}) {
    const CastProfile& wide = profiles().at(id);
    const CastProfile from_bf16 = widened_from(bf16, wide), from_f16 = widened_from(f16, wide);
    for (uint64_t input = 0; input < 0x10000; ++input) {
      ASSERT_EQ(cast(from_bf16, input), cast(wide, input << 16)) << id << std::hex << " " << input;
      const auto value = float(value_of(f16, input));
      const uint64_t nan = (input & f16.sign()) << 16 | 0x7fc00000;
      ASSERT_EQ(cast(from_f16, input), cast(wide, f16.is_nan(input) ? nan : std::bit_cast<uint32_t>(value))) << id;
    }
    EXPECT_EQ(flaw_of(runs_of(from_bf16), bf16), "") << id;
    EXPECT_EQ(runs_of(widened_from(f32, wide)), runs(id));
  }
  EXPECT_THROW(widened_from(f32, profiles().at("torch.e4m3fn_f16_cuda@2.11")), std::invalid_argument);
}

TEST(Casts, TheWrapOfHipLiesWhereItWasMeasured) {
  // wrong positive inputs of each format; negative ones mirror them
  for (const auto& [right, wrong, first, last] :
       {std::tuple{"cuda.e4m3fn_sat", "hip.e4m3fn_sat@2024-10", 0x1a800001u, 0x1cf7ffffu},
        std::tuple{"ml_dtypes.e4m3fnuz", "hip.e4m3fnuz_sat@2025", 0x1a000001u, 0x1c77ffffu},
        std::tuple{"cuda.e5m2_sat", "hip.e5m2_sat@2024-10", 0x17000001u, 0x18efffffu},
        std::tuple{"ml_dtypes.e5m2fnuz", "hip.e5m2fnuz_sat@2025", 0x16800001u, 0x186fffffu}}) {
    uint64_t inputs = 0;
    for (const RunDifference& d : differences(runs(right), runs(wrong)))
      if (d.last < 0x30000000) inputs += d.last - d.first + 1;
    EXPECT_EQ(inputs, last - first + 1) << wrong;
    EXPECT_EQ(code_at(runs(right), first), code_at(runs(wrong), first - 1));
  }
}

TEST(Casts, EveryNeighbourDiffersFromItsProfileAndFromTheOthers) {
  for (const auto& [id, profile] : profiles()) {
    const std::vector<CastNeighbour> all = cast_neighbours(profile, profiles_in_order());
    EXPECT_GE(all.size(), 4u) << id;
    for (const CastNeighbour& neighbour : all)
      EXPECT_FALSE(differences(runs(id), neighbour.runs).empty()) << id << " " << neighbour.name;
  }
  std::vector<std::string> names;
  for (const CastNeighbour& neighbour : cast_neighbours(profiles().at("cuda.e4m3fn_sat"), profiles_in_order()))
    names.push_back(neighbour.name);
  for (const char* name :
       {"rounding: nearest_even -> toward_zero", "largest: 448 -> 240", "nan: 7f/7f -> 7e/7e (becomes the largest number)",
        "anomaly: as in hip.e4m3fn_nosat", "format: e4m3fn -> e4m3fnuz", "zero: loses its sign", "rounded twice: to bf16 first"})
    EXPECT_THAT(names, testing::Contains(name));
}

TEST(Casts, ABadCellIsNamed) {
  const auto complaint = [](const std::string& column, const std::string& text) -> std::string {
    ContractRow row = ContractTables::load("reference/contracts").find("cuda.e4m3fn_sat");
    row.cells[column].text = text;
    try {
      read_cast(row);
      return "";
    } catch (const TableError& error) {
      return error.name() + ": " + error.problem();
    }
  };
  EXPECT_EQ(complaint("rounding", "nearest_even"), "");
  EXPECT_THAT(complaint("rounding", "nearest_evn"), testing::HasSubstr("rounding: 'nearest_evn' is not one of: nearest_even"));
  EXPECT_THAT(complaint("format", "e4m3fm"), testing::HasSubstr("format: unknown format 'e4m3fm'"));
  EXPECT_THAT(complaint("from", "f31"), testing::HasSubstr("from: 'f31' is not one of"));
  EXPECT_THAT(complaint("nan", "17f"), testing::HasSubstr("nan: '17f' is no hexadecimal number of 8 bits"));
  EXPECT_THAT(complaint("zero", "x"), testing::HasSubstr("zero: 'x' is no hexadecimal"));
  EXPECT_THAT(complaint("anomaly", "1..2=3"), testing::HasSubstr("anomaly: '1..2=3' must read FIRST..LAST:CODE"));
  EXPECT_THAT(complaint("anomaly", "2..1:3"), testing::HasSubstr("is empty"));
  EXPECT_THAT(complaint("anomaly", "1..2*64"), testing::HasSubstr("a factor reads 2^K"));
  EXPECT_THAT(complaint("infinity", "special_above_largest"), testing::HasSubstr("infinity:"));
}

}  // namespace
}  // namespace assay
