// Results that real tensor cores gave, as MATLAB-tensor-core records them (b12b5a7, model_validation): a folder for every GPU and
// in it one for every format, with `a_GPU_FORMAT.txt` and `b_..` (a dot product a line, operands as hexadecimal words of f32),
// `c_GPU_fp32.txt` (addends, which were rounded to the format of the result) and `d_GPU_fp32.txt`, `d_GPU_fp16.txt` (results),
// words of f32 in binary digits; those of fp16 are widened.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// A row of contracts/unit_recordings.csv: which unit made a set.
struct RecordedUnit {
  std::string unit;            ///< id
  std::string gpu, format, d;  ///< as the files are called
  bool c_is_zero = false;      ///< the addends of the file were not used
};
/// Throws TableError.
std::vector<RecordedUnit> load_recorded_units(const std::string& file);

struct RecordedSet {
  std::string folder;          ///< of the format
  std::string gpu, format, d;  ///< "H100", "E4M3", "fp32"
  std::string name() const { return gpu + "/" + format + "/" + d; }
};

/// Every set under a folder, by name. Throws std::runtime_error if it is no folder or holds none.
std::vector<RecordedSet> recorded_sets(const std::string& folder);

struct RecordedMatches {
  int64_t vectors = 0, matches = 0;
  int64_t first_line = 0;                ///< of the files, 1-based: of the first vector that differs; 0: none does
  uint32_t recorded = 0, predicted = 0;  ///< codes of d there
};

/// Holds the definition of a unit against a set. Throws std::runtime_error with file and line if a file lacks lines, or a word is
/// none or no number of the unit's format.
RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set);

}  // namespace assay
