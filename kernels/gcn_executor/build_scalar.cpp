// Scalar instructions: arithmetic, comparisons, branches, MODE and scalar loads. One line per instruction, as in the ISA
// document.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/program.h"

namespace assay_gcn {
namespace {

using i32 = int32_t;
using i64 = int64_t;

struct Entry {
  Handler run;
  const char* types;  ///< source types: b 32 bits, q 64 bits
  int words;          ///< 32-bit words of the destination; 0: none
};

// A SCALAR line: r is the result, x and y are the sources. The statements after `value` set scc.
#define SCALAR(Type, read, name, value, ...)                                                            \
  const Operation* name(Wave& w, const Operation* o) {                                                    \
    [[maybe_unused]] const Type x = read(w, o->source[0]);                                              \
    [[maybe_unused]] const Type y = read(w, o->source[1]);                                              \
    [[maybe_unused]] u32& scc = w.s[kScc];                                                                \
    const Type r = static_cast<Type>(value);                                                              \
    put(w, o, r);                                                                                         \
    __VA_ARGS__;                                                                                          \
    return o + o->slots;                                                                                  \
  }
#define S32(name, value, ...) SCALAR(u32, low_word, name, value, __VA_ARGS__)
#define S64(name, value, ...) SCALAR(u64, wide_word, name, value, __VA_ARGS__)
#define S64_32(name, value, ...)                                                                          \
  const Operation* name(Wave& w, const Operation* o) {                                                    \
    const u64 x = wide_word(w, o->source[0]);                                                             \
    const u32 y = low_word(w, o->source[1]);                                                              \
    const u64 r = static_cast<u64>(value);                                                                \
    put(w, o, r);                                                                                         \
    w.s[kScc] = r != 0;                                                                                   \
    return o + o->slots;                                                                                  \
  }
/// An instruction with a 64-bit source x and a 32-bit result r.
#define S32_64(name, value, ...)                                                                          \
  const Operation* name(Wave& w, const Operation* o) {                                                    \
    const u64 x = wide_word(w, o->source[0]);                                                             \
    [[maybe_unused]] u32& scc = w.s[kScc];                                                                \
    const u32 r = static_cast<u32>(value);                                                                \
    put(w, o, r);                                                                                         \
    __VA_ARGS__;                                                                                          \
    return o + o->slots;                                                                                  \
  }

inline void put(Wave& w, const Operation* o, u32 r) { w.s[o->scalar] = r; }
inline void put(Wave& w, const Operation* o, u64 r) { set_pair(w, o->scalar, r); }

S32(s_add_u32, x + y, scc = r < x)
S32(s_sub_u32, x - y, scc = x < y)
S32(s_add_i32, x + y, scc = (~(x ^ y) & (x ^ r)) >> 31)
S32(s_sub_i32, x - y, scc = ((x ^ y) & (x ^ r)) >> 31)
S32(s_addc_u32, x + y + scc, scc = static_cast<u64>(x) + y + scc > 0xFFFFFFFFu)
S32(s_subb_u32, x - y - scc, scc = static_cast<u64>(y) + scc > x)
S32(s_mul_i32, x* y)
S32(s_mul_hi_u32, static_cast<u64>(x) * y >> 32)
S32(s_mul_hi_i32, static_cast<i64>(static_cast<i32>(x)) * static_cast<i32>(y) >> 32)
S32(s_and_b32, x& y, scc = r != 0)
S32(s_or_b32, x | y, scc = r != 0)
S32(s_xor_b32, x ^ y, scc = r != 0)
S32(s_andn2_b32, x & ~y, scc = r != 0)
S32(s_orn2_b32, x | ~y, scc = r != 0)
S32(s_nand_b32, ~(x & y), scc = r != 0)
S32(s_nor_b32, ~(x | y), scc = r != 0)
S32(s_xnor_b32, ~(x ^ y), scc = r != 0)
S32(s_not_b32, ~x, scc = r != 0)
S32(s_lshl_b32, x << (y & 31), scc = r != 0)
S32(s_lshr_b32, x >> (y & 31), scc = r != 0)
S32(s_ashr_i32, static_cast<i32>(x) >> (y & 31), scc = r != 0)
S32(s_lshl1_add_u32, (x << 1) + y, scc = (static_cast<u64>(x) << 1) + y > 0xFFFFFFFFu)
S32(s_lshl2_add_u32, (x << 2) + y, scc = (static_cast<u64>(x) << 2) + y > 0xFFFFFFFFu)
S32(s_lshl3_add_u32, (x << 3) + y, scc = (static_cast<u64>(x) << 3) + y > 0xFFFFFFFFu)
S32(s_lshl4_add_u32, (x << 4) + y, scc = (static_cast<u64>(x) << 4) + y > 0xFFFFFFFFu)
S32(s_mov_b32, x)
S32(s_cmov_b32, scc ? x : w.s[o->scalar])
S32(s_cselect_b32, scc ? x : y)
S32(s_min_i32, static_cast<i32>(x) < static_cast<i32>(y) ? x : y, scc = static_cast<i32>(x) < static_cast<i32>(y))
S32(s_max_i32, static_cast<i32>(x) > static_cast<i32>(y) ? x : y, scc = static_cast<i32>(x) >= static_cast<i32>(y))
S32(s_min_u32, x < y ? x : y, scc = x < y)
S32(s_max_u32, x > y ? x : y, scc = x >= y)
S32(s_abs_i32, static_cast<i32>(x) < 0 ? 0 - x : x, scc = r != 0)
S32(s_absdiff_i32, static_cast<i32>(x - y) < 0 ? y - x : x - y, scc = r != 0)
u32 field(u32 x, u32 y) {
  const u32 width = y >> 16 & 0x7F, part = x >> (y & 31);
  return width >= 32 ? part : part & ((1u << width) - 1);
}
S32(s_bfe_u32, field(x, y), scc = r != 0)
u32 signed_field(u32 x, u32 y) {
  const u32 width = y >> 16 & 0x7F, part = static_cast<u32>(static_cast<i32>(x) >> (y & 31));
  if (width == 0 || width >= 32) return width == 0 ? 0 : part;
  return static_cast<u32>(static_cast<i32>(part << (32 - width)) >> (32 - width));
}
S32(s_bfe_i32, signed_field(x, y), scc = r != 0)
S32(s_bfm_b32, ((1u << (x & 31)) - 1) << (y & 31))
S32(s_bcnt1_i32_b32, __builtin_popcount(x), scc = r != 0)
S32(s_bcnt0_i32_b32, 32 - __builtin_popcount(x), scc = r != 0)
u32 reversed(u32 x) {
  u32 r = 0;
  for (int i = 0; i < 32; ++i) r |= (x >> i & 1) << (31 - i);
  return r;
}
S32(s_brev_b32, reversed(x))
S32(s_ff1_i32_b32, x == 0 ? ~0u : static_cast<u32>(__builtin_ctz(x)))
S32(s_ff0_i32_b32, ~x == 0 ? ~0u : static_cast<u32>(__builtin_ctz(~x)))
S32(s_flbit_i32_b32, x == 0 ? ~0u : static_cast<u32>(__builtin_clz(x)))
S32(s_flbit_i32, x == 0 || x == ~0u ? ~0u : static_cast<u32>(__builtin_clz(static_cast<i32>(x) < 0 ? ~x : x)))
S32(s_sext_i32_i8, static_cast<i32>(static_cast<int8_t>(x)))
S32(s_sext_i32_i16, static_cast<i32>(static_cast<int16_t>(x)))
S32(s_pack_ll_b32_b16, (x & 0xFFFF) | y << 16)
S32(s_pack_lh_b32_b16, (x & 0xFFFF) | (y & 0xFFFF0000u))
S32(s_pack_hh_b32_b16, x >> 16 | (y & 0xFFFF0000u))
S32(s_bitset0_b32, w.s[o->scalar] & ~(1u << (x & 31)))
S32(s_bitset1_b32, w.s[o->scalar] | 1u << (x & 31))
S32(s_addk_i32, w.s[o->scalar] + x, scc = (~((r - x) ^ x) & (x ^ r)) >> 31)
S32(s_mulk_i32, w.s[o->scalar] * x)

S64(s_mov_b64, x)
S64(s_cmov_b64, scc ? x : pair(w, o->scalar))
S64(s_and_b64, x& y, scc = r != 0)
S64(s_or_b64, x | y, scc = r != 0)
S64(s_xor_b64, x ^ y, scc = r != 0)
S64(s_andn2_b64, x & ~y, scc = r != 0)
S64(s_orn2_b64, x | ~y, scc = r != 0)
S64(s_nand_b64, ~(x & y), scc = r != 0)
S64(s_nor_b64, ~(x | y), scc = r != 0)
S64(s_xnor_b64, ~(x ^ y), scc = r != 0)
S64(s_not_b64, ~x, scc = r != 0)
S64(s_cselect_b64, scc ? x : y)
S64_32(s_lshl_b64, x << (y & 63))
S64_32(s_lshr_b64, x >> (y & 63))
S64_32(s_ashr_i64, static_cast<i64>(x) >> (y & 63))
u64 wide_field(u64 x, u32 y) {
  const u32 width = y >> 16 & 0x7F;
  const u64 part = x >> (y & 63);
  return width >= 64 ? part : part & ((u64{1} << width) - 1);
}
S64_32(s_bfe_u64, wide_field(x, y))
u64 signed_wide_field(u64 x, u32 y) {
  const u32 width = y >> 16 & 0x7F;
  const u64 part = static_cast<u64>(static_cast<i64>(x) >> (y & 63));
  if (width == 0 || width >= 64) return width == 0 ? 0 : part;
  return static_cast<u64>(static_cast<i64>(part << (64 - width)) >> (64 - width));
}
S64_32(s_bfe_i64, signed_wide_field(x, y))
S32_64(s_bcnt1_i32_b64, __builtin_popcountll(x), scc = r != 0)
S32_64(s_ff1_i32_b64, x == 0 ? ~0u : static_cast<u32>(__builtin_ctzll(x)))
S32_64(s_flbit_i32_b64, x == 0 ? ~0u : static_cast<u32>(__builtin_clzll(x)))

#define SAVEEXEC(name, value)                                                    \
  const Operation* name(Wave& w, const Operation* o) {                           \
    const u64 e = exec(w), x = wide_word(w, o->source[0]);                       \
    set_pair(w, o->scalar, e);                                                   \
    set_pair(w, kExec, value);                                                   \
    w.s[kScc] = exec(w) != 0;                                                    \
    return o + o->slots;                                                         \
  }
SAVEEXEC(s_and_saveexec_b64, x& e)
SAVEEXEC(s_or_saveexec_b64, x | e)
SAVEEXEC(s_xor_saveexec_b64, x ^ e)
SAVEEXEC(s_andn2_saveexec_b64, x & ~e)
SAVEEXEC(s_andn1_saveexec_b64, ~x& e)
SAVEEXEC(s_orn2_saveexec_b64, x | ~e)

#define TEST(Type, read, name, value)                                          \
  const Operation* name(Wave& w, const Operation* o) {                           \
    const auto x = static_cast<Type>(read(w, o->source[0]));                   \
    const auto y = static_cast<Type>(read(w, o->source[1]));                   \
    w.s[kScc] = (value) ? 1 : 0;                                                 \
    return o + o->slots;                                                         \
  }
#define TESTS(Type, source, suffix)          \
  TEST(Type, source, s_cmp_eq_##suffix, x == y) \
  TEST(Type, source, s_cmp_lg_##suffix, x != y) \
  TEST(Type, source, s_cmp_gt_##suffix, x > y)  \
  TEST(Type, source, s_cmp_ge_##suffix, x >= y) \
  TEST(Type, source, s_cmp_lt_##suffix, x < y)  \
  TEST(Type, source, s_cmp_le_##suffix, x <= y)
TESTS(i32, low_word, i32)
TESTS(u32, low_word, u32)
TEST(u64, wide_word, s_cmp_eq_u64, x == y)
TEST(u64, wide_word, s_cmp_lg_u64, x != y)
TEST(u32, low_word, s_bitcmp0_b32, (x >> (y & 31) & 1) == 0)
TEST(u32, low_word, s_bitcmp1_b32, (x >> (y & 31) & 1) == 1)

#define JUMP(name, condition) \
  const Operation* name([[maybe_unused]] Wave& w, const Operation* o) { return (condition) ? o->target : o + o->slots; }
JUMP(s_branch, true)
JUMP(s_cbranch_scc0, !w.s[kScc])
JUMP(s_cbranch_scc1, w.s[kScc])
JUMP(s_cbranch_vccz, pair(w, kVcc) == 0)
JUMP(s_cbranch_vccnz, pair(w, kVcc) != 0)
JUMP(s_cbranch_execz, exec(w) == 0)
JUMP(s_cbranch_execnz, exec(w) != 0)

const Operation* nothing(Wave&, const Operation* o) { return o + o->slots; }
const Operation* s_barrier(Wave& w, const Operation* o) {
  w.status = Wave::kAtBarrier;
  w.pc = o + o->slots;
  return nullptr;
}
/// Ends the wave's turn: a loop that waits for another group may sleep or read the clock.
const Operation* s_sleep(Wave& w, const Operation* o) {
  w.pc = o + o->slots;
  return nullptr;
}
const Operation* s_endpgm(Wave& w, const Operation* o) {
  w.status = Wave::kEnded;
  w.pc = o;
  return nullptr;
}
const Operation* s_trap(Wave&, const Operation*) { throw Fault("the kernel trapped"); }

const Operation* s_memtime(Wave& w, const Operation* o) {
  set_pair(w, o->scalar, w.launch->device->clock++);
  return s_sleep(w, o);
}
const Operation* s_getpc_b64(Wave& w, const Operation* o) {
  set_pair(w, o->scalar, w.launch->executable->address_of(o) + 4);
  return o + o->slots;
}
const Operation* s_setpc_b64(Wave& w, const Operation* o) { return w.launch->executable->at(wide_word(w, o->source[0])); }
const Operation* s_swappc_b64(Wave& w, const Operation* o) {
  const u64 to = wide_word(w, o->source[0]);
  set_pair(w, o->scalar, w.launch->executable->address_of(o) + 4);
  return w.launch->executable->at(to);
}

const Operation* s_set_gpr_idx_off(Wave&, const Operation* o) { return o + o->slots; }

/// Executes all vector instructions up to s_set_gpr_idx_off with indexed registers. Source 0 is added to register numbers: of
/// the first source if bit 0 of `code` is set, of the destination if bit 3 is set.
const Operation* s_set_gpr_idx_on(Wave& w, const Operation* o) {
  const u32 index = low_word(w, o->source[0]) & 0xFF;
  const Operation* next = w.launch->executable->ready(o + o->slots);
  for (; next->run != s_set_gpr_idx_off; next = w.launch->executable->ready(next + next->slots)) {
    if (next->run != w.launch->lanes->vector)
      throw Fault("not implemented: after s_set_gpr_idx_on, an instruction other than plain vector arithmetic");
    Operation moved = *next;
    if (o->code & 8) moved.row = static_cast<u16>(moved.row + index);
    if (o->code & 1 && moved.source[0].kind == Source::kRow)
      moved.source[0].index = static_cast<u16>(moved.source[0].index + index);
    if (moved.row > 255 || (moved.source[0].kind == Source::kRow && moved.source[0].index > 255))
      throw Fault("s_set_gpr_idx_on: expected indexed registers up to v255, got a higher number");
    (void)w.launch->lanes->vector(w, &moved);
  }
  return next + next->slots;
}

/// Sets bits of MODE. o->offset is the first bit, and o->bytes is the number of bits; see build_mode().
const Operation* set_mode(Wave& w, const Operation* o) {
  const u32 mask = (o->bytes >= 32 ? ~0u : (1u << o->bytes) - 1) << o->offset;
  const u32 value = low_word(w, o->source[0]) << o->offset;
  w.state.mode = (w.state.mode & ~mask) | (value & mask);
  if (w.state.mode & 15) throw Fault("a rounding mode other than nearest even is not implemented");
  if (!(w.state.mode & kIeee)) throw Fault("MODE.IEEE = 0 is not implemented");
  return o + o->slots;
}
const Operation* get_mode(Wave& w, const Operation* o) {
  w.s[o->scalar] = w.state.mode >> o->offset & (o->bytes >= 32 ? ~0u : (1u << o->bytes) - 1);
  return o + o->slots;
}
const Operation* get_zero(Wave& w, const Operation* o) {
  w.s[o->scalar] = 0;
  return o + o->slots;
}

/// Scalar load. source[0]: base address, or buffer descriptor if kBuffer. source[1]: offset in bytes.
template <bool kBuffer>
const Operation* load(Wave& w, const Operation* o) {
  const u32 moved = low_word(w, o->source[1]);
  u64 address = pair(w, o->source[0].index);
  if (kBuffer) {
    address &= 0xFFFFFFFFFFFFu;
    const u32 records = w.s[o->source[0].index + 2];
    if (static_cast<u64>(moved) + static_cast<u64>(o->offset) + o->bytes > records) {
      std::memset(w.s + o->scalar, 0, o->bytes);
      return o + o->slots;
    }
  }
  address += moved + static_cast<u64>(static_cast<i64>(o->offset));
  address &= ~u64{3};
  if (w.launch->memory->find(address, o->bytes) == nullptr)
    throw Fault("scalar load of " + w.launch->memory->describe(address, o->bytes));
  std::memcpy(w.s + o->scalar, reinterpret_cast<const void*>(address), o->bytes);
  return o + o->slots;
}

const std::map<std::string, Entry>& table() {
  static const std::map<std::string, Entry> entries = [] {
    std::map<std::string, Entry> t;
#define ONE(name) t[#name] = {name, "b", 1};
#define TWO(name) t[#name] = {name, "bb", 1};
#define ONE64(name) t[#name] = {name, "q", 2};
#define TWO64(name) t[#name] = {name, "qq", 2};
#define SHIFT(name) t[#name] = {name, "qb", 2};
#define NARROW(name) t[#name] = {name, "q", 1};
#define COMPARE(name) t[#name] = {name, "bb", 0};
    TWO(s_add_u32)
    TWO(s_sub_u32) TWO(s_add_i32) TWO(s_sub_i32) TWO(s_addc_u32) TWO(s_subb_u32) TWO(s_mul_i32) TWO(s_mul_hi_u32) TWO(
        s_mul_hi_i32) TWO(s_and_b32) TWO(s_or_b32) TWO(s_xor_b32) TWO(s_andn2_b32) TWO(s_orn2_b32) TWO(s_nand_b32) TWO(s_nor_b32)
        TWO(s_xnor_b32) TWO(s_lshl_b32) TWO(s_lshr_b32) TWO(s_ashr_i32) TWO(s_lshl1_add_u32) TWO(s_lshl2_add_u32) TWO(
            s_lshl3_add_u32) TWO(s_lshl4_add_u32) TWO(s_cselect_b32) TWO(s_min_i32) TWO(s_max_i32) TWO(s_min_u32) TWO(s_max_u32)
            TWO(s_absdiff_i32) TWO(s_bfe_u32) TWO(s_bfe_i32) TWO(s_bfm_b32) TWO(s_pack_ll_b32_b16) TWO(s_pack_lh_b32_b16)
                TWO(s_pack_hh_b32_b16) ONE(s_not_b32) ONE(s_mov_b32) ONE(s_cmov_b32) ONE(s_abs_i32) ONE(s_bcnt1_i32_b32)
                    ONE(s_bcnt0_i32_b32) ONE(s_brev_b32) ONE(s_ff1_i32_b32) ONE(s_ff0_i32_b32) ONE(s_flbit_i32_b32)
                        ONE(s_flbit_i32) ONE(s_sext_i32_i8) ONE(s_sext_i32_i16) ONE(s_bitset0_b32) ONE(s_bitset1_b32)
                            ONE64(s_mov_b64) ONE64(s_cmov_b64) ONE64(s_not_b64) TWO64(s_and_b64) TWO64(s_or_b64) TWO64(s_xor_b64)
                                TWO64(s_andn2_b64) TWO64(s_orn2_b64) TWO64(s_nand_b64) TWO64(s_nor_b64) TWO64(s_xnor_b64)
                                    TWO64(s_cselect_b64) SHIFT(s_lshl_b64) SHIFT(s_lshr_b64) SHIFT(s_ashr_i64) SHIFT(s_bfe_u64)
                                        SHIFT(s_bfe_i64) NARROW(s_bcnt1_i32_b64) NARROW(s_ff1_i32_b64) NARROW(s_flbit_i32_b64)
                                            ONE64(s_and_saveexec_b64) ONE64(s_or_saveexec_b64) ONE64(s_xor_saveexec_b64)
                                                ONE64(s_andn2_saveexec_b64) ONE64(s_andn1_saveexec_b64) ONE64(s_orn2_saveexec_b64)
                                                    COMPARE(s_cmp_eq_i32) COMPARE(s_cmp_lg_i32) COMPARE(s_cmp_gt_i32)
                                                        COMPARE(s_cmp_ge_i32) COMPARE(s_cmp_lt_i32) COMPARE(s_cmp_le_i32)
                                                            COMPARE(s_cmp_eq_u32) COMPARE(s_cmp_lg_u32) COMPARE(s_cmp_gt_u32)
                                                                COMPARE(s_cmp_ge_u32) COMPARE(s_cmp_lt_u32) COMPARE(s_cmp_le_u32)
                                                                    COMPARE(s_bitcmp0_b32) COMPARE(s_bitcmp1_b32)
                                                                        t["s_cmp_eq_u64"] = {s_cmp_eq_u64, "qq", 0};
    t["s_cmp_lg_u64"] = {s_cmp_lg_u64, "qq", 0};
    t["s_getpc_b64"] = {s_getpc_b64, "", 2};
    t["s_setpc_b64"] = {s_setpc_b64, "q", 0};
    t["s_swappc_b64"] = {s_swappc_b64, "q", 2};
    t["s_memtime"] = {s_memtime, "", 2};
    t["s_memrealtime"] = {s_memtime, "", 2};
    return t;
  }();
  return entries;
}

bool build_jump(Build& build) {
  static const std::map<std::string, Handler> kJumps = {
      {"s_branch", s_branch},           {"s_cbranch_scc0", s_cbranch_scc0},   {"s_cbranch_scc1", s_cbranch_scc1},
      {"s_cbranch_vccz", s_cbranch_vccz}, {"s_cbranch_vccnz", s_cbranch_vccnz}, {"s_cbranch_execz", s_cbranch_execz},
      {"s_cbranch_execnz", s_cbranch_execnz}};
  const auto found = kJumps.find(build.in.name);
  if (found == kJumps.end()) return false;
  const auto words = static_cast<int16_t>(bits_of_number(build.in.operands.at(0).text, 'b'));
  const u64 target = build.in.address + 4 + static_cast<u64>(static_cast<i64>(words) * 4);
  const u64 index = (target - build.program.begin) / 4;
  if (index >= build.program.operations.size()) not_implemented("a branch out of the function");
  build.out.run = found->second;
  build.out.target = &build.program.operations[index];
  return true;
}

/// Instructions with a 16-bit constant: s_cmpk_gt_u32 s0, 0x10; s_movk_i32; s_addk_i32; s_mulk_i32; s_cmovk_i32.
bool build_constant(Build& build) {
  static const std::map<std::string, std::pair<Handler, int>> kForms = {{"s_movk_i32", {s_mov_b32, 1}},
                                                                        {"s_cmovk_i32", {s_cmov_b32, 1}},
                                                                        {"s_addk_i32", {s_addk_i32, 1}},
                                                                        {"s_mulk_i32", {s_mulk_i32, 1}}};
  const std::string& name = build.in.name;
  const bool compares = name.substr(0, 7) == "s_cmpk_";
  const auto form = kForms.find(name);
  if (!compares && form == kForms.end()) return false;
  const auto raw = static_cast<u32>(bits_of_number(build.in.operands.at(1).text, 'b')) & 0xFFFF;
  Source constant;
  constant.kind = Source::kConstant;
  constant.constant[0] =
      name.back() == '2' && name[name.size() - 3] == 'u' ? raw : static_cast<u32>(static_cast<i32>(static_cast<int16_t>(raw)));
  if (compares) {
    build.out.run = table().at("s_cmp_" + name.substr(7)).run;
    build.out.source[0] = source_of(build.in.operands.at(0), 'b');
    build.out.source[1] = constant;
  } else {
    build.out.run = form->second.first;
    build.out.scalar = scalar_of(build.in.operands.at(0));
    build.out.source[0] = constant;
  }
  return true;
}

/// Builds s_setreg_b32 hwreg(HW_REG_MODE, 23, 1), s0 and similar instructions.
bool build_mode(Build& build) {
  const std::string& name = build.in.name;
  if (name != "s_setreg_b32" && name != "s_setreg_imm32_b32" && name != "s_getreg_b32") return false;
  const bool reads = name == "s_getreg_b32";
  const std::string& text = build.in.operands.at(reads ? 1 : 0).text;
  char which[64] = {};
  int offset = 0, bits = 32;
  if (std::sscanf(text.c_str(), "hwreg(%63[A-Z0-9_a-z], %d, %d)", which, &offset, &bits) < 1) not_implemented("register " + text);
  build.out.offset = offset;
  build.out.bytes = static_cast<u8>(bits);
  if (std::string(which) == "HW_REG_MODE") {
    build.out.run = reads ? get_mode : set_mode;
  } else if (reads) {
    build.out.run = get_zero;
  } else {
    not_implemented("writing " + text);
  }
  if (reads) build.out.scalar = scalar_of(build.in.operands[0]);
  else build.out.source[0] = source_of(build.in.operands.at(1), 'b');
  return true;
}

bool build_load(Build& build) {
  const std::string& name = build.in.name;
  const bool buffer = name.substr(0, 18) == "s_buffer_load_dwor";
  if (!buffer && name.substr(0, 11) != "s_load_dwor") return false;
  const std::string rest = name.substr(buffer ? 19 : 12);
  const int words = rest.empty() ? 1 : std::stoi(rest.substr(1));
  Operation& o = build.out;
  o.run = buffer ? load<true> : load<false>;
  o.bytes = static_cast<u8>(4 * words);
  o.scalar = scalar_of(build.in.operands.at(0));
  o.source[0] = source_of(build.in.operands.at(1), 'q');
  if (o.source[0].kind != Source::kScalar) not_implemented("a base address that is not in scalar registers");
  const Operand& offset = build.in.operands.at(2);
  if (offset.kind == Operand::Kind::kNumber) o.offset = static_cast<int>(bits_of_number(offset.text, 'b'));
  else o.source[1] = source_of(offset, 'b');
  o.offset += static_cast<int>(build.number("offset"));
  build.has("glc");
  return true;
}

}  // namespace

bool build_scalar(Build& build) {
  const std::string& name = build.in.name;
  Operation& o = build.out;
  static const char* const kNothing[] = {
      "s_nop",    "s_waitcnt",    "s_setprio",      "s_dcache_wb",    "s_icache_inv",    "s_dcache_inv",     "s_sethalt",
      "s_clause", "s_ttracedata", "s_incperflevel", "s_decperflevel", "s_dcache_wb_vol", "s_dcache_inv_vol", "s_inst_prefetch"};
  for (const char* each : kNothing)
    if (name == each) {
      o.run = nothing;
      return true;
    }
  if (name == "s_barrier") o.run = s_barrier;
  else if (name == "s_sleep") o.run = s_sleep;
  else if (name == "s_endpgm") o.run = s_endpgm;
  else if (name == "s_trap") o.run = s_trap;
  else if (name == "s_set_gpr_idx_off") o.run = s_set_gpr_idx_off;
  else if (name == "s_set_gpr_idx_on") {
    const std::string& which = build.in.operands.at(1).text;
    if (which != "gpr_idx(SRC0)" && which != "gpr_idx(DST)") not_implemented(which);
    o.run = s_set_gpr_idx_on;
    o.source[0] = source_of(build.in.operands[0], 'b');
    o.code = which == "gpr_idx(DST)" ? 8 : 1;
  }
  if (o.run != nullptr || build_jump(build) || build_constant(build) || build_mode(build) || build_load(build)) return true;
  const auto found = table().find(name);
  if (found == table().end()) return false;
  const Entry& entry = found->second;
  size_t next = 0;
  if (entry.words != 0) {
    const Operand& destination = build.in.operands.at(next++);
    o.scalar = scalar_of(destination);
    if (destination.words != entry.words)
      not_implemented("a destination that does not have " + std::to_string(entry.words) + " registers");
  }
  const size_t sources = std::strlen(entry.types);
  if (build.in.operands.size() != next + sources)
    not_implemented("expected " + std::to_string(sources) + " sources, got " + std::to_string(build.in.operands.size() - next));
  for (size_t k = 0; k < sources; ++k) o.source[k] = source_of(build.in.operands[next + k], entry.types[k]);
  o.run = entry.run;
  return true;
}

}  // namespace assay_gcn
