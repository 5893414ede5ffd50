// Where processes of one launch find each other: a socket of this machine that has the name of the launch.
#pragma once

#include <functional>
#include <string>
#include <utility>

namespace assay {

/// A file descriptor, closed with this. -1: none.
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
  int index = -1;  ///< of its process; -1: nobody came
  OpenFile socket{};
};

class MeetingPoint {
 public:
  /// Throws std::system_error, e.g. if another process of the job is there already.
  explicit MeetingPoint(const std::string& job);

  /// The next process of this user that comes, for at most so long and until `ended` says so.
  Arrival next(double seconds, const std::function<bool()>& ended);

 private:
  OpenFile socket_;
};

/// Comes as the process of that number. Throws std::runtime_error if nobody is there within that time, or `ended` says so.
OpenFile come_to(const std::string& job, int index, double seconds, const std::function<bool()>& ended);

/// An open file, given to the process at the other end of a socket. receive_file() gives -1 if that process ended.
bool send_file(int socket, int file);
int receive_file(int socket);

}  // namespace assay
