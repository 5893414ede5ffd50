// What a packing makes of the scales of a case, and its mistakes.
#pragma once

#include "harness/core/op.h"
#include "suites/pack_scales/pack_case.h"

namespace assay {

/// Bits of the scales that are in word `word` of a row, and the bits that the packing has for scales that are absent.
std::vector<uint32_t> word_values(const PackCase& c, const Packing& packing, const HostTensor& x, int64_t row, int64_t word);

/// The scales of the case read as if they lay in c.from, packed and stored in c.to.
Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem);

std::vector<Hypothesis> pack_hypotheses(const PackCase& c);

}  // namespace assay
