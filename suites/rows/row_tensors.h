// The tensors of a row-wise case, and the values that the reference reads from them for each row.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "harness/core/op.h"
#include "harness/core/tensor.h"
#include "reference/flow/contract.h"
#include "reference/flow/row.h"
#include "suites/rows/row_case.h"

namespace assay {

// Tensors of calls: views of bytes by row, rows with gaps between them, and integer inputs that the case determines.

/// The bytes of a tensor as a matrix, a row of bytes per row of elements; the rows may have gaps between them. Eigen copies
/// blocks of them: `byte_rows(x).leftCols(8) = byte_rows(gate)`.
using ByteRows =
    Eigen::Map<Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstByteRows = Eigen::Map<const Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                                 Eigen::OuterStride<>>;
/// A view of a matrix that follows its strides; a vector counts as one row. The tensor must have its bytes allocated.
ByteRows byte_rows(HostTensor& tensor);
ConstByteRows byte_rows(const HostTensor& tensor);
/// A view of a dense tensor, cut into `rows` rows of equal length.
ByteRows byte_rows(HostTensor& tensor, int64_t rows);
ConstByteRows byte_rows(const HostTensor& tensor, int64_t rows);

/// Whether rows at this stride, with the gaps between them, take more than 256 MiB. TensorSpec::far then keeps only the rows.
bool lie_far(const Format& format, int64_t rows, int64_t stride);
/// A copy of a dense matrix with row stride `stride` in elements (0: dense), beginning at element `offset`. The gaps hold
/// all-ones bits (NaN). If the rows would lie far apart (lie_far()), they are not moved: only TensorSpec::far is set.
HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset);
/// Shifts the tensor by `shift` elements within a larger storage. The elements before it are unused; in inputs they hold NaN.
HostTensor shifted(HostTensor tensor, int64_t shift);
/// An int32 input that the case determines, not random data: each expert's number of rows, or its first row.
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values);
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values);
/// The elements of the int32 tensor `name`; empty if there is no such tensor.
std::vector<int64_t> integers_of(const std::vector<HostTensor>& tensors, std::string_view name);
/// Like input_integers(), but int64: positions or slots of tokens.
HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values);

// The reference's inputs for each row of a case.

/// Values of one row of a dense tensor.
std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns);

/// Values of the elements [first, first + count) of one row.
std::vector<double> decoded_part(const HostTensor& tensor, int64_t row, int64_t first, int64_t count);

/// Values of the scales of one row, one for each of `groups` groups; the tensor stores them in the layout's element format.
std::vector<double> decoded_scales(const HostTensor& tensor, const ScalePlaces& places, int64_t row, int64_t groups);

/// Which value a kernel uses as the outer scale (global_scale) of a row. Only kOwn is correct.
enum class OuterReading {
  kOwn,         ///< the scale of this row, or of its group of rows
  kFirst,       ///< the first scale of the tensor, for all rows
  kNext,        ///< the scale of the next row, or of the next group of rows
  kOne,         ///< 1, as if there were no outer scale
  kReciprocal,  ///< 1 / scale in f32, as if global_scale held reciprocals
};

/// Which elements of x and residual, and which outer scale, a kernel reads. The defaults are correct; others describe mutants.
struct RowReading {
  int64_t pitch = 0;          ///< distance between rows of x, in elements; 0: the tensor's own stride
  int64_t end = INT64_MAX;    ///< columns from this one on are read as zero, in each half of a gated row
  OuterReading outer = OuterReading::kOwn;
  bool explains = true;       ///< also compute why elements accept several codes; not needed for mutants
};

/// Computes the reference's inputs for one row at a time. If a group spans several rows, its amax is computed when the first of
/// these rows is requested. Keeps references to its arguments. Thread-safe.
class CaseInputs {
 public:
  CaseInputs(const Contract& contract, const RowCase& c, const Problem& problem, const RowReading& reading = {});

  RowInputs of_row(int64_t row) const;
  /// Inputs for the first `columns` columns of row 0: whole groups, unless scales are given. Not for norms. Ignores reading.end.
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
  std::vector<std::unique_ptr<Maxima>> maxima_;  ///< one for each row of the scale grid, if groups span several rows
};

// For ops with a rotary embedding: the cosine and sine cache, correct and wrong ways to read it, and lines that explain it.

/// Input cos_sin_cache [positions, rotary]: for each position the cosines of all pairs, then their sines.
/// cos = (1 - t^2) / (1 + t^2) and sin = 2 t / (1 + t^2), with a rational t for each position and pair, so that no math library
/// affects them. Position 0 does not rotate, as in real caches.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream);

/// Which position's angles a kernel reads for a token, and how. The defaults are correct.
struct AngleReading {
  int64_t later = 0;         ///< added to the token's position
  bool own_numbers = false;  ///< the kernel uses the token's index in the batch as its position
  bool alternating = false;  ///< the kernel reads the cache as if each sine followed its cosine
};

struct WrongAngles {
  const char* name;  ///< name of the mutant
  AngleReading reading;
};
const std::vector<WrongAngles>& wrong_angles();

/// The token's entry in the int64 input `positions`.
int64_t position_of_token(const Problem& problem, int64_t token);

/// The angles of a token, from the inputs positions and cos_sin_cache. A mutant's position is clamped to the rows of the cache.
Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token);

/// If column `column` of a head is rotated, appends a line that names its pair.
void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column);

}  // namespace assay
