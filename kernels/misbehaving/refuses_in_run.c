/* Offers all, and says only when it is called that it does no more than three rows. */
#include "healthy.h"

static assay_status refuse(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  if (x && x->shape[0] > 3) return answer(call, ASSAY_UNSUPPORTED, "at most three rows");
  return run(call);
}
MISBEHAVE_WITH(refuse)
