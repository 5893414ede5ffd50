namespace assay {
namespace {
constexpr int kLanes = 8;
}
}  // namespace assay

#include "reference/units/loops_run.h"

namespace assay {
extern const UnitLoops kUnitLoops_avx2;
const UnitLoops kUnitLoops_avx2{"avx2", kLanes, false, run_task};
}  // namespace assay
