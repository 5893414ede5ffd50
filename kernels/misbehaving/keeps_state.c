/* Counts its calls and lets the count into its output: there is no race, and yet two calls differ. */
#include "healthy.h"

static assay_status count(const assay_call* call) {
  static unsigned char calls;
  const assay_status status = run(call);
  if (status == ASSAY_OK) ((unsigned char*)tensor_of(call, "y")->data)[0] ^= (unsigned char)(++calls | 1);
  return status;
}
MISBEHAVE_WITH(count)
