// Which groups and which layout a tensor of scales is.
#pragma once

#include <optional>

#include "harness/core/dumped.h"
#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "suites/rows/places.h"

namespace assay {

/// A tensor of scales as a kernel has it.
struct ScaleStorage {
  const Format* type;
  std::vector<int64_t> shape, strides;
  int64_t storage;

  explicit ScaleStorage(const PlacedLayout& placed);
  explicit ScaleStorage(const ScalePlaces& places);
  std::string text() const;  ///< "e8m0 [128, 4]"
};

/// How a dumped tensor holds the scales of a layout; nullopt if its type, shape and storage are others.
std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const ScaleStorage& stored);

/// A way to read a tensor of scales.
struct ScaleReading {
  std::string group;  ///< cell of the case
  const Layout* layout;
  ScalePlacing placing;
};

/// The best way to read the scales of the m x n matrix of a case, whose rows may belong to groups, under a contract, of that group size and
/// layout if they are not empty. Throws UsageError naming the tensor and every shape that would have done, or what else it could be.
ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix, const std::string& group,
                                const std::string& layout);

}  // namespace assay
