/* Computes rightly, then changes an element of x. */
#include "healthy.h"

static assay_status scribble(const assay_call* call) {
  const assay_status status = run(call);
  if (status == ASSAY_OK) ((unsigned char*)tensor_of(call, "x")->data)[0] ^= 1;
  return status;
}
MISBEHAVE_WITH(scribble)
