// What the harness and its worker exchange: messages, tensors in shared memory, and the descriptors that a worker inherits.
#pragma once

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "harness/core/call.h"

namespace assay {

// Messages between the harness and its worker: a length, followed by fields.

class MessageWriter {
 public:
  template <class Number>
  void number(Number value) {
    static_assert(std::is_arithmetic_v<Number>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const std::string& value) {
    number<uint64_t>(value.size());
    bytes_ += value;
  }
  void numbers(const std::vector<int64_t>& values) {
    number<uint64_t>(values.size());
    for (const int64_t value : values) number(value);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads fields in the order they were written. Throws std::runtime_error at the end of the message.
class MessageReader {
 public:
  explicit MessageReader(std::string bytes) : bytes_(std::move(bytes)) {}

  template <class Number>
  Number number() {
    Number value;
    take(&value, sizeof value);
    return value;
  }
  std::string text() {
    std::string value(checked(number<uint64_t>()), '\0');
    take(value.data(), value.size());
    return value;
  }
  std::vector<int64_t> numbers() {
    std::vector<int64_t> values(counted(number<uint64_t>(), sizeof(int64_t)));
    for (int64_t& value : values) value = number<int64_t>();
    return values;
  }

 private:
  void take(void* into, size_t size);
  size_t checked(uint64_t size) const { return counted(size, 1); }
  size_t counted(uint64_t count, size_t each) const;  ///< throws if more is asked for than is left

  std::string bytes_;
  size_t next_ = 0;
};

/// Sends a whole message. Returns false if the other side is gone.
bool send_message(int socket, const std::string& bytes);

enum class Received { kMessage, kClosed, kTimeout, kTooLong, kGivenUp };

/// A message holds descriptions only. A longer one was written by a kernel, not by our program.
inline constexpr uint64_t kLongestMessage = uint64_t{64} << 20;

/// Waits for a whole message, at most `timeout_seconds`; negative: without limit. Time during which this process was stopped does
/// not count. Allocates memory only for bytes that have arrived. Gives up soon after `given_up`, polled several times a second,
/// returns true. `end` is a descriptor that becomes readable when the other process ends, since a child of it may hold the socket
/// open; -1: none.
Received receive_message(int socket, double timeout_seconds, std::string& bytes, const std::function<bool()>& given_up = {},
                         int end = -1);

// Memory shared by two processes; tensors are not sent through the socket.

/// An anonymous file in memory (memfd) that both processes hold. It is accessed with read and write calls, which can fail, and
/// never mapped: a kernel also has the descriptor and could shrink the file, and then accessing a mapping would kill the harness.
class SharedMemory {
 public:
  /// Creates a file, or takes over an inherited descriptor. Throws std::system_error.
  SharedMemory();
  explicit SharedMemory(int file) : file_(file) {}
  SharedMemory(const SharedMemory&) = delete;
  ~SharedMemory();

  int file() const { return file_; }

  /// The file grows as needed. Throws std::system_error, e.g. if memory is short.
  void write(size_t at, const std::byte* bytes, size_t count);

  /// Throws std::runtime_error if the file ends before at + count.
  void read(size_t at, std::byte* bytes, size_t count) const;

  /// Frees memory beyond that size.
  void shrink_to(size_t bytes);

 private:
  int file_;
};

// Serializes calls and results for the worker: descriptions in messages, tensor bytes in shared memory.

/// Copies the inputs into `memory` and everything else into the message.
std::string pack_request(const CallRequest& request, SharedMemory& memory);

/// A request and the problem that it points to.
struct UnpackedRequest {
  Problem problem;
  CallRequest request;
};
UnpackedRequest unpack_request(const std::string& message, SharedMemory& memory);

/// Copies the outputs into `memory`, at the offsets that their tensors have in the problem.
std::string pack_result(const CallResult& result, const Problem& problem, SharedMemory& memory);
/// Validates everything: a kernel may have corrupted the worker. Throws std::runtime_error for a message that no intact worker
/// sends.
CallResult unpack_result(const std::string& message, const Problem& problem, SharedMemory& memory);

// Constants that both sides of a worker share, besides the messages.

/// File descriptors that a worker inherits.
inline constexpr int kWorkerSocket = 3, kWorkerMemory = 4,
                     kWorkerWords = 5;  ///< words: a file for the worker's description of its crash

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
