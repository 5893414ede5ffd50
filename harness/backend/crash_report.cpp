// Messages about crashes, written by the signal handler, and about kernels that call exit().
#include "harness/backend/crash_report.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <regex>
#include <string>
#include <vector>

#include "harness/backend/undefined_operations.h"
#include "harness/backend/worker_process.h"
#include "harness/text/messages.h"

extern char** environ;

namespace assay {
namespace {

// The code for signal handlers uses only async-signal-safe functions: no allocation, no locks. Exceptions are dladdr() and
// backtrace(). They are called last, after everything but the place in the code has been added to the line.

struct Remembered {
  uintptr_t low, begin, end, high;
  std::array<char, 48> name;
  size_t row, pitch;
};
std::array<Remembered, 256> remembered;
volatile size_t remembered_count = 0;

int words_file = -1;
const char* words_begin = "";
const char* volatile subject = nullptr;
char library_path[4096] = "";
constexpr uintptr_t kFirstMapped = uintptr_t{64} << 10;  ///< Linux maps no memory below it

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
  Line& add(const Line& other) {
    for (size_t i = 0; i < other.length_ && length_ < text_.size(); ++i) text_[length_++] = other.text_[i];
    return *this;
  }
  std::string text() const { return {text_.data(), length_}; }
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

#if defined(__x86_64__)
/// Whether the instruction faults at an address in memory that is not a multiple of 16, 32 or 64: aligned moves of SSE and AVX,
/// and all SSE instructions without a prefix F2 or F3.
bool may_need_alignment(const uint8_t* code) {
  const bool is_vex2 = code[0] == 0xc5, is_vex3 = code[0] == 0xc4, is_evex = code[0] == 0x62;
  if (is_vex2 || is_vex3 || is_evex) {
    const uint8_t opcode = code[is_vex2 ? 2 : is_vex3 ? 3 : 4], prefix = code[is_vex2 ? 1 : 2] & 3;  // 0: none, 1: 66
    return prefix <= 1 && (opcode == 0x28 || opcode == 0x29 || opcode == 0x2b || opcode == 0xe7 ||
                           (prefix == 1 && (opcode == 0x6f || opcode == 0x7f)));
  }
  if (*code == 0x66) ++code;
  if ((*code & 0xf0) == 0x40) ++code;  // REX
  if (*code != 0x0f) return false;
  const uint8_t opcode = code[1];
  return opcode == 0x28 || opcode == 0x29 || opcode == 0x2b || (opcode >= 0x50 && opcode <= 0x7f) || opcode == 0xc2 ||
         opcode == 0xc6 || opcode >= 0xd0;
}

/// Describes a fault for which the processor reports no address, so that the system reports address 0.
const char* fault_without_address(const void* context) {
  if (may_need_alignment(reinterpret_cast<const uint8_t*>(code_address(context))))
    return ": used an address that is not a multiple of 16, with an instruction that needs it, or an address that no memory can "
           "have";
  const auto stack = static_cast<const ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP];
  constexpr int kAddressBits = 48;
  if ((stack >> (kAddressBits - 1)) != 0)
    return ": the stack pointer holds an address that no memory can have: the kernel wrote outside an array or buffer";
  return ": used an address that no memory can have: a pointer is garbage, or an index or stride that was added to it";
}
#endif

void add_place(Line& line, uintptr_t address, const void* context) {
  for (size_t i = 0; i < remembered_count; ++i) {
    const Remembered& tensor = remembered[i];
    if (address < tensor.low || address >= tensor.high) continue;
    const bool before = address < tensor.begin, behind = address >= tensor.end;
    line.add(": ").add(kind_of_access(context)).add(" ");
    if (before) line.add(tensor.begin - address, 10).add(" bytes before the start of '");
    if (behind) line.add(address - tensor.end, 10).add(" bytes behind the end of '");
    const bool far_rows = !before && !behind && tensor.pitch != 0;
    const size_t row = far_rows ? (address - tensor.begin) / tensor.pitch : 0;
    const size_t into_row = far_rows ? (address - tensor.begin) % tensor.pitch : 0;
    const bool between_rows = far_rows && into_row >= tensor.row;
    if (between_rows) line.add(into_row - tensor.row, 10).add(" bytes behind row ").add(row, 10).add(" of '");
    if (!before && !behind && !between_rows) line.add("inside '");
    line.add(tensor.name.data()).add("'");
    return;
  }
  if (address < kFirstMapped) {
    line.add(": ").add(kind_of_access(context)).add(" through a null pointer");
    if (address > 0)
      line.add(", ")
          .add(address, 10)
          .add(" bytes behind it: a member of an object, or an element of an array, whose pointer is null: it was never set, or an "
               "index into a list of pointers is too large");
  }
  if (address >= kFirstMapped && remembered_count > 0) line.add(": ").add(kind_of_access(context)).add(" far from every tensor");
}

/// Adds this thread's stack frames in one shared object: "libmine.so+0x1a2 <- +0x77", innermost first. Frames up to the one with
/// address `behind` are skipped; 0: none is skipped. Returns the number of frames.
int add_frames(Line& line, uintptr_t behind, const void* base, const char* path, bool with_name) {
  constexpr int kMostFrames = 32, kMostNamed = 6;
  std::array<void*, kMostFrames> frames;
  const int count = ::backtrace(frames.data(), kMostFrames);
  int first = 0, named = 0;
  while (behind != 0 && first < count && reinterpret_cast<uintptr_t>(frames[size_t(first)]) != behind) ++first;
  for (int i = behind != 0 ? first + 1 : 0; i < count && named < kMostNamed; ++i) {
    Dl_info info;
    if (::dladdr(frames[size_t(i)], &info) == 0 || info.dli_fname == nullptr) continue;
    if (base != nullptr ? info.dli_fbase != base : std::strcmp(info.dli_fname, path) != 0) continue;
    const char* slash = std::strrchr(info.dli_fname, '/');
    if (with_name && named == 0) line.add(slash != nullptr ? slash + 1 : info.dli_fname);
    else line.add(" <- ");
    line.add("+0x").add(reinterpret_cast<uintptr_t>(frames[size_t(i)]) - reinterpret_cast<uintptr_t>(info.dli_fbase), 16);
    ++named;
  }
  return named;
}

void add_code(Line& line, uintptr_t code) {
  Dl_info info;
  if (::dladdr(reinterpret_cast<void*>(code), &info) == 0 || info.dli_fname == nullptr) {
#if defined(__x86_64__) || defined(__aarch64__)
    line.add(", at program counter 0x").add(code, 16);
    line.add(", which holds no code: the stack or a function pointer was overwritten, for example with an index outside a local array");
#endif
    return;
  }
  const char* slash = std::strrchr(info.dli_fname, '/');
  line.add(", in ");
  if (info.dli_sname != nullptr) line.add(info.dli_sname).add(" (");
  line.add(slash != nullptr ? slash + 1 : info.dli_fname).add("+0x").add(code - reinterpret_cast<uintptr_t>(info.dli_fbase), 16);
  line.write_to(words_file);  // the search for callers may crash in an overwritten stack
  add_frames(line, code, info.dli_fbase, nullptr, false);
  if (info.dli_sname != nullptr) line.add(")");
  if (library_path[0] == '\0' || std::strcmp(info.dli_fname, library_path) == 0) return;
  Line callers;
  callers.add(", called from ");
  if (add_frames(callers, code, nullptr, library_path, true) > 0) line.add(callers);
}

/// Handles kWhereAreYou: writes this thread's stack frames in the library under test, if there are any.
void on_question(int, siginfo_t*, void*) {
  const int error = errno;
  Line line;
  if (add_frames(line, 0, nullptr, library_path, true) > 0) line.add("\n").write_to(words_file);
  errno = error;
}

const char* name_of(int signal) {
  return signal == SIGSEGV   ? "SIGSEGV"
         : signal == SIGBUS  ? "SIGBUS"
         : signal == SIGFPE  ? "SIGFPE"
         : signal == SIGABRT ? "SIGABRT"
                             : "SIGILL";
}

void on_crash(int signal, siginfo_t* info, void* context) {
  static std::atomic_flag is_told;
  while (is_told.test_and_set()) ::usleep(1000);  // another thread has crashed and is ending the process
  Line line;
  line.add(words_begin);
  if (const char* who = subject; who != nullptr) line.add(who).add(": ");
  line.add(name_of(signal));
  const bool has_address = info->si_code > 0;  // false if a process sent the signal
  if (has_address) {
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    const char* garbage = nullptr;
#if defined(__x86_64__)
    if ((signal == SIGSEGV || signal == SIGBUS) && info->si_code == SI_KERNEL) garbage = fault_without_address(context);
#endif
    if (garbage != nullptr)
      line.add(garbage);
    else
      line.add(" at address 0x").add(address, 16);
    if (garbage == nullptr && (signal == SIGSEGV || signal == SIGBUS)) add_place(line, address, context);
    if (signal == SIGFPE && info->si_code == FPE_INTDIV) line.add(": an integer is divided by 0, or the quotient is too large");
  }
  line.write_to(words_file);
  if (has_address) {
    add_code(line, code_address(context));
    line.write_to(words_file);
  } else if (signal == SIGABRT) {  // abort() is called in libc, so only the callers name a line of the library
    Line callers;
    callers.add(", called from ");
    if (add_frames(callers, 0, nullptr, library_path, true) > 0) line.add(callers);
    line.write_to(words_file);
  }
  if (const char* const undefined = undefined_before_crash(); *undefined != '\0') line.add(kBeforeCrash).add(undefined);
  line.add("\n").write_to(words_file);
  ::signal(signal, SIG_DFL);
  ::raise(signal);  // the signal is delivered after this function returns
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
  to.row = memory.row;
  to.pitch = memory.pitch;
  const size_t length = std::min(memory.name.size(), to.name.size() - 1);
  std::copy_n(memory.name.data(), length, to.name.data());
  to.name[length] = '\0';
  remembered_count = i + 1;
}

void speak_of_crashes(int file, const char* begin) {
  words_file = file;
  words_begin = begin;
  alignas(16) static std::array<std::byte, size_t{64} << 10> stack;  // stack for handlers in the main thread, whose own stack
                                                                     // may have overflowed
  const stack_t alternative{stack.data(), 0, stack.size()};
  ::sigaltstack(&alternative, nullptr);
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
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

std::string frames_in_library() {
  Line line;
  return library_path[0] != '\0' && add_frames(line, 0, nullptr, library_path, true) > 0 ? line.text() : "";
}

void answer_where_you_are(const std::string& library) {
  std::error_code unknown;
  const std::string path = std::filesystem::canonical(library, unknown).string();
  std::snprintf(library_path, sizeof library_path, "%s", unknown ? library.c_str() : path.c_str());
  std::array<void*, 1> none;
  ::backtrace(none.data(), 1);  // called once here, since the first call loads libgcc, which a signal handler may not do
  struct sigaction answering {};
  answering.sa_sigaction = on_question;
  answering.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  ::sigemptyset(&answering.sa_mask);
  ::sigaction(kWhereAreYou, &answering, nullptr);
}

namespace {

// Functions and source lines at offsets in a library.

/// The output of a program; empty if it cannot be started.
std::string output_of(const std::vector<std::string>& words) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return "";
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = 0;
  const std::lock_guard no_stray(children_mutex());
  const int error = ::posix_spawnp(&process, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  ::close(ends[1]);
  std::string text;
  std::array<char, 4096> piece;
  for (ssize_t got; error == 0 && (got = ::read(ends[0], piece.data(), piece.size())) != 0;) {
    if (got > 0) text.append(piece.data(), size_t(got));
    else if (errno != EINTR) break;
  }
  ::close(ends[0]);
  int status = 0;
  while (error == 0 && ::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return text;
}

/// "mine.h:12" from a line of addr2line; empty if it is not known, or lies in the standard library.
std::string short_place(std::string place) {
  if (place.find("/include/c++/") != std::string::npos) return "";  // the line that uses the standard library tells more
  place = place.substr(0, place.find(" (discriminator"));
  const size_t slash = place.rfind('/');
  if (slash != std::string::npos) place.erase(0, slash + 1);
  return place.starts_with("?") || place.ends_with(":?") || place.ends_with(":0") ? "" : place;
}

/// Lines of functions that the line at this offset calls and that the compiler inlined, nearest first. Where an index is wrong,
/// the processor faults at the access, and one of these functions may have computed the index.
std::vector<std::string> lines_called_at(const std::string& library, uint64_t offset) {
  constexpr uint64_t kFarthest = 1024;
  constexpr size_t kMostLines = 3;
  std::vector<std::string> words = {"addr2line", "-a", "-i", "-e", library};
  for (uint64_t back = 0; back <= std::min(kFarthest, offset); ++back) {
    char text[32];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset - back));
    words.emplace_back(text);
  }
  std::vector<std::vector<std::string>> chains;  // of each address: its line, and the lines that it is inlined into
  const std::string text = output_of(words);
  for (size_t at = 0, end; at < text.size(); at = end + 1) {
    end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.starts_with("0x"))
      chains.emplace_back();
    else if (!chains.empty())
      chains.back().push_back(short_place(line));
  }
  std::vector<std::string> found;
  if (chains.empty() || chains.front().empty() || chains.front().front().empty()) return found;
  const std::vector<std::string>& fault = chains.front();
  for (const std::vector<std::string>& chain : chains) {
    if (chain.size() <= fault.size() || !std::equal(fault.rbegin(), fault.rend(), chain.rbegin())) continue;
    const std::string& called = chain.front();
    if (!called.empty() && std::find(found.begin(), found.end(), called) == found.end() && found.size() < kMostLines)
      found.push_back(called);
  }
  return found;
}

/// "at a.h:12, called from b.h:3, c.cpp:77; function f()", or "in f()"; empty if the library has neither lines nor names.
std::string source_lines(const std::string& library, const std::vector<std::string>& offsets, bool is_crash) {
  constexpr size_t kMostLines = 5, kLongestName = 120;
  std::vector<std::string> words = {"addr2line", "-f", "-C", "-i", "-e", library};
  words.insert(words.end(), offsets.begin(), offsets.end());
  std::vector<std::string> lines;
  std::string function, any_function, text = output_of(words);
  for (size_t at = 0; at < text.size();) {
    const size_t middle = text.find('\n', at), end = middle == std::string::npos ? middle : text.find('\n', middle + 1);
    if (end == std::string::npos) break;
    const std::string name = text.substr(at, middle - at);
    std::string place = text.substr(middle + 1, end - middle - 1);
    at = end + 1;
    if (any_function.empty() && name != "??") any_function = name.substr(0, kLongestName);
    place = short_place(place);
    const bool is_known = !place.empty();
    if (is_known && function.empty() && name != "??") function = name.substr(0, kLongestName);
    if (is_known && (lines.empty() || lines.back() != place) && lines.size() < kMostLines) lines.push_back(place);
  }
  if (function.empty() || is_crash) function = any_function;  // a crash: the innermost function, even if its line is not known
  std::string said;
  for (const std::string& line : lines) {
    said += (said.empty() ? "at " : &line == &lines[1] ? ", called from " : ", ") + line;
    if (!is_crash || &line != &lines.front()) continue;
    std::string called;
    for (const std::string& one : lines_called_at(library, std::stoull(offsets.front(), nullptr, 16)))
      called += (called.empty() ? ", which calls " : " and ") + one;
    said += called;
  }
  if (!function.empty()) said += (said.empty() ? "in " : "; function ") + function;
  return said;
}

}  // namespace

std::string with_source_lines(const std::string& message, const std::string& library) {
  std::error_code unknown;
  const std::string path = std::filesystem::canonical(library, unknown).string();
  const std::string name = std::filesystem::path(unknown ? library : path).filename().string();
  const size_t begin = name.empty() ? std::string::npos : message.find(name + "+0x");
  if (begin == std::string::npos || unknown) return message;
  static const std::regex kOffset(R"((?: <- )?\+0x([0-9a-f]+))");
  std::vector<std::string> offsets;
  const char* at = message.c_str() + begin + name.size();
  std::cmatch match;
  while (std::regex_search(at, match, kOffset, std::regex_constants::match_continuous)) {
    const uint64_t offset = std::stoull(match[1].str(), nullptr, 16);
    char text[32];  // a caller's offset is its return address, perhaps on the next source line; the byte before is in the call
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(offset - (offsets.empty() ? 0 : 1)));
    offsets.emplace_back(text);
    at += match.length();
  }
  const std::string lines = offsets.empty() ? "" : source_lines(path, offsets, message.starts_with("crashed: "));
  if (lines.empty()) return message;
  const size_t end = size_t(at - message.c_str());
  return message.substr(0, end) + " (" + lines + ")" + message.substr(end);
}

namespace {

// A message for a kernel that ends the program.

/// The text to print; set only in the thread that calls a kernel. exit() runs say_who_exits() in the thread that calls exit().
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
