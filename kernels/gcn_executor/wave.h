// A wave of 64 lanes, and an instruction made ready to be executed. Plain structs: three builds of lane_code.cpp, for different
// instruction sets of the host, share them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace assay_gcn {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;

inline constexpr int kLanes = 64;
inline constexpr u64 kAllLanes = ~u64{0};
/// Where scc is kept: behind the scalar registers of the encoding.
inline constexpr int kScc = 128;

/// Bits of the MODE register.
enum Mode : u32 {
  kDenormals32In = 1u << 4,
  kDenormals32Out = 1u << 5,
  kDenormals16In = 1u << 6,  ///< of f64, too
  kDenormals16Out = 1u << 7,
  kDx10Clamp = 1u << 8,
  kIeee = 1u << 9,
  kFp16Overflow = 1u << 23,
};

/// How an instruction whose result the ISA only bounds is computed.
enum class Approximation : u32 { kNearest, kUp, kDown, kRandom };

struct State {  ///< what arithmetic depends on
  u32 mode = 0;
  u32 is_gfx950 = 0;
  Approximation approximation = Approximation::kNearest;
  u32 seed = 0;
};

struct Wave;
struct Operation;
struct Group;
struct Launch;

/// Executes one operation. Returns the next one, or null if the wave has to wait or has ended.
using Handler = const Operation* (*)(Wave&, const Operation*);
/// Arithmetic of all 64 lanes. Sources are rows of 64 words, wider ones followed by the row of their high words; so is the result.
using Body = void (*)(const u32* const* source, u32* result, const State& state);

/// Where the lanes of a DPP source come from.
struct Permutation {
  u8 from[kLanes];
  u64 valid;    ///< lanes whose source exists
  u64 written;  ///< lanes that row_mask and bank_mask let through
  bool zeros;   ///< bound_ctrl: lanes without a source read 0 instead of keeping their result
};

struct Source {
  enum Kind : u8 { kRow, kScalar, kConstant, kLaneMask };
  Kind kind = kRow;
  char type = 'b';     ///< see vector_table.inc
  u8 words = 1;        ///< rows that the body reads
  bool changed = false;  ///< not read as it is
  u8 shift = 0;        ///< of a part of the word: first bit
  u8 bits = 32;        ///< of a part
  bool extended = false;  ///< the part is sign extended
  bool is_half = false;   ///< of v_fma_mix: an f16
  u8 low_half = 0, high_half = 1;  ///< of packed types: the half or word that each result reads
  u16 index = 0;       ///< of the first row or scalar register
  u32 constant[2] = {};
  u32 keep[2] = {~0u, ~0u}, flip[2] = {};  ///< absolute value and negation, of low and high words or halves
  const Permutation* lanes = nullptr;
};

inline constexpr u16 kNoMask = 0xFFFF;

struct Operation {
  Handler run = nullptr;
  Body body = nullptr;
  u8 slots = 1;         ///< dwords of the instruction: the next one is at this + slots
  u8 sources = 0;
  u8 words = 1;         ///< rows of the result
  char result = 'b';    ///< see vector_table.inc
  bool direct = true;   ///< results need no other pass than the mask of lanes
  bool clamp = false;
  u8 output_modifier = 0;  ///< 1: times 2, 2: times 4, 3: halved
  u8 shift = 0, bits = 32;  ///< of a result that is a part of the word
  u8 unused = 0;        ///< what the rest of the word becomes: 0 zero, 1 sign, 2 kept
  bool is_approximate = false;
  u16 row = 0;          ///< of the result
  u16 mask = kNoMask;   ///< scalar pair of a result for each lane's bit
  u16 code = 0;         ///< of handlers with several operations, e.g. the kind of an atomic
  u16 scalar = 0;       ///< destination register of scalar operations
  u16 data = 0;         ///< row of data of memory operations
  u8 bytes = 4;         ///< of memory operations, for each lane
  int offset = 0, offset2 = 0;
  Source source[4];
  const Operation* target = nullptr;  ///< of branches
};

/// The state of a wave, without its registers.
struct alignas(64) Wave {
  u32 s[136];  ///< scalar registers by their numbers in the encoding
  State state;
  u32* v;  ///< rows of 64 words; accumulation registers follow
  u32 rows;
  const Operation* pc;
  Group* group;
  Launch* launch;
  u8* scratch;      ///< 64 lanes * scratch_bytes
  u32 scratch_bytes;
  u32 number;       ///< of the wave in its group
  enum : u32 { kRunning, kAtBarrier, kEnded } status;
  u64 time;         ///< wave instructions before this one, for clocks
  u64 mask_of;      ///< the exec mask that `mask` shows
  alignas(64) u32 mask[kLanes];
  alignas(64) u32 temporary[4][2 * kLanes];
  alignas(64) u32 output[4 * kLanes];
};

typedef u64 __attribute__((may_alias)) pair64;
inline u64 pair(const Wave& w, int index) { return reinterpret_cast<const pair64&>(w.s[index]); }
inline void set_pair(Wave& w, int index, u64 value) { reinterpret_cast<pair64&>(w.s[index]) = value; }
inline u64 exec(const Wave& w) { return pair(w, 126); }
inline u32* row(Wave& w, u32 index) { return w.v + index * kLanes; }

/// Passes over rows, and every Body, compiled for one instruction set of the host.
struct LaneCode {
  const char* name;  ///< "portable", "AVX2", "AVX-512"
  Handler vector;             ///< sources, body, result
  const u32* (*mask)(Wave&);  ///< all ones in each active lane
  const u32* (*prepare)(Wave&, const Source&, int temporary);
  void (*write)(Wave&, u32* to, const u32* from);  ///< a row under the mask of lanes
  u64 (*collect)(const u32* lanes);                ///< lanes of all ones or 0 to bits
  void (*expand)(u64 bits, u32* lanes);
  /// Whether the active lanes' addresses (low + 2^32 high; high may be null) are first + stride * lane.
  bool (*contiguous)(Wave&, const u32* low, const u32* high, u64 first, u32 stride);
  /// Words of consecutive lanes: lane i's word k is at[i * words + k].
  void (*load)(Wave&, u32* rows, const void* at, u32 words);
  void (*store)(Wave&, const u32* rows, void* at, u32 words);
};

/// A line of the table of vector instructions.
struct VectorEntry {
  const char* name;
  const char* types;   ///< of sources
  const char* result;  ///< type, and M if there is a bit for each lane besides
  bool is_approximate;
  Body body;
};

// The passes over rows of 64 lanes and the table of vector instructions, once for each instruction set of the host.

struct LaneTable {
  LaneCode code;
  const VectorEntry* entries;
  size_t count;
};

const LaneTable& portable_lanes();
#if defined(__x86_64__)
const LaneTable& avx2_lanes();
const LaneTable& avx512_lanes();
#endif

}  // namespace assay_gcn
