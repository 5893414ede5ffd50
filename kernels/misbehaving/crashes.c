/* Writes to address 0. */
#include "healthy.h"

static assay_status crash(const assay_call* call) {
  volatile int* nowhere = NULL;
  *nowhere = 1;
  return run(call);
}
MISBEHAVE_WITH(crash)
