#include "harness/backend/sentinel.h"

#include <algorithm>
#include <cstring>

namespace assay {
namespace {

bool is_packed(const Format& format) { return format.is_integer() && format.bits == 32; }

/// Bytes of sentinel 0, lowest first.
std::byte first_byte(const Format& format, int64_t place) {
  const bool no_negative_zero = format.specials == Specials::kFnuz || (format.is_integer() && format.bits == 8);
  if (no_negative_zero) return std::byte{0x80};
  const bool highest = place == format.bytes() - 1;
  return highest || is_packed(format) ? std::byte{0xff} : std::byte{0xc3};
}

template <class Unit>
std::vector<ByteRange> unchanged(std::span<const std::byte> before, std::span<const std::byte> now) {
  std::vector<ByteRange> ranges;
  constexpr int64_t kBlock = 1024;
  const int64_t units = int64_t(now.size() / sizeof(Unit));
  const auto load = [](std::span<const std::byte> bytes, int64_t i) {
    Unit unit;
    std::memcpy(&unit, bytes.data() + size_t(i) * sizeof(Unit), sizeof(Unit));
    return unit;
  };
  for (int64_t begin = 0; begin < units; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, units);
    unsigned any = 0;  // checked per block, so that the loop vectorizes; hits are rare
    for (int64_t i = begin; i < end; ++i) any |= unsigned(load(before, i) == load(now, i));
    for (int64_t i = begin; any != 0 && i < end; ++i) {
      if (load(before, i) != load(now, i)) continue;
      const int64_t byte = i * int64_t(sizeof(Unit));
      if (!ranges.empty() && ranges.back().end == byte) {
        ranges.back().end += sizeof(Unit);
      } else {
        ranges.push_back({byte, byte + int64_t(sizeof(Unit))});
      }
    }
  }
  return ranges;
}

}  // namespace

std::vector<std::byte> sentinel_storage(const TensorSpec& spec, int number) {
  constexpr std::byte kSecond{0xa5};
  const int64_t width = spec.format->bytes();
  std::vector<std::byte> bytes(spec.bytes(), number != 0 ? kSecond : first_byte(*spec.format, 0));
  if (number != 0 || width == 1) return bytes;
  for (int64_t i = 0; i < int64_t(bytes.size()); ++i) bytes[size_t(i)] = first_byte(*spec.format, i % width);
  return bytes;
}

std::vector<ByteRange> unchanged_ranges(const TensorSpec& spec, std::span<const std::byte> before,
                                        std::span<const std::byte> now) {
  if (spec.format->bits == 16) return unchanged<uint16_t>(before, now);
  if (spec.format->bits == 32 && !is_packed(*spec.format)) return unchanged<uint32_t>(before, now);
  return unchanged<uint8_t>(before, now);
}

std::vector<ByteRange> intersection(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b) {
  std::vector<ByteRange> both;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const ByteRange common{std::max(a[i].begin, b[j].begin), std::min(a[i].end, b[j].end)};
    if (common.begin < common.end) both.push_back(common);
    a[i].end < b[j].end ? ++i : ++j;
  }
  return both;
}

}  // namespace assay
