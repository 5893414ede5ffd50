/* Two kernels that compute rightly; the first leaves the thread rounding downward, as a library's initialisation may. */
#include <fenv.h>

#include "healthy.h"

static assay_status round_down(const assay_call* call) {
  const assay_status status = run(call);
  if (strcmp(call->kernel, "rounds_down") == 0) fesetround(FE_DOWNWARD);
  return status;
}
MISBEHAVE_WITH_TWO(round_down, "rounds_down", "innocent")
