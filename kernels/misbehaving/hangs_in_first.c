/* Two kernels of which the first never returns. */
#include <unistd.h>

#include "healthy.h"

static assay_status hang(const assay_call* call) {
  while (strcmp(call->kernel, "hangs") == 0) pause();
  return run(call);
}
MISBEHAVE_WITH_TWO(hang, "hangs", "innocent")
