// How the elements of a stored tensor lie: its own strides, or those that the file's metadata state for a flat tensor.
#pragma once

#include "harness/core/tensor.h"
#include "harness/dump/dump.h"

namespace assay {

/// The tensor as it lay in memory. A one-dimensional tensor NAME may carry `NAME.shape` and `NAME.strides` in the metadata, such
/// as "[5, 2]" and "[1, 8]": then it is the storage of a tensor of that shape, padding included, whose first element is that of
/// `NAME.offset` ("[1]") or the storage's first. The role is kInput; a tensor
/// without a format gets that of signed integers of its width; elements of 4 bits are packed. Throws DumpError: metadata that are no lists of integers, do not
/// belong together or address elements outside the storage; an element width that Assay has no format for.
TensorSpec storage_spec(const Dump& dump, const StoredTensor& stored);

/// Codes of the elements of a matrix in logical order, row after row. More dimensions are rows of rows; one is a single row.
struct CodeMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<uint32_t> codes;
};
CodeMatrix code_matrix(const HostTensor& tensor);

}  // namespace assay
