// NumPy's .npy format: magic bytes, a Python dictionary as text, one array. Source: NEP 1, numpy/lib/format.py
#pragma once

#include <istream>
#include <span>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay {

/// Reads and validates the header, versions 1 to 3. The only tensor is named "array". Fortran order is expressed by strides, so
/// that element [i, j] is the array's element [i, j] in any byte order.
///
/// `stated` is the format of untyped bytes ('|V1', '<V2', '|u1' and other types of the same width, as ml_dtypes writes them);
/// nullptr: use the header's type. Throws DumpError with file and place: wrong magic or version; a header that runs past the end,
/// or is not a dictionary with descr, fortran_order and shape exactly once; big-endian, structured and object arrays; a shape
/// that is negative, overflows or contradicts the file size; a stated format of another width.
Dump index_npy(std::istream& stream, uint64_t size, const std::string& file, const Format* stated);

/// A complete file, version 1, C order. Formats that NumPy cannot name are written as '|V1' and '<V2', as ml_dtypes does.
std::string npy_text(const Format& format, const std::vector<int64_t>& shape, std::span<const std::byte> bytes);

}  // namespace assay
