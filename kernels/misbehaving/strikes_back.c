/* A kernel that turns against the process that called its own: its memory, its signals, its end. The environment variable STRIKE says how.
   The other kernel, `innocent`, does nothing of it. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <unistd.h>

#include "healthy.h"

static void resize_files(off_t size) {
  for (int file = 3; file < 64; ++file)
    if (ftruncate(file, size) != 0) continue;
}

/* Ten minutes, in the session of its parent or in one of its own. */
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
