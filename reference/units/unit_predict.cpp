// Precomputes parameters, decodes operands and predicts whole tiles, with the loops for this processor.
#include "reference/units/unit_predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "reference/formats/catalogue.h"

namespace assay {

extern const UnitLoops kUnitLoops_scalar;
#if defined(__x86_64__)
extern const UnitLoops kUnitLoops_avx2;
extern const UnitLoops kUnitLoops_avx512;
extern const UnitLoops kUnitLoops_avx512vnni;
#endif

namespace {

/// True if the narrow block of unit_loops.cpp supports the instruction: operands with few bits, c as one of the terms, and a
/// truncated result that fits in a float.
bool is_narrow(const Unit& u) {
  const bool terms = u.sum == ProductSum::kAligned && u.group == 1 && u.join == AccumulatorJoin::kAligned && !u.c_last &&
                     !u.scale && u.take % 2 == 0;
  const bool exponents =
      u.exponent == TermExponent::kSum && !u.zeros_count && u.least_exponent == kNoExponent && u.product_limit == 0;
  const bool few_bits = u.a->precision() + u.b->precision() <= 8 && u.fraction_bits <= 13 && u.loss == BitLoss::kTruncate &&
                        u.fraction_bits >= u.a->mantissa_bits + u.b->mantissa_bits;
  return terms && exponents && few_bits && u.rounding == ResultRounding::kTowardZero && *u.d == kF32 &&
         u.result_bits >= u.fraction_bits && !u.flush;
}

}  // namespace

UnitPlan plan_of(const Unit& unit, const UnitLoops& loops) {
  UnitPlan plan{};
  plan.unit = &unit;
  plan.blocks = unit.k / unit.take;
  plan.parts = unit.group > 1 ? unit.take / unit.group : unit.splits;
  plan.part = unit.take / plan.parts;
  const int point = unit.a->mantissa_bits + unit.b->mantissa_bits;
  plan.left_shift = unit.group > 1 ? 0 : std::max(0, unit.fraction_bits - point);
  plan.right_shift = unit.group > 1 ? 0 : std::max(0, point - unit.fraction_bits);
  plan.chunk = 1 << std::clamp(29 - unit.fraction_bits, 0, 6);  // a product is below 2^(fraction_bits + 2)
  plan.group_unit = std::ldexp(1.0, unit.a->min_exponent() + unit.b->min_exponent() - point);
  plan.least_normal = std::ldexp(1.0, unit.d->min_exponent());
  plan.last_place = std::ldexp(1.0, -unit.result_bits);
  plan.full_last_place = std::ldexp(1.0, -unit.d->mantissa_bits);
  plan.beyond = std::ldexp(1.0, std::ilogb(max_finite(*unit.d)) + 1);
  plan.narrow = loops.narrow && is_narrow(unit);
  plan.limit_exponent = unit.product_limit - 2;
  return plan;
}

const UnitLoops* unit_loops_named(std::string_view name) {
  if (name == "scalar") return &kUnitLoops_scalar;
#if defined(__x86_64__)
  if (name == "avx512vnni" && unit_loops_named("avx512") && __builtin_cpu_supports("avx512vnni")) return &kUnitLoops_avx512vnni;
  if (name == "avx2" && __builtin_cpu_supports("avx2")) return &kUnitLoops_avx2;
  if (name == "avx512" && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return &kUnitLoops_avx512;
#endif
  return nullptr;
}

const UnitLoops& unit_loops() {
  static const UnitLoops* const chosen = [] {
    if (const char* asked = std::getenv("ASSAY_ISA")) {
      const bool vnni = std::string_view(asked) == "avx512" && unit_loops_named("avx512vnni");
      if (const UnitLoops* found = unit_loops_named(vnni ? "avx512vnni" : asked)) return found;
      throw std::runtime_error("ASSAY_ISA is '" + std::string(asked) +
                               "'; expected scalar, or avx2 or avx512 if this processor supports it");
    }
    for (const char* name : {"avx512vnni", "avx512", "avx2"})
      if (const UnitLoops* found = unit_loops_named(name)) return found;
    return &kUnitLoops_scalar;
  }();
  return *chosen;
}

namespace {

/// Reads a little-endian code of 1, 2 or 4 bytes.
inline uint32_t word_at(const std::byte* p, int bytes) {
  const auto byte = [&](int i) { return std::to_integer<uint32_t>(p[i]) << (8 * i); };
  if (bytes == 1) return byte(0);
  return bytes == 2 ? byte(0) | byte(1) : byte(0) | byte(1) | byte(2) | byte(3);
}

/// Fields of a code. `flush`: a subnormal becomes 0. `exponents_in`: the exponent is the one that the value has in that format.
Fields fields_for(const Unit& unit, const Format& format, uint32_t code) {
  Fields f = fields_of(format, code);
  const int32_t normal = 1 << format.mantissa_bits;
  if (unit.flush && std::abs(f.significand) < normal) f.significand = 0;
  if (!unit.exponents_in) return f;
  const int least = unit.exponents_in->min_exponent();
  if (f.significand == 0) f.exponent = least;
  for (; f.significand != 0 && std::abs(f.significand) < normal && f.exponent > least; --f.exponent) f.significand *= 2;
  return f;
}

/// The left shift of mantissas: only those of a (lanes == 0) are shifted.
int shift_of(const UnitPlan& plan, int lanes) { return lanes == 0 ? plan.left_shift : 0; }

CodeTable::Halves halves_of(const UnitPlan& plan, Fields f, int lanes) {
  const int32_t significand = f.finite ? f.significand : 0;
  const int sign = lanes == 0 ? (significand < 0 ? -2 : 0) : (significand < 0 ? -1 : 1);
  return {uint16_t(significand == 0 ? kNarrowZero : f.exponent), uint16_t(std::abs(significand) << shift_of(plan, lanes)),
          uint16_t(sign)};
}

/// Decodes codes and stores the results in `Decoded`.
class Elements {
 public:
  Elements(const UnitPlan& plan, const Format& format, const CodeTable& table, int lanes, size_t elements, Decoded& decoded)
      : unit_(*plan.unit), format_(format), table_(table), lanes_(lanes), shift_(shift_of(plan, lanes)), decoded_(decoded) {
    if (plan.narrow)
      decoded.narrow.assign(elements / 2 * kNarrowWords, 0);
    else if (unit_.sum == ProductSum::kPairs)
      decoded.value.assign(elements, 0.0f);
    else
      decoded.significand.assign(elements, 0);
    if (unit_.sum == ProductSum::kAligned && unit_.group == 1 && !plan.narrow) decoded.exponent.assign(elements, kZeroExponent);
  }

  /// Writes a row for a narrow block, two products at a time.
  void put_narrow(size_t row, const uint32_t* codes, size_t steps) {
    const size_t wide = lanes_ == 0 ? 1 : size_t(lanes_);
    int32_t* at = decoded_.narrow.data() + (lanes_ == 0 ? row * steps / 2 * kNarrowWords : row);
    for (size_t i = 0; i < steps; i += 2, at += kNarrowWords * wide) {
      const CodeTable::Halves &low = table_.halves[codes[i]], &high = table_.halves[codes[i + 1]];
      for (size_t word = 0; word < kNarrowWords; ++word)
        at[word * wide] = int32_t(uint32_t(low[word]) | uint32_t(high[word]) << 16);
    }
  }

  /// Returns true if the value is finite.
  bool put(size_t at, uint32_t code, Fields scale) {
    if (unit_.sum == ProductSum::kExact) {
      decoded_.significand[at] = int32_t(int8_t(code));
      return true;
    }
    const Fields f = format_.bits <= 8 ? table_.fields[code] : fields_for(unit_, format_, code);
    const int32_t significand = f.finite ? f.significand : 0;
    if (unit_.sum == ProductSum::kPairs)
      decoded_.value[at] = float(f.finite ? significand * two_to(f.exponent - format_.mantissa_bits) : decode(format_, code));
    else if (unit_.group > 1)
      decoded_.significand[at] = significand * (1 << (f.exponent - format_.min_exponent()));
    else
      decoded_.significand[at] = significand * (1 << shift_),
      decoded_.exponent[at] = significand == 0 && !unit_.zeros_count ? kZeroExponent : f.exponent + scale.exponent;
    return f.finite && scale.finite;
  }

 private:
  const Unit& unit_;
  const Format& format_;
  const CodeTable& table_;
  int lanes_, shift_;
  Decoded& decoded_;
};

}  // namespace

CodeTable::CodeTable(const UnitPlan& plan, const Format& format, int lanes) {
  for (uint32_t code = 0; format.bits <= 8 && code < format.code_count(); ++code) {
    fields[code] = fields_for(*plan.unit, format, code);
    special[code] = fields[code].finite ? 0 : 1;
    if (plan.narrow) halves[code] = halves_of(plan, fields[code], lanes);
  }
}

FactorCodes::FactorCodes(const Unit& unit, const UnitFactor& factor, const Format& format, int64_t k)
    : unit_(unit), factor_(factor), format_(format), k_(k) {}

uint32_t FactorCodes::code(int64_t row, int64_t k) const {
  if (k >= k_) return 0;
  const int64_t at = row * factor_.pitch + k;
  if (factor_.two_in_a_byte) return word_at(factor_.codes + at / 2, 1) >> (at % 2 * 4) & 15;
  const int bytes = format_.bytes();
  const uint32_t word = word_at(factor_.codes + at * bytes, bytes);
  return format_.bits > 16 && bytes == 4 ? word >> (32 - format_.bits) : uint32_t(word & (format_.code_count() - 1));
}

FactorCodes::Lie FactorCodes::lie_of(const std::vector<int64_t>& steps) const {
  const bool bytes = format_.bits == 8 && !factor_.two_in_a_byte;
  if (!bytes || !std::all_of(steps.begin(), steps.end(), [&](int64_t k) { return k < k_; })) return Lie::kAnyhow;
  const bool apart =
      std::adjacent_find(steps.begin(), steps.end(), [](int64_t k, int64_t next) { return next != k + 1; }) != steps.end();
  return steps.empty() || apart ? Lie::kInside : Lie::kRun;
}

void FactorCodes::read(int64_t row, const std::vector<int64_t>& steps, Lie lie, uint32_t* codes) const {
  const std::byte* const bytes = factor_.codes + row * factor_.pitch;
  const size_t count = steps.size();
  if (lie == Lie::kRun)
    for (size_t i = 0; i < count; ++i) codes[i] = std::to_integer<uint32_t>(bytes[steps[0] + int64_t(i)]);
  else if (lie == Lie::kInside)
    for (size_t i = 0; i < count; ++i) codes[i] = std::to_integer<uint32_t>(bytes[steps[i]]);
  else
    for (size_t i = 0; i < count; ++i) codes[i] = code(row, steps[i]);
}

uint32_t FactorCodes::scale_code(int64_t row, int64_t k) const {
  const uint32_t code = word_at(factor_.scales + row * factor_.scale_pitch + std::min(k, k_ - 1) / unit_.scale_block, 1);
  return uint32_t(code & (unit_.scale->code_count() - 1));
}

double FactorCodes::value(int64_t row, int64_t k) const {
  const double x = decode(format_, code(row, k));
  return unit_.scale ? x * decode(*unit_.scale, scale_code(row, k)) : x;
}

std::vector<int64_t> steps_of(const Unit& unit, int64_t first, int64_t end) {
  std::vector<int64_t> steps;
  const std::vector<int> order = product_order(unit);
  for (int64_t k = first; k < end; k += unit.k)
    for (const int one : order) steps.push_back(k + one);
  return steps;
}

Decoded decode_factor(const UnitPlan& plan, const FactorCodes& codes, const CodeTable& table, int64_t first_row, int rows,
                      int lanes, const std::vector<int64_t>& steps) {
  const Unit& unit = *plan.unit;
  const bool panel = lanes > 0;
  const size_t wide = panel ? size_t(lanes) : 1, n = steps.size(), blocks = n / size_t(unit.take),
               groups = n / size_t(unit.group);
  const size_t of_row = panel ? 1 : n;
  Decoded decoded;
  decoded.steps = int(n);
  Elements elements(plan, codes.format(), table, lanes, n * (panel ? wide : size_t(rows)), decoded);
  decoded.special.assign(panel ? blocks : blocks * size_t(rows), 0);
  if (unit.group > 1) {
    decoded.group_scale.assign(groups * (panel ? wide : size_t(rows)), 0);
    decoded.group_exponent.assign(decoded.group_scale.size(), 0);
  }
  std::vector<uint32_t> row_codes(n);
  const FactorCodes::Lie lie = codes.lie_of(steps);
  for (int row = 0; row < rows; ++row) {
    codes.read(first_row + row, steps, lie, row_codes.data());
    uint8_t* const special = decoded.special.data() + (panel ? 0 : size_t(row) * blocks);
    if (plan.narrow) {
      elements.put_narrow(size_t(row), row_codes.data(), n);
      const uint32_t* code = row_codes.data();
      for (size_t block = 0; block < blocks; ++block)
        for (int i = 0; i < unit.take; ++i) special[block] |= table.special[*code++];
      continue;
    }
    Fields scale{1, 0, true};
    for (size_t i = 0; i < n; ++i) {
      if (unit.scale) scale = fields_of(*unit.scale, codes.scale_code(first_row + row, steps[i]));
      if (!elements.put(size_t(row) * of_row + i * wide, row_codes[i], scale)) special[i / size_t(unit.take)] = 1;
      if (unit.group == 1 || i % size_t(unit.group) != 0) continue;
      const size_t group = size_t(row) * (panel ? 1 : groups) + i / size_t(unit.group) * wide;
      decoded.group_scale[group] = scale.finite ? scale.significand * two_to(scale.exponent - unit.scale->mantissa_bits) : 0;
      decoded.group_exponent[group] = scale.exponent;
    }
  }
  return decoded;
}

namespace {

constexpr int kRowsOfTask = 32;      ///< rows of c; they fit in the L1 cache with the part of b that one instruction reads
constexpr int kPanelsOfStripe = 32;  ///< panels of b that are decoded at a time

void require(bool holds, const Unit& unit, const char* what) {
  if (!holds) throw std::invalid_argument("unit " + unit.id + ": " + what);
}

/// For one block of one row of a: the sum of the products that are NaN or Inf, for each lane of a panel of b.
class Specials {
 public:
  Specials(const Unit& unit, const FactorCodes& a, const FactorCodes& b, const std::vector<int64_t>& steps)
      : unit_(unit), a_(a), b_(b), steps_(steps) {}

  void sum(int64_t row, int64_t column, int columns, int block, float* sums) const {
    for (int l = 0; l < columns; ++l) {
      sums[l] = 0;
      for (int i = block * unit_.take; i < (block + 1) * unit_.take; ++i) {
        const double product = kept(a_, row, i) * kept(b_, column + l, i);
        if (!std::isfinite(product))
          sums[l] += float(product);
        else if (unit_.product_limit != 0 && std::fabs(product) >= std::ldexp(1.0, unit_.product_limit))
          sums[l] += std::copysign(HUGE_VALF, float(product));
      }
    }
  }

 private:
  double kept(const FactorCodes& codes, int64_t row, int i) const {
    const double x = codes.value(row, steps_[size_t(i)]);
    if (!unit_.flush) return x;
    const double least = std::ldexp(1.0, codes.format().min_exponent());
    return std::fabs(decode(codes.format(), codes.code(row, steps_[size_t(i)]))) < least ? x * 0 : x;
  }
  const Unit& unit_;
  const FactorCodes &a_, &b_;
  const std::vector<int64_t>& steps_;
};

}  // namespace

/// The parts of a PreparedUnit that do not depend on the operands.
struct PreparedUnit::Tables {
  const Unit unit;
  const UnitLoops& loops;
  const UnitPlan plan;
  const CodeTable a, b;

  Tables(const Unit& of, const UnitLoops& by)
      : unit(of), loops(by), plan(plan_of(unit, loops)), a(plan, *unit.a, 0), b(plan, *unit.b, loops.lanes) {}
};

namespace {

/// One tile while its instructions run.
class Tile {
 public:
  Tile(const UnitPlan& plan, const CodeTable& table_a, const CodeTable& table_b, const UnitProduct& product, const UnitTile& tile,
       int64_t first, int64_t end, const UnitLoops& loops)
      : unit_(*plan.unit),
        plan_(plan),
        tile_(tile),
        loops_(loops),
        a_(unit_, product.a, *unit_.a, product.k),
        b_(unit_, product.b, *unit_.b, product.k),
        table_a_(table_a),
        table_b_(table_b),
        steps_(steps_of(unit_, first, end)),
        specials_(unit_, a_, b_, steps_) {}

  void run(uint32_t* d, int64_t pitch, const ForEach& for_each) const {
    const int64_t panels = (tile_.columns + loops_.lanes - 1) / loops_.lanes,
                  row_tasks = (tile_.rows + kRowsOfTask - 1) / kRowsOfTask;
    for (int64_t first = 0; first < panels; first += kPanelsOfStripe) {
      std::vector<Decoded> stripe(size_t(std::min<int64_t>(kPanelsOfStripe, panels - first)));
      for_each(int64_t(stripe.size()), [&](int64_t i) {
        const int64_t column = (first + i) * loops_.lanes;
        stripe[size_t(i)] = decode_factor(plan_, b_, table_b_, tile_.column + column, columns_from(column), loops_.lanes, steps_);
      });
      for_each(row_tasks, [&](int64_t i) {
        const int64_t row = i * kRowsOfTask;
        const int rows = int(std::min<int64_t>(kRowsOfTask, tile_.rows - row));
        const Decoded a = decode_factor(plan_, a_, table_a_, tile_.row + row, rows, 0, steps_);
        for (size_t p = 0; p < stripe.size(); ++p)
          run_panel(a, stripe[p], row, rows, (first + int64_t(p)) * loops_.lanes, d, pitch);
      });
    }
  }

 private:
  int columns_from(int64_t column) const { return int(std::min<int64_t>(loops_.lanes, tile_.columns - column)); }

  void run_panel(const Decoded& a, const Decoded& b, int64_t row, int rows, int64_t column, uint32_t* d, int64_t pitch) const {
    float state[kRowsOfTask * kMostLanes] = {};
    int32_t integers[kRowsOfTask * kMostLanes] = {};
    const int columns = columns_from(column), lanes = loops_.lanes;
    const bool exact = unit_.sum == ProductSum::kExact;
    const auto element = [&](int r, int l) -> uint32_t& { return d[(row + r) * pitch + column + l]; };
    for (int r = 0; r < rows; ++r)
      for (int l = 0; l < columns; ++l) {
        if (exact)
          integers[r * lanes + l] = int32_t(element(r, l));
        else
          state[r * lanes + l] = float(decode(*unit_.d, element(r, l)));
      }
    const SpecialSums sums = [&](int r, int block, float* out) {
      std::fill(out, out + lanes, 0.0f);
      specials_.sum(tile_.row + row + r, tile_.column + column, columns, block, out);
    };
    loops_.run({&plan_, &a, &b, rows, state, integers, &sums});
    for (int r = 0; r < rows; ++r)
      for (int l = 0; l < columns; ++l) {
        const float value = state[r * lanes + l];
        element(r, l) = exact               ? uint32_t(integers[r * lanes + l])
                        : std::isnan(value) ? unit_.nan
                                            : code_of(*unit_.d, double(value));
      }
  }

  const Unit& unit_;
  const UnitPlan& plan_;
  const UnitTile tile_;
  const UnitLoops& loops_;
  const FactorCodes a_, b_;
  const CodeTable &table_a_, &table_b_;
  const std::vector<int64_t> steps_;
  const Specials specials_;
};

}  // namespace

void one_after_the_other(int64_t count, const std::function<void(int64_t)>& f) {
  for (int64_t i = 0; i < count; ++i) f(i);
}

PreparedUnit::PreparedUnit(const Unit& unit, const UnitLoops& loops)
    : unit_(unit), tables_(unit.known() ? std::make_shared<const Tables>(unit, loops) : nullptr) {}

void PreparedUnit::accumulate(const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                              int64_t pitch, const ForEach& for_each) const {
  require(unit_.known(), unit_, "is unknown: nothing is predicted for it");
  require(first >= 0 && first % unit_.k == 0 && (end % unit_.k == 0 || end == product.k) && end <= product.k, unit_,
          "a range of k must begin and end at multiples of the instruction's k, or end at the GEMM's k");
  require(!unit_.scale || (product.a.scales && product.b.scales), unit_, "requires scales, but none are given");
  Tile(tables_->plan, tables_->a, tables_->b, product, tile, first, end, tables_->loops).run(d, pitch, for_each);
}

void accumulate(const Unit& unit, const UnitProduct& product, const UnitTile& tile, int64_t first, int64_t end, uint32_t* d,
                int64_t pitch, const ForEach& for_each, const UnitLoops& loops) {
  PreparedUnit(unit, loops).accumulate(product, tile, first, end, d, pitch, for_each);
}

}  // namespace assay
