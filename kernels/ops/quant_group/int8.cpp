#include "kernels/ops/quant_group/int8.h"

#include "kernels/ops/quant_group/families.h"
#include "kernels/ops/quant_group/problem.h"

namespace assay_kernels {

bool run_int8_register(const Call& call) {
  return Int8GroupList::with(call.contract(), [&](auto rules) { run_register<decltype(rules)>(call); });
}

bool run_int8_shared(const Call& call) {
  return Int8GroupList::with(call.contract(), [&](auto rules) { run_shared<decltype(rules)>(call); });
}

bool run_int8_token(const Call& call) {
  return Int8TokenList::with(call.contract(), [&](auto rules) { run_token<decltype(rules)>(call); });
}

}  // namespace assay_kernels
