// Which groups and which layout a tensor of scales is.
#pragma once

#include <optional>

#include "harness/core/dumped.h"
#include "reference/contracts/layouts.h"
#include "reference/contracts/rows.h"

namespace assay {

/// How a dumped tensor holds the scales of a layout; nullopt if its type, shape and storage are others.
std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const PlacedLayout& placed);

/// "e8m0 [128, 4]": type and shape of the layout's tensor.
std::string stored_text(const PlacedLayout& placed);

/// A way to read a tensor of scales.
struct ScaleReading {
  std::string group;  ///< cell of the case
  const Layout* layout;
  ScalePlacing placing;
};

/// The best way to read the scales of an m x n matrix under a contract, of that group and layout if they are not empty. Throws
/// UsageError naming the tensor and every shape that would have done, or what else it could be.
ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, int64_t m, int64_t n, const std::string& group,
                                const std::string& layout);

}  // namespace assay
