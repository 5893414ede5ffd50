// Which rules of GEMMs have an instruction here, the contracts that they obey, and the types of their codes.
#pragma once

#include <string>
#include <vector>

#include "kernels/ops/catalogue.h"
#include "kernels/units/mma.h"
// Units of every vendor by name; which of them have an instruction here is asked of the lists.
#include "kernels/units/amd.h"
#include "kernels/units/blackwell.h"
#include "kernels/units/nvidia.h"

namespace assay_kernels {

/// Types of codes in the ABI.
template <class F>
inline constexpr int kTypeCode = ASSAY_INT;
template <>
inline constexpr int kTypeCode<units::E4m3> = ASSAY_FLOAT8_E4M3FN;
template <>
inline constexpr int kTypeCode<units::E5m2> = ASSAY_FLOAT8_E5M2;
template <>
inline constexpr int kTypeCode<units::E4m3fnuz> = ASSAY_FLOAT8_E4M3FNUZ;

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

template <class Rules>
std::vector<std::string> gemm_contracts() {
  std::vector<std::string> contracts;
  Rules::for_each([&](auto rules) { contracts.push_back(decltype(rules)::kContract); });
  return contracts;
}

/// The chip whose unit a contract names last: "torch.scaled_mm_row.sm_90".
inline std::string chip_at_end(const std::string& contract) { return contract.substr(contract.rfind('.') + 1); }

}  // namespace assay_kernels
