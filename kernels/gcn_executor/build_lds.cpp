// LDS instructions, and exchanges between lanes that go through its crossbar.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/memory_access.h"

namespace assay_gcn {
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

/// One access of each lane at its address + moved.
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
    alignas(64) u32 address[kLanes];  // a load may overwrite its own address
    std::memcpy(address, row(w, o->source[0].index), sizeof address);
    move_row<kWrites>(w, o, address, row(w, o->data), static_cast<u32>(o->offset));
  }
  return o + o->slots;
}
/// ds_read2 and ds_write2. The second data of a write are at `row`.
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

/// Lanes read the data of another lane; those of inactive lanes are 0.
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
/// offset: what lane i reads is from[i] of o->source[1].lanes.
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

/// offset:swizzle(QUAD_PERM,0,1,2,3), (BITMASK_PERM,"01pip"), (SWAP,16), (BROADCAST,32,0), (REVERSE,8), or a number.
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
  static const std::map<std::string, std::pair<u8, u16>> kSizes = {
      {"b8", {1, 0}}, {"u8", {1, 0}}, {"i8", {1, kSigned}}, {"b16", {2, 0}}, {"u16", {2, 0}}, {"i16", {2, kSigned}}, {"b32", {4, 0}}, {"b64", {8, 0}},
      {"b96", {12, 0}}, {"b128", {16, 0}}, {"u8_d16", {1, kLowHalf}}, {"u8_d16_hi", {1, kHighHalf}}, {"i8_d16", {1, kSigned | kLowHalf}},
      {"i8_d16_hi", {1, kSigned | kHighHalf}}, {"u16_d16", {2, kLowHalf}}, {"u16_d16_hi", {2, kHighHalf}}, {"b8_d16_hi", {1, kHighHalf}},
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
    if (o.source[0].kind != Source::kRow) not_implemented("an address that is in no register");
    if (writes) o.data = row_of(operands.at(next++));
    if (pairs && writes) o.row = row_of(operands.at(next++));
    if (next != operands.size()) not_implemented("an operand too many");
    const int unit = far ? 64 * o.bytes : o.bytes;
    o.offset = pairs ? static_cast<int>(build.number("offset0")) * unit : static_cast<int>(build.number("offset"));
    o.offset2 = pairs ? static_cast<int>(build.number("offset1")) * unit : 0;
    o.run = pairs ? (writes ? two<true> : two<false>) : (writes ? one<true> : one<false>);
    return true;
  }
  // ds_add_u32, ds_add_rtn_u32, ds_max_rtn_f64 ...
  std::string what = name.substr(3);
  const size_t rtn = what.find("_rtn");
  const bool returns = rtn != std::string::npos;
  if (returns) what.erase(rtn, 4);
  static const std::map<std::string, std::string> kAtomics = {
      {"add_u32", "add"}, {"sub_u32", "sub"}, {"min_u32", "umin"}, {"max_u32", "umax"}, {"min_i32", "smin"}, {"max_i32", "smax"}, {"and_b32", "and"},
      {"or_b32", "or"}, {"xor_b32", "xor"}, {"wrxchg_b32", "swap"}, {"add_f32", "add_f32"}, {"add_u64", "add_x2"}, {"add_f64", "add_f64"},
      {"min_u64", "umin_x2"}, {"max_u64", "umax_x2"}, {"or_b64", "or_x2"}, {"and_b64", "and_x2"}};
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
