// The operations of one function, one slot per dword; functions that translate instructions to operations; data transfer between
// registers and memory; and the race detector.
#pragma once

#include <deque>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "kernels/gcn_executor/executor.h"
#include "kernels/gcn_executor/wave.h"

namespace assay_gcn {

// Reports data races: two waves access the same bytes, at least one of them writes, and nothing orders the accesses. Barriers
// order the waves of a group. Groups are ordered by a release (buffer_wbl2, or an atomic) followed by an acquire (buffer_inv).
// Atomics, and loads and stores of agent or system scope (sc1), do not race with each other.

class RaceDetector {
 public:
  enum Kind { kRead, kWrite };

  /// Records an access by one lane, or by adjacent lanes to adjacent bytes. `touches` has an entry for each word of the address
  /// space, and `offset` is the access's position in it. `buffer`: named in messages; null for LDS.
  void access(Wave& w, const Operation* o, std::vector<Touch>& touches, uint64_t offset, uint64_t bytes, Kind kind, bool atomic,
              const Buffer* buffer);
  /// Records an access to global memory.
  void access(Wave& w, const Operation* o, Buffer& buffer, uint64_t address, uint64_t bytes, Kind kind, bool atomic);
  void barrier(Group& group) { group.ordered = ++time_; }
  void acquire(Group& group) { group.acquired = ++time_; }
  /// Forgets all earlier accesses. Called when a kernel starts while no other one runs.
  void begin_batch() {
    ++batch_;
    time_ = 1;
    splits_.clear();
  }
  /// One line per race: the kernel, both instructions and the address.
  const std::vector<std::string>& found() const { return found_; }

 private:
  bool ordered(const Wave& w, const Access& earlier) const;
  /// Reports conflicts between an access to some bytes of a word (`mask`) and the earlier accesses in `touch`. Returns false if
  /// other waves made the earlier accesses, to other bytes.
  bool touch_bytes(Wave& w, const Operation* o, Touch& touch, unsigned mask, uint64_t offset, Kind kind, bool atomic,
                   const Buffer* buffer);
  void split(Touch& touch);
  void report(Wave& w, const Operation* o, const Access& earlier, bool earlier_writes, Kind kind, uint64_t offset,
              const Buffer* buffer);

  uint32_t time_ = 1;
  uint64_t batch_ = 1;
  std::vector<std::string> found_;
  std::set<std::pair<const Operation*, const Operation*>> pairs_;
  std::vector<std::array<Touch, 4>> splits_;  ///< per-byte records of words whose bytes several waves access
};

struct Program {
  std::string name;
  uint64_t begin = 0;  ///< device address
  std::vector<Operation> operations;
  std::deque<Permutation> permutations;
};

/// What the functions that build operations read (in) and write (out).
struct Build {
  const Instruction& in;
  Operation& out;
  Program& program;
  bool is_gfx950 = false;
  MatrixModel matrix_model = MatrixModel::kNone;
  std::vector<std::string> used = {};  ///< names of the modifiers that were read

  bool has(std::string_view modifier) { return used.emplace_back(modifier), in.has(modifier); }
  int64_t number(std::string_view modifier, int64_t otherwise = 0) {
    return used.emplace_back(modifier), in.number(modifier, otherwise);
  }
  std::vector<int> list(std::string_view modifier, size_t count, int otherwise = 0) {
    return used.emplace_back(modifier), in.list(modifier, count, otherwise);
  }
  std::string_view value(std::string_view modifier) { return used.emplace_back(modifier), in.value(modifier); }
};

[[noreturn]] void not_implemented(const std::string& why);

/// Converts an operand to a source: a register row, a scalar, or a constant of the given type (see vector_table.inc).
Source source_of(const Operand& operand, char type);
/// The index of the register row of a vector or accumulation register.
uint16_t row_of(const Operand& operand);
/// The number of a writable scalar register.
uint16_t scalar_of(const Operand& operand);

// Each function handles one group of mnemonics, and returns false for all others. Throws Fault if a variant is not implemented.
bool build_vector(Build& build, const VectorEntry* entries, size_t count);
bool build_lane_exchange(Build& build);
bool build_scalar(Build& build);
bool build_memory(Build& build);
bool build_lds(Build& build);
bool build_matrix(Build& build);

inline u32 low_word(const Wave& w, const Source& s) { return s.kind == Source::kScalar ? w.s[s.index] : s.constant[0]; }
inline u64 wide_word(const Wave& w, const Source& s) {
  return s.kind == Source::kScalar ? pair(w, s.index) : s.constant[0] | static_cast<u64>(s.constant[1]) << 32;
}

// Data transfer between registers and the lanes' host pointers, for all kinds of memory.

/// A flat address with one of these high words is in LDS or scratch. No address of a process is as high.
inline constexpr u64 kSharedAperture = 0x00010000, kPrivateAperture = 0x00020000;

/// Bits of Operation::code for memory operations.
enum MemoryCode : u16 {
  kSigned = 1,     ///< a load sign-extends a byte or short
  kLowHalf = 2,    ///< loads write the low half and keep the high half (d16)
  kHighHalf = 4,   ///< loads write the high half and keep the low half; stores take the high half (d16_hi)
  kScoped = 8,     ///< agent or system scope, or atomic: does not race with other accesses of this kind
  kToLds = 16,     ///< a load writes LDS instead of registers
  kAtomicShift = 8,
};

/// Sets size and code for "dwordx2", "ushort", "short_d16_hi" and so on. Returns false for an unknown size.
bool set_size(Operation& o, const std::string& what, bool is_store);
/// Sets the atomic's kind for "add", "cmpswap_x2", "pk_add_bf16" and so on. Returns false if it is not implemented.
bool set_atomic(Operation& o, const std::string& what);

/// A lane's host pointer to `offset` in LDS. Throws Fault if the access would leave LDS.
u8* lds_at(Wave& w, const Operation* o, u32 offset, int lane, bool writes);

/// Moves data (or makes an atomic access) at the host pointer at[i] of each lane i in the mask `lanes`.
template <bool kWrites>
void move_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at);
void atomic_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at);

}  // namespace assay_gcn
