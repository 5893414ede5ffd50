/* Checks tensors in host memory against contracts of Assay, without any kernel library. Plain C99, installed as assay/check.h with
 * libassay_check; find_package(assay) gives the target assay::check. SPDX-License-Identifier: Apache-2.0
 *
 *   assay_check_report* report = NULL;
 *   assay_check_status status = assay_check_judge(&request, &report);
 *   if (status == ASSAY_CHECK_OK && !assay_check_conforms(report)) puts(assay_check_text(report));
 *   assay_check_free(report);
 *
 * Ownership: the library only reads what you pass, and only during the call. You own a report until assay_check_free(); its strings are
 * freed with it. You own a case until assay_check_case_close(); the tensors that it returns are freed with it.
 * Threads: every function may be called from several threads at once, also for the same case; use a report in one thread at a time.
 * No function throws or prints. */
#ifndef ASSAY_CHECK_H
#define ASSAY_CHECK_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ASSAY_CHECK_API __attribute__((visibility("default")))
#else
#define ASSAY_CHECK_API
#endif

/* Incremented only when a field or function changes meaning. New fields are appended: `size` tells which fields a struct has. */
#define ASSAY_CHECK_VERSION 1u

/* Returns the ASSAY_CHECK_VERSION that the library was built with. */
ASSAY_CHECK_API uint32_t assay_check_version(void);

enum assay_check_status_code {
  ASSAY_CHECK_OK = 0,      /* the request was answered; assay_check_conforms() has the verdict */
  ASSAY_CHECK_REFUSED = 1, /* the request is wrong: unknown contract, or tensors that do not fit it; the report's text says which */
  ASSAY_CHECK_FAILED = 2   /* the library cannot answer: unreadable tables, out of memory, a defect of Assay; the text says why */
};
typedef int32_t assay_check_status;

/* The answer to a request, or why there is none. Functions set `*report` on errors too; it is NULL only if memory ran out. */
typedef struct assay_check_report assay_check_report;
ASSAY_CHECK_API const char* assay_check_text(const assay_check_report* report); /* readable text of several lines; "out of memory" for NULL */
ASSAY_CHECK_API const char* assay_check_json(const assay_check_report* report); /* one JSON object; {} if there is no answer */
ASSAY_CHECK_API int32_t assay_check_conforms(const assay_check_report* report); /* 1: yes. 0: no, or no answer */
ASSAY_CHECK_API void assay_check_free(assay_check_report* report);              /* NULL is allowed */

/* Optional: sets the folder of contracts and cases. Call it before any other function; repeated calls must pass the same values.
 * Without it, or if `data` is NULL: the folder in environment variable ASSAY_DATA, else the data installed with this library. */
typedef struct assay_check_tables {
  uint32_t size;                  /* sizeof(assay_check_tables) at the caller */
  int32_t n_contracts;            /* files in `contracts` */
  const char* data;               /* folder that contains suites/ and reference/contracts/; or NULL */
  const char* const* contracts;   /* contract tables of your own (CSV), read after the shipped ones */
} assay_check_tables;
ASSAY_CHECK_API assay_check_status assay_check_open(const assay_check_tables* tables, assay_check_report** report);

/* One tensor in host memory. dtype: "f32", "bf16", "f16", "e4m3fn", "e4m3fnuz", "e5m2", "e5m2fnuz", "e8m0", "int8", "int32", "int64";
 * "e2m1x2": 4-bit codes, two in a byte, the first one in the low half; shape and strides count codes;
 * "uint8", "uint32": raw codes of 8 or 32 bits, whose format the contract defines. */
typedef struct assay_check_tensor {
  uint32_t size;          /* sizeof(assay_check_tensor) at the caller, the same for all tensors of an array */
  int32_t ndim;           /* entries of shape and strides, 0 to 64 */
  const char* role;       /* name of the tensor in the op: "x", "q", "scale"; "residual_out" for the result of a tensor updated in place;
                             "x@2" for the tensor of rank 2 */
  const char* dtype;
  const int64_t* shape;   /* elements */
  const int64_t* strides; /* elements, may be 0 or negative; NULL: row-major without gaps */
  const void* data;       /* element [0, ...] */
  uint64_t bytes;         /* readable bytes from `data` on; 0: they end with the last element. Padding of scales is checked only if it is readable. */
} assay_check_tensor;

/* A parameter of the call that the tensors do not show, such as {"group_size", "128"} or {"eps", "1e-6"}. */
typedef struct assay_check_parameter {
  const char* name;
  const char* value;
} assay_check_parameter;

typedef struct assay_check_request {
  uint32_t size;        /* sizeof(assay_check_request) at the caller */
  int32_t n_tensors;
  const char* contract; /* id, such as "vllm.group_fp8". assay_check_match(): an op, whose contracts are tried; NULL: all. assay_check_scale() ignores it */
  const assay_check_tensor* tensors;
  const assay_check_parameter* parameters;
  int32_t n_parameters;
  int32_t with_power;   /* if not 0, assay_check_judge() also computes which mutants of the contract these inputs expose */
  const char* layout;   /* layout of the scale tensor, such as "col"; NULL if its shape determines it */
} assay_check_request;

/* Do the outputs conform to the contract? JSON: as `assay judge --report json` writes it, with "notes" and "obeys". */
ASSAY_CHECK_API assay_check_status assay_check_judge(const assay_check_request* request, assay_check_report** report);
/* To which contracts do the outputs conform? assay_check_conforms() is 1 if there is at least one.
 * JSON: {"obeys": [...], "not": [{"contract", "outside"}], "not_asked": {reason: [...]}} */
ASSAY_CHECK_API assay_check_status assay_check_match(const assay_check_request* request, assay_check_report** report);
/* The contract as formulas, and the values of all steps for element [row, column] of the first tensor. row -1 picks the element
 * with the largest error. JSON: {"text"} */
ASSAY_CHECK_API assay_check_status assay_check_explain(const assay_check_request* request, int64_t row, int64_t column, assay_check_report** report);
/* Is this tensor valid as a tensor of scales? powers_of_two: not 0 if its consumer takes UE8M0. Parameters: m, n, groups, group_size.
 * JSON: {"findings": [{"what", "lines"}], "notes"} */
ASSAY_CHECK_API assay_check_status assay_check_scale(const assay_check_request* request, int32_t powers_of_two, assay_check_report** report);

/* The tensors and parameters that a call has under a contract.
 * JSON: {"contract", "ops": [{"op", "tensors": [{"role", "access", "what"}], "parameters", "columns"}]} */
ASSAY_CHECK_API assay_check_status assay_check_contract(const char* contract, assay_check_report** report);
/* Cases of the suite. pattern: a glob that matches case ids, or contract ids if it has no '/'. tier: "quick", "full", or NULL for all.
 * JSON: {"cases": [{"id", "op", "contract", "tier", "warp"}]} */
ASSAY_CHECK_API assay_check_status assay_check_cases(const char* pattern, const char* tier, assay_check_report** report);

/* A case of the suite with its inputs. JSON: {"case", "op", "contract", "kernel_parameters": {...}, "cell": {...},
 * "tensors": [{"role", "access", "dtype", "shape", "strides", "storage", "offset", "packed"}]}; `opened` is NULL unless the status is OK. */
typedef struct assay_check_case assay_check_case;
ASSAY_CHECK_API assay_check_status assay_check_case_open(const char* id, assay_check_case** opened, assay_check_report** report);
ASSAY_CHECK_API void assay_check_case_close(assay_check_case* opened);
/* The storage of the tensor with this role, padding included; NULL for a pure output. Unless NULL, `bytes` receives its size. */
ASSAY_CHECK_API const void* assay_check_case_data(const assay_check_case* opened, const char* role, uint64_t* bytes);
/* Checks outputs of the case, by role, as `assay run` does; but writes out of bounds and unwritten elements cannot be seen here. A tensor has
 * the shape of the case's tensor, or is its storage as a vector. JSON: as assay_check_judge(). */
ASSAY_CHECK_API assay_check_status assay_check_case_judge(const assay_check_case* opened, const assay_check_tensor* outputs, int32_t n_outputs,
                                                          assay_check_report** report);

/* For kernels in a language without shared objects: `functions` implements assay/abi.h. `assay run --backend python:MODULE:KERNEL` starts a
 * process whose descriptors 3 and 4 are a socket and a memory file. assay_check_worker() makes that process a worker: it answers calls until
 * the harness closes the socket, and returns the exit code for the process. assay_check_serve() does so on the given descriptors, and
 * leaves signals and limits of the process as they are; it returns when the harness closes the socket. If `functions` is NULL, `name` is the
 * reason why there are none. Otherwise `name` is the library's name in messages. */
struct assay_library;
ASSAY_CHECK_API int32_t assay_check_worker(const struct assay_library* functions, const char* name);
ASSAY_CHECK_API int32_t assay_check_serve(const struct assay_library* functions, const char* name, int32_t socket, int32_t memory);

#ifdef __cplusplus
}
#endif
#endif
