// Data exchanged by the harness and its worker: messages, tensors in shared memory, and descriptors that a worker inherits.
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
  size_t counted(uint64_t count, size_t each) const;  ///< throws if the message has fewer than count * each bytes left

  std::string bytes_;
  size_t next_ = 0;
};

/// Sends a whole message. Returns false if the other side is gone.
bool send_message(int socket, const std::string& bytes);

enum class Received { kMessage, kClosed, kTimeout, kTooLong, kGivenUp };

/// Messages hold no tensor data, so they are short. A longer one was written by a kernel, not by Assay.
inline constexpr uint64_t kLongestMessage = uint64_t{64} << 20;

/// Waits for a whole message, at most `timeout_seconds`; negative: without limit. Time during which this process was stopped does
/// not count. Allocates memory only for bytes that have arrived. Polls `given_up` several times a second, and gives up when it
/// returns true. `end`: a descriptor that becomes readable when the other process ends, even if its child holds the socket open;
/// -1: none.
Received receive_message(int socket, double timeout_seconds, std::string& bytes, const std::function<bool()>& given_up = {},
                         int end = -1);

// Memory shared by two processes; tensors are not sent through the socket.

/// An anonymous file in memory (memfd) that both processes have open. It is read and written with system calls and never mapped:
/// a kernel could shrink the file through its descriptor. Then a system call fails, but a mapping would crash the harness.
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

// Serialization of calls and results: tensor bytes go to shared memory, everything else into messages.

/// Copies the inputs into `memory` and everything else into the message.
std::string pack_request(const CallRequest& request, SharedMemory& memory);

/// A received request, and the problem that it points to.
struct UnpackedRequest {
  Problem problem;
  CallRequest request;
};
UnpackedRequest unpack_request(const std::string& message, SharedMemory& memory);

/// Copies the outputs into `memory`, at the offsets of their tensors in the request.
std::string pack_result(const CallResult& result, const Problem& problem, SharedMemory& memory);
/// Validates every field, since a kernel may have corrupted the worker. Throws std::runtime_error if no intact worker could have
/// sent the message.
CallResult unpack_result(const std::string& message, const Problem& problem, SharedMemory& memory);

// Constants that the harness and its worker share, besides the messages.

/// File descriptors that a worker inherits.
inline constexpr int kWorkerSocket = 3, kWorkerMemory = 4,
                     kWorkerWords = 5;  ///< kWorkerWords: a pipe for the line about a crash

/// Duplicates descriptor `file` to a number above those that workers inherit, closes `file` and returns the new number. Throws
/// std::system_error; `what` names the file in the message.
int beyond_worker_files(int file, const char* what);

/// Signals that ask a run to end (from a person, a terminal or a batch system). The harness handles them. A worker obeys them
/// only if they come from its own session.
inline constexpr int kSignalsThatEndARun[] = {SIGHUP, SIGTERM, SIGINT};

/// After a call, harness and worker free shared memory beyond this size.
inline constexpr size_t kKeptBetweenCalls = size_t{64} << 20;

/// First field of a worker's first message. Change it whenever the message layout changes. The worker may be of another build,
/// if the program on disk was rebuilt while the harness runs.
inline constexpr uint32_t kWorkerProtocol = 0xa55a0004;

enum class Greeting : uint8_t { kReady, kUnusable, kNoDevice };

}  // namespace assay
