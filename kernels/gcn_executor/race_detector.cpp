#include "kernels/gcn_executor/race_detector.h"

#include <algorithm>

namespace assay_gcn {

bool RaceDetector::ordered(const Wave& w, const Access& earlier) const {
  const Group& group = *w.group;
  if (earlier.group == static_cast<uint32_t>(group.number)) return (earlier.wave == w.number && !earlier.several) || earlier.time < group.ordered;
  return earlier.time < group.acquired;
}

void RaceDetector::access(Wave& w, const Operation* o, std::vector<Touch>& touches, uint64_t offset, uint64_t bytes, Kind kind, bool atomic,
                          const Buffer* buffer) {
  const uint64_t first = offset / 4, last = (offset + bytes - 1) / 4;
  const bool whole_words = (offset | bytes) % 4 == 0;
  const auto group = static_cast<uint32_t>(w.group->number);
  const uint32_t ordered_from = w.group->ordered, acquired = w.group->acquired;
  // Whether nothing has to be looked at: no access, one that is ordered, or this wave's own.
  const auto settled = [&](const Access& earlier) {
    return earlier.group == group ? earlier.time < ordered_from || (earlier.wave == w.number && !earlier.several) : earlier.time < acquired;
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
  const bool fresh = kept.operation == nullptr || kept.time < (kept.group == group ? w.group->ordered : w.group->acquired) || kept.atomic != atomic;
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

void RaceDetector::report(Wave& w, const Operation* o, const Access& earlier, bool earlier_writes, Kind kind, uint64_t offset, const Buffer* buffer) {
  if (!pairs_.emplace(earlier.operation, o).second || found_.size() >= 100) return;
  const Executable& code = *w.launch->executable;
  const std::string place = buffer == nullptr ? "LDS offset " + std::to_string(offset) : "byte " + std::to_string(offset) + " of buffer '" + buffer->name + "'";
  found_.push_back("race in " + w.launch->kernel->name + " at " + place + ": wave " + std::to_string(earlier.wave) + " " +
                   (earlier_writes ? "wrote" : "read") + " at " + code.describe(earlier.operation) + ", wave " + std::to_string(w.number) + " " +
                   (kind == kWrite ? "writes" : "reads") + " at " + code.describe(o) + ", nothing orders them");
}

}  // namespace assay_gcn
