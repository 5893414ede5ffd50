// The KV half of DeepSeek-V4's insertion, with and without a norm.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Whether a norm precedes the rotation.
enum class KvNorm { kNone, kBefore };
Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns);

}  // namespace assay
