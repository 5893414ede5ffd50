// Predicts GEMMs: exact sums of each variant, cached sums, and sums in any order.
#include "reference/flow/dot/dot_predict.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdint>
#include <stdexcept>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/recipe/eval.h"

namespace assay {
namespace {

/// Rounds to nearest even, as round_to() does, but faster: sums in any order spend most of their time rounding.
class NearestEven {
 public:
  explicit NearestEven(const Format& format)
      : format_(format), least_(power_of_two(format.min_exponent())), beyond_(power_of_two(std::ilogb(max_finite(format)))),
        last_place_(power_of_two(-format.mantissa_bits)) {}

  double operator()(double x) const {
    if (x == 0) return x;
    const double magnitude = std::fabs(x);
    if (!(magnitude >= least_ && magnitude < beyond_))
      return round_to(format_, x, Rounding::kNearestEven, Overflow::kSpecial);
    // One ulp of `shift` is the distance of the format's values near x. So the addition rounds to the format, and the
    // subtraction is exact.
    const double shift = quantum(x, least_, last_place_) * (3 * power_of_two(51));
    return (x + shift) - shift;
  }

 private:
  const Format& format_;
  double least_, beyond_;  ///< the smallest normal number, and the power of two at or below the largest number
  double last_place_;
};

Span added(Span x, Span y, const NearestEven& rounded) {
  if (x.any() || y.any()) return any_number();
  // for values of 16-bit formats, the bits that a double loses never decide a rounding
  const double low = x.low + y.low, high = x.high + y.high;
  if (std::isnan(low) != std::isnan(high)) return any_number();
  return {rounded(low), rounded(high)};
}

}  // namespace

Span sum_in_any_order(const std::vector<Span>& parts, const Format& format) {
  if (parts.size() > size_t(kMostAtomicParts))
    throw std::invalid_argument("expected at most " + std::to_string(kMostAtomicParts) +
                                " split-K parts that are added in any order, got " + std::to_string(parts.size()));
  const NearestEven rounded(format);
  std::vector<Span> sums(size_t{1} << parts.size(), point(0.0));  // sums[set]: the sum of the parts in a bit set
  for (size_t set = 1; set < sums.size(); ++set) {
    bool first = true;
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((set >> i & 1) == 0) continue;
      const Span sum = added(sums[set ^ (size_t{1} << i)], parts[i], rounded);
      sums[set] = first ? sum : either(sums[set], sum);
      first = false;
    }
  }
  return sums.back();
}

namespace {

/// 1 MiB of doubles. The rows sampled for mutation scores need a few hundred sums for each part of k.
constexpr size_t kMostNumbers = size_t{1} << 17;

}  // namespace

std::optional<Spans> SumMemory::find(const SumKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.key == key; });
  return entry == entries_.end() ? std::nullopt : std::optional(entry->sums);
}

void SumMemory::remember(const SumKey& key, const Spans& sums) {
  const std::lock_guard lock(mutex_);
  numbers_ += sums.low.size() + sums.high.size();
  if (numbers_ <= kMostNumbers) entries_.push_back({key, sums});
}

/// 8 MiB: an interval takes 16 bytes.
static constexpr size_t kMostReplayed = size_t{1} << 19;

std::optional<std::vector<Span>> ReplayedSums::find(const DotBlock& block, const Unit& unit, const Codes& codes) {
  const std::lock_guard lock(mutex_);
  if (!(block_ == block)) return std::nullopt;
  for (const Entry& entry : entries_)
    if (entry.codes == codes && entry.unit == unit) return entry.sums;
  return std::nullopt;
}

Spans ReplayedSums::of(const Unit& unit, Replay replay, const UnitProduct& product, const DotBlock& block, int64_t first_k,
                       int64_t end_k) {
  const int64_t products = end_k - first_k;
  const auto row_of_a = [&](int64_t row) { return product.a.codes + row * product.a.pitch + first_k; };
  const auto row_of_b = [&](int64_t column) { return product.b.codes + column * product.b.pitch + first_k; };
  int64_t used = 0;  // number of elements along k up to the last nonzero code; later rounded up to whole instructions
  const auto use = [&](const std::byte* codes) {
    for (int64_t k = products; k > used; --k)
      if (codes[k - 1] != std::byte{0}) used = k;
  };
  for (int64_t row = block.first; row < block.end; ++row) use(row_of_a(row));
  for (int64_t column = block.first_column; column < block.end_column; ++column) use(row_of_b(column));
  used = (used + unit.k - 1) / unit.k * unit.k;
  Codes codes;
  const auto keep = [&](const std::byte* from, std::vector<std::byte>& to) {
    to.insert(to.end(), from, from + std::min(used, products));
    to.resize(to.size() + size_t(std::max<int64_t>(0, used - products)));
  };
  for (int64_t row = block.first; row < block.end; ++row) keep(row_of_a(row), codes.a);
  for (int64_t column = block.first_column; column < block.end_column; ++column) keep(row_of_b(column), codes.b);

  std::optional<std::vector<Span>> sums = find(block, unit, codes);
  if (!sums) {
    sums.emplace();
    for (size_t i = 0; i < block.size(); ++i)
      sums->push_back(replay.advanced(codes.a.data() + int64_t(i) / block.columns() * used,
                                      codes.b.data() + int64_t(i) % block.columns() * used, used, {0, 0}));
    const std::lock_guard lock(mutex_);
    if (!(block_ == block)) entries_.clear(), block_ = block;
    if ((entries_.size() + 1) * block.size() <= kMostReplayed) entries_.push_back({unit, std::move(codes), *sums});
  }
  Spans all(std::vector<double>(block.size()));
  for (size_t i = 0; i < all.size(); ++i) {
    const Span sum = used >= products ? (*sums)[i]
                                      : replay.advanced(row_of_a(block.row_of(i)) + used, row_of_b(block.column_of(i)) + used,
                                                        products - used, (*sums)[i]);
    all.set(i, Replay::ended(sum));
  }
  return all;
}

namespace {

/// Adds f32 values. Their sum in double, rounded to f32, is the correctly rounded sum (recipe/lanes.h).
void add_all(Spans& to, const Spans& sums) {
  if (!sums.pinned()) to.widen();
  const auto add = [](std::vector<double>& numbers, const std::vector<double>& others) {
    for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = double(float(numbers[i] + others[i]));
  };
  add(to.low, sums.low);
  if (!to.pinned()) add(to.high, sums.pinned() ? sums.low : sums.high);
}

/// True if a step multiplies by the product of both scales.
bool multiplies_scales(const std::vector<CellStep>& steps) {
  return std::any_of(steps.begin(), steps.end(), [](const CellStep& step) {
    const std::vector<std::string> arguments = step.argument_texts();
    return std::find(arguments.begin(), arguments.end(), "sa*sb") != arguments.end();
  });
}

/// End of the last split-K part that is added. The first part is always added.
int64_t end_of_parts(int64_t k, int64_t part, int64_t left_out) {
  if (left_out == 0 || k <= part) return k;
  return std::max<int64_t>(1, (k + part - 1) / part - left_out) * part;
}

}  // namespace

double both_rounded(const Format& y, double a, double b) {
  return round_to(y, double(float(a * b)), Rounding::kNearestEven, Overflow::kSpecial);
}

OperandCodes decoded_operands(const DotContract& contract, const DotInputs& inputs) {
  OperandCodes made;
  if (!contract.decoded.any()) return made;
  const auto operand = [&](const UnitFactor& factor, const Format& codes, const Format& format, int64_t rows,
                           const ScaleValues& scales, const ScaleValues& outer, const std::vector<CellStep>& mult,
                           const std::vector<CellStep>& steps) {
    const Recipe to_m = resolve(mult, names_of_mult()), decode = resolve(steps, names_of_decode());
    const int64_t k = inputs.product.k;
    std::vector<std::byte> all(size_t(rows * k) * size_t(format.bytes()));
    std::byte* to = all.data();
    for (int64_t row = 0; row < rows; ++row) {
      Spans values(std::vector<double>(static_cast<size_t>(k))), m(std::vector<double>(static_cast<size_t>(k)));
      for (int64_t i = 0; i < k; ++i) {
        const auto code = uint32_t(factor.codes[row * factor.pitch + i]);
        values.low[size_t(i)] = contract.decoded.read ? contract.decoded.read(codes, code) : assay::decode(codes, code);
        m.low[size_t(i)] = scales.at(row, i);
      }
      Environment of_scale, of_code;
      if (!outer.values.empty()) of_scale.set("g", point(outer.at(row, 0)));
      evaluate(to_m, m, of_scale);
      of_code.set("m", m);
      evaluate(decode, values, of_code);
      for (const double value : values.low) {
        const uint32_t code = code_of(format, value);
        for (int byte = 0; byte < format.bytes(); ++byte) *to++ = std::byte(code >> (CHAR_BIT * byte));
      }
    }
    return all;
  };
  const Unit& unit = contract.unit;
  made.a = operand(inputs.product.a, contract.codes_of_a(), *unit.a, inputs.m, inputs.scale_a, inputs.outer_a,
                   contract.decoded.mult_a, contract.decoded.decode_of_a());
  made.b = operand(inputs.product.b, contract.codes_of_b(), *unit.b, inputs.n, inputs.scale_b, inputs.outer_b,
                   contract.decoded.mult_b, contract.decoded.decode_of_b());
  return made;
}

static std::shared_ptr<const OperandCodes> ordered_operands(const KOrder& order, const DotInputs& inputs) {
  const UnitProduct& product = inputs.product;
  return std::make_shared<const OperandCodes>(
      OperandCodes{in_order(order, product.a, inputs.m, product.k), in_order(order, product.b, inputs.n, product.k)});
}

std::shared_ptr<const OperandCodes> OrderedOperands::of(const KOrder& order, const DotInputs& inputs) {
  const std::lock_guard lock(mutex_);
  for (const auto& [known, codes] : known_)
    if (known == order) return codes;
  return known_.emplace_back(order, ordered_operands(order, inputs)).second;
}

DotRows::DotRows(const DotContract& contract, DotProgram program, const DotInputs& inputs, const Format& y, DotSums sums,
                 std::shared_ptr<ReplayedSums> replayed)
    : unit_(contract.unit),
      prepared_(unit_),
      product_(inputs.product),
      program_(std::move(program)),
      inputs_(inputs),
      y_(y),
      sums_(sums),
      replay_(sums == DotSums::kReplayed ? std::optional(Replay(unit_)) : std::nullopt),
      replayed_(std::move(replayed)),
      part_sums_(contract.part_sums),
      azp_place_(contract.azp_place),
      may_add_no_zero_(contract.adds_zero && sums == DotSums::kReplayed && program_.part >= inputs.product.k),
      flushes_(contract.flushes),
      multiplies_scales_(multiplies_scales(contract.join) || multiplies_scales(contract.y)),
      join_(join_recipe(contract, program_.alone)),
      recipe_(dot_recipe(contract, y, !inputs.bias.empty() || azp_place_ == AzpPlace::kBias, program_.part >= inputs.product.k)),
      without_zero_(dot_recipe(contract, y, !inputs.bias.empty(), false)) {
  product_.k = program_.order.places(product_.k);
  if (program_.order.part > 0)
    program_.part = program_.order.places_of_part();
  else if (program_.part >= inputs.product.k) program_.part = std::max(program_.part, product_.k);
  end_k_ = end_of_parts(product_.k, program_.part, contract.last_parts_left_out);
  if (program_.order.any()) {
    ordered_ = inputs.ordered ? inputs.ordered->of(program_.order, inputs) : ordered_operands(program_.order, inputs);
    product_.a.codes = ordered_->a.data(), product_.b.codes = ordered_->b.data();
    product_.a.pitch = product_.b.pitch = product_.k;
  }
  if (contract.decoded.any()) {
    decoded_ = decoded_operands(contract, inputs);
    product_.a = {decoded_.a.data(), product_.k}, product_.b = {decoded_.b.data(), product_.k};
  }
  if (!unit_.scale) return;
  const Format& bytes = contract.scale_bytes ? *contract.scale_bytes : *unit_.scale;
  codes_a_ = inputs.scale_a.codes(bytes, inputs.m, product_.k, unit_.scale_block);
  codes_b_ = inputs.scale_b.codes(bytes, inputs.n, product_.k, unit_.scale_block);
  product_.a.scale_pitch = product_.b.scale_pitch = (product_.k + unit_.scale_block - 1) / unit_.scale_block;
  product_.a.scales = codes_a_.data();
  product_.b.scales = codes_b_.data();
}

std::vector<double> DotRows::sums(const DotBlock& block, int64_t first_k, int64_t end_k) const {
  std::vector<uint32_t> codes(block.size(), 0);
  prepared_.accumulate(product_, {block.first, block.rows(), block.first_column, block.columns()}, first_k, end_k, codes.data(),
                       block.columns());
  std::vector<double> values(codes.size());
  if (unit_.d->bytes() == int(sizeof codes[0]))
    decode_all(*unit_.d, std::as_bytes(std::span(codes)).data(), values);
  else
    std::transform(codes.begin(), codes.end(), values.begin(), [&](uint32_t code) { return decode(*unit_.d, code); });
  return values;
}

Spans DotRows::chains(const DotBlock& block, int64_t first_k, int64_t end_k) const {
  const auto make = [&] { return added(block, first_k, end_k); };
  if (!inputs_.memory || unit_.scale || !decoded_.a.empty()) return make();
  return inputs_.memory->of({block, first_k, end_k, inputs_.product, program_.order, sums_, inputs_.own_a, inputs_.own_b, unit_},
                            make);
}

Spans DotRows::added(const DotBlock& block, int64_t first_k, int64_t end_k) const {
  if (sums_ == DotSums::kBits) return Spans(sums(block, first_k, end_k));
  if (replayed_ && !unit_.scale) return replayed_->of(unit_, *replay_, product_, block, first_k, end_k);
  Replay replay = *replay_;
  Spans spans(std::vector<double>(block.size()));
  const UnitFactor &a = product_.a, &b = product_.b;
  for (size_t i = 0; i < spans.size(); ++i) {
    Replay::Scales scales;
    if (unit_.scale) {
      const int64_t first = first_k / unit_.scale_block;
      scales = {a.scales + block.row_of(i) * a.scale_pitch + first, b.scales + block.column_of(i) * b.scale_pitch + first};
    }
    spans.set(i, replay.chain(a.codes + block.row_of(i) * a.pitch + first_k, b.codes + block.column_of(i) * b.pitch + first_k,
                              scales, end_k - first_k));
  }
  return spans;
}

double DotRows::read(double value) const {
  return flushes_ && std::fabs(value) < std::ldexp(1.0, kF32.min_exponent()) ? std::copysign(0.0, value) : value;
}

Spans DotRows::of_rows(const ScaleValues& of, const DotBlock& block, int64_t k) const {
  Spans scales;
  scales.low.reserve(block.size());
  for (int64_t row = block.first; row < block.end; ++row)
    scales.low.insert(scales.low.end(), size_t(block.columns()), read(of.at(row, k)));
  return scales;
}

Spans DotRows::of_columns(const ScaleValues& of, const DotBlock& block, int64_t k) const {
  Spans scales;
  scales.low.reserve(block.size());
  for (int64_t column = block.first_column; column < block.end_column; ++column)
    scales.low.push_back(read(of.at(column, k)));
  for (int64_t row = 1; row < block.rows(); ++row)
    scales.low.insert(scales.low.end(), scales.low.begin(), scales.low.begin() + block.columns());
  return scales;
}

Spans DotRows::of_both_rounded(const DotBlock& block) const {
  Spans both = of_rows(inputs_.outer_a, block, 0);
  const Spans b = of_columns(inputs_.outer_b, block, 0);
  for (size_t i = 0; i < both.size(); ++i)
    both.low[i] = both_rounded(y_, both.low[i], b.low[i]);
  return both;
}

/// If the contract multiplies both scales first, and the build flushes subnormals, the product is flushed too. Then sa is the
/// product and sb is 1.
void DotRows::set_scales(Environment& environment, Spans& sa, Spans& sb) const {
  if (flushes_ && multiplies_scales_)
    for (size_t i = 0; i < sa.size() && i < sb.size(); ++i) {
      sa.low[i] = read(double(float(sa.low[i] * sb.low[i])));
      sb.low[i] = 1;
    }
  if (!sa.low.empty()) environment.set("sa", sa);
  if (!sb.low.empty()) environment.set("sb", sb);
}

Spans DotRows::joined(const DotBlock& block, int64_t k, Spans sums, const Spans& acc) const {
  Spans sa, sb;
  Environment environment;
  environment.set("acc", acc);
  if (reads(join_, "sa")) sa = of_rows(inputs_.scale_a, block, k);
  if (reads(join_, "sb")) sb = of_columns(inputs_.scale_b, block, k);
  set_scales(environment, sa, sb);
  evaluate(join_, sums, environment);
  return sums;
}

Spans DotRows::part_sums(const DotBlock& block, int64_t part) const {
  const int64_t end_k = std::min(part + program_.part, product_.k);
  if (program_.promote == 0) return chains(block, part, end_k);
  Spans acc(std::vector<double>(block.size(), 0.0));
  for (int64_t k = part; k < end_k; k += program_.promote)
    acc = joined(block, k, chains(block, k, std::min(k + program_.promote, end_k)), acc);
  return acc;
}

void DotRows::subtract_zero_points(const DotBlock& block, std::vector<double>& sums) const {
  if (inputs_.azp_adj.empty() || azp_place_ == AzpPlace::kBias) return;
  for (size_t i = 0; i < sums.size(); ++i) {
    const double zero = zero_points(block.row_of(i), block.column_of(i));
    // sums[i] - zero is exact: both are integers below 2^53
    sums[i] = azp_place_ == AzpPlace::kFloats ? double(float(sums[i])) - double(float(zero)) : sums[i] - zero;
  }
}

double DotRows::zero_points(int64_t row, int64_t column) const {
  const double adj = inputs_.azp_adj[size_t(column)];
  if (inputs_.azp.empty()) return adj;
  const double azp = inputs_.azp[size_t(row)];
  switch (inputs_.azp_operator) {
    case AzpOperator::kMultiply:
      return azp * adj;
    case AzpOperator::kDivide:
      return adj == 0 ? 0 : std::trunc(azp / adj);
    case AzpOperator::kAdd:
      return azp + adj;
    case AzpOperator::kSubtract:
      return azp - adj;
  }
  return azp * adj;
}

Spans DotRows::biases(const DotBlock& block) const {
  Spans bias;
  for (size_t i = 0; i < block.size(); ++i) {
    const int64_t row = block.row_of(i), column = block.column_of(i);
    double value = inputs_.bias.empty() ? 0 : read(inputs_.bias[size_t(column)]);
    if (azp_place_ == AzpPlace::kBias) {
      const double folded = double(float(inputs_.scale_a.at(row, 0) * inputs_.scale_b.at(column, 0))) * zero_points(row, column);
      value = round_to(y_, value - folded, Rounding::kNearestEven, Overflow::kSpecial);
    }
    bias.low.push_back(value);
  }
  return bias;
}

Spans DotRows::scaled(const DotBlock& block, Spans sums) const {
  subtract_zero_points(block, sums.low);
  Spans sa, sb, ga, gb, gy, bias, c, w;
  Environment environment;
  if (reads(recipe_, "sa")) sa = of_rows(inputs_.scale_a, block, 0);
  if (reads(recipe_, "sb")) sb = of_columns(inputs_.scale_b, block, 0);
  set_scales(environment, sa, sb);
  if (reads(recipe_, "ga")) environment.set("ga", ga = of_rows(inputs_.outer_a, block, 0));
  if (reads(recipe_, "gb")) environment.set("gb", gb = of_columns(inputs_.outer_b, block, 0));
  if (reads(recipe_, "gy")) environment.set("gy", gy = of_both_rounded(block));
  if (reads(recipe_, "bias")) bias = biases(block);
  environment.set("bias", bias);
  if (reads(recipe_, "c"))
    for (size_t i = 0; i < block.size(); ++i)
      c.low.push_back(inputs_.c[size_t(block.row_of(i) * inputs_.n + block.column_of(i))]);
  environment.set("c", c);
  if (reads(recipe_, "w"))
    for (size_t i = 0; i < block.size(); ++i)
      w.low.push_back(inputs_.weights.empty() ? 1.0 : inputs_.weights[size_t(block.row_of(i))]);
  environment.set("w", w);
  Spans other = may_add_no_zero_ ? sums : Spans();
  evaluate(recipe_, sums, environment);
  if (!may_add_no_zero_) return sums;
  evaluate(without_zero_, other, environment);
  for (size_t i = 0; i < sums.size(); ++i) sums.set(i, either(sums[i], other[i]));
  return sums;
}

std::vector<Spans> DotRows::parts(const DotBlock& block) const {
  std::vector<Spans> all;
  for (int64_t part = 0; part < end_k_; part += program_.part) all.push_back(part_sums(block, part));
  return all;
}

Spans DotRows::in_any_order(const DotBlock& block, std::vector<Spans> parts) const {
  for (Spans& part : parts) part = scaled(block, std::move(part));
  Spans all(std::vector<double>(block.size(), 0.0));
  std::vector<Span> of_element(parts.size());
  for (size_t i = 0; i < all.size(); ++i) {
    std::transform(parts.begin(), parts.end(), of_element.begin(), [&](const Spans& part) { return part[i]; });
    all.set(i, sum_in_any_order(of_element, y_));
  }
  return all;
}

Spans DotRows::of_results(const DotBlock& block, std::vector<Spans> parts) const {
  Spans all;
  for (size_t part = 0; part < parts.size(); ++part) {
    const Spans result = scaled(block, std::move(parts[part]));
    if (part == 0) all = result;
    for (size_t i = 0; i < all.size() && part > 0; ++i)
      all.low[i] = round_to(y_, all.low[i] + result.low[i], Rounding::kNearestEven, Overflow::kSpecial);
  }
  return all;
}

Spans DotRows::of_parts(const DotBlock& block, std::vector<Spans> parts) const {
  if (part_sums_ == PartSums::kAtomics) return in_any_order(block, std::move(parts));
  if (part_sums_ == PartSums::kResults) return of_results(block, std::move(parts));
  Spans sum(std::vector<double>(block.size(), 0.0));  // the result if k is 0
  for (size_t part = 0; part < parts.size(); ++part) {
    if (part == 0)
      sum = std::move(parts[part]);
    else
      add_all(sum, parts[part]);
  }
  return scaled(block, std::move(sum));
}

}  // namespace assay
