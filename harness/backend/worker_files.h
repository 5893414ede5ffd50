// Constants that both sides of a worker share, besides the messages.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace assay {

/// File descriptors that a worker inherits.
inline constexpr int kWorkerSocket = 3, kWorkerMemory = 4, kWorkerWords = 5;  ///< words: where it describes its own crash

/// Moves the descriptor to a number that no worker inherits and closes `file`. Throws std::system_error; `what` names the file in
/// the message.
int beyond_worker_files(int file, const char* what);

/// Signals that ask a run to end (from a person, a terminal or a batch system). The harness handles them; a worker obeys them
/// only if it sent them itself.
inline constexpr int kSignalsThatEndARun[] = {SIGHUP, SIGTERM, SIGINT};

/// Each side frees shared memory beyond this size after a call.
inline constexpr size_t kKeptBetweenCalls = size_t{64} << 20;

/// First field of a worker's first message. Change it whenever the message layout changes: the program on disk may have been
/// rebuilt while the harness runs.
inline constexpr uint32_t kWorkerProtocol = 0xa55a0001;

enum class Greeting : uint8_t { kReady, kUnusable, kNoDevice };

}  // namespace assay
