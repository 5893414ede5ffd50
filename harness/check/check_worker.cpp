// A worker process whose kernels are functions of its own program, for languages without shared objects.
#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>

#include "assay/abi.h"
#include "harness/backend/library.h"
#include "harness/backend/worker.h"
#include "harness/backend/worker_messages.h"
#include "harness/check/check.h"

namespace assay {
namespace {

std::function<Library()> opener(const assay_library* functions, const char* name) {
  const std::string path = name != nullptr ? name : "a library without a name";
  return [functions, path] {
    if (functions == nullptr) throw LibraryError(path);
    return library_of(*functions, path, nullptr);
  };
}

int32_t guarded_call(const std::function<int32_t()>& call) noexcept {
  try {
    return call();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "assay: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "assay: an exception of unknown type\n");
  }
  return 1;
}

}  // namespace
}  // namespace assay

int32_t assay_check_worker(const assay_library* functions, const char* name) {
  return assay::guarded_call([&] { return assay::worker_main(assay::opener(functions, name)); });
}

int32_t assay_check_serve(const assay_library* functions, const char* name, int32_t socket, int32_t memory) {
  return assay::guarded_call([&] {
    std::string settings;  // the harness sends a memory limit for workers; it does not apply to this process
    if (assay::receive_message(socket, -1, settings) != assay::Received::kMessage) return 1;
    return assay::serve_calls(assay::opener(functions, name), socket, memory, false) ? 0 : 1;
  });
}
