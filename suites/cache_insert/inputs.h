// Inputs of the reference for each token of a case.
#pragma once

#include <vector>

#include "harness/core/op.h"
#include "reference/flow/row.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/rows/rotation.h"

namespace assay {

/// Which of the given scales a kernel uses for a group.
enum class WhichScale {
  kOwn,
  kOfTheOther,  ///< V's scale for K and K's for V
  kFirst        ///< the first head's scale for every head
};

/// What a kernel reads besides the numbers of a token. The default is correct.
struct Misreading {
  AngleReading angles = {};
  bool unrotated = false;      ///< angles are not read, and no number is rotated
  bool amax_of_codes = false;  ///< magnitudes are taken of codes as 16-bit integers without sign
  WhichScale scales = WhichScale::kOwn;
};

class CacheInputs {
 public:
  CacheInputs(const Contract& contract, const CacheCase& c, const Problem& problem, const Misreading& misreading = {});

  RowInputs of_row(int64_t row) const;
  /// Codes of a token's numbers: its row of each leading input, concatenated.
  std::vector<uint32_t> codes_of_row(int64_t row) const;
  /// What a kernel stored in the record of a row, in the form of record_values().
  StoredRow stored(const std::vector<HostTensor>& outputs, int64_t row) const;

 private:
  /// The largest code of each group, as a number.
  Spans maxima_of_codes(const std::vector<uint32_t>& codes) const;
  /// Adds the given scales.
  void read_scales(RowInputs& inputs) const;
  /// Adds cosines and sines.
  void read_angles(int64_t row, RowInputs& inputs) const;

  const CacheCase& case_;
  const Problem& problem_;
  Misreading misreading_;
  bool scale_given_, rotates_, normalizes_;
  std::vector<double> gamma_;  ///< weights of a norm
};

}  // namespace assay
