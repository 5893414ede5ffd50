// Makes a case of a row-wise op from a user's tensors (a dump): infers m, n, groups and layouts from shapes and formats.
#pragma once

#include <map>
#include <optional>

#include "harness/core/op.h"
#include "reference/contracts/contract_rows.h"
#include "reference/contracts/tensor_layouts.h"
#include "suites/rows/row_case.h"

namespace assay {

/// The shape as {rows, columns}; all dimensions before the last are flattened into rows.
std::vector<int64_t> as_matrix(const std::vector<int64_t>& shape);

/// "[4, 1024]"
std::string shape_text(const std::vector<int64_t>& shape);

/// The tensor with that role. Throws UsageError with the roles that the dump has.
const DumpedTensor& dumped_role(const DumpedRoles& roles, const char* name);

/// Throws UsageError for a parameter that is not a column of the op.
void require_known_parameters(const Op& op, const DumpRequest& request);

/// The case of a dump with these cells; cells without a column of `op` are dropped. Reports name the case by the file of `x`.
DumpCase case_of_cells(const Op& op, const DumpRequest& request, const DumpedTensor& x,
                       const std::map<std::string, std::string>& cells);

/// Takes m and n from x, and the weights' format from gamma. Chooses the group size that the contract allows and that fits the
/// shape of the scales, and the layout of the contract that fits the scales' type, shape, strides or storage. Throws UsageError
/// if x or a parameter is missing or unknown, or if no group size or several fit.
DumpCase row_case_of_dump(const Op& op, const DumpRequest& request);

// Infers group size and layout of a dumped scale tensor.

/// The storage of a scale tensor that a layout prescribes; a dumped tensor is compared with it.
struct ScaleStorage {
  const Format* type;
  std::vector<int64_t> shape, strides;
  int64_t storage;

  explicit ScaleStorage(const PlacedLayout& placed);
  explicit ScaleStorage(const ScalePlaces& places);
  std::string text() const;  ///< "e8m0 [128, 4]"
};

/// How the dumped tensor holds scales that are stored as `stored`; nullopt if its type, shape or storage do not fit.
std::optional<ScalePlacing> placing_of(const DumpedTensor& scale, const ScaleStorage& stored);

/// One way to interpret a dumped scale tensor.
struct ScaleReading {
  std::string group;  ///< cell group_size of the case
  const Layout* layout;
  ScalePlacing placing;
};

/// Finds the group size and layout of a dumped scale tensor that fit contract `row` and the m, n and row groups of `matrix`. A
/// `group` or `layout` that is not empty must be matched. Throws UsageError: if none fits, with all shapes that would; if several
/// fit, with the alternatives.
ScaleReading read_dumped_scales(const ContractRow& row, const DumpedTensor& scale, const RowCase& matrix,
                                const std::string& group, const std::string& layout);

}  // namespace assay
