// NVIDIA's units of Blackwell, after MMA-Sim c785138: none of these has been run here.
#pragma once

#include "kernels/units/unit.h"

namespace assay_kernels::units {

struct Sm100MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 16, 25> {
  static constexpr const char* kContract = "sm_100.mma.f16.f32";
};
struct Sm100MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 16, 25, -21> {
  static constexpr const char* kContract = "sm_100.mma.f16.f16";
};
struct Sm100MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 16, 25, -133> {
  static constexpr const char* kContract = "sm_100.mma.bf16.f32";
};
struct Sm100MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 8, 25, -133> {
  static constexpr const char* kContract = "sm_100.mma.tf32.f32";
};
struct Sm100MmaE4m3F32 : UnpackedMma<E4m3, E4m3, F32> {
  static constexpr const char* kContract = "sm_100.mma.e4m3.f32";
};
struct Sm100MmaE4m3F16 : UnpackedMma<E4m3, E4m3, F16> {
  static constexpr const char* kContract = "sm_100.mma.e4m3.f16";
};
struct Sm100MmaE5m2F32 : UnpackedMma<E5m2, E5m2, F32> {
  static constexpr const char* kContract = "sm_100.mma.e5m2.f32";
};
struct Sm100MmaE5m2F16 : UnpackedMma<E5m2, E5m2, F16, -21> {
  static constexpr const char* kContract = "sm_100.mma.e5m2.f16";
};
struct Sm100MmaE4m3E5m2F32 : UnpackedMma<E4m3, E5m2, F32> {
  static constexpr const char* kContract = "sm_100.mma.e4m3_e5m2.f32";
};
struct Sm100MmaE4m3E5m2F16 : UnpackedMma<E4m3, E5m2, F16, -21> {
  static constexpr const char* kContract = "sm_100.mma.e4m3_e5m2.f16";
};
struct Sm100MmaE5m2E4m3F32 : UnpackedMma<E5m2, E4m3, F32> {
  static constexpr const char* kContract = "sm_100.mma.e5m2_e4m3.f32";
};
struct Sm100MmaE5m2E4m3F16 : UnpackedMma<E5m2, E4m3, F16, -21> {
  static constexpr const char* kContract = "sm_100.mma.e5m2_e4m3.f16";
};
struct Sm100Tcgen05F16F32 : AlignedUnit<Tcgen05Tile, F16, F16, F32, 16, 16, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.f16.f32";
};
struct Sm100Tcgen05F16F16 : AlignedUnit<Tcgen05Tile, F16, F16, F16, 16, 16, 25, -21> {
  static constexpr const char* kContract = "sm_100.tcgen05.f16.f16";
};
struct Sm100Tcgen05Bf16F32 : AlignedUnit<Tcgen05Tile, Bf16, Bf16, F32, 16, 16, 25, -133> {
  static constexpr const char* kContract = "sm_100.tcgen05.bf16.f32";
};
struct Sm100Tcgen05Tf32F32 : AlignedUnit<Tcgen05Tile, Tf32, Tf32, F32, 8, 8, 25, -133> {
  static constexpr const char* kContract = "sm_100.tcgen05.tf32.f32";
};
struct Sm100Tcgen05E4m3F32 : AlignedUnit<Tcgen05Tile, E4m3, E4m3, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e4m3.f32";
};
struct Sm100Tcgen05E4m3F16 : AlignedUnit<Tcgen05Tile, E4m3, E4m3, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e4m3.f16";
};
struct Sm100Tcgen05E5m2F32 : AlignedUnit<Tcgen05Tile, E5m2, E5m2, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e5m2.f32";
};
struct Sm100Tcgen05E5m2F16 : AlignedUnit<Tcgen05Tile, E5m2, E5m2, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e5m2.f16";
};
struct Sm100Tcgen05E4m3E5m2F32 : AlignedUnit<Tcgen05Tile, E4m3, E5m2, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e4m3_e5m2.f32";
};
struct Sm100Tcgen05E4m3E5m2F16 : AlignedUnit<Tcgen05Tile, E4m3, E5m2, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e4m3_e5m2.f16";
};
struct Sm100Tcgen05E5m2E4m3F32 : AlignedUnit<Tcgen05Tile, E5m2, E4m3, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e5m2_e4m3.f32";
};
struct Sm100Tcgen05E5m2E4m3F16 : AlignedUnit<Tcgen05Tile, E5m2, E4m3, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_100.tcgen05.e5m2_e4m3.f16";
};
struct Sm100Tcgen05MxE4m3F32 : ScaledUnit<Tcgen05MxTile, E4m3, E4m3> {
  static constexpr const char* kContract = "sm_100.tcgen05.mx_e4m3.f32";
};
struct Sm100Tcgen05MxE5m2F32 : ScaledUnit<Tcgen05MxTile, E5m2, E5m2> {
  static constexpr const char* kContract = "sm_100.tcgen05.mx_e5m2.f32";
};
struct Sm100Tcgen05MxE4m3E5m2F32 : ScaledUnit<Tcgen05MxTile, E4m3, E5m2> {
  static constexpr const char* kContract = "sm_100.tcgen05.mx_e4m3_e5m2.f32";
};
struct Sm100Tcgen05MxE5m2E4m3F32 : ScaledUnit<Tcgen05MxTile, E5m2, E4m3> {
  static constexpr const char* kContract = "sm_100.tcgen05.mx_e5m2_e4m3.f32";
};
struct Sm100Tcgen05Mxf4F32 : GroupedUnit<Tcgen05MxTile, E8m0, 32> {
  static constexpr const char* kContract = "sm_100.tcgen05.mxf4.f32";
};
struct Sm100Tcgen05Nvf4F32 : GroupedUnit<Tcgen05MxTile, Ue4m3, 16> {
  static constexpr const char* kContract = "sm_100.tcgen05.nvf4.f32";
};
using Sm100Units =
    List<Sm100MmaF16F32, Sm100MmaF16F16, Sm100MmaBf16F32, Sm100MmaTf32F32, Sm100MmaE4m3F32, Sm100MmaE4m3F16, Sm100MmaE5m2F32,
         Sm100MmaE5m2F16, Sm100MmaE4m3E5m2F32, Sm100MmaE4m3E5m2F16, Sm100MmaE5m2E4m3F32, Sm100MmaE5m2E4m3F16, Sm100Tcgen05F16F32,
         Sm100Tcgen05F16F16, Sm100Tcgen05Bf16F32, Sm100Tcgen05Tf32F32, Sm100Tcgen05E4m3F32, Sm100Tcgen05E4m3F16,
         Sm100Tcgen05E5m2F32, Sm100Tcgen05E5m2F16, Sm100Tcgen05E4m3E5m2F32, Sm100Tcgen05E4m3E5m2F16, Sm100Tcgen05E5m2E4m3F32,
         Sm100Tcgen05E5m2E4m3F16, Sm100Tcgen05MxE4m3F32, Sm100Tcgen05MxE5m2F32, Sm100Tcgen05MxE4m3E5m2F32,
         Sm100Tcgen05MxE5m2E4m3F32, Sm100Tcgen05Mxf4F32, Sm100Tcgen05Nvf4F32>;

struct Sm120MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 16, 25> {
  static constexpr const char* kContract = "sm_120.mma.f16.f32";
};
struct Sm120MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 16, 25, -21> {
  static constexpr const char* kContract = "sm_120.mma.f16.f16";
};
struct Sm120MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 16, 25, -133> {
  static constexpr const char* kContract = "sm_120.mma.bf16.f32";
};
struct Sm120MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 8, 25, -133> {
  static constexpr const char* kContract = "sm_120.mma.tf32.f32";
};
struct Sm120MmaE4m3F32 : AlignedUnit<MmaTile, E4m3, E4m3, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e4m3.f32";
};
struct Sm120MmaE4m3F16 : AlignedUnit<MmaTile, E4m3, E4m3, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e4m3.f16";
};
struct Sm120MmaE5m2F32 : AlignedUnit<MmaTile, E5m2, E5m2, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e5m2.f32";
};
struct Sm120MmaE5m2F16 : AlignedUnit<MmaTile, E5m2, E5m2, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e5m2.f16";
};
struct Sm120MmaE4m3E5m2F32 : AlignedUnit<MmaTile, E4m3, E5m2, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e4m3_e5m2.f32";
};
struct Sm120MmaE4m3E5m2F16 : AlignedUnit<MmaTile, E4m3, E5m2, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e4m3_e5m2.f16";
};
struct Sm120MmaE5m2E4m3F32 : AlignedUnit<MmaTile, E5m2, E4m3, F32, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e5m2_e4m3.f32";
};
struct Sm120MmaE5m2E4m3F16 : AlignedUnit<MmaTile, E5m2, E4m3, F16, 32, 32, 25> {
  static constexpr const char* kContract = "sm_120.mma.e5m2_e4m3.f16";
};
struct Sm120MmaMxE4m3F32 : ScaledUnit<MmaTile, E4m3, E4m3> {
  static constexpr const char* kContract = "sm_120.mma.mx_e4m3.f32";
};
struct Sm120MmaMxE5m2F32 : ScaledUnit<MmaTile, E5m2, E5m2> {
  static constexpr const char* kContract = "sm_120.mma.mx_e5m2.f32";
};
struct Sm120MmaMxE4m3E5m2F32 : ScaledUnit<MmaTile, E4m3, E5m2> {
  static constexpr const char* kContract = "sm_120.mma.mx_e4m3_e5m2.f32";
};
struct Sm120MmaMxE5m2E4m3F32 : ScaledUnit<MmaTile, E5m2, E4m3> {
  static constexpr const char* kContract = "sm_120.mma.mx_e5m2_e4m3.f32";
};
struct Sm120MmaMxf4F32 : GroupedUnit<MmaTile, E8m0, 32> {
  static constexpr const char* kContract = "sm_120.mma.mxf4.f32";
};
struct Sm120MmaNvf4F32 : GroupedUnit<MmaTile, Ue4m3, 16> {
  static constexpr const char* kContract = "sm_120.mma.nvf4.f32";
};
using Sm120Units =
    List<Sm120MmaF16F32, Sm120MmaF16F16, Sm120MmaBf16F32, Sm120MmaTf32F32, Sm120MmaE4m3F32, Sm120MmaE4m3F16, Sm120MmaE5m2F32,
         Sm120MmaE5m2F16, Sm120MmaE4m3E5m2F32, Sm120MmaE4m3E5m2F16, Sm120MmaE5m2E4m3F32, Sm120MmaE5m2E4m3F16, Sm120MmaMxE4m3F32,
         Sm120MmaMxE5m2F32, Sm120MmaMxE4m3E5m2F32, Sm120MmaMxE5m2E4m3F32, Sm120MmaMxf4F32, Sm120MmaNvf4F32>;

}  // namespace assay_kernels::units
