// The functions of libnccl.so.2, found when they are first asked for: ASSAY_NCCL names another file than the loader's.
#pragma once

#include <dlfcn.h>
#include <nccl.h>

#include <assay/plugin/call.hpp>
#include <cstdlib>
#include <string>

namespace assay_nccl {

struct Api {
  decltype(&ncclGetVersion) version = nullptr;
  decltype(&ncclCommInitAll) init_all = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclGetErrorString) text = nullptr;
  std::string missing;  ///< why there is none

  static const Api& one() {
    static const Api api;
    return api;
  }

  /// 2.28.9 is 22809.
  int number() const {
    int number = 0;
    return version != nullptr && version(&number) == ncclSuccess ? number : 0;
  }

  /// "2.28.9", or empty where there is none.
  std::string release() const {
    const int n = number();
    return n == 0 ? "" : std::to_string(n / 10000) + "." + std::to_string(n / 100 % 100) + "." + std::to_string(n % 100);
  }

  void good(ncclResult_t result, const char* what) const {
    if (result == ncclSuccess) return;
    const std::string words = std::string(what) + ": " + text(result);
    if (result == ncclInvalidUsage || result == ncclInvalidArgument) assay::plugin::unsupported(words);
    assay::plugin::failed(words);
  }

 private:
  Api() {
    const char* const named = std::getenv("ASSAY_NCCL");
    void* const library = ::dlopen(named != nullptr ? named : "libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      missing = ::dlerror();
      return;
    }
    find(library, "ncclGetVersion", version);
    find(library, "ncclCommInitAll", init_all);
    find(library, "ncclCommDestroy", destroy);
    find(library, "ncclCommAbort", abort);
    find(library, "ncclAllReduce", all_reduce);
    find(library, "ncclGroupStart", group_start);
    find(library, "ncclGroupEnd", group_end);
    find(library, "ncclGetErrorString", text);
  }
  template <class Function>
  void find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(::dlsym(library, name));
    if (function == nullptr) missing = std::string("libnccl has no ") + name;
  }
};

}  // namespace assay_nccl
