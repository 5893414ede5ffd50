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
  int64_t block = 0;
  int64_t blocks = 0;
  uint8_t* parity = nullptr;  ///< [threads] which of the two slots a thread used last
  std::byte* slots[2] = {};   ///< [threads] of 8 bytes: what threads hand to each other at a shuffle
};

extern thread_local Running* running;

/// What a thread is at when it waits for its warp: threads of one warp must agree.
inline constexpr uint32_t kReduce = 0x100;  ///< else the XOR mask of a shuffle
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

/// Runs body(kernel) in every thread of every block, blocks spread over the cores. Returns when all are done.
/// Every 64th block, block 0 among them, runs its warps and lanes in an order drawn from schedule_seed; all others in ascending
/// order.
void run(const Launch& grid, void (*body)(const void*), const void* kernel);

}  // namespace simt::cpu
