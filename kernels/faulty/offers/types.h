// Input types in the entries of describe().
#pragma once

namespace assay_kernels {

inline constexpr const char* kHalf = R"(["bf16", "f16"])";
inline constexpr const char* kAny = R"(["bf16", "f16", "f32"])";

}  // namespace assay_kernels
