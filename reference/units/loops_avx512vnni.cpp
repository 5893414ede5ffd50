namespace assay {
namespace {
constexpr int kLanes = 16;
}
}  // namespace assay

#include "reference/units/narrow_block.h"

namespace assay {
namespace {

void run(const UnitTask& task) { task.plan->narrow ? run_narrow(task) : run_task(task); }

}  // namespace

extern const UnitLoops kUnitLoops_avx512vnni;
const UnitLoops kUnitLoops_avx512vnni{"avx512vnni", kLanes, true, run};
}  // namespace assay
