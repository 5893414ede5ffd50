// The tensors of a row-wise case, and what the reference reads from them for each row.
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
#include "reference/flow/rope/rope.h"
#include "reference/flow/row.h"
#include "suites/rows/row_case.h"

namespace assay {

// Tensors of calls: views of their rows, known integers, and rows moved apart.

/// The bytes of a tensor, row by row; there may be gaps between rows. Eigen moves blocks of them: `byte_rows(x).leftCols(8) =
/// byte_rows(gate)`.
using ByteRows =
    Eigen::Map<Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstByteRows = Eigen::Map<const Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                                 Eigen::OuterStride<>>;
/// A view of a matrix, by its strides. A vector is one row. The tensor must have bytes.
ByteRows byte_rows(HostTensor& tensor);
ConstByteRows byte_rows(const HostTensor& tensor);
/// A view of a dense tensor, cut into that many equal rows.
ByteRows byte_rows(HostTensor& tensor, int64_t rows);
ConstByteRows byte_rows(const HostTensor& tensor, int64_t rows);

/// Whether rows with this stride make a far tensor (TensorSpec::far): with the gaps it would take more than 256 MiB.
bool lie_far(const Format& format, int64_t rows, int64_t stride);
/// Copies the rows of a dense matrix to a distance of `stride` elements (0: unchanged), starting at element `offset`. The gaps
/// are filled with all-ones bits (NaN). Far rows stay where they are and get TensorSpec::far.
HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset);
/// Moves the tensor into its storage by `shift` elements. The elements before it are unused (NaN in inputs).
HostTensor shifted(HostTensor tensor, int64_t shift);
/// An int32 input determined by the case, not by random data: rows of experts, or their offsets.
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values);
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& shape, const std::vector<int64_t>& values);
/// The elements of an int32 tensor; none if there is no such tensor.
std::vector<int64_t> integers_of(const std::vector<HostTensor>& tensors, std::string_view name);
/// The same as int64: positions and slots of tokens.
HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values);

// Inputs of the reference for each row of a case.

/// Values of one row of a dense tensor.
std::vector<double> decoded_row(const HostTensor& tensor, int64_t row, int64_t columns);

/// Values [first, first + count) of one row.
std::vector<double> decoded_part(const HostTensor& tensor, int64_t row, int64_t first, int64_t count);

/// Values of the scales of one row of groups, stored in the layout's element format.
std::vector<double> decoded_scales(const HostTensor& tensor, const ScalePlaces& places, int64_t row, int64_t groups);

/// The value that a kernel uses as the scale of the outer level.
enum class OuterReading {
  kOwn,         ///< the scale of the row or of the group of rows
  kFirst,       ///< the first scale, for all rows
  kNext,        ///< the scale of the next row or group of rows
  kOne,         ///< 1
  kReciprocal,  ///< 1 / scale in f32, as if the scale were defined the other way round
};

/// How much of x and of the residual a kernel reads; by default all of it.
struct RowReading {
  int64_t pitch = 0;          ///< distance between rows of x, in elements; 0: as the tensor states
  int64_t end = INT64_MAX;    ///< this column and later ones are read as zero, in each half of a gated row
  OuterReading outer = OuterReading::kOwn;
  bool explains = true;       ///< state why elements accept several codes; not needed for mutants
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

// Shared by ops with a rotary embedding: the cosine/sine cache, correct and wrong ways to read it, and descriptions.

/// Input cos_sin_cache [positions, rotary]: the cosines and then the sines of each position. They are rational points of the unit
/// circle, different for each position and pair: (1 - t^2, 2 t) / (1 + t^2). So no math library affects them. Position 0 does not
/// rotate, as in real caches.
HostTensor unit_circle_cache(const Format& format, int64_t positions, int64_t rotary, uint64_t seed, uint32_t stream);

/// Where a kernel finds the angles of a token. The default is correct.
struct AngleReading {
  int64_t later = 0;         ///< offset added to the token's position
  bool own_numbers = false;  ///< the position is the token's index in the batch
  bool alternating = false;  ///< the sine of a pair follows its cosine in the cache
};

struct WrongAngles {
  const char* name;  ///< name of the hypothesis
  AngleReading reading;
};
const std::vector<WrongAngles>& wrong_angles();

/// The token's entry in the input positions (int64).
int64_t position_of_token(const Problem& problem, int64_t token);

/// Reads the inputs positions and cos_sin_cache. Misreadings stay inside the cache.
Angles angles_of_token(const Problem& problem, const AngleReading& reading, int64_t token);

/// Adds which pair column `column` of a head belongs to, if any.
void append_pair(std::vector<std::string>& lines, const Rope& rope, const RowInputs& inputs, size_t column);

}  // namespace assay
