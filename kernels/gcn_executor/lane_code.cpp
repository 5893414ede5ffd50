// Compiled once per host instruction set; ASSAY_LANES names the function that returns this build's table. It uses no standard
// library, because the linker keeps one copy of a template for all three builds, and that copy might need AVX-512.
#include "kernels/gcn_executor/wave.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "kernels/gcn_executor/lane_arithmetic.h"

#define LANES _Pragma("omp simd") for (int i = 0; i < kLanes; ++i)

namespace assay_gcn {
namespace {

constexpr bool is_wide(char type) { return type == 'd' || type == 'q' || type == 'Q'; }
constexpr int length(const char* text) { return *text == 0 ? 0 : 1 + length(text + 1); }

// ---- instruction bodies
template <class Op>
void each_lane(const u32* const* s, u32* r, const State& m) {
  constexpr int kSources = length(Op::kTypes);
  constexpr bool kX = kSources > 0 && is_wide(Op::kTypes[0]), kY = kSources > 1 && is_wide(Op::kTypes[kSources > 1 ? 1 : 0]),
                 kZ = kSources > 2 && is_wide(Op::kTypes[kSources > 2 ? 2 : 0]);
  LANES {
    const u32 x = s[0][i], y = kSources > 1 ? s[1][i] : 0, z = kSources > 2 ? s[2][i] : 0, w = kSources > 3 ? s[3][i] : 0;
    const u64 wide_x = kX ? x | static_cast<u64>(s[0][i + kLanes]) << 32 : x;
    const u64 wide_y = kY ? y | static_cast<u64>(s[1][i + kLanes]) << 32 : y;
    const u64 wide_z = kZ ? z | static_cast<u64>(s[2][i + kLanes]) << 32 : z;
    const u64 value = static_cast<u64>(Op::of(x, y, z, w, wide_x, wide_y, wide_z, m, i));
    r[i] = static_cast<u32>(value);
    if constexpr (is_wide(Op::kResult[0]) || Op::kResult[1] == 'M') r[i + kLanes] = static_cast<u32>(value >> 32);
  }
}
/// Applies Op to the low and the high half of each word, or to the words of two registers.
template <class Op>
void both_halves(const u32* const* s, u32* r, const State& m) {
  constexpr int kSources = length(Op::kTypes);
  if constexpr (Op::kResult[0] == 'Q') {
    LANES {
      const u32 low = Op::of(s[0][i], s[1][i], kSources > 2 ? s[2][i] : 0, m);
      const u32 high = Op::of(s[0][i + kLanes], s[1][i + kLanes], kSources > 2 ? s[2][i + kLanes] : 0, m);
      r[i] = low;
      r[i + kLanes] = high;
    }
  } else {
    LANES {
      const u32 x = s[0][i], y = s[1][i], z = kSources > 2 ? s[2][i] : 0;
      const u32 low = Op::of(x & 0xFFFF, y & 0xFFFF, z & 0xFFFF, m), high = Op::of(x >> 16, y >> 16, z >> 16, m);
      r[i] = (low & 0xFFFF) | high << 16;
    }
  }
}

#define OPERATION(name, types, result_type, ...)                                                                        \
  struct name {                                                                                                         \
    static constexpr const char* kTypes = types;                                                                        \
    static constexpr const char* kResult = result_type;                                                                 \
    static inline auto of([[maybe_unused]] u32 x, [[maybe_unused]] u32 y, [[maybe_unused]] u32 z, [[maybe_unused]] u32 w, \
                          [[maybe_unused]] u64 X, [[maybe_unused]] u64 Y, [[maybe_unused]] u64 Z,                       \
                          [[maybe_unused]] const State& m, [[maybe_unused]] int i) {                                    \
      return __VA_ARGS__;                                                                                               \
    }                                                                                                                   \
  };
#define VALUE(name, types, result, ...) OPERATION(name, types, result, static_cast<u64>(__VA_ARGS__))
#define APPROXIMATE VALUE
#define TEST(name, types, ...) OPERATION(v_cmp_##name, types, "M", (__VA_ARGS__) ? ~0u : 0u)
#define BOTH(name, types, result_type, ...)                                                                                   \
  struct name {                                                                                                               \
    static constexpr const char* kTypes = types;                                                                              \
    static constexpr const char* kResult = result_type;                                                                       \
    static inline u32 of(u32 x, [[maybe_unused]] u32 y, [[maybe_unused]] u32 z, [[maybe_unused]] const State& m) {            \
      return __VA_ARGS__;                                                                                                     \
    }                                                                                                                         \
  };
#define SPECIAL(...)
#include "kernels/gcn_executor/vector_table.inc"
#undef VALUE
#undef APPROXIMATE
#undef TEST
#undef BOTH
#undef SPECIAL

#define VALUE(name, types, result, ...) {#name, types, result, false, each_lane<struct name>},
#define APPROXIMATE(name, types, result, ...) {#name, types, result, true, each_lane<struct name>},
#define TEST(name, types, ...) {"v_cmp_" #name, types, "M", false, each_lane<struct v_cmp_##name>},
#define BOTH(name, types, result, ...) {#name, types, result, false, both_halves<struct name>},
#define SPECIAL(name, types, result, function) {#name, types, result, false, function},
constexpr VectorEntry kEntries[] = {
#include "kernels/gcn_executor/vector_table.inc"
};

// ---- lane masks
struct Bytes {
  alignas(64) u32 of[256][8];
};
constexpr Bytes kBytes = [] {
  Bytes bytes{};
  for (int x = 0; x < 256; ++x)
    for (int i = 0; i < 8; ++i) bytes.of[x][i] = x >> i & 1 ? ~0u : 0;
  return bytes;
}();

void expand(u64 bits, u32* lanes) {
  for (int k = 0; k < 8; ++k) __builtin_memcpy(lanes + 8 * k, kBytes.of[bits >> 8 * k & 255], 32);
}

u64 collect(const u32* lanes) {
  u64 bits = 0;
#if defined(__AVX2__)
  for (int k = 0; k < 8; ++k)
    bits |= static_cast<u64>(_mm256_movemask_ps(_mm256_loadu_ps(reinterpret_cast<const float*>(lanes + 8 * k)))) << 8 * k;
#else
  for (int i = 0; i < kLanes; ++i) bits |= static_cast<u64>(lanes[i] & 1) << i;
#endif
  return bits;
}

const u32* mask(Wave& w) {
  if (w.mask_of != exec(w)) expand(w.mask_of = exec(w), w.mask);
  return w.mask;
}

/// Uses bit operations, because compilers turn "?:" into masked stores, which AMD's AVX2 cores run in slow microcode.
inline u32 blend(u32 m, u32 yes, u32 no) { return (m & yes) | (~m & no); }

void write(Wave& w, u32* to, const u32* from) {
  if (exec(w) == kAllLanes) {
    LANES to[i] = from[i];
    return;
  }
  const u32* m = mask(w);
  LANES to[i] = blend(m[i], from[i], to[i]);
}

// ---- sources
inline u32 flush32(u32 x) { return (x & 0x7F800000) == 0 ? x & 0x80000000u : x; }
inline u32 flush16(u32 x) { return (x & 0x7C00) == 0 ? x & 0x8000 : x & 0xFFFF; }

/// True if MODE flushes subnormal sources of a type.
inline bool is_flushed(char type, u32 mode, u32 bit32, u32 bit16) {
  switch (type) {
    case 'f':
    case 'Q':
      return !(mode & bit32);
    case 'h':
    case 'k':
    case 'P':
    case 'd':
      return !(mode & bit16);
    case 'm':
      return !(mode & bit32) || !(mode & bit16);
    default:
      return false;
  }
}

void flush_row(char type, u32* row, bool is_half) {
  if (type == 'f' || (type == 'm' && !is_half)) {
    LANES row[i] = flush32(row[i]);
  } else if (type == 'Q') {
    LANES {
      row[i] = flush32(row[i]);
      row[i + kLanes] = flush32(row[i + kLanes]);
    }
  } else if (type == 'h' || type == 'k' || type == 'm') {
    LANES row[i] = flush16(row[i]);
  } else if (type == 'P') {
    LANES row[i] = flush16(row[i] & 0xFFFF) | flush16(row[i] >> 16) << 16;
  } else {
    for (int i = 0; i < kLanes; ++i)
      if ((row[i + kLanes] & 0x7FF00000) == 0) {
        row[i] = 0;
        row[i + kLanes] &= 0x80000000u;
      }
  }
}

/// Returns the row of source s that a body reads: its register if no modifier changes it, else a changed copy in temporary[k].
const u32* prepare(Wave& w, const Source& s, int k) {
  u32* const t = w.temporary[k];
  const u32* in = t;
  switch (s.kind) {
    case Source::kRow:
      in = row(w, s.index);
      break;
    case Source::kLaneMask:
      expand(pair(w, s.index), t);
      return t;
    default: {
      const u32* const value = s.kind == Source::kScalar ? w.s + s.index : s.constant;
      const u32 low = value[0];
      LANES t[i] = low;
      if (s.words > 1) {
        const u32 high = value[1];
        LANES t[i + kLanes] = high;
      }
    }
  }
  const bool flushes = is_flushed(s.type, w.state.mode, kDenormals32In, kDenormals16In);
  if (!s.changed && !flushes) return in;
  if (s.type == 'Q') {  // the half or word that each of the two results reads
    const u32 *low = in + s.low_half * kLanes, *high = in + s.high_half * kLanes;
    alignas(64) u32 copy[2 * kLanes];
    LANES {
      copy[i] = low[i] ^ s.flip[0];
      copy[i + kLanes] = high[i] ^ s.flip[1];
    }
    __builtin_memcpy(t, copy, sizeof copy);
  } else if (s.type == 'P' || s.type == 'I') {
    const int low = 16 * s.low_half, high = 16 * s.high_half;
    const u32 flip = s.flip[0] | s.flip[1] << 16;
    LANES t[i] = ((in[i] >> low & 0xFFFF) | (in[i] >> high & 0xFFFF) << 16) ^ flip;
  } else {
    if (in != t) {
      LANES t[i] = in[i];
      if (s.words > 1) LANES t[i + kLanes] = in[i + kLanes];
    }
    if (s.lanes != nullptr) {
      alignas(64) u32 copy[kLanes];
      __builtin_memcpy(copy, t, sizeof copy);
      const u64 good = s.lanes->valid;
      for (int i = 0; i < kLanes; ++i) {
        const u32 from = s.lanes->from[i];
        const bool active = good >> i & 1 && exec(w) >> from & 1;
        t[i] = s.lanes->zeros && !active ? 0 : copy[from];
      }
    }
    if (s.bits < 32) {
      const u32 shift = s.shift, kept = (1u << s.bits) - 1, sign = s.extended ? 1u << (s.bits - 1) : 0;
      LANES t[i] = ((t[i] >> shift & kept) ^ sign) - sign;
    }
    u32* const signs = s.words > 1 ? t + kLanes : t;
    const u32 keep = s.keep[0], flip = s.flip[0];
    LANES signs[i] = (signs[i] & keep) ^ flip;
  }
  if (flushes && (s.type != 'm' || is_flushed(s.is_half ? 'h' : 'f', w.state.mode, kDenormals32In, kDenormals16In)))
    flush_row(s.type, t, s.is_half);
  if (s.is_half) LANES t[i] = b(h(t[i]));
  return t;
}

// ---- results
u32 limited(u32 x) { return is_nan(x) || x >> 31 ? 0 : x > 0x3F800000u ? 0x3F800000u : x; }

void change_result(Wave& w, const Operation* o, u32* r) {
  const char type = o->result;
  if (o->output_modifier != 0) {
    const float factor = o->output_modifier == 1 ? 2.0f : o->output_modifier == 2 ? 4.0f : 0.5f;
    LANES {
      const u32 x = settle(f(r[i]) * factor, r[i]);
      r[i] = (x & 0x7FFFFFFF) == 0 ? 0 : x;
    }
  }
  if (is_flushed(type, w.state.mode, kDenormals32Out, kDenormals16Out)) flush_row(type, r, false);
  if (o->clamp) {
    if (type == 'f' || type == 'Q') {
      LANES r[i] = limited(r[i]);
      if (type == 'Q') LANES r[i + kLanes] = limited(r[i + kLanes]);
    } else if (type == 'P') {
      for (int i = 0; i < kLanes; ++i) r[i] = half_bits(limited(b(h(r[i])))) | half_bits(limited(b(h(r[i] >> 16)))) << 16;
    } else {
      LANES r[i] = half_bits(limited(b(h(r[i]))));
    }
  }
  if (type == 'w' || type == 'h') LANES r[i] &= 0xFFFF;
  if (o->bits < 32) {
    const u32 shift = o->shift, kept = ((1u << o->bits) - 1) << shift;
    const u32* old = row(w, o->row);
    if (o->unused == 2) {
      LANES r[i] = (r[i] << shift & kept) | (old[i] & ~kept);
    } else if (o->unused == 1) {
      const int up = 32 - o->shift - o->bits;
      LANES r[i] = static_cast<u32>(static_cast<int>(r[i] << shift << up) >> up) & ~((1u << shift) - 1);
    } else {
      LANES r[i] = r[i] << shift & kept;
    }
  }
}

/// Writes the result of a DPP instruction. Lanes without a source lane keep their old value, or get 0 with bound_ctrl.
void write_permuted(Wave& w, const Operation* o, const u32* r) {
  const Permutation& p = *o->source[0].lanes;
  u64 lanes = exec(w) & p.written;
  if (!p.zeros)
    for (int i = 0; i < kLanes; ++i)
      if (!(p.valid >> i & 1 && exec(w) >> p.from[i] & 1)) lanes &= ~(u64{1} << i);
  u32* to = row(w, o->row);
  for (int k = 0; k < o->words; ++k)
    for (int i = 0; i < kLanes; ++i)
      if (lanes >> i & 1) to[k * kLanes + i] = r[k * kLanes + i];
}

const Operation* vector(Wave& w, const Operation* o) {
  const u32* s[4];
  for (int k = 0; k < o->sources; ++k) s[k] = prepare(w, o->source[k], k);
  u32* const to = row(w, o->row);
  const bool changes = !o->direct || is_flushed(o->result, w.state.mode, kDenormals32Out, kDenormals16Out);
  if (!changes && o->mask == kNoMask && exec(w) == kAllLanes) {
    o->body(s, to, w.state);
    return o + o->slots;
  }
  u32* const r = w.output;
  o->body(s, r, w.state);
  if (changes) change_result(w, o, r);
  if (o->sources != 0 && o->source[0].lanes != nullptr) {
    write_permuted(w, o, r);
  } else {
    for (int k = 0; k < o->words; ++k) write(w, to + k * kLanes, r + k * kLanes);
  }
  if (o->mask != kNoMask) set_pair(w, o->mask, collect(r + o->words * kLanes) & exec(w));
  return o + o->slots;
}

// ---- memory
bool contiguous(Wave& w, const u32* low, const u32* high, u64 first, u32 stride) {
  const u32 low0 = static_cast<u32>(first), high0 = static_cast<u32>(first >> 32);
  if (low0 > ~0u - stride * kLanes) return false;  // a carry into the high word is possible
  const u32* m = mask(w);
  u32 bad = 0;
  if (high != nullptr) {
    _Pragma("omp simd reduction(|:bad)") for (int i = 0; i < kLanes; ++i) bad |=
        m[i] & ((low[i] - low0 - stride * static_cast<u32>(i)) | (high[i] ^ high0));
  } else {
    _Pragma("omp simd reduction(|:bad)") for (int i = 0; i < kLanes; ++i) bad |=
        m[i] & (low[i] - low0 - stride * static_cast<u32>(i));
  }
  return bad == 0;
}

/// Reads only the words of active lanes, because inactive lanes' words may lie outside the buffer.
template <u32 kWords>
void load_words(Wave& w, u32* rows, const void* at) {
  const u32* g = static_cast<const u32*>(at);
  typedef u32 __attribute__((aligned(1), may_alias)) unaligned;
  const unaligned* words = reinterpret_cast<const unaligned*>(g);
  if (exec(w) == kAllLanes) {
    for (u32 k = 0; k < kWords; ++k) LANES rows[k * kLanes + static_cast<u32>(i)] = words[kWords * static_cast<u32>(i) + k];
    return;
  }
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const u32 i = static_cast<u32>(__builtin_ctzll(rest));
    for (u32 k = 0; k < kWords; ++k) rows[k * kLanes + i] = words[kWords * i + k];
  }
}
template <u32 kWords>
void store_words(Wave& w, const u32* rows, void* at) {
  typedef u32 __attribute__((aligned(1), may_alias)) unaligned;
  unaligned* words = static_cast<unaligned*>(at);
  if (exec(w) == kAllLanes) {
    for (u32 k = 0; k < kWords; ++k) LANES words[kWords * static_cast<u32>(i) + k] = rows[k * kLanes + static_cast<u32>(i)];
    return;
  }
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const u32 i = static_cast<u32>(__builtin_ctzll(rest));
    for (u32 k = 0; k < kWords; ++k) words[kWords * i + k] = rows[k * kLanes + i];
  }
}
void load(Wave& w, u32* rows, const void* at, u32 words) {
  words == 1   ? load_words<1>(w, rows, at)
  : words == 2 ? load_words<2>(w, rows, at)
  : words == 3 ? load_words<3>(w, rows, at)
               : load_words<4>(w, rows, at);
}
void store(Wave& w, const u32* rows, void* at, u32 words) {
  words == 1   ? store_words<1>(w, rows, at)
  : words == 2 ? store_words<2>(w, rows, at)
  : words == 3 ? store_words<3>(w, rows, at)
               : store_words<4>(w, rows, at);
}

}  // namespace

const LaneTable& ASSAY_LANES() {
  static constexpr LaneTable table = {{ASSAY_LANES_NAME, vector, mask, prepare, write, collect, expand, contiguous, load, store},
                                      kEntries,
                                      sizeof kEntries / sizeof kEntries[0]};
  return table;
}

}  // namespace assay_gcn
