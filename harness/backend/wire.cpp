#include "harness/backend/wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

bool send_all(int socket, const char* bytes, size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(socket, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    size -= size_t(sent);
  }
  return true;
}

/// Poll interval; short, so that a stop of this process can be distinguished from a long wait.
constexpr double kSlice = 50;  // ms

class Patience {
 public:
  Patience(double seconds, const std::function<bool()>& given_up, int end) : left_(seconds * 1000), forever_(seconds < 0), given_up_(given_up), end_(end) {}

  bool is_over() const { return !forever_ && left_ <= 0; }
  bool is_given_up() const { return given_up_ && given_up_(); }

  enum class Seen { kNothing, kBytes, kEnd };
  /// Waits for bytes, for one slice of time at most.
  Seen look(int socket) {
    // A slice that took a second longer than it should: the process was stopped (Ctrl-Z, batch system). That time is not the
    // kernel's.
    constexpr double kMostOfASlice = kSlice + 1000;
    pollfd wait[] = {{socket, POLLIN, 0}, {end_, POLLIN, 0}};
    const Clock::time_point begin = Clock::now();
    const int ready = ::poll(wait, 2, int(std::ceil(forever_ ? kSlice : std::clamp(left_, 0.0, kSlice))));
    left_ -= std::min(std::chrono::duration<double, std::milli>(Clock::now() - begin).count(), kMostOfASlice);
    if (ready <= 0) return Seen::kNothing;
    return wait[0].revents != 0 ? Seen::kBytes : Seen::kEnd;
  }

 private:
  double left_;
  bool forever_;
  const std::function<bool()>& given_up_;
  int end_;
};

Received receive_all(int socket, char* bytes, size_t size, Patience& patience) {
  while (size > 0) {
    if (patience.is_given_up()) return Received::kGivenUp;
    const Patience::Seen seen = patience.look(socket);
    if (seen == Patience::Seen::kEnd) return Received::kClosed;
    if (seen == Patience::Seen::kNothing && patience.is_over()) return Received::kTimeout;
    if (seen == Patience::Seen::kNothing) continue;
    const ssize_t got = ::recv(socket, bytes, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Received::kClosed;
    bytes += got;
    size -= size_t(got);
  }
  return Received::kMessage;
}

}  // namespace

void MessageReader::take(void* into, size_t size) {
  std::memcpy(into, bytes_.data() + next_, checked(size));
  next_ += size;
}

size_t MessageReader::counted(uint64_t count, size_t each) const {
  if (count > (bytes_.size() - next_) / each) throw std::runtime_error("the message ends early");
  return size_t(count);
}

bool send_message(int socket, const std::string& bytes) {
  const uint64_t size = bytes.size();
  return send_all(socket, reinterpret_cast<const char*>(&size), sizeof size) && send_all(socket, bytes.data(), bytes.size());
}

Received receive_message(int socket, double timeout_seconds, std::string& bytes, const std::function<bool()>& given_up, int end) {
  Patience patience(timeout_seconds, given_up, end);
  uint64_t size = 0;
  const Received head = receive_all(socket, reinterpret_cast<char*>(&size), sizeof size, patience);
  if (head != Received::kMessage) return head;
  if (size > kLongestMessage) return Received::kTooLong;
  bytes.clear();
  constexpr size_t kPiece = size_t{64} << 10;
  while (bytes.size() < size) {
    const size_t had = bytes.size(), piece = std::min<size_t>(kPiece, size - had);
    bytes.resize(had + piece);
    if (const Received rest = receive_all(socket, bytes.data() + had, piece, patience); rest != Received::kMessage) return rest;
  }
  return Received::kMessage;
}

}  // namespace assay
