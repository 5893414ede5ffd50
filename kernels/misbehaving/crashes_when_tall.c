/* Right for up to three rows, and writes to address 0 for more. */
#include "healthy.h"

static assay_status crash_when_tall(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  volatile int* nowhere = NULL;
  if (x && x->shape[0] > 3) *nowhere = 1;
  return run(call);
}
MISBEHAVE_WITH(crash_when_tall)
