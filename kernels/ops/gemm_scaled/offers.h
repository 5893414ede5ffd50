// Which rules have an instruction here, and the rows that offer them.
#pragma once

#include "kernels/ops/gemm_scaled/gemm.h"

namespace assay_kernels {

template <class U, class... Units>
constexpr bool holds(const units::List<Units...>*) {
  return (std::is_same_v<U, Units> || ...);
}
template <class U, class... Several>
constexpr bool holds(const units::Lists<Several...>*) {
  return (holds<U>(static_cast<const Several*>(nullptr)) || ...);
}

/// Rules whose units are in the vendor's list here.
template <class Vendor, class... Rules>
struct GemmList {
  template <class Call>
  static void for_each(Call f) {
    (visit<Rules>(f), ...);
  }

 private:
  template <class R, class Call>
  static void visit(Call f) {
    if constexpr (holds<typename R::Unit>(static_cast<const Vendor*>(nullptr))) f(R{});
  }
};

template <class Rules, int kParts>
void run_gemm_by_contract(const Call& call) {
  Rules::for_each([&](auto rules) {
    using R = decltype(rules);
    if (call.contract() == R::kContract) run_gemm<R, kParts>(call);
  });
}

template <class Rules>
std::vector<std::string> gemm_contracts() {
  std::vector<std::string> contracts;
  Rules::for_each([&](auto rules) { contracts.push_back(decltype(rules)::kContract); });
  return contracts;
}

/// Rules may be offered in parts of k too, where the contract lets a library choose.
template <class Rules, int kParts = 1>
std::vector<Kernel> gemm_rows(const char* name) {
  const std::vector<std::string> contracts = gemm_contracts<Rules>();
  if (contracts.empty()) return {};
  return {{name, "gemm_scaled", contracts, {{"y", kAny}, {"warp", simt::kWarpSizes}}, {}, run_gemm_by_contract<Rules, kParts>}};
}

}  // namespace assay_kernels
