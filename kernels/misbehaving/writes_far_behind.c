/* Writes one byte 8192 behind the end of y. */
#include "healthy.h"

static assay_status overrun(const assay_call* call) {
  const assay_status status = run(call);
  const assay_tensor* y = tensor_of(call, "y");
  if (status == ASSAY_OK) ((volatile unsigned char*)y->data)[y->bytes + 8192] ^= 0xff;
  return status;
}
MISBEHAVE_WITH(overrun)
