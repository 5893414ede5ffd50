// Compares the causes of a kernel's failures with each other, after all cases have run.
#pragma once

#include "harness/run/run.h"

namespace assay {

/// The diagnosis sees one case at a time. This step compares the failing cases of one kernel and contract and annotates the text
/// of Verdict::causes, best first. Nothing is removed.
///
///  - If several mutants explain a case, and one of them also explains another case that the others do not explain, the others
///    are refuted.
///  - A mutant that explains only a few elements in a single case is not asserted: among a hundred hypotheses one matches a
/// single
///    element by chance. Other failing cases of the kernel that are explained without it, or not at all, refute it.
///
/// A case whose list of causes may be truncated refutes nothing. A mutant that explains many elements is not refuted by its
/// absence from another case's list: that case may have another layout or size, where the mutant was never tried.
void reconcile(RunResult& result);

/// Causes that explain fewer failing elements than this are not asserted without further cases.
inline constexpr int64_t kEnoughElements = 4;

}  // namespace assay
