// What every op that fills a paged cache has in common once its inputs are made.
#pragma once

#include <functional>

#include "harness/core/callback_op.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/cache_case.h"

namespace assay {

/// `inputs`: the tensors of the tokens' numbers first. The slots, a scale if there is one, and the buffer are put behind them.
/// So are their roles. `takes`: whether the op has a contract with this record and this first link.
CallbackOp cache_op(std::string name, std::vector<RoleSpec> roles, std::vector<std::string> columns,
            std::function<std::vector<HostTensor>(const CacheCase&)> inputs,
            std::function<bool(const Flow& first, const Record&)> takes);

}  // namespace assay
