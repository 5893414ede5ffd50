#include "harness/backend/meeting_point.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kBetweenQuestions = 50;  // ms

/// A socket address in the abstract namespace: it disappears with its socket and has no file.
struct Address {
  sockaddr_un address{};
  socklen_t size = 0;
  explicit Address(const std::string& job) {
    const std::string name = "assay-ranks-" + std::to_string(::geteuid()) + "-" + job;
    address.sun_family = AF_UNIX;
    const size_t length = std::min(name.size(), sizeof address.sun_path - 1);
    std::memcpy(address.sun_path + 1, name.data(), length);
    size = socklen_t(offsetof(sockaddr_un, sun_path) + 1 + length);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};

int new_socket() {
  const int file = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int moved = file < 0 ? -1 : ::fcntl(file, F_DUPFD_CLOEXEC, 16);  // above the descriptors that workers inherit
  if (file >= 0) ::close(file);
  if (moved < 0) throw std::system_error(errno, std::generic_category(), "socket of ranks");
  return moved;
}

bool of_this_user(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && who.uid == ::geteuid();
}

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

}  // namespace

OpenFile::~OpenFile() {
  if (number_ >= 0) ::close(number_);
}

MeetingPoint::MeetingPoint(const std::string& job) : socket_(new_socket()) {
  const Address here(job);
  if (::bind(socket_.number(), here.get(), here.size) != 0 || ::listen(socket_.number(), 64) != 0)
    throw std::system_error(errno, std::generic_category(), "the processes of launch " + job + " cannot meet");
}

Arrival MeetingPoint::next(double seconds, const std::function<bool()>& ended) {
  for (const auto deadline = after(seconds); Clock::now() < deadline && !(ended && ended());) {
    pollfd wait{socket_.number(), POLLIN, 0};
    if (::poll(&wait, 1, kBetweenQuestions) <= 0) continue;
    OpenFile came(::accept4(socket_.number(), nullptr, nullptr, SOCK_CLOEXEC));
    int32_t index = -1;
    if (came.number() < 0 || !of_this_user(came.number())) continue;
    if (::recv(came.number(), &index, sizeof index, MSG_WAITALL) == sizeof index) return {index, std::move(came)};
  }
  return {};
}

OpenFile come_to(const std::string& job, int index, double seconds, const std::function<bool()>& ended) {
  const Address there(job);
  for (const auto deadline = after(seconds); Clock::now() < deadline && !(ended && ended());) {
    OpenFile socket(new_socket());
    const int32_t number = index;
    if (::connect(socket.number(), there.get(), there.size) == 0 &&
        ::send(socket.number(), &number, sizeof number, MSG_NOSIGNAL) == sizeof number)
      return socket;
    std::this_thread::sleep_for(std::chrono::milliseconds(kBetweenQuestions));
  }
  throw std::runtime_error("the first process of launch " + job + " is not there");
}

bool send_file(int socket, int file) {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof file);
  std::memcpy(CMSG_DATA(head), &file, sizeof file);
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int receive_file(int socket) {
  char byte = 0;
  iovec data{&byte, 1};
  int file = -1;
  alignas(cmsghdr) char room[CMSG_SPACE(sizeof file)] = {};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = room;
  message.msg_controllen = sizeof room;
  const ssize_t got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  const cmsghdr* const head = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (head == nullptr || head->cmsg_type != SCM_RIGHTS) return -1;
  std::memcpy(&file, CMSG_DATA(head), sizeof file);
  return file;
}

}  // namespace assay
