// NumPy's .npy: a magic word, a Python dictionary as text, one array. Source: NEP 1, numpy/lib/format.py
#pragma once

#include <istream>
#include <span>
#include <string>
#include <vector>

#include "harness/dump/dump.h"

namespace assay {

/// Reads and checks the header, versions 1 to 3. The one tensor is named "array". Fortran order becomes strides, so that element
/// [i, j] is element [i, j] of the array whatever the order of its bytes.
///
/// `stated` says what plain bytes are ('|V1', '<V2', '|u1' and other types of the same width, as ml_dtypes writes them); nullptr:
/// what the header says. Throws DumpError with file and place: another magic or version, a header that runs past the end or is no
/// dictionary with descr, fortran_order and shape, each once; big-endian, structured and object arrays; a shape that is negative,
/// overflows or disagrees with the bytes that follow; a stated format of another width.
Dump index_npy(std::istream& stream, uint64_t size, const std::string& file, const Format* stated);

/// A whole file, version 1, C order. Formats that NumPy cannot name are written as '|V1' and '<V2', as ml_dtypes does.
std::string npy_text(const Format& format, const std::vector<int64_t>& shape, std::span<const std::byte> bytes);

}  // namespace assay
