/* The part of HIP's host API that libassay_hip_runtime.so implements, which runs AMD GPU kernels on the CPU. Names, values
 * and signatures equal HIP's, so plug-ins need no change.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_HIP_RUNTIME_API_H
#define ASSAY_HIP_RUNTIME_API_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hipError_t {
  hipSuccess = 0,
  hipErrorInvalidValue = 1,
  hipErrorOutOfMemory = 2,
  hipErrorMemoryAllocation = 2,
  hipErrorNotInitialized = 3,
  hipErrorDeinitialized = 4,
  hipErrorInvalidConfiguration = 9,
  hipErrorInvalidSymbol = 13,
  hipErrorInvalidDevicePointer = 17,
  hipErrorInvalidMemcpyDirection = 21,
  hipErrorInvalidDeviceFunction = 98,
  hipErrorNoDevice = 100,
  hipErrorInvalidDevice = 101,
  hipErrorInvalidImage = 200,
  hipErrorNoBinaryForGpu = 209,
  hipErrorInvalidHandle = 400,
  hipErrorNotFound = 500,
  hipErrorNotReady = 600,
  hipErrorIllegalAddress = 700,
  hipErrorLaunchOutOfResources = 701,
  hipErrorLaunchTimeOut = 702,
  hipErrorPeerAccessAlreadyEnabled = 704,
  hipErrorAssert = 710,
  hipErrorLaunchFailure = 719,
  hipErrorNotSupported = 801,
  hipErrorStreamCaptureUnsupported = 900,
  hipErrorStreamCaptureInvalidated = 901,
  hipErrorUnknown = 999
} hipError_t;

typedef struct ihipStream_t* hipStream_t;
typedef struct ihipEvent_t* hipEvent_t;
typedef struct ihipModule_t* hipModule_t;
typedef struct ihipModuleSymbol_t* hipFunction_t;
typedef struct ihipGraph* hipGraph_t;
typedef struct hipGraphExec* hipGraphExec_t;
typedef struct hipGraphNode* hipGraphNode_t;
typedef void* hipDeviceptr_t;
typedef int hipDevice_t;

typedef struct dim3 {
  uint32_t x, y, z;
#ifdef __cplusplus
  constexpr
#ifdef __HIP__
      __attribute__((host)) __attribute__((device))
#endif
      dim3(uint32_t x_ = 1, uint32_t y_ = 1, uint32_t z_ = 1)
      : x(x_), y(y_), z(z_) {
  }
#endif
} dim3;

typedef enum hipMemcpyKind {
  hipMemcpyHostToHost = 0,
  hipMemcpyHostToDevice = 1,
  hipMemcpyDeviceToHost = 2,
  hipMemcpyDeviceToDevice = 3,
  hipMemcpyDefault = 4
} hipMemcpyKind;
typedef enum hipStreamCaptureMode {
  hipStreamCaptureModeGlobal = 0,
  hipStreamCaptureModeThreadLocal = 1,
  hipStreamCaptureModeRelaxed = 2
} hipStreamCaptureMode;
typedef enum hipStreamCaptureStatus {
  hipStreamCaptureStatusNone = 0,
  hipStreamCaptureStatusActive = 1,
  hipStreamCaptureStatusInvalidated = 2
} hipStreamCaptureStatus;
typedef enum hipFuncAttribute {
  hipFuncAttributeMaxDynamicSharedMemorySize = 8,
  hipFuncAttributePreferredSharedMemoryCarveout = 9
} hipFuncAttribute;
typedef enum hipDeviceAttribute_t {
  hipDeviceAttributeMaxSharedMemoryPerBlock = 74,
  hipDeviceAttributeMultiprocessorCount = 63,
  hipDeviceAttributeWarpSize = 87,
  hipDeviceAttributeMaxThreadsPerBlock = 56
} hipDeviceAttribute_t;

#define hipStreamDefault 0x00
#define hipStreamNonBlocking 0x01
#define hipEventDefault 0x0
#define hipEventDisableTiming 0x2
#define hipHostMallocDefault 0x0

typedef struct hipDeviceProp_t {
  char name[256];
  size_t totalGlobalMem, sharedMemPerBlock;
  int regsPerBlock, warpSize, maxThreadsPerBlock;
  int maxThreadsDim[3], maxGridSize[3];
  int clockRate, multiProcessorCount, major, minor, maxThreadsPerMultiProcessor;
  char gcnArchName[256];
} hipDeviceProp_t;

#define ASSAY_HIP_API __attribute__((visibility("default")))
ASSAY_HIP_API hipError_t hipInit(unsigned flags);
ASSAY_HIP_API hipError_t hipRuntimeGetVersion(int* version);
ASSAY_HIP_API hipError_t hipDriverGetVersion(int* version);
ASSAY_HIP_API hipError_t hipGetDeviceCount(int* count);
ASSAY_HIP_API hipError_t hipGetDevice(int* device);
ASSAY_HIP_API hipError_t hipSetDevice(int device);
ASSAY_HIP_API hipError_t hipGetDeviceProperties(hipDeviceProp_t* properties, int device);
ASSAY_HIP_API hipError_t hipGetDevicePropertiesR0600(void* properties, int device);
ASSAY_HIP_API hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device);
ASSAY_HIP_API hipError_t hipDeviceSynchronize(void);
ASSAY_HIP_API hipError_t hipDeviceCanAccessPeer(int* can, int device, int peer);
ASSAY_HIP_API hipError_t hipDeviceEnablePeerAccess(int peer, unsigned flags);
ASSAY_HIP_API hipError_t hipGetLastError(void);
ASSAY_HIP_API hipError_t hipPeekAtLastError(void);
ASSAY_HIP_API const char* hipGetErrorName(hipError_t error);
ASSAY_HIP_API const char* hipGetErrorString(hipError_t error);

ASSAY_HIP_API hipError_t hipMalloc(void** data, size_t bytes);
ASSAY_HIP_API hipError_t hipFree(void* data);
ASSAY_HIP_API hipError_t hipMallocAsync(void** data, size_t bytes, hipStream_t stream);
ASSAY_HIP_API hipError_t hipFreeAsync(void* data, hipStream_t stream);
ASSAY_HIP_API hipError_t hipMallocManaged(void** data, size_t bytes, unsigned flags);
ASSAY_HIP_API hipError_t hipHostMalloc(void** data, size_t bytes, unsigned flags);
ASSAY_HIP_API hipError_t hipHostFree(void* data);
ASSAY_HIP_API hipError_t hipMemGetInfo(size_t* available, size_t* total);
ASSAY_HIP_API hipError_t hipMemcpy(void* to, const void* from, size_t bytes, hipMemcpyKind kind);
ASSAY_HIP_API hipError_t hipMemcpyAsync(void* to, const void* from, size_t bytes, hipMemcpyKind kind, hipStream_t stream);
ASSAY_HIP_API hipError_t hipMemcpyPeer(void* to, int to_device, const void* from, int from_device, size_t bytes);
ASSAY_HIP_API hipError_t hipMemset(void* to, int value, size_t bytes);
ASSAY_HIP_API hipError_t hipMemsetAsync(void* to, int value, size_t bytes, hipStream_t stream);

ASSAY_HIP_API hipError_t hipStreamCreate(hipStream_t* stream);
ASSAY_HIP_API hipError_t hipStreamCreateWithFlags(hipStream_t* stream, unsigned flags);
ASSAY_HIP_API hipError_t hipStreamDestroy(hipStream_t stream);
ASSAY_HIP_API hipError_t hipStreamSynchronize(hipStream_t stream);
ASSAY_HIP_API hipError_t hipStreamQuery(hipStream_t stream);
ASSAY_HIP_API hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned flags);
ASSAY_HIP_API hipError_t hipStreamIsCapturing(hipStream_t stream, hipStreamCaptureStatus* status);
ASSAY_HIP_API hipError_t hipEventCreate(hipEvent_t* event);
ASSAY_HIP_API hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned flags);
ASSAY_HIP_API hipError_t hipEventDestroy(hipEvent_t event);
ASSAY_HIP_API hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream);
ASSAY_HIP_API hipError_t hipEventSynchronize(hipEvent_t event);
ASSAY_HIP_API hipError_t hipEventQuery(hipEvent_t event);
ASSAY_HIP_API hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t begin, hipEvent_t end);

ASSAY_HIP_API hipError_t hipStreamBeginCapture(hipStream_t stream, hipStreamCaptureMode mode);
ASSAY_HIP_API hipError_t hipStreamEndCapture(hipStream_t stream, hipGraph_t* graph);
ASSAY_HIP_API hipError_t hipGraphInstantiate(hipGraphExec_t* executable, hipGraph_t graph, hipGraphNode_t* node, char* log,
                                             size_t bytes);
ASSAY_HIP_API hipError_t hipGraphLaunch(hipGraphExec_t executable, hipStream_t stream);
ASSAY_HIP_API hipError_t hipGraphDestroy(hipGraph_t graph);
ASSAY_HIP_API hipError_t hipGraphExecDestroy(hipGraphExec_t executable);

ASSAY_HIP_API hipError_t hipLaunchKernel(const void* function, dim3 grid, dim3 block, void** arguments, size_t shared,
                                         hipStream_t stream);
ASSAY_HIP_API hipError_t hipFuncSetAttribute(const void* function, hipFuncAttribute attribute, int value);
ASSAY_HIP_API hipError_t hipModuleLoadData(hipModule_t* module, const void* image);
ASSAY_HIP_API hipError_t hipModuleUnload(hipModule_t module);
ASSAY_HIP_API hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module, const char* name);
ASSAY_HIP_API hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                               unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                                               hipStream_t stream, void** arguments, void** extra);
ASSAY_HIP_API hipError_t hipGetSymbolAddress(void** address, const void* symbol);
ASSAY_HIP_API hipError_t hipMemcpyToSymbol(const void* symbol, const void* from, size_t bytes, size_t offset, hipMemcpyKind kind);

/* Functions that clang calls to register kernels and for <<< >>>. */
ASSAY_HIP_API void** __hipRegisterFatBinary(const void* wrapper);
ASSAY_HIP_API void __hipUnregisterFatBinary(void** binary);
ASSAY_HIP_API void __hipRegisterFunction(void** binary, const void* host, char* device, const char* name, unsigned threads, void*,
                                         void*, void*, void*, int*);
ASSAY_HIP_API void __hipRegisterVar(void** binary, void* host, char* device, const char* name, int is_extern, size_t bytes,
                                    int constant, int global);
ASSAY_HIP_API void __hipRegisterManagedVar(void** binary, void** host, void* value, const char* name, size_t bytes,
                                           unsigned alignment);
#ifdef __cplusplus
ASSAY_HIP_API hipError_t __hipPushCallConfiguration(dim3 grid, dim3 block, size_t shared = 0, hipStream_t stream = nullptr);
#else
ASSAY_HIP_API hipError_t __hipPushCallConfiguration(dim3 grid, dim3 block, size_t shared, hipStream_t stream);
#endif
ASSAY_HIP_API hipError_t __hipPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, hipStream_t* stream);

/* An addition to HIP: returns one line of text with the executor's version and the approximate instructions executed so far. */
ASSAY_HIP_API const char* assay_hip_runtime_describe(void);

#ifdef __cplusplus
}
template <class T>
hipError_t hipMalloc(T** data, size_t bytes) {
  return hipMalloc(reinterpret_cast<void**>(data), bytes);
}
template <class T>
hipError_t hipHostMalloc(T** data, size_t bytes, unsigned flags = hipHostMallocDefault) {
  return hipHostMalloc(reinterpret_cast<void**>(data), bytes, flags);
}
template <class T>
hipError_t hipFuncSetAttribute(T* function, hipFuncAttribute attribute, int value) {
  return hipFuncSetAttribute(reinterpret_cast<const void*>(function), attribute, value);
}
#endif
#endif
