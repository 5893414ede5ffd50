// Rows of rank_reduce and inputs of ranks, for tests.
#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "reference/flow/rank_reduce/reduce.h"
#include "reference/formats/catalogue.h"
#include "reference/testing/real.h"

namespace assay {

inline const ContractTables& tables_of_ranks() {
  static const ContractTables tables = ContractTables::load("reference/contracts");
  return tables;
}
inline RankReduce contract_of_ranks(const std::string& id) { return read_rank_reduce(tables_of_ranks().find(id)); }

/// Numbers that cancel, so that the last bits of a sum show the order of additions.
inline RankInputs inputs_of_ranks(const Format& x, int ranks, int64_t elements, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<double> normal;
  RankInputs in;
  in.x.assign(size_t(ranks), std::vector<double>(size_t(elements)));
  for (int64_t e = 0; e < elements; ++e) {
    const int up = int(engine() % unsigned(ranks)), down = (up + 1 + int(engine() % unsigned(ranks - 1))) % ranks;
    const double large = std::ldexp(1.0 + double(engine() % 128) / 128, x == kF16 ? 15 : 24);
    for (int r = 0; r < ranks; ++r)
      in.x[size_t(r)][size_t(e)] = nearest(x, r == up ? large : r == down ? -large : normal(engine));
  }
  return in;
}

}  // namespace assay
