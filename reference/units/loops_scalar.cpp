namespace assay {
namespace {
constexpr int kLanes = 4;
}
}  // namespace assay

#include "reference/units/loops_run.h"

namespace assay {
extern const UnitLoops kUnitLoops_scalar;
const UnitLoops kUnitLoops_scalar{"scalar", kLanes, false, run_task};
}  // namespace assay
