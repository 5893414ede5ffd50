// An op whose result two consumers get.
#pragma once

#include "harness/core/callback_op.h"

namespace assay {

/// The op with outputs q2 and scale2 beside q and scale, judged alike. Its joint violations are bytes in which the consumers
/// differ; its mistakes are those of both consumers, and roundings of the norm's result that one of them alone is given.
CallbackOp with_second_consumer(CallbackOp once);

}  // namespace assay
