// A case of op mma, parsed and checked: a tensor core instruction, the tiles on which it runs, and their input generators.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/core/case.h"
#include "harness/core/op.h"
#include "reference/units/unit_definition.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

struct MmaCase {
  const UnitRow* row = nullptr;  ///< the contract
  int64_t tiles = 0, m = 0, n = 0;
  int64_t steps = 0;       ///< consecutive instructions; the result of each is c of the next
  std::string fill, b, c;  ///< input generators of a, b and c
  std::string scale;       ///< input generator of both scale tensors; empty for an instruction without scales
  uint64_t seed = 0;
  int warp = 0;

  const Unit& unit() const { return row->unit; }
  int64_t k() const { return steps * unit().k; }
  int64_t scales() const { return unit().scale ? k() / unit().scale_block : 0; }  ///< scales of each row
};

/// Throws TableError with row and column if the contract is not an instruction or has no model, if the cell `scale` is empty for
/// an instruction with scales, or if it is given for one without scales.
MmaCase read_mma_case(const Case& c);

/// The call: c, a, b, the scales if the instruction has them, and d.
Problem mma_problem(const MmaCase& c);

/// The operands for one tile.
UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile);

// The accepted results of a tensor core instruction on the tiles of a case, and its mutants.

/// A mistake of a kernel outside the instruction, which no contract describes.
struct TileStep {
  enum Kind {
    kDropProduct,  ///< every instruction drops its product number `product`
    kRoundC,       ///< c is rounded to f16 before each instruction
    kZeroC,        ///< the first instruction uses 0 instead of c
    kLastKFirst,   ///< the instructions run from the last k to the first
    kSignZeros     ///< a zero sum becomes -0 if no term is positive
  } kind;
  int product = 0;
};

/// Accepts one code for each element. NaNs with different bits are different codes.
Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step = std::nullopt);

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c);

// Text about a tensor core instruction: its steps as formulas, and the trace of an element.

/// The trace of the element at `row` (counted over all tiles) and `column`. For each instruction: every term with its exponent
/// and the bits that are cut off, the sums, and their roundings.
std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column);

/// Appends the trace of one block, the products that an instruction adds together.
void append_block_lines(const Unit& unit, const UnitElement& element, const UnitBlockSeen& block,
                        std::vector<std::string>& lines);

}  // namespace assay
