// What both sides of a worker agree on besides the messages.
#pragma once

#include <cstdint>

namespace assay {

/// File descriptors that a worker is started with.
inline constexpr int kWorkerSocket = 3, kWorkerMemory = 4;

enum class Greeting : uint8_t { kReady, kUnusable, kNoDevice };

}  // namespace assay
