// Device memory, data transfer between registers and the memory that lane pointers name, and the race detector.
#include "kernels/gcn_executor/memory.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>

#include "kernels/gcn_executor/instruction.h"
#include "kernels/gcn_executor/lane_arithmetic.h"
#include "kernels/gcn_executor/program.h"

namespace assay_gcn {
namespace {

std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Memory::~Memory() {
  for (const auto& [end, buffer] : buffers_)
    if (buffer->owned) std::free(reinterpret_cast<void*>(buffer->begin));
}

void* Memory::allocate(size_t bytes, std::string name) {
  // Leaves an unused page between buffers, so that an address just past one buffer is never inside the next one.
  constexpr size_t kPage = 4096;
  const size_t taken = (bytes + 2 * kPage - 1) / kPage * kPage;
  void* data = taken < bytes ? nullptr : std::aligned_alloc(kPage, taken);
  if (data == nullptr) throw Fault("device memory: cannot allocate " + std::to_string(bytes) + " bytes");
  std::memset(data, 0, taken);
  add(data, bytes == 0 ? 1 : bytes, std::move(name));
  find(reinterpret_cast<uint64_t>(data), 1)->owned = true;
  return data;
}

void Memory::add(void* data, size_t bytes, std::string name) {
  auto buffer = std::make_unique<Buffer>();
  buffer->begin = reinterpret_cast<uint64_t>(data);
  buffer->end = buffer->begin + bytes;
  buffer->name = std::move(name);
  const uint64_t end = buffer->end;
  buffers_[end] = std::move(buffer);
  last_ = nullptr;
}

bool Memory::release(const void* data) {
  const auto found = buffers_.upper_bound(reinterpret_cast<uint64_t>(data));
  if (found == buffers_.end() || found->second->begin != reinterpret_cast<uint64_t>(data)) return false;
  if (found->second->owned) std::free(reinterpret_cast<void*>(found->second->begin));
  buffers_.erase(found);
  last_ = nullptr;
  return true;
}

Buffer* Memory::find(uint64_t address, uint64_t bytes) {
  if (last_ != nullptr && last_->holds(address, bytes)) return last_;
  const auto found = buffers_.upper_bound(address);
  if (found == buffers_.end() || !found->second->holds(address, bytes)) return nullptr;
  return last_ = found->second.get();
}

std::string Memory::describe(uint64_t address, uint64_t bytes) const {
  std::string text = std::to_string(bytes) + " bytes at " + hexadecimal(address);
  const auto after = buffers_.upper_bound(address);
  if (after != buffers_.end() && after->second->begin <= address)
    return text + ", across the end of buffer '" + after->second->name + "' (" +
           std::to_string(after->second->end - after->second->begin) + " bytes)";
  if (after != buffers_.begin()) {
    const Buffer& before = *std::prev(after)->second;
    if (address - before.end < 1 << 20)
      return text + ", " + std::to_string(address - before.end) + " bytes past the end of buffer '" + before.name + "' (" +
             std::to_string(before.end - before.begin) + " bytes)";
  }
  if (after != buffers_.end() && after->second->begin - address < 1 << 20)
    return text + ", " + std::to_string(after->second->begin - address) + " bytes before buffer '" + after->second->name + "'";
  return text + ", in no buffer";
}

namespace {

enum AtomicKind : u16 {
  kAdd,
  kSub,
  kUmin,
  kUmax,
  kSmin,
  kSmax,
  kAnd,
  kOr,
  kXor,
  kSwap,
  kCompareSwap,
  kAddF32,
  kAddF64,
  kMinF64,
  kMaxF64,
  kPackedAddF16,
  kPackedAddBf16,
};

/// Adds two words of two f16 or bf16 values each, and rounds both sums to nearest even. Adding in f32 first does not change the
/// result, because the 24 bits of f32 are at least 2 * 11 + 2. Subnormals are kept.
u32 packed_sum(AtomicKind kind, u32 old, u32 x) {
  u32 sum = 0;
  for (const int shift : {0, 16}) {
    const u32 a = old >> shift & 0xFFFF, c = x >> shift & 0xFFFF;
    const bool is_f16 = kind == kPackedAddF16;
    const u32 p = is_f16 ? b(h(a)) : a << 16, q = is_f16 ? b(h(c)) : c << 16, r = settle(f(p) + f(q), p, q);
    sum |= ((is_f16 ? half_bits(r) : bf16_of(r)) & 0xFFFF) << shift;
  }
  return sum;
}

template <class T>
T apply(AtomicKind kind, T old, T x, T compare) {
  using Signed = std::make_signed_t<T>;
  switch (kind) {
    case kAdd: return old + x;
    case kSub: return old - x;
    case kUmin: return old < x ? old : x;
    case kUmax: return old > x ? old : x;
    case kSmin: return static_cast<Signed>(old) < static_cast<Signed>(x) ? old : x;
    case kSmax: return static_cast<Signed>(old) > static_cast<Signed>(x) ? old : x;
    case kAnd: return old & x;
    case kOr: return old | x;
    case kXor: return old ^ x;
    case kSwap: return x;
    case kCompareSwap: return old == compare ? x : old;
    default: break;
  }
  if constexpr (sizeof(T) == 4) {
    if (kind == kPackedAddF16 || kind == kPackedAddBf16) return packed_sum(kind, old, x);
    if (kind == kAddF32) {
      const float r = __builtin_bit_cast(float, old) + __builtin_bit_cast(float, x);
      return r != r ? 0x7FC00000u : __builtin_bit_cast(u32, r);
    }
  } else {
    const double a = __builtin_bit_cast(double, old), b = __builtin_bit_cast(double, x);
    if (kind == kAddF64) return __builtin_bit_cast(u64, a + b);
    if (kind == kMinF64) return __builtin_bit_cast(u64, std::fmin(a, b));
    if (kind == kMaxF64) return __builtin_bit_cast(u64, std::fmax(a, b));
  }
  throw Fault("this atomic is not implemented");
}

}  // namespace

bool set_size(Operation& o, const std::string& what, bool is_store) {
  static const std::map<std::string, std::pair<u8, u16>> kLoads = {{"ubyte", {1, 0}},
                                                                   {"sbyte", {1, kSigned}},
                                                                   {"ushort", {2, 0}},
                                                                   {"sshort", {2, kSigned}},
                                                                   {"dword", {4, 0}},
                                                                   {"dwordx2", {8, 0}},
                                                                   {"dwordx3", {12, 0}},
                                                                   {"dwordx4", {16, 0}},
                                                                   {"short_d16", {2, kLowHalf}},
                                                                   {"short_d16_hi", {2, kHighHalf}},
                                                                   {"ubyte_d16", {1, kLowHalf}},
                                                                   {"ubyte_d16_hi", {1, kHighHalf}},
                                                                   {"sbyte_d16", {1, kLowHalf | kSigned}},
                                                                   {"sbyte_d16_hi", {1, kHighHalf | kSigned}}};
  static const std::map<std::string, std::pair<u8, u16>> kStores = {
      {"byte", {1, 0}}, {"short", {2, 0}}, {"dword", {4, 0}}, {"dwordx2", {8, 0}}, {"dwordx3", {12, 0}}, {"dwordx4", {16, 0}},
      {"byte_d16_hi", {1, kHighHalf}}, {"short_d16_hi", {2, kHighHalf}}};
  const auto& sizes = is_store ? kStores : kLoads;
  const auto found = sizes.find(what);
  if (found == sizes.end()) return false;
  o.bytes = found->second.first;
  o.code = static_cast<u16>(o.code | found->second.second);
  return true;
}

bool set_atomic(Operation& o, const std::string& what) {
  static const std::map<std::string, AtomicKind> kKinds = {{"add", kAdd},
                                                           {"sub", kSub},
                                                           {"umin", kUmin},
                                                           {"umax", kUmax},
                                                           {"smin", kSmin},
                                                           {"smax", kSmax},
                                                           {"and", kAnd},
                                                           {"or", kOr},
                                                           {"xor", kXor},
                                                           {"swap", kSwap},
                                                           {"cmpswap", kCompareSwap},
                                                           {"add_f32", kAddF32},
                                                           {"add_f64", kAddF64},
                                                           {"min_f64", kMinF64},
                                                           {"max_f64", kMaxF64},
                                                           {"pk_add_f16", kPackedAddF16},
                                                           {"pk_add_bf16", kPackedAddBf16}};
  const bool wide = what.size() > 3 && what.compare(what.size() - 3, 3, "_x2") == 0;
  const auto found = kKinds.find(wide ? what.substr(0, what.size() - 3) : what);
  if (found == kKinds.end()) return false;
  o.bytes = wide || what.find("f64") != std::string::npos ? 8 : 4;
  o.code = static_cast<u16>(o.code | found->second << kAtomicShift);
  return true;
}

u8* lds_at(Wave& w, const Operation* o, u32 offset, int lane, bool writes) {
  std::vector<u8>& lds = w.group->lds;
  if (offset > lds.size() || o->bytes > lds.size() - offset)
    throw Fault("LDS: expected an offset below " + std::to_string(lds.size()) + ", got " + std::to_string(offset) + " in lane " +
                std::to_string(lane));
  if (w.launch->races != nullptr)
    w.launch->races->access(w, o, w.group->touches, offset, o->bytes, writes ? RaceDetector::kWrite : RaceDetector::kRead,
                            (o->code & kScoped) != 0, nullptr);
  return lds.data() + offset;
}

template <bool kWrites>
void move_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at) {
  if (!kWrites && (o->code & kToLds)) {  // lanes are stored one after the other, from the LDS offset in M0 on
    const u32 base = (w.s[kM0] & 0xFFFF) + static_cast<u32>(o->offset);
    for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
      const int i = __builtin_ctzll(rest);
      std::memcpy(lds_at(w, o, base + static_cast<u32>(i) * o->bytes, i, true), at[i], o->bytes);
    }
    return;
  }
  u32* const data = row(w, o->data);
  const u32 bytes = o->bytes;
  if (bytes >= 4) {
    const u32 words = bytes / 4;
    for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
      const int i = __builtin_ctzll(rest);
      for (u32 k = 0; k < words; ++k) {
        if (kWrites) std::memcpy(at[i] + 4 * k, data + kLanes * k + i, 4);
        else std::memcpy(data + kLanes * k + i, at[i] + 4 * k, 4);
      }
    }
    return;
  }
  for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    if (kWrites) {
      const u32 value = o->code & kHighHalf ? data[i] >> 16 : data[i];
      if (bytes == 1) *at[i] = static_cast<u8>(value);
      else std::memcpy(at[i], &value, 2);
      continue;
    }
    u32 value = 0;
    if (bytes == 1) value = *at[i];
    else std::memcpy(&value, at[i], 2);
    if (o->code & kSigned)
      value = bytes == 1 ? static_cast<u32>(static_cast<int>(static_cast<int8_t>(value)))
                         : static_cast<u32>(static_cast<int>(static_cast<int16_t>(value)));
    if (o->code & kLowHalf) value = (data[i] & 0xFFFF0000u) | (value & 0xFFFF);
    if (o->code & kHighHalf) value = (data[i] & 0xFFFF) | value << 16;
    data[i] = value;
  }
}
template void move_lanes<false>(Wave&, const Operation*, u64, u8* const*);
template void move_lanes<true>(Wave&, const Operation*, u64, u8* const*);

void atomic_lanes(Wave& w, const Operation* o, u64 lanes, u8* const* at) {
  const auto kind = static_cast<AtomicKind>(o->code >> kAtomicShift);
  const u32* data = row(w, o->data);
  u32* result = o->unused == 1 ? row(w, o->row) : nullptr;
  for (u64 rest = lanes; rest != 0; rest &= rest - 1) {
    const int i = __builtin_ctzll(rest);
    if (o->bytes == 4) {
      u32 old;
      std::memcpy(&old, at[i], 4);
      const u32 fresh = apply<u32>(kind, old, data[i], data[kLanes + i]);
      std::memcpy(at[i], &fresh, 4);
      if (result != nullptr) result[i] = old;
    } else {
      u64 old;
      std::memcpy(&old, at[i], 8);
      const auto word = [&](int k) { return data[kLanes * k + i] | static_cast<u64>(data[kLanes * (k + 1) + i]) << 32; };
      const u64 fresh = apply<u64>(kind, old, word(0), kind == kCompareSwap ? word(2) : 0);
      std::memcpy(at[i], &fresh, 8);
      if (result != nullptr) {
        result[i] = static_cast<u32>(old);
        result[kLanes + i] = static_cast<u32>(old >> 32);
      }
    }
  }
}

bool RaceDetector::ordered(const Wave& w, const Access& earlier) const {
  const Group& group = *w.group;
  if (earlier.group == static_cast<uint32_t>(group.number))
    return (earlier.wave == w.number && !earlier.several) || earlier.time < group.ordered;
  return earlier.time < group.acquired;
}

void RaceDetector::access(Wave& w, const Operation* o, std::vector<Touch>& touches, uint64_t offset, uint64_t bytes, Kind kind,
                          bool atomic, const Buffer* buffer) {
  const uint64_t first = offset / 4, last = (offset + bytes - 1) / 4;
  const bool whole_words = (offset | bytes) % 4 == 0;
  const auto group = static_cast<uint32_t>(w.group->number);
  const uint32_t ordered_from = w.group->ordered, acquired = w.group->acquired;
  // True if the earlier access cannot race: this wave made it, or a barrier, release or acquire orders it before this access.
  const auto settled = [&](const Access& earlier) {
    return earlier.group == group ? earlier.time < ordered_from || (earlier.wave == w.number && !earlier.several)
                                  : earlier.time < acquired;
  };
  for (uint64_t k = first; k <= last; ++k) {
    Touch& touch = touches[k];
    if (whole_words && touch.split == 0 && (touch.write.operation == nullptr || settled(touch.write)) &&
        (touch.read.operation == nullptr || settled(touch.read))) {
      (kind == kWrite ? touch.write : touch.read) = {o, w.number, group, time_, 15, atomic, false};
      continue;
    }
    unsigned mask = 15;
    if (k == first) mask &= 15u << (offset % 4);
    if (k == last) mask &= 15u >> (3 - (offset + bytes - 1) % 4);
    if (touch.split == 0 && touch_bytes(w, o, touch, mask, 4 * k, kind, atomic, buffer)) continue;
    if (touch.split == 0) split(touch);
    for (unsigned b = 0; b < 4; ++b)
      if (mask >> b & 1) touch_bytes(w, o, splits_[touch.split - 1][b], 15, 4 * k + b, kind, atomic, buffer);
  }
}

bool RaceDetector::touch_bytes(Wave& w, const Operation* o, Touch& touch, unsigned mask, uint64_t offset, Kind kind, bool atomic,
                               const Buffer* buffer) {
  const auto group = static_cast<uint32_t>(w.group->number);
  const auto conflicts = [&](const Access& earlier) {
    return earlier.operation != nullptr && (earlier.bytes & mask) != 0 && !(atomic && earlier.atomic) && !ordered(w, earlier);
  };
  if (conflicts(touch.write)) report(w, o, touch.write, true, kind, offset, buffer);
  if (kind == kWrite && conflicts(touch.read)) report(w, o, touch.read, false, kind, offset, buffer);
  Access& kept = kind == kWrite ? touch.write : touch.read;
  const bool fresh = kept.operation == nullptr || kept.time < (kept.group == group ? w.group->ordered : w.group->acquired) ||
                     kept.atomic != atomic;
  const bool own = !fresh && !kept.several && kept.wave == w.number && kept.group == group;
  if (!fresh && !own && kept.bytes != mask) return false;
  kept = {o, w.number, group, time_, static_cast<uint8_t>(own ? kept.bytes | mask : mask), atomic, !fresh && !own};
  return true;
}

void RaceDetector::split(Touch& touch) {
  std::array<Touch, 4> bytes;
  for (unsigned b = 0; b < 4; ++b) {
    if (touch.write.bytes >> b & 1) bytes[b].write = touch.write;
    if (touch.read.bytes >> b & 1) bytes[b].read = touch.read;
    bytes[b].write.bytes = bytes[b].read.bytes = 15;
  }
  splits_.push_back(bytes);
  touch.split = static_cast<uint32_t>(splits_.size());
}

void RaceDetector::access(Wave& w, const Operation* o, Buffer& buffer, uint64_t address, uint64_t bytes, Kind kind, bool atomic) {
  if (buffer.touched_in != batch_) {
    buffer.touches.assign((buffer.end - buffer.begin + 3) / 4, Touch());
    buffer.touched_in = batch_;
  }
  access(w, o, buffer.touches, address - buffer.begin, bytes, kind, atomic, &buffer);
}

void RaceDetector::report(Wave& w, const Operation* o, const Access& earlier, bool earlier_writes, Kind kind, uint64_t offset,
                          const Buffer* buffer) {
  if (!pairs_.emplace(earlier.operation, o).second || found_.size() >= 100) return;
  const Executable& code = *w.launch->executable;
  const std::string place = buffer == nullptr ? "LDS offset " + std::to_string(offset)
                                              : "byte " + std::to_string(offset) + " of buffer '" + buffer->name + "'";
  found_.push_back("race in " + w.launch->kernel->name + " at " + place + ": wave " + std::to_string(earlier.wave) + " " +
                   (earlier_writes ? "wrote" : "read") + " at " + code.describe(earlier.operation) + ", wave " +
                   std::to_string(w.number) + " " + (kind == kWrite ? "writes" : "reads") + " at " + code.describe(o) +
                   ", nothing orders them");
}

}  // namespace assay_gcn
