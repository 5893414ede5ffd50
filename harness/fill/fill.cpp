#include "harness/fill/fill.h"

#include <limits>
#include <stdexcept>

#include "harness/core/blocks.h"
#include "harness/fill/sheet.h"
#include "harness/fill/nearest.h"
#include "reference/table/near.h"

namespace assay {
namespace {

struct Entry {
  const char* name;
  fills::Maker make;
  const char* aims_at;
  int exponent_of_constant = 0;
};

constexpr Entry kFills[] = {
    {"normal", fills::normal, "mean 0, variance 1: ordinary data"},
    {"uniform01", fills::uniform01, "[0, 1): sums that cannot cancel"},
    {"wide", fills::wide, "magnitudes log-uniform over 80 binades, or as many as the format can represent"},
    {"ramp", fills::ramp, "every element differs from its neighbours: exposes a wrong index"},
    {"zeros", fills::zeros, "+0 and -0 mixed: amax is 0"},
    {"ones", fills::ones, "1 everywhere: a sum is its number of terms"},
    {"gamma", fills::gamma, "norm weights: near 1"},
    {"ties", fills::ties, "every quotient halfway between two q codes, under another power-of-two scale in each group"},
    {"near_ties", fills::near_ties, "one ulp from each tie: exposes truncation, double rounding and multiplication by a reciprocal"},
    {"quiet", fills::quiet, "group amax from 0 and the smallest subnormal to 2^-6: scale floors and the values next to them"},
    {"outliers", fills::outliers, "normal, a thousandth of it times 2^10, and one huge element"},
    {"specials", fills::specials, "NaN, Inf, -0 and subnormals in some groups, ordinary data in others"},
    {"every_code", fills::every_code, "scale 1 and every finite q code in turn"},
    {"lone", fills::lone, "one element per group, at each position in turn: exposes a skipped lane"},
    {"ends", fills::ends, "normal, the largest element first or last in its group, last in its row, last of 128 rows: exposes skipped ends"},
    {"spoiled_rows", fills::spoiled_rows, "rows of zeros after rows with a NaN or an Inf, and ordinary rows: exposes state carried from row to row"},
    {"steps", fills::steps, "amax 1 and max(q) in turn along a row: exposes the scale of a neighbouring group"},
    {"distinct", fills::distinct, "amax 2^((7 row + group) mod 61 - 30): exposes a scale stored at the wrong index"},
    {"pow2_edge", fills::pow2_edge, "amax max(q) 2^k, its neighbours, half of it, 240/224 of it: amax next to a change of exponent"},
    {"octaves", fills::octaves,
     "every element amax 2^-k, amax of every mantissa: quotients that in real arithmetic are ties at the subnormal end"},
    {"nan_beside_huge", fills::nan_beside_huge, "a NaN in each group, the others near the format's largest"},
    {"infinities", fills::infinities, "one Inf in every second group, and no NaN"},
    {"exponent_rules", fills::exponent_rules,
     "amax at and next to 1, 1.75, 1.875, 1.9375, times 2^k: tells FLOOR, RCEIL, CEIL, EVEN and 0.75 apart"},
    {"every_scale", fills::every_scale, "amax of every exponent of the format, and under each of them every finite q code"},
    {"huge", fills::huge, "near the format's largest: squares and sums overflow"},
    {"eps_dominated", fills::eps_dominated, "rows with mean square 1e-12, 1e-6, 1, 1e6: eps dominates, contributes, is negligible"},
    {"off_center", fills::off_center, "normal about 0, 8, -64 and 512, one per row: means larger than the deviations from them"},
    {"pinned_ties", fills::pinned_ties,
     "rows of a norm with one possible fp32 r: outputs at ties, and outputs next to a tie that only this r gives"},
    {"tie_weights", fills::tie_weights, "norm weights: 0.75 and 1.5, and every significand of the format in turn"},
    {"tie_weights_less_one", fills::tie_weights_less_one, "the same, for a norm that adds one to its weights"},
    {"scales", fills::scales, "positive, log-uniform over 2^-8 .. 2^8"},
    {"pow2_scales", fills::pow2_scales, "powers of two, 2^-8 .. 2^8"},
    {"zero_points", fills::zero_points, "integers of -127 .. 127 without 0: zero points of int8 codes"},
    {"extent_ties", fills::extent_ties, "max - min of 255 2^k about all zero points of int8, elements halfway between its steps"},
    {"odd_ranges", fills::odd_ranges,
     "ranges without 0, of one number, empty, or so small that the reciprocal of their scale overflows"},
    {"end_ranges", fills::end_ranges,
     "ranges of one sign, of NaN alone, and of 255 steps whose ends round beyond int8 or whose step is 7 2^k: no sum leaves int32"},
    {"lone_mantissa", fills::lone_mantissa,
     "1, and 1.5 in one of four columns, in each in turn by rows: exposes a mantissa that carries into its neighbour"},
    {"gate_open", fills::gate_open, "32 everywhere, as a gate: silu(32) is 32 in fp32, so the next step gets 32 times the other half", 5},
    {"gate_closed", fills::gate_closed, "-88 to -20 in steps of bf16, as gates: silu(v) is v e^v, and forms by tanh give 0"},
    {"scales_of_seven", fills::scales_of_seven, "7 2^k as a scale: x / s ties where x (1 / s) does not"},
    {"uniform_bits", fills::uniform_bits, "every finite code with the same probability"},
    {"near_one", fills::near_one, "2^-4 to 2^4, both signs: no product is negligible in a sum"},
    {"half_zeros", fills::half_zeros, "every second one +0 or -0, the others of any exponent within 2^-30 .. 2^30"},
    {"mostly_zeros", fills::mostly_zeros, "the same, but fifteen of sixteen are zeros: sums of few terms"},
    {"tiny", fills::tiny, "near the least normal number and near its square root: subnormal factors, products that underflow"},
    {"near_overflow", fills::near_overflow, "products near the largest number of the accumulator format"},
    {"pairs", fills::pairs, "neighbours are equal; with opposite_pairs as the other factor their products cancel"},
    {"opposite_pairs", fills::opposite_pairs, "neighbours differ in sign, and every fourth pair also in the last bit"},
    {"zero_signs", fills::zero_signs, "zeros: rows of -0, of +0, of +0 and of both in turn"},
    {"kept_bit", fills::kept_bit, "with its partner: one large product, of f16 a half ulp, and a power of two 8 to 37 octaves below"},
    {"kept_bit_partner", fills::kept_bit_partner, "the other factor of kept_bit: shows the last bit of a term that a unit keeps"},
    {"least_bit", fills::least_bit, "with its partner: the least number of the result, and a power of two 4 to 22 octaves below"},
    {"least_bit_partner", fills::least_bit_partner, "the other factor of least_bit: shows the least exponent that a unit aligns to"},
    {"half_ulp", fills::half_ulp, "with its partner and four_k: half an ulp of c, and a little more or less"},
    {"half_ulp_partner", fills::half_ulp_partner, "the other factor of half_ulp"},
    {"four_k", fills::four_k, "4096 everywhere"},
    {"zero_beside_tiny", fills::zero_beside_tiny, "zeros and the largest power of two between tiny numbers"},
    {"huge_beside_tiny", fills::huge_beside_tiny, "the other factor: each zero meets the largest power of two"},
    {"subnormal_pairs", fills::subnormal_pairs, "with its partner: subnormal numbers times large ones, which cancel, beside small products"},
    {"subnormal_pairs_partner", fills::subnormal_pairs_partner,
     "the other factor of subnormal_pairs: shows the exponent by which a unit aligns a subnormal number"},
    {"far_below_one", fills::far_below_one, "2^-34 to 2^-7, both signs"},
    {"zero_beside_least", fills::zero_beside_least, "as zero_beside_tiny, between the three least numbers of the format"},
    {"huge_beside_least", fills::huge_beside_least, "the other factor: shows the exponent that a unit gives to a zero where the result loses no bit"},
    {"far_scales", fills::far_scales, "positive, half of them near the least and half near the largest of the format"},
    {"end_scales", fills::end_scales, "below the least normal number with a normal reciprocal, or beyond the largest number that has one"},
    {"low_scales", fills::low_scales, "2^-70 to 2^-72: two of them bring products to the least numbers of f32"},
    {"amax_scaled", fills::amax_scaled, "normal, scaled so that amax is near the largest number of the format: codes of quantized activations and weights"},
    {"amax_scaled_positive", fills::amax_scaled_positive, "the same without signs: sums that cannot cancel"},
    {"few_maxima", fills::few_maxima,
     "5 of 8 subnormal or zero, one in 512 near the largest, the others of the 4 lowest exponents: exposes splits of k and promotions"},
    {"exact_sums", fills::exact_sums, "-2 .. 2, so few in a row that every sum of products stays below 2^13: no order of additions rounds"},
    {"block_outliers", fills::block_outliers, "normal, and in every 128 of k one of the largest: terms aligned with it are truncated"},
    {"codes_with_nans", fills::codes_with_nans, "amax_scaled, and in every fourth row one NaN"},
    {"one_hot_rows", fills::one_hot_rows, "rows of zeros and rows with a single 1, at a different index each: a product is an element of the other factor"},
    {"codes_in_turn", fills::codes_in_turn, "all codes of the format in turn: every byte of a scale, NaN too"},
    {"equal_pairs", fills::equal_pairs, "small numbers, but the first 8 of 32 are large equal neighbours, half as large with each row"},
    {"cancelling_pairs", fills::cancelling_pairs,
     "the same with opposite signs: with equal_pairs as the other factor large products cancel, and the bits truncated by them show in 16 bits"},
    {"about_64", fills::about_64, "63, 64 and 65: subtracting zero points of int8 codes cancels most of a sum"},
    {"amax_scales", fills::amax_scales, "positive, 2^-10 .. 2^-6: scales of quantized data"},
    {"rank_integers", fills::rank_integers, "1 to 15 of either sign, different on each rank: no order of additions rounds; exposes wrong indices and ranks"},
    {"rank_cancel", fills::rank_cancel, "normal, and on two ranks of each element large numbers that cancel: what was added before them is rounded away"},
    {"rank_overflow", fills::rank_overflow, "half of the ranks near the largest number, half near the least: sums overflow on the way in some orders"},
    {"rank_specials", fills::rank_specials, "NaN or Inf of one rank, Inf of both signs, zeros of both signs, subnormals whose bits resemble those of -0"},
    {"equal_blocks", fills::equal_blocks, "amax_scaled, every second 128 of k as the 128 before"},
    {"opposite_blocks", fills::opposite_blocks,
     "the same with opposite signs: with equal_blocks and paired_scales only the rounding of adding a block is left"},
    {"paired_scales", fills::paired_scales, "amax_scales, every second column as the one before"},
    {"half_tenfold", fills::half_tenfold, "normal, half of it times ten: what sglang's tests quantize"},
    {"rank_counts", fills::rank_counts, "1 to 15, different on each rank: what vLLM's and sglang's tests add up"},
    {"ranks_alike", fills::ranks_alike, "0 to 22 in turn, the same on every rank: what vLLM's test of QuickReduce adds up"},
    {"row_octaves", fills::row_octaves, "uniform in +-2^e, e from 1 to 19 for each row: what vLLM's masked SiLU test quantizes"},
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
  for (const Entry& e : kFills) infos.push_back({e.name, e.aims_at});
  return infos;
}

}  // namespace assay
