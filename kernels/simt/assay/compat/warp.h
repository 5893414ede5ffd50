// Shuffles, votes and the warp's barrier, of CUDA with masks and of HIP without.
//
// A mask of 32 bits speaks of 32 lanes; in a warp of 64 its bits are those of the caller's half, so CUDA code that counts in 32
// keeps its meaning. A mask of 64 bits names all lanes. HIP's forms without a mask are for the whole warp here: a branch that
// keeps some lanes away is reported, though HIP would let the others go on.
#pragma once

#include <cstring>
#include <string>
#include <type_traits>

#include "assay/compat/launch.h"

namespace assay::simt {

using ::simt::cpu::kAllLanes;

[[noreturn]] inline void misused(const std::string& what) {
  throw Divergence("block " + std::to_string(::simt::cpu::running->block) + ", thread " +
                   std::to_string(::simt::cpu::running->thread) + ": " + what);
}

/// Bit 0 of a mask of this type is this lane.
template <class Mask>
int first_lane() {
  return sizeof(Mask) == 4 ? lane() & 32 : 0;
}

template <class Mask>
uint64_t lanes_of(Mask mask) {
  static_assert(std::is_integral_v<Mask> && (sizeof(Mask) == 4 || sizeof(Mask) == 8), "a mask has 32 or 64 bits");
  const uint64_t lanes = uint64_t(std::make_unsigned_t<Mask>(mask)) << first_lane<Mask>();
  if (!(lanes >> lane() & 1)) misused("is not among the lanes of its own mask");
  return lanes;
}

/// What each lane of the warp gives.
inline const uint64_t* exchange_words(uint64_t word, uint32_t what, uint64_t lanes) {
  const int own = lane();
  return ::simt::cpu::exchange_among(lanes, word, what) + ::simt::cpu::running->thread - own;
}

template <class T>
T value_of(T value, int source, uint64_t lanes) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8, "a shuffle moves at most eight bytes");
  if (!(lanes >> source & 1)) misused("reads lane " + std::to_string(source) + ", which its mask does not name");
  uint64_t word = 0;
  memcpy(&word, &value, sizeof value);
  memcpy(&value, exchange_words(word, ::simt::cpu::kIndexed, lanes) + source, sizeof value);
  return value;
}

inline int segment_of(int width) {
  if (width <= 0 || width > warp_size() || (width & (width - 1)) != 0)
    misused("shuffles over " + std::to_string(width) + " lanes");
  return lane() & ~(width - 1);
}

template <class T>
T shuffle(uint64_t lanes, T value, int source, int width) {
  return value_of(value, segment_of(width) + (source & (width - 1)), lanes);
}
template <class T>
T shuffle_xor(uint64_t lanes, T value, int mask, int width) {
  const int source = lane() ^ mask;
  return value_of(value, source < segment_of(width) + width ? source : lane(), lanes);
}
template <class T>
T shuffle_up(uint64_t lanes, T value, unsigned delta, int width) {
  const int source = lane() - int(delta);
  return value_of(value, source >= segment_of(width) ? source : lane(), lanes);
}
template <class T>
T shuffle_down(uint64_t lanes, T value, unsigned delta, int width) {
  const int source = lane() + int(delta);
  return value_of(value, source < segment_of(width) + width ? source : lane(), lanes);
}

/// The lanes whose predicate holds.
inline uint64_t vote(uint64_t lanes, bool predicate) {
  const uint64_t* all = exchange_words(predicate, ::simt::cpu::kVote, lanes);
  uint64_t yes = 0;
  for (int i = 0; i < warp_size(); ++i)
    if (lanes >> i & 1 && all[i]) yes |= uint64_t{1} << i;
  return yes;
}

}  // namespace assay::simt

#define ASSAY_SHUFFLE(name, function, Second)                                        \
  template <class Mask, class T>                                                     \
  T name##_sync(Mask mask, T value, Second second, int width = warpSize) {           \
    return assay::simt::function(assay::simt::lanes_of(mask), value, second, width); \
  }                                                                                  \
  template <class T>                                                                 \
  T name(T value, Second second, int width = warpSize) {                             \
    return assay::simt::function(assay::simt::kAllLanes, value, second, width);      \
  }
ASSAY_SHUFFLE(__shfl, shuffle, int)
ASSAY_SHUFFLE(__shfl_xor, shuffle_xor, int)
ASSAY_SHUFFLE(__shfl_up, shuffle_up, unsigned)
ASSAY_SHUFFLE(__shfl_down, shuffle_down, unsigned)
#undef ASSAY_SHUFFLE

template <class Mask>
std::make_unsigned_t<Mask> __ballot_sync(Mask mask, int predicate) {
  return std::make_unsigned_t<Mask>(assay::simt::vote(assay::simt::lanes_of(mask), predicate) >> assay::simt::first_lane<Mask>());
}
template <class Mask>
int __any_sync(Mask mask, int predicate) {
  return assay::simt::vote(assay::simt::lanes_of(mask), predicate) != 0;
}
template <class Mask>
int __all_sync(Mask mask, int predicate) {
  return assay::simt::vote(assay::simt::lanes_of(mask), !predicate) == 0;
}
inline unsigned long long __ballot(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, predicate); }
inline int __any(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, predicate) != 0; }
inline int __all(int predicate) { return assay::simt::vote(assay::simt::kAllLanes, !predicate) == 0; }

template <class Mask = unsigned long long>
void __syncwarp(Mask mask = ~Mask{0}) {
  assay::simt::exchange_words(0, ::simt::cpu::kWarpSync, assay::simt::lanes_of(mask));
}
