// Matrix instructions (MFMA). The tensor core emulator of kernels/units does the arithmetic; this file defines in which registers
// matrices lie. EXEC is ignored. How gfx950's floating-point instructions add is not documented, so each has three candidate
// models (contracts/unit_candidates.csv); a run uses one model.
//
// Layouts: AMD Matrix Instruction Calculator; CDNA3 ISA 7.1.5; for f8f6f4, composable_kernel's test/mx_mfma_op.
#include <cstring>
#include <map>

#include "kernels/gcn_executor/program.h"
#include "kernels/simt/simt.h"
#include "kernels/units/emulated_mma.h"

namespace assay_gcn {
namespace {

namespace units = assay_kernels::units;
using units::Bf16;
using units::E2m1;
using units::E4m3;
using units::E5m2;
using units::F16;
using units::Number;

// A 32 x 32 instruction has half the k of a 16 x 16 one. gfx950's int8 instructions have twice the k of gfx942's.
struct F16Wide : units::JoinedUnit<F16, 8, 8> {};
struct Bf16Wide : units::JoinedUnit<Bf16, 8, 8, 128> {};
struct Xf32Wide : units::JoinedUnit<units::Tf32, 4, 4, 128> {};
template <class A, class B, int kLength>
struct Split : units::SplitUnit<A, B> {
  static constexpr int kK = kLength;
};
template <int kLength>
struct Int8 : units::IntegerUnit<units::MfmaTile> {
  static constexpr int kK = kLength;
};
/// Adds kTaken products and C with 40 fraction bits, so that only the sum is rounded, to the nearest f32.
template <class A, class B, int kLength, int kTaken>
struct WideSum : units::Aligned, units::MfmaUnit<A, B, kLength> {
  static constexpr int kTake = kTaken, kFraction = 40;
  static constexpr units::Rounding kRounding = units::Rounding::kNearest;
};

using E2m3 = units::FormatOf<6, 3, 1, units::Codes::kFinite>;
using E3m2 = units::FormatOf<6, 2, 3, units::Codes::kFinite>;

/// D = A * B^T + C for one wave; a and b hold the rows of A and B. Source 2 is C. D has kSize rows and columns.
template <class U, int kSize>
void multiply_rows(Wave& w, const Operation* o, const Number (*a)[U::kK], const Number (*b)[U::kK]) {
  constexpr int kGroups = kLanes / kSize, kRegisters = kSize * kSize / kLanes;
  using D = typename U::D;
  alignas(64) u32 result[kRegisters * kLanes];
  const bool constant = o->source[2].kind == Source::kConstant;
  const u32* c = constant ? nullptr : row(w, o->source[2].index);
  for (int line = 0; line < kSize; ++line)
    for (int column = 0; column < kSize; ++column) {
      const int at = kLanes * (line % 4 + 4 * (line / (4 * kGroups))) + column + kSize * (line / 4 % kGroups);
      const u32 addend = U::template addend<D>(constant ? o->source[2].constant[0] : c[at]);
      result[at] = U::template result<D>(U::template element<U>(a[line], b[column], nullptr, nullptr, addend));
    }
  std::memcpy(row(w, o->row), result, sizeof result);
}

/// A lane's registers hold part of one row of A and of B: K / groups consecutive elements along k, where groups = 64 / kSize.
template <class U, int kSize>
const Operation* multiply(Wave& w, const Operation* o) {
  constexpr int kGroups = kLanes / kSize;
  constexpr int kRowBytes = U::kK * U::A::kMemoryBits / 8, kColumnBytes = U::kK * U::B::kMemoryBits / 8;
  const auto gather = [&](const Source& s, int line, uint8_t* to, int bytes) {
    const int part = bytes / kGroups;
    for (int g = 0; g < kGroups; ++g) {
      const u32* lane = row(w, s.index) + line + kSize * g;
      for (int k = 0; k < part; k += 4)
        std::memcpy(to + part * g + k, lane + kLanes * (k / 4), static_cast<size_t>(part - k < 4 ? part - k : 4));
    }
  };
  static thread_local Number a[kSize][U::kK], b[kSize][U::kK];
  uint8_t codes[kRowBytes > kColumnBytes ? kRowBytes : kColumnBytes];
  units::Row<U, typename U::A> one;
  units::Row<U, typename U::B> other;
  for (int i = 0; i < kSize; ++i) {
    gather(o->source[0], i, codes, kRowBytes);
    one.read(codes, nullptr);
    std::memcpy(a[i], one.number, sizeof a[i]);
    gather(o->source[1], i, codes, kColumnBytes);
    other.read(codes, nullptr);
    std::memcpy(b[i], other.number, sizeof b[i]);
  }
  multiply_rows<U, kSize>(w, o, a, b);
  return o + o->slots;
}

// ---- f8f6f4: formats chosen by cbsz and blgp, with or without scales
/// Bits of a code, by the format number in cbsz or blgp: e4m3, e5m2, e2m3, e3m2, e2m1.
constexpr int kCodeBits[] = {8, 8, 6, 6, 4};

/// The value of a code, with its significand scaled to three mantissa bits, as e4m3 has. This is exact for all five formats.
template <class F>
Number with_three_bits(u32 code) {
  Number x = units::number_of<F>(code);
  x.significand *= 1 << (3 - F::kMantissa);
  return x;
}
Number number_of(u32 code, int format) {
  switch (format) {
    case 0:
      return with_three_bits<E4m3>(code);
    case 1:
      return with_three_bits<E5m2>(code);
    case 2:
      return with_three_bits<E2m3>(code);
    case 3:
      return with_three_bits<E3m2>(code);
    default:
      return with_three_bits<E2m1>(code);
  }
}

/// Reads all rows of A or B into `to`. A lane holds 32 codes of its row: consecutive ones, or for 8-bit codes two runs of 16 that
/// begin kK / 2 apart. `scale`: a word per lane, or null without scales. In lane `row + kSize * block`, byte `byte` of the word
/// is the scale of codes 32 * block to 32 * block + 31 of that row.
template <int kSize, int kK>
void read_rows(const u32* codes, int format, const u32* scale, int byte, Number (*to)[kK]) {
  const int bits = kCodeBits[format];
  for (int lane = 0; lane < kLanes; ++lane) {
    const int line = lane % kSize, group = lane / kSize;
    for (int i = 0; i < 32; ++i) {
      const int first = i * bits;
      u64 word = codes[kLanes * (first / 32) + lane];
      if (first % 32 + bits > 32) word |= static_cast<u64>(codes[kLanes * (first / 32 + 1) + lane]) << 32;
      const u32 code = static_cast<u32>(word >> first % 32) & ((1u << bits) - 1);
      const int k = bits == 8 ? 16 * group + i % 16 + i / 16 * (kK / 2) : 32 * group + i;
      to[line][k] = number_of(code, format);
      if (scale != nullptr) {
        const u32 exponent = scale[line + kSize * (k / 32)] >> 8 * byte & 255;
        to[line][k] = units::scaled(to[line][k], units::number_of<units::E8m0>(exponent));
      }
    }
  }
}

/// Fields of o->code: format of A (bits 0-3) and of B (4-7), byte of A's scale (8-9) and of B's (10-11), whether there are scales (12).
/// Source 3 is the scale of A; the scale of B is a source of the next operation slot (see build_scaled).
template <class U, int kSize>
const Operation* multiply_scaled(Wave& w, const Operation* o) {
  static thread_local Number a[kSize][U::kK], b[kSize][U::kK];
  const bool scales = (o->code >> 12 & 1) != 0;
  const u32* const sa = scales ? w.launch->lanes->prepare(w, o->source[3], 0) : nullptr;
  const u32* const sb = scales ? w.launch->lanes->prepare(w, (o + 1)->source[0], 1) : nullptr;
  read_rows<kSize, U::kK>(row(w, o->source[0].index), o->code & 15, sa, o->code >> 8 & 3, a);
  read_rows<kSize, U::kK>(row(w, o->source[1].index), o->code >> 4 & 15, sb, o->code >> 10 & 3, b);
  multiply_rows<U, kSize>(w, o, a, b);
  return o + o->slots;
}

struct Matrix {
  Handler run;
  int a, b, d;  ///< number of registers per lane that hold each matrix
};
template <class U, int kSize>
constexpr Matrix matrix() {
  constexpr int kGroups = kLanes / kSize;
  return {multiply<U, kSize>, U::kK * U::A::kMemoryBits / 32 / kGroups, U::kK * U::B::kMemoryBits / 32 / kGroups,
          kSize * kSize / kLanes};
}

using Table = std::map<std::string, Matrix>;

const Table& gfx942_matrices() {
  using namespace units;
  static const Table table = {{"v_mfma_f32_16x16x16_f16", matrix<Gfx942MfmaF16F32, 16>()},
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
                              {"v_mfma_f32_32x32x16_fp8_fp8", matrix<Split<E4m3fnuz, E4m3fnuz, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_bf8_bf8", matrix<Split<E5m2fnuz, E5m2fnuz, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_fp8_bf8", matrix<Split<E4m3fnuz, E5m2fnuz, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_bf8_fp8", matrix<Split<E5m2fnuz, E4m3fnuz, 16>, 32>()},
                              {"v_mfma_i32_32x32x16_i8", matrix<Int8<16>, 32>()}};
  return table;
}

/// The instructions of gfx950 under one candidate model. `Like`: the unit that adds kLength products under kAsGfx942.
template <MatrixModel kModel>
struct Gfx950 {
  template <class Like, class A, class B, int kLength>
  using Unit = std::conditional_t<kModel == MatrixModel::kAsGfx942, Like,
                                  WideSum<A, B, kLength, kModel == MatrixModel::kOneRounding ? kLength : 1>>;
  template <int kLength>
  using OfF16 = Unit<units::JoinedUnit<F16, kLength, 8>, F16, F16, kLength>;
  template <int kLength>
  using OfBf16 = Unit<units::JoinedUnit<Bf16, kLength, 8, 128>, Bf16, Bf16, kLength>;
  template <class A, class B, int kLength>
  using OfEight = Unit<Split<A, B, kLength>, A, B, kLength>;
  /// Under kAsGfx942: adds in blocks of 64 along k, gfx942's longest blocks (candidate scaled_128 of unit_candidates.csv).
  template <int kLength>
  using Scaled = Unit<units::JoinedUnit<E4m3, kLength, 64>, E4m3, E4m3, kLength>;

  static const Table& table() {
    static const Table the = {{"v_mfma_f32_16x16x16_f16", matrix<OfF16<16>, 16>()},
                              {"v_mfma_f32_32x32x8_f16", matrix<OfF16<8>, 32>()},
                              {"v_mfma_f32_16x16x32_f16", matrix<OfF16<32>, 16>()},
                              {"v_mfma_f32_32x32x16_f16", matrix<OfF16<16>, 32>()},
                              {"v_mfma_f32_16x16x16_bf16", matrix<OfBf16<16>, 16>()},
                              {"v_mfma_f32_32x32x8_bf16", matrix<OfBf16<8>, 32>()},
                              {"v_mfma_f32_16x16x32_bf16", matrix<OfBf16<32>, 16>()},
                              {"v_mfma_f32_32x32x16_bf16", matrix<OfBf16<16>, 32>()},
                              {"v_mfma_f32_16x16x32_fp8_fp8", matrix<OfEight<E4m3, E4m3, 32>, 16>()},
                              {"v_mfma_f32_16x16x32_fp8_bf8", matrix<OfEight<E4m3, E5m2, 32>, 16>()},
                              {"v_mfma_f32_16x16x32_bf8_fp8", matrix<OfEight<E5m2, E4m3, 32>, 16>()},
                              {"v_mfma_f32_16x16x32_bf8_bf8", matrix<OfEight<E5m2, E5m2, 32>, 16>()},
                              {"v_mfma_f32_32x32x16_fp8_fp8", matrix<OfEight<E4m3, E4m3, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_fp8_bf8", matrix<OfEight<E4m3, E5m2, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_bf8_fp8", matrix<OfEight<E5m2, E4m3, 16>, 32>()},
                              {"v_mfma_f32_32x32x16_bf8_bf8", matrix<OfEight<E5m2, E5m2, 16>, 32>()},
                              {"16x16x128_f8f6f4", {multiply_scaled<Scaled<128>, 16>, 0, 0, 4}},
                              {"32x32x64_f8f6f4", {multiply_scaled<Scaled<64>, 32>, 0, 0, 16}}};
    return the;
  }
};

const Table& gfx950_integer_matrices() {
  static const Table table = {{"v_mfma_i32_16x16x32_i8", matrix<units::Gfx942MfmaInt8Int32, 16>()},
                              {"v_mfma_i32_32x32x16_i8", matrix<Int8<16>, 32>()},
                              {"v_mfma_i32_16x16x64_i8", matrix<Int8<64>, 16>()},
                              {"v_mfma_i32_32x32x32_i8", matrix<Int8<32>, 32>()}};
  return table;
}

const Table& gfx950_matrices(MatrixModel model) {
  switch (model) {
    case MatrixModel::kAsGfx942:
      return Gfx950<MatrixModel::kAsGfx942>::table();
    case MatrixModel::kOneRounding:
      return Gfx950<MatrixModel::kOneRounding>::table();
    case MatrixModel::kEachProduct:
      return Gfx950<MatrixModel::kEachProduct>::table();
    default:
      not_implemented(
          "the arithmetic of gfx950's matrix instructions is not documented; choose a candidate model by matrix=as_gfx942, "
          "one_rounding or each_product");
  }
}

/// v_mfma_f32_*_f8f6f4 and v_mfma_scale_f32_*_f8f6f4. The latter has two more operands, the scales, and takes four dwords.
/// Operation slots are per dword: the next slot has no operation of its own, so it keeps the source of B's scale.
void build_scaled(Build& build, const Matrix& matrix, bool has_scales) {
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  const int64_t a = build.number("cbsz"), b = build.number("blgp");
  if (a < 0 || a > 4 || b < 0 || b > 4 || operands.size() != (has_scales ? 6u : 4u))
    not_implemented("a matrix instruction with these operands");
  // A lane's 32 codes of 8, 6 or 4 bits take 8, 6 or 4 registers.
  if (operands[0].words != matrix.d || operands[1].words != kCodeBits[a] || operands[2].words != kCodeBits[b])
    not_implemented("a matrix instruction with these operands");
  o.code = static_cast<u16>(a | b << 4);
  if (!has_scales) return;
  if (!build.has("op_sel_hi")) not_implemented("a matrix instruction with scales but without op_sel_hi");
  const std::vector<int> low = build.list("op_sel", 3), high = build.list("op_sel_hi", 3);
  o.code = static_cast<u16>(o.code | (low[0] + 2 * high[0]) << 8 | (low[1] + 2 * high[1]) << 10 | 1 << 12);
  o.source[3] = source_of(operands[4], 'b');
  Operation& behind = build.program.operations.at((build.in.address - build.program.begin) / 4 + 1);
  behind.source[0] = source_of(operands[5], 'b');
}

}  // namespace

bool build_matrix(Build& build) {
  const std::string& name = build.in.name;
  if (name.compare(0, 7, "v_mfma_") != 0) return false;
  const bool is_integer = name.compare(0, 11, "v_mfma_i32_") == 0, has_scales = name.compare(0, 13, "v_mfma_scale_") == 0;
  const bool is_f8f6f4 = name.size() > 7 && name.compare(name.size() - 7, 7, "_f8f6f4") == 0;
  const Table& table = !build.is_gfx950 ? gfx942_matrices()
                       : is_integer     ? gfx950_integer_matrices()
                                        : gfx950_matrices(build.matrix_model);
  const auto found = table.find(is_f8f6f4 ? name.substr(has_scales ? 17 : 11) : name);
  if (found == table.end()) return false;
  const Matrix& matrix = found->second;
  const std::vector<Operand>& operands = build.in.operands;
  Operation& o = build.out;
  o.run = matrix.run;
  o.row = row_of(operands.at(0));
  for (size_t k = 0; k < 3; ++k) o.source[k] = source_of(operands.at(k + 1), 'f');
  if (is_f8f6f4) build_scaled(build, matrix, has_scales);
  const bool sizes =
      is_f8f6f4 || (operands[0].words == matrix.d && operands[1].words == matrix.a && operands[2].words == matrix.b);
  if (!sizes || o.source[0].kind != Source::kRow || o.source[1].kind != Source::kRow || o.source[2].kind == Source::kScalar)
    not_implemented("a matrix instruction with these operands");
  return true;
}

}  // namespace assay_gcn
