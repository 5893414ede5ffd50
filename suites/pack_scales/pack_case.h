// One case of op pack_scales, parsed and validated.
#pragma once

#include <string>
#include <vector>

#include "harness/core/bound_case.h"
#include "reference/contracts/tensor_layouts.h"
#include "reference/packing/packing.h"

namespace assay {

struct PackCase {
  const ContractRow* row = nullptr;
  Packing packing;
  int64_t m = 0, n = 0;          ///< rows, and scales per row
  const Layout* from = nullptr;  ///< layout of the fp32 scales
  const Layout* to = nullptr;    ///< layout of the result
  std::string fill;
  uint64_t seed = 0;
  int warp = 0;
  std::vector<int64_t> ends;  ///< end of each group's rows, if there are gaps; empty: all m rows hold scales
  int64_t alignment = 0;      ///< groups begin at multiples of it

  /// First row of a group, or of the group that would follow the last.
  int64_t begin(size_t group) const;
  /// Rows with scales.
  std::vector<int64_t> rows() const;
  bool holds_scales(int64_t row) const;
  /// Scales per word.
  int64_t values() const { return to->type->bits / to->element->bits; }
};

/// Throws TableError naming row and column: a contract that is not a packing, or a layout that it does not support.
PackCase read_pack_case(const Case& c);

/// Input x: the scales in their layout.
HostTensor scales_of(const PackCase& c);

/// The first scale outside the contract's domain, and why; empty if all are inside.
std::string outside_domain(const PackCase& c, const HostTensor& x);

}  // namespace assay
