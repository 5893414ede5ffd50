// One case of op pack_scales, parsed and validated, its accepted words and mutants, and text about a packing.
#pragma once

#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
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

// The accepted packed words of a case, and its mutants.

/// Bits of the scales in word `word` of a row; absent scales have the bits that the packing defines.
std::vector<uint32_t> word_values(const PackCase& c, const Packing& packing, const HostTensor& x, int64_t row, int64_t word);

/// The scales read in layout c.from, packed, and stored in layout c.to.
Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem);

std::vector<Hypothesis> pack_hypotheses(const PackCase& c);

// Text about a packing: its formulas, and the trace of one word.

/// The contract, one line per cell.
std::vector<std::string> pack_lines(const Packing& packing);

/// Trace of the word with the scale at `column` of row `row` (counted without gaps): every value, every term, and bits that
/// overlap another byte.
std::vector<std::string> trace_word(const PackCase& c, const Problem& problem, int64_t row, int64_t column);

}  // namespace assay
