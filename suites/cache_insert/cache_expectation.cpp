// The accepted value of every byte of a paged cache: entries of tokens (records), unused slots, gaps.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "reference/flow/group_quant/group_quant.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/rows/row_expectation.h"

namespace assay {
namespace {

// Builds the accepted values of one part of the records, row by row.

class AcceptedPart {
 public:
  /// `rows`: rows that the contract stores. `reason`: why the contract accepts several codes for an element.
  AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
               const std::string& reason);

  const std::string& name() const { return record_->name; }
  const RecordPart& record() const { return *record_; }
  const Format& format() const { return *whole_.part.format; }

  /// Computes the accepted values of a row. If no stage changes a part, the inputs are copied as codes, so that the bits of NaN
  /// are compared too.
  void evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row);

  /// Appends the row that evaluate() computed; byte(element) is an element's offset in the cache.
  template <class Byte>
  void append(Byte byte) {
    whole_.low.insert(whole_.low.end(), low_.begin(), low_.end());
    whole_.high.insert(whole_.high.end(), high_.begin(), high_.end());
    place(byte);
  }
  /// Appends a row that must keep its content.
  template <class Byte>
  void append_before(const HostTensor& before, Byte byte) {
    place(byte);
    for (int64_t e = record_->elements; e > 0; --e)
      whole_.low.push_back(before_at(before, offsets_[offsets_.size() - size_t(e)]));
    whole_.high.insert(whole_.high.end(), whole_.low.end() - record_->elements, whole_.low.end());
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t e = 0; e < low_.size(); ++e) visit(int64_t(e), low_[e], high_[e]);
  }

  WholePart finish() &&;

 private:
  template <class Byte>
  void place(Byte byte) {
    for (int64_t e = 0; e < record_->elements; ++e) offsets_.push_back(byte(e) / format().bytes());
  }
  int32_t before_at(const HostTensor& before, int64_t offset) const;

  const RecordPart* record_;
  bool copies_;
  WholePart whole_;
  std::vector<int64_t> offsets_;     ///< offset of each element in the cache, row by row
  std::vector<int32_t> low_, high_;  ///< accepted ordinals (codes, numbered by value) of the last evaluate()
};

/// Sets low and high to the accepted ordinals (codes, numbered by value) from spans[first] on. Undefined results accept any code.
void put(const Format& format, const Spans& spans, size_t first, std::vector<int32_t>& low, std::vector<int32_t>& high) {
  const size_t count = low.size();
  const auto ends = [&](const std::vector<double>& values, std::vector<int32_t>& ordinals) {
    ordinals_of_values(format, std::span(values).subspan(first, count), ordinals);
  };
  ends(spans.low, low);
  if (spans.pinned()) {
    high = low;
    return;
  }
  std::vector<double> known = spans.high;  // intervals that accept anything have infinite ends, not values
  for (size_t i = first; i < first + count; ++i)
    if (spans[i].any()) known[i] = 0;
  ends(known, high);
  for (size_t i = 0; i < count; ++i)
    if (spans[first + i].any()) low[i] = Interval::anything().low, high[i] = Interval::anything().high;
}

/// Addresses of elements whose offsets in the cache are listed row by row.
Places listed_places(std::vector<int64_t> offsets, int64_t columns) {
  return Places::of_elements([all = std::make_shared<const std::vector<int64_t>>(std::move(offsets)), columns](
                                 int64_t row, int64_t column) { return (*all)[size_t(row * columns + column)]; });
}

AcceptedPart::AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
                           const std::string& reason)
    : record_(&part), copies_(part.kind == PartKind::kValues && contract.links.size() == 1) {
  const Format& format = part.format_in(*contract.group_quant()->q, *c.x);  // a mutant may have another code format than the case
  whole_.part = {kCache, copies_ ? &with_nans_by_code(format) : &format, {int64_t(rows.size()), part.elements},
                 copies_ ? "copied bit for bit" : reason, part.name};
  whole_.part.row_number = [rows](int64_t row) { return rows[size_t(row)]; };
  low_.resize(size_t(part.elements));
  high_.resize(size_t(part.elements));
}

void AcceptedPart::evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row) {
  const auto from = size_t(record_->from);
  switch (record_->kind) {
    case PartKind::kCodes:
      return put(format(), values.codes, from, low_, high_);
    case PartKind::kScales: {
      const Spans each = as_stored(values.scales, format());
      const size_t times = low_.size() / std::max<size_t>(1, each.size());  // a record may hold each scale several times
      if (times <= 1) return put(format(), each, 0, low_, high_);
      std::vector<int32_t> low(each.size()), high(each.size());
      put(format(), each, 0, low, high);
      for (size_t i = 0; i < low_.size(); ++i) low_[i] = low[i / times], high_[i] = high[i / times];
      return;
    }
    case PartKind::kValues: {
      if (!copies_) return put(format(), values.values, from, low_, high_);
      const std::vector<uint32_t> codes = inputs.codes_of_row(row);
      for (size_t e = 0; e < low_.size(); ++e) low_[e] = high_[e] = ordinal(format(), codes[from + e]);
      return;
    }
    case PartKind::kZeros:
      std::fill(low_.begin(), low_.end(), ordinal(format(), 0));
      high_ = low_;
  }
}

int32_t AcceptedPart::before_at(const HostTensor& before, int64_t offset) const {
  return ordinal(format(), load_code(whole_.part, before, offset));
}

WholePart AcceptedPart::finish() && {
  if (whole_.low == whole_.high) {
    whole_.high.clear();
    if (!copies_) whole_.part.justification = "every rounding is pinned: one code";  // for this part; `reason` is about parts
                                                                                     // with several codes
  }
  whole_.part.places = listed_places(std::move(offsets_), record_->elements);
  return std::move(whole_);
}

// Bytes of a paged cache that belong to no stored record. They must not change.

/// The expected content of every byte of the cache after all records are written.
class Image {
 public:
  explicit Image(const HostTensor& before) : bytes_(before.bytes), state_(before.bytes.size(), kAsBefore) {}

  void write(int64_t byte, const Format& format, int32_t low, int32_t high);
  /// Reads the content at these offsets. Fills `high` only if some byte accepts anything, which saves memory for large caches.
  void read(const std::vector<int64_t>& at, WholePart& part) const;

 private:
  enum State : uint8_t { kAsBefore, kOneCode, kFree };
  std::vector<std::byte> bytes_;
  std::vector<uint8_t> state_;
  bool any_free_ = false;  ///< whether some byte accepts anything
};

/// Parts for unused slots and for bytes outside all slots. `image`: for a mutant that moves records, the content after its
/// writes; null: the bytes before the call.
std::vector<WholePart> untouched_parts(const CacheCase& c, const HostTensor& before, const Image* image);

/// The bytes of the record at a position of a block, counted from the start of the block, part by part.
std::vector<int64_t> record_bytes(const CacheCase& c, int64_t position) {
  std::vector<int64_t> bytes;
  for (const RecordPart& part : c.record->parts) {
    const int64_t width = part.format_in(*c.q, *c.x).bytes();
    for (int64_t e = 0; e < part.elements; ++e) {
      const int64_t first = part.byte(c.block_size, position, e);
      for (int64_t i = 0; i < width; ++i) bytes.push_back(first + i);
    }
  }
  return bytes;
}

/// Bytes that must not change, as rows of equal length.
struct UnwrittenRows {
  std::vector<int64_t> numbers;  ///< row numbers that reports print
  std::vector<int64_t> bytes;    ///< offsets in the cache, row by row
};

/// Slots that no row uses, and bytes that belong to no slot.
struct Unwritten {
  UnwrittenRows other_slots, gaps;

  explicit Unwritten(const CacheCase& c) {
    const std::set<int64_t> taken(c.slots.begin(), c.slots.end());
    const int64_t stride = c.block_stride();
    std::vector<uint8_t> in_place(size_t(stride), 0);
    std::vector<std::vector<int64_t>> of_position;
    for (int64_t position = 0; position < c.block_size; ++position) {
      of_position.push_back(record_bytes(c, position));
      for (const int64_t byte : of_position.back()) in_place[size_t(byte)] = 1;
    }
    for (int64_t slot = 0; slot < c.blocks * c.block_size; ++slot) {
      if (taken.contains(slot)) continue;
      other_slots.numbers.push_back(slot);
      for (const int64_t byte : of_position[size_t(slot % c.block_size)])
        other_slots.bytes.push_back(slot / c.block_size * stride + byte);
    }
    std::vector<int64_t> gap;
    for (size_t byte = 0; byte < in_place.size(); ++byte)
      if (!in_place[byte]) gap.push_back(int64_t(byte));
    for (int64_t block = 0; block < c.blocks && !gap.empty(); ++block) {
      gaps.numbers.push_back(block);
      for (const int64_t byte : gap) gaps.bytes.push_back(block * stride + byte);
    }
  }
};

/// The unwritten bytes of a case. Keeps the last result, because consecutive mutants belong to the same case.
std::shared_ptr<const Unwritten> unwritten_of(const CacheCase& c) {
  using Key = std::tuple<const Record*, const Format*, const Format*, int64_t, int64_t, int64_t, std::vector<int64_t>>;
  thread_local Key last;
  thread_local std::shared_ptr<const Unwritten> known;
  Key key{c.record, c.x, c.q, c.blocks, c.block_size, c.gap, c.slots};
  if (known && key == last) return known;
  last = std::move(key);
  return known = std::make_shared<const Unwritten>(c);
}

/// Adds a part for these rows; `read` sets its content. `rows` is a member of `all`, which the part keeps alive.
void append_unwritten(const char* name, const UnwrittenRows& rows, const std::shared_ptr<const Unwritten>& all,
                      const std::function<void(const std::vector<int64_t>&, WholePart&)>& read, std::vector<WholePart>& parts) {
  if (rows.bytes.empty()) return;
  const auto columns = int64_t(rows.bytes.size() / rows.numbers.size());
  WholePart& whole = parts.emplace_back(WholePart{
      {kCache, &kUint8, {int64_t(rows.numbers.size()), columns}, "belongs to no token: a kernel must not change it", name}, {}, {}});
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

/// Parts with the bytes before the call, for mutants that do not move records. Most mutants do not, and KV caches are large, so
/// consecutive mutants share the parts.
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

}  // namespace

// The accepted value of every byte of a paged cache: entries of tokens (records), unused slots, gaps.

int64_t Placing::byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const {
  return slots[row] / c.block_size * block_stride + part.byte(c.block_size, slots[row] % c.block_size, element);
}

bool Placing::same_places(const Placing& other) const {
  return slots == other.slots && record == other.record && block_stride == other.block_stride;
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
  const std::string reason = stored.empty() ? "" : reason_of(contract, inputs.of_row(stored.front()), *c.x);
  for (const RecordPart& part : c.record->parts) parts.emplace_back(part, c, stored, contract, reason);
  std::optional<Image> image;
  if (!placing.same_places(right)) image.emplace(before);
  std::vector<Violation> violations;
  for (size_t row = 0; row < c.slots.size(); ++row) {
    if (placing.slots[row] < 0 && right.slots[row] < 0) continue;
    std::optional<StoredRow> stored_row;
    if (outputs && right.slots[row] >= 0) stored_row = inputs.stored(*outputs, int64_t(row));
    const RecordValues values = record_values(contract, inputs.of_row(int64_t(row)), stored_row ? &*stored_row : nullptr, *c.x);
    const int64_t row_of_part = std::lower_bound(stored.begin(), stored.end(), int64_t(row)) - stored.begin();
    for (const std::string& violation : values.joint_violations)
      violations.push_back({"one r for a row",
                            "row " + std::to_string(row) + ": " + violation,
                            row_of_part,
                            {{std::string(kCache) + "." + parts.front().name(), row_of_part, Place::kWholeRow}}});
    for (AcceptedPart& part : parts) {
      const bool written = placing.slots[row] >= 0 && part.name() != placing.left_out;
      const RecordPart* there =
          written ? placing.record->find(part.name()) : nullptr;  // the part of the same name in the mutant's record
      part.evaluate(values, inputs, int64_t(row));
      if (right.slots[row] >= 0) {
        if (written)
          part.append([&](int64_t e) { return placing.byte(*there, c, row, e); });
        else
          part.append_before(before, [&](int64_t e) { return right.byte(part.record(), c, row, e); });
      }
      if (written && image)
        part.for_each([&](int64_t e, int32_t low, int32_t high) {
          image->write(placing.byte(*there, c, row, e), part.format(), low, high);
        });
    }
  }
  std::vector<WholePart> all;
  for (AcceptedPart& part : parts) all.push_back(std::move(part).finish());
  std::vector<WholePart> untouched = untouched_parts(c, before, image ? &*image : nullptr);
  std::move(untouched.begin(), untouched.end(), std::back_inserter(all));
  return expectation_of(std::move(all), std::move(violations));
}

Expectation expect_first_record(const Contract& contract, const CacheCase& c, const Problem& problem,
                                const Misreading& misreading) {
  const auto first = std::find_if(c.slots.begin(), c.slots.end(), [](int64_t slot) { return slot >= 0; });
  const auto row = size_t(first - c.slots.begin());
  const Placing right(c);
  const CacheInputs inputs(contract, c, problem, misreading);
  const RecordValues values = record_values(contract, inputs.of_row(int64_t(row)), nullptr, *c.x);
  std::vector<WholePart> parts;
  for (const RecordPart& of_record : c.record->parts) {
    AcceptedPart part(of_record, c, {int64_t(row)}, contract, "");
    part.evaluate(values, inputs, int64_t(row));
    part.append([&](int64_t e) { return right.byte(of_record, c, row, e); });
    parts.push_back(std::move(part).finish());
  }
  return expectation_of(std::move(parts));
}

}  // namespace assay
