// Reports crashes from the signal handler, and kernels that call exit().
#include "harness/backend/crash_report.h"

#include <dlfcn.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "harness/text/messages.h"

namespace assay {
namespace {

// Uses only async-signal-safe functions: no allocation, no locks. The exception is dladdr(), which is called last, after
// everything but the function's name has been written.

struct Remembered {
  uintptr_t low, begin, end, high;
  std::array<char, 48> name;
};
std::array<Remembered, 64> remembered;
volatile size_t remembered_count = 0;

int words_file = -1;
const char* words_begin = "";
const char* volatile subject = nullptr;

/// A line of text built on the stack.
class Line {
 public:
  Line& add(const char* text) {
    while (*text != '\0' && length_ < text_.size()) text_[length_++] = *text++;
    return *this;
  }
  Line& add(uint64_t number, unsigned base) {
    std::array<char, 24> digits;
    size_t count = 0;
    do digits[count++] = "0123456789abcdef"[number % base];
    while ((number /= base) != 0);
    while (count > 0 && length_ < text_.size()) text_[length_++] = digits[--count];
    return *this;
  }
  void write_to(int file) {
    if (::write(file, text_.data(), length_) < 0) return;  // nothing can be done about a write error here
    length_ = 0;
  }

 private:
  std::array<char, 512> text_;
  size_t length_ = 0;
};

/// "read" or "wrote"; "touched memory" if the processor does not report which.
const char* kind_of_access([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  const auto* state = static_cast<const ucontext_t*>(context);
  return (state->uc_mcontext.gregs[REG_ERR] & 2) != 0 ? "wrote" : "read";
#else
  return "touched memory";
#endif
}

uintptr_t code_address([[maybe_unused]] const void* context) {
#if defined(__x86_64__)
  return uintptr_t(static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return uintptr_t(static_cast<const ucontext_t*>(context)->uc_mcontext.pc);
#else
  return 0;
#endif
}

void add_place(Line& line, uintptr_t address, const void* context) {
  for (size_t i = 0; i < remembered_count; ++i) {
    const Remembered& tensor = remembered[i];
    if (address < tensor.low || address >= tensor.high) continue;
    const bool before = address < tensor.begin, behind = address >= tensor.end;
    line.add(": ").add(kind_of_access(context)).add(" ");
    if (before) line.add(tensor.begin - address, 10).add(" bytes before the start of '");
    if (behind) line.add(address - tensor.end, 10).add(" bytes behind the end of '");
    if (!before && !behind) line.add("inside '");
    line.add(tensor.name.data()).add("'");
    return;
  }
}

void add_code(Line& line, uintptr_t code) {
  Dl_info info;
  if (code == 0 || ::dladdr(reinterpret_cast<void*>(code), &info) == 0 || info.dli_fname == nullptr) return;
  const char* slash = std::strrchr(info.dli_fname, '/');
  line.add(", in ");
  if (info.dli_sname != nullptr) line.add(info.dli_sname).add(" (");
  line.add(slash != nullptr ? slash + 1 : info.dli_fname).add("+0x").add(code - reinterpret_cast<uintptr_t>(info.dli_fbase), 16);
  if (info.dli_sname != nullptr) line.add(")");
}

const char* name_of(int signal) {
  return signal == SIGSEGV ? "SIGSEGV" : signal == SIGBUS ? "SIGBUS" : signal == SIGFPE ? "SIGFPE" : "SIGILL";
}

void on_crash(int signal, siginfo_t* info, void* context) {
  Line line;
  line.add(words_begin);
  if (const char* who = subject; who != nullptr) line.add(who).add(": ");
  line.add(name_of(signal));
  const bool has_address = info->si_code > 0;  // false if another process sent the signal
  if (has_address) {
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    line.add(" at address 0x").add(address, 16);
    if (signal == SIGSEGV || signal == SIGBUS) add_place(line, address, context);
  }
  line.write_to(words_file);
  if (has_address) {
    add_code(line, code_address(context));
    line.write_to(words_file);
  }
  line.add("\n").write_to(words_file);
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // delivered after this function returns
}

}  // namespace

void forget_tensors() { remembered_count = 0; }

void remember_tensor(const TensorMemory& memory) {
  const size_t i = remembered_count;
  if (i == remembered.size() || memory.low == nullptr) return;
  Remembered& to = remembered[i];
  to.low = reinterpret_cast<uintptr_t>(memory.low);
  to.begin = reinterpret_cast<uintptr_t>(memory.begin);
  to.end = reinterpret_cast<uintptr_t>(memory.end);
  to.high = reinterpret_cast<uintptr_t>(memory.high);
  const size_t length = std::min(memory.name.size(), to.name.size() - 1);
  std::copy_n(memory.name.data(), length, to.name.data());
  to.name[length] = '\0';
  remembered_count = i + 1;
}

void speak_of_crashes(int file, const char* begin) {
  words_file = file;
  words_begin = begin;
  alignas(16) static std::array<std::byte, size_t{64} << 10> stack;  // signal stack of the main thread, whose own stack may have
                                                                     // overflowed
  const stack_t alternative{stack.data(), 0, stack.size()};
  ::sigaltstack(&alternative, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction now {};
    if (::sigaction(signal, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    struct sigaction speaking {};
    speaking.sa_sigaction = on_crash;
    speaking.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&speaking.sa_mask);
    ::sigaction(signal, &speaking, nullptr);
  }
}

void set_crash_subject(const char* words) { subject = words; }

namespace {

// Reports a kernel that ends the program.

/// exit() runs its handlers on the calling thread.
thread_local const std::string* calling = nullptr;

void say_who_exits() {
  if (calling == nullptr) return;
  std::fprintf(stderr, "assay: %s\n", calling->c_str());
  std::fflush(nullptr);
  std::_Exit(kUnexpected);
}

}  // namespace

ExitNotice::ExitNotice(const std::string& path, const CallRequest& request)
    : words_(path + ": kernel '" + request.kernel + "' ended the program with exit() in a call of " + request.op + ", contract " +
             request.contract),
      subject_(path + ": kernel '" + request.kernel + "' in a call of " + request.op + ", contract " + request.contract) {
  static const int registered = std::atexit(say_who_exits);
  static_cast<void>(registered);
  calling = &words_;
  set_crash_subject(subject_.c_str());
}

ExitNotice::~ExitNotice() {
  calling = nullptr;
  set_crash_subject(nullptr);
}

}  // namespace assay
