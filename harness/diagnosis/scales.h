// One suspicious scale tensor and nothing else: what is wrong with it, in words for somebody who has a NaN and no contract.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace assay {

/// What the codes of a scale tensor are.
enum class ScaleKind {
  kWords,  ///< four UE8M0 bytes to an int32, lowest group in the lowest byte (DeepGEMM)
  kBytes,  ///< one UE8M0 byte a group (OCP MX)
  kFloats  ///< fp32
};

/// Scales seen as a matrix of rows (tokens) and groups. Words are split into their bytes: group 4 w + j is byte j of word w.
struct ScaleGrid {
  std::string name;
  ScaleKind kind = ScaleKind::kFloats;
  int64_t rows = 0, columns = 0;                  ///< with padding
  std::vector<int64_t> codes;                     ///< bytes or fp32 bits, row after row; -1: the storage holds nothing there
  int64_t present_rows = 0, present_columns = 0;  ///< of them hold scales, the rest is padding
  bool extent_known = false;                      ///< the present ones were stated; otherwise all are taken for present
  bool zero_rows = true, zero_columns = true;  ///< padding rows, padding groups must hold zero; otherwise they may hold anything
  bool powers_of_two = false;                  ///< fp32 scales that a consumer of UE8M0 is to take

  int64_t code(int64_t row, int64_t column) const { return codes[size_t(row * columns + column)]; }
};

struct ScaleFinding {
  std::string what;                ///< the finding in one line, with counts
  std::vector<std::string> lines;  ///< where, first, why, example: label and text
};

struct ScaleReport {
  std::vector<ScaleFinding> findings;
  std::vector<std::string> notes;  ///< worth knowing and no fault
};

/// Range of UE8M0 bytes that real scales have: 85 = 2^-42 to 170 = 2^43.
///
/// The lowest is the scale of an empty group under the smallest floor in use, 1e-10 / 448, rounded up to 2^-42 (sglang, Triton;
/// the CUDA op of vLLM floors at byte 94). The highest leaves activations of 448 * 2^43; models stay below 2^20. Bytes outside
/// are odd, not wrong: only patterns of them count as findings.
inline constexpr int64_t kLeastExponent = 85, kMostExponent = 170;

/// Looks for everything below.
///
/// Bytes (scales_bytes.cpp):
/// - 0xFF is NaN in UE8M0. Always a finding.
/// - 0x00 is 2^-127. A finding unless it is the padding of the last word: its top bytes, zero in every row.
/// - fp32 bits in words: a word whose top byte is 33..83 reads as an fp32 number of 2^-60 to 2^41, a plausible scale, while as
/// UE8M0
///   that byte is below 2^-43, which no scale is; and its other bytes are not all in the plausible range either. A healthy word
///   has an exponent or zero padding on top and cannot pass. Words whose two top bytes are equal are memory filled with one byte.
/// - mantissas lost by packing: bytes of 0xFF or above kMostExponent in the lower bytes of words whose top byte is plausible. The
/// pack
///   v0>>23 | v1>>15 | v2>>7 | v3<<1 without a mask leaves the top byte alone and sets high bits in the others. If top bytes are
///   above the range too, the groups themselves were Inf or NaN and this is not said.
///
/// Floats (scales_floats.cpp):
/// - NaN, Inf, negative, zero, subnormal. Always findings: no floor in use lets them through.
/// - words of UE8M0 read as fp32: all four bytes in the plausible range is 2^43 or more as fp32, which no scale is.
/// - scales that are no powers of two: if `powers_of_two`, or if more than half of the others are, since fp32 scales hit a power
///   of two by chance in 1 of 128 groups of bf16 data at most.
///
/// Patterns (scales_patterns.cpp):
/// - padding that must be zero and is not, where the extent is known. Otherwise tail rows or tail bytes of the last word that
/// hold one value that
///   is no plausible scale, before which the tensor varies.
/// - rows that repeat the row before, if they are more than half of at least 4 rows and a row has at least 4 different values:
/// fp32
///   scales of different tokens never agree in 4 groups. Rows that hold one value each, likewise: a scale per token spread over
///   groups. Powers of two repeat by nature (activations of a layer span a few exponents), so all their rows have to be the same,
///   and differ inside.
/// - transposition: real scales are about (row effect) x (column effect), since tokens and channels have loudnesses. If row and
/// column
///   means of log2(scale) leave more than half of the variance as read, and a twentieth of that at most in one of the two
///   transposed readings of the same storage, the storage is in the other order. Needs (rows - 1)(columns - 1) >= 8, where chance
///   does that once in 3000 tensors (F distribution), and 8 different values, so that it is no matter of two odd elements. Scales
///   that grow evenly along the storage, or have no such structure, are never said to be transposed: there only the data can tell
///   (--contract).
ScaleReport look_at_scales(const ScaleGrid& grid);

/// Parts of it; each appends.
void look_at_bytes(const ScaleGrid& grid, ScaleReport& report);
void look_at_floats(const ScaleGrid& grid, ScaleReport& report);
void look_at_patterns(const ScaleGrid& grid, ScaleReport& report);

/// The report as it is printed.
std::string scale_text(const ScaleGrid& grid, const ScaleReport& report);

}  // namespace assay
