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

struct Patience {
  bool forever;
  Clock::time_point deadline;
  const std::function<bool()>& given_up;
};

Received receive_all(int socket, char* bytes, size_t size, const Patience& patience) {
  constexpr double kBetweenQuestions = 50;  // ms
  while (size > 0) {
    if (patience.given_up && patience.given_up()) return Received::kGivenUp;
    double left = std::chrono::duration<double, std::milli>(patience.deadline - Clock::now()).count();
    if (patience.forever) left = 1e9;
    const double longest = patience.given_up ? std::min(left, kBetweenQuestions) : left;
    pollfd wait{socket, POLLIN, 0};
    const int ready = ::poll(&wait, 1, int(std::ceil(std::clamp(longest, 0.0, 1e9))));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0 && (patience.forever || longest < left)) continue;
    if (ready == 0) return Received::kTimeout;
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

Received receive_message(int socket, double timeout_seconds, std::string& bytes, const std::function<bool()>& given_up) {
  const auto deadline =
      Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::max(0.0, timeout_seconds)));
  const Patience patience{timeout_seconds < 0, deadline, given_up};
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
