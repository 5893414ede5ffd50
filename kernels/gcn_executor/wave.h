// A wave of 64 lanes, and the decoded form of an instruction. These are plain structs, because the three builds of lane_code.cpp
// for different host instruction sets share them.
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
/// Index of SCC in Wave::s, after the indices of all registers that an instruction can encode.
inline constexpr int kScc = 128;

/// Bits of the MODE register.
enum Mode : u32 {
  kDenormals32In = 1u << 4,
  kDenormals32Out = 1u << 5,
  kDenormals16In = 1u << 6,  ///< also for f64
  kDenormals16Out = 1u << 7,
  kDx10Clamp = 1u << 8,
  kIeee = 1u << 9,
  kFp16Overflow = 1u << 23,
};

/// Which result an instruction returns if the ISA only bounds its error.
enum class Approximation : u32 { kNearest, kUp, kDown, kRandom };

/// How a matrix instruction of gfx950 adds its products, which is not documented.
enum class MatrixModel : u32 {
  kNone,         ///< floating-point matrix instructions of gfx950 stop the kernel
  kAsGfx942,     ///< adds as gfx942 does; f8f6f4 in blocks of 64 along k
  kOneRounding,  ///< rounds the exact sum of all products and C once, to nearest
  kEachProduct,  ///< adds the products in ascending k, and rounds after each addition
};

struct State {  ///< the part of a wave's state that arithmetic depends on
  u32 mode = 0;
  u32 is_gfx950 = 0;
  Approximation approximation = Approximation::kNearest;
  u32 seed = 0;
};

struct Wave;
struct Operation;
struct Group;
struct Launch;

/// Executes one operation. Returns the operation to execute next, or nullptr if the wave must wait or has ended.
using Handler = const Operation* (*)(Wave&, const Operation*);
/// Arithmetic on all 64 lanes. A row has a 32-bit word per lane. 64-bit values take two rows: the low words, then the high words.
using Body = void (*)(const u32* const* source, u32* result, const State& state);

/// For each lane, the lane whose value a DPP operand reads.
struct Permutation {
  u8 from[kLanes];
  u64 valid;    ///< lanes that have a source
  u64 written;  ///< lanes enabled by row_mask and bank_mask
  bool zeros;   ///< bound_ctrl: lanes without a source read 0 instead of keeping their result
};

struct Source {
  enum Kind : u8 { kRow, kScalar, kConstant, kLaneMask };
  Kind kind = kRow;
  char type = 'b';     ///< see vector_table.inc
  u8 words = 1;        ///< number of rows that the body reads from this source
  bool changed = false;  ///< a modifier applies, so the body reads a modified copy of the register
  u8 shift = 0;        ///< first bit, if only a part of the word is read
  u8 bits = 32;        ///< number of bits of that part
  bool extended = false;  ///< the part is sign-extended
  bool is_half = false;   ///< v_fma_mix: the source is f16
  u8 low_half = 0, high_half = 1;  ///< packed types: the half or word that the low and the high result read
  u16 index = 0;       ///< first row, or scalar register
  u32 constant[2] = {};
  u32 keep[2] = {~0u, ~0u}, flip[2] = {};  ///< masks that clear (keep) and flip the sign bits of the low and high word or half
  const Permutation* lanes = nullptr;
};

inline constexpr u16 kNoMask = 0xFFFF;

struct Operation {
  Handler run = nullptr;
  Body body = nullptr;
  u8 slots = 1;         ///< size in dwords: the next operation is at this + slots
  u8 sources = 0;
  u8 words = 1;         ///< number of result rows
  char result = 'b';    ///< see vector_table.inc
  bool direct = true;   ///< no modifier changes the result before it is stored
  bool clamp = false;
  u8 output_modifier = 0;  ///< 1: times 2; 2: times 4; 3: divided by 2
  u8 shift = 0, bits = 32;  ///< position of the result, if it is a part of the word
  u8 unused = 0;        ///< the rest of the word is set to zero (0), sign-extended (1) or kept (2)
  bool is_approximate = false;
  u16 row = 0;          ///< result row
  u16 mask = kNoMask;   ///< scalar pair that receives one bit per lane
  u16 code = 0;         ///< selects among the operations of a handler, such as the kind of an atomic
  u16 scalar = 0;       ///< destination register of scalar operations
  u16 data = 0;         ///< memory operations: row of the data
  u8 bytes = 4;         ///< memory operations: bytes per lane
  int offset = 0, offset2 = 0;
  Source source[4];
  const Operation* target = nullptr;  ///< branch target
};

/// The state of a wave, except its vector registers.
struct alignas(64) Wave {
  u32 s[136];  ///< scalar registers, indexed by their encoded numbers
  State state;
  u32* v;  ///< rows of 64 words: vector registers, then accumulation registers
  u32 rows;
  const Operation* pc;
  Group* group;
  Launch* launch;
  u8* scratch;      ///< 64 lanes * scratch_bytes
  u32 scratch_bytes;
  u32 number;       ///< index of the wave in its group
  enum : u32 { kRunning, kAtBarrier, kEnded } status;
  u64 time;         ///< wave instructions executed before this one, used as a clock
  u64 mask_of;      ///< the value of exec for which `mask` was computed
  alignas(64) u32 mask[kLanes];
  alignas(64) u32 temporary[4][2 * kLanes];
  alignas(64) u32 output[4 * kLanes];
};

typedef u64 __attribute__((may_alias)) pair64;
inline u64 pair(const Wave& w, int index) { return reinterpret_cast<const pair64&>(w.s[index]); }
inline void set_pair(Wave& w, int index, u64 value) { reinterpret_cast<pair64&>(w.s[index]) = value; }
inline u64 exec(const Wave& w) { return pair(w, 126); }
inline u32* row(Wave& w, u32 index) { return w.v + index * kLanes; }

/// Functions on rows of 64 lanes, compiled for one host instruction set.
struct LaneCode {
  const char* name;  ///< "portable", "AVX2", "AVX-512"
  Handler vector;             ///< a handler that reads the sources, runs the body and writes the result
  const u32* (*mask)(Wave&);  ///< returns all ones in each active lane
  const u32* (*prepare)(Wave&, const Source&, int temporary);
  void (*write)(Wave&, u32* to, const u32* from);  ///< writes a row under the lane mask
  u64 (*collect)(const u32* lanes);                ///< converts lanes of all ones or 0 to bits
  void (*expand)(u64 bits, u32* lanes);
  /// True if each active lane i has the address first + stride * i. `low`, `high`: words of the addresses; `high` may be null.
  bool (*contiguous)(Wave&, const u32* low, const u32* high, u64 first, u32 stride);
  /// Loads `words` words per lane into as many rows: word k of lane i is at[i * words + k].
  void (*load)(Wave&, u32* rows, const void* at, u32 words);
  void (*store)(Wave&, const u32* rows, void* at, u32 words);
};

/// An entry of the vector instruction table.
struct VectorEntry {
  const char* name;
  const char* types;   ///< source types
  const char* result;  ///< result type; with a second letter M, the instruction also returns one bit per lane
  bool is_approximate;
  Body body;
};

// One LaneTable for each build of lane_code.cpp: its functions and its vector instruction table.

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
