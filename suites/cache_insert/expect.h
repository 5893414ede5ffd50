// The accepted value of every byte of a paged cache: records of tokens, unused slots, gaps.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/inputs.h"

namespace assay {

/// Where records are stored: as the case states, or with one mistake.
struct Placing {
  const Record* record;
  int64_t block_stride;
  std::vector<int64_t> slots;  ///< as many as the case has
  std::string left_out = {};   ///< a part that is not written

  explicit Placing(const CacheCase& c) : record(c.record), block_stride(c.block_stride()), slots(c.slots) {}
  /// Byte offset of an element of a part of a stored row.
  int64_t byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const;
  /// Whether both write to the same places.
  bool same_places(const Placing& other) const;
};

/// Name of the buffer in all ops here.
inline constexpr const char* kCache = "kv_cache";

/// `outputs` null: computed from the inputs alone. Elements are placed by `placing`; their part is the contract's.
Expectation expect_cache(const Contract& contract, const Placing& placing, const CacheCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const Misreading& misreading = {});

/// The same for a mutant that keeps records in place, only for the first stored row: the parts of its record.
Expectation expect_first_record(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading);

/// Whether all bytes are inside the buffer, aligned to their elements, without overlap.
bool fits(const Placing& placing, const CacheCase& c);

}  // namespace assay
