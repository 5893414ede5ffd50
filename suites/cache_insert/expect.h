// The contract's answer for every byte of a paged cache: parts of the records of tokens, places that nobody takes, gaps.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/inputs.h"

namespace assay {

/// Where records go: as the case says, or with one mistake.
struct Placing {
  const Record* record;
  int64_t block_stride;
  std::vector<int64_t> slots;  ///< as long as the case's
  std::string left_out = {};   ///< a part that is not written

  explicit Placing(const CacheCase& c) : record(c.record), block_stride(c.block_stride()), slots(c.slots) {}
  /// Byte of an element of a part of a row that is stored.
  int64_t byte(const RecordPart& part, const CacheCase& c, size_t row, int64_t element) const;
  /// Whether what both write lies in the same places.
  bool same_places(const Placing& other) const;
};

/// Name of the buffer among the tensors of all ops here.
inline constexpr const char* kCache = "kv_cache";

/// `outputs` null: from the inputs alone. Elements stand where `placing` puts them, and their part is the contract's.
Expectation expect_cache(const Contract& contract, const Placing& placing, const CacheCase& c, const Problem& problem,
                         const std::vector<HostTensor>* outputs, const Misreading& misreading = {});

/// The same of a mistake that leaves records in their places, of the first row that is stored alone: parts of its record.
Expectation expect_first_record(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading);

/// Whether all of its bytes lie in the buffer, aligned to their elements, no two in one place.
bool fits(const Placing& placing, const CacheCase& c);

}  // namespace assay
