// Tensors of calls: views of their rows, known integers, and rows moved apart.
#pragma once

#include <Eigen/Core>
#include <string>
#include <vector>

#include "harness/core/tensor.h"

namespace assay {

/// The bytes of a tensor, row by row; rows may be apart. Eigen moves blocks of them: `byte_rows(x).leftCols(8) = byte_rows(gate)`.
using ByteRows = Eigen::Map<Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstByteRows = Eigen::Map<const Eigen::Array<uint8_t, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned, Eigen::OuterStride<>>;
/// Of a matrix, where its strides say. A vector is one row. The tensor must have bytes.
ByteRows byte_rows(HostTensor& tensor);
ConstByteRows byte_rows(const HostTensor& tensor);
/// Of a dense tensor, cut into that many equal rows.
ByteRows byte_rows(HostTensor& tensor, int64_t rows);
ConstByteRows byte_rows(const HostTensor& tensor, int64_t rows);

/// Copies the rows of a dense matrix to a distance of `stride` elements (0: unchanged), starting at element `offset`. The gaps
/// are filled with all-ones bits (NaN).
HostTensor rows_apart(const HostTensor& rows, int64_t stride, int64_t offset);
/// An int32 input determined by the case, not by random data: rows of experts, or their offsets.
HostTensor input_integers(const std::string& name, const std::vector<int64_t>& values);
/// The same as int64: positions and slots of tokens.
HostTensor input_int64(const std::string& name, const std::vector<int64_t>& values);

}  // namespace assay
