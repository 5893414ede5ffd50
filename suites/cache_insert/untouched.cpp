#include "suites/cache_insert/untouched.h"

#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <tuple>

#include "harness/compare/element.h"
#include "reference/formats/catalogue.h"
#include "suites/cache_insert/expect.h"

namespace assay {
namespace {

/// Bytes of a record, in the order of its parts.
std::vector<int64_t> record_bytes(const Placing& placing, const CacheCase& c, int64_t slot) {
  std::vector<int64_t> bytes;
  for (const RecordPart& part : c.record->parts) {
    const int64_t width = part.format_in(*c.q, *c.x).bytes();
    for (int64_t e = 0; e < part.elements; ++e) {
      const int64_t first = slot / c.block_size * placing.block_stride + part.byte(c.block_size, slot % c.block_size, e);
      for (int64_t i = 0; i < width; ++i) bytes.push_back(first + i);
    }
  }
  return bytes;
}

/// Unwritten bytes, in rows of equal length.
struct UnwrittenRows {
  std::vector<int64_t> numbers;  ///< row numbers for reports
  std::vector<int64_t> bytes;    ///< byte offsets, row by row
};

/// Unused token slots, and bytes outside all slots.
struct Unwritten {
  UnwrittenRows other_slots, gaps;

  explicit Unwritten(const CacheCase& c) {
    const Placing right(c);
    const std::set<int64_t> taken(c.slots.begin(), c.slots.end());
    std::vector<uint8_t> in_place(size_t(c.block_stride()), 0);
    for (int64_t slot = 0; slot < c.blocks * c.block_size; ++slot) {
      const bool first_block = slot < c.block_size, empty = !taken.contains(slot);
      if (!first_block && !empty) continue;
      const std::vector<int64_t> bytes = record_bytes(right, c, slot);
      for (size_t i = 0; first_block && i < bytes.size(); ++i) in_place[size_t(bytes[i])] = 1;
      if (!empty) continue;
      other_slots.numbers.push_back(slot);
      other_slots.bytes.insert(other_slots.bytes.end(), bytes.begin(), bytes.end());
    }
    std::vector<int64_t> gap;
    for (size_t byte = 0; byte < in_place.size(); ++byte)
      if (!in_place[byte]) gap.push_back(int64_t(byte));
    for (int64_t block = 0; block < c.blocks && !gap.empty(); ++block) {
      gaps.numbers.push_back(block);
      for (const int64_t byte : gap) gaps.bytes.push_back(block * c.block_stride() + byte);
    }
  }
};

/// Cached for consecutive hypotheses about a case.
std::shared_ptr<const Unwritten> unwritten_of(const CacheCase& c) {
  using Key = std::tuple<const Record*, const Format*, const Format*, int64_t, int64_t, int64_t, std::vector<int64_t>>;
  thread_local Key last;
  thread_local std::shared_ptr<const Unwritten> known;
  Key key{c.record, c.x, c.q, c.blocks, c.block_size, c.gap, c.slots};
  if (known && key == last) return known;
  last = std::move(key);
  return known = std::make_shared<const Unwritten>(c);
}

/// Adds a part for such rows, with its bytes filled in. `rows` are those of `all`, which the part keeps alive.
void append_unwritten(const char* name, const UnwrittenRows& rows, const std::shared_ptr<const Unwritten>& all,
                      const std::function<void(const std::vector<int64_t>&, WholePart&)>& read, std::vector<WholePart>& parts) {
  if (rows.bytes.empty()) return;
  const auto columns = int64_t(rows.bytes.size() / rows.numbers.size());
  WholePart& whole = parts.emplace_back(
      WholePart{{kCache, &kUint8, {int64_t(rows.numbers.size()), columns}, "nobody's: as before the call", name}, {}, {}});
  read(rows.bytes, whole);
  whole.part.row_number = [all, &rows](int64_t row) { return rows.numbers[size_t(row)]; };
  whole.part.places = Places::of_elements(
      [all, &rows, columns](int64_t row, int64_t column) { return rows.bytes[size_t(row * columns + column)]; });
}

std::vector<WholePart> parts_of(const std::shared_ptr<const Unwritten>& unwritten,
                                const std::function<void(const std::vector<int64_t>&, WholePart&)>& read) {
  std::vector<WholePart> parts;
  append_unwritten("other_slots", unwritten->other_slots, unwritten, read, parts);
  append_unwritten("gap", unwritten->gaps, unwritten, read, parts);
  return parts;
}

/// Expected content if records are in place: the bytes before the call. Caches are large, and most hypotheses keep records in
/// place.
std::vector<WholePart> as_before(const CacheCase& c, const HostTensor& before) {
  struct Known {
    std::shared_ptr<const Unwritten> unwritten;
    std::vector<std::byte> before;
    std::vector<WholePart> parts;
  };
  thread_local Known known;
  const std::shared_ptr<const Unwritten> unwritten = unwritten_of(c);
  if (known.unwritten != unwritten || known.before != before.bytes)
    known = {unwritten, before.bytes, parts_of(unwritten, [&](const std::vector<int64_t>& at, WholePart& untouched) {
               untouched.low.resize(at.size());
               for (size_t i = 0; i < at.size(); ++i) untouched.low[i] = std::to_integer<int32_t>(before.bytes[size_t(at[i])]);
             })};
  return known.parts;
}

}  // namespace

void Image::write(int64_t byte, const Format& format, int32_t low, int32_t high) {
  const uint32_t code = low == high ? code_from_ordinal(format, low) : 0;
  std::memcpy(bytes_.data() + byte, &code, size_t(format.bytes()));
  const bool one_code = low == high && !is_nan_ordinal(low);
  std::memset(state_.data() + byte, one_code ? kOneCode : kFree, size_t(format.bytes()));
  any_free_ = any_free_ || !one_code;
}

void Image::read(const std::vector<int64_t>& at, WholePart& part) const {
  part.low.resize(at.size());
  for (size_t i = 0; i < at.size(); ++i) part.low[i] = std::to_integer<int32_t>(bytes_[size_t(at[i])]);
  for (size_t i = 0; any_free_ && i < at.size(); ++i) {
    if (state_[size_t(at[i])] != kFree) continue;
    if (part.high.empty()) part.high = part.low;
    part.low[i] = Interval::anything().low, part.high[i] = Interval::anything().high;
  }
}

std::vector<WholePart> untouched_parts(const CacheCase& c, const HostTensor& before, const Image* image) {
  if (image == nullptr) return as_before(c, before);
  return parts_of(unwritten_of(c), [&](const std::vector<int64_t>& at, WholePart& part) { image->read(at, part); });
}

}  // namespace assay
