/* Takes memory until there is none, and writes into all of it. */
#include <stdlib.h>

#include "healthy.h"

static assay_status take(const assay_call* call) {
  for (;;) {
    unsigned char* piece = malloc((size_t)1 << 28);
    if (!piece) return answer(call, ASSAY_FAILED, "no memory is left");
    piece[0] = 1; /* one page of it: what is counted is what was asked for */
  }
  return run(call);
}
MISBEHAVE_WITH(take)
