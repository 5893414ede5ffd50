// Vector ALU and matrix (MFMA) instructions. Converts operands and modifiers into sources of the types in the instruction table.
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/gcn_executor/program.h"
#include "kernels/simt/simt.h"
#include "kernels/units/emulated_mma.h"

namespace assay_gcn {
namespace {

constexpr u32 kSign = 0x80000000u;

bool is_wide(char type) { return type == 'd' || type == 'q' || type == 'Q'; }
bool is_packed(char type) { return type == 'P' || type == 'I'; }
bool is_16_bit(char type) { return type == 'h' || type == 'w' || type == 'k'; }

/// Returns the first bit and the number of bits of an SDWA selector: "BYTE_1", "WORD_0", "DWORD".
std::pair<u8, u8> selected(std::string_view selector) {
  if (selector.substr(0, 5) == "BYTE_") return {static_cast<u8>(8 * (selector[5] - '0')), 8};
  if (selector.substr(0, 5) == "WORD_") return {static_cast<u8>(16 * (selector[5] - '0')), 16};
  return {0, 32};
}

const Permutation* permutation_of(Build& build) {
  Permutation p{};
  p.valid = kAllLanes;
  const auto each = [&](auto from) {
    for (int i = 0; i < kLanes; ++i) {
      const int source = from(i);
      if (source < 0) p.valid &= ~(u64{1} << i);
      p.from[i] = static_cast<u8>(source < 0 ? 0 : source);
    }
  };
  const auto in_row = [](int i, int position) { return position < 0 || position > 15 ? -1 : i / 16 * 16 + position; };
  const auto number = [&](const char* name) { return static_cast<int>(build.number(name)); };
  if (build.has("quad_perm")) {
    const std::vector<int> quad = build.list("quad_perm", 4);
    each([&](int i) { return i / 4 * 4 + quad[static_cast<size_t>(i % 4)]; });
  } else if (build.has("row_shl")) {
    each([&, n = number("row_shl")](int i) { return in_row(i, i % 16 + n); });
  } else if (build.has("row_shr")) {
    each([&, n = number("row_shr")](int i) { return in_row(i, i % 16 - n); });
  } else if (build.has("row_ror")) {
    each([&, n = number("row_ror")](int i) { return in_row(i, (i % 16 + 16 - n) % 16); });
  } else if (build.has("row_newbcast")) {
    each([&, n = number("row_newbcast")](int i) { return in_row(i, n); });
  } else if (build.has("row_mirror")) {
    each([&](int i) { return in_row(i, 15 - i % 16); });
  } else if (build.has("row_half_mirror")) {
    each([&](int i) { return i / 8 * 8 + 7 - i % 8; });
  } else if (build.has("row_bcast")) {
    const int n = number("row_bcast");
    if (n == 15) each([](int i) { return i / 16 * 16 - 1; });
    else if (n == 31) each([](int i) { return i < 32 ? -1 : 31; });
    else not_implemented("row_bcast");
  } else if (build.has("wave_shl")) {
    each([](int i) { return i == 63 ? -1 : i + 1; });
  } else if (build.has("wave_shr")) {
    each([](int i) { return i - 1; });
  } else if (build.has("wave_rol")) {
    each([](int i) { return (i + 1) % 64; });
  } else if (build.has("wave_ror")) {
    each([](int i) { return (i + 63) % 64; });
  } else {
    not_implemented("this DPP control");
  }
  const int64_t rows = build.number("row_mask", 15), banks = build.number("bank_mask", 15);
  for (int i = 0; i < kLanes; ++i)
    if (rows >> i / 16 & 1 && banks >> i / 4 % 4 & 1) p.written |= u64{1} << i;
  p.zeros = build.has("bound_ctrl");
  return &build.program.permutations.emplace_back(p);
}

struct Modifiers {
  std::vector<int> half, high_half, negative_low, negative_high;
};

void set_signs(Source& s, const Operand& operand) {
  const u32 sign = is_16_bit(s.type) || (s.type == 'm' && s.is_half) ? 0x8000u : kSign;
  if (operand.absolute) s.keep[0] = ~sign;
  if (operand.negative) s.flip[0] = sign;
  if (operand.absolute || operand.negative) s.changed = true;
}

Source vector_source(Build& build, const Operand& operand, char type, size_t k, const Modifiers& mods, const Permutation* lanes) {
  if (type == 'M') {
    Source s;
    s.kind = Source::kLaneMask;
    s.type = 'M';
    s.index = scalar_of(operand);
    return s;
  }
  const bool mixed_half = type == 'm' && mods.high_half[k] != 0;
  Source s = source_of(operand, mixed_half ? 'h' : type);
  s.type = type;
  if (is_packed(type) || type == 'Q') {
    if (operand.negative || operand.absolute) not_implemented("a sign of a packed source");
    s.low_half = static_cast<u8>(mods.half[k]);
    s.high_half = static_cast<u8>(mods.high_half[k]);
    if (type == 'Q' && s.kind == Source::kConstant) s.constant[1] = s.constant[0];
    if (type == 'Q' && operand.words == 1 && s.kind != Source::kConstant) {
      if (s.low_half != 0 || s.high_half != 0) not_implemented("a packed f32 of one register");
      s.words = 1;
    }
    const u32 sign = type == 'Q' ? kSign : 0x8000u;
    s.flip[0] = mods.negative_low[k] ? sign : 0;
    s.flip[1] = mods.negative_high[k] ? sign : 0;
    s.changed = s.low_half != 0 || s.high_half != 1 || s.flip[0] != 0 || s.flip[1] != 0;
    return s;
  }
  s.is_half = mixed_half;
  if (mixed_half) {
    s.changed = true;
    s.shift = mods.half[k] ? 16 : 0;
    s.bits = 16;
  } else if (type != 'm' && mods.half[k] != 0) {
    if (is_wide(type) || type == 'f' || type == 'F') not_implemented("op_sel of a source of 32 bits");
    s.changed = true;
    s.shift = 16;
    s.bits = 16;
  }
  if (build.in.form == "sdwa") {
    const auto [shift, bits] = selected(build.value("src" + std::to_string(k) + "_sel"));
    if (bits < 32) {
      s.changed = true;
      s.shift = shift;
      s.bits = bits;
      s.extended = operand.sign_extend;
    } else if (operand.sign_extend) {
      not_implemented("sext of a whole register");
    }
  } else if (operand.sign_extend) {
    not_implemented("sext");
  }
  if (lanes != nullptr && k == 0) {
    if (s.words > 1) not_implemented("DPP of 64 bits");
    s.lanes = lanes;
    s.changed = true;
  }
  set_signs(s, operand);
  return s;
}

void set_result(Build& build, const VectorEntry& entry, size_t sources, const std::vector<int>& half) {
  Operation& o = build.out;
  o.result = entry.result[0];
  const bool with_op_sel = build.in.has("op_sel") && half.size() == sources + 1 && !is_packed(o.result) && o.result != 'Q';
  const bool high = with_op_sel && half[sources] != 0;
  if (o.result == 'k' || (with_op_sel && is_16_bit(o.result))) {
    o.bits = 16;
    o.unused = 2;
    o.shift = high || build.in.name == "v_fma_mixhi_f16" ? 16 : 0;
    o.direct = false;
  } else if (high) {
    not_implemented("op_sel of the result");
  }
  if (o.result == 'h' || o.result == 'w') o.direct = false;
  if (build.in.form == "sdwa" && o.result != 'M') {
    const auto [shift, bits] = selected(build.value("dst_sel"));
    const std::string_view unused = build.value("dst_unused");
    if (bits < 32) {
      o.shift = shift;
      o.bits = bits;
      o.unused = unused == "UNUSED_PRESERVE" ? 2 : unused == "UNUSED_SEXT" ? 1 : 0;
      o.direct = false;
    }
  }
  if (build.has("clamp") && std::string_view(entry.name).substr(std::string_view(entry.name).size() - 6) != "_clamp") {
    if (!std::strchr("fhkPQ", o.result) || (o.result == 'k' && build.in.name.find("f16") == std::string::npos)) not_implemented("clamp of this type");
    o.clamp = true;
    o.direct = false;
  }
  const int64_t times = build.number("mul", 1), by = build.number("div", 1);
  if (times != 1 || by != 1) {
    if (o.result != 'f') not_implemented("an output modifier of this type");
    o.output_modifier = times == 2 ? 1 : times == 4 ? 2 : 3;
    o.direct = false;
  }
}

const Operation* approximate(Wave& w, const Operation* o) {
  ++w.launch->device->approximate_count[o->code];
  return w.launch->lanes->vector(w, o);
}

}  // namespace

bool build_vector(Build& build, const VectorEntry* entries, size_t count) {
  static std::mutex mutex;
  static std::map<const VectorEntry*, std::map<std::string, const VectorEntry*>> tables;
  std::string name = build.in.name;
  const VectorEntry* entry = nullptr;
  {
    const std::lock_guard<std::mutex> lock(mutex);
    auto& table = tables[entries];
    if (table.empty())
      for (size_t i = 0; i < count; ++i) table[entries[i].name] = entries + i;
    const bool sets_exec = name.substr(0, 7) == "v_cmpx_";
    const bool accumulates = name.substr(0, 6) == "v_fmac", has_constant = name.substr(0, 7) == "v_fmamk" || name.substr(0, 7) == "v_fmaak";
    if (sets_exec) name = "v_cmp_" + name.substr(7);
    if (accumulates) name = "v_fma" + name.substr(6);
    if (has_constant) name = "v_fma" + name.substr(7);
    const auto clamped = build.in.has("clamp") ? table.find(name + "_clamp") : table.end();
    const auto found = clamped != table.end() ? clamped : table.find(name);
    if (found == table.end()) return false;
    entry = found->second;
  }
  Operation& o = build.out;
  std::vector<Operand> operands = build.in.operands;
  if (operands.empty()) not_implemented("an instruction without operands");
  if (build.in.name.substr(0, 6) == "v_fmac") operands.push_back(operands[0]);
  size_t next = 0;
  if (entry->result[0] != 'M') o.row = row_of(operands[next++]);
  const bool gives_bits = std::strchr(entry->result, 'M') != nullptr;
  if (gives_bits) o.mask = scalar_of(operands.at(next++));
  if (build.in.name.substr(0, 7) == "v_cmpx_" && o.mask != kExec) {
    not_implemented("v_cmpx with another destination");
  }
  operands.erase(operands.begin(), operands.begin() + static_cast<std::ptrdiff_t>(next));
  const size_t sources = std::strlen(entry->types);
  if (name.substr(0, 11) == "v_div_fmas_") {
    Operand vcc;
    vcc.kind = Operand::Kind::kScalar;
    vcc.index = kVcc;
    vcc.words = 2;
    operands.push_back(vcc);
  }
  if (name.substr(0, 9) == "v_bitop3_") {
    if (build.in.has("op_sel")) not_implemented("op_sel of a truth table");
    Operand table;
    table.kind = Operand::Kind::kNumber;
    table.text = std::to_string(build.number("bitop3"));
    operands.push_back(table);
  }
  if (operands.size() != sources) not_implemented("expected " + std::to_string(sources) + " sources, got " + std::to_string(operands.size()));

  Modifiers mods;
  const bool packed = sources != 0 && (is_packed(entry->types[0]) || entry->types[0] == 'Q');
  mods.half = build.list("op_sel", sources);
  mods.high_half = packed || entry->types[0] == 'm' ? build.list("op_sel_hi", sources, packed ? 1 : 0) : std::vector<int>(sources, 0);
  mods.negative_low = packed ? build.list("neg_lo", sources) : std::vector<int>(sources, 0);
  mods.negative_high = packed ? build.list("neg_hi", sources) : std::vector<int>(sources, 0);
  if (name == "v_pk_mov_b32") mods.high_half = mods.half;  // here op_sel selects the word of each source
  const Permutation* lanes = build.in.form.find("dpp") != std::string::npos ? permutation_of(build) : nullptr;
  for (size_t k = 0; k < sources; ++k) o.source[k] = vector_source(build, operands[k], entry->types[k], k, mods, lanes);
  o.sources = static_cast<u8>(sources);
  o.words = entry->result[0] == 'M' ? 0 : is_wide(entry->result[0]) ? 2 : 1;
  o.body = entry->body;
  set_result(build, *entry, sources, mods.half);
  if (lanes != nullptr) o.direct = false;
  if (gives_bits && build.in.form.find("dpp") != std::string::npos) not_implemented("DPP of a result for each lane's bit");
  o.is_approximate = entry->is_approximate;
  if (entry->is_approximate) {
    o.run = approximate;
    o.code = static_cast<u16>(Device::approximate_index(entry->name));
  }
  return true;
}

// ---- instructions that exchange data between lanes
namespace {

const Operation* read_first_lane(Wave& w, const Operation* o) {
  const u64 e = exec(w);
  w.s[o->scalar] = row(w, o->source[0].index)[e == 0 ? 0 : __builtin_ctzll(e)];
  return o + o->slots;
}
const Operation* read_lane(Wave& w, const Operation* o) {
  w.s[o->scalar] = row(w, o->source[0].index)[low_word(w, o->source[1]) & 63];
  return o + o->slots;
}
const Operation* write_lane(Wave& w, const Operation* o) {
  row(w, o->row)[low_word(w, o->source[1]) & 63] = low_word(w, o->source[0]);
  return o + o->slots;
}
const Operation* swap(Wave& w, const Operation* o) {
  u32 *a = row(w, o->row), *b = row(w, o->data);
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) std::swap(a[__builtin_ctzll(rest)], b[__builtin_ctzll(rest)]);
  return o + o->slots;
}
/// Swaps odd rows of n lanes of the first register with even rows of the second.
template <int n>
const Operation* permlane_swap(Wave& w, const Operation* o) {
  if (exec(w) != kAllLanes) throw Fault("v_permlane swap under a mask of lanes is not implemented");
  u32 *a = row(w, o->row), *b = row(w, o->data);
  for (int i = 0; i < kLanes; ++i)
    if (i / n % 2 == 1) std::swap(a[i], b[i - n]);
  return o + o->slots;
}

const Operation* nothing(Wave&, const Operation* o) { return o + o->slots; }

}  // namespace

bool build_lane_exchange(Build& build) {
  const std::string& name = build.in.name;
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  if (name == "v_nop") {
    o.run = nothing;
  } else if (name == "v_readfirstlane_b32" || name == "v_readlane_b32") {
    o.run = name == "v_readlane_b32" ? read_lane : read_first_lane;
    o.scalar = scalar_of(operands.at(0));
    if (!operands.at(1).is_row()) not_implemented("a scalar source");
    o.source[0] = source_of(operands.at(1), 'b');
    if (name == "v_readlane_b32") o.source[1] = source_of(operands.at(2), 'b');
  } else if (name == "v_writelane_b32") {
    o.run = write_lane;
    o.row = row_of(operands.at(0));
    o.source[0] = source_of(operands.at(1), 'b');
    o.source[1] = source_of(operands.at(2), 'b');
  } else if (name == "v_swap_b32" || name == "v_permlane32_swap_b32" || name == "v_permlane16_swap_b32") {
    o.run = name == "v_swap_b32" ? swap : name == "v_permlane32_swap_b32" ? permlane_swap<32> : permlane_swap<16>;
    o.row = row_of(operands.at(0));
    o.data = row_of(operands.at(1));
  } else {
    return false;
  }
  return true;
}

// Matrix instructions (MFMA). The tensor-core emulator of kernels/units does the arithmetic; this file defines the register
// layouts. Each lane holds one row of A, one row of B, and K / groups consecutive elements along k of each, where groups = 64 /
// rows. EXEC is ignored.
// Source: AMD Matrix Instruction Calculator; CDNA3 ISA 7.1.5.

namespace {

namespace units = assay_kernels::units;

// 32 x 32 instructions have half the k of 16 x 16 ones. Those of gfx950 on int8 have twice the k of gfx942's.
struct F16Wide : units::JoinedUnit<units::F16, 8, 8> {};
struct Bf16Wide : units::JoinedUnit<units::Bf16, 8, 8, 128> {};
struct Xf32Wide : units::JoinedUnit<units::Tf32, 4, 4, 128> {};
template <class A, class B>
struct SplitWide : units::SplitUnit<A, B> {
  static constexpr int kK = 16;
};
template <int kLength>
struct Int8 : units::IntegerUnit<units::MfmaTile> {
  static constexpr int kK = kLength;
};

/// Sources: 0 is A, 1 is B, 2 is C. The result has kSize rows and columns.
template <class U, int kSize>
const Operation* multiply(Wave& w, const Operation* o) {
  constexpr int kGroups = kLanes / kSize, kRegisters = kSize * kSize / kLanes;
  constexpr int kRowBytes = U::kK * U::A::kMemoryBits / 8, kColumnBytes = U::kK * U::B::kMemoryBits / 8;
  const auto gather = [&](const Source& s, int line, uint8_t* to, int bytes) {
    const int part = bytes / kGroups;
    for (int g = 0; g < kGroups; ++g) {
      const u32* lane = row(w, s.index) + line + kSize * g;
      for (int k = 0; k < part; k += 4) std::memcpy(to + part * g + k, lane + kLanes * (k / 4), static_cast<size_t>(part - k < 4 ? part - k : 4));
    }
  };
  static thread_local units::Row<U, typename U::A> a[kSize];
  static thread_local units::Row<U, typename U::B> b[kSize];
  uint8_t codes[kRowBytes > kColumnBytes ? kRowBytes : kColumnBytes];
  for (int i = 0; i < kSize; ++i) {
    gather(o->source[0], i, codes, kRowBytes);
    a[i].read(codes, nullptr);
    gather(o->source[1], i, codes, kColumnBytes);
    b[i].read(codes, nullptr);
  }
  using D = typename U::D;
  alignas(64) u32 result[kRegisters * kLanes];
  const bool constant = o->source[2].kind == Source::kConstant;
  const u32* c = constant ? nullptr : row(w, o->source[2].index);
  for (int line = 0; line < kSize; ++line)
    for (int column = 0; column < kSize; ++column) {
      const int at = kLanes * (line % 4 + 4 * (line / (4 * kGroups))) + column + kSize * (line / 4 % kGroups);
      const u32 addend = U::template addend<D>(constant ? o->source[2].constant[0] : c[at]);
      result[at] = U::template result<D>(U::template element<U>(a[line].number, b[column].number, a[line].scale, b[column].scale, addend));
    }
  std::memcpy(row(w, o->row), result, sizeof result);
  return o + o->slots;
}

struct Matrix {
  Handler run;
  int a, b, d;  ///< number of registers
};
template <class U, int kSize>
constexpr Matrix matrix() {
  constexpr int kGroups = kLanes / kSize;
  return {multiply<U, kSize>, U::kK * U::A::kMemoryBits / 32 / kGroups, U::kK * U::B::kMemoryBits / 32 / kGroups, kSize * kSize / kLanes};
}

const std::map<std::string, Matrix>& matrices() {
  using namespace units;
  static const std::map<std::string, Matrix> table = {
      {"v_mfma_f32_16x16x16_f16", matrix<Gfx942MfmaF16F32, 16>()},
      {"v_mfma_f32_16x16x16_bf16", matrix<Gfx942MfmaBf16F32, 16>()},
      {"v_mfma_f32_16x16x8_xf32", matrix<Gfx942MfmaXf32F32, 16>()},
      {"v_mfma_f32_16x16x32_fp8_fp8", matrix<Gfx942MfmaE4m3fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_bf8_bf8", matrix<Gfx942MfmaE5m2fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_fp8_bf8", matrix<Gfx942MfmaE4m3fnuzE5m2fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_bf8_fp8", matrix<Gfx942MfmaE5m2fnuzE4m3fnuzF32, 16>()},
      {"v_mfma_i32_16x16x32_i8", matrix<Gfx942MfmaInt8Int32, 16>()},
      {"v_mfma_f32_32x32x8_f16", matrix<F16Wide, 32>()},
      {"v_mfma_f32_32x32x8_bf16", matrix<Bf16Wide, 32>()},
      {"v_mfma_f32_32x32x4_xf32", matrix<Xf32Wide, 32>()},
      {"v_mfma_f32_32x32x16_fp8_fp8", matrix<SplitWide<E4m3fnuz, E4m3fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_bf8_bf8", matrix<SplitWide<E5m2fnuz, E5m2fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_fp8_bf8", matrix<SplitWide<E4m3fnuz, E5m2fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_bf8_fp8", matrix<SplitWide<E5m2fnuz, E4m3fnuz>, 32>()},
      {"v_mfma_i32_32x32x16_i8", matrix<Int8<16>, 32>()},
      {"v_mfma_i32_16x16x64_i8", matrix<Int8<64>, 16>()},  // gfx950
      {"v_mfma_i32_32x32x32_i8", matrix<Int8<32>, 32>()}};  // gfx950
  return table;
}

}  // namespace

bool build_matrix(Build& build) {
  if (build.in.name.compare(0, 7, "v_mfma_") != 0) return false;
  const auto found = matrices().find(build.in.name);
  if (found == matrices().end()) return false;
  if (build.is_gfx950 && build.in.name.compare(0, 11, "v_mfma_i32_") != 0)
    not_implemented("the arithmetic of gfx950's matrix instructions is not documented");
  const Matrix& matrix = found->second;
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  o.run = matrix.run;
  o.row = row_of(operands.at(0));
  for (size_t k = 0; k < 3; ++k) o.source[k] = source_of(operands.at(k + 1), 'f');
  const bool sizes = operands[0].words == matrix.d && operands[1].words == matrix.a && operands[2].words == matrix.b;
  if (!sizes || o.source[0].kind != Source::kRow || o.source[1].kind != Source::kRow || o.source[2].kind == Source::kScalar)
    not_implemented("these operands of a matrix instruction");
  return true;
}

}  // namespace assay_gcn
