#include "harness/backend/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cfenv>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "harness/text/messages.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace assay {
namespace {

// Floating-point control state of the processor: rounding mode, flushing of subnormals, trapped exceptions.

struct Rounding {
  uint64_t bits;
  const char* words;
};

struct Switch {
  uint64_t bit;
  const char *on, *off;
};

#if defined(__x86_64__)

constexpr uint64_t kFlags = 0x3f, kTraps = 0x1f80, kRounding = 0x6000;
constexpr bool kTrapsAreSet = false;  // on x86 a set bit masks the trap of an exception
constexpr std::array kRoundings = {Rounding{0x0000, "rounds to nearest"}, Rounding{0x2000, "rounds downward"},
                                   Rounding{0x4000, "rounds upward"}, Rounding{0x6000, "rounds toward zero"}};
constexpr std::array kSwitches = {
    Switch{0x8000, "flushes subnormal results to zero (FTZ)", "no longer flushes subnormal results to zero (FTZ)"},
    Switch{0x0040, "reads subnormal inputs as zero (DAZ)", "no longer reads subnormal inputs as zero (DAZ)"}};

uint64_t read_control() { return _mm_getcsr() & ~kFlags; }
void write_control(uint64_t control) { _mm_setcsr(uint32_t(control)); }
uint64_t read_x87() {
  uint16_t word = 0;
  __asm__ volatile("fnstcw %0" : "=m"(word));
  return word;
}
void write_x87(uint64_t word) {
  const auto narrow = uint16_t(word);
  __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(narrow));  // fnclex first: a pending exception would trap once it is unmasked
}

#elif defined(__aarch64__)

constexpr uint64_t kTraps = 0x9f00, kRounding = 0xc00000;
constexpr bool kTrapsAreSet = true;
constexpr std::array kRoundings = {Rounding{0x000000, "rounds to nearest"}, Rounding{0x400000, "rounds upward"},
                                   Rounding{0x800000, "rounds downward"}, Rounding{0xc00000, "rounds toward zero"}};
constexpr std::array kSwitches = {
    Switch{0x1000000, "flushes subnormals to zero (FZ)", "no longer flushes subnormals to zero (FZ)"},
    Switch{0x0080000, "flushes subnormals of 16 bits to zero (FZ16)", "no longer flushes subnormals of 16 bits to zero (FZ16)"},
    Switch{0x2000000, "returns the default NaN (DN)", "no longer returns the default NaN (DN)"}};

uint64_t read_control() {
  uint64_t control = 0;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  return control;
}
void write_control(uint64_t control) { __asm__ volatile("msr fpcr, %0" : : "r"(control)); }
uint64_t read_x87() { return 0; }
void write_x87(uint64_t) {}

#else

constexpr uint64_t kTraps = 0, kRounding = ~uint64_t{0};
constexpr bool kTrapsAreSet = true;
constexpr std::array<Rounding, 0> kRoundings = {};
constexpr std::array<Switch, 0> kSwitches = {};
uint64_t read_control() { return uint64_t(std::fegetround()); }
void write_control(uint64_t control) { std::fesetround(int(control)); }
uint64_t read_x87() { return 0; }
void write_x87(uint64_t) {}

#endif

void append(std::string& text, const char* words) { text.append(text.empty() ? "" : ", ").append(words); }

}  // namespace

FloatEnvironment::FloatEnvironment() : control_(read_control()), x87_(read_x87()) {}

std::string FloatEnvironment::changes_to(const FloatEnvironment& now) const {
  std::string text;
  const uint64_t changed = control_ ^ now.control_;
  for (const Rounding& rounding : kRoundings)
    if ((changed & kRounding) != 0 && (now.control_ & kRounding) == rounding.bits) append(text, rounding.words);
  for (const Switch& one : kSwitches)
    if ((changed & one.bit) != 0) append(text, (now.control_ & one.bit) != 0 ? one.on : one.off);
  if ((changed & kTraps) != 0)
    append(text, ((changed & now.control_ & kTraps) != 0) == kTrapsAreSet ? "traps floating-point exceptions"
                                                                          : "no longer traps floating-point exceptions");
  if (text.empty() && x87_ != now.x87_) append(text, "has another x87 control word");
  return text.empty() ? "has another floating-point control word" : text;
}

std::string FloatEnvironment::restore() const {
  const FloatEnvironment now;
  if (now.control_ == control_ && now.x87_ == x87_) return "";
  if (now.x87_ != x87_) write_x87(x87_);
  write_control(control_);
  return changes_to(now);
}

namespace {

// Loads a kernel library: opens it, checks its ABI version and reads its description.

/// sizeof(assay_library) in the ABI's first release.
constexpr size_t kFirstSize = offsetof(assay_library, create_stream);

std::string loader_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown loader error";
}

/// Throws NoDeviceError if the library cannot allocate device memory. The library was loaded, but none of its kernels can run.
void check_device(const Library& library) {
  const assay_library& functions = *library.functions;
  if (functions.allocate == nullptr) return;
  constexpr size_t kAnyBytes = 256;
  void* const data = functions.allocate(kAnyBytes);
  if (data == nullptr) throw NoDeviceError(library.info.path + ": no device to run on: " + library.info.device);
  functions.release(data);
}

/// Functions that depend on each other must be all set or all NULL.
void check_set(const assay_library& functions, const std::string& path) {
  if (functions.describe == nullptr || functions.run == nullptr) throw LibraryError(path + ": describe and run must not be NULL");
  const int memory = (functions.allocate != nullptr) + (functions.release != nullptr) + (functions.upload != nullptr) +
                     (functions.download != nullptr);
  if (memory != 0 && memory != 4)
    throw LibraryError(path + ": allocate, release, upload and download must be all set or all NULL");
  if ((functions.create_stream == nullptr) != (functions.destroy_stream == nullptr))
    throw LibraryError(path + ": create_stream and destroy_stream must be both set or both NULL");
  const int graph = (functions.begin_capture != nullptr) + (functions.end_capture != nullptr) + (functions.replay != nullptr) +
                    (functions.destroy_graph != nullptr);
  if (graph != 0 && (graph != 4 || functions.create_stream == nullptr)) {
    throw LibraryError(path +
                       ": begin_capture, end_capture, replay and destroy_graph must be all set, together with create_stream, " +
                       "or all NULL");
  }
  const int group = (functions.create_group != nullptr) + (functions.run_group != nullptr) + (functions.destroy_group != nullptr);
  if (group != 0 && group != 3)
    throw LibraryError(path + ": create_group, run_group and destroy_group must be all set or all NULL");
  if (functions.run_group_in_a_row != nullptr && group == 0)
    throw LibraryError(path + ": run_group_in_a_row needs create_group, run_group and destroy_group");
  if (functions.join_group != nullptr && group == 0)
    throw LibraryError(path + ": join_group needs create_group, run_group and destroy_group");
  if ((functions.allocate_on != nullptr) != (group == 3 && functions.allocate != nullptr))
    throw LibraryError(path + ": allocate_on must be set if the library has create_group and allocate, and NULL otherwise");
}

/// Describes a changed floating-point environment and what changed it; empty if it is unchanged. Restores the environment.
std::string restored_after(const FloatEnvironment& before, const char* what) {
  const std::string changes = before.restore();
  if (changes.empty()) return "";
  return std::string(what) + " changed the floating-point environment, which was restored: the thread " + changes;
}

}  // namespace

void check_functions(const assay_library& functions, const std::string& path) {
  if (functions.abi != ASSAY_ABI_VERSION) {
    throw LibraryError(path + ": wrong ABI version: library has " + std::to_string(functions.abi) + ", this program uses " +
                       std::to_string(ASSAY_ABI_VERSION));
  }
  if (functions.size < kFirstSize) {
    throw LibraryError(path + ": assay_library is " + std::to_string(functions.size) + " bytes, at least " +
                       std::to_string(kFirstSize) + " are needed");
  }
  check_set(*of_this_size(functions, nullptr), path);
}

std::shared_ptr<const assay_library> of_this_size(const assay_library& functions, std::shared_ptr<void> keep_alive) {
  struct Held {
    assay_library functions{};
    std::shared_ptr<void> keep_alive;
  };
  const auto held = std::make_shared<Held>();
  constexpr size_t kPointer = sizeof(void*);  // if `size` ends within a function pointer, that function is left out
  std::memcpy(&held->functions, &functions, std::min(sizeof(assay_library), size_t{functions.size} / kPointer * kPointer));
  held->keep_alive = std::move(keep_alive);
  return {held, &held->functions};
}

Library open_library(const std::string& path) {
  // "./" is needed: dlopen() searches the system's folders for a name without a slash
  const std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  if (!std::filesystem::exists(file)) throw LibraryError(path + ": no such file");
  const FloatEnvironment before;
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  std::string note = restored_after(before, "loading the library");
  if (handle == nullptr) throw LibraryError(path + ": cannot be loaded: " + loader_error());
  std::shared_ptr<void> loaded(handle, [](void* h) { ::dlclose(h); });
  const auto get = reinterpret_cast<assay_get_library_fn>(::dlsym(handle, "assay_get_library"));
  if (get == nullptr) throw LibraryError(path + ": no symbol assay_get_library; see assay/abi.h");

  const assay_library* functions = get();
  if (const std::string of_get = restored_after(before, "assay_get_library()"); note.empty()) note = of_get;
  if (functions == nullptr) throw NoDeviceError(path + ": no device to run on");
  Library library = library_of(*functions, path, loaded);
  if (!note.empty()) library.info.notes = {note};
  return library;
}

Library library_of(const assay_library& functions, const std::string& path, std::shared_ptr<void> keep_alive) {
  const FloatEnvironment before;
  check_functions(functions, path);
  const char* description = functions.describe();
  const std::string note = restored_after(before, "describe()");
  if (description == nullptr) throw LibraryError(path + ": describe() returned NULL");
  Library library{parse_description(description, path), description, of_this_size(functions, std::move(keep_alive))};
  library.info.joins_groups = library.functions->join_group != nullptr;
  check_device(library);
  (void)before.restore();
  if (!note.empty()) library.info.notes.push_back(note);
  return library;
}

}  // namespace assay
