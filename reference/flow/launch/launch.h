// Flow: what one launch does to two tensors, as the names of two contracts.
#pragma once

#include "reference/contracts/rows.h"

namespace assay {

const Flow& launch_flow();

}  // namespace assay
