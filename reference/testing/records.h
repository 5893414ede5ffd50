// What tests of the records of paged caches share.
#pragma once

#include "reference/contracts/bind.h"
#include "reference/flow/cache_insert/cache_record.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/real.h"

namespace assay {

inline Contract contract_of(const char* id, const Format& x) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, x);
}

inline double fl(const Real& x) { return nearest(kF32, x); }

inline RecordValues record_of(const Contract& contract, RowInputs inputs, int64_t coded) {
  inputs.coded = coded;
  return record_values(contract, inputs, nullptr, kBf16);
}

/// 2^e of the least e with 2^e >= v, in MPFR.
inline double power_above(const Real& v) {
  double power = 0x1p-140;
  while (Real(power) < v) power *= 2;
  return power;
}

}  // namespace assay
