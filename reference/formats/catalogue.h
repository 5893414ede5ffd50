// Every format of Assay, one per line.
#pragma once

#include <span>
#include <string_view>

#include "reference/formats/format.h"

namespace assay {

inline constexpr Format kF32{"f32", 32, 8, 23, 127, Specials::kIeee, "IEEE 754-2019 binary32"};
inline constexpr Format kBf16{"bf16", 16, 8, 7, 127, Specials::kIeee, "binary32 with 7 mantissa bits"};
inline constexpr Format kF16{"f16", 16, 5, 10, 15, Specials::kIeee, "IEEE 754-2019 binary16"};
inline constexpr Format kE4M3Fn{"e4m3fn", 8, 4, 3, 7, Specials::kFn, "OCP OFP8 v1.0, E4M3"};
inline constexpr Format kE4M3Fnuz{"e4m3fnuz", 8, 4, 3, 8, Specials::kFnuz, "AMD CDNA3 ISA, FP8"};
inline constexpr Format kE5M2{"e5m2", 8, 5, 2, 15, Specials::kIeee, "OCP OFP8 v1.0, E5M2"};
inline constexpr Format kE5M2Fnuz{"e5m2fnuz", 8, 5, 2, 16, Specials::kFnuz, "AMD CDNA3 ISA, BF8"};
inline constexpr Format kE8M0{"e8m0", 8, 8, 0, 127, Specials::kScale, "OCP MX v1.0, E8M0"};
inline constexpr Format kUe4M3{
    "ue4m3", 7, 4, 3, 7, Specials::kUnsigned, "PTX ISA, UE4M3; the byte's highest bit is ignored"};
inline constexpr Format kE3M2{"e3m2", 6, 3, 2, 3, Specials::kFinite, "OCP MX v1.0, FP6 E3M2"};
inline constexpr Format kE2M3{"e2m3", 6, 2, 3, 1, Specials::kFinite, "OCP MX v1.0, FP6 E2M3"};
inline constexpr Format kE2M1{"e2m1", 4, 2, 1, 1, Specials::kFinite, "OCP MX v1.0, FP4 E2M1"};
inline constexpr Format kTf32{"tf32", 19, 8, 10, 127, Specials::kIeee, "PTX ISA, tf32; in memory the upper bits of a binary32"};
inline constexpr Format kInt8{"int8", 8, 0, 7, 0, Specials::kInteger, "two's complement"};
inline constexpr Format kInt32{"int32", 32, 0, 31, 0, Specials::kInteger, "two's complement"};

/// Not numbers: bytes of a buffer whose parts have formats of their own, and offsets into such a buffer.
inline constexpr Format kUint8{"uint8", 8, 0, 8, -7, Specials::kBits, "a byte"};
inline constexpr Format kInt64{
    "int64", 64, 0, 63, 0, Specials::kInteger, "two's complement; an index, which is never decoded"};

/// All number formats, in the order of this file.
std::span<const Format> all_formats();

/// The format with an ordinal for each NaN code (Format::nan_by_code). `format` must be one of all_formats().
const Format& with_nans_by_code(const Format& format);

/// The format of that name, numeric or not; nullptr if there is none.
const Format* find_format(std::string_view name);

}  // namespace assay
