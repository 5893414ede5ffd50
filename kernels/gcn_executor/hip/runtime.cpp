// libassay_hip_runtime.so: HIP's host API on top of the executor. Streams are queues. A thread that waits for a result executes
// the queued work. All streams take turns, so kernels of several ranks can wait for each other.
//
// Environment: ASSAY_EXECUTE names the architecture (default gfx942). ASSAY_EXECUTE_OPTIONS is passed to options_of().
// ASSAY_EXECUTE_NOTES names a file that gets a line when an approximate instruction is executed for the first time.
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "hip/hip_runtime_api.h"
#include "kernels/gcn_executor/executor.h"

using assay_gcn::Device;
using assay_gcn::Dimensions;
using assay_gcn::Executable;
using assay_gcn::Fault;
using assay_gcn::Kernel;
using assay_gcn::Launch;

/// A work item of a stream: a kernel (start), or anything else (step, which returns true when it is done).
struct Work {
  std::function<std::unique_ptr<Launch>()> start;  ///< for kernels
  std::function<bool()> step;                      ///< for everything else
  std::unique_ptr<Launch> running;
};
using Recipe = std::function<Work()>;  ///< creates a work item; a graph calls it at each of its launches

struct ihipEvent_t {
  uint64_t recorded = 0, done = 0;
  double at = 0;
};
struct ihipStream_t {
  std::deque<Work> queue;
  bool captures = false;
  std::vector<Recipe> captured;
};
struct ihipGraph {
  std::vector<Recipe> work;
};
struct hipGraphExec {
  std::vector<Recipe> work;
};
struct ihipModule_t {
  std::unique_ptr<Executable> executable;
  std::map<std::string, std::unique_ptr<ihipModuleSymbol_t>> functions;
};
struct ihipModuleSymbol_t {
  Executable* executable = nullptr;
  const Kernel* kernel = nullptr;
};

namespace {

constexpr int kDevices = 8;  // all devices share one memory, so each device can access the memory of the others
constexpr uint64_t kStep = 20000;  ///< wave instructions of a stream before the next stream runs
constexpr uint64_t kStepAlone = 1 << 20;

thread_local hipError_t last_error = hipSuccess;
thread_local std::string missing_kernel;  ///< the kernel that the last hipErrorInvalidDeviceFunction is about, for the error text
thread_local int current_device = 0;

struct Binary {
  const void* image = nullptr;
  size_t bytes = 0;
  std::unique_ptr<Executable> executable;
  std::string error;
};
struct RegisteredFunction {
  Binary* binary = nullptr;
  std::string name;
};

struct Runtime {
  std::mutex mutex;
  std::condition_variable changed;
  bool driven = false;  ///< true while some thread executes queued work
  std::unique_ptr<Device> device;
  std::string architecture, failure, fault;
  ihipStream_t null_stream;
  std::vector<ihipStream_t*> streams{&null_stream};
  std::vector<std::unique_ptr<Binary>> binaries;
  std::map<const void*, RegisteredFunction> functions;
  std::map<const void*, std::pair<Binary*, std::string>> variables;
  std::map<const void*, ihipModuleSymbol_t> found;
  hipError_t sticky = hipSuccess;
  /// Numbers of races reported so far, of buffers named so far ("hipMalloc 3"), and of approximate instructions in the notes file.
  size_t races = 0, names = 0, noted = 0;

  Runtime() {
    const char *name = std::getenv("ASSAY_EXECUTE"), *text = std::getenv("ASSAY_EXECUTE_OPTIONS");
    architecture = name == nullptr || *name == 0 ? "gfx942" : name;
    try {
      if (architecture != "gfx942" && architecture != "gfx950")
        throw Fault("ASSAY_EXECUTE: expected gfx942 or gfx950, got '" + architecture + "'");
      device = std::make_unique<Device>(assay_gcn::options_of(text == nullptr ? "" : text));
    } catch (const Fault& why) {
      failure = why.what();
    }
  }
};

/// The runtime is never destroyed, because plug-ins unregister their binaries at process exit in an unknown order.
Runtime& runtime() {
  static Runtime* const the = new Runtime;
  return *the;
}

hipError_t note(hipError_t error) {
  if (error != hipSuccess) last_error = error;
  return error;
}

ihipStream_t* stream_of(hipStream_t stream) { return stream == nullptr ? &runtime().null_stream : stream; }

hipError_t error_of(const std::string& fault) {
  for (const char* text : {"load of", "store to", "buffer access", "LDS: expected", "scratch: expected"})
    if (fault.find(text) != std::string::npos) return hipErrorIllegalAddress;
  return fault.find("did not end") != std::string::npos ? hipErrorLaunchTimeOut : hipErrorLaunchFailure;
}

void fail(Runtime& r, const std::string& why) {
  r.fault = why;
  r.sticky = error_of(why);
  std::fprintf(stderr, "assay_hip_runtime: %s\n", why.c_str());
  for (ihipStream_t* stream : r.streams) stream->queue.clear();
}

/// Appends to the notes file the approximate instructions executed since the last call. Writes whole lines, because several
/// processes may share the file.
void note_approximate(Runtime& r) {
  static const char* const file = std::getenv("ASSAY_EXECUTE_NOTES");
  if (file == nullptr || *file == 0) return;
  const auto executed = r.device->approximate_instructions();
  if (executed.size() == r.noted) return;
  r.noted = executed.size();
  std::string lines;
  for (const auto& [name, count] : executed) lines += name + "\n";
  if (std::FILE* const notes = std::fopen(file, "a")) {
    std::fwrite(lines.data(), 1, lines.size(), notes);
    std::fclose(notes);
  }
}

/// Executes a part of the first work item of each stream. Returns false if no stream has work.
bool advance(Runtime& r, std::unique_lock<std::mutex>& lock) {
  size_t busy = 0;
  for (const ihipStream_t* stream : r.streams) busy += !stream->queue.empty();
  bool any = false;
  for (size_t i = 0; i < r.streams.size(); ++i) {
    ihipStream_t* const stream = r.streams[i];
    if (stream->queue.empty()) continue;
    any = true;
    Work& work = stream->queue.front();  // the reference stays valid: other threads only append
    lock.unlock();
    bool done = false;
    std::string why;
    try {
      if (work.start) {
        if (!work.running) work.running = work.start();
        done = r.device->step(*work.running, busy > 1 ? kStep : kStepAlone);
      } else {
        done = work.step();
      }
      note_approximate(r);
      const auto races = r.device->races();
      if (races.size() > r.races) {
        why = races[r.races];
        r.races = races.size();
      }
    } catch (const std::exception& fault) {
      why = fault.what();
    }
    lock.lock();
    if (!why.empty()) {
      fail(r, why);
      return true;
    }
    if (done) stream->queue.pop_front();
  }
  return any;
}

/// Executes queued work until done() is true. The caller must hold the lock.
hipError_t wait(Runtime& r, std::unique_lock<std::mutex>& lock, const std::function<bool()>& done) {
  while (r.sticky == hipSuccess && !done()) {
    if (r.driven) {
      r.changed.wait(lock);
      continue;
    }
    r.driven = true;
    const bool any = advance(r, lock);
    r.driven = false;
    r.changed.notify_all();
    if (!any && !done()) return hipErrorUnknown;
  }
  return r.sticky;
}

hipError_t wait_for(ihipStream_t* stream) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  if (stream->captures) return note(hipErrorStreamCaptureUnsupported);
  return note(wait(r, lock, [&] { return stream->queue.empty(); }));
}

/// Adds work to a stream, or to the graph into which the stream is being captured.
hipError_t enqueue(hipStream_t handle, const Recipe& recipe) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  if (r.sticky != hipSuccess) return note(r.sticky);
  ihipStream_t* const stream = stream_of(handle);
  if (stream->captures) stream->captured.push_back(recipe);
  else stream->queue.push_back(recipe());
  return hipSuccess;
}

/// Calls `change`, which allocates or frees memory, while no kernel runs.
template <class Change>
hipError_t change_memory(Change change) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  if (!r.device) return note(hipErrorNoDevice);
  r.changed.wait(lock, [&] { return !r.driven; });
  try {
    return note(change(*r.device));
  } catch (const Fault&) {
    return note(hipErrorOutOfMemory);
  }
}

size_t bytes_of_elf(const uint8_t* elf) {
  uint64_t sections = 0;
  uint16_t size = 0, count = 0;
  std::memcpy(&sections, elf + 40, 8);
  std::memcpy(&size, elf + 58, 2);
  std::memcpy(&count, elf + 60, 2);
  return sections + size_t{size} * count;
}

/// Finds the code object for an architecture in a plain ELF file or a clang offload bundle.
std::pair<const void*, size_t> select(const void* image, const std::string& architecture, std::string& error) {
  const auto* bytes = static_cast<const uint8_t*>(image);
  if (std::memcmp(bytes, "\177ELF", 4) == 0) {
    const size_t size = bytes_of_elf(bytes);
    const std::string found = assay_gcn::architecture_of(image, size);
    if (found == architecture) return {image, size};
    error = "code object: expected " + architecture + ", got " + (found.empty() ? "another architecture" : found);
    return {nullptr, 0};
  }
  if (std::memcmp(bytes, "CCOB", 4) == 0) {
    error = "code object: expected an uncompressed bundle; compile with --no-offload-compress";
    return {nullptr, 0};
  }
  constexpr char kMagic[] = "__CLANG_OFFLOAD_BUNDLE__";
  if (std::memcmp(bytes, kMagic, sizeof kMagic - 1) != 0) {
    error = "code object: expected an ELF file or a clang offload bundle";
    return {nullptr, 0};
  }
  uint64_t count = 0;
  std::memcpy(&count, bytes + 24, 8);
  std::string others;
  for (uint64_t i = 0, at = 32; i < count; ++i) {
    uint64_t entry[3];
    std::memcpy(entry, bytes + at, sizeof entry);
    const std::string target(reinterpret_cast<const char*>(bytes + at + sizeof entry), entry[2]);
    at += sizeof entry + entry[2];
    const size_t name = target.rfind("gfx");
    if (name == std::string::npos || entry[1] == 0) continue;
    const std::string found = target.substr(name, target.find(':', name) - name);
    if (found == architecture) return {bytes + entry[0], entry[1]};
    others += " " + found;
  }
  error = "code object: expected " + architecture + ", got" + (others.empty() ? " none" : others);
  return {nullptr, 0};
}

Executable* executable_of(Runtime& r, Binary& binary) {
  if (binary.executable || !binary.error.empty()) return binary.executable.get();
  if (binary.bytes == 0) {
    const auto [image, bytes] = select(binary.image, r.architecture, binary.error);
    if (image == nullptr) return nullptr;
    binary.image = image;
    binary.bytes = bytes;
  }
  try {
    binary.executable = r.device->load(binary.image, binary.bytes);
  } catch (const std::exception& why) {
    binary.error = why.what();
  }
  return binary.executable.get();
}

struct Configuration {
  dim3 grid, block;
  size_t shared;
  hipStream_t stream;
};
thread_local std::vector<Configuration> configurations;

hipError_t launch(const ihipModuleSymbol_t& symbol, dim3 grid, dim3 block, size_t shared, hipStream_t stream,
                  std::vector<uint8_t> arguments) {
  const uint64_t items = uint64_t{block.x} * block.y * block.z, groups = uint64_t{grid.x} * grid.y * grid.z;
  if (items == 0 || items > 1024 || groups == 0) return note(hipErrorInvalidConfiguration);
  if (symbol.kernel->descriptor.group_segment_fixed_size + shared > 160 * 1024) return note(hipErrorLaunchOutOfResources);
  const auto recipe = [symbol, grid, block, shared, arguments = std::move(arguments)] {
    Work work;
    work.start = [=] {
      return runtime().device->start(*symbol.executable, *symbol.kernel, {grid.x, grid.y, grid.z}, {block.x, block.y, block.z},
                                     static_cast<uint32_t>(shared), arguments.data(), arguments.size());
    };
    return work;
  };
  return enqueue(stream, recipe);
}

std::vector<uint8_t> packed(const Kernel& kernel, void* const* arguments) {
  std::vector<uint8_t> bytes(kernel.descriptor.kernarg_size);
  size_t next = 0;
  for (const auto& argument : kernel.arguments)
    if (argument.kind.compare(0, 7, "hidden_") != 0 && argument.offset + argument.size <= bytes.size())
      std::memcpy(bytes.data() + argument.offset, arguments[next++], argument.size);
  return bytes;
}

Recipe once(std::function<bool()> step) {
  return [step = std::move(step)] {
    Work work;
    work.step = step;
    return work;
  };
}

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

extern "C" {

hipError_t hipInit(unsigned) { return runtime().device ? hipSuccess : note(hipErrorNoDevice); }
hipError_t hipRuntimeGetVersion(int* version) { return *version = 60000000, hipSuccess; }
hipError_t hipDriverGetVersion(int* version) { return *version = 0, hipSuccess; }
hipError_t hipGetDeviceCount(int* count) {
  *count = runtime().device ? kDevices : 0;
  return *count != 0 ? hipSuccess : note(hipErrorNoDevice);
}
hipError_t hipGetDevice(int* device) { return *device = current_device, runtime().device ? hipSuccess : note(hipErrorNoDevice); }
hipError_t hipSetDevice(int device) {
  if (device < 0 || device >= kDevices) return note(hipErrorInvalidDevice);
  return current_device = device, hipSuccess;
}
hipError_t hipGetDeviceProperties(hipDeviceProp_t* p, int device) {
  const Runtime& r = runtime();
  if (!r.device || device < 0 || device >= kDevices) return note(r.device ? hipErrorInvalidDevice : hipErrorNoDevice);
  std::memset(p, 0, sizeof *p);
  std::snprintf(p->name, sizeof p->name, "%s executed on the CPU by %s", r.architecture.c_str(), assay_gcn::kExecutorVersion);
  std::snprintf(p->gcnArchName, sizeof p->gcnArchName, "%s", r.architecture.c_str());
  p->totalGlobalMem = size_t{8} << 30;
  p->sharedMemPerBlock = r.architecture == "gfx950" ? 160 * 1024 : 64 * 1024;
  p->regsPerBlock = 65536;
  p->warpSize = 64;
  p->maxThreadsPerBlock = 1024;
  for (int k = 0; k < 3; ++k) p->maxThreadsDim[k] = 1024, p->maxGridSize[k] = 2147483647;
  p->clockRate = 100000;
  p->multiProcessorCount = 4;
  p->major = 9;
  p->minor = r.architecture == "gfx950" ? 5 : 4;
  p->maxThreadsPerMultiProcessor = 2048;
  return hipSuccess;
}
/// In the headers of ROCm 6 and 7, hipGetDeviceProperties is a macro for this name, and the struct has another layout.
hipError_t hipGetDevicePropertiesR0600(void* properties, int device) {
  struct Field {
    size_t offset, bytes;
    const void* value;
  };
  hipDeviceProp_t p;
  const hipError_t error = hipGetDeviceProperties(&p, device);
  if (error != hipSuccess) return error;
  auto* const to = static_cast<char*>(properties);
  std::memset(to, 0, 1472);
  for (const Field& field : {Field{0, 256, p.name},
                             {288, 8, &p.totalGlobalMem},
                             {296, 8, &p.sharedMemPerBlock},
                             {304, 4, &p.regsPerBlock},
                             {308, 4, &p.warpSize},
                             {320, 4, &p.maxThreadsPerBlock},
                             {324, 12, p.maxThreadsDim},
                             {336, 12, p.maxGridSize},
                             {348, 4, &p.clockRate},
                             {360, 4, &p.major},
                             {364, 4, &p.minor},
                             {388, 4, &p.multiProcessorCount},
                             {624, 4, &p.maxThreadsPerMultiProcessor},
                             {640, 8, &p.sharedMemPerBlock},
                             {696, 8, &p.sharedMemPerBlock},
                             {1160, 256, p.gcnArchName},
                             {1416, 8, &p.sharedMemPerBlock}})
    std::memcpy(to + field.offset, field.value, field.bytes);
  return hipSuccess;
}
hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device) {
  hipDeviceProp_t p;
  const hipError_t error = hipGetDeviceProperties(&p, device);
  if (error != hipSuccess) return error;
  switch (attribute) {
    case hipDeviceAttributeMaxSharedMemoryPerBlock:
      return *value = static_cast<int>(p.sharedMemPerBlock), hipSuccess;
    case hipDeviceAttributeMultiprocessorCount:
      return *value = p.multiProcessorCount, hipSuccess;
    case hipDeviceAttributeWarpSize:
      return *value = p.warpSize, hipSuccess;
    case hipDeviceAttributeMaxThreadsPerBlock:
      return *value = p.maxThreadsPerBlock, hipSuccess;
  }
  return note(hipErrorNotSupported);
}
hipError_t hipDeviceSynchronize(void) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  return note(wait(r, lock, [&] {
    for (const ihipStream_t* stream : r.streams)
      if (!stream->queue.empty()) return false;
    return true;
  }));
}
hipError_t hipDeviceCanAccessPeer(int* can, int, int) { return *can = 1, hipSuccess; }
hipError_t hipDeviceEnablePeerAccess(int, unsigned) { return hipSuccess; }
hipError_t hipGetLastError(void) {
  const hipError_t error = last_error;
  last_error = hipSuccess;
  return error;
}
hipError_t hipPeekAtLastError(void) { return last_error; }

const char* hipGetErrorName(hipError_t error) {
  switch (error) {
#define NAME(x) \
  case x:       \
    return #x;
    NAME(hipSuccess)
    NAME(hipErrorInvalidValue) NAME(hipErrorOutOfMemory) NAME(hipErrorInvalidConfiguration) NAME(hipErrorInvalidSymbol)
        NAME(hipErrorInvalidDeviceFunction) NAME(hipErrorNoDevice) NAME(hipErrorInvalidDevice) NAME(hipErrorNoBinaryForGpu)
            NAME(hipErrorIllegalAddress) NAME(hipErrorLaunchOutOfResources) NAME(hipErrorLaunchTimeOut)
                NAME(hipErrorLaunchFailure) NAME(hipErrorNotSupported) NAME(hipErrorNotReady)
                    NAME(hipErrorStreamCaptureUnsupported) NAME(hipErrorNotFound)
#undef NAME
                        default : return "hipErrorUnknown";
  }
}
const char* hipGetErrorString(hipError_t error) {
  Runtime& r = runtime();
  static thread_local std::string text;
  const std::lock_guard<std::mutex> lock(r.mutex);
  text = hipGetErrorName(error);
  if (error == r.sticky && error != hipSuccess) text += ": " + r.fault;
  if (error == hipErrorNoDevice && !r.failure.empty()) text += ": " + r.failure;
  if (error == hipErrorInvalidDeviceFunction && !missing_kernel.empty())
    text += ": the code object for " + r.architecture + " has no kernel " + missing_kernel +
            "; a library that was built with ASSAY_HIP_SAMPLE contains only a sample of the kernels";
  if (error == hipErrorNoBinaryForGpu || error == hipErrorInvalidDeviceFunction)
    for (const auto& binary : r.binaries)
      if (!binary->error.empty()) return (text += ": " + binary->error).c_str();
  return text.c_str();
}

hipError_t hipMalloc(void** data, size_t bytes) {
  return change_memory([&](Device& device) {
    *data = device.memory().allocate(bytes, "hipMalloc " + std::to_string(++runtime().names));
    return hipSuccess;
  });
}
hipError_t hipFree(void* data) {
  if (data == nullptr) return hipSuccess;
  (void)hipDeviceSynchronize();
  return change_memory([&](Device& device) { return device.memory().release(data) ? hipSuccess : hipErrorInvalidValue; });
}
hipError_t hipMallocAsync(void** data, size_t bytes, hipStream_t) { return hipMalloc(data, bytes); }
hipError_t hipFreeAsync(void* data, hipStream_t) { return hipFree(data); }
hipError_t hipMallocManaged(void** data, size_t bytes, unsigned) { return hipMalloc(data, bytes); }
hipError_t hipHostMalloc(void** data, size_t bytes, unsigned) { return hipMalloc(data, bytes); }
hipError_t hipHostFree(void* data) { return hipFree(data); }
hipError_t hipMemGetInfo(size_t* available, size_t* total) { return *available = *total = size_t{8} << 30, hipSuccess; }

hipError_t hipMemcpyAsync(void* to, const void* from, size_t bytes, hipMemcpyKind, hipStream_t stream) {
  return enqueue(stream, once([=] { return std::memmove(to, from, bytes), true; }));
}
hipError_t hipMemcpy(void* to, const void* from, size_t bytes, hipMemcpyKind) {
  const hipError_t error = hipDeviceSynchronize();
  if (error == hipSuccess && bytes != 0) std::memmove(to, from, bytes);
  return error;
}
hipError_t hipMemcpyPeer(void* to, int, const void* from, int, size_t bytes) {
  return hipMemcpy(to, from, bytes, hipMemcpyDefault);
}
hipError_t hipMemsetAsync(void* to, int value, size_t bytes, hipStream_t stream) {
  return enqueue(stream, once([=] { return std::memset(to, value, bytes), true; }));
}
hipError_t hipMemset(void* to, int value, size_t bytes) {
  const hipError_t error = hipDeviceSynchronize();
  if (error == hipSuccess) std::memset(to, value, bytes);
  return error;
}

hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  if (!r.device) return note(hipErrorNoDevice);
  r.streams.push_back(*stream = new ihipStream_t);
  return hipSuccess;
}
hipError_t hipStreamCreate(hipStream_t* stream) { return hipStreamCreateWithFlags(stream, 0); }
hipError_t hipStreamDestroy(hipStream_t stream) {
  if (stream == nullptr) return note(hipErrorInvalidHandle);
  const hipError_t error = wait_for(stream);
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  r.changed.wait(lock, [&] { return !r.driven; });
  std::erase(r.streams, stream);
  delete stream;
  return error;
}
hipError_t hipStreamSynchronize(hipStream_t stream) { return wait_for(stream_of(stream)); }
hipError_t hipStreamQuery(hipStream_t stream) { return wait_for(stream_of(stream)); }
hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned) {
  return enqueue(stream, once([event, wanted = event->recorded] { return event->done >= wanted; }));
}
hipError_t hipStreamIsCapturing(hipStream_t stream, hipStreamCaptureStatus* status) {
  return *status = stream_of(stream)->captures ? hipStreamCaptureStatusActive : hipStreamCaptureStatusNone, hipSuccess;
}
hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned) { return *event = new ihipEvent_t, hipSuccess; }
hipError_t hipEventCreate(hipEvent_t* event) { return hipEventCreateWithFlags(event, 0); }
hipError_t hipEventDestroy(hipEvent_t event) {
  const hipError_t error = hipEventSynchronize(event);
  delete event;
  return error;
}
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
  const uint64_t number = ++event->recorded;
  return enqueue(stream, once([event, number] {
                   event->done = number;
                   event->at = now();
                   return true;
                 }));
}
hipError_t hipEventSynchronize(hipEvent_t event) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  return note(wait(r, lock, [&] { return event->done >= event->recorded; }));
}
hipError_t hipEventQuery(hipEvent_t event) { return hipEventSynchronize(event); }
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t begin, hipEvent_t end) {
  return *milliseconds = static_cast<float>(1e3 * (end->at - begin->at)), hipSuccess;
}

hipError_t hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  ihipStream_t* const s = stream_of(stream);
  if (s->captures || stream == nullptr) return note(hipErrorStreamCaptureUnsupported);
  s->captures = true;
  s->captured.clear();
  return hipSuccess;
}
hipError_t hipStreamEndCapture(hipStream_t stream, hipGraph_t* graph) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  ihipStream_t* const s = stream_of(stream);
  if (!s->captures) return note(hipErrorStreamCaptureInvalidated);
  s->captures = false;
  *graph = new ihipGraph{std::move(s->captured)};
  return hipSuccess;
}
hipError_t hipGraphInstantiate(hipGraphExec_t* executable, hipGraph_t graph, hipGraphNode_t*, char*, size_t) {
  return *executable = new hipGraphExec{graph->work}, hipSuccess;
}
hipError_t hipGraphLaunch(hipGraphExec_t executable, hipStream_t stream) {
  for (const Recipe& recipe : executable->work)
    if (const hipError_t error = enqueue(stream, recipe); error != hipSuccess) return error;
  return hipSuccess;
}
hipError_t hipGraphDestroy(hipGraph_t graph) { return delete graph, hipSuccess; }
hipError_t hipGraphExecDestroy(hipGraphExec_t executable) { return delete executable, hipSuccess; }

hipError_t hipLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared, hipStream_t stream) {
  Runtime& r = runtime();
  ihipModuleSymbol_t symbol;
  {
    std::unique_lock<std::mutex> lock(r.mutex);
    if (!r.device) return note(hipErrorNoDevice);
    if (r.sticky != hipSuccess) return note(r.sticky);
    const auto known = r.found.find(function);
    if (known != r.found.end()) {
      symbol = known->second;
    } else {
      r.changed.wait(lock, [&] { return !r.driven; });
      const auto registered = r.functions.find(function);
      if (registered == r.functions.end()) return note(hipErrorInvalidDeviceFunction);
      symbol.executable = executable_of(r, *registered->second.binary);
      if (symbol.executable == nullptr) return note(hipErrorNoBinaryForGpu);
      const auto& kernels = symbol.executable->object().kernels();
      const auto kernel = kernels.find(registered->second.name);
      if (kernel == kernels.end()) {
        missing_kernel = registered->second.name;
        return note(hipErrorInvalidDeviceFunction);
      }
      symbol.kernel = &kernel->second;
      r.found[function] = symbol;
    }
  }
  return launch(symbol, grid, block, shared, stream, packed(*symbol.kernel, arguments));
}
hipError_t hipFuncSetAttribute(const void*, hipFuncAttribute, int) { return hipSuccess; }

hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
  return change_memory([&](Device& device) {
    std::string error;
    const auto [elf, bytes] = select(image, runtime().architecture, error);
    if (elf == nullptr) return hipErrorNoBinaryForGpu;
    auto loaded = std::make_unique<ihipModule_t>();
    loaded->executable = device.load(elf, bytes);
    *module = loaded.release();
    return hipSuccess;
  });
}
hipError_t hipModuleUnload(hipModule_t module) {
  const hipError_t error = hipDeviceSynchronize();
  delete module;
  return error;
}
hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module, const char* name) {
  const auto& kernels = module->executable->object().kernels();
  const auto found = kernels.find(name);
  if (found == kernels.end()) return note(hipErrorNotFound);
  auto& symbol = module->functions[name];
  if (!symbol) symbol = std::make_unique<ihipModuleSymbol_t>(ihipModuleSymbol_t{module->executable.get(), &found->second});
  *function = symbol.get();
  return hipSuccess;
}
hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by,
                                 unsigned bz, unsigned shared, hipStream_t stream, void** arguments, void** extra) {
  if (arguments != nullptr)
    return launch(*function, {gx, gy, gz}, {bx, by, bz}, shared, stream, packed(*function->kernel, arguments));
  // Expected: HIP_LAUNCH_PARAM_BUFFER_POINTER (1), its value, HIP_LAUNCH_PARAM_BUFFER_SIZE (2), a pointer to it,
  // HIP_LAUNCH_PARAM_END (3).
  const uint8_t* data = nullptr;
  size_t bytes = 0;
  for (void** at = extra; at != nullptr && *at != reinterpret_cast<void*>(3); at += 2) {
    if (*at == reinterpret_cast<void*>(1)) data = static_cast<const uint8_t*>(at[1]);
    else if (*at == reinterpret_cast<void*>(2)) bytes = *static_cast<const size_t*>(at[1]);
    else return note(hipErrorInvalidValue);
  }
  if (data == nullptr) return note(hipErrorInvalidValue);
  return launch(*function, {gx, gy, gz}, {bx, by, bz}, shared, stream, std::vector<uint8_t>(data, data + bytes));
}

hipError_t hipGetSymbolAddress(void** address, const void* symbol) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  if (!r.device) return note(hipErrorNoDevice);
  r.changed.wait(lock, [&] { return !r.driven; });
  const auto variable = r.variables.find(symbol);
  if (variable == r.variables.end()) return note(hipErrorInvalidSymbol);
  const Executable* executable = executable_of(r, *variable->second.first);
  if (executable == nullptr) return note(hipErrorNoBinaryForGpu);
  const uint64_t at = executable->object().symbol(variable->second.second).first;
  *address = reinterpret_cast<void*>(at);
  return at != 0 ? hipSuccess : note(hipErrorInvalidSymbol);
}
hipError_t hipMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset, hipMemcpyKind kind) {
  void* at = nullptr;
  const hipError_t error = hipGetSymbolAddress(&at, symbol);
  return error != hipSuccess ? error : hipMemcpy(static_cast<char*>(at) + offset, from, bytes, kind);
}

void** __hipRegisterFatBinary(const void* wrapper) {
  struct Wrapper {
    uint32_t magic, version;
    const void* binary;
    void* unused;
  };
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  auto binary = std::make_unique<Binary>();
  binary->image = static_cast<const Wrapper*>(wrapper)->binary;
  r.binaries.push_back(std::move(binary));
  return reinterpret_cast<void**>(r.binaries.back().get());
}
void __hipUnregisterFatBinary(void** handle) {
  Runtime& r = runtime();
  std::unique_lock<std::mutex> lock(r.mutex);
  auto* const binary = reinterpret_cast<Binary*>(handle);
  std::erase_if(r.functions, [&](const auto& each) { return each.second.binary == binary; });
  std::erase_if(r.variables, [&](const auto& each) { return each.second.first == binary; });
  r.found.clear();
  std::erase_if(r.binaries, [&](const auto& each) { return each.get() == binary; });
}
void __hipRegisterFunction(void** binary, const void* host, char*, const char* name, unsigned, void*, void*, void*, void*, int*) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  r.functions[host] = {reinterpret_cast<Binary*>(binary), name};
}
void __hipRegisterVar(void** binary, void* host, char*, const char* name, int, size_t, int, int) {
  Runtime& r = runtime();
  const std::lock_guard<std::mutex> lock(r.mutex);
  r.variables[host] = {reinterpret_cast<Binary*>(binary), name};
}
void __hipRegisterManagedVar(void** binary, void** host, void*, const char* name, size_t bytes, unsigned) {
  __hipRegisterVar(binary, host, nullptr, name, 0, bytes, 0, 0);
}
hipError_t __hipPushCallConfiguration(dim3 grid, dim3 block, size_t shared, hipStream_t stream) {
  return configurations.push_back({grid, block, shared, stream}), hipSuccess;
}
hipError_t __hipPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, hipStream_t* stream) {
  if (configurations.empty()) return hipErrorInvalidConfiguration;
  const Configuration& top = configurations.back();
  *grid = top.grid, *block = top.block, *shared = top.shared, *stream = top.stream;
  configurations.pop_back();
  return hipSuccess;
}

const char* assay_hip_runtime_describe(void) {
  Runtime& r = runtime();
  static std::string text;
  const std::lock_guard<std::mutex> lock(r.mutex);
  text = std::string(assay_gcn::kExecutorVersion) + " " + r.architecture;
  if (!r.device) return text.c_str();
  text += std::string(", lanes ") + r.device->lanes().name + ", approximate instructions:";
  for (const auto& [name, count] : r.device->approximate_instructions()) text += " " + name + " " + std::to_string(count);
  return text.c_str();
}

}  // extern "C"
