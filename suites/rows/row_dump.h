// Converts a user's tensors to a case of a row-wise op: infers m, n, groups and layouts from shapes and formats.
#pragma once

#include <map>
#include <optional>

#include "harness/core/op.h"
#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "suites/rows/row_case.h"

namespace assay {

/// Rows and columns; leading dimensions are flattened into rows.
std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape);

/// "[4, 1024]"
std::string shape_text(const std::vector<int64_t>& shape);

/// The tensor of that role. Throws UsageError listing the tensors there are.
const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name);

/// Throws UsageError for a parameter that is not a column of the op.
void require_known_parameters(const Op& op, const DumpRequest& request);

/// The case of a dump whose parameters are `cells`; cells that `op` has no column for are dropped. `x` names the file in reports.
DumpCase case_of_cells(const Op& op, const DumpRequest& request, const DumpedTensor& x,
                       const std::map<std::string, std::string>& cells);

/// m and n come from x, the weights' format from gamma. The group size is the one of the contract that explains the shape of the
/// scales; the layout is the one of the contract that has their type, shape, strides or storage. Throws UsageError: no x, a
/// missing or unknown parameter, scales that fit no group or several.
DumpCase row_case_of_dump(const Op& op, const DumpRequest& request);

// Infers groups and layout of a dumped scale tensor.

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
ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix,
                                const std::string& group, const std::string& layout);

}  // namespace assay
