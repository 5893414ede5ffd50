// NVIDIA's tensor core instructions up to Hopper, and Blackwell's.
#pragma once

#include "kernels/units/unit.h"

namespace assay_kernels::units {

// NVIDIA's instructions up to Hopper. How each of them accumulates, with sources, is in reference/contracts/units.csv.

struct Sm70MmaF16F32 : AlignedUnit<QuadPairTile, F16, F16, F32, 4, 4, 23> {
  static constexpr const char* kContract = "sm_70.mma.f16.f32";
};
struct Sm70MmaF16F16 : AlignedUnit<QuadPairTile, F16, F16, F16, 4, 4, 23, -19> {
  static constexpr const char* kContract = "sm_70.mma.f16.f16";
};
using Sm70Units = List<Sm70MmaF16F32, Sm70MmaF16F16>;

struct Sm75MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 8, 8, 24> {
  static constexpr const char* kContract = "sm_75.mma.f16.f32";
};
struct Sm75MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 8, 8, 24, -20> {
  static constexpr const char* kContract = "sm_75.mma.f16.f16";
};
using Sm75Units = List<Sm75MmaF16F32, Sm75MmaF16F16>;

struct Sm80MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 8, 24> {
  static constexpr const char* kContract = "sm_80.mma.f16.f32";
};
struct Sm80MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 8, 24, -20> {
  static constexpr const char* kContract = "sm_80.mma.f16.f16";
};
struct Sm80MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 8, 24, -132> {
  static constexpr const char* kContract = "sm_80.mma.bf16.f32";
};
struct Sm80MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 4, 24, -132> {
  static constexpr const char* kContract = "sm_80.mma.tf32.f32";
};
using Sm80Units = List<Sm80MmaF16F32, Sm80MmaF16F16, Sm80MmaBf16F32, Sm80MmaTf32F32>;

struct Sm86MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 8, 24> {
  static constexpr const char* kContract = "sm_86.mma.f16.f32";
};
struct Sm86MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 8, 24, -20> {
  static constexpr const char* kContract = "sm_86.mma.f16.f16";
};
struct Sm86MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 8, 24, -132> {
  static constexpr const char* kContract = "sm_86.mma.bf16.f32";
};
struct Sm86MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 4, 24, -132> {
  static constexpr const char* kContract = "sm_86.mma.tf32.f32";
};
using Sm86Units = List<Sm86MmaF16F32, Sm86MmaF16F16, Sm86MmaBf16F32, Sm86MmaTf32F32>;

struct Sm89MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 8, 24> {
  static constexpr const char* kContract = "sm_89.mma.f16.f32";
};
struct Sm89MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 8, 24, -20> {
  static constexpr const char* kContract = "sm_89.mma.f16.f16";
};
struct Sm89MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 8, 24, -132> {
  static constexpr const char* kContract = "sm_89.mma.bf16.f32";
};
struct Sm89MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 4, 24, -132> {
  static constexpr const char* kContract = "sm_89.mma.tf32.f32";
};
struct Sm89MmaE4m3F32 : AlignedUnit<MmaTile, E4m3, E4m3, F32, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e4m3.f32";
};
struct Sm89MmaE4m3F16 : AlignedUnit<MmaTile, E4m3, E4m3, F16, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e4m3.f16";
};
struct Sm89MmaE5m2F32 : AlignedUnit<MmaTile, E5m2, E5m2, F32, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e5m2.f32";
};
struct Sm89MmaE5m2F16 : AlignedUnit<MmaTile, E5m2, E5m2, F16, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e5m2.f16";
};
struct Sm89MmaE4m3E5m2F32 : AlignedUnit<MmaTile, E4m3, E5m2, F32, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e4m3_e5m2.f32";
};
struct Sm89MmaE4m3E5m2F16 : AlignedUnit<MmaTile, E4m3, E5m2, F16, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e4m3_e5m2.f16";
};
struct Sm89MmaE5m2E4m3F32 : AlignedUnit<MmaTile, E5m2, E4m3, F32, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e5m2_e4m3.f32";
};
struct Sm89MmaE5m2E4m3F16 : AlignedUnit<MmaTile, E5m2, E4m3, F16, 32, 16, 13> {
  static constexpr const char* kContract = "sm_89.mma.e5m2_e4m3.f16";
};
using Sm89Units =
    List<Sm89MmaF16F32, Sm89MmaF16F16, Sm89MmaBf16F32, Sm89MmaTf32F32, Sm89MmaE4m3F32, Sm89MmaE4m3F16, Sm89MmaE5m2F32,
         Sm89MmaE5m2F16, Sm89MmaE4m3E5m2F32, Sm89MmaE4m3E5m2F16, Sm89MmaE5m2E4m3F32, Sm89MmaE5m2E4m3F16>;

struct Sm90MmaF16F32 : AlignedUnit<MmaTile, F16, F16, F32, 16, 16, 25> {
  static constexpr const char* kContract = "sm_90.mma.f16.f32";
};
struct Sm90MmaF16F16 : AlignedUnit<MmaTile, F16, F16, F16, 16, 16, 25, -21> {
  static constexpr const char* kContract = "sm_90.mma.f16.f16";
};
struct Sm90MmaBf16F32 : AlignedUnit<MmaTile, Bf16, Bf16, F32, 16, 16, 25, -133> {
  static constexpr const char* kContract = "sm_90.mma.bf16.f32";
};
struct Sm90MmaTf32F32 : AlignedUnit<MmaTile, Tf32, Tf32, F32, 8, 8, 25, -133> {
  static constexpr const char* kContract = "sm_90.mma.tf32.f32";
};
struct Sm90MmaE4m3F32 : UnpackedMma<E4m3, E4m3, F32> {
  static constexpr const char* kContract = "sm_90.mma.e4m3.f32";
};
struct Sm90MmaE4m3F16 : UnpackedMma<E4m3, E4m3, F16> {
  static constexpr const char* kContract = "sm_90.mma.e4m3.f16";
};
struct Sm90MmaE5m2F32 : UnpackedMma<E5m2, E5m2, F32> {
  static constexpr const char* kContract = "sm_90.mma.e5m2.f32";
};
struct Sm90MmaE5m2F16 : UnpackedMma<E5m2, E5m2, F16, -21> {
  static constexpr const char* kContract = "sm_90.mma.e5m2.f16";
};
struct Sm90MmaE4m3E5m2F32 : UnpackedMma<E4m3, E5m2, F32> {
  static constexpr const char* kContract = "sm_90.mma.e4m3_e5m2.f32";
};
struct Sm90MmaE4m3E5m2F16 : UnpackedMma<E4m3, E5m2, F16, -21> {
  static constexpr const char* kContract = "sm_90.mma.e4m3_e5m2.f16";
};
struct Sm90MmaE5m2E4m3F32 : UnpackedMma<E5m2, E4m3, F32> {
  static constexpr const char* kContract = "sm_90.mma.e5m2_e4m3.f32";
};
struct Sm90MmaE5m2E4m3F16 : UnpackedMma<E5m2, E4m3, F16, -21> {
  static constexpr const char* kContract = "sm_90.mma.e5m2_e4m3.f16";
};
/// The kernel itself converts the codes to fp16 before the instruction, as Triton does. The first of two instructions adds c.
struct Sm90MmaE4m3UnpackedF32 : UnpackedMma<E4m3, E4m3, F32> {
  static constexpr const char* kContract = "sm_90.mma.e4m3_unpacked.f32";
  static constexpr bool kAddsCLast = false, kUnpackedByKernel = true;
};
struct Sm90MmaInt8Int32 : IntegerUnit<MmaTile> {
  static constexpr const char* kContract = "sm_90.mma.int8.int32";
};
struct Sm90WgmmaF16F32 : AlignedUnit<WgmmaTile, F16, F16, F32, 16, 16, 25> {
  static constexpr const char* kContract = "sm_90.wgmma.f16.f32";
};
struct Sm90WgmmaF16F16 : AlignedUnit<WgmmaTile, F16, F16, F16, 16, 16, 25, -21> {
  static constexpr const char* kContract = "sm_90.wgmma.f16.f16";
};
struct Sm90WgmmaBf16F32 : AlignedUnit<WgmmaTile, Bf16, Bf16, F32, 16, 16, 25, -133> {
  static constexpr const char* kContract = "sm_90.wgmma.bf16.f32";
};
struct Sm90WgmmaTf32F32 : AlignedUnit<WgmmaTile, Tf32, Tf32, F32, 8, 8, 25, -133> {
  static constexpr const char* kContract = "sm_90.wgmma.tf32.f32";
};
struct Sm90WgmmaE4m3F32 : AlignedUnit<WgmmaTile, E4m3, E4m3, F32, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e4m3.f32";
};
struct Sm90WgmmaE4m3F16 : AlignedUnit<WgmmaTile, E4m3, E4m3, F16, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e4m3.f16";
};
struct Sm90WgmmaE5m2F32 : AlignedUnit<WgmmaTile, E5m2, E5m2, F32, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e5m2.f32";
};
struct Sm90WgmmaE5m2F16 : AlignedUnit<WgmmaTile, E5m2, E5m2, F16, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e5m2.f16";
};
struct Sm90WgmmaE4m3E5m2F32 : AlignedUnit<WgmmaTile, E4m3, E5m2, F32, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e4m3_e5m2.f32";
};
struct Sm90WgmmaE4m3E5m2F16 : AlignedUnit<WgmmaTile, E4m3, E5m2, F16, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e4m3_e5m2.f16";
};
struct Sm90WgmmaE5m2E4m3F32 : AlignedUnit<WgmmaTile, E5m2, E4m3, F32, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e5m2_e4m3.f32";
};
struct Sm90WgmmaE5m2E4m3F16 : AlignedUnit<WgmmaTile, E5m2, E4m3, F16, 32, 32, 13> {
  static constexpr const char* kContract = "sm_90.wgmma.e5m2_e4m3.f16";
};
struct Sm90WgmmaInt8Int32 : IntegerUnit<WgmmaTile> {
  static constexpr const char* kContract = "sm_90.wgmma.int8.int32";
};
using Sm90Units =
    List<Sm90MmaF16F32, Sm90MmaF16F16, Sm90MmaBf16F32, Sm90MmaTf32F32, Sm90MmaE4m3F32, Sm90MmaE4m3F16, Sm90MmaE5m2F32,
         Sm90MmaE5m2F16, Sm90MmaE4m3E5m2F32, Sm90MmaE4m3E5m2F16, Sm90MmaE5m2E4m3F32, Sm90MmaE5m2E4m3F16, Sm90MmaE4m3UnpackedF32,
         Sm90MmaInt8Int32, Sm90WgmmaF16F32, Sm90WgmmaF16F16, Sm90WgmmaBf16F32, Sm90WgmmaTf32F32, Sm90WgmmaE4m3F32,
         Sm90WgmmaE4m3F16, Sm90WgmmaE5m2F32, Sm90WgmmaE5m2F16, Sm90WgmmaE4m3E5m2F32, Sm90WgmmaE4m3E5m2F16, Sm90WgmmaE5m2E4m3F32,
         Sm90WgmmaE5m2E4m3F16, Sm90WgmmaInt8Int32>;

// NVIDIA's Blackwell instructions, as modelled by MMA-Sim c785138. Not compared with hardware.

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
