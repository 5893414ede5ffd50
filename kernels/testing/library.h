// Short helpers for calls through the C ABI, for tests and benchmarks of this module.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "kernels/simt/simt.h"

namespace assay_kernels {

/// Loads the library from a file. The library is never closed, because its kernels may run until exit.
inline const assay_library& open_library(const char* path) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (!handle) throw std::runtime_error(dlerror());
  const auto get = reinterpret_cast<assay_get_library_fn>(dlsym(handle, "assay_get_library"));
  if (!get) throw std::runtime_error(std::string(path) + " has no assay_get_library");
  return *get();
}

struct Type {
  uint8_t code, bits;
};
inline constexpr Type kBf16{ASSAY_BFLOAT, 16}, kF16{ASSAY_FLOAT, 16}, kF32{ASSAY_FLOAT, 32}, kInt32{ASSAY_INT, 32},
    kInt8{ASSAY_INT, 8};
inline constexpr Type kE4m3fn{ASSAY_FLOAT8_E4M3FN, 8}, kE4m3fnuz{ASSAY_FLOAT8_E4M3FNUZ, 8}, kE8m0{ASSAY_FLOAT8_E8M0FNU, 8};

/// A call under construction. The caller owns the data.
class CallBuilder {
 public:
  CallBuilder& tensor(const char* role, Type type, bool output, std::vector<int64_t> shape, std::vector<int64_t> strides,
                      const void* data, size_t bytes) {
    numbers_.push_back(std::move(shape));
    const auto& kept_shape = numbers_.back();
    numbers_.push_back(std::move(strides));
    tensors_.push_back({sizeof(assay_tensor), type.code, type.bits, uint8_t(output), uint8_t(kept_shape.size()), role,
                        kept_shape.data(), numbers_.back().data(), const_cast<void*>(data), bytes});
    return *this;
  }
  CallBuilder& matrix(const char* role, Type type, bool output, int64_t m, int64_t n, const void* data) {
    return tensor(role, type, output, {m, n}, {n, 1}, data, size_t(m * n * type.bits / 8));
  }
  CallBuilder& parameter(const char* name, double value) {
    parameters_.push_back({name, value});
    return *this;
  }
  assay_status run(const assay_library& library, const char* op, const char* contract, const char* kernel,
                   void* stream = nullptr) {
    message_[0] = '\0';
    const assay_call call{sizeof(assay_call),
                          op,
                          contract,
                          kernel,
                          tensors_.data(),
                          int32_t(tensors_.size()),
                          parameters_.data(),
                          int32_t(parameters_.size()),
                          stream,
                          nullptr,
                          0,
                          message_.data(),
                          message_.size(),
                          0,
                          1,
                          nullptr};
    return library.run(&call);
  }
  const char* message() const { return message_.data(); }

 private:
  std::deque<std::vector<int64_t>> numbers_;
  std::vector<assay_tensor> tensors_;
  std::vector<assay_param> parameters_;
  std::array<char, 512> message_{};
};

// Runs any kernel of this module once: builds the tensors that its op needs from a test's elements; returns every output byte.

struct Request {
  std::string op, contract, kernel, layout = "row";
  int64_t m = 1, n = 128, group_size = 128;
  bool by_row = false;  ///< one scale per row, whatever the group size
  int warp = 32;
  uint64_t seed = 1;
};

/// Outputs of a pack_scales call whose fp32 scales are the bf16 elements of x.
inline std::vector<uint8_t> packed_outputs(const assay_library& library, const Request& r, const std::vector<uint16_t>& x) {
  std::vector<uint32_t> scales(x.begin(), x.end());
  for (uint32_t& s : scales) s <<= 16;
  const int64_t words = (r.n + 3) / 4, pitch = (r.m + 3) / 4 * 4;
  std::vector<uint8_t> out(size_t(r.m + (words - 1) * pitch) * 4, 0xa5);
  CallBuilder call;
  call.matrix("x", kF32, false, r.m, r.n, scales.data());
  call.tensor("scale", kInt32, true, {r.m, words}, {1, pitch}, out.data(), out.size()).parameter("warp", r.warp);
  call.parameter("schedule_seed", double(r.seed));
  const int32_t ends[] = {3, int32_t(r.m)};  // ends of two groups with an unused row between them
  if (r.contract.find("psum") != std::string::npos)
    call.tensor("psum_layout", kInt32, false, {2}, {1}, ends, sizeof ends).parameter("m_alignment", 4);
  EXPECT_EQ(call.run(library, r.op.c_str(), r.contract.c_str(), r.kernel.c_str()), ASSAY_OK)
      << r.kernel << ": " << call.message();
  return out;
}

/// Makes a call and returns the bytes of all outputs in order; unwritten bytes are 0xa5. Fails the test if the call fails.
inline std::vector<uint8_t> outputs_of(const assay_library& library, Request r, const std::vector<uint16_t>& x,
                                       const std::vector<uint16_t>& gamma) {
  if (r.op == "pack_scales") return packed_outputs(library, r, x);
  const bool norm = r.op.find("norm") != std::string::npos, quant = r.op != "rms_norm", packed = r.layout == "ue8m0x4_tma";
  const auto is = [&](const char* word) { return r.contract.find(word) != std::string::npos; };
  const bool gated = r.op.rfind("silu", 0) == 0;  // then two rows of x form one row of gate and up
  const bool given = r.op == "quant_static" || r.op == "silu_mul_quant_static", blocks = r.op == "quant_tile" && is("block");
  const bool one_scale = (given && !is("group")) || (r.op == "quant_tile" && !blocks);
  const Type code = is("int8") ? kInt8 : is("fnuz") ? kE4m3fnuz : kE4m3fn;
  const int64_t groups = one_scale || r.op == "quant_azp" || r.by_row ? 1 : (r.n + r.group_size - 1) / r.group_size;
  if (gated) r.m = r.m > 1 ? r.m / 2 : 1;
  const int64_t rows = one_scale ? 1 : blocks ? (r.m + r.group_size - 1) / r.group_size : r.m;
  const int64_t columns = packed ? (groups + 3) / 4 : groups;
  const int64_t pitch = r.layout == "col" ? rows : (r.m + 3) / 4 * 4;
  const size_t scale_bytes = size_t(r.layout.rfind("row", 0) == 0 ? rows * columns : r.m + (columns - 1) * pitch) * 4;
  const size_t element_bytes = size_t(r.m * r.n) * (quant ? 1 : 2);
  std::vector<uint8_t> out(element_bytes, 0xa5), scale(quant ? scale_bytes : 0, 0xa5);
  std::vector<int32_t> zero(is("azp") ? size_t(rows) : 0, given ? 5 : -0x5a5a5a5b);

  CallBuilder call;
  call.matrix("x", kBf16, false, r.m, gated ? 2 * r.n : r.n, x.data())
      .matrix(quant ? "q" : "y", quant ? code : kBf16, true, r.m, r.n, out.data());
  if (norm) call.tensor("gamma", kBf16, false, {r.n}, {1}, gamma.data(), size_t(r.n) * 2).parameter("eps", 1e-6);
  for (size_t i = 2; given && i < scale.size(); i += 4) {  // given scales: 2.5, 5, 10, ...
    const uint16_t bits = uint16_t(0x4020 + 0x80 * (i / 4 % 31));
    scale[i - 2] = scale[i - 1] = 0, scale[i] = uint8_t(bits), scale[i + 1] = uint8_t(bits >> 8);
  }
  if (quant) {
    call.tensor("scale", packed ? kInt32 : kF32, !given, {rows, columns},
                r.layout.rfind("row", 0) == 0 ? std::vector<int64_t>{columns, 1} : std::vector<int64_t>{1, pitch}, scale.data(),
                scale_bytes);
    call.parameter("group_size", double(r.group_size)).parameter("scale_ub", 8);
  }
  if (!zero.empty()) call.tensor("azp", kInt32, !given, {rows, 1}, {1, 1}, zero.data(), zero.size() * 4);
  call.parameter("warp", r.warp).parameter("schedule_seed", double(r.seed));
  EXPECT_EQ(call.run(library, r.op.c_str(), r.contract.c_str(), r.kernel.c_str()), ASSAY_OK)
      << r.kernel << ": " << call.message();
  out.insert(out.end(), scale.begin(), scale.end());
  for (const int32_t azp : zero)
    for (int shift = 0; shift < 32; shift += 8) out.push_back(uint8_t(uint32_t(azp) >> shift));
  return out;
}

// Test data for comparisons of the CPU library's kernels with plain loops.

/// bf16 numbers: normally distributed, times powers of two up to 2^(4 * spread).
inline std::vector<uint16_t> random_bf16(size_t count, uint32_t seed, float spread = 4.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<uint16_t> x(count);
  for (auto& e : x) e = simt::bf16_bits_from_float(normal(random) * std::exp2(std::fmod(float(random() % 64), spread * 4)));
  return x;
}
inline float bf16_value(uint16_t code) { return simt::float_from_bf16_bits(code); }

#ifdef ASSAY_CPU_LIBRARY
inline const assay_library& cpu_library() { return open_library(ASSAY_CPU_LIBRARY); }

/// The outputs of a group quantization.
struct Quantized {
  std::vector<uint8_t> q;
  std::vector<uint32_t> scale;  ///< the tensor's whole storage, fp32 bits or packed words; unwritten elements hold 0xa5a5a5a5
  bool operator==(const Quantized& other) const { return q == other.q && scale == other.scale; }
};

enum class Layout { kRow, kColumn, kTma, kPacked };

/// Runs a group quantization op whose scales have the given layout.
inline Quantized quantize(const char* kernel, const char* contract, const std::vector<uint16_t>& x, int64_t m, int64_t n,
                          int64_t group, Layout layout, int warp, Type code = kE4m3fn) {
  const int64_t groups = n / group, aligned = (m + 3) / 4 * 4, words = (groups + 3) / 4;
  const bool packed = layout == Layout::kPacked;
  const int64_t pitch = layout == Layout::kColumn ? m : aligned;
  const size_t storage = size_t(layout == Layout::kRow ? m * groups : m + ((packed ? words : groups) - 1) * pitch);
  Quantized out{std::vector<uint8_t>(size_t(m * n), 0xa5), std::vector<uint32_t>(storage, 0xa5a5a5a5u)};
  CallBuilder call;
  call.matrix("x", kBf16, false, m, n, x.data()).matrix("q", code, true, m, n, out.q.data());
  call.tensor("scale", packed ? kInt32 : kF32, true, {m, packed ? words : groups},
              layout == Layout::kRow ? std::vector<int64_t>{groups, 1} : std::vector<int64_t>{1, pitch}, out.scale.data(),
              storage * 4);
  call.parameter("group_size", double(group)).parameter("warp", warp);
  EXPECT_EQ(call.run(cpu_library(), "quant_group", contract, kernel), ASSAY_OK) << call.message();
  return out;
}
#endif

}  // namespace assay_kernels
