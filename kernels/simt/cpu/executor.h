// Runs a grid on the CPU: one fiber per SIMT thread, switching only where threads wait for each other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "kernels/simt/launch.h"

namespace simt::cpu {

/// Threads of one block wait for each other at different places, so on a device they would wait for ever or read nonsense.
struct Divergence : std::logic_error {
  using std::logic_error::logic_error;
};

/// The block that this OS thread runs now, as its SIMT threads see it.
struct Running {
  int thread = 0;
  int threads = 0;
  int warp = 0;  ///< lanes
  int64_t block = 0;
  int64_t blocks = 0;
  uint8_t* parity = nullptr;     ///< [threads] which of the two slots a thread used last
  const void* kernel = nullptr;  ///< as run() got it
  std::byte* shared = nullptr;   ///< [shared_bytes] memory of the block, aligned for any type
  std::byte* slots[2] = {};      ///< [threads] of 8 bytes: what threads hand to each other at a shuffle
};

extern __thread Running* running;  // not thread_local: each use would first ask whether it is initialised

/// What a thread is at when it waits for others of its warp; they must agree.
inline constexpr uint32_t kReduce = 0x100;    ///< over a number of lanes; without any of these the XOR mask of a shuffle
inline constexpr uint32_t kIndexed = 0x200;   ///< a shuffle in which each lane names its source
inline constexpr uint32_t kVote = 0x300;      ///< ballot, any, all
inline constexpr uint32_t kWarpSync = 0x400;  ///< no value
inline constexpr uint32_t kMatrix = 0x500;    ///< an instruction of the tensor core

void wait_for_warp(uint32_t what);
void wait_for_block();

/// Hands `value` to the other threads of the warp. Returns what each thread of the block gave, valid for this thread's warp until
/// its next exchange but one: a thread that runs ahead writes to the other slots.
template <class T>
const T* exchange(T value, uint32_t what) {
  static_assert(sizeof(T) <= 8, "a slot holds eight bytes");
  std::byte* slots = running->slots[running->parity[running->thread] ^= 1];
  memcpy(slots + size_t(running->thread) * sizeof(T), &value, sizeof(T));
  wait_for_warp(what << 8 | uint32_t(sizeof(T)));
  return reinterpret_cast<const T*>(slots);
}

/// The same among some lanes of the warp, the caller among them: it waits until all of them wait at the same `what` for the same
/// lanes. A kernel that uses this uses nothing else, for the words of lanes that have parted must not overlap.
inline constexpr uint64_t kAllLanes = ~uint64_t{0};
const uint64_t* exchange_among(uint64_t lanes, uint64_t word, uint32_t what);

/// Runs body(kernel) in every thread of every block, blocks spread over the cores. Returns when all are done.
/// Every 64th block, block 0 among them, runs its warps and lanes in an order drawn from schedule_seed; all others in ascending
/// order.
void run(const Launch& grid, void (*body)(const void*), const void* kernel, size_t shared_bytes = 0);

// Functions whose bits must not depend on the machine. glibc picks its expf and log2f by CPU; these are our own arithmetic in
// double, rounded once at the end. Built with -ffp-contract=off.

float rsqrt(float value);  ///< the nearest float but for about 1 in 2^29; 0 gives Inf, negative gives NaN
float exp2(float value);   ///< exact for integers
float exp(float value);    ///< within one ulp
float tanh(float value);   ///< within one ulp
float erf(float value);    ///< within one ulp
float log(float value);    ///< within one ulp; 0 gives -Inf, negative gives NaN
float log2(float value);   ///< exact for powers of two; 0 gives -Inf, negative gives NaN

// OS threads that are ranks of one call: they run one at a time, in an order drawn from a seed, and change over where a rank
// waits. What a rank sends is held back until it signals with release, as on a machine that reorders. So a protocol that is wrong
// is wrong in every run of that seed, and ranks that wait for each other in vain are found at once. Under TSan they run together
// instead.

using Ready = bool (*)(const void* at, uint64_t value);

/// The calling thread is that rank of the team until the end of the scope. All `size` ranks of a team come with one key.
class RankScope {
 public:
  /// `straggler`: a rank that goes on only where no other can, or where ranks run at once is late; -1: none.
  RankScope(const void* key, int rank, int size, uint64_t seed, int straggler);
  /// A rank of whose team other processes hold members: all run at once. It waits no longer once lost(of).
  RankScope(bool (*lost)(const void* of), const void* of, bool is_late);
  RankScope(const RankScope&) = delete;
  RankScope& operator=(const RankScope&) = delete;
  ~RankScope();
};

/// Lets other ranks run until ready(at, value). False if no rank can go on any more.
bool wait_until(Ready ready, const void* at, uint64_t value);

/// A place where another rank may take over. Where ranks run at once one that is late waits 2 ms, so that all others come first.
void may_change_rank();

/// Sixteen bytes for others, or a word of four.
void hold_back(void* to, const void* from, int bytes);
/// What this rank held back for that address; false if nothing.
bool held_back(const void* at, void* into, int bytes);
void deliver();

}  // namespace simt::cpu
