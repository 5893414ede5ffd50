// AMD's MFMA instructions, as modelled by MMA-Sim c785138 and MATLAB-tensor-core d12a5b3~1. This project has not compared them with hardware.
#pragma once

#include "kernels/units/unit.h"

namespace assay_kernels::units {

struct Gfx90aMfmaF16F32 : TreeUnit<F16, 16, 4> {
  static constexpr const char* kContract = "gfx90a.mfma.f16.f32";
};
struct Gfx90aMfmaBf161kF32 : TreeUnit<Bf16, 16, 4> {
  static constexpr const char* kContract = "gfx90a.mfma.bf16_1k.f32";
};
struct Gfx90aMfmaBf16F32 : TreeUnit<Bf16, 8, 2> {
  static constexpr const char* kContract = "gfx90a.mfma.bf16.f32";
};
using Gfx90aUnits = List<Gfx90aMfmaF16F32, Gfx90aMfmaBf161kF32, Gfx90aMfmaBf16F32>;

struct Gfx942MfmaF16F32 : JoinedUnit<F16, 16, 8> {
  static constexpr const char* kContract = "gfx942.mfma.f16.f32";
};
struct Gfx942MfmaBf16F32 : JoinedUnit<Bf16, 16, 8, 128> {
  static constexpr const char* kContract = "gfx942.mfma.bf16.f32";
};
struct Gfx942MfmaXf32F32 : JoinedUnit<Tf32, 8, 4, 128> {
  static constexpr const char* kContract = "gfx942.mfma.xf32.f32";
};
struct Gfx942MfmaE4m3fnuzF32 : SplitUnit<E4m3fnuz, E4m3fnuz> {
  static constexpr const char* kContract = "gfx942.mfma.e4m3fnuz.f32";
};
struct Gfx942MfmaE5m2fnuzF32 : SplitUnit<E5m2fnuz, E5m2fnuz> {
  static constexpr const char* kContract = "gfx942.mfma.e5m2fnuz.f32";
};
struct Gfx942MfmaE4m3fnuzE5m2fnuzF32 : SplitUnit<E4m3fnuz, E5m2fnuz> {
  static constexpr const char* kContract = "gfx942.mfma.e4m3fnuz_e5m2fnuz.f32";
};
struct Gfx942MfmaE5m2fnuzE4m3fnuzF32 : SplitUnit<E5m2fnuz, E4m3fnuz> {
  static constexpr const char* kContract = "gfx942.mfma.e5m2fnuz_e4m3fnuz.f32";
};
struct Gfx942MfmaInt8Int32 : IntegerUnit<MfmaTile> {
  static constexpr const char* kContract = "gfx942.mfma.int8.int32";
};
using Gfx942Units = List<Gfx942MfmaF16F32, Gfx942MfmaBf16F32, Gfx942MfmaXf32F32, Gfx942MfmaE4m3fnuzF32, Gfx942MfmaE5m2fnuzF32,
                         Gfx942MfmaE4m3fnuzE5m2fnuzF32, Gfx942MfmaE5m2fnuzE4m3fnuzF32, Gfx942MfmaInt8Int32>;

struct Gfx950MfmaF16F32 : UnknownUnit<F16, F16, 32> {
  static constexpr const char* kContract = "gfx950.mfma.f16.f32";
};
struct Gfx950MfmaBf16F32 : UnknownUnit<Bf16, Bf16, 32> {
  static constexpr const char* kContract = "gfx950.mfma.bf16.f32";
};
struct Gfx950MfmaE4m3F32 : UnknownUnit<E4m3, E4m3, 32> {
  static constexpr const char* kContract = "gfx950.mfma.e4m3.f32";
};
struct Gfx950MfmaE5m2F32 : UnknownUnit<E5m2, E5m2, 32> {
  static constexpr const char* kContract = "gfx950.mfma.e5m2.f32";
};
struct Gfx950MfmaMxf8E4m3F32 : UnknownUnit<E4m3, E4m3, 128, 32> {
  static constexpr const char* kContract = "gfx950.mfma.mxf8_e4m3.f32";
};
struct Gfx950MfmaMxf4F32 : UnknownUnit<E2m1, E2m1, 128, 32> {
  static constexpr const char* kContract = "gfx950.mfma.mxf4.f32";
};
using Gfx950UnknownUnits =
    List<Gfx950MfmaF16F32, Gfx950MfmaBf16F32, Gfx950MfmaE4m3F32, Gfx950MfmaE5m2F32, Gfx950MfmaMxf8E4m3F32, Gfx950MfmaMxf4F32>;

struct Gfx950MfmaInt8Int32 : IntegerUnit<MfmaTile> {
  static constexpr int kK = 64;
  static constexpr const char* kContract = "gfx950.mfma.int8.int32";
};
using Gfx950Units = List<Gfx950MfmaInt8Int32>;

// Candidate models of gfx950.mfma.e4m3.f32 and gfx950.mfma.mxf4.f32 (contracts/unit_candidates.csv). With them, GEMMs that use
// these undocumented instructions run on the CPU. No source says which candidate is right, so op mma does not offer them.
struct Gfx950MfmaE4m3AsGfx942 : SplitUnit<E4m3, E4m3> {};
struct Gfx950MfmaE4m3OneRounding : WideSumUnit<E4m3, 32, 32> {};
struct Gfx950MfmaE4m3EachProduct : WideSumUnit<E4m3, 32, 1> {};
struct Gfx950MfmaMxf4AsGfx942 : SplitUnit<E2m1, E2m1> {
  using Scale = E8m0;
  static constexpr int kK = 128, kScaleBlock = 32;
};
struct Gfx950MfmaMxf4OneRounding : WideSumUnit<E2m1, 128, 64> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = 32;
};
struct Gfx950MfmaMxf4EachProduct : WideSumUnit<E2m1, 128, 1> {
  using Scale = E8m0;
  static constexpr int kScaleBlock = 32;
};
using Gfx950Candidates = List<Gfx950MfmaE4m3AsGfx942, Gfx950MfmaE4m3OneRounding, Gfx950MfmaE4m3EachProduct, Gfx950MfmaMxf4AsGfx942,
                              Gfx950MfmaMxf4OneRounding, Gfx950MfmaMxf4EachProduct>;

}  // namespace assay_kernels::units
