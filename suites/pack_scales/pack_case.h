// One case of op pack_scales, read and checked.
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
  int64_t m = 0, n = 0;          ///< rows, scales of a row
  const Layout* from = nullptr;  ///< of the fp32 scales
  const Layout* to = nullptr;    ///< of the result
  std::string fill;
  uint64_t seed = 0;
  int warp = 0;
  std::vector<int64_t> ends;  ///< behind the last row of each group, where rows have gaps; empty: all m rows hold scales
  int64_t alignment = 0;      ///< a group begins at a multiple of it

  /// First row of a group, or of the one that would follow the last.
  int64_t begin(size_t group) const;
  /// Rows that hold scales.
  std::vector<int64_t> rows() const;
  bool holds_scales(int64_t row) const;
  /// Scales in a word.
  int64_t values() const { return to->type->bits / to->element->bits; }
};

/// Throws TableError naming row and column: a contract that packs nothing, a layout that it does not take or make.
PackCase read_pack_case(const Case& c);

/// Input x: the scales in their layout.
HostTensor scales_of(const PackCase& c);

/// Which of them the contract does not take, and why; empty if it takes all.
std::string outside_domain(const PackCase& c, const HostTensor& x);

}  // namespace assay
