// The loops that predict tensor core results, compiled once per instruction set. ASSAY_TABLE and ASSAY_TABLE_NAME name its
// table, ASSAY_TABLE_LANES is the number of columns in a vector. All else has internal linkage, for the reason in
// recipe/lanes_loops.cpp.
#ifdef __AVX512VNNI__
#include <immintrin.h>
#endif

#include <cstdint>

#include "reference/units/unit_predict.h"

namespace assay {
namespace {

constexpr int kLanes = ASSAY_TABLE_LANES;  ///< columns per vector

// Vectors of kLanes columns, and vectors of doubles for the lower and upper kLanes / 2 of them; each fills a register.

constexpr int kHalf = kLanes / 2;

typedef int32_t Ints __attribute__((vector_size(4 * kLanes)));
typedef uint32_t Bits __attribute__((vector_size(4 * kLanes)));
typedef float Floats __attribute__((vector_size(4 * kLanes)));
typedef int32_t HalfInts __attribute__((vector_size(4 * kHalf)));
typedef float HalfFloats __attribute__((vector_size(4 * kHalf)));
typedef int64_t Longs __attribute__((vector_size(8 * kHalf)));
typedef double Doubles __attribute__((vector_size(8 * kHalf)));

/// The same types for data that is not aligned to the vector size.
typedef int32_t IntsAt __attribute__((vector_size(4 * kLanes), aligned(4)));
typedef float FloatsAt __attribute__((vector_size(4 * kLanes), aligned(4)));
typedef int32_t HalfIntsAt __attribute__((vector_size(4 * kHalf), aligned(4)));
typedef double DoublesAt __attribute__((vector_size(8 * kHalf), aligned(8)));

inline Ints load(const int32_t* p) { return *(const IntsAt*)p; }
inline Floats load(const float* p) { return *(const FloatsAt*)p; }
inline void store(float* p, Floats v) { *(FloatsAt*)p = v; }
inline Ints larger(Ints a, Ints b) { return a > b ? a : b; }
inline Ints smaller(Ints a, Ints b) { return a < b ? a : b; }

template <class Half, class Whole>
inline Half half_of(Whole v, int which) {
  if constexpr (kLanes == 16)
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7)
                      : __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  else if constexpr (kLanes == 8)
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1, 2, 3) : __builtin_shufflevector(v, v, 4, 5, 6, 7);
  else
    return which == 0 ? __builtin_shufflevector(v, v, 0, 1) : __builtin_shufflevector(v, v, 2, 3);
}

template <class Half>
inline auto whole_of(Half low, Half high) {
  if constexpr (kLanes == 16)
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  else if constexpr (kLanes == 8)
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  else
    return __builtin_shufflevector(low, high, 0, 1, 2, 3);
}

inline Doubles doubles_of(Floats v, int which) { return __builtin_convertvector(half_of<HalfFloats>(v, which), Doubles); }
inline Doubles doubles_of(Ints v, int which) { return __builtin_convertvector(half_of<HalfInts>(v, which), Doubles); }
inline Longs longs_of(Ints v, int which) { return __builtin_convertvector(half_of<HalfInts>(v, which), Longs); }

template <class Numbers>
inline Numbers magnitude(Numbers x) {
  return x < 0 ? -x : x;
}
inline auto is_finite(Floats x) { return magnitude(x) < __builtin_inff(); }

// Work per block, in doubles, for half of the lanes at a time. It is exact, except where a step of the row removes bits.

/// Raises exponents to at least -800, since 2^exponent must be a normal double. Such a term keeps no bits in any case.
inline Longs near_enough(Longs exponents) { return exponents < -800 ? Longs{} - 800 : exponents; }
inline Doubles power(Longs exponents) { return powers_of_two<Doubles>(exponents); }

/// Round to integers, for |x| < 2^51: to nearest with ties to even, toward -Inf, toward zero.
inline Doubles to_nearest(Doubles x) { return (x + 0x1.8p52) - 0x1.8p52; }
inline Doubles down(Doubles x) {
  const Doubles near = to_nearest(x);
  return near > x ? near - 1 : near;
}
inline Doubles toward_zero(Doubles x) {
  const Doubles whole = down(magnitude(x));
  return x < 0 ? -whole : whole;
}
inline Doubles lost(BitLoss loss, Doubles x) { return loss == BitLoss::kFloor ? down(x) : toward_zero(x); }

/// Rounds a result to d.
class Rounder {
 public:
  explicit Rounder(const UnitPlan& plan) : Rounder(plan, plan.unit->rounding, plan.last_place) {}
  Rounder(const UnitPlan& plan, ResultRounding rounding, double last_place)
      : nearest_(rounding == ResultRounding::kNearestEven),
        least_normal_(plan.least_normal),
        last_place_(last_place),
        beyond_(plan.beyond),
        flush_below_(plan.unit->flush ? plan.least_normal : 0) {}

  Doubles operator()(Doubles x) const {
    const Doubles step = quanta<Longs>(x, least_normal_, last_place_), steps = x / step;
    const Doubles r = (nearest_ ? to_nearest(steps) : toward_zero(steps)) * step, size = magnitude(r);
    const Doubles kept = size < flush_below_ ? Doubles{} : r,
                  infinite = x < 0 ? Doubles{} - __builtin_inf() : Doubles{} + __builtin_inf();
    return size >= beyond_ ? infinite : kept + 0.0;  // -0 becomes +0
  }

 private:
  bool nearest_;
  double least_normal_, last_place_, beyond_, flush_below_;
};

/// Exponent of c per lane. A c of 0 has the smallest normal exponent if zeros count, otherwise one below all other exponents.
inline Ints exponents_of_c(const UnitPlan& plan, Floats c, bool zeros_count) {
  const Ints least = Ints{} + plan.unit->d->min_exponent(), e = larger(exponents_of<Ints>(c), least);
  return zeros_count ? e : c == 0 ? Ints{} + 4 * kZeroExponent : e;
}

/// sum + c as values, for half of the lanes. `sum` counts units of 2^(largest - fraction_bits); c loses its bits below this unit.
inline Doubles aligned_half(const Unit& unit, Doubles sum, Longs largest, Doubles c) {
  const Longs place = near_enough(largest) - unit.fraction_bits;
  return (sum + lost(unit.loss, c * power(-place))) * power(place);
}

/// Adds c to a sum that counts units of 2^(of_sum - bits). Both keep a fixed number of bits below max(of_sum, of_c).
inline Doubles joined_half(const Unit& unit, Doubles sum, int bits, Longs of_sum, Longs of_c, Doubles c) {
  const Longs largest = of_sum > of_c ? of_sum : of_c;
  const Doubles s = lost(unit.c_loss, sum * power(near_enough(of_sum - largest) + (unit.sum_fraction_bits - bits)));
  const Doubles t = lost(unit.c_loss, c * power(unit.c_fraction_bits - largest));
  const Doubles kept = unit.c_drop == 0 ? t : of_c < largest - unit.c_drop ? Doubles{} : t;
  return s * power(largest - unit.sum_fraction_bits) + kept * power(largest - unit.c_fraction_bits);
}

/// IEEE 754 addition c + x in d. A double holds the sum of two f32 with enough bits (53 >= 2 * 24 + 2), and the sum of two f16
/// exactly. A result that underflows to zero keeps its sign.
inline Doubles added_half(const Rounder& round, Doubles c, Doubles x) {
  const Doubles sum = c + x, r = round(sum), zero = sum < 0 ? -Doubles{} : Doubles{};
  const Doubles result = r == 0 ? (sum == 0 ? sum : zero) : r;
  return magnitude(sum) < __builtin_inf() ? result : sum;
}

// Products of a block are 32-bit integers, one column per lane. Within a chunk they are added as integers; the sums of the chunks and c are
// added as doubles. That is exact, because unit_table.cpp rejects every row for which it would not be.

/// Products in the order in which the instruction takes them: one row of a with the columns of all lanes of b.
struct Products {
  const int32_t *a, *a_exponent, *b, *b_exponent;
  int n;
  Ints product(int i) const { return a[i] * load(b + i * kLanes); }
  Ints exponent(int i) const { return a_exponent[i] + load(b_exponent + i * kLanes); }
  Products from(int first, int count) const {
    return {a + first, a_exponent + first, b + first * kLanes, b_exponent + first * kLanes, count};
  }
};

/// One sum per lane for a block: half[0] for the lower half of the lanes, half[1] for the upper half.
struct Sums {
  Doubles half[2] = {};
  void add(Ints sum) { half[0] += doubles_of(sum, 0), half[1] += doubles_of(sum, 1); }
};

template <bool kNormalized>
Ints largest_exponents(const UnitPlan& plan, const Products& products) {
  Ints most = Ints{} + 4 * kZeroExponent;
  const int point = plan.left_shift + plan.unit->a->mantissa_bits + plan.unit->b->mantissa_bits;
  for (int i = 0; i < products.n; ++i) {
    Ints e = products.exponent(i);
    if constexpr (kNormalized) {
      const Ints p = products.product(i);
      e = p == 0 ? e : e + exponents_of<Ints>(__builtin_convertvector(magnitude(p), Floats)) - point;
    }
    most = larger(most, e);
  }
  return most;
}

/// The sum of the products in units of 2^(largest - fraction_bits).
template <bool kNormalized, bool kFloor>
Sums aligned_sums(const UnitPlan& plan, const Products& products, Ints largest) {
  const Ints base = largest + plan.right_shift, most = Ints{} + 31;
  Sums sums;
  for (int first = 0; first < products.n; first += plan.chunk) {
    Ints sum = {};
    const int end = first + plan.chunk < products.n ? first + plan.chunk : products.n;
    for (int i = first; i < end; ++i) {
      Ints p = products.product(i), shift = base - products.exponent(i);
      if constexpr (kNormalized) p = p << smaller(larger(-shift, Ints{}), most), shift = larger(shift, Ints{});
      shift = smaller(shift, most);
      const Ints sign = p >> 31;
      if constexpr (kFloor)
        sum += p >> shift;
      else
        sum += ((Ints)((Bits)((p ^ sign) - sign) >> (Bits)shift) ^ sign) - sign;
    }
    sums.add(sum);
  }
  return sums;
}

/// For the cell c = `aligned`: c is one of the terms of the sum (MMA-Sim calls it T-FDPA).
template <bool kNormalized, bool kFloor>
struct AlignedBlock {
  static Floats run(const UnitTask& task, const Products& products, int, int, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    const Ints of_c = larger(exponents_of_c(plan, c, unit.zeros_count), Ints{} + unit.least_exponent);
    const Ints largest = larger(largest_exponents<kNormalized>(plan, products), of_c);
    const Sums sums = aligned_sums<kNormalized, kFloor>(plan, products, largest);
    const auto half = [&](int h) {
      return __builtin_convertvector(round(aligned_half(unit, sums.half[h], longs_of(largest, h), doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

/// For the cell c = `joined`: c is added to the sum of the products (MMA-Sim: TR-FDPA; with several partial sums, GTR-FDPA).
template <bool kNormalized, bool kFloor>
struct JoinedBlock {
  static Floats run(const UnitTask& task, const Products& products, int, int, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    Ints exponents[kMostSplits], largest = Ints{} + unit.least_exponent;
    Sums parts[kMostSplits];
    for (int part = 0; part < plan.parts; ++part) {
      const Products own = products.from(part * plan.part, plan.part);
      exponents[part] = larger(largest_exponents<kNormalized>(plan, own), Ints{} + unit.least_exponent);
      parts[part] = aligned_sums<kNormalized, kFloor>(plan, own, exponents[part]);
      largest = part == 0 ? exponents[0] : larger(largest, exponents[part]);
    }
    const Ints of_c = exponents_of_c(plan, c, true);
    const auto half = [&](int h) {
      Doubles sum = parts[0].half[h];
      int bits = unit.fraction_bits;
      if (plan.parts > 1) {
        sum = Doubles{};
        for (int part = 0; part < plan.parts; ++part)
          sum += lost(unit.join_loss, parts[part].half[h] * power(near_enough(longs_of(exponents[part] - largest, h)) +
                                                                  (unit.join_fraction_bits - bits)));
        bits = unit.join_fraction_bits;
      }
      return __builtin_convertvector(
          round(joined_half(unit, sum, bits, longs_of(largest, h), longs_of(of_c, h), doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

/// For `group(N)`: exact integer sums of groups, aligned by the exponents of their scales (MMA-Sim: GST-FDPA).
struct GroupedBlock {
  static Floats run(const UnitTask& task, const Products& products, int row, int block, const Rounder& round, Floats c) {
    const UnitPlan& plan = *task.plan;
    const Unit& unit = *plan.unit;
    const int groups = task.a->steps / unit.group, first = block * plan.parts;
    const double* const a_scale = task.a->group_scale.data() + row * groups + first;
    const int32_t* const a_exponent = task.a->group_exponent.data() + row * groups + first;
    const double* const b_scale = task.b->group_scale.data() + first * kLanes;
    const int32_t* const b_exponent = task.b->group_exponent.data() + first * kLanes;
    Doubles values[kMostGroups][2];
    const Ints of_c = larger(exponents_of_c(plan, c, unit.zeros_count), Ints{} + unit.least_exponent);
    Longs largest[2] = {longs_of(of_c, 0), longs_of(of_c, 1)};
    for (int g = 0; g < plan.parts; ++g) {
      Ints sum = {};
      for (int i = g * plan.part; i < (g + 1) * plan.part; ++i) sum += products.product(i);
      for (int h = 0; h < 2; ++h) {
        const int lane = g * kLanes + h * kHalf;
        values[g][h] = doubles_of(sum, h) * plan.group_unit * (a_scale[g] * *(const DoublesAt*)(b_scale + lane));
        const Longs e = a_exponent[g] + __builtin_convertvector((HalfInts) * (const HalfIntsAt*)(b_exponent + lane), Longs);
        const Longs counts = unit.zeros_count ? e : values[g][h] == 0 ? largest[h] : e;
        largest[h] = counts > largest[h] ? counts : largest[h];
      }
    }
    const auto half = [&](int h) {
      Doubles sum = {};
      const Doubles up = power(unit.fraction_bits - near_enough(largest[h]));
      for (int g = 0; g < plan.parts; ++g) sum += lost(unit.loss, values[g][h] * up);
      return __builtin_convertvector(round(aligned_half(unit, sum, largest[h], doubles_of(c, h))), HalfFloats);
    };
    return whole_of(half(0), half(1));
  }
};

// Runs the loops over one panel.

inline Floats flushed(const UnitPlan& plan, Floats x) {
  return plan.unit->flush ? (magnitude(x) < float(plan.least_normal) ? x * 0.0f : x) : x;
}

/// For `pairs`: a binary tree of f32 additions that adds neighbouring products first.
Floats tree(const UnitPlan& plan, const float* a, const float* b) {
  Floats sums[kMostTaken];
  for (int i = 0; i < plan.part; ++i) {
    const Floats x = Floats{} + a[i], y = load(b + i * kLanes), p = x * y;
    sums[i] = flushed(plan, (p == 0) & ((x == 0) | (y == 0)) ? Floats{} : p);
  }
  for (int step = 1; step < plan.part; step *= 2)
    for (int i = 0; i < plan.part; i += 2 * step) sums[i] = flushed(plan, sums[i] + sums[i + step]);
  return sums[0];
}

/// True if a product of the block may reach 2^product_limit: its exponents may sum to limit_exponent or more.
bool near_limit(const UnitTask& task, int row, int block) {
  const UnitPlan& plan = *task.plan;
  if (plan.unit->product_limit == 0) return false;
  const size_t take = size_t(plan.unit->take), first = size_t(block) * take;
  int32_t a = 4 * kZeroExponent;
  Ints b = Ints{} + a;
  for (size_t i = first; i < first + take; ++i) {
    const int32_t e = task.a->exponent[size_t(row) * size_t(task.a->steps) + i];
    a = e > a ? e : a;
    b = larger(b, load(task.b->exponent.data() + i * kLanes));
  }
  bool near = false;
  for (int l = 0; l < kLanes; ++l) near = near || a + b[l] >= plan.limit_exponent;
  return near;
}

template <class Block>
void run_aligned(const UnitTask& task) {
  const UnitPlan& plan = *task.plan;
  const Unit& unit = *plan.unit;
  const Rounder round(plan), last(plan, ResultRounding::kNearestEven, plan.full_last_place);
  const int blocks = task.a->steps / unit.take;
  const bool exponents = unit.group == 1;
  // All rows use an instruction's part of b before the next instruction, so that this part stays in the L1 cache.
  for (int first = 0; first < blocks; first += plan.blocks) {
    for (int row = 0; row < task.rows; ++row) {
      const Floats c = load(task.state + row * kLanes),
                   begun = unit.flush ? (magnitude(c) < float(plan.least_normal) ? Floats{} : c) : c;
      Floats chain = unit.c_last ? Floats{} : begun;
      for (int block = first; block < first + plan.blocks; ++block) {
        const int at = block * unit.take, row_at = row * task.a->steps + at;
        Products products{};  // unused by NarrowBlock, which reads Decoded::narrow
        if (!plan.narrow)
          products = {task.a->significand.data() + row_at, exponents ? task.a->exponent.data() + row_at : nullptr,
                      task.b->significand.data() + at * kLanes, exponents ? task.b->exponent.data() + at * kLanes : nullptr,
                      unit.take};
        const auto kept = is_finite(chain);
        const Floats next = Block::run(task, products, row, block, round, kept ? chain : Floats{});
        if (task.a->special[size_t(row * blocks + block)] | task.b->special[size_t(block)] || near_limit(task, row, block)) {
          float special[kLanes];
          (*task.specials)(row, block, special);
          const Floats s = load(special);
          chain = s == 0 ? (kept ? next : chain) : (kept ? s : chain + s);
        } else {
          chain = kept ? next : chain;
        }
      }
      if (unit.c_last) {
        const auto half = [&](int h) {
          return __builtin_convertvector(added_half(last, doubles_of(begun, h), doubles_of(chain, h)), HalfFloats);
        };
        chain = whole_of(half(0), half(1));
      }
      store(task.state + row * kLanes, chain);
    }
  }
}

void run_pairs(const UnitTask& task) {
  const UnitPlan& plan = *task.plan;
  const int blocks = task.a->steps / plan.unit->take;
  for (int first = 0; first < blocks; first += plan.blocks) {
    for (int row = 0; row < task.rows; ++row) {
      const Floats c = load(task.state + row * kLanes);
      Floats chain = plan.unit->flush ? (magnitude(c) < float(plan.least_normal) ? Floats{} : c) : c;
      for (int at = first * plan.part; at < (first + plan.blocks) * plan.part; at += plan.part)
        chain = flushed(plan,
                        chain + tree(plan, task.a->value.data() + row * task.a->steps + at, task.b->value.data() + at * kLanes));
      store(task.state + row * kLanes, chain);
    }
  }
}

void run_exact(const UnitTask& task) {
  for (int row = 0; row < task.rows; ++row) {
    Bits sum = (Bits)load(task.integers + row * kLanes);
    for (int i = 0; i < task.a->steps; ++i)
      sum += (Bits)(task.a->significand[size_t(row * task.a->steps + i)] * load(task.b->significand.data() + i * kLanes));
    *(IntsAt*)(task.integers + row * kLanes) = (Ints)sum;
  }
}

template <template <bool, bool> class Block>
void run_by_loss(const UnitTask& task) {
  const bool floor = task.plan->unit->loss == BitLoss::kFloor;
  if (task.plan->unit->exponent == TermExponent::kNormalized)
    return floor ? run_aligned<Block<true, true>>(task) : run_aligned<Block<true, false>>(task);
  floor ? run_aligned<Block<false, true>>(task) : run_aligned<Block<false, false>>(task);
}

void run_task(const UnitTask& task) {
  const Unit& unit = *task.plan->unit;
  if (unit.sum == ProductSum::kPairs) return run_pairs(task);
  if (unit.sum == ProductSum::kExact) return run_exact(task);
  if (unit.group > 1) return run_aligned<GroupedBlock>(task);
  unit.join == AccumulatorJoin::kJoined ? run_by_loss<JoinedBlock>(task) : run_by_loss<AlignedBlock>(task);
}

#ifdef __AVX512VNNI__
// Narrow blocks: products of at most 8 bits, aligned to at most 13 fraction bits. A 32-bit lane holds two of them; one AVX-512
// VNNI instruction multiplies both by their signs and adds them. Sum and c fit in a float, so the other steps use floats,
// exactly.

/// kPairs: pairs of products in a block; 0: the number is known only at run time.
template <int kPairs>
struct NarrowBlock {
  static __m512i pair(const int32_t* a) { return _mm512_set1_epi32(*a); }

  /// Copies the low 16 bits of every 32-bit lane to its high 16 bits.
  static __m512i in_halves(Ints v) {
    return _mm512_or_si512(_mm512_slli_epi32((__m512i)v, 16), _mm512_and_si512((__m512i)v, _mm512_set1_epi32(0xffff)));
  }

  static Floats run(const UnitTask& task, const Products&, int row, int block, const Rounder&, Floats c) {
    const UnitPlan& plan = *task.plan;
    const int n = plan.unit->take / 2, first = block * n;
    const int32_t* const a = task.a->narrow.data() + (row * (task.a->steps / 2) + first) * kNarrowWords;
    const auto* const b = (const __m512i*)(task.b->narrow.data() + first * kNarrowWords * kLanes);

    // If kPairs is known at compile time, the sums of exponents stay in registers.
    constexpr int kKept = kPairs == 0 ? kMostTaken / 2 : kPairs;
    const int pairs = kPairs == 0 ? n : kPairs;
    __m512i sums[kKept], most = _mm512_set1_epi16(2 * kNarrowZero);
#pragma GCC unroll 16
    for (int i = 0; i < pairs; ++i) {
      sums[i] = _mm512_add_epi16(pair(a + kNarrowWords * i), _mm512_loadu_si512(b + kNarrowWords * i));
      most = _mm512_max_epi16(most, sums[i]);
    }
    const Ints low = (Ints)_mm512_srai_epi32(_mm512_slli_epi32(most, 16), 16), high = (Ints)_mm512_srai_epi32(most, 16);
    const Ints largest = larger(larger(low, high), exponents_of_c(plan, c, false));

    const __m512i base = in_halves(largest);
    __m512i sum[2] = {_mm512_setzero_si512(), _mm512_setzero_si512()};
#pragma GCC unroll 16
    for (int i = 0; i < pairs; ++i) {
      const int32_t* const x = a + kNarrowWords * i;
      const __m512i* const y = b + kNarrowWords * i;
      const __m512i product = _mm512_mullo_epi16(pair(x + 1), _mm512_loadu_si512(y + 1));
      const __m512i sign = _mm512_xor_si512(pair(x + 2), _mm512_loadu_si512(y + 2));
      sum[i % 2] = _mm512_dpwssd_epi32(sum[i % 2], _mm512_srlv_epi16(product, _mm512_sub_epi16(base, sums[i])), sign);
    }
    const int bits = plan.unit->fraction_bits;
    const __m512 place = _mm512_cvtepi32_ps((__m512i)(largest - bits));
    const __m512i of_c = _mm512_cvttps_epi32(_mm512_scalef_ps((__m512)c, _mm512_sub_ps(_mm512_setzero_ps(), place)));
    const __m512i whole = _mm512_add_epi32(_mm512_add_epi32(sum[0], sum[1]), of_c);
    return truncated<Ints>((Floats)_mm512_scalef_ps(_mm512_cvtepi32_ps(whole), place), plan.unit->result_bits);
  }
};

void run_narrow(const UnitTask& task) {
  const int pairs = task.plan->unit->take / 2;
  pairs == 16  ? run_aligned<NarrowBlock<16>>(task)
  : pairs == 8 ? run_aligned<NarrowBlock<8>>(task)
               : run_aligned<NarrowBlock<0>>(task);
}

void run(const UnitTask& task) { task.plan->narrow ? run_narrow(task) : run_task(task); }

constexpr bool kNarrow = true;
#else
void run(const UnitTask& task) { run_task(task); }

constexpr bool kNarrow = false;
#endif

}  // namespace

extern const UnitLoops ASSAY_TABLE;
const UnitLoops ASSAY_TABLE{ASSAY_TABLE_NAME, kLanes, kNarrow, run};

}  // namespace assay
