// Helpers for twins: programs that repeat the computation of a contract step by step in MPFR.
#pragma once

#include <string>

#include "reference/contracts/bind.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/real.h"

namespace assay {

inline Contract contract_of(const std::string& id, const Format& x) {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return bind(tables, id, x);
}

inline double fl(const Real& x) { return nearest(kF32, x); }

}  // namespace assay
