#include "harness/backend/worker_messages.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>

#include "reference/formats/catalogue.h"

namespace assay {
namespace {

// Messages between the harness and its worker: a length, followed by fields.

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

/// Poll interval. It is short, so that a much longer interval shows that this process was stopped (see look()).
constexpr double kSlice = 50;  // ms

class Patience {
 public:
  Patience(double seconds, const std::function<bool()>& given_up, int end)
      : left_(seconds * 1000), forever_(seconds < 0), given_up_(given_up), end_(end) {}

  bool is_over() const { return !forever_ && left_ <= 0; }
  bool is_given_up() const { return given_up_ && given_up_(); }

  enum class Seen { kNothing, kBytes, kEnd };
  /// Waits for bytes, for one poll interval at most.
  Seen look(int socket) {
    // If an interval took a second too long, this process was stopped (Ctrl-Z, batch system). That time does not count against
    // the kernel.
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

namespace {

// Memory shared by two processes; tensors are not sent through the socket.

[[noreturn]] void refuse(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

SharedMemory::SharedMemory() {
  const int file = ::memfd_create("assay-tensors", MFD_CLOEXEC);
  if (file < 0) refuse("cannot create memory for the tensors of a worker (memfd_create)");
  file_ = beyond_worker_files(file, "cannot keep the memory for the tensors of a worker open");
}

SharedMemory::~SharedMemory() { ::close(file_); }

void SharedMemory::shrink_to(size_t bytes) {
  struct stat status;
  if (::fstat(file_, &status) == 0 && size_t(status.st_size) > bytes && ::ftruncate(file_, 0) != 0)
    refuse("cannot shrink the memory for the tensors of a worker");
}

void SharedMemory::write(size_t at, const std::byte* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::pwrite(file_, bytes, count, off_t(at));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse("cannot write tensors for a worker");
    at += size_t(written), bytes += written, count -= size_t(written);
  }
}

void SharedMemory::read(size_t at, std::byte* bytes, size_t count) const {
  while (count > 0) {
    const ssize_t got = ::pread(file_, bytes, count, off_t(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) refuse("cannot read tensors of a worker");
    if (got == 0) throw std::runtime_error("the shared memory of the call's tensors was truncated");
    at += size_t(got), bytes += got, count -= size_t(got);
  }
}

namespace {

// Serialization of calls and results: tensor bytes go to shared memory, everything else into messages.

/// Calls f for the tensors of a problem, then for those of its warm-up calls. P is Problem or const Problem.
template <class P>
auto tensors_of(P& problem) {
  std::vector<decltype(problem.tensors.data())> all;
  for (auto& tensor : problem.tensors) all.push_back(&tensor);
  for (auto& earlier : problem.before)
    for (auto& tensor : earlier.tensors) all.push_back(&tensor);
  return all;
}

/// Offset of each tensor in shared memory; the last entry is the total size.
std::vector<size_t> places_of(const Problem& problem) {
  constexpr size_t kAlignment = 64;
  std::vector<size_t> places = {0};
  for (const HostTensor* tensor : tensors_of(problem)) {
    places.push_back((places.back() + tensor->spec.bytes() + kAlignment - 1) / kAlignment * kAlignment);
  }
  return places;
}

size_t outputs_of(const Problem& problem) {
  return size_t(std::count_if(problem.tensors.begin(), problem.tensors.end(),
                              [](const HostTensor& tensor) { return tensor.spec.role == Role::kOutput; }));
}

/// Byte ranges from a list [begin, end, begin, end, ...]. Throws unless they ascend and lie within the tensor's `bytes`.
std::vector<ByteRange> ranges_from(const std::vector<int64_t>& ends, int64_t bytes) {
  std::vector<ByteRange> ranges;
  int64_t at = 0;
  for (size_t k = 0; k + 1 < ends.size(); k += 2) {
    if (ends[k] < at || ends[k + 1] <= ends[k] || ends[k + 1] > bytes)
      throw std::runtime_error("invalid range of bytes: ranges must ascend, be nonempty and lie within the tensor");
    at = ends[k + 1];
    ranges.push_back({ends[k], ends[k + 1]});
  }
  return ranges;
}

void pack_specs(const Problem& problem, MessageWriter& out) {
  out.number<uint64_t>(problem.tensors.size());
  for (const HostTensor& tensor : problem.tensors) {
    out.text(tensor.spec.name);
    out.number<uint8_t>(tensor.spec.role == Role::kOutput);
    out.number<uint8_t>(tensor.spec.packed);
    out.text(tensor.spec.shares);
    out.number<int32_t>(tensor.spec.rank);
    out.text(std::string(tensor.spec.format->name));
    out.numbers(tensor.spec.shape);
    out.numbers(tensor.spec.strides);
    out.number(tensor.spec.storage);
    out.number(tensor.spec.offset);
    out.number(tensor.spec.far);
    out.number<uint64_t>(tensor.bytes.size());
  }
  out.number<int32_t>(problem.ranks);
  out.number<uint64_t>(problem.parameters.size());
  for (const auto& [name, value] : problem.parameters) {
    out.text(name);
    out.number(value);
  }
}

/// `held` receives the number of bytes that the message holds of each tensor.
Problem unpack_specs(MessageReader& in, std::vector<uint64_t>& held) {
  Problem problem;
  const uint64_t tensors = in.number<uint64_t>();
  for (uint64_t i = 0; i < tensors; ++i) {
    HostTensor tensor;
    tensor.spec.name = in.text();
    tensor.spec.role = in.number<uint8_t>() != 0 ? Role::kOutput : Role::kInput;
    tensor.spec.packed = in.number<uint8_t>() != 0;
    tensor.spec.shares = in.text();
    tensor.spec.rank = in.number<int32_t>();
    const std::string format = in.text();
    tensor.spec.format = find_format(format);
    if (tensor.spec.format == nullptr) throw std::runtime_error("the worker does not know format " + format);
    tensor.spec.shape = in.numbers();
    tensor.spec.strides = in.numbers();
    tensor.spec.storage = in.number<int64_t>();
    tensor.spec.offset = in.number<int64_t>();
    tensor.spec.far = in.number<int64_t>();
    held.push_back(in.number<uint64_t>());
    problem.tensors.push_back(std::move(tensor));
  }
  problem.ranks = in.number<int32_t>();
  const uint64_t parameters = in.number<uint64_t>();
  for (uint64_t i = 0; i < parameters; ++i) {
    std::string name = in.text();
    problem.parameters.emplace_back(std::move(name), in.number<double>());
  }
  return problem;
}

}  // namespace

std::string pack_request(const CallRequest& request, SharedMemory& memory) {
  const std::vector<size_t> places = places_of(*request.problem);
  MessageWriter out;
  out.text(request.op);
  out.text(request.contract);
  out.text(request.kernel);
  out.number(request.schedule_seed);
  out.number<uint8_t>(uint8_t(request.mode));
  out.number<uint8_t>(uint8_t(request.beside));
  out.number<uint8_t>(request.stack_fill);
  out.number(uint32_t(request.closed.size()));
  for (const int32_t tensor : request.closed) out.number(tensor);
  const RankPlace place = request.place.value_or(RankPlace{});
  out.number<int32_t>(place.first);
  out.number<int32_t>(place.count);
  out.text(place.folder);
  pack_specs(*request.problem, out);
  out.number<uint64_t>(request.problem->before.size());
  for (const Problem& earlier : request.problem->before) pack_specs(earlier, out);
  const auto tensors = tensors_of(*request.problem);
  for (size_t i = 0; i < tensors.size(); ++i)
    memory.write(places[i], tensors[i]->bytes.data(), std::min(tensors[i]->bytes.size(), tensors[i]->spec.bytes()));
  return out.bytes();
}

UnpackedRequest unpack_request(const std::string& message, SharedMemory& memory) {
  MessageReader in(message);
  UnpackedRequest unpacked;
  unpacked.request.op = in.text();
  unpacked.request.contract = in.text();
  unpacked.request.kernel = in.text();
  unpacked.request.schedule_seed = in.number<uint64_t>();
  unpacked.request.mode = LaunchMode(in.number<uint8_t>());
  unpacked.request.beside = Beside(in.number<uint8_t>());
  unpacked.request.stack_fill = in.number<uint8_t>();
  for (uint32_t left = in.number<uint32_t>(); left > 0; --left) unpacked.request.closed.push_back(in.number<int32_t>());
  RankPlace place{in.number<int32_t>(), in.number<int32_t>(), in.text()};
  if (place.count > 0) unpacked.request.place = std::move(place);
  std::vector<uint64_t> held;
  unpacked.problem = unpack_specs(in, held);
  const uint64_t earlier = in.number<uint64_t>();
  for (uint64_t i = 0; i < earlier; ++i) unpacked.problem.before.push_back(unpack_specs(in, held));
  const std::vector<size_t> places = places_of(unpacked.problem);
  const auto tensors = tensors_of(unpacked.problem);
  for (size_t i = 0; i < held.size(); ++i) {
    tensors[i]->bytes.resize(held[i]);
    memory.read(places[i], tensors[i]->bytes.data(), held[i]);
  }
  return unpacked;
}

std::string pack_result(const CallResult& result, const Problem& problem, SharedMemory& memory) {
  MessageWriter out;
  out.number<uint8_t>(uint8_t(result.status));
  out.text(result.message);
  out.text(result.undefined);
  out.text(result.said.words);
  out.number(result.said.split_k);
  out.number(result.said.promote);
  out.number<uint8_t>(uint8_t(result.said.order));
  out.number(result.seconds);
  out.number<uint8_t>(result.reached_kernel);
  out.number<uint8_t>(result.poisoned);
  out.number<uint64_t>(result.outputs.size());
  const std::vector<size_t> places = places_of(problem);
  size_t next = 0;
  for (size_t i = 0; i < problem.tensors.size() && next < result.outputs.size(); ++i) {
    if (problem.tensors[i].spec.role != Role::kOutput) continue;
    std::vector<int64_t> ends;
    for (const ByteRange& range : result.untouched[next]) {
      ends.push_back(range.begin);
      ends.push_back(range.end);
    }
    out.numbers(ends);
    out.number<uint8_t>(result.in_place[next]);
    memory.write(places[i], result.outputs[next].bytes.data(), result.outputs[next].bytes.size());
    ++next;
  }
  return out.bytes();
}

CallResult unpack_result(const std::string& message, const Problem& problem, SharedMemory& memory) {
  MessageReader in(message);
  CallResult result;
  const auto status = in.number<uint8_t>();
  if (status > uint8_t(CallStatus::kNotCalled)) throw std::runtime_error("status " + std::to_string(status) + " does not exist");
  result.status = CallStatus(status);
  result.message = in.text();
  result.undefined = in.text();
  result.said.words = in.text();
  result.said.split_k = in.number<int32_t>();
  result.said.promote = in.number<int32_t>();
  const auto order = in.number<uint8_t>();
  if (order > uint8_t(SaidAlgorithm::Order::kAny)) throw std::runtime_error("order " + std::to_string(order) + " does not exist");
  result.said.order = SaidAlgorithm::Order(order);
  result.seconds = in.number<double>();
  result.reached_kernel = in.number<uint8_t>() != 0;
  result.poisoned = in.number<uint8_t>() != 0;
  const uint64_t outputs = in.number<uint64_t>();
  const bool is_output_of_all = outputs == outputs_of(problem);
  const bool may_have_none = result.status != CallStatus::kOk,
             may_have_all = !may_have_none || result.status == CallStatus::kBroken;
  if (!(may_have_none && outputs == 0) && !(may_have_all && is_output_of_all))
    throw std::runtime_error(std::to_string(outputs) + " outputs come with status " + std::to_string(status));
  const std::vector<size_t> places = places_of(problem);
  for (size_t i = 0; i < problem.tensors.size() && result.outputs.size() < outputs; ++i) {
    const TensorSpec& spec = problem.tensors[i].spec;
    if (spec.role != Role::kOutput) continue;
    result.untouched.push_back(ranges_from(in.numbers(), int64_t(spec.bytes())));
    result.in_place.push_back(in.number<uint8_t>() != 0);
    result.outputs.push_back({spec, std::vector<std::byte>(spec.bytes())});
    memory.read(places[i], result.outputs.back().bytes.data(), spec.bytes());
  }
  return result;
}

// Constants that the harness and its worker share, besides the messages.

int beyond_worker_files(int file, const char* what) {
  constexpr int kLeast = 16;
  const int moved = ::fcntl(file, F_DUPFD_CLOEXEC, kLeast);
  if (moved < 0) {
    // EINVAL: the limit of open files is below the requested number.
    const int error = errno == EINVAL ? EMFILE : errno;
    throw std::system_error(error, std::generic_category(), std::string(what) + (error == EMFILE ? " (raise ulimit -n)" : ""));
  }
  ::close(file);
  return moved;
}

}  // namespace assay
