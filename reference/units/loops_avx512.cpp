namespace assay {
namespace {
constexpr int kLanes = 16;
}
}  // namespace assay

#include "reference/units/loops_run.h"

namespace assay {
extern const UnitLoops kUnitLoops_avx512;
const UnitLoops kUnitLoops_avx512{"avx512", kLanes, false, run_task};
}  // namespace assay
