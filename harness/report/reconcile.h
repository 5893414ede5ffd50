// The causes of a kernel's failures compared with each other, once all its cases have run.
#pragma once

#include "harness/run/run.h"

namespace assay {

/// Diagnosis sees one case. Here the failing cases of one kernel and contract look at each other, and what they found is marked
/// in the words of Verdict::causes, best first; nothing is removed.
///
///  - Several mistakes explain a case, and one of them explains another case too, which the others do not: the others are
///  refuted.
///  - A mistake that explains a few elements only, in one case only, is not asserted: among a hundred hypotheses one fits a
///  single
///    element by chance. If other failing cases of the kernel were explained without it, or by nothing, they refute it.
///
/// A case whose list of causes may have been cut refutes nothing. That a mistake is absent from another case's list does not
/// refute one that explains many elements: the other case may have another layout or size, in which it was never tried.
void reconcile(RunResult& result);

/// Causes that explain fewer failing elements are not asserted on their own.
inline constexpr int64_t kEnoughElements = 4;

}  // namespace assay
