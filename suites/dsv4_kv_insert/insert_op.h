// What the KV side of DeepSeek-V4's insertion is with and without a norm.
#pragma once

#include "harness/core/op.h"

namespace assay {

/// Whether there is a norm in front of the rotation.
enum class KvNorm { kNone, kBefore };
Op dsv4_insert_op(const char* name, KvNorm norm, std::vector<std::string> columns);

}  // namespace assay
