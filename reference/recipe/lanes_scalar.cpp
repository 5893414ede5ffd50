#include "reference/recipe/lanes_loops.h"

namespace assay {
extern const Lanes kLanes_scalar;
const Lanes kLanes_scalar{"scalar", arithmetic, fma_all, arithmetic_spans, round_all, round_spans, widen_spans, clamp_all, clamp_spans};
}  // namespace assay
