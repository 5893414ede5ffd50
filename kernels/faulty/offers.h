// How a kernel that is wrong on purpose is offered: the entries of describe().
#pragma once

#include "kernels/ops/cast/cast.h"
#include "kernels/ops/catalogue.h"
#include "kernels/ops/concat_and_cache_mla/tiles.h"
#include "kernels/ops/fused_add_rms_norm/rules.h"
#include "kernels/ops/pack_scales/pack.h"
#include "kernels/ops/quant_azp/token.h"
#include "kernels/ops/quant_group/problem.h"
#include "kernels/ops/quant_mx/problem.h"
#include "kernels/ops/quant_static/groups.h"
#include "kernels/ops/quant_tile/block.h"
#include "kernels/ops/quant_tile/tensor.h"
#include "kernels/ops/layer_norm/run.h"
#include "kernels/ops/rms_norm/rms_norm.h"
#include "kernels/ops/rms_norm_double_quant/double.h"
#include "kernels/ops/rms_norm_quant_group/token.h"
#include "kernels/ops/rms_norm_quant_static/rms_norm_quant_static.h"
#include "kernels/ops/silu_mul_quant_group/problem.h"
#include "kernels/ops/silu_mul_quant_masked/masked.h"

namespace assay_kernels {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline constexpr const char* kHalf = R"(["bf16", "f16"])";
inline constexpr const char* kAny = R"(["bf16", "f16", "f32"])";

template <class Rules>
Fields group_accepts(const char* x, const char* groups, const char* layouts) {
  return {
      {"x", x}, {"group_size", groups}, {"layout", Rules::kPacked ? R"(["ue8m0x4_tma"])" : layouts}, {"warp", simt::kWarpSizes}};
}

template <class Rules>
Kernel in_registers(const char* name, const char* cites, const char* groups = "[32, 64, 128]",
                    const char* layouts = R"(["row", "col", "tma"])") {
  return {name, "quant_group", {Rules::kContract},    group_accepts<Rules>(kHalf, groups, layouts), {}, run_register<Rules>,
          name, cites,         "quant_group.register"};
}

template <class Rules>
Kernel in_shared_memory(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          group_accepts<Rules>(kAny, "[32, 64, 128]", R"(["row", "col", "tma"])"),
          {},
          run_shared<Rules>,
          name,
          cites,
          "quant_group.shared"};
}

template <class Rules>
Kernel of_tokens(const char* name, const char* cites) {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kAny}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
          {{"n", "8"}},
          run_token<Rules>,
          name,
          cites,
          "quant_token"};
}

template <class Rules>
Kernel of_tensors(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, one_scale_accepts(), {}, run_tensor<Rules>, name, cites, "quant_tensor"};
}

template <class Rules>
Kernel of_given_scales(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_blocks(const char* name, const char* cites) {
  return {name, "quant_tile", {Rules::kContract}, block_accepts(), {}, run_block<Rules>, name, cites, "quant_block"};
}

template <class Rules>
Kernel of_given_groups(const char* name, const char* cites, const char* layouts) {
  return {name,
          "quant_static",
          {Rules::kContract},
          {{"x", kAny}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_static_groups<Rules>,
          name,
          cites,
          "quant_static.groups"};
}

template <class Rules>
Kernel of_mx(const char* name, const char* cites, void (*run)(const Call&) = run_mx<Rules>, const char* layouts = kMxLayouts,
             const char* columns = "32") {
  return {name,
          "quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", "[32]"}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {{"n", columns}},
          run,
          name,
          cites,
          "quant_mx"};
}

template <class Rules>
Kernel of_experts(const char* name, const char* cites, void (*run)(const Call&) = run_mx_experts<Rules>) {
  return {name,
          "quant_experts",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", "[32]"}, {"layout", kMxLayouts}, {"warp", simt::kWarpSizes}},
          {},
          run,
          name,
          cites,
          "quant_mx_experts"};
}

template <class Rules>
Kernel of_given_zero_points(const char* name, const char* cites) {
  return {name, "quant_static", {Rules::kContract}, one_scale_accepts(), {}, run_static_azp<Rules>, name, cites, "quant_static"};
}

template <class Rules>
Kernel of_zero_points(const char* name, const char* cites) {
  return {name,
          "quant_azp",
          {Rules::kContract},
          {{"x", kAny}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
          {{"n", "8"}},
          run_token_azp<Rules>,
          name,
          cites,
          "quant_token_azp"};
}

template <class Rules>
Kernel of_packs(const char* name, const char* cites) {
  return {name, "pack_scales", {Rules::kContract}, pack_accepts(), {}, run_pack<Rules>, name, cites, "pack_scales"};
}

template <class Rules>
Kernel of_norms(const char* name, const char* cites, const char* x = kAny) {
  return {name, "rms_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_rms_norm<Rules>,
          name, cites,      "rms_norm"};
}

template <class Rules>
Kernel of_layer_norms(const char* name, const char* cites, const char* x = kAny) {
  return {name, "layer_norm", {Rules::kContract}, {{"x", x}, {"warp", simt::kWarpSizes}}, {}, run_layer_norm<Rules>,
          name, cites,        "layer_norm"};
}

template <class Rules>
Kernel of_added_norms(const char* name, const char* cites, const char* x = kAny) {
  return {name,
          "fused_add_rms_norm",
          {Rules::kContract},
          {{"x", x}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm<Rules>,
          name,
          cites,
          "fused_add_rms_norm"};
}

template <class Rules>
Kernel of_norm_groups(const char* name, const char* cites, const char* layouts = R"(["row", "col", "tma"])") {
  return {name,
          "rms_norm_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", "[64, 128]"}, {"layout", layouts}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_group<Rules>,
          name,
          cites,
          "rms_norm_quant_group"};
}

template <class Rules>
Kernel of_norm_tokens(const char* name, const char* cites) {
  return {name,
          "rms_norm_quant_group",
          {Rules::kContract},
          {{"x", kHalf}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_token<Rules>,
          name,
          cites,
          "rms_norm_quant_token"};
}

template <class Rules>
Kernel of_static_norms(const char* name, const char* cites) {
  return {name,
          "rms_norm_quant_static",
          {Rules::kContract},
          {{"x", kHalf}, {"group_size", R"(["tensor"])"}, {"layout", R"(["row"])"}, {"warp", simt::kWarpSizes}},
          {},
          run_rms_norm_quant_static<Rules>,
          name,
          cites,
          "rms_norm_quant_static"};
}

template <class Rules>
Kernel of_gated_groups(const char* name, const char* cites, const char* layouts = R"(["row", "col", "tma"])") {
  return {name,
          "silu_mul_quant_group",
          {Rules::kContract},
          {{"x", kHalf},
           {"group_size", "[32, 64, 128]"},
           {"layout", Rules::kPacked ? R"(["ue8m0x4_tma"])" : layouts},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_group<Rules>,
          name,
          cites,
          "silu_mul_quant_group"};
}

template <class Rules>
Kernel of_masked(const char* name, const char* cites) {
  return {name,
          "silu_mul_quant_masked",
          {Rules::kContract},
          {{"x", R"(["bf16"])"},
           {"group_size", "[128]"},
           {"layout", Rules::kPacked ? R"(["ue8m0x4_col"])" : R"(["col"])"},
           {"warp", simt::kWarpSizes}},
          {},
          run_silu_mul_quant_masked<Rules>,
          name,
          cites,
          "silu_mul_quant_masked"};
}

template <class Rules>
Kernel of_casts(const char* name, const char* cites) {
  return {name, "cast", {Rules::kContract}, {{"x", kAny}, {"warp", simt::kWarpSizes}}, {}, run_cast<Rules>, name, cites, "cast"};
}

template <class Rules>
Kernel of_tile_caches(const char* name, const char* cites) {
  return {name,
          "concat_and_cache_mla",
          {Rules::kContract},
          {{"x", kHalf}, {"warp", simt::kWarpSizes}},
          {},
          run_concat_and_cache_tiles<Rules>,
          name,
          cites,
          "concat_and_cache_mla"};
}

}  // namespace assay_kernels
