// Matrix instructions (MFMA): the tensor-core emulator of kernels/units adds, here are the layouts. A lane has one row of A, one of B, and K /
// groups consecutive k of each, where groups = 64 / rows. Source: AMD Matrix Instruction Calculator; CDNA3 ISA 7.1.5. EXEC is ignored.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/program.h"
#include "kernels/simt/simt.h"
#include "kernels/units/emulated_mma.h"

namespace assay_gcn {
namespace {

namespace units = assay_kernels::units;

// Instructions of 32 x 32 have half of the k of those of 16 x 16.
struct F16Wide : units::JoinedUnit<units::F16, 8, 8> {};
struct Bf16Wide : units::JoinedUnit<units::Bf16, 8, 8, 128> {};
struct Xf32Wide : units::JoinedUnit<units::Tf32, 4, 4, 128> {};
template <class A, class B>
struct SplitWide : units::SplitUnit<A, B> {
  static constexpr int kK = 16;
};
struct Int8Wide : units::IntegerUnit<units::MfmaTile> {
  static constexpr int kK = 16;
};

/// Source 0: A, 1: B, 2: C. kSize rows and columns.
template <class U, int kSize>
const Operation* multiply(Wave& w, const Operation* o) {
  constexpr int kGroups = kLanes / kSize, kRegisters = kSize * kSize / kLanes;
  constexpr int kRowBytes = U::kK * U::A::kMemoryBits / 8, kColumnBytes = U::kK * U::B::kMemoryBits / 8;
  const auto gather = [&](const Source& s, int line, uint8_t* to, int bytes) {
    const int part = bytes / kGroups;
    for (int g = 0; g < kGroups; ++g) {
      const u32* lane = row(w, s.index) + line + kSize * g;
      for (int k = 0; k < part; k += 4) std::memcpy(to + part * g + k, lane + kLanes * (k / 4), static_cast<size_t>(part - k < 4 ? part - k : 4));
    }
  };
  static thread_local units::Row<U, typename U::A> a[kSize];
  static thread_local units::Row<U, typename U::B> b[kSize];
  uint8_t codes[kRowBytes > kColumnBytes ? kRowBytes : kColumnBytes];
  for (int i = 0; i < kSize; ++i) {
    gather(o->source[0], i, codes, kRowBytes);
    a[i].read(codes, nullptr);
    gather(o->source[1], i, codes, kColumnBytes);
    b[i].read(codes, nullptr);
  }
  using D = typename U::D;
  alignas(64) u32 result[kRegisters * kLanes];
  const bool constant = o->source[2].kind == Source::kConstant;
  const u32* c = constant ? nullptr : row(w, o->source[2].index);
  for (int line = 0; line < kSize; ++line)
    for (int column = 0; column < kSize; ++column) {
      const int at = kLanes * (line % 4 + 4 * (line / (4 * kGroups))) + column + kSize * (line / 4 % kGroups);
      const u32 addend = U::template addend<D>(constant ? o->source[2].constant[0] : c[at]);
      result[at] = U::template result<D>(U::template element<U>(a[line].number, b[column].number, a[line].scale, b[column].scale, addend));
    }
  std::memcpy(row(w, o->row), result, sizeof result);
  return o + o->slots;
}

struct Matrix {
  Handler run;
  int a, b, d;  ///< registers
};
template <class U, int kSize>
constexpr Matrix matrix() {
  constexpr int kGroups = kLanes / kSize;
  return {multiply<U, kSize>, U::kK * U::A::kMemoryBits / 32 / kGroups, U::kK * U::B::kMemoryBits / 32 / kGroups, kSize * kSize / kLanes};
}

const std::map<std::string, Matrix>& of_gfx942() {
  using namespace units;
  static const std::map<std::string, Matrix> table = {
      {"v_mfma_f32_16x16x16_f16", matrix<Gfx942MfmaF16F32, 16>()},
      {"v_mfma_f32_16x16x16_bf16", matrix<Gfx942MfmaBf16F32, 16>()},
      {"v_mfma_f32_16x16x8_xf32", matrix<Gfx942MfmaXf32F32, 16>()},
      {"v_mfma_f32_16x16x32_fp8_fp8", matrix<Gfx942MfmaE4m3fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_bf8_bf8", matrix<Gfx942MfmaE5m2fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_fp8_bf8", matrix<Gfx942MfmaE4m3fnuzE5m2fnuzF32, 16>()},
      {"v_mfma_f32_16x16x32_bf8_fp8", matrix<Gfx942MfmaE5m2fnuzE4m3fnuzF32, 16>()},
      {"v_mfma_i32_16x16x32_i8", matrix<Gfx942MfmaInt8Int32, 16>()},
      {"v_mfma_f32_32x32x8_f16", matrix<F16Wide, 32>()},
      {"v_mfma_f32_32x32x8_bf16", matrix<Bf16Wide, 32>()},
      {"v_mfma_f32_32x32x4_xf32", matrix<Xf32Wide, 32>()},
      {"v_mfma_f32_32x32x16_fp8_fp8", matrix<SplitWide<E4m3fnuz, E4m3fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_bf8_bf8", matrix<SplitWide<E5m2fnuz, E5m2fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_fp8_bf8", matrix<SplitWide<E4m3fnuz, E5m2fnuz>, 32>()},
      {"v_mfma_f32_32x32x16_bf8_fp8", matrix<SplitWide<E5m2fnuz, E4m3fnuz>, 32>()},
      {"v_mfma_i32_32x32x16_i8", matrix<Int8Wide, 32>()}};
  return table;
}

}  // namespace

bool build_matrix(Build& build) {
  if (build.in.name.compare(0, 7, "v_mfma_") != 0) return false;
  const auto found = of_gfx942().find(build.in.name);
  if (found == of_gfx942().end()) return false;
  if (build.is_gfx950 && build.in.name.compare(0, 11, "v_mfma_i32_") != 0)
    not_implemented("the arithmetic of gfx950's matrix instructions is not documented");
  const Matrix& matrix = found->second;
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  o.run = matrix.run;
  o.row = row_of(operands.at(0));
  for (size_t k = 0; k < 3; ++k) o.source[k] = source_of(operands.at(k + 1), 'f');
  const bool sizes = operands[0].words == matrix.d && operands[1].words == matrix.a && operands[2].words == matrix.b;
  if (!sizes || o.source[0].kind != Source::kRow || o.source[1].kind != Source::kRow || o.source[2].kind == Source::kScalar)
    not_implemented("these operands of a matrix instruction");
  return true;
}

}  // namespace assay_gcn
