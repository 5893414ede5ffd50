// Memory instructions: loads, stores and atomics of global, flat, scratch and buffer memory, LDS instructions, and the lane
// exchanges that use the LDS crossbar. First each lane's address is bounds-checked and becomes a host pointer. Then the data move
// in the same way for all address spaces.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/program.h"

namespace assay_gcn {
namespace {

constexpr u32 kLeastWide = 4;

/// The lanes' addresses. Source 0 is vaddr. Source 1 is the scalar base; without one, vaddr has two registers per address.
struct Addresses {
  u64 of[kLanes];
};

inline u64 base_of(const Wave& w, const Operation* o) {
  return wide_word(w, o->source[1]) + static_cast<u64>(static_cast<int64_t>(o->offset));
}

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

/// Sets at[i] to the host pointer of each active lane i. Throws Fault for an address outside every buffer.
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
      throw Fault(std::string(writes ? "store to " : "load of ") + memory.describe(a.of[i], bytes) + ", lane " +
                  std::to_string(i));
    at[i] = reinterpret_cast<u8*>(a.of[i]);
  }
  if (w.launch->races != nullptr) {
    for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
      const u64 address = a.of[__builtin_ctzll(rest)];
      w.launch->races->access(w, o, *memory.find(address, bytes), address, bytes,
                              writes ? RaceDetector::kWrite : RaceDetector::kRead, (o->code & kScoped) != 0);
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
        w.launch->races->access(w, o, *buffer, base + bytes * static_cast<u64>(__builtin_ctzll(rest)), bytes, kind,
                                (o->code & kScoped) != 0);
  }
  return true;
}

template <bool kWrites>
const Operation* global(Wave& w, const Operation* o);

/// A load of agent or system scope may belong to a loop that waits for another wave, so other waves may run after it.
const Operation* polling_load(Wave& w, const Operation* o) {
  w.pc = global<false>(w, o);
  return nullptr;
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

/// Host pointer to `offset` in a lane's scratch memory. The scratch memory of a lane is contiguous.
u8* scratch_at(Wave& w, const Operation* o, u64 offset, int lane) {
  if (offset + o->bytes > w.scratch_bytes)
    throw Fault("scratch: expected an offset below " + std::to_string(w.scratch_bytes) + ", got " + std::to_string(offset) +
                " in lane " + std::to_string(lane));
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

/// Which lanes of a buffer instruction are in range, and their addresses. Source 0: offset register, or none. Source 1: buffer
/// descriptor in four scalars. Source 2: scalar offset.
struct BufferLanes {
  Addresses a;
  u64 base, records;
  u64 inside = 0;  ///< lanes all of whose bytes are in range
  u64 partly = 0;  ///< lanes whose first word is in range, but not all of their words
};
BufferLanes find_in_buffer(Wave& w, const Operation* o) {
  const u32* descriptor = w.s + o->source[1].index;
  BufferLanes lanes;
  lanes.base = descriptor[0] | static_cast<u64>(descriptor[1] & 0xFFFF) << 32;
  lanes.records = descriptor[2];
  if (descriptor[1] >> 16 & 0x3FFF) throw Fault("a buffer descriptor with a stride is not implemented");
  const u64 moved = low_word(w, o->source[2]);
  const u32* low = o->source[0].kind == Source::kRow ? row(w, o->source[0].index) : nullptr;
  const u32 unit = o->bytes < 4 ? o->bytes : 4;
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    const u64 offset = static_cast<u64>(o->offset) + (low != nullptr ? low[i] : 0) + moved;
    lanes.a.of[i] = lanes.base + offset;
    if (offset + o->bytes <= lanes.records) lanes.inside |= u64{1} << i;
    else if (offset + unit <= lanes.records) lanes.partly |= u64{1} << i;
  }
  return lanes;
}

/// Words out of range read as 0 and are not written.
template <bool kWrites>
const Operation* buffer(Wave& w, const Operation* o) {
  const BufferLanes lanes = find_in_buffer(w, o);
  const u32 unit = o->bytes < 4 ? o->bytes : 4;
  alignas(16) u8 outside[kLanes][16] = {};
  u8* at[kLanes];
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    at[i] = outside[i];
  }
  if (lanes.inside != 0) resolve_global(w, o, lanes.a, lanes.inside, at, kWrites);
  for (u64 rest = lanes.partly; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    const u64 offset = lanes.a.of[i] - lanes.base, whole = (lanes.records - offset) / unit * unit;
    u8* const from = reinterpret_cast<u8*>(lanes.a.of[i]);
    if (w.launch->memory->find(lanes.a.of[i], whole) == nullptr)
      throw Fault("buffer access to " + w.launch->memory->describe(lanes.a.of[i], whole));
    if (!kWrites) std::memcpy(outside[i], from, whole);
    else
      for (u64 k = 0; k < whole / 4; ++k) std::memcpy(from + 4 * k, &row(w, o->data + static_cast<u32>(k))[i], 4);
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

/// A lane that is out of range changes nothing.
const Operation* buffer_atomic(Wave& w, const Operation* o) {
  const BufferLanes lanes = find_in_buffer(w, o);
  if (lanes.inside == 0) return o + o->slots;
  u8* at[kLanes];
  resolve_global(w, o, lanes.a, lanes.inside, at, true);
  atomic_lanes(w, o, lanes.inside, at);
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
  for (const auto& [text, value] :
       {std::pair{"global_", kGlobal}, {"flat_", kFlat}, {"scratch_", kScratch}, {"buffer_", kBuffer}})
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
    if (sc0) o.unused = 1;  // returns the previous value
  } else {
    return false;
  }

  if (space == kBuffer) {
    if (is_atomic && o.unused == 1) not_implemented("a buffer atomic that returns the previous value");
    if (o.code & kToLds) not_implemented("a buffer load to LDS");
    o.run = is_atomic ? buffer_atomic : is_store ? buffer<true> : buffer<false>;
    o.data = row_of(operands.at(0));
    const bool moves = build.has("offen");
    o.source[0].kind = Source::kConstant;
    if (moves) o.source[0] = source_of(operands.at(1), 'b');
    o.source[1] = source_of(operands.at(2), 'q');
    o.source[2] = source_of(operands.at(3), 'b');
    if (o.source[1].kind != Source::kScalar) not_implemented("a buffer descriptor that is not in scalar registers");
    return true;
  }
  // Operand order. Loads: vdst, vaddr, saddr. Stores: vaddr, data, saddr. Atomics with a result: vdst, vaddr, data, saddr. Loads
  // to LDS: vaddr, saddr.
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
  if (next != operands.size()) not_implemented("more operands than the executor knows for this instruction");
  if (address.text == "off") {
    if (space != kScratch) not_implemented("a global or flat access without an address");
    o.source[0].kind = Source::kConstant;
  } else {
    o.source[0] = source_of(address, 'b');
    o.source[0].words = static_cast<u8>(address.words);
    if (o.source[0].kind != Source::kRow) not_implemented("an address that is not in vector registers");
  }
  if (space == kScratch) o.run = is_store ? scratch<true> : scratch<false>;
  else if (is_atomic) o.run = global_atomic;
  else if (space == kFlat) o.run = is_store ? flat<true> : flat<false>;
  else o.run = is_store ? global<true> : sc1 && !(o.code & kToLds) ? polling_load : global<false>;
  if (is_atomic && space == kScratch) return false;
  return true;
}

// LDS instructions, and lane exchanges through the LDS crossbar.

namespace {

template <bool kWrites>
bool move_contiguous(Wave& w, const Operation* o, const u32* address, u32* data, u32 moved) {
  const u64 e = exec(w);
  const u32 bytes = o->bytes;
  const u32 first = static_cast<u32>(__builtin_ctzll(e)), last = 63 - static_cast<u32>(__builtin_clzll(e));
  const u32 start = address[first] - bytes * first;
  if (start > address[first] || !w.launch->lanes->contiguous(w, address, nullptr, start, bytes)) return false;
  std::vector<u8>& lds = w.group->lds;
  const u64 from = u64{address[first]} + moved, count = u64{bytes} * (last - first + 1);
  if (from + count > lds.size() || u64{start} + moved > ~0u) return false;
  u8* const at = lds.data() + (static_cast<int64_t>(u64{start}) + static_cast<int64_t>(moved));
  if (w.launch->races != nullptr) {
    const auto kind = kWrites ? RaceDetector::kWrite : RaceDetector::kRead;
    if (e == kAllLanes) w.launch->races->access(w, o, w.group->touches, from, count, kind, false, nullptr);
    else
      for (u64 rest = e; rest != 0; rest &= rest - 1)
        w.launch->races->access(w, o, w.group->touches, u64{address[__builtin_ctzll(rest)]} + moved, bytes, kind, false, nullptr);
  }
  if constexpr (kWrites) w.launch->lanes->store(w, data, at, bytes / 4);
  else w.launch->lanes->load(w, data, at, bytes / 4);
  return true;
}

/// Moves o->bytes of each active lane between the row `data` and LDS, at the lane's address plus `moved` bytes.
template <bool kWrites>
void move_row(Wave& w, const Operation* o, const u32* address, u32* data, u32 moved) {
  if (o->bytes >= 4 && move_contiguous<kWrites>(w, o, address, data, moved)) return;
  u8* at[kLanes];
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    at[i] = lds_at(w, o, address[i] + moved, i, kWrites);
  }
  if (data == row(w, o->data)) {
    move_lanes<kWrites>(w, o, exec(w), at);
    return;
  }
  const u32 words = o->bytes / 4u;
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    for (u32 k = 0; k < words; ++k) {
      if (kWrites) std::memcpy(at[i] + 4 * k, data + kLanes * k + i, 4);
      else std::memcpy(data + kLanes * k + i, at[i] + 4 * k, 4);
    }
  }
}

template <bool kWrites>
const Operation* one(Wave& w, const Operation* o) {
  if (exec(w) != 0) {
    alignas(64) u32 address[kLanes];  // a copy, because a load may overwrite its address register
    std::memcpy(address, row(w, o->source[0].index), sizeof address);
    move_row<kWrites>(w, o, address, row(w, o->data), static_cast<u32>(o->offset));
  }
  return o + o->slots;
}
/// ds_read2 and ds_write2: two accesses per lane. For ds_write2, o->row is the register of the second data operand.
template <bool kWrites>
const Operation* two(Wave& w, const Operation* o) {
  if (exec(w) == 0) return o + o->slots;
  alignas(64) u32 address[kLanes];
  std::memcpy(address, row(w, o->source[0].index), sizeof address);
  u32* const first = row(w, o->data);
  u32* const second = kWrites ? row(w, o->row) : first + kLanes * (o->bytes / 4u);
  move_row<kWrites>(w, o, address, first, static_cast<u32>(o->offset));
  move_row<kWrites>(w, o, address, second, static_cast<u32>(o->offset2));
  return o + o->slots;
}

/// ds_read_b64_tr_b16, _b8, _b4: sixteen lanes read a row-major matrix with 16 columns, 64 bits per lane; lane c gets column c.
const Operation* transposed(Wave& w, const Operation* o) {
  if (exec(w) != kAllLanes) throw Fault("not implemented: a transposed read with inactive lanes");
  const u32* address = row(w, o->source[0].index);
  u64 read[kLanes];
  for (int i = 0; i < kLanes; ++i) std::memcpy(&read[i], lds_at(w, o, address[i] + static_cast<u32>(o->offset), i, false), 8);
  u32* const low = row(w, o->data);
  const int bits = o->offset2, in_lane = 64 / bits, lanes_of_row = 16 / in_lane;
  for (int i = 0; i < kLanes; ++i) {
    u64 column = 0;
    for (int k = 0; k < in_lane; ++k) {
      const int from = i / 16 * 16 + lanes_of_row * k + i % 16 / in_lane;
      column |= (read[from] >> (i % in_lane * bits) & ((u64{1} << bits) - 1)) << (k * bits);
    }
    low[i] = static_cast<u32>(column);
    low[i + kLanes] = static_cast<u32>(column >> 32);
  }
  return o + o->slots;
}

const Operation* lds_atomic(Wave& w, const Operation* o) {
  u8* at[kLanes];
  const u32* address = row(w, o->source[0].index);
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    at[i] = lds_at(w, o, address[i] + static_cast<u32>(o->offset), i, true);
  }
  atomic_lanes(w, o, exec(w), at);
  return o + o->slots;
}

/// Each lane reads the data of the lane that its address names (in units of 4 bytes). An inactive lane's data read as 0.
const Operation* ds_bpermute_b32(Wave& w, const Operation* o) {
  const u32 *address = row(w, o->source[0].index), *data = row(w, o->data);
  alignas(64) u32 r[kLanes];
  const u64 e = exec(w);
  for (int i = 0; i < kLanes; ++i) {
    const u32 from = (address[i] + static_cast<u32>(o->offset)) >> 2 & 63;
    r[i] = e >> from & 1 ? data[from] : 0;
  }
  w.launch->lanes->write(w, row(w, o->row), r);
  return o + o->slots;
}
const Operation* ds_permute_b32(Wave& w, const Operation* o) {
  const u32 *address = row(w, o->source[0].index), *data = row(w, o->data);
  alignas(64) u32 r[kLanes] = {};
  for (u64 rest = exec(w); rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    r[(address[i] + static_cast<u32>(o->offset)) >> 2 & 63] = data[i];
  }
  w.launch->lanes->write(w, row(w, o->row), r);
  return o + o->slots;
}
/// Lane i reads the data of lane o->source[1].lanes->from[i].
const Operation* ds_swizzle_b32(Wave& w, const Operation* o) {
  const u32* data = row(w, o->source[0].index);
  alignas(64) u32 r[kLanes];
  const u64 e = exec(w);
  for (int i = 0; i < kLanes; ++i) {
    const u32 from = o->source[1].lanes->from[i];
    r[i] = e >> from & 1 ? data[from] : 0;
  }
  w.launch->lanes->write(w, row(w, o->row), r);
  return o + o->slots;
}

/// Operand: offset:swizzle(QUAD_PERM,0,1,2,3), (BITMASK_PERM,"01pip"), (SWAP,16), (BROADCAST,32,0), (REVERSE,8), or a number.
bool build_swizzle(Build& build) {
  Permutation p{};
  const std::string text(build.value("offset"));
  int a = 0, b = 0, c = 0, d = 0;
  char bits[8] = {};
  const auto each = [&](auto from) {
    for (int i = 0; i < kLanes; ++i) p.from[i] = static_cast<u8>(from(i));
  };
  if (std::sscanf(text.c_str(), "swizzle(QUAD_PERM,%d,%d,%d,%d)", &a, &b, &c, &d) == 4) {
    const int quad[4] = {a, b, c, d};
    each([&](int i) { return i / 4 * 4 + quad[i % 4]; });
  } else if (std::sscanf(text.c_str(), "swizzle(BITMASK_PERM,\"%5[01pi]\")", bits) == 1) {
    each([&](int i) {
      int from = i & 32;
      for (int k = 0; k < 5; ++k) {
        const int bit = i >> (4 - k) & 1;
        from |= (bits[k] == '0' ? 0 : bits[k] == '1' ? 1 : bits[k] == 'p' ? bit : 1 - bit) << (4 - k);
      }
      return from;
    });
  } else if (std::sscanf(text.c_str(), "swizzle(SWAP,%d)", &a) == 1) {
    each([&](int i) { return i ^ a; });
  } else if (std::sscanf(text.c_str(), "swizzle(REVERSE,%d)", &a) == 1) {
    each([&](int i) { return i ^ (a - 1); });
  } else if (std::sscanf(text.c_str(), "swizzle(BROADCAST,%d,%d)", &a, &b) == 2) {
    each([&](int i) { return i / a * a + b; });
  } else {
    not_implemented("swizzle " + text);
  }
  build.out.run = ds_swizzle_b32;
  build.out.row = row_of(build.in.operands.at(0));
  build.out.source[0] = source_of(build.in.operands.at(1), 'b');
  build.out.source[1].lanes = &build.program.permutations.emplace_back(p);
  return true;
}

}  // namespace

bool build_lds(Build& build) {
  const std::string& name = build.in.name;
  if (name.compare(0, 3, "ds_") != 0) return false;
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  if (name == "ds_swizzle_b32") return build_swizzle(build);
  if (name == "ds_bpermute_b32" || name == "ds_permute_b32") {
    o.run = name == "ds_bpermute_b32" ? ds_bpermute_b32 : ds_permute_b32;
    o.row = row_of(operands.at(0));
    o.source[0] = source_of(operands.at(1), 'b');
    o.data = row_of(operands.at(2));
    o.offset = static_cast<int>(build.number("offset"));
    return true;
  }
  if (name == "ds_read_b64_tr_b16" || name == "ds_read_b64_tr_b8" || name == "ds_read_b64_tr_b4") {
    o.run = transposed;
    o.bytes = 8;
    o.data = row_of(operands.at(0));
    o.source[0] = source_of(operands.at(1), 'b');
    o.offset = static_cast<int>(build.number("offset"));
    o.offset2 = std::stoi(name.substr(16));
    return true;
  }
  static const std::map<std::string, std::pair<u8, u16>> kSizes = {{"b8", {1, 0}},
                                                                   {"u8", {1, 0}},
                                                                   {"i8", {1, kSigned}},
                                                                   {"b16", {2, 0}},
                                                                   {"u16", {2, 0}},
                                                                   {"i16", {2, kSigned}},
                                                                   {"b32", {4, 0}},
                                                                   {"b64", {8, 0}},
                                                                   {"b96", {12, 0}},
                                                                   {"b128", {16, 0}},
                                                                   {"u8_d16", {1, kLowHalf}},
                                                                   {"u8_d16_hi", {1, kHighHalf}},
                                                                   {"i8_d16", {1, kSigned | kLowHalf}},
                                                                   {"i8_d16_hi", {1, kSigned | kHighHalf}},
                                                                   {"u16_d16", {2, kLowHalf}},
                                                                   {"u16_d16_hi", {2, kHighHalf}},
                                                                   {"b8_d16_hi", {1, kHighHalf}},
                                                                   {"b16_d16_hi", {2, kHighHalf}}};
  const bool writes = name.compare(0, 8, "ds_write") == 0, reads = name.compare(0, 7, "ds_read") == 0;
  if (writes || reads) {
    std::string what = name.substr(writes ? 8 : 7);
    const bool pairs = !what.empty() && what[0] == '2';
    if (pairs) what = what.substr(1);
    const bool far = what.compare(0, 5, "st64_") == 0;
    what = what.substr(far ? 5 : 1);
    const auto found = kSizes.find(what);
    if (found == kSizes.end()) return false;
    o.bytes = found->second.first;
    o.code = found->second.second;
    size_t next = 0;
    if (reads) o.data = row_of(operands.at(next++));
    o.source[0] = source_of(operands.at(next++), 'b');
    if (o.source[0].kind != Source::kRow) not_implemented("an address that is not in vector registers");
    if (writes) o.data = row_of(operands.at(next++));
    if (pairs && writes) o.row = row_of(operands.at(next++));
    if (next != operands.size()) not_implemented("more operands than the executor knows for this instruction");
    const int unit = far ? 64 * o.bytes : o.bytes;
    o.offset = pairs ? static_cast<int>(build.number("offset0")) * unit : static_cast<int>(build.number("offset"));
    o.offset2 = pairs ? static_cast<int>(build.number("offset1")) * unit : 0;
    o.run = pairs ? (writes ? two<true> : two<false>) : (writes ? one<true> : one<false>);
    return true;
  }
  // Parses the rest of ds_add_u32, ds_add_rtn_u32, ds_max_rtn_f64 and so on.
  std::string what = name.substr(3);
  const size_t rtn = what.find("_rtn");
  const bool returns = rtn != std::string::npos;
  if (returns) what.erase(rtn, 4);
  static const std::map<std::string, std::string> kAtomics = {
      {"add_u32", "add"},     {"sub_u32", "sub"},    {"min_u32", "umin"},    {"max_u32", "umax"},    {"min_i32", "smin"},
      {"max_i32", "smax"},    {"and_b32", "and"},    {"or_b32", "or"},       {"xor_b32", "xor"},     {"wrxchg_b32", "swap"},
      {"add_f32", "add_f32"}, {"add_u64", "add_x2"}, {"add_f64", "add_f64"}, {"min_u64", "umin_x2"}, {"max_u64", "umax_x2"},
      {"or_b64", "or_x2"},    {"and_b64", "and_x2"}};
  const auto found = kAtomics.find(what);
  if (found == kAtomics.end() || !set_atomic(o, found->second)) return false;
  o.code |= kScoped;
  o.unused = returns ? 1 : 0;
  size_t next = 0;
  if (returns) o.row = row_of(operands.at(next++));
  o.source[0] = source_of(operands.at(next++), 'b');
  o.data = row_of(operands.at(next++));
  o.offset = static_cast<int>(build.number("offset"));
  o.run = lds_atomic;
  return true;
}

}  // namespace assay_gcn
