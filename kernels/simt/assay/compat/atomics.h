// Atomics on shared and global memory. Blocks run on several cores, so sums of floats depend on the schedule, as on a device.
#pragma once

#include <type_traits>

namespace assay::simt {

/// Replaces *at by f(*at); returns what was there.
template <class T, class F>
T atomically(T* at, F f) {
  T old;
  __atomic_load(at, &old, __ATOMIC_RELAXED);
  for (;;) {
    T next = f(old);
    if (__atomic_compare_exchange(at, &old, &next, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) return old;
  }
}

/// The operand has the type of what it changes, whatever literal the kernel writes.
template <class T>
struct Same {
  using type = T;
};
template <class T>
using same = typename Same<T>::type;

}  // namespace assay::simt

#define ASSAY_ATOMIC(name, expression)                                          \
  template <class T>                                                            \
  T name(T* at, assay::simt::same<T> v) {                                       \
    return assay::simt::atomically(at, [v](T old) -> T { return expression; }); \
  }
ASSAY_ATOMIC(atomicAdd, old + v)
ASSAY_ATOMIC(atomicSub, old - v)
ASSAY_ATOMIC(atomicMax, old < v ? v : old)
ASSAY_ATOMIC(atomicMin, v < old ? v : old)
ASSAY_ATOMIC(atomicAnd, old& v)
ASSAY_ATOMIC(atomicOr, old | v)
ASSAY_ATOMIC(atomicXor, old ^ v)
ASSAY_ATOMIC(atomicExch, (static_cast<void>(old), v))
ASSAY_ATOMIC(atomicInc, old >= v ? T{0} : T(old + 1))
ASSAY_ATOMIC(atomicDec, old == 0 || old > v ? v : T(old - 1))
#undef ASSAY_ATOMIC

template <class T>
T atomicCAS(T* at, assay::simt::same<T> expected, assay::simt::same<T> desired) {
  __atomic_compare_exchange(at, &expected, &desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return expected;
}
