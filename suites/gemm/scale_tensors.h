// Scales of a matrix product as tensors of a call, and back.
#pragma once

#include <string>
#include <vector>

#include "harness/core/tensor.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/flow/dot/dot_contract.h"

namespace assay {

/// Without bytes: [rows] where scales do not change along k, else [rows, blocks of k] where the layout puts them.
HostTensor scale_tensor(const std::string& role, const LevelGrid& shape, const Layout* layout);

/// Codes [rows, blocks] where a layout of words or of tiles puts them. Bytes of blocks that are not there are 0, those of no row are
/// all ones.
HostTensor byte_scales(const HostTensor& codes, const std::string& role, const LevelGrid& shape, const Layout& layout);

/// Its values, as a kernel reads them that takes the tensor for one of that layout.
ScaleValues scale_values(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout);

/// Puts a value where the scale of a row and block lies.
void set_scale(HostTensor& tensor, const LevelGrid& shape, const Layout* layout, int64_t row, int64_t block, double value);

/// The scales of some rows, of a tensor with a row of scales for each row.
HostTensor scales_of_rows(const HostTensor& tensor, const LevelGrid& shape, const Layout* layout, const std::vector<int64_t>& rows);

/// Whether a kernel that takes the tensor for one of another layout reads other scales, and none behind the tensor's storage.
bool reads_others(const LevelGrid& shape, const Layout& layout, const Layout& other);

}  // namespace assay
