// Shared by all GEMM kernels: lists of rules whose tensor core is available, operands that the host reads and checks, default
// rules, and staging of the operands of one instruction.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "kernels/ops/call.h"
#include "kernels/simt/simt.h"
// amd_units.h and nvidia_units.h describe the tensor core instructions; the lists in mma.h tell which of them this build has.
#include "kernels/units/amd_units.h"
#include "kernels/units/mma.h"
#include "kernels/units/nvidia_units.h"

namespace assay_kernels {

// Selects the GEMM rules whose instruction this build has, with their contracts and code types.

/// ABI type of a format's codes.
template <class F>
inline constexpr int kTypeCode = ASSAY_INT;
template <>
inline constexpr int kTypeCode<units::E4m3> = ASSAY_FLOAT8_E4M3FN;
template <>
inline constexpr int kTypeCode<units::E5m2> = ASSAY_FLOAT8_E5M2;
template <>
inline constexpr int kTypeCode<units::E4m3fnuz> = ASSAY_FLOAT8_E4M3FNUZ;
template <>
inline constexpr int kTypeCode<units::E2m1> = ASSAY_FLOAT4_E2M1FN;

/// Codes in a byte of memory.
template <class F>
inline constexpr int kCodesInByte = F::kMemoryBits == 4 ? 2 : 1;

template <class U, class... Units>
constexpr bool holds(const units::List<Units...>*) {
  return (std::is_same_v<U, Units> || ...);
}
template <class U, class... Several>
constexpr bool holds(const units::Lists<Several...>*) {
  return (holds<U>(static_cast<const Several*>(nullptr)) || ...);
}

/// The rules among `Rules` whose instruction is in the vendor's list, that is, available in this build. for_each(f) calls f with each.
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

/// The architecture at the end of a contract's name: "torch.scaled_mm_row.sm_90".
inline std::string chip_at_end(const std::string& contract) { return contract.substr(contract.rfind('.') + 1); }

// Operands and result of any GEMM call, read and checked by the host.

enum class ResultType : int { kF32, kBf16, kF16 };

struct GemmOperands {
  const uint8_t *a, *b;
  void* d;
  ResultType y;
  int64_t m, n, k;
  int64_t pitch_a, pitch_b, pitch_d;  ///< row pitches in elements
  int64_t part;  ///< elements along k per split-K part; the sums of the parts are added in fp32, in order
};

/// The tensor `role`. Rejects the call if its elements do not have the ABI type `type`.
inline const assay_tensor& gemm_codes(const Call& call, const char* role, int type) {
  const assay_tensor& t = call.input(role);
  if (!has_type(t, type, type == ASSAY_FLOAT4_E2M1FN ? 4 : 8))
    unsupported(named(t) + " has a type that this kernel does not support: " + assay::plugin::type_name(t));
  return t;
}

inline ResultType result_type(const assay_tensor& d) {
  if (has_type(d, ASSAY_FLOAT, 32)) return ResultType::kF32;
  if (has_type(d, ASSAY_BFLOAT, 16)) return ResultType::kBf16;
  if (has_type(d, ASSAY_FLOAT, 16)) return ResultType::kF16;
  unsupported("d must be f32, bf16 or fp16");
}

/// Reads `a`, `b` and `d`, without split-K: `part` is all of k. Rejects types other than `a_type` and `b_type`, wrong shapes, and rows
/// that are not contiguous or do not begin at a byte.
inline GemmOperands gemm_operands(const Call& call, int a_type, int b_type) {
  const assay_tensor &a = gemm_codes(call, "a", a_type), &b = gemm_codes(call, "b", b_type), &d = call.output("d");
  const Shape of_a = matrix_of_rows(a), of_b = matrix_of_rows(b), of_d = matrix_of_rows(d);
  if (of_a.columns != of_b.columns) unsupported("a and b must have the same number k of columns");
  if (of_d.rows != of_a.rows || of_d.columns != of_b.rows)
    unsupported("d must have a row for each row of a and a column for each row of b");
  if (a.type_bits == 4 && (of_a.columns % 2 != 0 || a.strides[0] % 2 != 0 || b.strides[0] % 2 != 0))
    unsupported("rows of 4-bit codes (a, b) must begin and end at whole bytes");
  return {static_cast<const uint8_t*>(a.data),
          static_cast<const uint8_t*>(b.data),
          d.data,
          result_type(d),
          of_d.rows,
          of_d.columns,
          of_a.columns,
          a.strides[0],
          b.strides[0],
          d.strides[0],
          std::max<int64_t>(1, of_a.columns)};
}

/// Elements along k of each of `parts` split-K parts, rounded up to a multiple of `unit`. cuBLASLt splits k like this.
inline int64_t part_of(int64_t k, int parts, int64_t unit) {
  const int64_t units = (k + unit - 1) / unit;
  return std::max<int64_t>(1, (units + parts - 1) / parts) * unit;
}

// Defaults of every GEMM; a contract's rules may override them.

template <class MatrixUnit>
struct PlainProduct {
  using Unit = MatrixUnit;
  using CodesOfA = typename MatrixUnit::A;  ///< format of the codes in the tensors `a` and `b`
  using CodesOfB = typename MatrixUnit::B;

  static constexpr int64_t kPeriod = 1;  ///< number of elements along k after which the accumulation order repeats
  /// Index along k of the element that is added at position `place` of the accumulation order.
  SIMT_DEVICE static int64_t product_at(int64_t place) { return place; }

  /// true: b must be dense, because its bytes are not stored row by row
  static constexpr bool kDenseWeight = false;

  /// products(): how many elements along k are used. row_of_a() to place_of_d(): where elements of `a`, `b` and `d` are in memory.
  SIMT_DEVICE static int64_t products(int64_t k) { return k; }
  SIMT_DEVICE static int64_t row_of_a(int64_t row, int64_t /*m*/) { return row; }
  SIMT_DEVICE static int64_t byte_of_a(int64_t row, int64_t k, int64_t pitch) { return row * pitch + k; }
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t pitch) { return column * pitch + k; }
  SIMT_DEVICE static int64_t place_of_d(int64_t row, int64_t column, int64_t pitch) { return row * pitch + column; }
  SIMT_DEVICE static bool keeps_part(int64_t /*first*/, int64_t /*end*/, int64_t /*k*/) { return true; }
};

/// Accumulation order of composable_kernel: elements 0 .. 7 of each of kLanes runs of kApart elements, then elements 8 .. 15 of
/// each run, and so on. Both operands are read in this order.
/// Source: composable_kernel 8e22e1ae, blockwise_gemm_pipeline_xdlops_base.hpp CalculateAThreadOriginDataIndex.
template <class Base, int kLanes, int kApart>
struct LaneOrder : Base {
  static constexpr int64_t kPeriod = kLanes * kApart;
  SIMT_DEVICE static int64_t product_at(int64_t place) {
    const int64_t at = place % kPeriod, eight = at / 8;
    return place - at + eight % kLanes * kApart + eight / kLanes * 8 + at % 8;
  }
};

/// The end of a split-K part that begins at `first`, rounded up to whole periods of the accumulation order.
template <class Rules>
SIMT_DEVICE int64_t end_of_periods(int64_t first, int64_t end) {
  return first + (end - first + Rules::kPeriod - 1) / Rules::kPeriod * Rules::kPeriod;
}

/// If the rules need a dense `b`, rejects a `b` whose row pitch is not k.
template <class Rules>
void expect_weight(const GemmOperands& x) {
  if (Rules::kDenseWeight && x.pitch_b != x.k) unsupported("b is shuffled, so it must be dense");
}

/// Layout (16, 16) of a shuffled weight with one-byte codes. A tile of 16 rows and 32 elements along k has 512 bytes: elements
/// 0 .. 15 of each row, then elements 16 .. 31 of each row.
/// Source: AITER e4048607, aiter/ops/shuffle.py.
struct ShuffledWeight {
  SIMT_DEVICE static int64_t byte(int64_t column, int64_t k, int64_t all_k) {
    return (column >> 4) * 16 * all_k + (k >> 5) * 512 + ((k >> 4) & 1) * 256 + (column & 15) * 16 + (k & 15);
  }
};

/// Changes the rules of a GEMM so that the weight is shuffled.
template <class Base>
struct OfShuffledWeight : Base {
  static constexpr bool kDenseWeight = true;
  SIMT_DEVICE static int64_t byte_of_b(int64_t column, int64_t k, int64_t /*n*/, int64_t all_k) {
    return ShuffledWeight::byte(column, k, all_k);
  }
};

// Staging: the threads of a block copy the operands of one instruction to shared memory.

/// The operands of one instruction: U::kM rows of `a` and U::kN rows of `b`, with zeros beyond m, n and k.
template <class U>
struct StagedStep {
  static constexpr int kPitchA = U::kK / kCodesInByte<typename U::A>, kPitchB = U::kK / kCodesInByte<typename U::B>;  ///< bytes of a row
  alignas(16) uint8_t a[U::kM * kPitchA];
  alignas(16) uint8_t b[U::kN * kPitchB];
};

/// The value of an accumulator element of instruction U, in fp32.
template <class U>
SIMT_DEVICE float number_of_sum(uint32_t code) {
  if constexpr (U::D::kBits == 16) return simt::to_float(simt::F16{uint16_t(code)});
  if constexpr (std::is_same_v<typename U::D, units::Int32>) return float(int32_t(code));
  float value;
  __builtin_memcpy(&value, &code, sizeof value);
  return value;
}

/// Stages the operands of the tile at (row, column) for the instruction at k. `Rules` say where elements are in memory. The
/// split-K part is [first, end): the accumulation order begins at `first`, and elements >= end are zeros.
template <class Rules, int kThreads, class Arguments>
SIMT_DEVICE void stage(StagedStep<typename Rules::Unit>& step, const Arguments& x, int64_t row, int64_t column, int64_t first,
                       int64_t k, int64_t end) {
  using U = typename Rules::Unit;
  using Step = StagedStep<U>;
  constexpr int kInA = kCodesInByte<typename U::A>, kInB = kCodesInByte<typename U::B>;
  for (int i = simt::thread(); i < U::kM * Step::kPitchA; i += kThreads) {
    const int64_t r = row + i / Step::kPitchA, at = first + Rules::product_at(k - first + i % Step::kPitchA * kInA);
    step.a[i] = r < x.m && at < end ? x.a[Rules::byte_of_a(Rules::row_of_a(r, x.m), at, x.pitch_a) / kInA] : uint8_t{0};
  }
  for (int i = simt::thread(); i < U::kN * Step::kPitchB; i += kThreads) {
    const int64_t c = column + i / Step::kPitchB, at = first + Rules::product_at(k - first + i % Step::kPitchB * kInB);
    step.b[i] = c < x.n && at < end ? x.b[Rules::byte_of_b(c, at, x.n, x.pitch_b) / kInB] : uint8_t{0};
  }
}

}  // namespace assay_kernels
