/* Leaves the last row of y as it was. */
#include "healthy.h"

static assay_status stop_early(const assay_call* call) {
  const assay_tensor* y = tensor_of(call, "y");
  if (!y || y->ndim != 2 || y->shape[0] == 0) return run(call);
  unsigned char* last = (unsigned char*)y->data + (y->shape[0] - 1) * y->strides[0] * 2;
  const size_t bytes = (size_t)(y->data ? (unsigned char*)y->data + y->bytes - last : 0);
  unsigned char before[1 << 16];
  const size_t kept = bytes < sizeof before ? bytes : sizeof before;
  memcpy(before, last, kept);
  const assay_status status = run(call);
  memcpy(last, before, kept);
  return status;
}
MISBEHAVE_WITH(stop_early)
