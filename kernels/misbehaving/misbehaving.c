/* Libraries that break the rules of the C ABI, for the harness's tests. Their results are right; their behaviour is wrong.
 * CMake compiles this file once per library, with MISBEHAVIOUR_<name> defined. Each section is one library. */
#define _GNU_SOURCE
#include <fenv.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <unistd.h>

#include "healthy.h"

#if defined(MISBEHAVIOUR_no_symbol)

/* A shared object that is not a kernel library. */

#elif defined(MISBEHAVIOUR_wrong_abi)

/* Built against another ABI version. */
const assay_library* assay_get_library(void) {
  static const assay_library library = {
      .abi = ASSAY_ABI_VERSION + 98, .size = sizeof(assay_library), .describe = describe, .run = run};
  return &library;
}

#elif defined(MISBEHAVIOUR_returns_failed)

/* Advertises kernels, then rejects every call. */
static assay_status refuse(const assay_call* call) { return answer(call, ASSAY_FAILED, "this library always fails"); }
MISBEHAVE_WITH(refuse)

#elif defined(MISBEHAVIOUR_refuses_in_run)

/* Advertises all shapes, but rejects calls with more than three rows. */
static assay_status refuse(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  if (x && x->shape[0] > 3) return answer(call, ASSAY_UNSUPPORTED, "at most three rows");
  return run(call);
}
MISBEHAVE_WITH(refuse)

#elif defined(MISBEHAVIOUR_writes_past_buffer)

/* Writes one element past the end of y. */
static assay_status overrun(const assay_call* call) {
  const assay_status status = run(call);
  const assay_tensor* y = tensor_of(call, "y");
  if (status == ASSAY_OK) ((unsigned char*)y->data)[y->bytes] ^= 0xff;
  return status;
}
MISBEHAVE_WITH(overrun)

#elif defined(MISBEHAVIOUR_writes_far_behind)

/* Writes one byte, 8192 bytes past the end of y. */
static assay_status overrun(const assay_call* call) {
  const assay_status status = run(call);
  const assay_tensor* y = tensor_of(call, "y");
  if (status == ASSAY_OK) ((volatile unsigned char*)y->data)[y->bytes + 8192] ^= 0xff;
  return status;
}
MISBEHAVE_WITH(overrun)

#elif defined(MISBEHAVIOUR_reads_far_behind)

/* Reads one byte, 8192 bytes past the end of x, and ignores it. */
static assay_status overread(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  if (x) (void)((const volatile unsigned char*)x->data)[x->bytes + 8192];
  return run(call);
}
MISBEHAVE_WITH(overread)

#elif defined(MISBEHAVIOUR_leaves_outputs_unwritten)

/* Leaves the last row of y unwritten. */
static assay_status stop_early(const assay_call* call) {
  const assay_tensor* y = tensor_of(call, "y");
  if (!y || y->ndim != 2 || y->shape[0] == 0) return run(call);
  unsigned char* last = (unsigned char*)y->data + (y->shape[0] - 1) * y->strides[0] * 2;
  const size_t bytes = (size_t)(y->data ? (unsigned char*)y->data + y->bytes - last : 0);
  unsigned char before[1 << 16];
  const size_t kept = bytes < sizeof before ? bytes : sizeof before;
  memcpy(before, last, kept);
  const assay_status status = run(call);
  memcpy(last, before, kept);
  return status;
}
MISBEHAVE_WITH(stop_early)

#elif defined(MISBEHAVIOUR_changes_input)

/* Computes y correctly, then changes an element of x. */
static assay_status scribble(const assay_call* call) {
  const assay_status status = run(call);
  if (status == ASSAY_OK) ((unsigned char*)tensor_of(call, "x")->data)[0] ^= 1;
  return status;
}
MISBEHAVE_WITH(scribble)

#elif defined(MISBEHAVIOUR_scribbles_on_files)

/* Writes the 8-byte number 3 GB, as if it were a message's length, into every file descriptor that it did not open. */
static assay_status scribble(const assay_call* call) {
  static const unsigned char length[8] = {0, 0, 0, 0xc0};
  for (int file = 3; file < 16; ++file)
    if (write(file, length, sizeof length) < 0) continue;
  return run(call);
}
MISBEHAVE_WITH(scribble)

#elif defined(MISBEHAVIOUR_crashes)

/* Writes to address 0. */
static assay_status crash(const assay_call* call) {
  volatile int* nowhere = NULL;
  *nowhere = 1;
  return run(call);
}
MISBEHAVE_WITH(crash)

#elif defined(MISBEHAVIOUR_crashes_when_tall)

/* Correct for up to three rows; writes to address 0 for more. */
static assay_status crash_when_tall(const assay_call* call) {
  const assay_tensor* x = tensor_of(call, "x");
  volatile int* nowhere = NULL;
  if (x && x->shape[0] > 3) *nowhere = 1;
  return run(call);
}
MISBEHAVE_WITH(crash_when_tall)

#elif defined(MISBEHAVIOUR_hangs)

/* Never returns and uses no CPU time. */
static assay_status hang(const assay_call* call) {
  for (;;) pause();
  return run(call);
}
MISBEHAVE_WITH(hang)

#elif defined(MISBEHAVIOUR_hangs_in_first)

/* Two kernels, of which the first never returns. */
static assay_status hang(const assay_call* call) {
  while (strcmp(call->kernel, "hangs") == 0) pause();
  return run(call);
}
MISBEHAVE_WITH_TWO(hang, "hangs", "innocent")

#elif defined(MISBEHAVIOUR_takes_memory)

/* Allocates memory until there is none left, and writes one byte of each piece. */
static assay_status take(const assay_call* call) {
  for (;;) {
    unsigned char* piece = malloc((size_t)1 << 28);
    if (!piece) return answer(call, ASSAY_FAILED, "no memory is left");
    piece[0] = 1; /* touches one page only: the test limits the requested memory, not the used pages */
  }
  return run(call);
}
MISBEHAVE_WITH(take)

#elif defined(MISBEHAVIOUR_keeps_state)

/* Adds the number of its calls to the output, so two calls differ, although there is no race. */
static assay_status count(const assay_call* call) {
  static unsigned char calls;
  const assay_status status = run(call);
  if (status == ASSAY_OK) ((unsigned char*)tensor_of(call, "y")->data)[0] ^= (unsigned char)(++calls | 1);
  return status;
}
MISBEHAVE_WITH(count)

#elif defined(MISBEHAVIOUR_changes_rounding)

/* Two correct kernels. The first one leaves its thread in round-down mode, as the initialization of some libraries does. */
static assay_status round_down(const assay_call* call) {
  const assay_status status = run(call);
  if (strcmp(call->kernel, "rounds_down") == 0) fesetround(FE_DOWNWARD);
  return status;
}
MISBEHAVE_WITH_TWO(round_down, "rounds_down", "innocent")

#elif defined(MISBEHAVIOUR_late_thread)

/* Two correct kernels. The first one starts a thread that overwrites the call's tensors a moment later, while the other kernel
 * runs. */
struct late {
  unsigned char* at;
  size_t bytes;
};

static void* write_later(void* argument) {
  struct late* const late = argument;
  for (int i = 0; i < 100; ++i) {
    usleep(1000);
    for (size_t k = 0; k < late->bytes; ++k) ((volatile unsigned char*)late->at)[k] ^= 0xff;
  }
  return NULL;
}

static assay_status leave_thread(const assay_call* call) {
  static struct late late;
  pthread_t thread;
  const assay_status status = run(call);
  if (status != ASSAY_OK) return status;
  const assay_tensor* y = tensor_of(call, "y");
  if (strcmp(call->kernel, "late") != 0) {
    usleep(20000); /* gives the thread of the first kernel time to overwrite this call's output */
    return status;
  }
  late.at = y->data;
  late.bytes = y->bytes;
  if (pthread_create(&thread, NULL, write_later, &late) == 0) pthread_detach(thread);
  return status;
}
MISBEHAVE_WITH_TWO(leave_thread, "late", "innocent")

#elif defined(MISBEHAVIOUR_strikes_back)

/* A kernel that attacks the calling process: its memory, its signals or its exit. The environment variable STRIKE selects the
 * attack. The other kernel, `innocent`, is well behaved. */
static void resize_files(off_t size) {
  for (int file = 3; file < 64; ++file)
    if (ftruncate(file, size) != 0) continue;
}

/* Starts a child process that sleeps ten minutes, in this process's session or in a session of its own. */
static void leave_child(int own_session) {
  if (fork() != 0) return;
  if (own_session) {
    setsid();
    if (fork() != 0) _exit(0);
  }
  sleep(600);
  _exit(0);
}

static assay_status strike(const assay_call* call) {
  const char* const how = getenv("STRIKE");
  if (how == NULL || strcmp(call->kernel, "striker") != 0) return run(call);
  if (strcmp(how, "shrinks_memory") == 0) resize_files(0);
  if (strcmp(how, "grows_memory") == 0) resize_files((off_t)1 << 50);
  if (strcmp(how, "terms_parent") == 0) kill(getppid(), SIGTERM);
  if (strcmp(how, "terms_group") == 0) kill(0, SIGTERM);
  if (strcmp(how, "usr1_parent") == 0) kill(getppid(), SIGUSR1);
  if (strcmp(how, "kills_parent") == 0) kill(getppid(), SIGKILL);
  if (strcmp(how, "stops_parent") == 0) kill(getppid(), SIGSTOP);
  if (strcmp(how, "traces_parent") == 0) ptrace(PTRACE_ATTACH, getppid(), 0, 0);
  if (strcmp(how, "takes_its_time") == 0) sleep(2);
  if (strcmp(how, "leaves_child") == 0) leave_child(0);
  if (strcmp(how, "leaves_daemon") == 0) leave_child(1);
  if (strcmp(how, "crashes_with_child") == 0) {
    leave_child(0);
    abort();
  }
  return run(call);
}
MISBEHAVE_WITH_TWO(strike, "striker", "innocent")

#else
#error "no such misbehaviour"
#endif
