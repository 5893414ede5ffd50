#include "suites/cache_insert/expect.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/accepted.h"
#include "suites/cache_insert/inputs.h"
#include "suites/cache_insert/untouched.h"
#include "suites/rows/expect.h"

namespace assay {

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
  const std::string reason = reason_of(contract, inputs.of_row(stored.front()), *c.x);
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
          written ? placing.record->find(part.name()) : nullptr;  // the part of that name in the other placing
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
