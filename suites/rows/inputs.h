// Inputs of the reference for each row of a case.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "harness/core/op.h"
#include "reference/flow/row.h"
#include "suites/rows/places.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Values of one row of a dense tensor.
std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns);

/// Values [first, first + count) of one row.
std::vector<double> decoded_part(const HostTensor& tensor, int64_t row, int64_t first, int64_t count);

/// Values of the scales of one row of groups, stored in the layout's element format.
std::vector<double> decoded_scales(const HostTensor& tensor, const ScalePlaces& places, int64_t row, int64_t groups);

/// What a kernel takes for the scale of the outer level.
enum class OuterReading {
  kOwn,         ///< that of the row or of the group of rows
  kFirst,       ///< the first one, for all
  kNext,        ///< that of the next row or group of rows
  kOne,         ///< 1
  kReciprocal,  ///< one divided by it, in f32: a scale of the other direction
};

/// How much of x and of the residual a kernel reads; by default all of it.
struct RowReading {
  int64_t pitch = 0;          ///< distance of rows of x, in elements; 0: as the tensor states
  int64_t end = INT64_MAX;    ///< columns from here on are read as zero, in each half of a gated row
  OuterReading outer = OuterReading::kOwn;
  bool explains = true;       ///< parts say why they accept more than one code; nobody asks that of a mistake
};

/// Computes inputs row by row. Maxima of groups that span rows are computed when one of the rows is first requested. Refers to
/// its arguments. Thread-safe.
class CaseInputs {
 public:
  CaseInputs(const Contract& contract, const RowCase& c, const Problem& problem, const RowReading& reading = {});

  RowInputs of_row(int64_t row) const;
  /// The leading columns of row 0, for contracts without a norm: whole groups, unless scales are given. Ignores RowReading::end.
  RowInputs first_of_row0(int64_t columns) const;

 private:
  struct Maxima {
    std::once_flag once;
    Spans of_groups;
  };
  double outer_scale_of(int64_t row) const;
  std::vector<double> row_of_x(int64_t row, int64_t columns) const;
  std::vector<double> without_tail(std::vector<double> row) const;
  Spans maxima_of_row(int64_t row) const;
  const Spans& maxima_of_rows(int64_t row_of_groups) const;

  const Contract& contract_;
  const RowCase& case_;
  const Problem& problem_;
  const RowReading reading_;
  std::vector<std::unique_ptr<Maxima>> maxima_;  ///< one entry per row of groups, if groups span rows
};

}  // namespace assay
