#include "harness/testing/toy_library.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <array>
#include <cfenv>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

const char* describe() {
  static const std::string json = [] {
    std::string kernels;
    for (const char* name : {"copy",
                             "overruns",
                             "underruns",
                             "far_overrun",
                             "unwritten",
                             "unwritten_first",
                             "changes_input",
                             "fails",
                             "refuses",
                             "says_program",
                             "loses_device",
                             "unknown_status",
                             "off_by_one",
                             "follows_seed",
                             "throws",
                             "crashes",
                             "aborts",
                             "exits",
                             "hangs",
                             "hangs_in_driver",
                             "prints",
                             "remembers",
                             "counts_rows",
                             "counts_many_rows",
                             "looks_at_neighbours",
                             "needs_default_stream",
                             "ignores_capture",
                             "cannot_be_captured",
                             "rounds_down",
                             "flushes",
                             "writes_far_behind",
                             "writes_far_before",
                             "writes_a_row_behind",
                             "reads_far_behind",
                             "crashes_if_tall",
                             "process_id",
                             "takes_memory",
                             "scribbles_on_socket",
                             "closes_files",
                             "faults",
                             "uses_workspace",
                             "exceeds_workspace",
                             "sums_ranks",
                             "rank_fails",
                             "rank_hangs",
                             "counts_calls",
                             "late_under_replay",
                             "meets_the_one_ahead"}) {
      kernels +=
          std::string(kernels.empty() ? "" : ",") + R"({"name": ")" + name + R"(", "op": "toy", "contracts": ["toy.copy"]})";
    }
    return R"({"name": "toy", "arch": "cpu", "honours_schedule_seed": true, "honours_group_streams": true, "kernels": [)" +
           kernels + "]}";
  }();
  return json.c_str();
}

const assay_tensor& tensor(const assay_call& call, const char* role) {
  for (int32_t i = 0; i < call.n_tensors; ++i) {
    if (std::strcmp(call.tensors[i].role, role) == 0) return call.tensors[i];
  }
  throw std::runtime_error("no such tensor");
}

double parameter(const assay_call& call, const char* name) {
  for (int32_t i = 0; i < call.n_params; ++i) {
    if (std::strcmp(call.params[i].name, name) == 0) return call.params[i].value;
  }
  return 0;
}

assay_status say(const assay_call& call, assay_status status, const char* words) {
  std::snprintf(call.message, call.message_bytes, "%s", words);
  return status;
}

/// Beyond the small zones around memory of a process, within the large ones around memory of a device.
constexpr size_t kFarAway = 60000;

void flush_subnormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);
#else
  std::fesetround(FE_TOWARDZERO);
#endif
}

/// A killed process stays until the process that traces it has looked, as one stays whose driver does not let go of it. The
/// tracer sleeps for 20 s. False if none may be.
bool outlive_a_kill() {
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const pid_t self = ::getpid();
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return false;
  if (::fork() == 0) {
    const char traces = ::ptrace(PTRACE_SEIZE, self, nullptr, nullptr) == 0 ? 'y' : 'n';
    if (::write(ready[1], &traces, 1) == 1 && traces == 'y') {
      ::close_range(0, ~0U, 0);
      ::sleep(20);
    }
    ::_exit(0);
  }
  char traced = 'n';
  return ::read(ready[0], &traced, 1) == 1 && traced == 'y';
}

/// Until there is none; 4 GiB are enough to see that nothing stops it.
assay_status take_memory(const assay_call& call) {
  constexpr size_t kPiece = size_t{64} << 20;
  std::vector<void*> taken;
  for (int i = 0; i < 64; ++i) {
    void* const piece = std::malloc(kPiece);
    if (piece == nullptr) break;
    taken.push_back(piece);
  }
  for (void* piece : taken) std::free(piece);
  return say(call, ASSAY_FAILED, taken.size() < 64 ? "was stopped" : "took 4 GiB");
}

assay_status run_now(const assay_call* call) {
  const std::string kernel = call->kernel;
  const assay_tensor &x = tensor(*call, "x"), &y = tensor(*call, "y");
  auto* const to = static_cast<unsigned char*>(y.data);
  auto* const from = static_cast<unsigned char*>(x.data);
  if (kernel == "refuses") return say(*call, ASSAY_UNSUPPORTED, "not on a Sunday");
  if (kernel == "says_program") say(*call, ASSAY_OK, "program: every number as it is");
  if (kernel == "fails") return say(*call, ASSAY_FAILED, "n must be\n a multiple of 7");
  if (kernel == "loses_device") return say(*call, ASSAY_DEVICE_LOST, "fell off the bus");
  if (kernel == "unknown_status") return 42;
  if (kernel == "throws") throw std::runtime_error("thrown on purpose");
  if (kernel == "crashes") {
    std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would catch it
    ::raise(SIGSEGV);
  }
  if (kernel == "aborts") std::abort();
  if (kernel == "exits") std::exit(7);
  if (kernel == "hangs") {
    for (;;) ::pause();
  }
  if (kernel == "hangs_in_driver") {
    if (!outlive_a_kill()) return say(*call, ASSAY_FAILED, "no tracer");
    for (;;) ::pause();
  }
  if (kernel == "prints") std::puts("a kernel's own words");
  if (kernel == "rounds_down") std::fesetround(FE_DOWNWARD);
  if (kernel == "flushes") flush_subnormals();
  if (kernel == "writes_far_behind") to[y.bytes + kFarAway] = 1;
  if (kernel == "writes_a_row_behind") to[y.bytes + static_cast<size_t>(y.strides[0]) * 2 - 1] = 1;
  if (kernel == "writes_far_before") *(to - kFarAway) = 1;
  if (kernel == "reads_far_behind") to[0] = static_cast<volatile unsigned char*>(from)[x.bytes + kFarAway];
  if (kernel == "crashes_if_tall" && y.shape[0] > 3) std::abort();
  if (kernel == "takes_memory") return take_memory(*call);
  if (kernel == "scribbles_on_socket" && ::write(3, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8) < 0) std::abort();
  if (kernel == "closes_files") {
    for (int file = 3; file < 6; ++file) ::close(file);
    for (;;) ::pause();
  }
  if (kernel == "faults") return say(*call, ASSAY_FAULTED, "illegal address");
  if (kernel == "uses_workspace") std::memset(call->workspace, 1, call->workspace_bytes);
  if (kernel == "exceeds_workspace") std::memset(call->workspace, 1, call->workspace_bytes + 1);

  const size_t skip = kernel == "unwritten_first" ? y.type_bits / 8u : 0u;
  const size_t leave = kernel == "unwritten" ? 3u * y.type_bits / 8u : 0u;
  std::memcpy(to + skip, from + skip, y.bytes - skip - leave);
  if (kernel == "overruns") to[y.bytes] ^= 1;
  if (kernel == "far_overrun") std::memset(to + y.bytes + 100, 0, 8);
  if (kernel == "underruns") std::memset(to - 2, 0, 2);
  if (kernel == "changes_input") from[4] ^= 1;
  if (kernel == "off_by_one") to[2] ^= 1;
  if (kernel == "follows_seed") to[4] = static_cast<unsigned char>(parameter(*call, "schedule_seed"));
  static unsigned char calls = 0;
  if (kernel == "remembers") to[4] ^= ++calls;
  if (kernel == "counts_rows") to[4] = static_cast<unsigned char>(y.shape[0]);
  if (kernel == "counts_many_rows" && y.shape[0] > 256) to[4] ^= 1;
  if (kernel == "looks_at_neighbours") to[0] ^= from[y.bytes - 1];
  if (kernel == "process_id") to[0] = static_cast<unsigned char>(::getpid()), to[2] = static_cast<unsigned char>(::getpid() >> 8);
  if (kernel == "needs_default_stream" && call->stream != nullptr) to[4] ^= 1;
  return ASSAY_OK;
}

/// A stream of the host: while it captures, calls are kept for later.
struct Stream {
  bool captures = false;
  int since_wait = 0;  ///< calls of ranks that nobody waited for
  std::vector<std::function<void()>> kept;
};
using Graph = std::vector<std::function<void()>>;

Stream& stream_of(void* stream) { return *static_cast<Stream*>(stream); }

assay_status run(const assay_call* call) {
  const bool captures = call->stream != nullptr && stream_of(call->stream).captures;
  if (!captures || std::strcmp(call->kernel, "ignores_capture") == 0) return run_now(call);
  if (std::strcmp(call->kernel, "cannot_be_captured") == 0) return say(*call, ASSAY_FAILED, "allocates while it is captured");
  stream_of(call->stream)
      .kept.push_back([kernel = std::string(call->kernel), again = *call,
                       tensors = std::vector<assay_tensor>(call->tensors, call->tensors + call->n_tensors)]() mutable {
        again.kernel = kernel.c_str();
        again.tensors = tensors.data();
        again.n_params = 0;
        run_now(&again);
      });
  return ASSAY_OK;
}

/// Ranks that wait for each other: none goes on before all have come, as in a barrier of flags.
struct Group {
  explicit Group(int32_t ranks) : world_size(ranks) {}
  int32_t world_size;
  std::mutex mutex;
  std::condition_variable all_here;
  int32_t here = 0;
  unsigned char calls = 0;  ///< of the group
  std::vector<unsigned char> sum;
};

/// Each rank adds its x to the sum, waits for the others and takes the sum, plus its own number in the last byte.
assay_status run_rank(Group& group, const assay_call& call) {
  const assay_tensor &x = tensor(call, "x"), &y = tensor(call, "y");
  const auto* from = static_cast<const unsigned char*>(x.data);
  {
    std::unique_lock lock(group.mutex);
    group.sum.resize(x.bytes);
    for (size_t i = 0; i < x.bytes; ++i) group.sum[i] = static_cast<unsigned char>(group.sum[i] + from[i]);
    if (++group.here == group.world_size) group.all_here.notify_all();
    group.all_here.wait(lock, [&] { return group.here == group.world_size; });
  }
  auto* to = static_cast<unsigned char*>(y.data);
  std::memcpy(to, group.sum.data(), y.bytes);
  to[y.bytes - 1] = static_cast<unsigned char>(10 * call.world_size + call.rank);
  if (std::strcmp(call.kernel, "counts_calls") == 0 && call.rank == 0) to[0] = group.calls;
  if (std::strcmp(call.kernel, "rank_hangs") == 0 && call.rank == 1)
    return say(call, ASSAY_HUNG, "waits for rank 0 in the middle");
  const bool fails = std::strcmp(call.kernel, "rank_fails") == 0 && call.rank == 1;
  return fails ? say(call, ASSAY_FAILED, "lost its peer") : ASSAY_OK;
}

assay_status run_group_now(Group& group, const assay_call* const* calls, int32_t n) {
  group.here = 0;
  ++group.calls;
  group.sum.clear();
  std::vector<assay_status> ended(static_cast<size_t>(n));
  std::vector<std::thread> ranks;
  for (int32_t r = 0; r < n; ++r) ranks.emplace_back([&, r] { ended[static_cast<size_t>(r)] = run_rank(group, *calls[r]); });
  for (std::thread& rank : ranks) rank.join();
  for (const assay_status status : ended)
    if (status != ASSAY_OK) return status;
  return ASSAY_OK;
}

/// Calls of ranks that are captured together: "late_under_replay" then has the sums of the call before, as if its flags were old
/// ones.
void keep_for_replay(Group& group, const assay_call* const* calls, int32_t n) {
  std::vector<assay_call> again;
  std::vector<std::vector<assay_tensor>> tensors;
  for (int32_t r = 0; r < n; ++r)
    again.push_back(*calls[r]), tensors.emplace_back(calls[r]->tensors, calls[r]->tensors + calls[r]->n_tensors);
  stream_of(calls[0]->stream).kept.push_back([&group, again, tensors, kernel = std::string(calls[0]->kernel)]() mutable {
    std::vector<const assay_call*> pointers;
    for (size_t r = 0; r < again.size(); ++r) {
      again[r].kernel = kernel.c_str(), again[r].tensors = tensors[r].data(), again[r].n_params = 0;
      pointers.push_back(&again[r]);
    }
    const std::vector<unsigned char> before = group.sum;
    run_group_now(group, pointers.data(), int32_t(pointers.size()));
    for (size_t r = 0; kernel == "late_under_replay" && r < again.size(); ++r)
      std::memcpy(tensor(again[r], "y").data, before.data(), before.size() - 1);
  });
}

/// "meets_the_one_ahead" makes something else where nobody waited for the call ahead.
void meet_the_one_ahead(const assay_call* const* calls) {
  if (std::strcmp(calls[0]->kernel, "meets_the_one_ahead") == 0) static_cast<unsigned char*>(tensor(*calls[0], "y").data)[0] ^= 1;
}

assay_status run_group_in_a_row(void* opaque, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
  for (int32_t i = 0; i < n_calls; ++i) {
    if (const assay_status status = run_group_now(*static_cast<Group*>(opaque), calls[i], n); status != ASSAY_OK) return status;
    if (i > 0) meet_the_one_ahead(calls[i]);
  }
  return ASSAY_OK;
}

assay_status run_group(void* opaque, const assay_call* const* calls, int32_t n) {
  Group& group = *static_cast<Group*>(opaque);
  if (calls[0]->stream == nullptr || !stream_of(calls[0]->stream).captures) {
    const assay_status status = run_group_now(group, calls, n);
    if (calls[0]->stream != nullptr && ++stream_of(calls[0]->stream).since_wait > 1) meet_the_one_ahead(calls);
    return status;
  }
  return keep_for_replay(group, calls, n), ASSAY_OK;
}

const assay_library kLibrary = [] {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = run;
  host.synchronise = [](void* stream) -> assay_status {
    if (stream != nullptr) stream_of(stream).since_wait = 0;
    return ASSAY_OK;
  };
  host.create_stream = []() -> void* { return new Stream; };
  host.destroy_stream = [](void* stream) { delete &stream_of(stream); };
  host.begin_capture = [](void* stream) -> assay_status {
    stream_of(stream).captures = true;
    return ASSAY_OK;
  };
  host.end_capture = [](void* stream, void** graph) -> assay_status {
    *graph = new Graph(std::move(stream_of(stream).kept));
    stream_of(stream).captures = false;
    return ASSAY_OK;
  };
  host.replay = [](void* graph, void*) -> assay_status {
    for (const auto& call : *static_cast<Graph*>(graph)) call();
    return ASSAY_OK;
  };
  host.destroy_graph = [](void* graph) { delete static_cast<Graph*>(graph); };
  host.workspace_bytes = [](const assay_call* call) -> size_t {
    return std::string(call->kernel).ends_with("_workspace") ? 100 : 0;
  };
  host.create_group = [](int32_t world_size) -> void* { return world_size > 4 ? nullptr : new Group(world_size); };
  host.run_group = run_group;
  host.run_group_in_a_row = run_group_in_a_row;
  host.destroy_group = [](void* group) { delete static_cast<Group*>(group); };
  return host;
}();

}  // namespace

namespace assay::testing {
const assay_library* toy_library() { return &kLibrary; }
}  // namespace assay::testing

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
