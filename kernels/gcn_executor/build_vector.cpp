// Vector ALU instructions: converts operands and modifiers to sources of the types that vector_table.inc gives.
#include <cstring>
#include <map>
#include <mutex>

#include "kernels/gcn_executor/program.h"

namespace assay_gcn {
namespace {

constexpr u32 kSign = 0x80000000u;

bool is_wide(char type) { return type == 'd' || type == 'q' || type == 'Q'; }
bool is_packed(char type) { return type == 'P' || type == 'I'; }
bool is_16_bit(char type) { return type == 'h' || type == 'w' || type == 'k' || type == 'j'; }

/// Returns the first bit and the number of bits that an SDWA selector ("BYTE_1", "WORD_0", "DWORD") names.
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
    else not_implemented("row_bcast other than 15 and 31");
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
  int byte = 0;  ///< index of the byte, for a source or result of type n
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
    if (operand.negative || operand.absolute) not_implemented("a sign modifier on a packed source");
    s.low_half = static_cast<u8>(mods.half[k]);
    s.high_half = static_cast<u8>(mods.high_half[k]);
    if (type == 'Q' && s.kind == Source::kConstant) s.constant[1] = s.constant[0];
    if (type == 'Q' && operand.words == 1 && s.kind != Source::kConstant) {
      if (s.low_half != 0 || s.high_half != 0) not_implemented("op_sel or op_sel_hi other than 0 for a packed f32 source in a single register");
      s.words = 1;
    }
    const u32 sign = type == 'Q' ? kSign : 0x8000u;
    s.flip[0] = mods.negative_low[k] ? sign : 0;
    s.flip[1] = mods.negative_high[k] ? sign : 0;
    s.changed = s.low_half != 0 || s.high_half != 1 || s.flip[0] != 0 || s.flip[1] != 0;
    return s;
  }
  s.is_half = mixed_half;
  if (type == 'n') {
    s.changed = true;
    s.shift = static_cast<u8>(8 * mods.byte);
    s.bits = 8;
  } else if (mixed_half) {
    s.changed = true;
    s.shift = mods.half[k] ? 16 : 0;
    s.bits = 16;
  } else if (type != 'm' && mods.half[k] != 0) {
    if (is_wide(type) || type == 'f' || type == 'F') not_implemented("op_sel of a 32-bit or 64-bit source");
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
      not_implemented("sext of a whole register (expected a part, which SDWA selects)");
    }
  } else if (operand.sign_extend) {
    not_implemented("sext without SDWA");
  }
  if (lanes != nullptr && k == 0) {
    if (s.words > 1) not_implemented("DPP of a 64-bit source");
    s.lanes = lanes;
    s.changed = true;
  }
  set_signs(s, operand);
  return s;
}

void set_result(Build& build, const VectorEntry& entry, size_t sources, const Modifiers& mods) {
  Operation& o = build.out;
  const std::vector<int>& half = mods.half;
  o.result = entry.result[0];
  if (o.result == 'n') {
    if (build.has("clamp")) not_implemented("clamp on an instruction with this result type");
    o.bits = 8;
    o.unused = 2;
    o.shift = static_cast<u8>(8 * mods.byte);
    o.direct = false;
    return;
  }
  const bool with_op_sel = build.in.has("op_sel") && half.size() == sources + 1 && !is_packed(o.result) && o.result != 'Q';
  const bool high = with_op_sel && half[sources] != 0;
  if (o.result == 'k' || o.result == 'j' || (with_op_sel && is_16_bit(o.result))) {
    o.bits = 16;
    o.unused = 2;
    o.shift = high || build.in.name == "v_fma_mixhi_f16" ? 16 : 0;
    o.direct = false;
  } else if (high) {
    not_implemented("op_sel on an instruction with this result type");
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
    if (!std::strchr("fhkPQ", o.result)) not_implemented("clamp on an instruction with this result type");
    o.clamp = true;
    o.direct = false;
  }
  const int64_t times = build.number("mul", 1), by = build.number("div", 1);
  if (times != 1 || by != 1) {
    if (o.result != 'f') not_implemented("an output modifier (mul or div) on an instruction with this result type");
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
    const bool accumulates = name.substr(0, 6) == "v_fmac",
               has_constant = name.substr(0, 7) == "v_fmamk" || name.substr(0, 7) == "v_fmaak";
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
    not_implemented("v_cmpx with a destination other than exec");
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
    if (build.in.has("op_sel")) not_implemented("op_sel of v_bitop3");
    Operand table;
    table.kind = Operand::Kind::kNumber;
    table.text = std::to_string(build.number("bitop3"));
    operands.push_back(table);
  }
  if (operands.size() != sources)
    not_implemented("expected " + std::to_string(sources) + " sources, got " + std::to_string(operands.size()));

  Modifiers mods;
  const bool packed = sources != 0 && (is_packed(entry->types[0]) || entry->types[0] == 'Q');
  mods.half = build.list("op_sel", sources);
  mods.high_half =
      packed || entry->types[0] == 'm' ? build.list("op_sel_hi", sources, packed ? 1 : 0) : std::vector<int>(sources, 0);
  mods.negative_low = packed ? build.list("neg_lo", sources) : std::vector<int>(sources, 0);
  mods.negative_high = packed ? build.list("neg_hi", sources) : std::vector<int>(sources, 0);
  if (entry->types[0] == 'n') {  // for type n, op_sel is the index of the byte
    mods.byte = mods.half[0] + 2 * mods.half[1];
    mods.half[0] = mods.half[1] = 0;
  } else if (entry->result[0] == 'n') {
    mods.half.resize(4);
    mods.byte = mods.half[2] + 2 * mods.half[3];
    mods.half[2] = mods.half[3] = 0;
  }
  if (name == "v_pk_mov_b32") mods.high_half = mods.half;  // here op_sel selects the word of each source
  const Permutation* lanes = build.in.form.find("dpp") != std::string::npos ? permutation_of(build) : nullptr;
  for (size_t k = 0; k < sources; ++k) o.source[k] = vector_source(build, operands[k], entry->types[k], k, mods, lanes);
  o.sources = static_cast<u8>(sources);
  o.words = entry->result[0] == 'M' ? 0 : is_wide(entry->result[0]) ? 2 : 1;
  o.body = entry->body;
  set_result(build, *entry, sources, mods);
  if (lanes != nullptr) o.direct = false;
  if (gives_bits && build.in.form.find("dpp") != std::string::npos) not_implemented("DPP on an instruction that returns one bit per lane");
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
/// Splits both registers into rows of n lanes. Swaps odd rows of the first register with even rows of the second.
template <int n>
const Operation* permlane_swap(Wave& w, const Operation* o) {
  if (exec(w) != kAllLanes) throw Fault("not implemented: a v_permlane swap with inactive lanes");
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
    if (!operands.at(1).is_row()) not_implemented("a scalar source of a readlane instruction");
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

}  // namespace assay_gcn
