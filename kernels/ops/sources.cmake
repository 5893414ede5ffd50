# Sources of the kernels, compiled once per vendor: as C++ for the CPU, as CUDA for NVIDIA.
set(ASSAY_HOST_SOURCES ops/call.cpp ops/catalogue.cpp ops/qk_norm_rope/run.cpp ops/quant_group/problem.cpp ops/quant_mx/problem.cpp
  ops/rms_norm/arguments.cpp ops/rms_norm_double_quant/consumer.cpp)
set(ASSAY_OP_SOURCES
  ${ASSAY_HOST_SOURCES}
  ops/kernels.cpp
  ops/cast/kernels.cpp
  ops/concat_and_cache_mla/kernels.cpp
  ops/dsv4_kv_insert/kernels.cpp
  ops/dsv4_qnorm_kv_insert/kernels.cpp
  ops/fused_add_rms_norm/kernels.cpp
  ops/indexer_k_quant_and_cache/kernels.cpp
  ops/layer_norm/kernels.cpp
  ops/quant_azp/kernels.cpp
  ops/quant_group/int8.cpp
  ops/pack_scales/kernels.cpp
  ops/qk_norm_rope/kernels.cpp
  ops/quant_group/kernels.cpp
  ops/quant_group/other_register.cpp
  ops/quant_group/other_shared.cpp
  ops/quant_group/vllm_register.cpp
  ops/quant_group/vllm_shared.cpp
  ops/quant_mx/kernels.cpp
  ops/quant_static/kernels.cpp
  ops/quant_tile/kernels.cpp
  ops/rms_norm/kernels.cpp
  ops/rms_norm_double_quant/kernels.cpp
  ops/rms_norm_quant_group/aiter.cpp
  ops/rms_norm_quant_group/kernels.cpp
  ops/rms_norm_quant_group/token.cpp
  ops/rms_norm_quant_static/kernels.cpp
  ops/silu_mul_quant_group/kernels.cpp
  ops/silu_mul_quant_masked/kernels.cpp
  ops/silu_mul_quant_static/kernels.cpp)
list(TRANSFORM ASSAY_HOST_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/kernels/)
list(TRANSFORM ASSAY_OP_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/kernels/)
