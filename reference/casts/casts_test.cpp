// Casts must return the results in facts.csv. Lists of runs must agree with the casts of single inputs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mpfr.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>

#include "reference/casts/cast_profile.h"
#include "reference/casts/cast_runs.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

const std::map<std::string, CastProfile>& profiles() {
  static const auto all = [] {
    const ContractTables tables = ContractTables::load("reference/contracts");
    std::map<std::string, CastProfile> profiles;
    for (const ContractRow& row : tables.rows())
      if (row.flow == &cast_flow()) profiles.emplace(row.id, read_cast(row));
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
  // The expected numbers were counted on a CPU over all 2^32 inputs.
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
    // Each code has at most two runs per sign; rules that are not monotone add a few.
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
  // the positive inputs of each format that are cast wrongly; their negatives are cast wrongly, too
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
  EXPECT_THAT(complaint("nan", "17f"), testing::HasSubstr("nan: '17f' is not a hexadecimal number of 8 bits"));
  EXPECT_THAT(complaint("zero", "x"), testing::HasSubstr("zero: 'x' is not a hexadecimal"));
  EXPECT_THAT(complaint("anomaly", "1..2=3"), testing::HasSubstr("anomaly: '1..2=3': expected FIRST..LAST:CODE"));
  EXPECT_THAT(complaint("anomaly", "2..1:3"), testing::HasSubstr("is empty"));
  EXPECT_THAT(complaint("anomaly", "1..2*64"), testing::HasSubstr("expected a factor 2^K"));
  EXPECT_THAT(complaint("infinity", "special_above_largest"), testing::HasSubstr("infinity:"));
}

// Compares encode() with two other methods: MPFR, and round_to() of formats/round.h.

constexpr Rounding kModes[] = {Rounding::kNearestEven, Rounding::kNearestAway, Rounding::kTowardZero, Rounding::kDown,
                               Rounding::kUp};
const Format* const kFloats[] = {&kE4M3Fn, &kE4M3Fnuz, &kE5M2, &kE5M2Fnuz, &kE3M2, &kE2M3, &kE2M1, &kBf16, &kF16, &kTf32, &kF32};

/// The value rounded by MPFR. The exponent has no upper limit. Small values are rounded as the format's subnormals.
double rounded_by_mpfr(const Format& f, double x, Rounding rounding) {
  const bool away = rounding == Rounding::kNearestAway;
  const mpfr_rnd_t mode = rounding == Rounding::kTowardZero ? MPFR_RNDZ
                          : rounding == Rounding::kDown     ? MPFR_RNDD
                          : rounding == Rounding::kUp       ? MPFR_RNDU
                                                            : MPFR_RNDN;
  // MPFR has no rounding mode for ties away from zero. Instead: keeps one bit more, rounds toward zero, and adds half a unit in
  // the last place.
  const mpfr_exp_t least = f.min_exponent() + 1, exponent = x == 0 ? least : std::max<mpfr_exp_t>(std::ilogb(x) + 1, least);
  mpfr_t steps;
  mpfr_init2(steps, 1100);
  mpfr_set_d(steps, x, MPFR_RNDN);
  mpfr_mul_2si(steps, steps, f.precision() - exponent, MPFR_RNDN);  // exact: counts units in the last place
  if (away)
    mpfr_round(steps, steps);
  else
    mpfr_rint(steps, steps, mode);
  mpfr_mul_2si(steps, steps, exponent - f.precision(), MPFR_RNDN);
  const double result = mpfr_get_d(steps, MPFR_RNDN);
  mpfr_clear(steps);
  return result;
}

std::optional<uint32_t> encoded_by_mpfr(const Format& f, double x, Rounding rounding) {
  const double rounded = rounded_by_mpfr(f, x, rounding);
  if (std::fabs(rounded) <= max_finite(f)) return code_of(f, rounded == 0 ? std::copysign(0.0, x) : rounded);
  const bool inward =
      rounding == Rounding::kTowardZero || (rounding == Rounding::kDown && x > 0) || (rounding == Rounding::kUp && x < 0);
  return inward ? std::optional(largest_code(f, x < 0)) : std::nullopt;
}

/// Inputs at and between neighbouring values, their negatives, values far beyond both ends, and random ones.
std::vector<double> inputs_for(const Format& f) {
  std::vector<double> all = {0.0, -0.0, 0x1p-149, 0x1p-1000, 0x1p127, 0x1p1000, 0x1.fffffffffffffp1023};
  std::mt19937_64 random(3);
  const uint32_t top = code_of(f, max_finite(f)), count = std::min<uint32_t>(top, 600);
  const auto around = [&](double low, double high) {
    for (const double x : {low, low + (high - low) / 2, low + (high - low) / 4})
      for (const double y : {x, std::nextafter(x, HUGE_VAL), std::nextafter(x, -HUGE_VAL)}) all.push_back(y);
  };
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t code = top <= count ? i : uint32_t(random() % top);
    around(decode(f, code), decode(f, code + 1 > top ? top : code + 1));
  }
  const double largest = max_finite(f), step = largest - decode(f, top - 1);
  around(largest, largest + step);
  around(largest + step, largest + 2 * step);
  const size_t positive = all.size();
  for (size_t i = 0; i < positive; ++i) all.push_back(-all[i]);
  return all;
}

using Encoder = std::optional<uint32_t> (*)(const Format&, double, Rounding);

std::string disagreement(const Format& f, Rounding rounding, Encoder encoder) {
  for (const double x : inputs_for(f)) {
    const std::optional<uint32_t> a = encode_finite(f, x, rounding), b = encoder(f, x, rounding);
    if (a == b) continue;
    std::ostringstream text;
    text << f.name << " mode " << int(rounding) << ": " << std::hexfloat << x << std::hex << " gives " << (a ? int(*a) : -1)
         << ", not " << (b ? int(*b) : -1);
    return text.str();
  }
  return {};
}

TEST(Encode, AgreesWithMpfrInEveryMode) {
  for (const Format* f : kFloats)
    for (const Rounding rounding : kModes) EXPECT_EQ(disagreement(*f, rounding, encoded_by_mpfr), "");
}

TEST(Encode, MpfrSeesEveryOtherMode) {
  for (const Format* f : kFloats) {
    EXPECT_NE(disagreement(*f, Rounding::kNearestEven,
                           [](const Format& g, double x, Rounding) { return encoded_by_mpfr(g, x, Rounding::kNearestAway); }),
              "");
    EXPECT_NE(disagreement(*f, Rounding::kDown,
                           [](const Format& g, double x, Rounding) { return encoded_by_mpfr(g, x, Rounding::kTowardZero); }),
              "");
  }
}

TEST(Encode, AgreesWithTheArithmeticOfRoundTo) {
  for (const Format& f : all_formats()) {
    if (f == kInt32) continue;  // its largest value has the ordinal kNanOrdinal
    for (const Rounding rounding : kModes) {
      for (const Overflow overflow : {Overflow::kSaturate, Overflow::kSpecial}) {
        for (double x : inputs_for(f)) {
          if (!f.has_sign()) x = std::fabs(x);
          // round_to() loses the sign if overflow gives NaN
          const double value = round_to(f, x, rounding, overflow);
          const uint32_t code = encode(f, x, rounding, overflow);
          if (std::isnan(value)) {
            ASSERT_TRUE(std::isnan(decode(f, code))) << f.name << " " << x;
          } else {
            ASSERT_EQ(code, code_of(f, value)) << f.name << " " << int(rounding) << " " << x;
          }
        }
      }
    }
  }
}

TEST(Encode, SpecialsKeepTheirSignWhereTheFormatCan) {
  EXPECT_EQ(encode(kE4M3Fn, HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0x7fu);
  EXPECT_EQ(encode(kE4M3Fn, -HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0xffu);
  EXPECT_EQ(encode(kE4M3Fnuz, -HUGE_VAL, Rounding::kNearestEven, Overflow::kSpecial), 0x80u);
  EXPECT_EQ(encode(kE5M2, -1e9, Rounding::kNearestEven, Overflow::kSpecial), 0xfcu);
  EXPECT_EQ(encode(kE5M2, -1e9, Rounding::kNearestEven, Overflow::kSaturate), 0xfbu);
  EXPECT_EQ(encode(kE2M1, -1e9, Rounding::kNearestEven, Overflow::kSpecial), 0xfu) << "nothing but numbers";
  EXPECT_EQ(encode(kE2M1, 0.75, Rounding::kNearestEven, Overflow::kSaturate), 0x2u) << "a tie: 1 is even, 0.5 is not";
  EXPECT_EQ(encode(kInt8, -1e9, Rounding::kNearestEven, Overflow::kSaturate), 0x80u);
  EXPECT_EQ(encode(kInt8, -128.5, Rounding::kTowardZero, Overflow::kSaturate), 0x80u);
  EXPECT_THROW(encode(kE2M1, std::nan(""), Rounding::kNearestEven, Overflow::kSaturate), std::domain_error);
}

TEST(EncodeStochastic, GoesUpForAsManyRandomNumbersAsTheFractionSays) {
  // Values of e4m3fn near 1 are 1/8 apart, so 1 + 1/16 is a tie: 8 of the 16 random numbers of 4 bits must round it up.
  for (int sixteenths = 0; sixteenths < 2; ++sixteenths) {
    for (const double sign : {1.0, -1.0}) {
      int up = 0;
      for (uint64_t random = 0; random < 16; ++random)
        up += *encode_stochastic(kE4M3Fn, sign * (1 + sixteenths / 16.0), random, 4) == (sign > 0 ? 0x39u : 0xb9u);
      EXPECT_EQ(up, 8 * sixteenths);
    }
  }
  // 2^-11 above 1 is 2^-8 of the distance to the next value. Only one of the 256 random numbers of 8 bits rounds it up, and no
  // random number of 4 bits does.
  int with_8 = 0, with_4 = 0;
  for (uint64_t random = 0; random < 256; ++random) with_8 += *encode_stochastic(kE4M3Fn, 1 + 0x1p-11, random, 8) == 0x39u;
  for (uint64_t random = 0; random < 16; ++random) with_4 += *encode_stochastic(kE4M3Fn, 1 + 0x1p-11, random, 4) == 0x39u;
  EXPECT_EQ(with_8, 1);
  EXPECT_EQ(with_4, 0);
}

TEST(EncodeStochastic, LeavesValuesOfTheFormatAloneAndTruncatesForZero) {
  for (uint32_t code = 0; code < 256; ++code) {
    const double value = decode(kE4M3Fn, code);
    if (std::isnan(value)) continue;
    EXPECT_EQ(encode_stochastic(kE4M3Fn, value, 0xffffffff, 32).value(), code_of(kE4M3Fn, value == 0 ? 0.0 : value)) << code;
  }
  for (const double x : {0.3, 1.2, -7.7, 447.0, -0x1p-11})
    EXPECT_EQ(decode(kE4M3Fn, *encode_stochastic(kE4M3Fn, x, 0, 20)),
              round_to(kE4M3Fn, x, Rounding::kTowardZero, Overflow::kSaturate))
        << x;
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 449, 0, 20), 0x7eu);
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 449, (1 << 20) - 1, 20), std::nullopt);
  EXPECT_EQ(encode_stochastic(kE4M3Fn, 480, 0, 20), std::nullopt);
}

}  // namespace

}  // namespace assay
