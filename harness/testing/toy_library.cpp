#include "harness/testing/toy_library.h"

#include <dlfcn.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include <array>
#include <cfenv>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace assay::testing::toy {
namespace {

// The kernels of the toy library (toy_library.h).

unsigned char read_at(uintptr_t address) { return *reinterpret_cast<volatile unsigned char*>(address); }

/// Calls the function that code compiled with -fsanitize=bounds calls for an index outside an array. The program contains it.
void report_index(int index) {
  struct Type {
    uint16_t kind, info;
    char name[16];
  };
  static const Type array{0xffff, 0, "'float [8]'"}, integer{0, 5 << 1 | 1, "'int'"};
  static const struct {
    const char* file;
    uint32_t line, column;
    const Type *array, *index;
  } data[] = {{"/home/me/mine.h", 12, 3, &array, &integer}, {"/home/me/mine.h", 7, 3, &array, &integer}};
  using Report = void (*)(const void*, uintptr_t);
  if (const auto report = reinterpret_cast<Report>(::dlsym(RTLD_DEFAULT, "__ubsan_handle_out_of_bounds")))
    report(&data[index < 0], uintptr_t(uint32_t(index)));
}

/// Distance in bytes from a tensor: outside the guard zone of host memory, and inside the larger guard zone of device memory.
constexpr size_t kFarAway = 60000;

/// A call and its two tensors: x is read, y is written.
struct Toy {
  explicit Toy(const assay_call& of) : call(of), x(tensor(of, "x")), y(tensor(of, "y")) {}

  /// Copies all but the first `skip` and the last `leave` bytes.
  assay_status copy(size_t skip = 0, size_t leave = 0) const {
    std::memcpy(to + skip, from + skip, y.bytes - skip - leave);
    return ASSAY_OK;
  }
  /// A copy in which bits of one byte are flipped.
  assay_status spoiled(size_t byte, unsigned char bits) const {
    copy();
    to[byte] ^= bits;
    return ASSAY_OK;
  }
  /// A copy with one byte replaced.
  assay_status marked(size_t byte, unsigned char value) const {
    copy();
    to[byte] = value;
    return ASSAY_OK;
  }
  /// Copies row by row, at offsets of type Offset.
  template <class Offset>
  assay_status copy_rows() const {
    const size_t bytes = size_t(y.shape[1]) * element_bytes();
    for (int64_t r = 0; r < y.shape[0]; ++r) {
      const auto in_x = Offset(uint64_t(r) * uint64_t(x.strides[0])), in_y = Offset(uint64_t(r) * uint64_t(y.strides[0]));
      std::memcpy(to + int64_t(in_y) * int64_t(element_bytes()), from + int64_t(in_x) * int64_t(element_bytes()), bytes);
    }
    return ASSAY_OK;
  }
  double parameter(const char* name) const {
    for (int32_t i = 0; i < call.n_params; ++i)
      if (std::strcmp(call.params[i].name, name) == 0) return call.params[i].value;
    return 0;
  }
  size_t element_bytes() const { return y.type_bits / 8u; }

  const assay_call& call;
  const assay_tensor &x, &y;
  unsigned char* const to = static_cast<unsigned char*>(y.data);
  unsigned char* const from = static_cast<unsigned char*>(x.data);
};

[[noreturn]] void wait_forever() {
  for (;;) ::pause();
}

void flush_subnormals() {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040u);
#else
  std::fesetround(FE_TOWARDZERO);
#endif
}

/// Makes this process survive SIGKILL for a while, like a process in a driver call. A killed process exists until its tracer has
/// handled the event, and the tracer started here sleeps for 20 s. Returns false if tracing is not permitted.
bool outlive_a_kill() {
  ::prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY, 0, 0, 0);
  const pid_t self = ::getpid();
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return false;
  if (::fork() == 0) {
    ::setsid();  // otherwise the child would be ended with its process group
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

/// Allocates until an allocation fails. Stops at 4 GiB: if that much is granted, there is no memory limit.
assay_status take_memory(const Toy& toy) {
  constexpr size_t kPiece = size_t{64} << 20;
  std::vector<void*> taken;
  for (int i = 0; i < 64; ++i) {
    void* const piece = std::malloc(kPiece);
    if (piece == nullptr) break;
    taken.push_back(piece);
  }
  for (void* piece : taken) std::free(piece);
  return say(toy.call, ASSAY_FAILED, taken.size() < 64 ? "was stopped" : "took 4 GiB");
}

/// Resizes the files of all open descriptors, including those of the harness. Sockets refuse; memory files change their size.
assay_status resize_files(const Toy& toy, off_t size) {
  toy.copy();
  for (int file = 3; file < 64; ++file)
    if (::ftruncate(file, size) != 0) continue;
  return ASSAY_OK;
}

/// Leaves a child that sleeps for ten minutes, in its parent's session or in its own. Stores its process id in the first bytes of
/// y.
assay_status leave_child(const Toy& toy, bool own_session) {
  toy.copy();
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return ASSAY_FAILED;
  if (::fork() == 0) {
    if (own_session) ::setsid();
    if (own_session && ::fork() != 0) ::_exit(0);
    const pid_t self = ::getpid();
    if (::write(ready[1], &self, sizeof self) == ssize_t(sizeof self)) ::sleep(600);
    ::_exit(0);
  }
  pid_t child = 0;
  if (::read(ready[0], &child, sizeof child) != ssize_t(sizeof child)) return ASSAY_FAILED;
  for (size_t i = 0; i < sizeof child; ++i) toy.to[2 * i] = static_cast<unsigned char>(child >> (8 * i));
  return ASSAY_OK;
}

assay_status remember(const Toy& toy) {
  static unsigned char calls = 0;
  return toy.spoiled(4, ++calls);
}

/// A byte of a local array that is never set.
[[gnu::noinline]] unsigned char unset_byte() {
  std::array<unsigned char, 256> never_set;
  asm volatile("" : "=m"(never_set));  // so that the compiler assumes that the byte is set
  return never_set[128];
}

/// Stores wrong outputs if the sizes of the last three calls were A, B, A: this call has the size of the call before the previous
/// one.
assay_status mix_sizes_up(const Toy& toy) {
  static std::array<size_t, 2> before{};
  const bool returns = before[0] != toy.y.bytes && before[1] == toy.y.bytes;
  before = {toy.y.bytes, before[0]};
  return toy.spoiled(0, returns ? 1 : 0);
}

/// Computes wrong outputs in every 200th call.
assay_status fail_at_times(const Toy& toy) {
  static int calls = 0;
  return toy.spoiled(0, ++calls % 200 == 0 ? 1 : 0);
}

assay_status write_process_id(const Toy& toy) {
  toy.copy();
  toy.to[0] = static_cast<unsigned char>(::getpid()), toy.to[2] = static_cast<unsigned char>(::getpid() >> 8);
  return ASSAY_OK;
}

constexpr assay_status kWell = ASSAY_OK;  // gives lambdas the return type assay_status

assay_status refuse_address(const Toy& toy, const void* at) {
  char text[64];
  std::snprintf(text, sizeof text, "a load at address %p is none", at);
  return say(toy.call, ASSAY_FAILED, text);
}

using Kernel = assay_status (*)(const Toy&);

const std::map<std::string, Kernel>& kernels() {
  static const std::map<std::string, Kernel> all = {
      {"copy", [](const Toy& toy) { return toy.copy(); }},
      // what it returns
      {"refuses", [](const Toy& toy) { return say(toy.call, ASSAY_UNSUPPORTED, "not on a Sunday"); }},
      {"fails", [](const Toy& toy) { return say(toy.call, ASSAY_FAILED, "n must be\n a multiple of 7"); }},
      {"refuses_address", [](const Toy& toy) { return refuse_address(toy, toy.to + 2 * (toy.x.shape[1] + 2)); }},
      {"refuses_far_address", [](const Toy& toy) { return refuse_address(toy, toy.to + (size_t{1} << 40)); }},
      {"loses_device", [](const Toy& toy) { return say(toy.call, ASSAY_DEVICE_LOST, "fell off the bus"); }},
      {"faults", [](const Toy& toy) { return say(toy.call, ASSAY_FAULTED, "illegal address"); }},
      {"unknown_status", [](const Toy&) { return assay_status{42}; }},
      {"says_program", [](const Toy& toy) { return say(toy.call, toy.copy(), "program: every number as it is"); }},
      {"says_algorithm",
       [](const Toy& toy) {
         toy.call.algorithm->split_k = 3, toy.call.algorithm->promote = 128, toy.call.algorithm->order = ASSAY_ORDER_ANY;
         return toy.copy();
       }},
      {"says_nonsense", [](const Toy& toy) { return toy.call.algorithm->order = 7, toy.copy(); }},
      {"prints", [](const Toy& toy) { return std::puts("a kernel's own words"), toy.copy(); }},
      // kernels that do not return
      {"throws", [](const Toy&) -> assay_status { throw std::runtime_error("thrown on purpose"); }},
      {"crashes",
       [](const Toy& toy) {
         std::signal(SIGSEGV, SIG_DFL);  // otherwise a sanitizer would handle the signal
         ::raise(SIGSEGV);
         return toy.copy();
       }},
      {"crashes_if_tall", [](const Toy& toy) { return toy.y.shape[0] > 3 ? std::abort() : void(), toy.copy(); }},
      {"aborts", [](const Toy&) -> assay_status { std::abort(); }},
      {"exits", [](const Toy&) -> assay_status { std::exit(7); }},
      {"hangs", [](const Toy&) -> assay_status { wait_forever(); }},
      {"hangs_in_driver",
       [](const Toy& toy) { return outlive_a_kill() ? wait_forever() : void(), say(toy.call, ASSAY_FAILED, "no tracer"); }},
      // kernels that harm their process
      {"rounds_down", [](const Toy& toy) { return std::fesetround(FE_DOWNWARD), toy.copy(); }},
      {"flushes", [](const Toy& toy) { return flush_subnormals(), toy.copy(); }},
      {"takes_memory", take_memory},
      {"scribbles_on_socket",
       [](const Toy& toy) { return ::write(3, "\xff\xff\xff\xff\xff\xff\xff\x7f", 8) < 0 ? std::abort() : void(), toy.copy(); }},
      {"shrinks_files", [](const Toy& toy) { return resize_files(toy, 0); }},
      {"grows_files", [](const Toy& toy) { return resize_files(toy, off_t{1} << 50); }},
      {"leaves_child", [](const Toy& toy) { return leave_child(toy, false); }},
      {"leaves_daemon", [](const Toy& toy) { return leave_child(toy, true); }},
      {"leaves_child_and_crashes", [](const Toy& toy) -> assay_status { return leave_child(toy, false), std::abort(), kWell; }},
      {"signals_its_caller", [](const Toy& toy) { return ::kill(::getppid(), SIGURG), toy.copy(); }},
      {"signals_its_group", [](const Toy& toy) { return ::kill(0, SIGTERM), toy.copy(); }},
      {"closes_files",
       [](const Toy&) -> assay_status {
         for (int file = 3; file < 6; ++file) ::close(file);
         wait_forever();
       }},
      // kernels that harm memory
      {"overruns", [](const Toy& toy) { return toy.spoiled(toy.y.bytes, 1); }},
      {"underruns", [](const Toy& toy) { return toy.copy(), std::memset(toy.to - 2, 0, 2), kWell; }},
      {"reads_unset", [](const Toy& toy) { return toy.copy(), toy.to[0] = unset_byte(), kWell; }},
      {"reads_beside", [](const Toy& toy) { return toy.copy(), toy.to[0] = *(toy.from - 2), kWell; }},
      {"reads_beyond_strides",
       [](const Toy& toy) { return toy.copy(), toy.to[0] = static_cast<unsigned char>(toy.x.strides[toy.x.ndim]), kWell; }},
      {"far_overrun", [](const Toy& toy) { return toy.copy(), std::memset(toy.to + toy.y.bytes + 100, 0, 8), kWell; }},
      {"writes_far_behind", [](const Toy& toy) { return toy.marked(toy.y.bytes + kFarAway, 1); }},
      {"writes_far_before", [](const Toy& toy) { return *(toy.to - kFarAway) = 1, toy.copy(); }},
      {"writes_a_row_behind", [](const Toy& toy) { return toy.marked(toy.y.bytes + size_t(toy.y.strides[0]) * 2 - 1, 1); }},
      {"reads_far_behind",
       [](const Toy& toy) {
         toy.to[0] = static_cast<volatile unsigned char*>(toy.from)[toy.x.bytes + kFarAway];
         return toy.copy();
       }},
      {"reads_garbage", [](const Toy& toy) { return toy.to[0] = read_at(uintptr_t(toy.from) ^ (uintptr_t{1} << 62)), kWell; }},
      {"reads_an_empty_array", [](const Toy& toy) { return toy.to[0] = read_at(uintptr_t(toy.y.ndim) * 4), kWell; }},
      {"divides_by_zero", [](const Toy& toy) { return toy.marked(4, static_cast<unsigned char>(7 / (toy.y.ndim - 2))); }},
      {"reports_an_index", [](const Toy& toy) { return report_index(-1), report_index(8), report_index(9), toy.copy(); }},
      {"reports_an_index_and_aborts", [](const Toy& toy) { return report_index(8), std::abort(), toy.copy(); }},
      {"jumps_nowhere",
       [](const Toy& toy) { return reinterpret_cast<assay_status (*)(const Toy&)>(uintptr_t(toy.y.ndim) - 2)(toy); }},
      {"copies_rows", [](const Toy& toy) { return toy.copy_rows<int64_t>(); }},
      {"copies_rows_by_32_bits", [](const Toy& toy) { return toy.copy_rows<int32_t>(); }},
      {"reads_between_rows",
       [](const Toy& toy) {
         const size_t row = size_t(toy.y.shape[1]) * toy.element_bytes(), pitch = size_t(toy.x.strides[0]) * toy.element_bytes();
         toy.to[0] = static_cast<volatile unsigned char*>(toy.from)[3 * pitch + row + 1000000];
         return toy.copy_rows<int64_t>();
       }},
      {"writes_behind_a_row",
       [](const Toy& toy) { return toy.copy_rows<int64_t>(), toy.to[size_t(toy.y.shape[1]) * toy.element_bytes()] ^= 1, kWell; }},
      {"unwritten", [](const Toy& toy) { return toy.copy(0, 3 * toy.element_bytes()); }},
      {"unwritten_first", [](const Toy& toy) { return toy.copy(toy.element_bytes()); }},
      {"changes_input", [](const Toy& toy) { return toy.copy(), toy.from[4] ^= 1, kWell; }},
      {"uses_workspace", [](const Toy& toy) { return std::memset(toy.call.workspace, 1, toy.call.workspace_bytes), toy.copy(); }},
      {"exceeds_workspace",
       [](const Toy& toy) { return std::memset(toy.call.workspace, 1, toy.call.workspace_bytes + 1), toy.copy(); }},
      // what it computes
      {"off_by_one", [](const Toy& toy) { return toy.spoiled(2, 1); }},
      {"follows_seed", [](const Toy& toy) { return toy.marked(4, static_cast<unsigned char>(toy.parameter("schedule_seed"))); }},
      {"remembers", remember},
      {"mixes_sizes_up", mix_sizes_up},
      {"fails_at_times", fail_at_times},
      {"counts_rows", [](const Toy& toy) { return toy.marked(4, static_cast<unsigned char>(toy.y.shape[0])); }},
      {"counts_many_rows", [](const Toy& toy) { return toy.spoiled(4, toy.y.shape[0] > 256 ? 1 : 0); }},
      {"looks_at_neighbours", [](const Toy& toy) { return toy.spoiled(0, toy.from[toy.y.bytes - 1]); }},
      {"needs_default_stream", [](const Toy& toy) { return toy.spoiled(4, toy.call.stream != nullptr ? 1 : 0); }},
      {"process_id", write_process_id},
  };
  return all;
}

}  // namespace

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& [name, kernel] : kernels()) all.push_back(name);
  return all;
}

const assay_tensor& tensor(const assay_call& call, const char* role) {
  for (int32_t i = 0; i < call.n_tensors; ++i)
    if (std::strcmp(call.tensors[i].role, role) == 0) return call.tensors[i];
  throw std::runtime_error("no such tensor");
}

assay_status say(const assay_call& call, assay_status status, const char* words) {
  std::snprintf(call.message, call.message_bytes, "%s", words);
  return status;
}

assay_status run_now(const assay_call& call) {
  const auto kernel = kernels().find(call.kernel);
  return kernel == kernels().end() ? Toy(call).copy() : kernel->second(Toy(call));
}

namespace {

// Rank groups of the toy library, with host implementations of streams and graphs.

/// A group of ranks with a barrier: no rank continues before all have arrived.
struct Group {
  explicit Group(int32_t ranks) : world_size(ranks) {}
  int32_t world_size;
  std::mutex mutex;
  std::condition_variable all_here;
  int32_t here = 0;
  unsigned char calls = 0;  ///< number of calls so far
  std::vector<unsigned char> sum;
};

bool is(const assay_call& call, const char* kernel) { return std::strcmp(call.kernel, kernel) == 0; }

unsigned char* output_of(const assay_call& call) { return static_cast<unsigned char*>(tensor(call, "y").data); }

/// Adds its x to the sum, waits for the other ranks, and stores the sum. The last byte becomes 10 * world_size + rank instead.
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
  unsigned char* const to = output_of(call);
  std::memcpy(to, group.sum.data(), y.bytes);
  to[y.bytes - 1] = static_cast<unsigned char>(10 * call.world_size + call.rank);
  if (is(call, "counts_calls") && call.rank == 0) to[0] = group.calls;
  if (is(call, "rank_hangs") && call.rank == 1) return say(call, ASSAY_HUNG, "waits for rank 0 in the middle");
  return is(call, "rank_fails") && call.rank == 1 ? say(call, ASSAY_FAILED, "lost its peer") : ASSAY_OK;
}

assay_status run_now(Group& group, const assay_call* const* calls, int32_t n) {
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

/// Stores calls of ranks for replay. In a replay, the kernel "late_under_replay" stores the sums of the group's previous call, as
/// a kernel with stale flags does.
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
    run_now(group, pointers.data(), int32_t(pointers.size()));
    for (size_t r = 0; kernel == "late_under_replay" && r < again.size(); ++r)
      std::memcpy(output_of(again[r]), before.data(), before.size() - 1);
  });
}

/// Makes the outputs of the kernel "meets_the_one_ahead" wrong. Call it if nothing waited for the group's previous call.
void meet_the_one_ahead(const assay_call* const* calls) {
  if (is(*calls[0], "meets_the_one_ahead")) output_of(*calls[0])[0] ^= 1;
}

}  // namespace

void* create_group(int32_t world_size) { return world_size > 4 ? nullptr : new Group(world_size); }

void destroy_group(void* group) { delete static_cast<Group*>(group); }

assay_status run_group(void* opaque, const assay_call* const* calls, int32_t n) {
  Group& group = *static_cast<Group*>(opaque);
  void* const stream = calls[0]->stream;
  if (stream != nullptr && stream_of(stream).captures) return keep_for_replay(group, calls, n), ASSAY_OK;
  const assay_status status = run_now(group, calls, n);
  if (stream != nullptr && ++stream_of(stream).since_wait > 1) meet_the_one_ahead(calls);
  return status;
}

assay_status run_group_in_a_row(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n) {
  for (int32_t i = 0; i < n_calls; ++i) {
    if (const assay_status status = run_now(*static_cast<Group*>(group), calls[i], n); status != ASSAY_OK) return status;
    if (i > 0) meet_the_one_ahead(calls[i]);
  }
  return ASSAY_OK;
}

}  // namespace assay::testing::toy

namespace {

// A kernel library for tests of the harness.

namespace toy = assay::testing::toy;

const char* describe() {
  static const std::string json = [] {
    std::vector<std::string> names = toy::names();
    names.insert(names.end(), {"ignores_capture", "cannot_be_captured"});
    names.insert(names.end(), std::begin(toy::kOfRanks), std::end(toy::kOfRanks));
    std::string kernels;
    for (const std::string& name : names)
      kernels += (kernels.empty() ? "" : ",") + (R"({"name": ")" + name + R"(", "op": "toy", "contracts": ["toy.copy"]})");
    return R"({"name": "toy", "arch": "cpu", "honours_schedule_seed": true, "honours_group_streams": true, "kernels": [)" +
           kernels + "]}";
  }();
  return json.c_str();
}

/// Runs the call, or stores it if the stream is being captured.
assay_status run(const assay_call* call) {
  const bool captures = call->stream != nullptr && toy::stream_of(call->stream).captures;
  if (!captures || std::strcmp(call->kernel, "ignores_capture") == 0) return toy::run_now(*call);
  if (std::strcmp(call->kernel, "cannot_be_captured") == 0)
    return toy::say(*call, ASSAY_FAILED, "allocates while it is captured");
  toy::stream_of(call->stream)
      .kept.push_back([kernel = std::string(call->kernel), again = *call,
                       tensors = std::vector<assay_tensor>(call->tensors, call->tensors + call->n_tensors)]() mutable {
        again.kernel = kernel.c_str();
        again.tensors = tensors.data();
        again.n_params = 0;
        toy::run_now(again);
      });
  return ASSAY_OK;
}

const assay_library kLibrary = [] {
  assay_library host{};
  host.abi = ASSAY_ABI_VERSION;
  host.size = sizeof(assay_library);
  host.describe = describe;
  host.run = run;
  host.synchronise = [](void* stream) -> assay_status {
    if (stream != nullptr) toy::stream_of(stream).since_wait = 0;
    return ASSAY_OK;
  };
  host.create_stream = []() -> void* { return new toy::Stream; };
  host.destroy_stream = [](void* stream) { delete &toy::stream_of(stream); };
  host.begin_capture = [](void* stream) -> assay_status {
    toy::stream_of(stream).captures = true;
    return ASSAY_OK;
  };
  host.end_capture = [](void* stream, void** graph) -> assay_status {
    *graph = new toy::Graph(std::move(toy::stream_of(stream).kept));
    toy::stream_of(stream).captures = false;
    return ASSAY_OK;
  };
  host.replay = [](void* graph, void*) -> assay_status {
    for (const auto& call : *static_cast<toy::Graph*>(graph)) call();
    return ASSAY_OK;
  };
  host.destroy_graph = [](void* graph) { delete static_cast<toy::Graph*>(graph); };
  host.workspace_bytes = [](const assay_call* call) -> size_t {
    return std::string(call->kernel).ends_with("_workspace") ? 100 : 0;
  };
  host.create_group = toy::create_group;
  host.run_group = toy::run_group;
  host.run_group_in_a_row = toy::run_group_in_a_row;
  host.destroy_group = toy::destroy_group;
  return host;
}();

}  // namespace

namespace assay::testing {

const assay_library* toy_library() { return &kLibrary; }

}  // namespace assay::testing

extern "C" __attribute__((visibility("default"))) const assay_library* assay_get_library(void) { return &kLibrary; }
