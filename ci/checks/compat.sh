#!/usr/bin/env bash
# Compiles against the installed assay/simt_compat.h as an outside project does, with g++ and no other file of this repository.
# Unsupported features must be compile errors with a clear message. The examples must also compile with nvcc and hipcc.
. "$(dirname "$0")/lib.sh"
expect 0 "" cmake --install "$build" --component simt_compat --prefix "$scratch/installed"
compile() { g++ -std=c++17 -O1 -fno-strict-aliasing -I"$scratch/installed/include" -I"$scratch/installed/include/assay/vendor" "$@"; }

cat >"$scratch/user.cpp" <<'END'
#include <cuda_runtime.h>
#include <cstdio>
__global__ void sums(const float* x, float* y) {
  __shared__ float parts[8];
  float v = x[blockIdx.x * blockDim.x + threadIdx.x];
  for (int offset = warpSize / 2; offset > 0; offset /= 2) v += __shfl_xor_sync(~0ull, v, offset);
  if (threadIdx.x % warpSize == 0) parts[threadIdx.x / warpSize] = v;
  __syncthreads();
  if (threadIdx.x == 0)
    for (int w = 0; w < int(blockDim.x) / warpSize; ++w) atomicAdd(y, parts[w]);
}
int main(int, char** argv) {
  float x[512], y = 0;
  for (int i = 0; i < 512; ++i) x[i] = float(i);
  assay::simt::launch(sums, 2, 256, atoi(argv[1]), x, &y);
  printf("sum %g\n", y);
}
END
expect 0 "" compile "$scratch/user.cpp" -o "$scratch/user" -L"$scratch/installed/lib" -lassay_simt_cpu -lboost_context -pthread
expect 0 "sum 130816" "$scratch/user" 32
expect 0 "sum 130816" "$scratch/user" 64

# refused WHAT LINE...: a kernel with these lines must not compile, and the error must name WHAT.
refused() {
  local what=$1
  shift
  printf '%s\n' "$@" >"$scratch/refused.cpp"
  expect 1 "assay/simt_compat.h does not cover $what" compile -fsyntax-only "$scratch/refused.cpp"
}
refused "cooperative groups" '#include <cuda_runtime.h>' '#include <cooperative_groups.h>'
refused "cooperative groups" '#include <hip/hip_runtime.h>' 'namespace cg = cooperative_groups;'
refused "asynchronous copies" '#include <cuda_runtime.h>' '__global__ void k(int* s, int* g) { __pipeline_memcpy_async(s, g, 4); }'
refused "asynchronous copies" '#include <cuda/pipeline>'
refused "TMA" '#include <cuda_runtime.h>' '__global__ void k(const __grid_constant__ CUtensorMap map) {}'
refused "wmma" '#include <cuda_runtime.h>' 'using namespace nvcuda;'
refused "wmma" '#include <mma.h>'
refused "textures" '#include <cuda_runtime.h>' '__global__ void k(cudaTextureObject_t t) {}'
refused "clusters" '#include <cuda_runtime.h>' '__global__ void __cluster_dims__(2, 1, 1) k() {}'
refused "__activemask()" '#include <cuda_runtime.h>' '__global__ void k(unsigned* m) { *m = __activemask(); }'

examples=$root/kernels/simt/compat_examples
# The example of docs/judge-cuda.md: a plug-in made of a .cu file passes on the CPU, and fails if its maximum leaves out one lane.
plugin() { compile -O1 -ffp-contract=off -fPIC -shared -I"$root/kernels/abi" -I"$scratch" "$scratch/my_group_quant.cpp" -L"$scratch/installed/lib" -lassay_simt_cpu -lboost_context -pthread -o "$scratch/$1.so"; }
cp "$root/kernels/example_plugin/my_group_quant.cpp" "$examples/token_group_quant.cu" "$scratch/"
expect 0 "" plugin right
expect 0 "ALL AS EXPECTED" "$assay" run --backend "$scratch/right.so" --case 'quant_group/vllm.group_fp8/*m5.n1024*'
sed -i 's/__shfl_xor_sync(mask, value, 8)/value/' "$scratch/token_group_quant.cu"
expect 0 "" plugin wrong
expect 1 "NOT AS EXPECTED" "$assay" run --backend "$scratch/wrong.so" --case 'quant_group/vllm.group_fp8/*m5.n1024*'
nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
[ -x "$nvcc" ] && expect 0 "" "$nvcc" -std=c++17 -arch=sm_90a -cubin "$examples/token_group_quant.cu" -o "$scratch/quant.cubin"
command -v hipcc >/dev/null && expect 0 "" hipcc --offload-arch=gfx90a -c "$examples/rms_norm.hip" -o "$scratch/norm.o"
echo passed
