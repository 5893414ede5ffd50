// What a library offers: the table behind describe() and run().
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "kernels/ops/call.h"

namespace assay_kernels {

struct Kernel {
  std::string name, op;
  std::vector<std::string> contracts;
  std::vector<std::pair<std::string, std::string>> accepts;      ///< case parameter -> JSON array
  std::vector<std::pair<std::string, std::string>> multiple_of;  ///< case parameter -> integer
  void (*run)(const Call&);                                      ///< throws Refusal, simt::DeviceError, or what the kernel throws
  std::string fault = {}, cites = {}, twin = {};                 ///< faulty kernels only
};

/// What describe() says about the library itself.
struct Identity {
  std::string name, arch, device, driver, toolkit;
};

std::string describe(const Identity& identity, const std::vector<Kernel>& kernels);

/// Finds the kernel by name and contract and runs it. No exception leaves it.
assay_status run(const std::vector<Kernel>& kernels, const assay_call* call);

/// Writes a message where the call wants it, cut to its room.
assay_status report(const assay_call* call, assay_status status, const std::string& message);

// The kernels of each op.
std::vector<Kernel> cast_kernels();
std::vector<Kernel> concat_and_cache_mla_kernels();
std::vector<Kernel> dsv4_kv_insert_kernels();
std::vector<Kernel> dsv4_qnorm_kv_insert_kernels();
std::vector<Kernel> quant_azp_kernels();
std::vector<Kernel> indexer_k_quant_and_cache_kernels();
std::vector<Kernel> fused_add_rms_norm_kernels();
std::vector<Kernel> layer_norm_kernels();
std::vector<Kernel> pack_scales_kernels();
std::vector<Kernel> qk_norm_rope_kernels();
std::vector<Kernel> quant_group_kernels();
std::vector<Kernel> quant_mx_kernels();
std::vector<Kernel> quant_static_kernels();
std::vector<Kernel> quant_tile_kernels();
std::vector<Kernel> rms_norm_kernels();
std::vector<Kernel> rms_norm_quant_group_kernels();
std::vector<Kernel> rms_norm_quant_group_aiter_kernels();
std::vector<Kernel> rms_norm_double_quant_kernels();
std::vector<Kernel> rms_norm_quant_static_kernels();
std::vector<Kernel> rms_norm_quant_token_kernels();
std::vector<Kernel> silu_mul_quant_group_kernels();
std::vector<Kernel> silu_mul_quant_masked_kernels();
std::vector<Kernel> silu_mul_quant_static_kernels();
std::vector<Kernel> all_kernels();

}  // namespace assay_kernels
