// What the KV side of DeepSeek-V4's insertion is with and without a norm.
#pragma once

#include "harness/core/callback_op.h"

namespace assay {

/// An insertion whose contract begins with a link of that flow. `roles`: besides those of both.
CallbackOp dsv4_insert_op(const char* name, const char* first_flow, const std::vector<RoleSpec>& roles, std::vector<std::string> columns);

}  // namespace assay
