/* An example kernel with several ranks in one file: a one-shot all-reduce of fp32 between CPU threads, contract
 * vllm.all_reduce_1stage.
 * Build: cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -pthread -I../abi my_all_reduce.c -o libmy_all_reduce.so
 * Check: assay run --backend ./libmy_all_reduce.so --suite all_reduce
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <assay/abi.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { kMostRanks = 8 };

/* State that the ranks share: a barrier, and the address of each rank's input. */
typedef struct group {
  int32_t size;
  pthread_barrier_t barrier;
  const float* x[kMostRanks];
} group;

typedef struct member {
  group* all;
  const assay_call* call;
  pthread_t thread;
} member;

static assay_status answer(const assay_call* call, assay_status status, const char* message) {
  if (call->message && call->message_bytes > 0) {
    strncpy(call->message, message, call->message_bytes - 1);
    call->message[call->message_bytes - 1] = '\0';
  }
  return status;
}

static const assay_tensor* fp32_of(const assay_call* call, const char* role) {
  for (int32_t i = 0; i < call->n_tensors; ++i) {
    const assay_tensor* t = &call->tensors[i];
    if (strcmp(t->role, role) == 0) return t->type_code == ASSAY_FLOAT && t->type_bits == 32 ? t : NULL;
  }
  return NULL;
}

static int64_t elements_of(const assay_tensor* t) {
  int64_t product = 1;
  for (int d = 0; d < t->ndim; ++d) product *= t->shape[d];
  return product;
}

/* Runs one rank: it publishes its input's address, waits for all ranks, and adds the inputs from rank 0 on. A second wait keeps
 * the inputs alive until all ranks have read them. */
static void* run_rank(void* argument) {
  member* self = argument;
  const assay_tensor *x = fp32_of(self->call, "x"), *y = fp32_of(self->call, "y");
  self->all->x[self->call->rank] = x->data;
  pthread_barrier_wait(&self->all->barrier);
  float* to = y->data;
  for (int64_t i = 0, n = elements_of(y); i < n; ++i) {
    float sum = self->all->x[0][i];
    for (int32_t r = 1; r < self->all->size; ++r) sum += self->all->x[r][i];
    to[i] = sum;
  }
  pthread_barrier_wait(&self->all->barrier);
  return NULL;
}

static void* create_group(int32_t world_size) {
  group* made = world_size < 2 || world_size > kMostRanks ? NULL : calloc(1, sizeof *made);
  if (!made) return NULL;
  made->size = world_size;
  if (pthread_barrier_init(&made->barrier, NULL, (unsigned)world_size) == 0) return made;
  free(made);
  return NULL;
}

static assay_status run_group(void* opaque, const assay_call* const* calls, int32_t n) {
  member members[kMostRanks];
  for (int32_t r = 0; r < n; ++r)
    if (!fp32_of(calls[r], "x") || !fp32_of(calls[r], "y")) return answer(calls[r], ASSAY_UNSUPPORTED, "this kernel supports only fp32");
  for (int32_t r = 0; r < n; ++r) {
    members[r] = (member){.all = opaque, .call = calls[r]};
    /* If one thread were missing, the other ranks would wait forever. */
    if (pthread_create(&members[r].thread, NULL, run_rank, &members[r]) != 0) abort();
  }
  for (int32_t r = 0; r < n; ++r) pthread_join(members[r].thread, NULL);
  return ASSAY_OK;
}

static void destroy_group(void* opaque) {
  pthread_barrier_destroy(&((group*)opaque)->barrier);
  free(opaque);
}

static assay_status run(const assay_call* call) {
  return answer(call, ASSAY_UNSUPPORTED, "all ranks must be called at once (run_group)");
}

static const char* describe(void) {
  return "{\"name\": \"my_all_reduce\", \"arch\": \"cpu\", \"device\": \"\", \"driver\": \"\", \"toolkit\": \"\", \"kernels\": ["
         "{\"name\": \"my_all_reduce\", \"op\": \"all_reduce\", \"contracts\": [\"vllm.all_reduce_1stage\"], \"accepts\": {\"x\": "
         "[\"f32\"]}}]}";
}

const assay_library* assay_get_library(void) {
  static const assay_library library = {.abi = ASSAY_ABI_VERSION,
                                        .size = sizeof(assay_library),
                                        .describe = describe,
                                        .run = run,
                                        .create_group = create_group,
                                        .run_group = run_group,
                                        .destroy_group = destroy_group};
  return &library;
}
