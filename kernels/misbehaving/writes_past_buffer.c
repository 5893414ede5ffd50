/* Writes one element too many behind y. */
#include "healthy.h"

static assay_status overrun(const assay_call* call) {
  const assay_status status = run(call);
  const assay_tensor* y = tensor_of(call, "y");
  if (status == ASSAY_OK) ((unsigned char*)y->data)[y->bytes] ^= 0xff;
  return status;
}
MISBEHAVE_WITH(overrun)
