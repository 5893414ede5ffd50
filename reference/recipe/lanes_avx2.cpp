#include "reference/recipe/lanes_loops.h"

namespace assay {
extern const Lanes kLanes_avx2;
const Lanes kLanes_avx2{"avx2", arithmetic, fma_all, arithmetic_spans, round_all, round_spans, widen_spans, clamp_all, clamp_spans};
}  // namespace assay
