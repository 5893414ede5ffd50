// Helper for authors of CUDA plug-ins. You write one table row and one function per kernel. This header supplies the rest of the
// C ABI: memory, streams, graphs, errors, tensors by role, describe() and exceptions. C++17, host code; link the CUDA runtime.
// Example: kernels/example_plugin/my_rms_norm.cu.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime_api.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "assay/plugin/library.hpp"

namespace assay::plugin {
template <>
struct Element<__half> : ElementOf<ASSAY_FLOAT, 16> {};
template <>
struct Element<__nv_bfloat16> : ElementOf<ASSAY_BFLOAT, 16> {};
template <>
struct Element<__nv_fp8_e4m3> : ElementOf<ASSAY_FLOAT8_E4M3FN, 8> {};
template <>
struct Element<__nv_fp8_e5m2> : ElementOf<ASSAY_FLOAT8_E5M2, 8> {};
#if CUDART_VERSION >= 12080
template <>
struct Element<__nv_fp8_e8m0> : ElementOf<ASSAY_FLOAT8_E8M0FNU, 8> {};
#endif
}  // namespace assay::plugin

namespace assay::cuda {

using plugin::failed;
using plugin::unsupported;
using plugin::View;
using plugin::with_type;

/// Throws if the runtime call failed; run() then returns the status of that error.
void good(cudaError_t error);

/// Device copies of call parameters, which are host numbers. Each value keeps its device address while the library is loaded, so
/// a captured graph can be replayed. reserve() allocates the memory before the first call, because that call may be captured.
class __attribute__((visibility("hidden"))) DeviceNumbers {
 public:
  static void reserve() {
    const std::lock_guard<std::mutex> lock(all().mutex);
    if (!all().memory && cudaMalloc(&all().memory, kMost * 8) != cudaSuccess) all().memory = nullptr;
  }
  template <class T>
  static const T* of(T value, cudaStream_t stream) {
    static_assert(sizeof(T) <= 8, "numbers");
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    const std::lock_guard<std::mutex> lock(all().mutex);
    const auto [entry, is_new] = all().places.try_emplace(bits, all().places.size());
    if (!all().memory || entry->second >= kMost) failed("out of device memory for a kernel parameter");
    char* const place = static_cast<char*>(all().memory) + entry->second * 8;
    // the address of a key in a std::map never changes
    good(cudaMemcpyAsync(place, &entry->first, 8, cudaMemcpyHostToDevice, stream));
    return reinterpret_cast<const T*>(place);
  }

 private:
  static constexpr size_t kMost = 8192;
  std::mutex mutex;
  void* memory = nullptr;
  std::map<uint64_t, size_t> places;
  static DeviceNumbers& all() {
    static DeviceNumbers one;
    return one;
  }
};

class Call : public plugin::Call {
 public:
  using plugin::Call::Call;
  cudaStream_t stream() const { return static_cast<cudaStream_t>(raw().stream); }

  /// Returns a device pointer to the parameter's value. The copy is enqueued on the call's stream.
  template <class T>
  const T* device_number(const char* name) const {
    return DeviceNumbers::of(T(number(name)), stream());
  }
  /// Copies the rows of one matrix into another of the same shape and type. In-place kernels need it for ops with a separate output.
  void copy_rows(const assay_tensor& to, const assay_tensor& from) const {
    const bool same = to.ndim == 2 && from.ndim == 2 && to.shape[0] == from.shape[0] && to.shape[1] == from.shape[1];
    if (!same || !plugin::has_type(to, from.type_code, from.type_bits))
      failed("copy_rows: source and target differ in shape or type");
    if (to.shape[1] > 1 && (to.strides[1] != 1 || from.strides[1] != 1))
      unsupported("copy_rows: the elements of a row must be contiguous");
    const size_t element = from.type_bits / 8u;
    good(cudaMemcpy2DAsync(to.data, size_t(to.strides[0]) * element, from.data, size_t(from.strides[0]) * element,
                           size_t(from.shape[1]) * element, size_t(from.shape[0]), cudaMemcpyDeviceToDevice, stream()));
  }
  void fill(const assay_tensor& t, int byte) const { good(cudaMemsetAsync(t.data, byte, t.bytes, stream())); }
};

using Kernel = plugin::KernelOf<Call>;

/// A reserved address range in which only pages with rows have memory. Calls the CUDA driver API without linking libcuda.
class __attribute__((visibility("hidden"))) FarRows {
 public:
  /// Returns null if the driver rejects a request.
  static void* allocate(size_t rows, size_t row_bytes, size_t pitch_bytes) {
    static const Driver driver;
    auto made = std::make_unique<FarRows>(driver);
    if (rows == 0 || !driver.is_complete() || !made->map(rows, row_bytes, pitch_bytes)) return nullptr;
    void* const address = reinterpret_cast<void*>(made->base_ + made->margin_);
    const std::lock_guard<std::mutex> lock(all().mutex);
    all().made.emplace(address, std::move(made));
    return address;
  }
  /// Returns false if the address is not a result of allocate().
  static bool release(void* address) {
    const std::lock_guard<std::mutex> lock(all().mutex);
    return all().made.erase(address) > 0;
  }

  struct Driver {
    decltype(&cuMemGetAllocationGranularity) granularity = nullptr;
    decltype(&cuMemAddressReserve) reserve = nullptr;
    decltype(&cuMemAddressFree) free = nullptr;
    decltype(&cuMemCreate) create = nullptr;
    decltype(&cuMemRelease) release = nullptr;
    decltype(&cuMemMap) map = nullptr;
    decltype(&cuMemUnmap) unmap = nullptr;
    decltype(&cuMemSetAccess) set_access = nullptr;

    Driver() {
      find("cuMemGetAllocationGranularity", granularity);
      find("cuMemAddressReserve", reserve);
      find("cuMemAddressFree", free);
      find("cuMemCreate", create);
      find("cuMemRelease", release);
      find("cuMemMap", map);
      find("cuMemUnmap", unmap);
      find("cuMemSetAccess", set_access);
    }
    bool is_complete() const { return granularity && reserve && free && create && release && map && unmap && set_access; }

   private:
    template <class Function>
    static void find(const char* name, Function& function) {
      void* found = nullptr;
      cudaDriverEntryPointQueryResult result{};
#if CUDART_VERSION >= 12050
      const cudaError_t error = cudaGetDriverEntryPointByVersion(name, &found, 12000, cudaEnableDefault, &result);
#else
      const cudaError_t error = cudaGetDriverEntryPoint(name, &found, cudaEnableDefault, &result);
#endif
      if (error != cudaSuccess) (void)cudaGetLastError();
      if (error == cudaSuccess && result == cudaDriverEntryPointSuccess) function = reinterpret_cast<Function>(found);
    }
  };

  explicit FarRows(const Driver& driver) : driver_(driver) {}
  FarRows(const FarRows&) = delete;
  FarRows& operator=(const FarRows&) = delete;
  ~FarRows() {
    for (const auto& [at, bytes] : mapped_) (void)driver_.unmap(at, bytes);
    if (base_ != 0) (void)driver_.free(base_, reserved_);
  }

 private:
  /// Reserves three times the range of the rows and uses the middle third: wrapped offsets then hit unmapped addresses.
  bool map(size_t rows, size_t row_bytes, size_t pitch_bytes) {
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess || cudaFree(nullptr) != cudaSuccess) return false;
    CUmemAllocationProp memory{};
    memory.type = CU_MEM_ALLOCATION_TYPE_PINNED;
    memory.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
    memory.location.id = device;
    size_t page = 0;
    if (driver_.granularity(&page, &memory, CU_MEM_ALLOC_GRANULARITY_MINIMUM) != CUDA_SUCCESS || page == 0) return false;
    margin_ = ((rows - 1) * pitch_bytes + row_bytes + page - 1) / page * page;
    reserved_ = 3 * margin_;
    if (driver_.reserve(&base_, reserved_, 0, 0, 0) != CUDA_SUCCESS) return base_ = 0, false;
    CUmemAccessDesc access{};
    access.location = memory.location;
    access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
    size_t end_of_last = 0;
    for (size_t r = 0; r < rows; ++r) {
      const size_t end = (r * pitch_bytes + row_bytes + page - 1) / page * page;
      const size_t first = std::max(end_of_last, r * pitch_bytes / page * page);  // a page may hold parts of two rows
      if (end <= first) continue;
      end_of_last = end;
      const CUdeviceptr at = base_ + margin_ + first;
      CUmemGenericAllocationHandle handle{};
      if (driver_.create(&handle, end - first, &memory, 0) != CUDA_SUCCESS) return false;
      const CUresult done = driver_.map(at, end - first, 0, handle, 0);
      (void)driver_.release(handle);  // the mapping keeps the memory
      if (done != CUDA_SUCCESS) return false;
      mapped_.emplace_back(at, end - first);
      if (driver_.set_access(at, end - first, &access, 1) != CUDA_SUCCESS) return false;
    }
    return true;
  }

  struct All {
    std::mutex mutex;
    std::map<void*, std::unique_ptr<FarRows>> made;
  };
  static All& all() {
    static auto* const one = new All;  // never destroyed: the driver may be gone when the process ends
    return *one;
  }

  const Driver driver_;
  CUdeviceptr base_ = 0;
  size_t margin_ = 0, reserved_ = 0;
  std::vector<std::pair<CUdeviceptr, size_t>> mapped_;
};

struct Runtime {
  using Error = cudaError_t;
  static constexpr Error kSuccess = cudaSuccess;

  static std::string version(int number) { return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10); }
  static std::string identify(plugin::Identity& identity) {
    int runtime = 0, driver = 0, index = 0;
    cudaDeviceProp properties{};
    if (cudaRuntimeGetVersion(&runtime) == kSuccess) identity.toolkit = version(runtime);
    if (cudaDriverGetVersion(&driver) == kSuccess && driver != 0) identity.driver = version(driver);
    Error error = cudaGetDevice(&index);
    if (error == kSuccess) error = cudaGetDeviceProperties(&properties, index);
    if (error != kSuccess) return std::string("no CUDA device: ") + cudaGetErrorString(error);
    identity.arch = "sm_" + std::to_string(properties.major * 10 + properties.minor);
    identity.device = properties.name;
    return "";
  }

  static Error allocate(void** data, size_t bytes) {
    DeviceNumbers::reserve();
    return cudaMalloc(data, bytes);
  }
  static Error release(void* data) { return FarRows::release(data) ? kSuccess : cudaFree(data); }
  static void* allocate_rows(size_t rows, size_t row_bytes, size_t pitch_bytes) { return FarRows::allocate(rows, row_bytes, pitch_bytes); }
  static Error copy_in(void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice); }
  static Error copy_out(void* to, const void* from, size_t bytes) { return cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost); }
  static Error wait(void* stream) { return cudaStreamSynchronize(of(stream)); }
  static Error take_last_error() { return cudaGetLastError(); }
  static std::string text(Error error) { return cudaGetErrorString(error); }

  /// Needed when ranks are processes that share one device, or use several devices with peer access.
  using Handle = cudaIpcMemHandle_t;
  static Error export_memory(Handle& handle, void* data) { return cudaIpcGetMemHandle(&handle, data); }
  static Error open_memory(void** data, const Handle& handle) {
    return cudaIpcOpenMemHandle(data, handle, cudaIpcMemLazyEnablePeerAccess);
  }
  static Error close_memory(void* data) { return cudaIpcCloseMemHandle(data); }
  /// Needed when ranks use several devices. Launches go to the current device. A pointer is valid on each device with peer access
  /// to its memory.
  static int devices() {
    int count = 0;
    return cudaGetDeviceCount(&count) == kSuccess ? count : (void(cudaGetLastError()), 1);
  }
  static Error use(int device) { return cudaSetDevice(device); }
  static bool reach(int from, int to) {
    int can = 0;
    if (cudaDeviceCanAccessPeer(&can, from, to) != kSuccess || can == 0) return false;
    const Error error = cudaDeviceEnablePeerAccess(to, 0);
    if (error != kSuccess) (void)cudaGetLastError();
    return error == kSuccess || error == cudaErrorPeerAccessAlreadyEnabled;
  }
  static Error copy_across(void* to, const void* from, size_t bytes) {
    const Error error = cudaMemcpy(to, from, bytes, cudaMemcpyDefault);
    return error != kSuccess ? error : cudaStreamSynchronize(nullptr);
  }

  static cudaStream_t of(void* stream) { return static_cast<cudaStream_t>(stream); }
  static Error create_stream(void** stream) {
    return cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking);
  }
  static Error destroy_stream(void* stream) { return cudaStreamDestroy(of(stream)); }
  static Error begin_capture(void* stream) { return cudaStreamBeginCapture(of(stream), cudaStreamCaptureModeGlobal); }
  static Error end_capture(void* stream, void** graph) {
    cudaGraph_t captured{};
    cudaGraphExec_t executable{};
    Error error = cudaStreamEndCapture(of(stream), &captured);
    if (error == kSuccess) error = cudaGraphInstantiate(&executable, captured, 0);
    if (captured != nullptr) (void)cudaGraphDestroy(captured);
    *graph = executable;
    return error;
  }
  static Error replay(void* graph, void* stream) { return cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), of(stream)); }
  static Error destroy_graph(void* graph) { return cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

  /// Maps CUDA errors to status codes as described in abi.h.
  static assay_status status_of(Error error) {
    switch (error) {
      case cudaSuccess:
        return ASSAY_OK;
      case cudaErrorIllegalAddress:
      case cudaErrorMisalignedAddress:
      case cudaErrorIllegalInstruction:
      case cudaErrorInvalidAddressSpace:
      case cudaErrorInvalidPc:
      case cudaErrorHardwareStackError:
      case cudaErrorAssert:
      case cudaErrorLaunchTimeout:
      case cudaErrorLaunchFailure:
        return ASSAY_FAULTED;
      case cudaErrorInvalidConfiguration:
      case cudaErrorInvalidValue:
      case cudaErrorLaunchOutOfResources:
      case cudaErrorStreamCaptureUnsupported:
      case cudaErrorStreamCaptureInvalidated:
      case cudaErrorStreamCaptureImplicit:
      case cudaErrorStreamCaptureUnjoined:
      case cudaErrorStreamCaptureIsolation:
        return ASSAY_FAILED;
      case cudaErrorNoKernelImageForDevice:
      case cudaErrorNotSupported:
        return ASSAY_UNSUPPORTED;
      default:
        return ASSAY_DEVICE_LOST;
    }
  }
};

inline void good(cudaError_t error) {
  if (error == cudaSuccess) return;
  throw plugin::Refusal(Runtime::status_of(error), cudaGetErrorString(error));
}

/// Returns the result of assay_get_library(). Table rows that accept no particular "warp" get 32 lanes.
inline const assay_library* library(const std::string& name, std::vector<Kernel> kernels,
                                    assay_status other_exceptions = ASSAY_FAILED) {
  for (Kernel& kernel : kernels) {
    bool says = false;
    for (const auto& [parameter, values] : kernel.accepts) says = says || parameter == "warp";
    if (!says) kernel.accepts.push_back({"warp", {32}});
  }
  return plugin::DeviceLibrary<Runtime, Call>::of({{name, "", "", "", ""}, std::move(kernels), other_exceptions});
}

}  // namespace assay::cuda
