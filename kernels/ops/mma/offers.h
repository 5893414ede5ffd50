// How the units of a list are offered: a row for every size of a tile.
#pragma once

#include <map>
#include <utility>

#include "kernels/ops/mma/mma.h"

namespace assay_kernels {

template <class Units>
void run_mma_by_contract(const Call& call) {
  Units::for_each([&](auto unit) {
    using U = decltype(unit);
    if (call.contract() == U::kContract) run_mma<U>(call);
  });
}

template <class Units>
std::vector<Kernel> mma_rows() {
  std::map<std::pair<int, int>, std::vector<std::string>> by_tile;
  Units::for_each([&](auto unit) {
    using U = decltype(unit);
    by_tile[{U::kM, U::kN}].push_back(U::kContract);
  });
  std::vector<Kernel> rows;
  for (const auto& [tile, contracts] : by_tile)
    rows.push_back({"mma",
                    "mma",
                    contracts,
                    {{"m", {tile.first}}, {"n", {tile.second}}, {"warp", simt::kWarpSizes}},
                    {},
                    run_mma_by_contract<Units>});
  return rows;
}

}  // namespace assay_kernels
