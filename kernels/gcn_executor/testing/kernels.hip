// Kernels for the executor's tests, which compare their results with plain C++ loops.
#include <hip/hip_runtime.h>

#define KERNEL extern "C" __global__

__device__ unsigned item() { return blockIdx.x * blockDim.x + threadIdx.x; }

/// IEEE division and square root, which LLVM builds from approximate instructions and corrections.
KERNEL void divide(const float* x, const float* y, float* quotient, float* root, int n) {
  const int i = int(item());
  if (i >= n) return;
  quotient[i] = x[i] / y[i];
  root[i] = __builtin_sqrtf(x[i]);
}
KERNEL void divide64(const double* x, const double* y, double* quotient, double* root, int n) {
  const int i = int(item());
  if (i >= n) return;
  quotient[i] = x[i] / y[i];
  root[i] = __builtin_sqrt(x[i]);
}
KERNEL void fused(const float* x, const float* y, const float* z, float* out, int n) {
  const int i = int(item());
  if (i < n) out[i] = __builtin_fmaf(x[i], y[i], z[i]);
}
/// Converts to two e4m3fnuz or e4m3fn codes with the hardware instruction.
KERNEL void to_fp8(const float* x, unsigned short* out, int n, int saturates) {
  const int i = int(item());
  if (saturates) __builtin_amdgcn_s_setreg(1 | 23 << 6 | 0 << 11, 1);  // sets MODE.FP16_OVFL
  if (i < n) out[i] = (unsigned short)__builtin_amdgcn_cvt_pk_fp8_f32(x[2 * i], x[2 * i + 1], 0, false);
}
KERNEL void to_half(const float* x, _Float16* out, float* back, int n) {
  const int i = int(item());
  if (i >= n) return;
  out[i] = _Float16(x[i]);
  back[i] = float(out[i]);
}
KERNEL void half_arithmetic(const _Float16* x, const _Float16* y, const _Float16* z, _Float16* sum, _Float16* product, _Float16* fma, int n) {
  const int i = int(item());
  if (i >= n) return;
  sum[i] = x[i] + y[i];
  product[i] = x[i] * y[i];
  fma[i] = __builtin_fmaf16(x[i], y[i], z[i]);
}
/// Maximum, minimum and median as single instructions; with __builtin_fmaxf, LLVM would first make NaN quiet.
KERNEL void extremes(const float* x, const float* y, float* largest, float* smallest, float* middle, int n) {
  const int i = int(item());
  if (i >= n) return;
  asm volatile("v_max_f32 %0, %1, %2" : "=v"(largest[i]) : "v"(x[i]), "v"(y[i]));
  asm volatile("v_min3_f32 %0, %1, %2, %2" : "=v"(smallest[i]) : "v"(x[i]), "v"(y[i]));
  asm volatile("v_med3_f32 %0, %1, %2, 1.0" : "=v"(middle[i]) : "v"(x[i]), "v"(y[i]));
}
KERNEL void field(const unsigned* x, const unsigned* offset, const unsigned* width, int* out, int n) {
  const int i = int(item());
  if (i < n) asm volatile("v_bfe_i32 %0, %1, %2, %3" : "=v"(out[i]) : "v"(x[i]), "v"(offset[i]), "v"(width[i]));
}
/// A loop whose trip count differs between lanes.
KERNEL void diverge(const int* trips, int* out, int n) {
  const int i = int(item());
  if (i >= n) return;
  int s = i;
  for (int k = 0; k < trips[i]; ++k) s = s & 1 ? 3 * s + 1 : s / 2 - k;
  out[i] = s;
}
/// Sums over 256 work-items through LDS and broadcasts the result.
KERNEL void tree(const int* x, int* out) {
  __shared__ int s[256];
  const int t = int(threadIdx.x);
  s[t] = x[item()];
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (t < half) s[t] += s[t + half];
    __syncthreads();
  }
  out[item()] = s[0];
}
/// tree() without its second barrier: a race between waves.
KERNEL void racy_tree(const int* x, int* out) {
  __shared__ int s[256];
  const int t = int(threadIdx.x);
  s[t] = x[item()];
  __syncthreads();
  for (int half = 128; half > 0; half /= 2)
    if (t < half) s[t] += s[t + half];
  __syncthreads();
  out[item()] = s[0];
}
/// Four waves each write one byte of the same words. Then the first wave reads byte `by` of each word without a barrier: its own
/// byte or another wave's.
KERNEL void bytes_of_waves(unsigned char* out, int by, int reads) {
  __shared__ unsigned char s[256];
  const int wave = int(threadIdx.x) / 64, lane = int(threadIdx.x) % 64;
  s[4 * lane + wave] = (unsigned char)(wave + 1);
  if (reads == 2) __syncthreads();
  if (reads != 0 && wave == 0) out[lane] = s[4 * lane + by];
  out[64 + threadIdx.x] = (unsigned char)wave;
}
/// Every work-group writes the same word: a race.
KERNEL void racy_groups(int* out) {
  if (threadIdx.x == 0) out[0] = int(blockIdx.x);
}
/// A butterfly reduction for waves of 32 lanes. With 64 lanes, the two halves are never added.
KERNEL void sum_of_32(const int* x, int* out) {
  int v = x[item()];
  for (int mask = 16; mask > 0; mask /= 2) v += __shfl_xor(v, mask);
  out[item()] = v;
}
KERNEL void sum_of_64(const int* x, int* out) {
  int v = x[item()];
  for (int mask = 32; mask > 0; mask /= 2) v += __shfl_xor(v, mask);
  out[item()] = v;
}
KERNEL void count(unsigned* counter, unsigned long long* wide) {
  __hip_atomic_fetch_add(counter, threadIdx.x, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_max(wide, (unsigned long long)item() << 33, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
/// Adds two packed f16 values, and two packed bf16 values, to memory with atomics.
KERNEL void add_pairs(unsigned* f16, unsigned* bf16, const unsigned* x) {
  const unsigned v = x[item()];
  asm volatile("global_atomic_pk_add_f16 %0, %1, off" ::"v"(f16 + item()), "v"(v) : "memory");
  asm volatile("global_atomic_pk_add_bf16 %0, %1, off" ::"v"(bf16 + item()), "v"(v) : "memory");
}
/// Each group waits for the group after it.
KERNEL void relay(unsigned* flags) {
  if (threadIdx.x != 0) return;
  const unsigned last = gridDim.x - 1;
  if (blockIdx.x != last)
    while (__hip_atomic_load(flags + blockIdx.x + 1, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT) == 0) {
    }
  __hip_atomic_store(flags + blockIdx.x, 1 + last - blockIdx.x, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
}
KERNEL void reads_behind(const float* x, float* out, int offset) { out[threadIdx.x] = x[int(threadIdx.x) + offset]; }
/// Uses an instruction that the executor does not implement.
KERNEL void unknown_instruction(float* out) {
  float v = out[threadIdx.x];
  asm volatile("v_cubeid_f32 %0, %0, %0, %0" : "+v"(v));
  out[threadIdx.x] = v;
}
/// An array on the stack with a data-dependent index.
KERNEL void stack(const int* index, int* out) {
  volatile int on_stack[32];
  for (int k = 0; k < 32; ++k) on_stack[k] = k * k + int(threadIdx.x);
  out[threadIdx.x] = on_stack[index[threadIdx.x] & 31];
}

#if defined(__gfx950__)
// ---- matrix instructions: each lane passes its registers
typedef int Registers __attribute__((ext_vector_type(8)));
typedef float Sums4 __attribute__((ext_vector_type(4)));
typedef float Sums16 __attribute__((ext_vector_type(16)));
typedef _Float16 Halves8 __attribute__((ext_vector_type(8)));
typedef __bf16 Bf16s8 __attribute__((ext_vector_type(8)));

/// a, b: formats of A and B (0 e4m3, 1 e5m2, 2 e2m3, 3 e3m2, 4 e2m1). sa, sb: index of the byte of a word that is the scale.
#define SCALED(a, b, sa, sb)                                                                                                              \
  KERNEL void scaled_16_##a##_##b(const Registers* x, const Registers* y, Sums4* d, const int* of_x, const int* of_y) {                   \
    const unsigned i = threadIdx.x;                                                                                                       \
    d[i] = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(x[i], y[i], d[i], a, b, sa, of_x[i], sb, of_y[i]);                            \
  }                                                                                                                                       \
  KERNEL void scaled_32_##a##_##b(const Registers* x, const Registers* y, Sums16* d, const int* of_x, const int* of_y) {                  \
    const unsigned i = threadIdx.x;                                                                                                       \
    d[i] = __builtin_amdgcn_mfma_scale_f32_32x32x64_f8f6f4(x[i], y[i], d[i], a, b, sa, of_x[i], sb, of_y[i]);                             \
  }
SCALED(0, 0, 0, 0)
SCALED(0, 1, 1, 2)
SCALED(2, 3, 3, 0)
SCALED(4, 4, 2, 1)
SCALED(4, 0, 0, 3)
SCALED(3, 2, 1, 1)
KERNEL void unscaled_16(const Registers* x, const Registers* y, Sums4* d) {
  d[threadIdx.x] = __builtin_amdgcn_mfma_scale_f32_16x16x128_f8f6f4(x[threadIdx.x], y[threadIdx.x], d[threadIdx.x], 0, 0, 0, 0, 0, 0);
}
typedef float Floats2 __attribute__((ext_vector_type(2)));
/// Converts eight numbers of each item to e2m1, one byte (two codes) at a time, and back.
KERNEL void to_fp4(const float* x, const float* scale, unsigned* packed, float* back) {
  const unsigned i = item();
  const float* const at = x + 8 * i;
  unsigned word = 0;
  word = __builtin_amdgcn_cvt_scalef32_pk_fp4_f32(word, at[0], at[1], scale[i], 0);
  word = __builtin_amdgcn_cvt_scalef32_pk_fp4_f32(word, at[2], at[3], scale[i], 1);
  word = __builtin_amdgcn_cvt_scalef32_pk_fp4_f32(word, at[4], at[5], scale[i], 2);
  word = __builtin_amdgcn_cvt_scalef32_pk_fp4_f32(word, at[6], at[7], scale[i], 3);
  packed[i] = word;
  const Floats2 pairs[] = {__builtin_amdgcn_cvt_scalef32_pk_f32_fp4(word, scale[i], 0), __builtin_amdgcn_cvt_scalef32_pk_f32_fp4(word, scale[i], 1),
                           __builtin_amdgcn_cvt_scalef32_pk_f32_fp4(word, scale[i], 2), __builtin_amdgcn_cvt_scalef32_pk_f32_fp4(word, scale[i], 3)};
  for (int k = 0; k < 4; ++k) back[8 * i + 2 * k] = pairs[k].x, back[8 * i + 2 * k + 1] = pairs[k].y;
}
KERNEL void plain_f16(const Halves8* x, const Halves8* y, Sums4* d) {
  d[threadIdx.x] = __builtin_amdgcn_mfma_f32_16x16x32_f16(x[threadIdx.x], y[threadIdx.x], d[threadIdx.x], 0, 0, 0);
}
KERNEL void plain_bf16(const Bf16s8* x, const Bf16s8* y, Sums16* d) {
  d[threadIdx.x] = __builtin_amdgcn_mfma_f32_32x32x16_bf16(x[threadIdx.x], y[threadIdx.x], d[threadIdx.x], 0, 0, 0);
}
KERNEL void plain_fp8(const long* x, const long* y, Sums4* d) {
  d[threadIdx.x] = __builtin_amdgcn_mfma_f32_16x16x32_fp8_fp8(x[threadIdx.x], y[threadIdx.x], d[threadIdx.x], 0, 0, 0);
}
#endif

// ---- kernels for the speed benchmark
KERNEL void bench_loop(const float* x, const float* y, float* out, int steps, float a) {
  const int i = int(item());
  float s = 0, m = -3.0e38f;
  for (int k = 0; k < steps; ++k) {
    float u = x[i + k * 256];
    const float v = y[i + k * 256];
    s = __builtin_fmaf(u, v, s), u = u * a, m = __builtin_fmaxf(m, __builtin_fmaf(u, a, v) + s);
  }
  out[2 * i] = s, out[2 * i + 1] = m;
}
KERNEL void bench_alu(const float* x, float* out, int steps, float a) {
  const int i = int(item());
  float p = x[i], q = x[i + 1], r = x[i + 2], s = x[i + 3];
  for (int k = 0; k < steps; ++k) p = __builtin_fmaf(p, a, q), q = __builtin_fmaf(q, a, r), r = __builtin_fmaxf(r * a, s), s = s + p;
  out[i] = p + q + r + s;
}
KERNEL void bench_tree(const float* x, float* out, int rounds) {
  __shared__ float s[256];
  const int t = int(threadIdx.x);
  float total = 0;
  for (int k = 0; k < rounds; ++k) {
    s[t] = x[item()] + total;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
      if (t < half) s[t] += s[t + half];
      __syncthreads();
    }
    total = __builtin_fmaf(s[0], 0.001f, total);
    __syncthreads();
  }
  out[item()] = total;
}
