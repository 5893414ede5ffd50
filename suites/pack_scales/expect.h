// What a packing makes of the scales of a case, and its mistakes.
#pragma once

#include "harness/core/op.h"
#include "suites/pack_scales/pack_case.h"

namespace assay {

/// Bits of the scales that stand in word `word` of a row; those of absent ones are 0.
std::vector<uint32_t> word_values(const PackCase& c, const HostTensor& x, int64_t row, int64_t word, const PackingMistake& mistake = {});

/// The scales of the case read as if they lay in c.from, packed and stored in c.to.
Expectation expect_packed(const PackCase& c, const Packing& packing, const Problem& problem, const PackingMistake& mistake = {});

std::vector<Hypothesis> pack_hypotheses(const PackCase& c);

}  // namespace assay
