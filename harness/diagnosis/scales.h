// Analyses a single scale tensor without a contract, for a user who has a NaN and nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// Type of the codes of a scale tensor.
enum class ScaleKind {
  kWords,  ///< packed UE8M0x4 (int32): lowest group in the lowest byte (DeepGEMM)
  kBytes,  ///< one UE8M0 byte per group (OCP MX)
  kFloats  ///< fp32 scales
};

/// Scales as a matrix of rows (tokens) and groups. Packed words are split into bytes: group 4 w + j is byte j of word w.
struct ScaleGrid {
  std::string name;
  ScaleKind kind = ScaleKind::kFloats;
  int64_t rows = 0, columns = 0;                  ///< includes padding
  std::vector<int64_t> codes;                     ///< bytes or fp32 bits in row-major order; -1: no storage there
  int64_t present_rows = 0, present_columns = 0;  ///< the part that holds scales; the rest is padding
  bool extent_known = false;                      ///< whether the caller stated that part; otherwise everything counts as scales
  bool zero_rows = true, zero_columns = true;  ///< whether padding rows and padding groups must be zero; otherwise they may hold
                                               ///< anything
  bool powers_of_two = false;                  ///< a consumer will convert these fp32 scales to UE8M0
  bool of_e4m3 = false;                        ///< the fp32 numbers are values of E4M3 scales, as of NVFP4

  int64_t code(int64_t row, int64_t column) const { return codes[size_t(row * columns + column)]; }
};

struct ScaleFinding {
  std::string what;                ///< the finding as one line, with counts
  std::vector<std::string> lines;  ///< details (where, first, why, example) as label and text
};

struct ScaleReport {
  std::vector<ScaleFinding> findings;
  std::vector<std::string> notes;  ///< remarks that are not faults
};

/// Plausible range of UE8M0 scale bytes: 85 = 2^-42 to 170 = 2^43.
///
/// The lowest is the scale of an all-zero group under the smallest lower bound in use, 1e-10 / 448, rounded up to 2^-42 (sglang,
/// Triton; the lower bound of vLLM's CUDA op is byte 94). The highest still allows activations of 448 * 2^43; models stay below
/// 2^20. A byte outside the range is unusual, not wrong; only patterns of such bytes are findings.
inline constexpr int64_t kLeastExponent = 85, kMostExponent = 170;

/// Looks for the following.
///
/// Bytes (scale_values.cpp):
/// - 0xFF is NaN in UE8M0. Always a finding.
/// - 0x00 is 2^-127. A finding, unless it is padding: a top byte of the last word that is zero in every row.
/// - fp32 bits in packed words. A word whose top byte is 33..83 is a plausible fp32 scale (2^-61 to 2^41). Read as UE8M0, that
/// byte is below 2^-43, which is too small for a scale. Also, the word must be a power of two, or another byte must be
/// implausible. A correct word has a plausible exponent or zero padding in its top byte, so this finding is never wrong. Words
/// whose two top bytes are equal do not count: such memory was filled with one byte.
/// - mantissas lost by packing: 0xFF, or bytes above kMostExponent, in the lower bytes of words with a plausible top byte.
///   Packing with v0>>23 | v1>>15 | v2>>7 | v3<<1 and no mask keeps the top byte and sets high bits in the others. If top bytes
///   are above the range too, the groups themselves held Inf or NaN, and this is not reported.
///
/// - every byte holds the same implausible value, such as 1 where 0x7F (a scale of 1) was meant.
/// - exponents that are all even and mostly beyond kMostExponent: bytes that a conversion to e4m3fnuz doubled. Also for fp32
///   scales that are powers of two.
///
/// Floats (scale_values.cpp):
/// - the other byte order: at least three quarters are not plausible scales (2^-60 to 2^42), and all are if reversed.
/// - whole numbers from kLeastExponent to kMostExponent everywhere: UE8M0 bytes cast to numbers.
/// - NaN, Inf, negative, zero, subnormal. Always findings: no lower bound in use allows them. (E4M3 scales may be zero.)
/// - packed UE8M0 words read as fp32: if all four bytes are plausible, the fp32 value is negative, or 2^43 or more.
/// - scales that are not powers of two, if `powers_of_two` is set or if most scales are powers of two. By chance at most 1 in 128
///   fp32 scales of bf16 data is a power of two.
///
/// Patterns (scales.cpp):
/// - nonzero padding that must be zero, if the extent is known. Otherwise tail rows, or tail bytes of the last word, that all
///   hold one implausible value while the tensor varies before them.
/// - rows equal to the previous row, if they are more than half of at least 4 rows and a row has at least 4 different values:
///   fp32 scales of different tokens never agree in 4 groups. Also rows that each hold a single value: a per-token scale was
///   broadcast over groups. Powers of two repeat naturally (activations of a layer span a few exponents), so there all rows must
///   be equal and must vary within the row.
/// - transposition. Real scales are about (row effect) x (column effect), since tokens and channels differ in magnitude. The
///   storage has the other order if row and column means of log2(scale) leave more than half of the variance as read, and at most
///   a twentieth of that in one of the two transposed readings. Needs (rows - 1)(columns - 1) >= 8, where that happens by chance
///   once in 3000 tensors (F distribution), and 8 different values, so that two outliers cannot cause it. Scales that grow evenly
///   along the storage, or lack such structure, are never reported as transposed; then only the data can show it (--contract).
ScaleReport look_at_scales(const ScaleGrid& grid);

/// Parts of look_at_scales(); each appends its findings.
void look_at_bytes(const ScaleGrid& grid, ScaleReport& report);
void look_at_floats(const ScaleGrid& grid, ScaleReport& report);
void look_at_patterns(const ScaleGrid& grid, ScaleReport& report);

/// Compares scales with the data that they were made from. `maxima`: the largest magnitude (amax) of each group, in the order of
/// the grid; NaN where a group has none. Under every contract amax / scale lies within a factor of 2 if scales are powers of two,
/// and is constant otherwise, unless the scale is a lower bound. Reports scales that do not fit, but only if at least half of the
/// rows have no such scale. If some are too large and some too small, they belong to other data. Data that were normalized or
/// gated before they were quantized have no row in which all scales fit, and so no finding.
void look_at_data(const ScaleGrid& grid, const std::vector<double>& maxima, ScaleReport& report);

/// The report as printed.
std::string scale_text(const ScaleGrid& grid, const ScaleReport& report);

}  // namespace assay
