// Data between registers and pointers of lanes, for all kinds of memory.
#pragma once

#include "kernels/gcn_executor/program.h"
#include "kernels/gcn_executor/race_detector.h"

namespace assay_gcn {

/// High halves of flat addresses of LDS and scratch: above all addresses of a process.
inline constexpr u64 kSharedAperture = 0x00010000, kPrivateAperture = 0x00020000;

/// Operation::code of memory operations.
enum MemoryCode : u16 {
  kSigned = 1,     ///< a byte or short is sign extended
  kLowHalf = 2,    ///< loads keep the high half (d16)
  kHighHalf = 4,   ///< loads keep the low half, stores take the high one (d16_hi)
  kScoped = 8,     ///< agent or system scope, or atomic: does not race with its like
  kToLds = 16,     ///< loads to LDS instead of registers
  kAtomicShift = 8,
};

/// Size and code of "dwordx2", "ushort", "short_d16_hi" ... False: no such size.
bool set_size(Operation& o, const std::string& what, bool is_store);
/// The kind of "add", "cmpswap_x2", "pk_add_bf16" ... False: not implemented.
bool set_atomic(Operation& o, const std::string& what);

/// A lane's pointer into LDS. Throws Fault outside.
u8* lds_at(Wave& w, const Operation* o, u32 offset, int lane, bool writes);

template <bool kWrites>
void move_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at);
void atomic_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at);

}  // namespace assay_gcn
