// The accepted packed words of a case, and its mutants.
#pragma once

#include "harness/core/op.h"
#include "suites/pack_scales/pack_case.h"

namespace assay {

/// Bits of the scales in word `word` of a row; absent scales have the bits that the packing defines.
std::vector<uint32_t> word_values(const PackCase& c, const Packing& packing, const HostTensor& x, int64_t row, int64_t word);

/// The scales read in layout c.from, packed, and stored in layout c.to.
Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem);

std::vector<Hypothesis> pack_hypotheses(const PackCase& c);

}  // namespace assay
