# Sources of the kernels, compiled once per vendor: as C++ for the CPU, as CUDA for NVIDIA.
set(ASSAY_OP_SOURCES
  call.cpp
  catalogue.cpp
  quant_group/kernels.cpp
  quant_group/problem.cpp
  quant_group/other_register.cpp
  quant_group/other_shared.cpp
  quant_group/vllm_register.cpp
  quant_group/vllm_shared.cpp
  rms_norm/kernels.cpp
  rms_norm_quant_group/kernels.cpp)
list(TRANSFORM ASSAY_OP_SOURCES PREPEND ${CMAKE_SOURCE_DIR}/kernels/ops/)
