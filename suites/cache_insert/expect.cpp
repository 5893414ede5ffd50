#include "suites/cache_insert/expect.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <tuple>

#include "harness/compare/element.h"
#include "reference/flow/cache_insert/cache_record.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/codes.h"
#include "suites/cache_insert/accepted.h"
#include "suites/cache_insert/inputs.h"
#include "suites/rows/expect.h"

namespace assay {
namespace {

/// What is known of each byte when all records are there.
struct Image {
  enum State : uint8_t { kAsBefore, kOneCode, kFree };
  std::vector<std::byte> bytes;
  std::vector<uint8_t> state;
  bool any_free = false;  ///< in some byte

  explicit Image(const HostTensor& before) : bytes(before.bytes), state(before.bytes.size(), kAsBefore) {}

  void write(int64_t byte, const Format& format, int32_t low, int32_t high) {
    const uint32_t code = low == high ? code_from_ordinal(format, low) : 0;
    std::memcpy(bytes.data() + byte, &code, size_t(format.bytes()));
    const bool one_code = low == high && !is_nan_ordinal(low);
    std::memset(state.data() + byte, one_code ? kOneCode : kFree, size_t(format.bytes()));
    any_free = any_free || !one_code;
  }

  /// Bytes that the contract leaves alone, as they are now. Caches are large: `high` is there only if one of the bytes is free.
  void read(const std::vector<int64_t>& at, WholePart& untouched) const {
    untouched.low.resize(at.size());
    for (size_t i = 0; i < at.size(); ++i) untouched.low[i] = std::to_integer<int32_t>(bytes[size_t(at[i])]);
    for (size_t i = 0; any_free && i < at.size(); ++i) {
      if (state[size_t(at[i])] != kFree) continue;
      if (untouched.high.empty()) untouched.high = untouched.low;
      untouched.low[i] = Interval::anything().low, untouched.high[i] = Interval::anything().high;
    }
  }
};

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

/// Bytes that nobody writes, in rows of equal length.
struct UnwrittenRows {
  std::vector<int64_t> numbers;  ///< what reports call the rows
  std::vector<int64_t> bytes;    ///< row by row
};

/// Places of tokens that no row takes, and what is in no place.
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

/// The same for all hypotheses about a case, which are evaluated one after the other.
std::shared_ptr<const Unwritten> unwritten_of(const CacheCase& c) {
  using Key = std::tuple<const Record*, const Format*, const Format*, int64_t, int64_t, int64_t, std::vector<int64_t>>;
  thread_local Key last;
  thread_local std::shared_ptr<const Unwritten> known;
  Key key{c.record, c.x, c.q, c.blocks, c.block_size, c.gap, c.slots};
  if (known && key == last) return known;
  last = std::move(key);
  return known = std::make_shared<const Unwritten>(c);
}

/// `rows` are those of `all`, which the part keeps alive.
void append_unwritten(const char* name, const Image& image, const UnwrittenRows& rows, const std::shared_ptr<const Unwritten>& all,
                      std::vector<WholePart>& parts) {
  if (rows.bytes.empty()) return;
  const auto columns = int64_t(rows.bytes.size() / rows.numbers.size());
  WholePart& whole = parts.emplace_back(
      WholePart{{kCache, &kUint8, {int64_t(rows.numbers.size()), columns}, "nobody's: as before the call", name}, {}, {}});
  image.read(rows.bytes, whole);
  whole.part.row_number = [all, &rows](int64_t row) { return rows.numbers[size_t(row)]; };
  whole.part.places = Places::of_elements(
      [all, &rows, columns](int64_t row, int64_t column) { return rows.bytes[size_t(row * columns + column)]; });
}

void append_untouched(const CacheCase& c, const Image& image, std::vector<WholePart>& parts) {
  const std::shared_ptr<const Unwritten> unwritten = unwritten_of(c);
  append_unwritten("other_slots", image, unwritten->other_slots, unwritten, parts);
  append_unwritten("gap", image, unwritten->gaps, unwritten, parts);
}

}  // namespace

int64_t Placing::byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const {
  return slots[row] / c.block_size * block_stride + part.byte(c.block_size, slots[row] % c.block_size, element);
}

bool fits(const Placing& placing, const CacheCase& c) {
  const int64_t end = c.blocks * c.block_stride();
  std::vector<bool> taken(size_t(end), false);
  for (size_t row = 0; row < placing.slots.size(); ++row) {
    if (placing.slots[row] < 0) continue;
    for (const RecordPart& part : placing.record->parts) {
      const int64_t width = part.format_in(*c.q, *c.x).bytes();
      for (int64_t e = 0; e < part.elements; ++e) {
        const int64_t byte = placing.byte(part, c, row, e);
        if (byte < 0 || byte % width != 0 || byte + width > end || taken[size_t(byte)]) return false;
        taken[size_t(byte)] = true;
      }
    }
  }
  return true;
}

Expectation expect_cache(const Contract& contract, const Placing& placing, const CacheCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const Misreading& misreading) {
  const HostTensor& before = find(problem.tensors, kCache);
  const Placing right(c);
  const CacheInputs inputs(contract, c, problem, misreading);
  std::vector<int64_t> stored;  // rows that the contract stores
  for (size_t row = 0; row < c.slots.size(); ++row)
    if (c.slots[row] >= 0) stored.push_back(int64_t(row));

  std::vector<AcceptedPart> parts;
  const std::string reason = reason_of(contract, inputs.of_row(stored.front()), *c.x);
  for (const RecordPart& part : c.record->parts) parts.emplace_back(part, c, stored, contract, reason);
  Image image(before);
  std::vector<Violation> violations;
  for (size_t row = 0; row < c.slots.size(); ++row) {
    if (placing.slots[row] < 0 && right.slots[row] < 0) continue;
    std::optional<StoredRow> stored_row;
    if (outputs && right.slots[row] >= 0) stored_row = inputs.stored(*outputs, int64_t(row));
    const RecordValues values = record_values(contract, inputs.of_row(int64_t(row)), stored_row ? &*stored_row : nullptr, *c.x);
    const int64_t row_of_part = std::lower_bound(stored.begin(), stored.end(), int64_t(row)) - stored.begin();
    for (const std::string& violation : values.joint_violations)
      violations.push_back({"one r for a row", "row " + std::to_string(row) + ": " + violation, row_of_part, {{std::string(kCache) + "." + parts.front().name(), row_of_part, Place::kWholeRow}}});
    for (AcceptedPart& part : parts) {
      const bool written = placing.slots[row] >= 0 && part.name() != placing.left_out;
      const RecordPart* there =
          written ? placing.record->find(part.name()) : nullptr;  // the part of that name in the other places
      part.evaluate(values, inputs, int64_t(row));
      if (right.slots[row] >= 0) {
        if (written)
          part.append([&](int64_t e) { return placing.byte(*there, c, row, e); });
        else
          part.append_before(before, [&](int64_t e) { return right.byte(part.record(), c, row, e); });
      }
      if (written)
        part.for_each([&](int64_t e, int32_t low, int32_t high) {
          image.write(placing.byte(*there, c, row, e), part.format(), low, high);
        });
    }
  }
  std::vector<WholePart> all;
  for (AcceptedPart& part : parts) all.push_back(std::move(part).finish());
  append_untouched(c, image, all);
  return expectation_of(std::move(all), std::move(violations));
}

}  // namespace assay
