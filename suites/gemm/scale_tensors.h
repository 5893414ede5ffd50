// Conversion between the scales of a GEMM and tensors of a call.
#pragma once

#include <string>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"

namespace assay {

/// Without data: [rows] if scales do not change along k, otherwise [rows, blocks of k] in the layout.
HostTensor scale_tensor(const std::string& role, const LevelGrid& shape, const Layout* layout);

/// Places codes [rows, blocks] in a packed or tiled layout. Bytes of missing blocks are 0; bytes of missing rows are all ones.
HostTensor byte_scales(const HostTensor& codes, const std::string& role, const LevelGrid& shape, const Layout& layout);

/// The values that a kernel reads if it assumes that layout.
ScaleValues scale_values(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout);

/// Stores the scale of a row and block.
void set_scale(HostTensor& tensor, const LevelGrid& shape, const Layout* layout, int64_t row, int64_t block, double value);

/// The scales of some rows of a tensor that has one row of scales per row.
HostTensor scales_of_rows(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout, const std::vector<int64_t>& rows);

/// Whether a kernel that assumes another layout reads other scales, all within the tensor's storage.
bool reads_others(const LevelGrid& shape, const Layout& layout, const Layout& other);

}  // namespace assay
