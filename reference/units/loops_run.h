// Runs the loops over one panel. Included by loops_<isa>.cpp only, after loops.h.
#pragma once

#include "reference/units/loops.h"

namespace assay {
namespace {

inline Floats flushed(const UnitPlan& plan, Floats x) {
  return plan.unit->flush ? (magnitude(x) < float(plan.least_normal) ? x * 0.0f : x) : x;
}

/// Binary tree of f32 additions: neighbours are added first.
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

/// Whether a product of the block may exceed its limit, judged by the sum of exponents.
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
  // Rows are the inner loop of an instruction, so that its part of b stays in the L1 cache.
  for (int first = 0; first < blocks; first += plan.blocks) {
    for (int row = 0; row < task.rows; ++row) {
      const Floats c = load(task.state + row * kLanes),
                   begun = unit.flush ? (magnitude(c) < float(plan.least_normal) ? Floats{} : c) : c;
      Floats chain = unit.c_last ? Floats{} : begun;
      for (int block = first; block < first + plan.blocks; ++block) {
        const int at = block * unit.take, row_at = row * task.a->steps + at;
        Products products{};  // unused by narrow blocks, which have their own
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

}  // namespace
}  // namespace assay
