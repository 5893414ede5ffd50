// Notes where exceptions are thrown: a library calls the __cxa_throw() of the program that loads it, which calls that of the C++
// runtime.
#include "harness/backend/throw_place.h"

#include <dlfcn.h>

#include <cstdlib>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <typeinfo>
#include <utility>

#include "harness/backend/crash_report.h"

namespace assay {
namespace {

constexpr const char* kThrownIn = ", thrown in ";

struct Throw {
  std::string text, place;
};
constexpr size_t kMostThrows = 64;  ///< of a call; a kernel may use exceptions often
std::mutex throws_mutex;
std::deque<Throw> throws;

}  // namespace

void forget_throws() {
  const std::lock_guard lock(throws_mutex);
  throws.clear();
}

std::string with_place_of_throw(const std::string& message) {
  const std::lock_guard lock(throws_mutex);
  for (auto one = throws.rbegin(); one != throws.rend(); ++one)
    if (message.find(one->text) != std::string::npos) return message + kThrownIn + one->place;
  return message;
}

std::string with_lines_of_throw(const std::string& message, const std::string& library) {
  const size_t at = message.rfind(kThrownIn);
  if (at == std::string::npos) return message;
  const std::string place = with_source_lines(message.substr(at), library);
  const size_t lines = place.find(" (at ");
  if (lines == std::string::npos) return message.substr(0, at);
  return message.substr(0, at) + ", thrown" + " at " + place.substr(lines + 5, place.rfind(')') - lines - 5);
}

/// Called for each exception that this process throws.
static void note_throw(void* object, const std::type_info& type) {
  const std::string place = frames_in_library();
  if (place.empty() || type.__is_pointer_p() || !typeid(std::exception).__do_catch(&type, &object, 1)) return;
  const char* const text = static_cast<std::exception*>(object)->what();
  if (text == nullptr || *text == '\0') return;
  const std::lock_guard lock(throws_mutex);
  throws.push_back({text, place});
  if (throws.size() > kMostThrows) throws.pop_front();
}

}  // namespace assay

// Sanitizers have their own version.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using Destroy = void (*)(void*);
// The compiler declares __cxa_throw() itself, with other types; hence the other name in C++.
extern "C" __attribute__((visibility("default"), noreturn)) void assay_cxa_throw(void* object, std::type_info* type,
                                                                                 Destroy destroy) __asm__("__cxa_throw");

void assay_cxa_throw(void* object, std::type_info* type, Destroy destroy) {
  using Throw = void (*)(void*, std::type_info*, Destroy);
  static const auto of_runtime = reinterpret_cast<Throw>(::dlsym(RTLD_NEXT, "__cxa_throw"));
  static thread_local bool is_noting = false;  // what() or an allocation may throw
  if (!is_noting) {
    is_noting = true;
    try {
      assay::note_throw(object, *type);
    } catch (...) {
    }
    is_noting = false;
  }
  of_runtime(object, type, destroy);
  std::abort();  // of_runtime() does not return
}

#endif
