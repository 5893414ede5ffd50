/* Reads one byte 8192 behind the end of x, and makes nothing of it. */
#include "healthy.h"

static assay_status overread(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  if (x) (void)((const volatile unsigned char*)x->data)[x->bytes + 8192];
  return run(call);
}
MISBEHAVE_WITH(overread)
