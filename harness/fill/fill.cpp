#include "harness/fill/fill.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "harness/fill/fill_sheet.h"
#include "reference/table/near.h"

namespace assay {

// Counter-based random numbers: the same (seed, stream, index) gives the same bits on every machine, in any order of calls.

namespace {

/// The rounds of Philox-4x32-10 on kBlocks counters at once. Always inlined, so that it uses the instruction set of its caller.
template <int kBlocks>
[[gnu::always_inline]] inline void philox_rounds(uint32_t (&c)[4][kBlocks], std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    for (int i = 0; i < kBlocks; ++i) {
      const uint64_t product0 = kMultiplier0 * c[0][i], product1 = kMultiplier1 * c[2][i];
      c[0][i] = uint32_t(product1 >> 32) ^ c[1][i] ^ key[0], c[1][i] = uint32_t(product1);
      c[2][i] = uint32_t(product0 >> 32) ^ c[3][i] ^ key[1], c[3][i] = uint32_t(product0);
    }
    key[0] += kWeyl0, key[1] += kWeyl1;
  }
}

constexpr uint32_t kNormalLane = 0x4e4f524d;  // no other draw uses this lane

/// Converts `sum`, the sum of twelve random 16-bit integers, to a number with mean 0 and variance 1.
double normal_of(uint32_t sum) {
  constexpr int32_t kMean = 6 * 65535;
  return double(int32_t(sum) - kMean) * 0x1p-16;
}

// GCC compiles add_halves() once for each of these instruction sets, and the loader chooses the widest one of the machine. clang
// and sanitizer builds have one version: a sanitizer's runtime has not started when the loader chooses.
#if defined(__x86_64__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define ASSAY_FOR_WIDE_REGISTERS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define ASSAY_FOR_WIDE_REGISTERS
#endif

constexpr int kAtOnce = 16;

/// For kAtOnce indices: adds to sums[i] the 16-bit halves of the first `words` words of the random block with index `first + i`.
ASSAY_FOR_WIDE_REGISTERS
void add_halves(uint64_t first, uint32_t stream, uint32_t lane, std::array<uint32_t, 2> key, int words, uint32_t* sums) {
  uint32_t c[4][kAtOnce];
  for (int i = 0; i < kAtOnce; ++i) {
    const uint64_t index = first + uint64_t(i);
    c[0][i] = uint32_t(index), c[1][i] = uint32_t(index >> 32), c[2][i] = stream, c[3][i] = lane;
  }
  philox_rounds(c, key);
  for (int word = 0; word < words; ++word)
    for (int i = 0; i < kAtOnce; ++i) sums[i] += (c[word][i] & 0xffff) + (c[word][i] >> 16);
}

}  // namespace

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  uint32_t c[4][1] = {{counter[0]}, {counter[1]}, {counter[2]}, {counter[3]}};
  philox_rounds(c, key);
  return {c[0][0], c[1][0], c[2][0], c[3][0]};
}

double Random::normal(int64_t index) const {
  const std::array<uint32_t, 4> a = block(index, kNormalLane), b = block(index, kNormalLane + 1);
  uint32_t sum = 0;
  for (const uint32_t word : {a[0], a[1], a[2], a[3], b[0], b[1]}) sum += (word & 0xffff) + (word >> 16);
  return normal_of(sum);
}

void Random::normals(int64_t first, std::span<double> values) const {
  for (size_t at = 0; at < values.size(); at += kAtOnce) {
    uint32_t sums[kAtOnce] = {};
    add_halves(uint64_t(first) + at, stream_, kNormalLane, key_, 4, sums);
    add_halves(uint64_t(first) + at, stream_, kNormalLane + 1, key_, 2, sums);
    for (size_t i = 0; i < std::min<size_t>(kAtOnce, values.size() - at); ++i) values[at + i] = normal_of(sums[i]);
  }
}

namespace {

// Conversion of doubles to the nearest code, for input generators.

constexpr int kDoubleMantissaBits = 52;
constexpr int kDoubleBias = 1023;

/// bits / 2^shift, rounded to nearest, ties to even; bits is below 2^53.
uint64_t shift_to_nearest(uint64_t bits, int shift) {
  if (shift > 54) return 0;  // the result is less than half a unit in the last place
  const uint64_t last_kept_bit = bits >> shift & 1;
  return (bits + (uint64_t{1} << (shift - 1)) - 1 + last_kept_bit) >> shift;
}

uint32_t nearest_integer(const Format& format, double value) {
  const double largest = max_finite(format);
  return code_of(format, std::nearbyint(std::clamp(value, -largest - 1, largest)));
}

/// The nearest code of a floating-point format whose largest finite code is `largest`; `value` is not NaN.
uint32_t nearest_float(const Format& format, uint32_t largest, double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const uint64_t mantissa = bits & ((uint64_t{1} << kDoubleMantissaBits) - 1);
  const int exponent =
      int(bits >> kDoubleMantissaBits & 0x7ff) - kDoubleBias;  // subnormal doubles round to zero in every format that comes here

  if (format.specials == Specials::kScale) {
    const int up = mantissa > uint64_t{1} << (kDoubleMantissaBits - 1) ? 1 : 0;
    return uint32_t(std::clamp(exponent + format.bias + up, 0, int(format.code_count()) - 2));
  }

  const uint32_t sign = bits >> 63 != 0 && format.has_sign() ? 1u << (format.bits - 1) : 0u;
  if (std::isinf(value) && format.specials == Specials::kIeee) return code_of(format, value);

  // `rounded` is the significand with its hidden bit, in units of the format's last place. When it is added to `base`, the hidden
  // bit raises the exponent field by 1.
  const int below_normal = std::max(0, format.min_exponent() - exponent);
  const uint64_t significand = mantissa | uint64_t{1} << kDoubleMantissaBits;
  const uint64_t rounded = shift_to_nearest(significand, kDoubleMantissaBits - format.mantissa_bits + below_normal);
  const uint64_t base = uint64_t(std::max(0, exponent - format.min_exponent())) << format.mantissa_bits;
  const auto magnitude = uint32_t(std::min<uint64_t>(base + rounded, largest));
  if (format.specials == Specials::kFnuz && magnitude == 0) return 0;
  return sign | magnitude;
}

}  // namespace

uint32_t nearest_code(const Format& format, double value) {
  if (std::isnan(value)) return code_of(format, value);
  if (format.is_integer()) return nearest_integer(format, value);
  return nearest_float(format, max_finite_code(format), value);
}

namespace {

// Input generators by name ("fills"). The text of an entry says which values the generator writes, and which mistakes they detect.
// q: format of the op's codes. amax: largest magnitude of a group. Tie: a number halfway between two codes. "Used with X": X fills
// the other factor of a GEMM.

struct Entry {
  const char* name;
  fills::Maker make;
  const char* suits;  ///< FillInfo::suits, separated by spaces
  const char* aims_at;
  int exponent_of_constant = 0;
};

constexpr Entry kFills[] = {
    {"normal", fills::normal, "numbers weights ranks", "normal numbers with mean 0 and variance 1, as in ordinary data"},
    {"uniform01", fills::uniform01, "numbers weights", "numbers in [0, 1), whose sums cannot cancel"},
    {"wide", fills::wide, "numbers weights packed factors",
     "both signs; magnitudes log-uniform over 80 binades, or over all normal binades of a format that has fewer"},
    {"ramp", fills::ramp, "numbers", "every element differs from its neighbours: detects wrong indices"},
    {"zeros", fills::zeros, "numbers weights scales ranks", "+0 and -0 mixed, so amax is 0"},
    {"ones", fills::ones, "numbers weights scales packed", "1 everywhere: a sum shows how many terms were added"},
    {"gamma", fills::gamma, "weights", "norm weights: 1 plus a little noise"},
    {"ties", fills::ties, "quantized",
     "x / scale lies halfway between two codes of q for all elements of a group but the largest; scales are random powers of "
     "two"},
    {"near_ties", fills::near_ties, "quantized",
     "like ties, but each element is one code above or below the tie: detects truncation, double rounding, and multiplication by "
     "a reciprocal"},
    {"quiet", fills::quiet, "quantized gates ranks",
     "groups whose amax is 0, the smallest subnormal, below 2^-6, or at or next to a lower bound that contracts set for scales"},
    {"outliers", fills::outliers, "numbers ranks",
     "normal numbers; about one in 1024 is multiplied by 2^10, and one element of the tensor is up to 2^30"},
    {"specials", fills::specials, "numbers weights packed terms copies",
     "NaN, Inf, -0 and subnormals in some groups, ordinary data in others"},
    {"quiet_specials", fills::quiet_specials, "", "like specials, but without signalling NaN, which arithmetic never returns"},
    {"every_code", fills::every_code, "quantized", "every group has the scale 1, and q takes every finite code in turn"},
    {"lone", fills::lone, "numbers",
     "one nonzero element in each group, at another position in each group: detects a kernel that skips a lane"},
    {"ends", fills::ends, "numbers",
     "normal numbers; the largest element of each group is its first or last: detects kernels that skip ends of groups, rows or "
     "blocks of 128 rows"},
    {"spoiled_rows", fills::spoiled_rows, "numbers",
     "ordinary rows, rows with a NaN or Inf, and rows of zeros after them: detects state left over from the previous row"},
    {"steps", fills::steps, "quantized",
     "groups with amax 1 and with q's largest number as amax alternate along a row: detects use of a neighbouring group's scale"},
    {"distinct", fills::distinct, "quantized",
     "amax is 2^((7 * row + group) mod 61 - 30): detects a scale that is stored at a wrong place"},
    {"pow2_edge", fills::pow2_edge, "quantized",
     "amax is q's largest number * 2^k, a neighbour of this product, 224 * 2^k or 240 * 2^k: power-of-two scales change their "
     "exponent at such numbers"},
    {"octaves", fills::octaves, "quantized",
     "every element is amax * 2^-k, and amax takes every mantissa in turn: exact quotients, some halfway between two subnormal "
     "codes"},
    {"nan_beside_huge", fills::nan_beside_huge, "quantized",
     "a NaN in each group; the other elements are near the format's largest number"},
    {"infinities", fills::infinities, "quantized", "one Inf in every second group, and no NaN"},
    {"exponent_rules", fills::exponent_rules, "quantized",
     "amax is 2^k times 1, 1.75, 1.875, 1.9375 or a neighbour: distinguishes the rounding rules of power-of-two scales (FLOOR, "
     "RCEIL, CEIL, EVEN and 0.75)"},
    {"every_scale", fills::every_scale, "quantized",
     "amax has every exponent of the format, and for each of them q takes every finite code"},
    {"huge", fills::huge, "numbers weights", "numbers near the format's largest, so squares and sums overflow"},
    {"eps_dominated", fills::eps_dominated, "normed",
     "rows with a mean square of 1e-12, 1e-6, 1 or 1e6: the eps that a norm adds to it is larger, comparable or negligible"},
    {"off_center", fills::off_center, "normed",
     "rows of normal numbers around 0, 8, -64 or 512: most means are much larger than the deviations from them"},
    {"pinned_ties", fills::pinned_ties, "normed",
     "norm rows for which only one fp32 factor r is possible: some outputs are ties, and others are so close to a tie that "
     "another r changes them"},
    {"tie_weights", fills::tie_weights, "weights",
     "norm weights: every fourth is 0.75 or 1.5, and the others take every significand of the format in turn"},
    {"tie_weights_less_one", fills::tie_weights_less_one, "weights", "like tie_weights, for a norm that adds one to its weights"},
    {"scales", fills::scales, "scales packed", "positive scales, log-uniform from 2^-8 to 2^8"},
    {"pow2_scales", fills::pow2_scales, "scales packed block_scales", "powers of two from 2^-8 to 2^8"},
    {"zero_points", fills::zero_points, "zero_points", "integers from -127 to 127 without 0: zero points of int8 codes"},
    {"far_zero_points", fills::far_zero_points, "zero_points",
     "integers from 129 to 1023, both signs: zero points that do not fit in 8 bits"},
    {"extent_ties", fills::extent_ties, "ranges",
     "max - min of a group is 255 * 2^k, its zero point is any int8 number, and the other elements lie halfway between two "
     "codes"},
    {"odd_ranges", fills::odd_ranges, "ranges",
     "groups without 0, groups of one number or only NaN, and groups whose range is so small that the reciprocal of their scale "
     "overflows"},
    {"end_ranges", fills::end_ranges, "ranges",
     "groups of one sign, groups of only NaN, and groups with a range of 255 scale steps whose ends round beyond int8 or whose "
     "step is 7 * 2^k; unlike with odd_ranges, no sum of a code and its zero point overflows int32"},
    {"lone_mantissa", fills::lone_mantissa, "packed",
     "scales of 1, and of 1.5 in one of four columns, another one in each row: detects mantissa bits that spill into the next "
     "packed scale"},
    {"swallowed", fills::swallowed, "normed",
     "32 columns of 1, then columns of 2^-12 * (1 - 2^-8): an fp32 sum of squares that has reached 1 loses the squares of the "
     "latter"},
    {"subnormal", fills::subnormal, "numbers weights gates",
     "subnormal numbers of both signs: detects a kernel that reads them as zero"},
    {"edge_scales", fills::edge_scales, "packed scales",
     "+0, 2^-126, 2^127 and Inf in turn, each followed by two powers of two from 2^-8 to 2^8"},
    {"gate_open", fills::gate_open, "gates",
     "32 everywhere, as gates: silu(32) is 32 in fp32, so the gated product is 32 times the other half", 5},
    {"gate_closed", fills::gate_closed, "gates",
     "every bf16 number from -88 to -20, as gates: silu(v) is v * e^v, while formulas with tanh return 0"},
    {"scales_of_seven", fills::scales_of_seven, "scales",
     "scales s of 7 * 2^k: x / s can be an exact tie where x * (1 / s) is not"},
    {"uniform_bits", fills::uniform_bits, "factors terms block_scales copies",
     "random codes; every finite code is equally likely"},
    {"near_one", fills::near_one, "factors terms", "magnitudes from 2^-4 to 2^4, both signs: every product affects its sum"},
    {"half_zeros", fills::half_zeros, "terms",
     "every second element is +0 or -0, the others have any exponent within 2^-30 .. 2^30"},
    {"mostly_zeros", fills::mostly_zeros, "terms", "like half_zeros, but 15 of 16 elements are zeros, so sums have few terms"},
    {"tiny", fills::tiny, "numbers weights terms",
     "magnitudes near the smallest normal number and near its square root: some factors are subnormal, and products underflow"},
    {"near_overflow", fills::near_overflow, "terms", "factors whose products are near the largest number of the result's format"},
    {"pairs", fills::pairs, "factors terms",
     "pairs of equal neighbours, whose products cancel if opposite_pairs fills the other factor"},
    {"opposite_pairs", fills::opposite_pairs, "second_factors terms",
     "pairs of neighbours with opposite signs; in every fourth pair the magnitudes differ in the last bit"},
    {"zero_signs", fills::zero_signs, "weights factors terms", "zeros: rows of -0, rows of +0, and rows in which both alternate"},
    {"kept_bit", fills::kept_bit, "factors terms",
     "used with kept_bit_partner: each sum has a large product, a product that is 2^8 to 2^37 times smaller, and for f16 results "
     "also half an ulp"},
    {"kept_bit_partner", fills::kept_bit_partner, "second_factors terms",
     "used with kept_bit: shows the last bit of a term that a tensor core keeps"},
    {"least_bit", fills::least_bit, "factors terms",
     "used with least_bit_partner: each sum has a product that is the smallest number of the result's format, and one that is "
     "2^4 to 2^22 times smaller"},
    {"least_bit_partner", fills::least_bit_partner, "second_factors terms",
     "used with least_bit: shows the smallest exponent to which a tensor core aligns terms"},
    {"half_ulp", fills::half_ulp, "terms",
     "used with half_ulp_partner, and four_k as addend c: the products sum to half an ulp of c, or slightly more or less"},
    {"half_ulp_partner", fills::half_ulp_partner, "terms", "used with half_ulp"},
    {"four_k", fills::four_k, "terms", "4096 everywhere, the addend c for half_ulp"},
    {"zero_beside_tiny", fills::zero_beside_tiny, "factors terms",
     "of every four numbers, one is 0, one is the format's largest power of two, and two are tiny"},
    {"huge_beside_tiny", fills::huge_beside_tiny, "second_factors terms",
     "used with zero_beside_tiny: each zero of one factor meets the largest power of two in the other"},
    {"subnormal_pairs", fills::subnormal_pairs, "terms",
     "used with subnormal_pairs_partner: products of a subnormal and a large number cancel, next to small products"},
    {"subnormal_pairs_partner", fills::subnormal_pairs_partner, "terms",
     "used with subnormal_pairs: shows by which exponent a tensor core aligns a subnormal number"},
    {"far_below_one", fills::far_below_one, "terms", "magnitudes from 2^-34 to 2^-7, both signs"},
    {"zero_beside_least", fills::zero_beside_least, "terms",
     "like zero_beside_tiny, but the tiny numbers are the two smallest of the format, and 0"},
    {"huge_beside_least", fills::huge_beside_least, "terms",
     "used with zero_beside_least: shows which exponent an instruction that does not truncate results assigns to a zero product"},
    {"far_scales", fills::far_scales, "scales block_scales",
     "positive scales, half of them near the smallest and half near the largest number of the format, within 2^-30 .. 2^31"},
    {"end_scales", fills::end_scales, "scales",
     "scales that are subnormal but have a normal reciprocal, or are so large that the reciprocal is subnormal"},
    {"low_scales", fills::low_scales, "scales block_scales",
     "scales from 2^-72 to 2^-70: a product times two such scales is one of the smallest f32 numbers"},
    {"amax_scaled", fills::amax_scaled, "factors",
     "normal numbers whose maximum is close to the format's largest number, like codes of quantized activations and weights"},
    {"amax_scaled_positive", fills::amax_scaled_positive, "factors", "like amax_scaled, but positive, so sums cannot cancel"},
    {"few_maxima", fills::few_maxima, "factors",
     "5 of 8 elements are subnormal or zero, one in 512 is near the format's largest number, and the others have one of the 4 "
     "lowest exponents: split-K and promotion change results"},
    {"exact_sums", fills::exact_sums, "factors",
     "integers from -2 to 2, with so few nonzero elements in a row that sums of products stay below 2^13 and are exact in any "
     "order"},
    {"block_outliers", fills::block_outliers, "factors",
     "normal numbers, and in every 128 elements along k one of the format's largest magnitude: terms that are aligned with its "
     "product lose bits"},
    {"codes_with_nans", fills::codes_with_nans, "factors", "like amax_scaled, but every fourth row has one NaN"},
    {"one_hot_rows", fills::one_hot_rows, "factors",
     "rows of zeros, and rows with a single 1 in changing positions: each product is an element of the other factor"},
    {"codes_in_turn", fills::codes_in_turn, "factors block_scales copies", "all codes of the format in turn, NaN included"},
    {"equal_pairs", fills::equal_pairs, "factors",
     "small numbers, and among the first 8 of every 32 two pairs of large equal neighbours, whose magnitudes halve from row to "
     "row"},
    {"cancelling_pairs", fills::cancelling_pairs, "second_factors",
     "used with equal_pairs: the two numbers of a large pair have opposite signs, so large products cancel, and 16-bit results "
     "show lost bits of small products"},
    {"about_64", fills::about_64, "factors",
     "63, 64 and 65: the sums of int8 codes are small after the zero point is subtracted"},
    {"lowest", fills::lowest, "factors", "the format's lowest number everywhere: sums of two products of -128 exceed 16 bits"},
    {"least_signs", fills::least_signs, "factors",
     "the smallest number, with a sign that alternates from row to row: products with small scales are rounded to -0"},
    {"one_in_the_middle", fills::one_in_the_middle, "factors",
     "the largest number up to the middle of a row, then 1, then the lowest number: an f32 sum loses the 1"},
    {"one_in_the_middle_partner", fills::one_in_the_middle_partner, "second_factors",
     "used with one_in_the_middle: the magnitudes of the same numbers"},
    {"amax_scales", fills::amax_scales, "scales block_scales",
     "positive numbers from 2^-10 to 2^-6, like scales of quantized data"},
    {"rank_integers", fills::rank_integers, "ranks",
     "integers from 1 to 15 with either sign, different on each rank: sums are exact in any order, and show a missing rank or a "
     "wrong position"},
    {"rank_cancel", fills::rank_cancel, "ranks",
     "normal numbers, but for each element two ranks have large numbers that cancel: numbers that are added between the two lose "
     "their low bits"},
    {"rank_overflow", fills::rank_overflow, "ranks",
     "for each element, half of the ranks have numbers near the format's largest, and half near its lowest: partial sums "
     "overflow in some orders"},
    {"rank_specials", fills::rank_specials, "ranks",
     "for each element another combination: NaN or Inf on one rank, Inf or zeros of both signs, or subnormals, such as the one "
     "whose code follows that of -0"},
    {"equal_blocks", fills::equal_blocks, "factors",
     "like amax_scaled, but every second block of 128 along k repeats the previous one"},
    {"opposite_blocks", fills::opposite_blocks, "second_factors",
     "used with equal_blocks and paired_scales: every second block of 128 repeats the previous one with the opposite sign, so "
     "blocks cancel, and only rounding errors of the sum remain"},
    {"paired_scales", fills::paired_scales, "block_scales", "like amax_scales, but every second column repeats the previous one"},
    {"half_tenfold", fills::half_tenfold, "quantized", "normal numbers, half of them times ten: the data of sglang's tests"},
    {"rank_counts", fills::rank_counts, "ranks",
     "integers from 1 to 15, different on each rank: the data of vLLM's and sglang's all-reduce tests"},
    {"ranks_alike", fills::ranks_alike, "ranks",
     "integers from 0 to 22 in turn, the same on every rank: the data of vLLM's QuickReduce test"},
    {"row_octaves", fills::row_octaves, "gates",
     "numbers uniform between -2^e and 2^e, with another e from 1 to 19 in each row: the data of vLLM's masked SiLU test"},
};

/// Number of the random stream that all ranks share. It differs from every tensor index.
constexpr uint32_t kSharedStream = 0xffffffffu;

const Entry& entry(const std::string& name) {
  std::vector<std::string> names;
  for (const Entry& e : kFills) {
    if (e.name == name) return e;
    names.push_back(e.name);
  }
  std::string all;
  for (const std::string& known : names) all.append(all.empty() ? "" : ", ").append(known);
  throw std::invalid_argument("unknown fill '" + name + "'" +
                              (near_matches(name, names).empty() ? "" : did_you_mean(name, names)) + "; fills: " + all);
}

/// Tensors of at least this size are encoded on all cores.
constexpr int64_t kManyElements = int64_t{1} << 20;

void fill_padding(HostTensor& tensor) {
  const Format& format = *tensor.spec.format;
  const bool integer = format.is_integer();
  const uint32_t code = integer ? max_finite_code(format) : code_of(format, std::numeric_limits<double>::quiet_NaN());
  for (int64_t i = 0; i < tensor.spec.storage; ++i) tensor.set_code(i, code);
}

/// Storage offset of the first element of each row of the sheet. The sheet has a row for each index of all dimensions but the
/// last.
std::vector<int64_t> row_offsets(const TensorSpec& spec) {
  std::vector<int64_t> offsets = {0};
  for (size_t d = 0; d + 1 < spec.shape.size(); ++d) {
    std::vector<int64_t> next;
    next.reserve(offsets.size() * size_t(spec.shape[d]));
    for (const int64_t offset : offsets) {
      for (int64_t i = 0; i < spec.shape[d]; ++i) next.push_back(offset + i * spec.strides[d]);
    }
    offsets = std::move(next);
  }
  return offsets;
}

/// Whether a generator stored a code for each element, in ascending order of elements.
bool is_all_codes(const std::vector<std::pair<int64_t, uint32_t>>& codes, int64_t elements) {
  int64_t next = 0;
  return int64_t(codes.size()) == elements &&
         std::all_of(codes.begin(), codes.end(), [&](const auto& one) { return one.first == next++; });
}

// A cache of filled tensors. It pays off, since cases of different contracts mostly have the same inputs.

/// The cache key: everything that determines the bytes, except the operands that the generator reads; find() compares these.
std::string key_of_fill(const TensorSpec& spec, const FillRequest& request) {
  std::string key = request.name;
  const auto add = [&](const auto&... numbers) { ((key += ' ', key += std::to_string(numbers)), ...); };
  key.append(" ").append(spec.format->name).append(" ").append(request.q != nullptr ? request.q->name : spec.format->name);
  add(request.seed, request.group_size, request.tensor, request.exponent, request.rank, request.ranks, spec.storage, spec.packed);
  for (const int64_t extent : spec.shape) add(extent);
  for (const int64_t stride : spec.strides) add(stride);
  return key;
}

const FilledOperand* operand_of(const FillRequest& request, const std::string& role) {
  if (request.operands != nullptr)
    for (const FilledOperand& operand : *request.operands)
      if (operand.role == role) return &operand;
  return nullptr;
}

/// The cache. Thread-safe; when it is full, the oldest tensors are removed.
class FilledTensors {
 public:
  struct Filled {
    std::vector<std::byte> bytes;
    std::vector<FilledOperand> read;  ///< the operands that the generator read
  };

  std::shared_ptr<const Filled> find(const std::string& key, const FillRequest& request) {
    const std::lock_guard lock(mutex_);
    const auto found = filled_.find(key);
    if (found == filled_.end()) return nullptr;
    for (const FilledOperand& was : found->second->read) {
      const FilledOperand* const is = operand_of(request, was.role);
      if (is == nullptr || !equal_bits(is->values, was.values)) return nullptr;
    }
    return found->second;
  }

  void remember(const std::string& key, const HostTensor& tensor, const FillRequest& request, const std::set<std::string>& read) {
    constexpr size_t kMostOfOne = size_t{2} << 20, kMostOfAll = size_t{64} << 20;
    if (tensor.bytes.size() > kMostOfOne) return;
    Filled filled{tensor.bytes, {}};
    for (const std::string& role : read) filled.read.push_back(*operand_of(request, role));
    const size_t bytes = bytes_of(filled);
    const std::lock_guard lock(mutex_);
    if (!filled_.try_emplace(key, std::make_shared<const Filled>(std::move(filled))).second) return;
    ages_.push_back(key);
    for (bytes_ += bytes; bytes_ > kMostOfAll; ages_.pop_front()) {
      const auto oldest = filled_.find(ages_.front());
      bytes_ -= bytes_of(*oldest->second);
      filled_.erase(oldest);
    }
  }

 private:
  static bool equal_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0);
  }
  static size_t bytes_of(const Filled& filled) {
    size_t bytes = filled.bytes.size();
    for (const FilledOperand& operand : filled.read) bytes += operand.values.size() * sizeof(double);
    return bytes;
  }

  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<const Filled>> filled_;
  std::deque<std::string> ages_;
  size_t bytes_ = 0;
};

FilledTensors& filled_tensors() {
  static FilledTensors all;
  return all;
}

}  // namespace

void fill(HostTensor& tensor, const FillRequest& request) try {
  require_memory(tensor.spec, request.name.empty() ? 0 : sizeof(double));
  if (request.name.empty()) return tensor.bytes.assign(tensor.spec.bytes(), std::byte{0});
  const Entry& chosen = entry(request.name);
  const std::string key = key_of_fill(tensor.spec, request);
  if (const auto known = filled_tensors().find(key, request)) return void(tensor.bytes = known->bytes);
  const TensorSpec& spec = tensor.spec;
  const Format& format = *spec.format;
  const int64_t columns = spec.shape.empty() ? 1 : spec.shape.back();
  const int64_t rows = columns == 0 ? 0 : spec.elements() / columns;
  const int64_t group_size = request.group_size > 0 ? request.group_size : std::max<int64_t>(columns, 1);
  fills::Sheet sheet{rows,
                     columns,
                     group_size,
                     format,
                     request.q != nullptr ? *request.q : format,
                     Random(request.seed, request.tensor),
                     std::vector<double>(size_t(rows * columns)),
                     {},
                     request.operands,
                     request.rank,
                     request.ranks,
                     Random(request.seed, kSharedStream),
                     {}};
  chosen.make(sheet);
  if (request.exponent != 0)
    for (double& value : sheet.values) value *= fills::power_of_two(request.exponent);

  tensor.bytes.resize(spec.bytes());
  if (spec.storage != spec.elements()) fill_padding(tensor);
  const std::vector<int64_t> offsets = rows == 0 ? std::vector<int64_t>() : row_offsets(spec);
  const int64_t stride = spec.strides.empty() ? 1 : spec.strides.back();
  const auto place = [&](int64_t element) { return offsets[size_t(element / columns)] + element % columns * stride; };
  const size_t width = size_t(format.bytes());
  const uint32_t largest = max_finite_code(format);
  const auto encode = [&](int64_t i) {
    const int64_t offset = offsets[size_t(i)];
    const double* const values = sheet.values.data() + i * columns;
    for (int64_t j = 0; j < columns; ++j) {
      const bool is_plain = !format.is_integer() && !std::isnan(values[j]);
      const uint32_t code = is_plain ? nearest_float(format, largest, values[j]) : nearest_code(format, values[j]);
      if (spec.packed)
        tensor.set_code(offset + j * stride, code);
      else
        std::memcpy(tensor.bytes.data() + size_t(offset + j * stride) * width, &code, width);
    }
  };
  const bool rows_share_bytes = format.bits < 8;
  const bool all_are_replaced = is_all_codes(sheet.codes, rows * columns);  // codes replace all values
  if (!all_are_replaced && (rows_share_bytes || rows * columns < kManyElements))
    for (int64_t i = 0; i < rows; ++i) encode(i);
  else if (!all_are_replaced)
    for_each_in_parallel(rows, encode);
  for (const auto& [element, code] : sheet.codes) tensor.set_code(place(element), code);
  filled_tensors().remember(key, tensor, request, sheet.read);
} catch (const std::bad_alloc&) {
  throw TooLargeError(tensor_size_in_words(tensor.spec) + ", and no memory is left for it");
}

FilledOperand filled_operand(const HostTensor& tensor, double offset) {
  const TensorSpec& spec = tensor.spec;
  const int64_t columns = spec.shape.empty() ? 1 : spec.shape.back(), stride = spec.strides.empty() ? 1 : spec.strides.back();
  FilledOperand operand{spec.name, spec.shape, {}};
  for (const int64_t row : row_offsets(spec))
    for (int64_t j = 0; j < columns; ++j)
      operand.values.push_back(decode(*spec.format, tensor.code(spec.offset + row + j * stride)) + offset);
  return operand;
}

namespace fills {

const std::vector<double>& Sheet::operand(const std::string& role, const std::string& fill) {
  if (operands != nullptr)
    for (const FilledOperand& operand : *operands)
      if (operand.role == role) return read.insert(role), operand.values;
  throw std::invalid_argument("fill " + fill + ": needs the operand " + role);
}

}  // namespace fills

int exponent_of_constant(const std::string& fill) { return fill.empty() ? 0 : entry(fill).exponent_of_constant; }

std::vector<FillInfo> all_fills() {
  std::vector<FillInfo> infos;
  for (const Entry& e : kFills) {
    std::istringstream kinds(e.suits);
    infos.push_back({e.name, e.aims_at, {std::istream_iterator<std::string>(kinds), {}}});
  }
  return infos;
}

}  // namespace assay
