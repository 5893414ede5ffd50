// Runs a grid on the CPU: one fiber per SIMT thread. Fibers switch only where threads wait for each other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "kernels/simt/launch.h"

namespace simt::cpu {

/// Thrown if threads of one block wait for each other at different places. On a device they would hang or read old values.
struct Divergence : std::logic_error {
  using std::logic_error::logic_error;
};

/// Thrown for a load or store at an address that is not a multiple of its size. On a GPU it faults.
struct Misaligned : std::logic_error {
  using std::logic_error::logic_error;
};
[[noreturn]] void refuse_address(const char* access, const void* at, int bytes);

/// Throws Misaligned unless `at` is a multiple of `bytes`. `access`: "load" or "store", for the message.
inline void require_multiple(const char* access, const void* at, int bytes) {
  if (reinterpret_cast<uintptr_t>(at) % uintptr_t(bytes) != 0) refuse_address(access, at, bytes);
}

/// The block that this OS thread currently runs, as its SIMT threads see it.
struct Running {
  int thread = 0;
  int threads = 0;
  int warp = 0;  ///< lanes per warp
  int64_t block = 0;
  int64_t blocks = 0;
  uint8_t* parity = nullptr;     ///< [threads] which of the two slots a thread used last
  const void* kernel = nullptr;  ///< the argument of run()
  std::byte* shared = nullptr;   ///< [shared_bytes] shared memory of the block, aligned for any type
  std::byte* slots[2] = {};      ///< [threads] 8 bytes each: the values that threads pass to each other, such as in a shuffle
  std::vector<void*> variables;  ///< shared variables of the block, by number; nullptr: not used yet
};

// Not thread_local, because that checks the initialization at each access. The TLS model avoids a function call at each access.
extern __thread Running* running __attribute__((tls_model("initial-exec")));

// Shared variables belong to the block that runs. An OS thread can therefore switch to a block of another rank, and a new OS
// thread need not clear the shared variables of every kernel.

inline std::atomic<size_t> shared_variables{0};  ///< how many numbers are in use; declared here, so that its symbol visibility equals that of `number`
/// Allocates zeroed memory for a shared variable. Later blocks of the slot use the same memory.
void* make_variable(Running& block, size_t number, size_t bytes);
inline constexpr size_t kVariableAlignment = 64;

/// The running block's instance of a shared variable. The class `Of`, which only the variable's declaration uses, identifies the variable.
template <class Of, class T>
T& shared_variable() {
  static_assert(std::is_trivially_default_constructible<T>::value && alignof(T) <= kVariableAlignment,
                "shared variables get zeroed memory: their type must have a trivial constructor and no larger alignment");
  static const size_t number = shared_variables++;
  Running& block = *running;
  void* at = number < block.variables.size() ? block.variables[number] : nullptr;
  if (at == nullptr) at = make_variable(block, number, sizeof(T));
  return *static_cast<T*>(at);
}

/// What a thread waits for in its warp. All threads of the warp must wait for the same operation. A value below 0x100 is the XOR
/// mask of a shuffle. kReduce + n is a reduction over n lanes.
inline constexpr uint32_t kReduce = 0x100;
inline constexpr uint32_t kIndexed = 0x200;   ///< a shuffle in which each lane names its source
inline constexpr uint32_t kVote = 0x300;      ///< ballot, any, all
inline constexpr uint32_t kWarpSync = 0x400;  ///< warp barrier, without a value
inline constexpr uint32_t kMatrix = 0x500;    ///< a tensor core instruction

/// Wait until all threads of the warp, or of the block, wait too.
void wait_for_warp(uint32_t what);
void wait_for_block();

/// Passes `value` to the other threads of the warp. Returns values indexed by thread of the block; only this warp's are valid.
/// The values stay valid during the warp's next exchange, which uses the other of two slots. The exchange after the next overwrites them.
template <class T>
const T* exchange(T value, uint32_t what) {
  static_assert(sizeof(T) <= 8, "a slot holds eight bytes");
  Running& block = *running;  // read once: in a shared library, each access to a thread-local variable is a call
  std::byte* slots = block.slots[block.parity[block.thread] ^= 1];
  memcpy(slots + size_t(block.thread) * sizeof(T), &value, sizeof(T));
  wait_for_warp(what << 8 | uint32_t(sizeof(T)));
  return reinterpret_cast<const T*>(slots);
}

/// exchange() among some lanes of the warp, including the caller: waits until each of these waits with the same `what` and `lanes`. A
/// kernel must use only exchange() or only exchange_among(), because lanes that have diverged must not share slots.
inline constexpr uint64_t kAllLanes = ~uint64_t{0};
const uint64_t* exchange_among(uint64_t lanes, uint64_t word, uint32_t what);

/// Runs body(kernel) in every thread of every block, with blocks spread over the cores. Returns when all have ended. Block 0 and
/// every 64th block run warps and lanes in an order drawn from schedule_seed, other blocks in ascending order.
void run(const Launch& grid, void (*body)(const void*), const void* kernel, size_t shared_bytes = 0);

// Functions whose result must not depend on the machine. glibc has several versions of expf and log2f and selects one by CPU
// model. These functions compute in double with our own code and round once, at the end. Built with -ffp-contract=off.

float rsqrt(float value);  ///< correctly rounded except in about 1 of 2^29 cases; 0 gives Inf, negative values give NaN
float exp2(float value);   ///< exact for integers
float exp(float value);    ///< within one ulp
float tanh(float value);   ///< within one ulp
float erf(float value);    ///< within one ulp
float log(float value);    ///< within one ulp; 0 gives -Inf, negative values give NaN
float log2(float value);   ///< exact for powers of two; 0 gives -Inf, negative values give NaN

// The ranks of one call. They run on one OS thread, each on its own stack. Where a rank waits, another one continues, in an order
// drawn from a seed. Writes of a rank to other ranks are delayed until it signals with release, as on hardware that reorders
// writes. A wrong protocol therefore fails in every run with that seed, and a deadlock is found at once. Under TSan, the ranks
// are OS threads that run concurrently instead.

/// Runs rank(of, 0) to rank(of, count - 1) in turns; each call makes a RankScope first, and must not throw. Returns when all have
/// ended.
void run_in_turns(int count, void (*rank)(void* of, int index), void* of);

using Ready = bool (*)(const void* at, uint64_t value);

/// While an object lives, the calling thread is the given rank of its team.
class RankScope {
 public:
  /// `straggler`: a rank that runs only when no other rank can, or that is delayed if ranks run concurrently; -1: none.
  RankScope(int rank, uint64_t seed, int straggler);
  /// For a team with ranks in other processes: all ranks run concurrently. The rank stops waiting once lost(of) is true.
  RankScope(bool (*lost)(const void* of), const void* of, bool is_late);
  RankScope(const RankScope&) = delete;
  RankScope& operator=(const RankScope&) = delete;
  ~RankScope();
};

/// Lets other ranks run until ready(at, value) is true. Returns false if no rank can continue.
bool wait_until(Ready ready, const void* at, uint64_t value);

/// Lets another rank run. If ranks run concurrently, a straggler waits 2 ms here, so that all other ranks pass first.
void may_change_rank();

/// Delays a write to memory that other ranks read, until deliver(). `bytes`: 16, or 4 for one word.
void hold_back(void* to, const void* from, int bytes);
/// Reads what this rank wrote to `at` by hold_back() and has not delivered. Returns false if there is no such write.
bool held_back(const void* at, void* into, int bytes);
/// Makes all delayed writes of this rank.
void deliver();

}  // namespace simt::cpu
