/* Never returns, and spends no time of the processor on it. */
#include <unistd.h>

#include "healthy.h"

static assay_status hang(const assay_call* call) {
  for (;;) pause();
  return run(call);
}
MISBEHAVE_WITH(hang)
