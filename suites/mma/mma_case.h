// One case of op mma, parsed and validated: a tensor core instruction, the tiles, and their generators.
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
  int64_t steps = 0;       ///< consecutive instructions; each takes the previous result as its c
  std::string fill, b, c;  ///< generators of a, b and c
  std::string scale;       ///< generator of both scales; empty for an instruction without scales
  uint64_t seed = 0;
  int warp = 0;

  const Unit& unit() const { return row->unit; }
  int64_t k() const { return steps * unit().k; }
  int64_t scales() const { return unit().scale ? k() / unit().scale_block : 0; }  ///< scales per row
};

/// Throws TableError naming row and column: a contract that is not an instruction or has no model, or scales that it does not
/// have or lacks.
MmaCase read_mma_case(const Case& c);

/// c, a, b, scales if the instruction has them, and d.
Problem mma_problem(const MmaCase& c);

/// The operands of one tile of a problem.
UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile);

// The accepted results of a tensor core on the tiles of a case, and its mutants.

/// Mistakes of a kernel around the instruction, which no contract describes.
struct TileStep {
  enum Kind {
    kDropProduct,  ///< product `product` of every instruction is dropped
    kRoundC,       ///< each c is rounded to f16 before its instruction
    kZeroC,        ///< the first instruction starts from 0
    kLastKFirst,   ///< instructions run in descending k
    kSignZeros     ///< a zero is -0 if no term is positive
  } kind;
  int product = 0;
};

/// Every element accepts one code; NaN codes are distinguished.
Expectation expect_tiles(const MmaCase& c, const Unit& unit, const Problem& problem, std::optional<TileStep> step = std::nullopt);

std::vector<Hypothesis> mma_hypotheses(const MmaCase& c);

// Text about a tensor core: its steps as formulas, and the trace of an element.

/// The trace of the element at row `row` (counted over all tiles) and `column`, instruction by instruction: every term with its
/// exponent and truncated bits, the sums, and their roundings.
std::vector<std::string> trace_element(const MmaCase& c, const Problem& problem, int64_t row, int64_t column);

/// The trace of one block of an element.
void append_block_lines(const Unit& unit, const UnitElement& element, const UnitBlockSeen& block,
                        std::vector<std::string>& lines);

}  // namespace assay
