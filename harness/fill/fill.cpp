#include "harness/fill/fill.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>
#include <sstream>
#include <stdexcept>

#include "harness/core/expectation.h"
#include "harness/fill/fill_sheet.h"
#include "reference/table/near.h"

namespace assay {

// Counter-based random numbers: the same (seed, stream, index) gives the same bits on every machine, in any order of calls.

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiplier0 * c[0], product1 = kMultiplier1 * c[2];
    c = {uint32_t(product1 >> 32) ^ c[1] ^ key[0], uint32_t(product1), uint32_t(product0 >> 32) ^ c[3] ^ key[1],
         uint32_t(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return c;
}

double Random::normal(int64_t index) const {
  constexpr uint32_t kNormalLane = 0x4e4f524d;  // distinct from the lanes of the other draws
  const std::array<uint32_t, 4> a = block(index, kNormalLane), b = block(index, kNormalLane + 1);
  uint32_t sum = 0;
  for (const uint32_t word : {a[0], a[1], a[2], a[3], b[0], b[1]}) sum += (word & 0xffff) + (word >> 16);
  constexpr int32_t kMean = 6 * 65535;
  return double(int32_t(sum) - kMean) * 0x1p-16;
}

namespace {

// Rounds a double to the nearest code, for input generators.

constexpr int kDoubleMantissaBits = 52;
constexpr int kDoubleBias = 1023;

/// bits >> shift, rounded to nearest, ties to even.
uint64_t shift_to_nearest(uint64_t bits, int shift) {
  if (shift > 54) return 0;  // the result is less than half a unit in the last place
  const uint64_t kept = bits >> shift;
  const uint64_t rest = bits & ((uint64_t{1} << shift) - 1);
  const uint64_t half = uint64_t{1} << (shift - 1);
  return kept + (rest > half || (rest == half && (kept & 1)) ? 1 : 0);
}

uint32_t nearest_integer(const Format& format, double value) {
  const double largest = max_finite(format);
  return code_of(format, std::nearbyint(std::clamp(value, -largest - 1, largest)));
}

}  // namespace

uint32_t nearest_code(const Format& format, double value) {
  if (std::isnan(value)) return code_of(format, value);
  if (format.is_integer()) return nearest_integer(format, value);
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const uint64_t mantissa = bits & ((uint64_t{1} << kDoubleMantissaBits) - 1);
  const int exponent =
      int(bits >> kDoubleMantissaBits & 0x7ff) - kDoubleBias;  // subnormal doubles are zero in every format here

  if (format.specials == Specials::kScale) {
    const int up = mantissa > uint64_t{1} << (kDoubleMantissaBits - 1) ? 1 : 0;
    return uint32_t(std::clamp(exponent + format.bias + up, 0, int(format.code_count()) - 2));
  }

  const bool negative = bits >> 63;
  const uint32_t sign = negative && format.has_sign() ? 1u << (format.bits - 1) : 0u;
  if (std::isinf(value) && format.specials == Specials::kIeee) return code_of(format, value);

  // The significand with its hidden bit, shifted so that its last place is the format's. The hidden bit carries into the
  // exponent.
  const int below_normal = std::max(0, format.min_exponent() - exponent);
  const uint64_t significand = mantissa | uint64_t{1} << kDoubleMantissaBits;
  const uint64_t rounded = shift_to_nearest(significand, kDoubleMantissaBits - format.mantissa_bits + below_normal);
  const uint64_t base = uint64_t(std::max(0, exponent - format.min_exponent())) << format.mantissa_bits;
  auto magnitude = uint32_t(std::min<uint64_t>(base + rounded, UINT32_MAX));
  const uint32_t last_binades = (1u << format.exponent_bits) - 2;  // only in the last binades can it exceed the largest value
  if (magnitude >> format.mantissa_bits >= last_binades) magnitude = std::min(magnitude, code_of(format, max_finite(format)));
  if (format.specials == Specials::kFnuz && magnitude == 0) return 0;
  return sign | magnitude;
}

namespace {

// Input generators by name ("fills").

struct Entry {
  const char* name;
  fills::Maker make;
  const char* suits;  ///< FillInfo::suits, with spaces between
  const char* aims_at;
  int exponent_of_constant = 0;
};

constexpr Entry kFills[] = {
    {"normal", fills::normal, "numbers weights ranks", "mean 0, variance 1: ordinary data"},
    {"uniform01", fills::uniform01, "numbers weights", "[0, 1): sums that cannot cancel"},
    {"wide", fills::wide, "numbers weights packed factors",
     "magnitudes log-uniform over 80 binades, or what the format holds of them"},
    {"ramp", fills::ramp, "numbers", "every element differs from its neighbours: a wrong index shows"},
    {"zeros", fills::zeros, "numbers weights scales ranks", "+0 and -0 mixed: amax is 0"},
    {"ones", fills::ones, "numbers weights scales packed", "1 everywhere: sums count their terms"},
    {"gamma", fills::gamma, "weights", "norm weights: 1 and a little"},
    {"ties", fills::ties, "quantized",
     "every quotient halfway between two q codes, under another power-of-two scale in each group"},
    {"near_ties", fills::near_ties, "quantized",
     "one ulp beside each tie: truncation, double rounding and a multiplied reciprocal show"},
    {"quiet", fills::quiet, "quantized gates ranks",
     "group amax from 0 and the smallest subnormal to 2^-6: scale floors and their neighbours"},
    {"outliers", fills::outliers, "numbers ranks", "normal, a thousandth of it times 2^10, and one huge element"},
    {"specials", fills::specials, "numbers weights packed terms copies",
     "NaN, Inf, -0 and subnormals in some groups, ordinary data in others"},
    {"every_code", fills::every_code, "quantized", "scale 1 and every finite q code in turn"},
    {"lone", fills::lone, "numbers", "one element per group, in each place in turn: a lane that is left out shows"},
    {"ends", fills::ends, "numbers",
     "normal, the largest of a group in its first or last place, of a row in the last, of 128 rows in the last: ends that are left out"},
    {"spoiled_rows", fills::spoiled_rows, "numbers",
     "rows of zeros behind rows with a NaN or an Inf, and ordinary ones: what a row leaves behind"},
    {"steps", fills::steps, "quantized", "amax 1 and max(q) in turn along a row: a neighbour's scale shows"},
    {"distinct", fills::distinct, "quantized", "amax 2^((7 row + group) mod 61 - 30): a scale in the wrong place shows"},
    {"pow2_edge", fills::pow2_edge, "quantized",
     "amax max(q) 2^k, its neighbours, half of it, 240/224 of it: exponents about to change"},
    {"octaves", fills::octaves, "quantized",
     "every element amax 2^-k, amax of every mantissa: quotients that tie at the subnormal end in real numbers"},
    {"nan_beside_huge", fills::nan_beside_huge, "quantized", "a NaN in each group, the others near the format's largest"},
    {"infinities", fills::infinities, "quantized", "one Inf in every second group, and no NaN"},
    {"exponent_rules", fills::exponent_rules, "quantized",
     "amax 1, 1.75, 1.875, 1.9375 and beside, times 2^k: FLOOR, RCEIL, CEIL, EVEN and 0.75 part"},
    {"every_scale", fills::every_scale, "quantized",
     "amax of every exponent of the format, and under each of them every finite q code"},
    {"huge", fills::huge, "numbers weights", "near the format's largest: squares and sums overflow"},
    {"eps_dominated", fills::eps_dominated, "normed", "rows with mean square 1e-12, 1e-6, 1, 1e6: eps leads, matters, vanishes"},
    {"off_center", fills::off_center, "normed",
     "normal about 0, 8, -64 and 512, a row each: means that outweigh what is left of them"},
    {"pinned_ties", fills::pinned_ties, "normed",
     "rows of a norm whose r is one fp32 number: outputs that tie, and others beside a tie that no other r explains"},
    {"tie_weights", fills::tie_weights, "weights", "norm weights: 0.75 and 1.5, and every significand of the format in turn"},
    {"tie_weights_less_one", fills::tie_weights_less_one, "weights", "the same, of a norm that adds one to its weights"},
    {"scales", fills::scales, "scales packed", "positive, log-uniform over 2^-8 .. 2^8"},
    {"pow2_scales", fills::pow2_scales, "scales packed block_scales", "powers of two, 2^-8 .. 2^8"},
    {"zero_points", fills::zero_points, "zero_points", "integers of -127 .. 127 without 0: zero points of int8 codes"},
    {"extent_ties", fills::extent_ties, "ranges",
     "max - min of 255 2^k about all zero points of int8, elements halfway between its steps"},
    {"odd_ranges", fills::odd_ranges, "ranges",
     "ranges that do not hold 0, hold one number or nothing, or are so small that their scale has no reciprocal"},
    {"end_ranges", fills::end_ranges, "ranges",
     "ranges of one sign, of NaN alone, and of 255 steps whose ends round beyond int8 or whose step is 7 2^k: no sum leaves int32"},
    {"lone_mantissa", fills::lone_mantissa, "packed",
     "1, and 1.5 in one of four columns, in each in turn by rows: a mantissa that runs into a neighbour"},
    {"swallowed", fills::swallowed, "normed",
     "32 columns of 1, then 2^-12 (1 - 2^-8): squares that a sum which began with a 1 swallows"},
    {"edge_scales", fills::edge_scales, "packed scales", "+0, 2^-126, 2^127 and Inf in turn, each between two of 2^-8 .. 2^8"},
    {"gate_open", fills::gate_open, "gates",
     "32 everywhere, as a gate: silu(32) is 32 in fp32, so what follows sees 32 times the other half", 5},
    {"gate_closed", fills::gate_closed, "gates",
     "-88 to -20 in steps of bf16, as gates: silu(v) is v e^v, and forms by tanh have nothing left"},
    {"scales_of_seven", fills::scales_of_seven, "scales", "7 2^k as a scale: x / s ties where x (1 / s) does not"},
    {"uniform_bits", fills::uniform_bits, "factors terms block_scales copies", "every finite code as often as any other"},
    {"near_one", fills::near_one, "factors terms", "2^-4 to 2^4, both signs: every product takes part in a sum"},
    {"half_zeros", fills::half_zeros, "terms", "every second one +0 or -0, the others of any exponent within 2^-30 .. 2^30"},
    {"mostly_zeros", fills::mostly_zeros, "terms", "the same, but fifteen of sixteen are zeros: sums of few terms"},
    {"tiny", fills::tiny, "numbers weights terms",
     "about the least normal number and about its root: subnormal factors, products that underflow"},
    {"near_overflow", fills::near_overflow, "terms", "products about the largest number of what they are added to"},
    {"pairs", fills::pairs, "factors terms",
     "neighbours are equal; with opposite_pairs as the other factor their products cancel"},
    {"opposite_pairs", fills::opposite_pairs, "second_factors terms",
     "neighbours differ in sign, every fourth pair by a last bit besides"},
    {"zero_signs", fills::zero_signs, "weights factors terms", "zeros: rows of -0, of +0, of +0 and of both in turn"},
    {"kept_bit", fills::kept_bit, "factors terms",
     "with its partner: one large product, of f16 a half ulp, and a power of two 8 to 37 octaves below"},
    {"kept_bit_partner", fills::kept_bit_partner, "second_factors terms",
     "the other factor of kept_bit: the last bit that a unit keeps of a term shows"},
    {"least_bit", fills::least_bit, "factors terms",
     "with its partner: the least number of the result, and a power of two 4 to 22 octaves below"},
    {"least_bit_partner", fills::least_bit_partner, "second_factors terms",
     "the other factor of least_bit: the least exponent that a unit aligns to shows"},
    {"half_ulp", fills::half_ulp, "terms", "with its partner and four_k: half an ulp of c, and a little more or less"},
    {"half_ulp_partner", fills::half_ulp_partner, "terms", "the other factor of half_ulp"},
    {"four_k", fills::four_k, "terms", "4096 everywhere"},
    {"zero_beside_tiny", fills::zero_beside_tiny, "factors terms", "zeros and the largest power of two between tiny numbers"},
    {"huge_beside_tiny", fills::huge_beside_tiny, "second_factors terms", "the other factor: each zero meets the largest power of two"},
    {"subnormal_pairs", fills::subnormal_pairs, "terms",
     "with its partner: subnormal numbers times large ones, which cancel, beside small products"},
    {"subnormal_pairs_partner", fills::subnormal_pairs_partner, "terms",
     "the other factor of subnormal_pairs: by which exponent a unit aligns a subnormal number shows"},
    {"far_below_one", fills::far_below_one, "terms", "2^-34 to 2^-7, both signs"},
    {"zero_beside_least", fills::zero_beside_least, "terms",
     "as zero_beside_tiny, between the three least numbers of the format"},
    {"huge_beside_least", fills::huge_beside_least, "terms",
     "the other factor: the exponent of a zero shows where a result cuts no bit off"},
    {"far_scales", fills::far_scales, "scales block_scales",
     "positive, half of them near the least and half near the largest of the format"},
    {"end_scales", fills::end_scales, "scales",
     "below the least normal number with a normal reciprocal, or beyond the largest number that has one"},
    {"low_scales", fills::low_scales, "scales block_scales",
     "2^-70 to 2^-72: two of them bring products to the least numbers of f32"},
    {"amax_scaled", fills::amax_scaled, "factors",
     "normal, its largest about the format's: codes of quantized activations and weights"},
    {"amax_scaled_positive", fills::amax_scaled_positive, "factors", "the same without signs: sums that cannot cancel"},
    {"few_maxima", fills::few_maxima, "factors",
     "5 of 8 subnormal or zero, one in 512 near the largest, the others of the 4 lowest exponents: parts of k and promotions show"},
    {"exact_sums", fills::exact_sums, "factors",
     "-2 .. 2, so few in a row that every sum of products stays below 2^13: no order rounds"},
    {"block_outliers", fills::block_outliers, "factors",
     "normal, and in every 128 of k one of the largest: what it is aligned with is cut off"},
    {"codes_with_nans", fills::codes_with_nans, "factors", "amax_scaled, and in every fourth row one NaN"},
    {"one_hot_rows", fills::one_hot_rows, "factors",
     "rows of zeros and rows with a single 1, elsewhere in each: a product is a number of the other factor"},
    {"codes_in_turn", fills::codes_in_turn, "factors block_scales copies",
     "all codes of the format in turn: every byte of a scale, NaN too"},
    {"equal_pairs", fills::equal_pairs, "factors",
     "in the first 8 of 32 large equal neighbours, an octave less with each row, among small numbers"},
    {"cancelling_pairs", fills::cancelling_pairs, "second_factors",
     "the same with opposite signs: with equal_pairs as the other factor large products cancel and what they cut off shows in 16 bits"},
    {"about_64", fills::about_64, "factors", "63, 64 and 65: zero points of int8 codes leave little of their sums"},
    {"lowest", fills::lowest, "factors", "the least number of the format everywhere: pairs of -128 pass 16 bits"},
    {"least_signs", fills::least_signs, "factors",
     "the number next to zero, of the other sign in each row: products with small scales are rounded to -0"},
    {"one_in_the_middle", fills::one_in_the_middle, "factors",
     "the largest number, in the middle of a row 1, then the largest below zero: what is added before the 1 swallows it in f32"},
    {"one_in_the_middle_partner", fills::one_in_the_middle_partner, "second_factors", "the other factor: the same without signs"},
    {"amax_scales", fills::amax_scales, "scales block_scales", "positive, 2^-10 .. 2^-6: scales of quantized data"},
    {"rank_integers", fills::rank_integers, "ranks",
     "1 to 15 of either sign, of each rank its own: no order of additions rounds, places and ranks show"},
    {"rank_cancel", fills::rank_cancel, "ranks",
     "normal, and on two ranks of each element large numbers that cancel: what was added before them is lost"},
    {"rank_overflow", fills::rank_overflow, "ranks",
     "half of the ranks near the largest number, half near the least: sums overflow on the way in some orders"},
    {"rank_specials", fills::rank_specials, "ranks",
     "NaN or Inf of one rank, Inf of both signs, zeros of both signs, subnormals whose codes are like that of -0"},
    {"equal_blocks", fills::equal_blocks, "factors", "amax_scaled, every second 128 of k as the 128 before"},
    {"opposite_blocks", fills::opposite_blocks, "second_factors",
     "the same with opposite signs: with equal_blocks and paired_scales only what joining a block rounded is left"},
    {"paired_scales", fills::paired_scales, "block_scales", "amax_scales, every second column as the one before"},
    {"half_tenfold", fills::half_tenfold, "quantized", "normal, half of it times ten: what sglang's tests quantize"},
    {"rank_counts", fills::rank_counts, "ranks", "1 to 15, of each rank its own: what vLLM's and sglang's tests add up"},
    {"ranks_alike", fills::ranks_alike, "ranks",
     "0 to 22 in turn, the same on every rank: what vLLM's test of QuickReduce adds up"},
    {"row_octaves", fills::row_octaves, "gates",
     "uniform in +-2^e, e from 1 to 19 for each row: what vLLM's masked SiLU test quantizes"},
};

/// Stream number beyond the ordinals of tensors.
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

/// Larger tensors are encoded on all cores.
constexpr int64_t kManyElements = int64_t{1} << 20;

void fill_padding(HostTensor& tensor) {
  const Format& format = *tensor.spec.format;
  const bool integer = format.is_integer();
  const uint32_t code = integer ? code_of(format, max_finite(format)) : code_of(format, std::numeric_limits<double>::quiet_NaN());
  for (int64_t i = 0; i < tensor.spec.storage; ++i) tensor.set_code(i, code);
}

/// Storage offset of the first element of each row of the sheet. Rows are all extents but the last, in row-major order.
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

}  // namespace

void fill(HostTensor& tensor, const FillRequest& request) {
  if (request.name.empty()) return tensor.bytes.assign(tensor.spec.bytes(), std::byte{0});
  const Entry& chosen = entry(request.name);
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
                     Random(request.seed, kSharedStream)};
  chosen.make(sheet);
  if (request.exponent != 0)
    for (double& value : sheet.values) value *= fills::power_of_two(request.exponent);

  tensor.bytes.resize(spec.bytes());
  if (spec.storage != spec.elements()) fill_padding(tensor);
  const std::vector<int64_t> offsets = row_offsets(spec);
  const int64_t stride = spec.strides.empty() ? 1 : spec.strides.back();
  const auto place = [&](int64_t element) { return offsets[size_t(element / columns)] + element % columns * stride; };
  const auto encode = [&](int64_t i) {
    for (int64_t j = 0; j < columns; ++j)
      tensor.set_code(offsets[size_t(i)] + j * stride, nearest_code(format, sheet.values[size_t(i * columns + j)]));
  };
  const bool rows_share_bytes = format.bits < 8;
  if (rows_share_bytes || rows * columns < kManyElements)
    for (int64_t i = 0; i < rows; ++i) encode(i);
  else
    for_each_in_parallel(rows, encode);
  for (const auto& [element, code] : sheet.codes) tensor.set_code(place(element), code);
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

const std::vector<double>& Sheet::operand(const std::string& role, const std::string& fill) const {
  if (operands != nullptr)
    for (const FilledOperand& operand : *operands)
      if (operand.role == role) return operand.values;
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
