/* An example with ranks in several processes: a one-shot all-reduce of fp32, contract vllm.all_reduce_1stage. The processes
 * of one machine share the folder that join_group() gets. All processes map two kinds of files there: each rank's input, and a
 * counter per rank, the number of barriers it has reached. A process runs its own ranks one after the other, without threads.
 * Build: cc -std=c99 -O2 -ffp-contract=off -fPIC -shared -I../abi my_all_reduce_processes.c -o libmy_all_reduce_processes.so
 * Check: mpirun -n 4 assay run --backend ./libmy_all_reduce_processes.so --suite all_reduce
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <assay/abi.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { kMostRanks = 8, kWordsApart = 8, kMostSeconds = 10 };

typedef struct group {
  int32_t size, first, count; /* ranks of the group; the first rank and the number of ranks of this process */
  char folder[4096];          /* empty: this process holds all ranks */
  uint64_t* steps;            /* shared by all ranks: the number of barriers each has reached */
  uint64_t step;              /* the number of barriers this process has reached */
} group;

static assay_status answer(const assay_call* call, assay_status status, const char* message) {
  if (call->message && call->message_bytes > 0) snprintf(call->message, call->message_bytes, "%s", message);
  return status;
}

static const assay_tensor* fp32_of(const assay_call* call, const char* role) {
  for (int32_t i = 0; i < call->n_tensors; ++i) {
    const assay_tensor* t = &call->tensors[i];
    if (strcmp(t->role, role) == 0) return t->type_code == ASSAY_FLOAT && t->type_bits == 32 ? t : NULL;
  }
  return NULL;
}

static size_t bytes_of(const assay_tensor* t) {
  size_t product = sizeof(float);
  for (int d = 0; d < t->ndim; ++d) product *= (size_t)t->shape[d];
  return product;
}

/* Maps a file of the folder; its bytes are zeros at first. Returns NULL if there is no space. All processes must ask for the same
 * number of bytes. */
static void* shared(const group* g, const char* name, size_t bytes) {
  char path[sizeof g->folder + 64];
  snprintf(path, sizeof path, "%s/%s", g->folder, name);
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return NULL;
  void* data = posix_fallocate(file, 0, (off_t)bytes) == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
  close(file);
  return data == MAP_FAILED ? NULL : data;
}

/* Barrier: waits until all ranks have reached it. Returns -1, or the first rank that did not come in time. */
static int32_t missing(group* g) {
  const time_t end = time(NULL) + kMostSeconds;
  ++g->step;
  /* Release here, acquire below: what a rank wrote before the barrier is visible after it. */
  for (int32_t r = g->first; r < g->first + g->count; ++r) __atomic_store_n(&g->steps[r * kWordsApart], g->step, __ATOMIC_RELEASE);
  for (int32_t r = 0; r < g->size; ++r)
    while (__atomic_load_n(&g->steps[r * kWordsApart], __ATOMIC_ACQUIRE) < g->step) {
      if (time(NULL) > end) return r;
      nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
  return -1;
}

/* The file name contains the barrier's number, so no process overwrites a file that another still reads. */
static void* numbers_of(const group* g, int32_t rank, size_t bytes) {
  char name[64];
  snprintf(name, sizeof name, "numbers%llu.%d", (unsigned long long)g->step, (int)rank);
  return shared(g, name, bytes);
}

/* Publishes the inputs of this process's ranks, and maps the inputs of all ranks. */
static assay_status meet(group* g, const assay_call* const* calls, size_t bytes, float** x) {
  if (g->folder[0] == '\0') {
    for (int32_t r = 0; r < g->size; ++r) x[r] = fp32_of(calls[r], "x")->data;
    return ASSAY_OK;
  }
  for (int32_t r = 0; r < g->size; ++r) {
    x[r] = numbers_of(g, r, bytes > 0 ? bytes : 1);
    if (!x[r]) return answer(calls[0], ASSAY_UNSUPPORTED, "out of memory for the data of all ranks");
  }
  for (int32_t i = 0; i < g->count; ++i) memcpy(x[g->first + i], fp32_of(calls[i], "x")->data, bytes);
  const int32_t late = missing(g);
  if (late < 0) return ASSAY_OK;
  char words[64];
  snprintf(words, sizeof words, "waited in vain for rank %d to begin", (int)late);
  return answer(calls[0], ASSAY_HUNG, words);
}

static assay_status run_group(void* opaque, const assay_call* const* calls, int32_t n) {
  group* g = opaque;
  float* x[kMostRanks] = {NULL};
  for (int32_t i = 0; i < n; ++i)
    if (!fp32_of(calls[i], "x") || !fp32_of(calls[i], "y")) return answer(calls[i], ASSAY_UNSUPPORTED, "this kernel supports only fp32");
  const size_t bytes = bytes_of(fp32_of(calls[0], "x"));
  const assay_status status = meet(g, calls, bytes, x);
  for (int32_t i = 0; i < n && status == ASSAY_OK; ++i) {
    float* y = fp32_of(calls[i], "y")->data;
    for (size_t e = 0; e < bytes / sizeof *y; ++e) {
      float sum = x[0][e];
      for (int32_t r = 1; r < g->size; ++r) sum += x[r][e];
      y[e] = sum;
    }
  }
  for (int32_t r = 0; r < g->size && g->folder[0] != '\0'; ++r)
    if (x[r]) munmap(x[r], bytes > 0 ? bytes : 1);
  return status;
}

static group* made(int32_t size, int32_t first, int32_t count) {
  group* g = size < 2 || size > kMostRanks ? NULL : calloc(1, sizeof *g);
  if (g) g->size = size, g->first = first, g->count = count;
  return g;
}

static void* create_group(int32_t world_size) { return made(world_size, 0, world_size); }

/* Does not wait for other processes: they may start later, or never. */
static void* join_group(const assay_place* place) {
  group* g = made(place->world_size, place->first_rank, place->n_ranks);
  if (!g) return NULL;
  const int length = snprintf(g->folder, sizeof g->folder, "%s", place->folder);
  g->steps = length < (int)sizeof g->folder ? shared(g, "steps", kMostRanks * kWordsApart * sizeof *g->steps) : NULL;
  if (g->steps) return g;
  free(g);
  return NULL;
}

static void destroy_group(void* opaque) {
  group* g = opaque;
  if (g->steps) munmap(g->steps, kMostRanks * kWordsApart * sizeof *g->steps);
  free(g);
}

static assay_status run(const assay_call* call) {
  return answer(call, ASSAY_UNSUPPORTED, "all ranks must be called at once (run_group)");
}

static const char* describe(void) {
  return "{\"name\": \"my_all_reduce_processes\", \"arch\": \"cpu\", \"device\": \"\", \"driver\": \"\", \"toolkit\": \"\", \"kernels\": ["
         "{\"name\": \"my_all_reduce_processes\", \"op\": \"all_reduce\", \"contracts\": [\"vllm.all_reduce_1stage\"], \"accepts\": "
         "{\"x\": [\"f32\"]}}]}";
}

const assay_library* assay_get_library(void) {
  static const assay_library library = {.abi = ASSAY_ABI_VERSION,
                                        .size = sizeof(assay_library),
                                        .describe = describe,
                                        .run = run,
                                        .create_group = create_group,
                                        .run_group = run_group,
                                        .destroy_group = destroy_group,
                                        .join_group = join_group};
  return &library;
}
