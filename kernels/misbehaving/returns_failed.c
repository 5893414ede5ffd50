/* Offers what it then always refuses. */
#include "healthy.h"

static assay_status refuse(const assay_call* call) { return answer(call, ASSAY_FAILED, "this library always fails"); }
MISBEHAVE_WITH(refuse)
