// Helpers for tests of the records of paged caches.
#pragma once

#include "reference/flow/cache_insert/cache_record.h"
#include "reference/testing/twins.h"

namespace assay {

inline RecordValues record_of(const Contract& contract, RowInputs inputs, int64_t coded) {
  inputs.coded = coded;
  return record_values(contract, inputs, nullptr, kBf16);
}

/// The least power of two that is at least v, in MPFR.
inline double power_above(const Real& v) {
  double power = 0x1p-140;
  while (Real(power) < v) power *= 2;
  return power;
}

}  // namespace assay
