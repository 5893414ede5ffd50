// Connects the processes of one launch through a local socket that is named after the launch.
#pragma once

#include <functional>
#include <string>
#include <utility>

namespace assay {

/// A file descriptor that is closed on destruction; -1: none.
class OpenFile {
 public:
  explicit OpenFile(int number = -1) : number_(number) {}
  OpenFile(OpenFile&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~OpenFile();
  int number() const { return number_; }

 private:
  int number_;
};

inline constexpr double kSecondsToCome = 60;

struct Arrival {
  int index = -1;  ///< index of the process that connected; -1: none did
  OpenFile socket{};
};

class MeetingPoint {
 public:
  /// Throws std::system_error, e.g. if another process of the job already listens.
  explicit MeetingPoint(const std::string& job);

  /// Waits for the next process of this user to connect, for at most `seconds` or until `ended` returns true.
  Arrival next(double seconds, const std::function<bool()>& ended);

 private:
  OpenFile socket_;
};

/// Connects as process number `index`. Throws std::runtime_error if nobody listens within that time, or if `ended` returns true.
OpenFile come_to(const std::string& job, int index, double seconds, const std::function<bool()>& ended);

/// Passes an open file to the process at the other end of a socket. receive_file() returns -1 if that process ended.
bool send_file(int socket, int file);
int receive_file(int socket);

}  // namespace assay
