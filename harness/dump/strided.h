// The memory layout of a stored tensor: its own strides, or those that the metadata state for a flat tensor.
#pragma once

#include "harness/core/tensor.h"
#include "harness/dump/dump.h"

namespace assay {

/// The tensor in its memory layout. A one-dimensional tensor NAME may have metadata `NAME.shape` and `NAME.strides`, such as "[5,
/// 2]" and "[1, 8]". It then is the storage of a tensor of that shape, padding included. `NAME.offset` ("[1]") is the storage
/// offset of the first element; the default is 0. The role is kInput. A tensor without a format gets that of signed integers of
/// its width; 4-bit elements are packed. Throws DumpError for metadata that are not lists of integers, are inconsistent or
/// address elements outside the storage, and for an element width without a format.
TensorSpec storage_spec(const Dump& dump, const StoredTensor& stored);

/// Codes of a matrix in logical, row-major order. Leading dimensions are flattened into rows; a vector is one row.
struct CodeMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<uint32_t> codes;
};
CodeMatrix code_matrix(const HostTensor& tensor);

}  // namespace assay
