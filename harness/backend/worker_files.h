// What both sides of a worker agree on besides the messages.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>

namespace assay {

/// File descriptors that a worker is started with.
inline constexpr int kWorkerSocket = 3, kWorkerMemory = 4, kWorkerWords = 5;  ///< words: what it says of its own crash

/// The same file under a number that no worker is started with; `file` is closed. Throws std::system_error that says `what` the file is.
int beyond_worker_files(int file, const char* what);

/// Ask a run to end, from a person, a terminal or a batch system: they are for the harness, and a worker obeys them from itself alone.
inline constexpr int kSignalsThatEndARun[] = {SIGHUP, SIGTERM, SIGINT};

/// Either side gives memory back that it needed for a call if it was more than this.
inline constexpr size_t kKeptBetweenCalls = size_t{64} << 20;

/// Begins the first message of a worker and changes with what messages hold: a program that was built again meanwhile may speak
/// otherwise.
inline constexpr uint32_t kWorkerProtocol = 0xa55a0001;

enum class Greeting : uint8_t { kReady, kUnusable, kNoDevice };

}  // namespace assay
