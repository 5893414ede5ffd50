// Loads, stores and atomics of global, flat, scratch and buffer memory. Every lane's address is resolved to a pointer first, with bounds; then
// data move, in the same way for all spaces.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/memory_access.h"

namespace assay_gcn {
namespace {

constexpr u32 kLeastWide = 4;

/// vaddr is source 0, its high word the next row if there is no scalar base, which is source 1.
struct Addresses {
  u64 of[kLanes];
};

inline u64 base_of(const Wave& w, const Operation* o) { return wide_word(w, o->source[1]) + static_cast<u64>(static_cast<int64_t>(o->offset)); }

void find_addresses(Wave& w, const Operation* o, Addresses& a) {
  const u32* low = row(w, o->source[0].index);
  const u64 base = base_of(w, o);
  if (o->source[0].words > 1) {
    const u32* high = low + kLanes;
    for (int i = 0; i < kLanes; ++i) a.of[i] = base + (low[i] | static_cast<u64>(high[i]) << 32);
  } else {
    for (int i = 0; i < kLanes; ++i) a.of[i] = base + low[i];
  }
}

/// Pointers of active lanes in global memory.
void resolve_global(Wave& w, const Operation* o, const Addresses& a, u64 lanes, u8** at, bool writes) {
  const u32 bytes = o->bytes;
  u64 least = ~u64{0}, most = 0;
  for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
    const u64 address = a.of[__builtin_ctzll(rest)];
    least = address < least ? address : least;
    most = address > most ? address : most;
  }
  Memory& memory = *w.launch->memory;
  const bool together = memory.find(least, most - least + bytes) != nullptr;
  for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    if (!together && memory.find(a.of[i], bytes) == nullptr)
      throw Fault(std::string(writes ? "store to " : "load of ") + memory.describe(a.of[i], bytes) + ", lane " + std::to_string(i));
    at[i] = reinterpret_cast<u8*>(a.of[i]);
  }
  if (w.launch->races != nullptr) {
    for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
      const u64 address = a.of[__builtin_ctzll(rest)];
      w.launch->races->access(w, o, *memory.find(address, bytes), address, bytes, writes ? RaceDetector::kWrite : RaceDetector::kRead,
                              (o->code & kScoped) != 0);
    }
  }
}

template <bool kWrites>
bool move_contiguous(Wave& w, const Operation* o) {
  const u64 e = exec(w);
  const u32 bytes = o->bytes;
  const u32* low = row(w, o->source[0].index);
  const bool wide = o->source[0].words > 1;
  const u32* high = wide ? low + kLanes : nullptr;
  const int first = __builtin_ctzll(e), last = 63 - __builtin_clzll(e);
  const u64 of_first = low[first] | (wide ? static_cast<u64>(high[first]) << 32 : 0);
  const u64 start = of_first - static_cast<u64>(bytes) * static_cast<u64>(first);
  if (start > of_first || !w.launch->lanes->contiguous(w, low, high, start, bytes)) return false;
  const u64 base = base_of(w, o) + start, from = base + static_cast<u64>(bytes) * static_cast<u64>(first);
  const u64 count = static_cast<u64>(bytes) * static_cast<u64>(last - first + 1);
  Buffer* const buffer = w.launch->memory->find(from, count);
  if (buffer == nullptr) return false;
  u32* const data = row(w, o->data);
  if constexpr (kWrites) w.launch->lanes->store(w, data, reinterpret_cast<void*>(base), bytes / 4);
  else w.launch->lanes->load(w, data, reinterpret_cast<const void*>(base), bytes / 4);
  if (w.launch->races != nullptr) {
    const auto kind = kWrites ? RaceDetector::kWrite : RaceDetector::kRead;
    if (e == kAllLanes) w.launch->races->access(w, o, *buffer, from, count, kind, (o->code & kScoped) != 0);
    else
      for (u64 rest = e; rest != 0; rest &= rest - 1)
        w.launch->races->access(w, o, *buffer, base + bytes * static_cast<u64>(__builtin_ctzll(rest)), bytes, kind, (o->code & kScoped) != 0);
  }
  return true;
}

template <bool kWrites>
const Operation* global(Wave& w, const Operation* o) {
  const u64 e = exec(w);
  if (e == 0) return o + o->slots;
  if (o->bytes >= kLeastWide && !(o->code & kToLds) && move_contiguous<kWrites>(w, o)) return o + o->slots;
  Addresses a;
  u8* at[kLanes];
  find_addresses(w, o, a);
  resolve_global(w, o, a, e, at, kWrites);
  move_lanes<kWrites>(w, o, e, at);
  return o + o->slots;
}

/// Scratch: a lane's bytes are together.
u8* scratch_at(Wave& w, const Operation* o, u64 offset, int lane) {
  if (offset + o->bytes > w.scratch_bytes)
    throw Fault("scratch: expected an offset below " + std::to_string(w.scratch_bytes) + ", got " + std::to_string(offset) + " in lane " + std::to_string(lane));
  return w.scratch + static_cast<size_t>(lane) * w.scratch_bytes + offset;
}

template <bool kWrites>
const Operation* flat(Wave& w, const Operation* o) {
  const u64 e = exec(w);
  if (e == 0) return o + o->slots;
  Addresses a;
  u8* at[kLanes];
  find_addresses(w, o, a);
  u64 global_lanes = 0;
  for (u64 rest = e; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    const u64 high = a.of[i] >> 32;
    if (high == kSharedAperture) at[i] = lds_at(w, o, static_cast<u32>(a.of[i]), i, kWrites);
    else if (high == kPrivateAperture) at[i] = scratch_at(w, o, static_cast<u32>(a.of[i]), i);
    else global_lanes |= u64{1} << i;
  }
  if (global_lanes != 0) resolve_global(w, o, a, global_lanes, at, kWrites);
  move_lanes<kWrites>(w, o, e, at);
  return o + o->slots;
}

template <bool kWrites>
const Operation* scratch(Wave& w, const Operation* o) {
  u8* at[kLanes];
  const bool moves = o->source[0].kind == Source::kRow;
  const u32* low = moves ? row(w, o->source[0].index) : nullptr;
  const u32 base = low_word(w, o->source[1]) + static_cast<u32>(o->offset);
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    at[i] = scratch_at(w, o, base + (moves ? low[i] : 0), i);
  }
  move_lanes<kWrites>(w, o, exec(w), at);
  return o + o->slots;
}

/// Source 0: offset in a register or nothing; 1: descriptor of four scalars; 2: scalar offset. Words outside read 0 and are not written.
template <bool kWrites>
const Operation* buffer(Wave& w, const Operation* o) {
  const u32* descriptor = w.s + o->source[1].index;
  const u64 base = descriptor[0] | static_cast<u64>(descriptor[1] & 0xFFFF) << 32;
  if (descriptor[1] >> 16 & 0x3FFF) throw Fault("a buffer descriptor with a stride is not implemented");
  const u64 records = descriptor[2], moved = low_word(w, o->source[2]);
  const u32* low = o->source[0].kind == Source::kRow ? row(w, o->source[0].index) : nullptr;
  const u32 unit = o->bytes < 4 ? o->bytes : 4;
  alignas(16) u8 outside[kLanes][16] = {};
  u8* at[kLanes];
  u64 inside = 0, partly = 0;
  Addresses a;
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    const u64 offset = static_cast<u64>(o->offset) + (low != nullptr ? low[i] : 0) + moved;
    a.of[i] = base + offset;
    at[i] = outside[i];
    if (offset + o->bytes <= records) inside |= u64{1} << i;
    else if (offset + unit <= records) partly |= u64{1} << i;
  }
  if (inside != 0) resolve_global(w, o, a, inside, at, kWrites);
  for (u64 rest = partly; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    const u64 offset = a.of[i] - base, whole = (records - offset) / unit * unit;
    if (w.launch->memory->find(a.of[i], whole) == nullptr) throw Fault("buffer access to " + w.launch->memory->describe(a.of[i], whole));
    if (!kWrites) std::memcpy(outside[i], reinterpret_cast<const void*>(a.of[i]), whole);
    else
      for (u64 k = 0; k < whole / 4; ++k) std::memcpy(reinterpret_cast<u8*>(a.of[i]) + 4 * k, &row(w, o->data + static_cast<u32>(k))[i], 4);
  }
  move_lanes<kWrites>(w, o, exec(w), at);
  return o + o->slots;
}

// ---- atomics
const Operation* global_atomic(Wave& w, const Operation* o) {
  const u64 e = exec(w);
  if (e == 0) return o + o->slots;
  Addresses a;
  u8* at[kLanes];
  find_addresses(w, o, a);
  resolve_global(w, o, a, e, at, true);
  atomic_lanes(w, o, e, at);
  return o + o->slots;
}

const Operation* acquire(Wave& w, const Operation* o) {
  if (w.launch->races != nullptr) w.launch->races->acquire(*w.group);
  return o + o->slots;
}
const Operation* release(Wave&, const Operation* o) { return o + o->slots; }

int signed_offset(Build& build) {
  const auto offset = build.number("offset");
  return static_cast<int>(offset);
}

}  // namespace

bool build_memory(Build& build) {
  const std::string& name = build.in.name;
  Operation& o = build.out;
  if (name == "buffer_inv" || name == "buffer_wbl2") {
    o.run = name == "buffer_inv" ? acquire : release;
    for (const char* each : {"sc0", "sc1"}) build.has(each);
    return true;
  }
  size_t end = 0;
  enum { kGlobal, kFlat, kScratch, kBuffer } space = kGlobal;
  for (const auto& [text, value] : {std::pair{"global_", kGlobal}, {"flat_", kFlat}, {"scratch_", kScratch}, {"buffer_", kBuffer}})
    if (name.compare(0, std::strlen(text), text) == 0) {
      end = std::strlen(text);
      space = value;
    }
  if (end == 0) return false;
  std::string what = name.substr(end);
  const bool is_store = what.compare(0, 6, "store_") == 0, is_load = what.compare(0, 5, "load_") == 0;
  const bool is_atomic = what.compare(0, 7, "atomic_") == 0;
  what = what.substr(is_store ? 6 : is_load ? 5 : is_atomic ? 7 : 0);
  const bool sc0 = build.has("sc0"), sc1 = build.has("sc1");
  build.has("nt");
  o.offset = signed_offset(build);
  const std::vector<Operand>& operands = build.in.operands;

  if (what.compare(0, 4, "lds_") == 0 || build.has("lds")) {
    o.code |= kToLds;
    if (what.compare(0, 4, "lds_") == 0) what = what.substr(4);
  }
  if (is_load || is_store) {
    if (!set_size(o, what, is_store)) return false;
    if (sc1) o.code |= kScoped;
  } else if (is_atomic) {
    if (!set_atomic(o, what)) return false;
    o.code |= kScoped;
    if (sc0) o.unused = 1;  // returns what was there
  } else {
    return false;
  }

  if (space == kBuffer) {
    if (is_atomic) return false;
    if (o.code & kToLds) not_implemented("a buffer load to LDS");
    o.run = is_store ? buffer<true> : buffer<false>;
    o.data = row_of(operands.at(0));
    const bool moves = build.has("offen");
    o.source[0].kind = Source::kConstant;
    if (moves) o.source[0] = source_of(operands.at(1), 'b');
    o.source[1] = source_of(operands.at(2), 'q');
    o.source[2] = source_of(operands.at(3), 'b');
    if (o.source[1].kind != Source::kScalar) not_implemented("a descriptor that is in no registers");
    return true;
  }
  // Loads: vdst, vaddr, saddr. Stores: vaddr, data, saddr. Atomics with a result: vdst, vaddr, data, saddr. To LDS: vaddr, saddr.
  const bool has_result = (is_load && !(o.code & kToLds)) || (is_atomic && o.unused == 1);
  size_t next = 0;
  if (has_result) (is_atomic ? o.row : o.data) = row_of(operands.at(next++));
  const Operand& address = operands.at(next++);
  if (is_store || is_atomic) o.data = row_of(operands.at(next++));
  o.source[1].kind = Source::kConstant;
  if (next < operands.size()) {
    const Operand& base = operands[next++];
    if (base.text != "off") o.source[1] = source_of(base, space == kScratch ? 'b' : 'q');
  }
  if (next != operands.size()) not_implemented("an operand too many");
  if (address.text == "off") {
    if (space != kScratch) not_implemented("no address");
    o.source[0].kind = Source::kConstant;
  } else {
    o.source[0] = source_of(address, 'b');
    o.source[0].words = static_cast<u8>(address.words);
    if (o.source[0].kind != Source::kRow) not_implemented("an address that is in no register");
  }
  if (space == kScratch) o.run = is_store ? scratch<true> : scratch<false>;
  else if (is_atomic) o.run = global_atomic;
  else if (space == kFlat) o.run = is_store ? flat<true> : flat<false>;
  else o.run = is_store ? global<true> : global<false>;
  if (is_atomic && space == kScratch) return false;
  return true;
}

}  // namespace assay_gcn
