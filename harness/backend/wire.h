// Messages between the harness and its worker: a length, followed by fields.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <vector>

namespace assay {

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
Received receive_message(int socket, double timeout_seconds, std::string& bytes, const std::function<bool()>& given_up = {}, int end = -1);

}  // namespace assay
