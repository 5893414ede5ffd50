// Results recorded on real tensor cores by MATLAB-tensor-core (commit b12b5a7, model_validation). It has one folder per GPU and
// in it one per format, with four kinds of files: `a_GPU_FORMAT.txt` and `b_..` (one dot product per line, operands as
// hexadecimal f32 words), `c_GPU_fp32.txt` (addends; the recording program rounded them to the format of the result before
// use) and `d_GPU_fp32.txt` or `d_GPU_fp16.txt` (results). Files c and d hold f32 words in binary digits; fp16 results are widened to f32.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/units/unit.h"

namespace assay {

/// A row of contracts/unit_recordings.csv: the unit that produced a set of recordings.
struct RecordedUnit {
  std::string unit;            ///< id
  std::string gpu, format, d;  ///< as in the file names
  bool c_is_zero = false;      ///< the addends of the file were not used
};
/// Throws TableError.
std::vector<RecordedUnit> load_recorded_units(const std::string& file);

struct RecordedSet {
  std::string folder;          ///< folder of the format
  std::string gpu, format, d;  ///< "H100", "E4M3", "fp32"
  std::string name() const { return gpu + "/" + format + "/" + d; }
};

/// Every set under a folder, by name. Throws std::runtime_error if it is no folder or holds none.
std::vector<RecordedSet> recorded_sets(const std::string& folder);

struct RecordedMatches {
  int64_t vectors = 0, matches = 0;
  int64_t first_line = 0;                ///< 1-based line of the first vector that differs; 0: none differs
  uint32_t recorded = 0, predicted = 0;  ///< codes of d in that line
};

/// Compares the definition of a unit with a set. Throws std::runtime_error with file and line if a line is missing, or a word is
/// malformed or not a number of the unit's format.
RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set);

}  // namespace assay
