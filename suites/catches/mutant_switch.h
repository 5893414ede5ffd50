// Switches mutants of kernel sources on and off. ci/mutants includes this header before a kernel source in which it replaced
// operators and constants by calls of the functions below. The library and assay_mutants (mutants.cpp) both map a state file: in
// it assay_mutants selects the mutant for the next call. C++17, like the kernels. No shipped library includes this header.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

namespace assay_mutants {

inline constexpr int kMost = 1 << 16;

struct State {
  int chosen;                    ///< number of the mutant that is active; 0: none
  unsigned char reached[kMost];  ///< reached[i] = 1: mutant i was executed since assay_mutants cleared the flag
};

/// Maps the state file. Returns nullptr if `file` is null or cannot be opened.
inline State* open_state(const char* file) {
  const int descriptor = file != nullptr ? open(file, O_RDWR | O_CLOEXEC) : -1;
  if (descriptor < 0) return nullptr;
  void* const data = mmap(nullptr, sizeof(State), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  close(descriptor);
  return data == MAP_FAILED ? nullptr : static_cast<State*>(data);
}

inline State idle{};
inline State* state = &idle;  // constant-initialized: static objects of the library may run mutated code before `opened`
inline const bool opened = [] {
  if (State* const mapped = open_state(std::getenv("ASSAY_MUTANTS"))) state = mapped;
  return true;
}();

inline bool chosen(int id) {
  state->reached[id] = 1;
  return state->chosen == id;
}

/// Whether mutant `id` is active. False in constant expressions, which therefore have no mutants.
constexpr bool on(int id) { return __builtin_is_constant_evaluated() ? false : chosen(id); }

// Defines a function for a mutated operator: `mutant` is the mutated expression, `original` the original. Types that lack the
// mutant's operator use the second overload, which has no mutant and does not set `reached`.
#define ASSAY_MUTATED(name, mutant, original)                                                                 \
  template <class L, class R>                                                                                 \
  constexpr auto name##_or_not(int id, L l, R r, int)->decltype(true ? (l mutant r) : (l original r)) {       \
    return on(id) ? (l mutant r) : (l original r);                                                            \
  }                                                                                                           \
  template <class L, class R>                                                                                 \
  constexpr auto name##_or_not(int, L l, R r, long)->decltype(l original r) {                                 \
    return l original r;                                                                                      \
  }                                                                                                           \
  template <class L, class R>                                                                                 \
  constexpr auto name(int id, L l, R r)->decltype(l original r) {                                             \
    return name##_or_not(id, l, r, 0);                                                                        \
  }
#define ASSAY_MUTATED_ASSIGNMENT(name, mutant, original)                                                      \
  template <class L, class R>                                                                                 \
  constexpr auto name##_or_not(int id, L& l, R r, int)->decltype(l mutant r, l original r) {                  \
    return on(id) ? (l mutant r) : (l original r);                                                            \
  }                                                                                                           \
  template <class L, class R>                                                                                 \
  constexpr auto name##_or_not(int, L& l, R r, long)->decltype(l original r) {                                \
    return l original r;                                                                                      \
  }                                                                                                           \
  template <class L, class R>                                                                                 \
  constexpr auto name(int id, L& l, R r)->decltype(l original r) {                                            \
    return name##_or_not(id, l, r, 0);                                                                        \
  }

ASSAY_MUTATED(add, -, +)
ASSAY_MUTATED(subtract, +, -)
ASSAY_MUTATED(multiply, /, *)
ASSAY_MUTATED(divide, *, /)
ASSAY_MUTATED(remainder, /, %)
ASSAY_MUTATED(shift_left, >>, <<)
ASSAY_MUTATED(shift_right, <<, >>)
ASSAY_MUTATED(bit_and, |, &)
ASSAY_MUTATED(bit_or, &, |)
ASSAY_MUTATED(bit_xor, &, ^)
ASSAY_MUTATED(less, <=, <)
ASSAY_MUTATED(less_equal, <, <=)
ASSAY_MUTATED(greater, >=, >)
ASSAY_MUTATED(greater_equal, >, >=)
ASSAY_MUTATED(equal, !=, ==)
ASSAY_MUTATED(unequal, ==, !=)
ASSAY_MUTATED_ASSIGNMENT(add_to, -=, +=)
ASSAY_MUTATED_ASSIGNMENT(subtract_from, +=, -=)
ASSAY_MUTATED_ASSIGNMENT(multiply_by, /=, *=)
ASSAY_MUTATED_ASSIGNMENT(divide_by, *=, /=)
ASSAY_MUTATED_ASSIGNMENT(and_to, |=, &=)
ASSAY_MUTATED_ASSIGNMENT(or_to, &=, |=)

/// A constant and its three mutants: the constant plus 1, minus 1, and 0.
template <class T>
constexpr T constant(int more, int less, int zero, T v) {
  return on(more) ? T(v + 1) : on(less) ? T(v - 1) : on(zero) ? T(0) : v;
}
/// An index, or the address of a load or store, and its mutants: plus 1 and minus 1. Types that lack `+ 1` have no mutants.
template <class T>
constexpr auto place_or_not(int more, int less, T at, int) -> decltype(T(at + 1)) {
  return on(more) ? T(at + 1) : on(less) ? T(at - 1) : at;
}
template <class T>
constexpr T place_or_not(int, int, T at, long) {
  return at;
}
template <class T>
constexpr T place(int more, int less, T at) {
  return place_or_not(more, less, at, 0);
}
/// A negated condition; the mutant drops the negation.
template <class T>
constexpr bool negated(int id, T v) {
  return on(id) ? bool(v) : !v;
}

#undef ASSAY_MUTATED
#undef ASSAY_MUTATED_ASSIGNMENT

}  // namespace assay_mutants
