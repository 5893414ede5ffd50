// Infers groups and layout of a dumped scale tensor.
#pragma once

#include <optional>

#include "harness/core/dumped.h"
#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "suites/rows/places.h"

namespace assay {

/// A scale tensor as a kernel sees it.
struct ScaleStorage {
  const Format* type;
  std::vector<int64_t> shape, strides;
  int64_t storage;

  explicit ScaleStorage(const PlacedLayout& placed);
  explicit ScaleStorage(const ScalePlaces& places);
  std::string text() const;  ///< "e8m0 [128, 4]"
};

/// How a dumped tensor holds the scales of a layout; nullopt if type, shape or storage do not fit.
std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const ScaleStorage& stored);

/// One interpretation of a scale tensor.
struct ScaleReading {
  std::string group;  ///< cell of the case
  const Layout* layout;
  ScalePlacing placing;
};

/// The best interpretation of the scales of the case's m x n matrix (with groups of rows, if any) under a contract. `group` and
/// `layout` restrict it unless empty. Throws UsageError naming the tensor and all shapes that would fit, or listing the
/// alternatives.
ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix, const std::string& group,
                                const std::string& layout);

}  // namespace assay
