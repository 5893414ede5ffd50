/* Assay's C ABI: the interface between the harness and a library of kernels under test. Plain C99; it needs no other header
 * of Assay.
 *
 * A kernel library is a shared object that exports one function, assay_get_library(). Its result has describe(), which lists the
 * kernels, and run(), which executes one call. Calls name tensors by role, such as "x": a new op needs new roles, no new struct.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ABI_H
#define ASSAY_ABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Raised only when the meaning of a field changes. New fields are appended to structs; `size` tells which fields exist. */
#define ASSAY_ABI_VERSION 1u

enum assay_status_code {
  ASSAY_OK = 0,
  ASSAY_UNSUPPORTED = 1, /* the library does not support this call; `message` says why. Reported as a skip, never as a failure */
  ASSAY_FAILED = 2,      /* the call is invalid or went wrong; `message` says why */
  ASSAY_DEVICE_LOST = 3, /* the device or its environment failed; this says nothing about the kernel */
  ASSAY_FAULTED = 4,     /* the kernel left the device unusable for this process; `message` says how */
  /* a rank waited for a peer in vain, and the library ended the wait; `message` names both ranks and where the rank waited */
  ASSAY_HUNG = 5
};
/* Which status code a library returns for which runtime error, in CUDA's names. Other runtimes have equivalent errors.
 *
 * Kernel errors: cudaErrorIllegalAddress, MisalignedAddress, InvalidAddressSpace, InvalidPc, IllegalInstruction,
 * HardwareStackError, Assert, LaunchTimeout, LaunchFailure. They are sticky: every later runtime call of the process returns
 * the same error.
 *   -> ASSAY_FAULTED from the run(), synchronise() or download() that sees the error first.
 * Rejected calls: cudaErrorInvalidValue, InvalidConfiguration, LaunchOutOfResources, and errors while capturing. Later calls
 * still work.
 *   -> ASSAY_FAILED, after the error was cleared with cudaGetLastError().
 * Limits: cudaErrorNoKernelImageForDevice, NotSupported, and MemoryAllocation of the library's own workspace.
 *   -> ASSAY_UNSUPPORTED.
 * All other errors, such as no device, an ECC error or a driver that is too old.
 *   -> ASSAY_DEVICE_LOST.
 *
 * If the library runs in a worker process, the harness replaces the process after ASSAY_FAULTED or ASSAY_DEVICE_LOST, and if
 * upload(), download() or synchronise() fail after another failure. The case is then `broken`; the next case is unaffected. */
typedef int32_t assay_status; /* an assay_status_code; an integer, because an unknown enum value would be undefined behaviour */

/* Element formats: code and bits as in DLPack 1.1 (DLDataType); lanes are always 1.
 *
 * 4-bit elements (ASSAY_INT, ASSAY_UINT or ASSAY_FLOAT4_E2M1FN with type_bits 4) are packed two per byte. The element with
 * the even index in storage is the low half, the next one the high half. Shape and strides count elements, so a packed row of
 * n elements has stride 1 and occupies n / 2 bytes. `data` points to the byte whose low half is element [0, 0, ...]. `bytes`
 * counts bytes; if the number of elements is odd, the high half of the last byte is unused. Strides other than 1 are even, so
 * each row starts at a byte. A 4-bit format that occupies a whole byte per element is ASSAY_UINT with type_bits 8. */
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
  uint32_t size;          /* sizeof(assay_tensor) when the caller was compiled */
  uint8_t type_code;      /* assay_type_code */
  uint8_t type_bits;      /* bits of one element */
  uint8_t is_output;      /* 0: read only. 1: every element is written */
  uint8_t ndim;           /* number of entries of shape and strides */
  const char* role;       /* "x", "gamma", "q", "scale", ... */
  const int64_t* shape;   /* elements */
  const int64_t* strides; /* in elements; the dimension with stride 1 need not be the last */
  void* data;             /* device address of element [0, ...]; aligned to 256 bytes unless the case asks for less */
  uint64_t bytes;         /* number of bytes that the kernel may access, starting at `data` */
} assay_tensor;

/* A named number, such as "group_size" 128 or "eps" 1e-6. Integers up to 2^53 are exact in `value`. */
typedef struct assay_param {
  const char* name;
  double value;
} assay_param;

enum assay_order_code {
  ASSAY_ORDER_NOT_SAID = 0,
  ASSAY_ORDER_ASCENDING = 1, /* split-K parts are added in order, the first part first */
  ASSAY_ORDER_ANY = 2        /* split-K parts are added in any order, as by atomics */
};

/* The algorithm that run() used, for contracts that allow several, such as different numbers of split-K parts. run() fills it in
 * from its own choice of kernel, never from the outputs. Outputs that match only another algorithm then count as wrong. A
 * field that is still 0 after run() means "not reported". */
typedef struct assay_algorithm {
  uint32_t size;   /* sizeof(assay_algorithm) when the caller was compiled: write no field beyond it */
  int32_t split_k; /* number of split-K parts; 1: k is not split */
  int32_t promote; /* multiply-accumulates between two promotions of the accumulator to fp32; -1: never promoted */
  int32_t order;   /* assay_order_code: the order in which split-K parts are added */
} assay_algorithm;

typedef struct assay_call {
  uint32_t size;        /* sizeof(assay_call) when the caller was compiled */
  const char* op;       /* such as "quant_group" */
  const char* contract; /* id of the contract to implement, such as "vllm.group_fp8" */
  const char* kernel;   /* name of the kernel, as describe() lists it */
  const assay_tensor* tensors;
  int32_t n_tensors;
  const assay_param* params;
  int32_t n_params;
  void* stream;    /* a result of create_stream(), or NULL for the default stream. run() enqueues on it without waiting */
  void* workspace; /* device memory, or NULL */
  size_t workspace_bytes;
  /* Buffer for an error message. If run() does not return ASSAY_OK, it may write up to message_bytes - 1 characters. Before the
   * field `algorithm` existed, a library wrote its algorithm here, such as "program: split-K 3", and returned ASSAY_OK. The
   * harness still reads such a text. */
  char* message;
  size_t message_bytes;

  /* Appended after the first release. If the caller's `size` ends before these fields, the call has one rank. */
  int32_t rank;       /* index of this rank in its group, from 0; 0 outside a group */
  int32_t world_size; /* number of ranks in the group; 1 outside a group */

  /* Appended on 2026-11-25. NULL if the caller does not ask for the algorithm. */
  assay_algorithm* algorithm;
} assay_call;

/* Describes which ranks of a group this process holds, and where the processes of the group exchange data. Argument of
 * join_group(). */
typedef struct assay_place {
  uint32_t size;       /* sizeof(assay_place) when the caller was compiled */
  int32_t world_size;  /* ranks of the group */
  int32_t first_rank;  /* this process holds the ranks from first_rank ... */
  int32_t n_ranks;     /* ... to first_rank + n_ranks - 1 */
  /* Path of a folder in memory (tmpfs) for this group alone, which all its processes share. Empty at first, removed with the
   * group. Put files to be mapped, sockets, ids and handles there. */
  const char* folder;
} assay_place;

/* The function table of a library. A library whose tensors are in host memory may leave the memory and stream functions NULL. */
typedef struct assay_library {
  uint32_t abi;  /* ASSAY_ABI_VERSION when the library was compiled */
  uint32_t size; /* sizeof(assay_library) when the library was compiled */
  /* JSON, UTF-8, static storage:
   * {"name": "...", "arch": "cpu" | "sm_90" | ..., "device": "...", "driver": "...", "toolkit": "...",
   *  "kernels": [{"name": "...", "op": "...", "contracts": ["..."],
   *               "accepts": {"<case parameter>": [values]},     a parameter that is not listed may have any value
   *               "multiple_of": {"<case parameter>": integer},  required divisors, such as {"n": 8}
   *               "fault": "...", "cites": "...", "twin": "..."}], only for deliberately wrong kernels
   *  "honours_schedule_seed": true,  optional: the parameter "schedule_seed" sets the order in which the library's threads run;
   *                                  different orders expose races
   *  "honours_group_streams": true}  optional: run_group() enqueues calls that have streams on these streams and does not wait
   * Every function must leave the floating-point environment of its thread unchanged: rounding mode, flushing of subnormals,
   * traps. */
  const char* (*describe)(void);
  assay_status (*run)(const assay_call* call);
  void* (*allocate)(size_t bytes);
  void (*release)(void* data);
  assay_status (*upload)(void* device, const void* host, size_t bytes);
  assay_status (*download)(void* host, const void* device, size_t bytes);
  assay_status (*synchronise)(void* stream); /* waits for the stream; returns the first error since the last call */

  /* Appended after the first release. A library whose `size` ends before these fields, or that leaves them NULL, lacks these
   * functions. With the first two, each call can have its own stream. With all six, calls can also be captured and replayed. */
  void* (*create_stream)(void); /* must not wait for the default stream; NULL on failure */
  void (*destroy_stream)(void* stream);
  assay_status (*begin_capture)(void* stream); /* after this call, run() is recorded and not executed */
  assay_status (*end_capture)(void* stream, void** graph);
  assay_status (*replay)(void* graph, void* stream); /* enqueues all recorded work; may be called repeatedly */
  void (*destroy_graph)(void* graph);

  /* Appended on 2026-11-23. Returns the number of workspace bytes that run() needs for this call, or 0. call->workspace is still
   * NULL. Before run(), the harness sets it to uninitialized device memory, aligned to 256 bytes. If this pointer is NULL, no
   * kernel of the library needs a workspace. */
  size_t (*workspace_bytes)(const assay_call* call);

  /* Groups of ranks, for kernels that wait for each other. A library on device memory defines all four functions. A library on
   * host memory leaves allocate_on NULL, like allocate. A library without rank groups leaves all four NULL.
   *
   * run_group() gets the calls of all ranks at once; calls[r] belongs to rank r. All calls have the same op, contract, kernel and
   * parameters, but each has its own tensors and message. Calls are passed by pointer because assay_call may grow. The library
   * runs them at the same time, by threads, streams or devices, and returns when all have ended and outputs can be downloaded. It
   * returns the status of the first rank that failed. A group may be used for many calls. Flags, registered buffers and
   * memory of allocate_on() live until the group is destroyed. upload() and download() accept addresses of allocate_on(). */
  void* (*create_group)(int32_t world_size); /* NULL if there are not enough devices */
  assay_status (*run_group)(void* group, const assay_call* const* calls, int32_t n);
  void* (*allocate_on)(void* group, int32_t rank, size_t bytes); /* on the device of that rank; all ranks can access it */
  void (*destroy_group)(void* group);

  /* Appended on 2026-11-24, for ranks in several processes. Creates this process's part of a group without waiting for the
   * other processes. run_group() then gets only the calls of these ranks; calls[i] belongs to rank first_rank + i. If a peer
   * process does not come, or ends, run_group() returns ASSAY_HUNG instead of waiting. If this pointer is NULL, all ranks of a
   * group must be in one process. Returns NULL if the library cannot create that many ranks, or none on this machine. */
  void* (*join_group)(const assay_place* place);

  /* Appended on 2026-11-24. run_group() for back-to-back calls: calls[i][r] is call i of rank r, with 0 <= i < n_calls. Each
   * rank starts its next call as soon as its own previous call has ended, even if other ranks are still busy, like launches
   * on a stream. Calls may differ in size. They have no stream, and each has its own tensors. Returns when all have ended. If
   * this pointer is NULL, cases with back-to-back calls are skipped. */
  assay_status (*run_group_in_a_row)(void* group, const assay_call* const* const* calls, int32_t n_calls, int32_t n);

  /* Appended on 2026-11-27. Reserves addresses for rows that lie far apart, but memory only for the rows themselves: row r
   * occupies row_bytes bytes from result + r * pitch_bytes. The result is aligned to 256 bytes. Accesses to pages without a row
   * must fault, so that a wrong row offset is found. release() frees the result. Each upload() or download() stays within one
   * row. If this pointer is NULL, cases with such rows are skipped. Returns NULL if there is not enough memory. */
  void* (*allocate_rows)(size_t rows, size_t row_bytes, size_t pitch_bytes);
} assay_library;

/* The only symbol that a library exports. */
const assay_library* assay_get_library(void);
typedef const assay_library* (*assay_get_library_fn)(void);

#ifdef __cplusplus
}
#endif
#endif
