/* The door to every kernel under test: ours, yours, anyone's. Plain C99, no other header of Assay is needed.
 *
 * A kernel library is a shared object that exports one symbol, assay_get_library(). It says what it offers (describe) and runs one
 * call at a time (run). Tensors are named by role, so a new op adds a name and no struct. SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ABI_H
#define ASSAY_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Grows only when a field changes its meaning. New fields are appended and announced by `size`. */
#define ASSAY_ABI_VERSION 1u

enum assay_status_code {
  ASSAY_OK = 0,
  ASSAY_UNSUPPORTED = 1, /* the library does not do this; `message` says what. A skip, never a failure. */
  ASSAY_FAILED = 2,      /* the call was refused or went wrong; `message` says why */
  ASSAY_DEVICE_LOST = 3, /* device or environment failed; nothing can be said about the kernel */
  ASSAY_FAULTED = 4,     /* the call made the device useless to this process; the kernel is to blame, and `message` says how */
  ASSAY_HUNG = 5         /* ranks waited in vain, and the library ended it: `message` says which rank, for whom and where */
};
/* Which status for which error of a device's runtime, here in CUDA's names; others have the same kinds:
 *
 *   cudaErrorIllegalAddress, MisalignedAddress, InvalidAddressSpace, InvalidPc, IllegalInstruction, HardwareStackError, Assert,
 *   LaunchTimeout, LaunchFailure: what a kernel does wrong. They are sticky: every later call of the process gets them again.
 *     ASSAY_FAULTED from the run(), synchronise() or download() that sees it first.
 *   cudaErrorInvalidValue, InvalidConfiguration, LaunchOutOfResources, and errors of capturing: the call was refused and the next one
 *   is not hurt.  ASSAY_FAILED, after the error was taken (cudaGetLastError).
 *   cudaErrorNoKernelImageForDevice, NotSupported, MemoryAllocation of a workspace of the library's own.  ASSAY_UNSUPPORTED
 *   all others: no device, an ECC error, a driver that is too old.  ASSAY_DEVICE_LOST
 *
 * A library that is loaded in a worker process gets a new process after ASSAY_FAULTED and ASSAY_DEVICE_LOST, and after any failure
 * which leaves upload(), download() or synchronise() failing. Its case is then broken, the next case is as if nothing had been. */
typedef int32_t assay_status; /* an assay_status_code; no enum, so that another number is not undefined behaviour in the caller */

/* Element formats: code and bits as in DLPack 1.1 (DLDataType), lanes always 1.
 *
 * Elements of 4 bits (ASSAY_INT, ASSAY_UINT or ASSAY_FLOAT4_E2M1FN with type_bits 4) stand two in a byte: the element of even number
 * in storage has the low half, the next one the high half. Shape and strides count elements, as always, so a packed row of n has
 * stride 1 and takes n / 2 bytes; `data` is the byte whose low half is element [0, ...]; `bytes` counts bytes, and the high half of
 * the last one belongs to nobody if the storage has an odd number of elements. Strides other than 1 are even: rows begin with a byte.
 * A format of 4 bits that stands in a byte of its own has type_bits 8 and is ASSAY_UINT. */
typedef enum assay_type_code {
  ASSAY_INT = 0,
  ASSAY_UINT = 1,
  ASSAY_FLOAT = 2,
  ASSAY_BFLOAT = 4,
  ASSAY_FLOAT8_E4M3FN = 10,
  ASSAY_FLOAT8_E4M3FNUZ = 11,
  ASSAY_FLOAT8_E5M2 = 12,
  ASSAY_FLOAT8_E5M2FNUZ = 13,
  ASSAY_FLOAT8_E8M0FNU = 14,
  ASSAY_FLOAT4_E2M1FN = 17
} assay_type_code;

typedef struct assay_tensor {
  uint32_t size;          /* sizeof(assay_tensor) at the caller */
  uint8_t type_code;      /* assay_type_code */
  uint8_t type_bits;      /* bits of one element */
  uint8_t is_output;      /* 0: read only. 1: written, every element of it */
  uint8_t ndim;           /* entries of shape and strides */
  const char* role;       /* "x", "gamma", "q", "scale", ... */
  const int64_t* shape;   /* elements */
  const int64_t* strides; /* elements; stride 1 need not be the last */
  void* data;             /* device address of element [0, ...]; aligned to 256 bytes unless the case says otherwise */
  uint64_t bytes;         /* addressable from `data` on */
} assay_tensor;

/* A named number: "group_size" 128, "eps" 1e-6. Integers are exact in `value` up to 2^53. */
typedef struct assay_param {
  const char* name;
  double value;
} assay_param;

enum assay_order_code {
  ASSAY_ORDER_NOT_SAID = 0,
  ASSAY_ORDER_ASCENDING = 1, /* parts of k are added one after the other, the first one first */
  ASSAY_ORDER_ANY = 2        /* in the order in which they are ready, as by atomics */
};

/* The algorithm that made the outputs of a call, for contracts that admit several. run() fills it in from its choice of a kernel, not from
 * the outputs. Outputs of another algorithm are then wrong. A field that stays 0 is not said. */
typedef struct assay_algorithm {
  uint32_t size;   /* sizeof(assay_algorithm) at the caller: write no field behind it */
  int32_t split_k; /* parts that k is cut into; 1: it stays whole */
  int32_t promote; /* multiply-accumulates between two promotions of the accumulator to fp32; -1: it is never promoted */
  int32_t order;   /* assay_order_code: how the sums of the parts are added */
} assay_algorithm;

typedef struct assay_call {
  uint32_t size;        /* sizeof(assay_call) at the caller */
  const char* op;       /* "quant_group" */
  const char* contract; /* id of the contract row to obey: "vllm.group_fp8" */
  const char* kernel;   /* name of the kernel from describe() */
  const assay_tensor* tensors;
  int32_t n_tensors;
  const assay_param* params;
  int32_t n_params;
  void* stream;    /* as create_stream() gave it, or NULL for the default. run() enqueues here and does not synchronise. */
  void* workspace; /* device memory, or NULL */
  size_t workspace_bytes;
  /* The library writes at most message_bytes - 1 characters here when it does not return ASSAY_OK. Before `algorithm` was there, a library
   * that returned ASSAY_OK could name its algorithm here, "program: split-K 3". That is still read. */
  char* message;
  size_t message_bytes;

  /* Appended after the first release; a caller whose `size` ends before them has one rank. */
  int32_t rank;       /* of the group that calls together, from 0; 0 outside of one */
  int32_t world_size; /* ranks of that group; 1 outside of one */

  /* Appended on 2026-11-25; NULL for a caller that does not ask. */
  assay_algorithm* algorithm;
} assay_call;

/* Which ranks of a group this process holds, and where it meets the processes that hold the others: join_group(). */
typedef struct assay_place {
  uint32_t size;       /* sizeof(assay_place) at the caller */
  int32_t world_size;  /* ranks of the group */
  int32_t first_rank;  /* that this process holds, */
  int32_t n_ranks;     /* and so many from it on */
  const char* folder;  /* in memory, of this group alone: empty at first, removed after it. All processes see it: files to be mapped, sockets,
                          identifiers and handles go there. */
} assay_place;

/* What a library is. Memory and stream functions may be NULL for a library that works on host memory. */
typedef struct assay_library {
  uint32_t abi;  /* ASSAY_ABI_VERSION of the header it was built with */
  uint32_t size; /* sizeof(assay_library) at the library */
  /* JSON, UTF-8, static storage:
   * {"name": "...", "arch": "cpu" | "sm_90" | ..., "device": "...", "driver": "...", "toolkit": "...",
   *  "kernels": [{"name": "...", "op": "...", "contracts": ["..."],
   *               "accepts": {"<case parameter>": [values]},      a parameter not named here is free
   *               "multiple_of": {"<case parameter>": integer},   divisibility, e.g. {"n": 8}
   *               "fault": "...", "cites": "...", "twin": "..."}],                 faulty kernels only
   *  "honours_schedule_seed": true,     optional: parameter "schedule_seed" orders the library's threads, so a race shows as such
   *  "honours_group_streams": true}     optional: run_group() enqueues calls that come with streams in these, and does not wait
   * Whatever is called leaves the floating-point environment of its thread as it was: rounding, flushing of subnormals, traps. */
  const char* (*describe)(void);
  assay_status (*run)(const assay_call* call);
  void* (*allocate)(size_t bytes);
  void (*release)(void* data);
  assay_status (*upload)(void* device, const void* host, size_t bytes);
  assay_status (*download)(void* host, const void* device, size_t bytes);
  assay_status (*synchronise)(void* stream); /* returns the first error since the last call */

  /* Appended after the first release: a library whose `size` ends before them lacks them, like one that has NULL here. With the
   * first two a call can be made on a stream of its own, with all six it can be captured and replayed. */
  void* (*create_stream)(void); /* one that does not wait for the default stream; NULL if that failed */
  void (*destroy_stream)(void* stream);
  assay_status (*begin_capture)(void* stream); /* from here on what run() enqueues is recorded and not executed */
  assay_status (*end_capture)(void* stream, void** graph);
  assay_status (*replay)(void* graph, void* stream); /* enqueues all that was recorded, may be called again and again */
  void (*destroy_graph)(void* graph);

  /* Appended on 2026-11-23. Bytes of `workspace` that run() needs for this call, whose `workspace` is NULL; 0 for none. The memory is
   * the device's, aligned to 256 bytes, and holds anything. NULL here: no kernel of the library needs a workspace. */
  size_t (*workspace_bytes)(const assay_call* call);

  /* Groups of ranks, for kernels that wait for each other: all four, or all NULL. A library on host memory has no allocate_on, as it has no
   * allocate.
   *
   * run_group() gets the calls of all ranks at once, calls[r] of rank r: of the same op, contract, kernel and parameters, each with
   * tensors and message of its own. They are pointers, so that assay_call may grow. It runs them together, by threads, streams or
   * devices as it likes, and returns when all have ended: what they wrote can be downloaded. Its status is that of the first rank
   * that did not end well. A group may be used for many calls; flags and registered buffers live until it is destroyed, and what was
   * allocated for it goes with it. upload() and download() take the addresses of allocate_on() like any other. */
  void* (*create_group)(int32_t world_size); /* NULL if it has not so many devices */
  assay_status (*run_group)(void* group, const assay_call* const* calls, int32_t n);
  void* (*allocate_on)(void* group, int32_t rank, size_t bytes); /* on the device of that rank, where all ranks can reach it */
  void (*destroy_group)(void* group);

  /* Appended on 2026-11-24, for ranks that are processes: makes the part of a group that this process holds, without waiting for the others.
   * run_group() then gets the calls of these ranks alone, calls[i] of rank first_rank + i, and a rank whose peers do not come, or end, is
   * ASSAY_HUNG and not waited for. NULL here: all ranks of a group are called in one process. NULL returned: not so many, or not here. */
  void* (*join_group)(const assay_place* place);

  /* Appended on 2026-11-24. run_group() of several calls that nobody waits for between: calls[i][r] is what calls[r] of run_group() is, i from 0
   * to n_calls - 1. Each rank goes on to its next call once its own has ended, whether or not others are still in theirs, as launches follow each
   * other on a stream. Calls may be of different sizes and have no stream; each has tensors of its own. Returns when all have ended. NULL here:
   * cases of calls in a row are skipped. */
  assay_status (*run_group_in_a_row)(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n);
} assay_library;

/* The one exported symbol. */
const assay_library* assay_get_library(void);
typedef const assay_library* (*assay_get_library_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
