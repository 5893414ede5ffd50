#include "harness/backend/library.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <filesystem>

#include "harness/backend/float_environment.h"
#include "harness/text/error.h"

namespace assay {
namespace {

/// sizeof(assay_library) in the ABI's first release.
constexpr size_t kFirstSize = offsetof(assay_library, create_stream);

std::string loader_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown loader error";
}

/// A library for a device that this machine lacks can be loaded and described, but not used.
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
    throw LibraryError(path + ": begin_capture, end_capture, replay and destroy_graph must be all set, together with create_stream, " +
                       "or all NULL");
  }
  const int group = (functions.create_group != nullptr) + (functions.run_group != nullptr) + (functions.destroy_group != nullptr);
  if (group != 0 && group != 3)
    throw LibraryError(path + ": create_group, run_group and destroy_group must be all set or all NULL");
  if (functions.run_group_in_a_row != nullptr && group == 0)
    throw LibraryError(path + ": run_group_in_a_row needs create_group, run_group and destroy_group");
  if (functions.join_group != nullptr && group == 0) throw LibraryError(path + ": join_group needs create_group, run_group and destroy_group");
  if ((functions.allocate_on != nullptr) != (group == 3 && functions.allocate != nullptr))
    throw LibraryError(path + ": allocate_on is only valid for a library with groups and its own memory functions");
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
    throw LibraryError(path + ": wrong ABI version: library has " + std::to_string(functions.abi) + ", this program speaks " +
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
  constexpr size_t kPointer = sizeof(void*);  // a size that ends within a function pointer does not include that function
  std::memcpy(&held->functions, &functions, std::min(sizeof(assay_library), size_t{functions.size} / kPointer * kPointer));
  held->keep_alive = std::move(keep_alive);
  return {held, &held->functions};
}

Library open_library(const std::string& path) {
  // dlopen() searches the system's folders for a name without a slash
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
