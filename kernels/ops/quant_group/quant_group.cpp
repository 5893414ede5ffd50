// The kernel table of quant_group, which describe() of the C ABI lists.
#include "kernels/ops/call.h"
#include "kernels/ops/quant_group/quant_group_contracts.h"
#include "kernels/ops/quant_group/quant_group_kernel.h"

namespace assay_kernels {
namespace {

// Each function runs the contract of the call if the named family has this contract; otherwise the function returns false.

bool run_vllm_register(const Call& call) {
  return VllmGroupList::with(call.contract(), [&](auto rules) { run_register<decltype(rules)>(call); });
}

bool run_vllm_shared(const Call& call) {
  return VllmGroupList::with(call.contract(), [&](auto rules) { run_shared<decltype(rules)>(call); });
}

bool run_other_register(const Call& call) {
  const auto run = [&](auto rules) { run_register<decltype(rules)>(call); };
  return OtherGroupList::with(call.contract(), run) || Bf16GroupList::with(call.contract(), run) ||
         F16GroupList::with(call.contract(), run) || TransposedList::with(call.contract(), run);
}

bool run_other_shared(const Call& call) {
  const auto run = [&](auto rules) { run_shared<decltype(rules)>(call); };
  return OtherGroupList::with(call.contract(), run) || Bf16GroupList::with(call.contract(), run) ||
         F16GroupList::with(call.contract(), run) || TransposedList::with(call.contract(), run);
}

bool run_int8_register(const Call& call) {
  return Int8GroupList::with(call.contract(), [&](auto rules) { run_register<decltype(rules)>(call); });
}

bool run_int8_shared(const Call& call) {
  return Int8GroupList::with(call.contract(), [&](auto rules) { run_shared<decltype(rules)>(call); });
}

bool run_int8_token(const Call& call) {
  return Int8TokenList::with(call.contract(), [&](auto rules) { run_token<decltype(rules)>(call); });
}

std::vector<std::string> contracts(bool packed) {
  std::vector<std::string> ids;
  VllmGroupList::append_ids(ids, packed);
  OtherGroupList::append_ids(ids, packed);
  Int8GroupList::append_ids(ids, packed);
  return ids;
}

void by_register(const Call& call) { run_vllm_register(call) || run_other_register(call) || run_int8_register(call); }
void by_shared(const Call& call) { run_vllm_shared(call) || run_other_shared(call) || run_int8_shared(call); }

using TokenList = RulesList<VllmPerToken, VllmPerTokenUb, VllmPerTokenFnuz, VllmPerTokenNative, VllmPerTokenNativeGpu,
                            AiterPerToken, AiterPerTokenFnuz>;

bool run_torchao_token(const Call& call) {
  if (call.contract() != TorchaoFloat8PerRow<float>::kContract) return false;
  const assay_tensor& x = call.input("x");
  if (has_type(x, ASSAY_BFLOAT, 16)) run_token<TorchaoFloat8PerRow<simt::Bf16>>(call);
  if (has_type(x, ASSAY_FLOAT, 16)) run_token<TorchaoFloat8PerRow<simt::F16>>(call);
  if (has_type(x, ASSAY_FLOAT, 32)) run_token<TorchaoFloat8PerRow<float>>(call);
  return true;
}

void by_token(const Call& call) {
  TokenList::with(call.contract(), [&](auto rules) { run_token<decltype(rules)>(call); }) || run_int8_token(call) ||
      run_torchao_token(call);
}

const Values kLayouts{"row", "col", "tma"};
const Values kPackedLayout{"ue8m0x4_tma"};
const Values kTransposedLayout{"row_transposed"};
const Values kRegisterGroups{32, 64, 128};
const Values kSharedGroups{16, 32, 48, 64, 96, 128, 192, 256, 384, 512};

}  // namespace

std::vector<Kernel> quant_group_kernels() {
  std::vector<std::string> tokens, transposed, bf16, bf16_packed, f16_packed;
  Bf16GroupList::append_ids(bf16, false);
  Bf16GroupList::append_ids(bf16_packed, true);
  F16GroupList::append_ids(f16_packed, true);
  const Values kBf16{"bf16"};
  const Values kF16{"f16"};
  TokenList::append_ids(tokens, false);
  Int8TokenList::append_ids(tokens, false);
  tokens.push_back(TorchaoFloat8PerRow<float>::kContract);
  TransposedList::append_ids(transposed, false);
  const auto accepts = [](const Values& x, const Values& groups, const Values& layouts) {
    return Accepts{{"x", x}, {"group_size", groups}, {"layout", layouts}, {"warp", simt::kWarpSizes}};
  };
  return {
      {"quant_group.register", "quant_group", contracts(false), accepts(kHalf, kRegisterGroups, kLayouts), {}, by_register},
      {"quant_group.register", "quant_group", contracts(true), accepts(kHalf, kRegisterGroups, kPackedLayout), {}, by_register},
      {"quant_group.register", "quant_group", bf16, accepts(kBf16, kRegisterGroups, kLayouts), {}, by_register},
      {"quant_group.register", "quant_group", bf16_packed, accepts(kBf16, kRegisterGroups, kPackedLayout), {}, by_register},
      {"quant_group.register", "quant_group", f16_packed, accepts(kF16, kRegisterGroups, kPackedLayout), {}, by_register},
      {"quant_group.shared", "quant_group", bf16, accepts(kBf16, kSharedGroups, kLayouts), {}, by_shared},
      {"quant_group.shared", "quant_group", bf16_packed, accepts(kBf16, kSharedGroups, kPackedLayout), {}, by_shared},
      {"quant_group.shared", "quant_group", f16_packed, accepts(kF16, kSharedGroups, kPackedLayout), {}, by_shared},
      {"quant_group.shared", "quant_group", contracts(false), accepts(kAny, kSharedGroups, kLayouts), {}, by_shared},
      {"quant_group.shared", "quant_group", contracts(true), accepts(kAny, kSharedGroups, kPackedLayout), {}, by_shared},
      {"quant_group.register", "quant_group", transposed, accepts(kHalf, kRegisterGroups, kTransposedLayout), {}, by_register},
      {"quant_group.shared", "quant_group", transposed, accepts(kAny, kSharedGroups, kTransposedLayout), {}, by_shared},
      {"quant_token",
       "quant_group",
       tokens,
       {{"x", kAny}, {"layout", {"row"}}, {"warp", simt::kWarpSizes}},
       {{"n", 8}},
       by_token}};
}

}  // namespace assay_kernels
