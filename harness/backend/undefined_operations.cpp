// The functions that code compiled with -fsanitize=bounds and similar options calls when a check fails. They note the operation,
// and the kernel continues: its outputs stay what they would be without the checks.
#include "harness/backend/undefined_operations.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace assay {
namespace {

/// Layouts of the compilers' data, as in libubsan (GCC 5 and later, Clang).
struct SourcePlace {
  const char* file;
  uint32_t line, column;
};
struct Type {
  uint16_t kind, info;  ///< of an integer: kind 0, bit 0 of info: signed, the other bits: log2 of its width
  char name[1];         ///< with quotes: "'float [8]'"
};

constexpr size_t kMostPlaces = 32;

struct Noted {
  std::atomic<const void*> data{nullptr};  ///< the compiler's record of the place; nullptr: the entry is unused
  std::array<char, 128> words;             ///< "an array of type 'float [8]'"
  std::array<char, 160> place;             ///< "at mine.h:12" or "in libmine.so+0x1a9"
  std::atomic<int64_t> least, most;        ///< of the indices
  const char* kind;                        ///< "outside" or "undefined"
  bool has_index;
  std::atomic<bool> complete{false};
};
std::array<Noted, kMostPlaces> noted;
std::atomic<size_t> noted_count{0};

constexpr int64_t kNoIndex = 0;

void widen(Noted& to, int64_t index) {
  for (int64_t least = to.least; index < least && !to.least.compare_exchange_weak(least, index);) continue;
  for (int64_t most = to.most; index > most && !to.most.compare_exchange_weak(most, index);) continue;
}

/// Operators of the standard library contain the check; the line that calls them tells more.
bool is_of_standard_library(std::string_view file) {
  return file.find("/include/c++/") != file.npos || file.starts_with("/usr/include/");
}

void note(const void* data, const SourcePlace& at, const char* kind, const char* words, const char* type, const void* code,
          const int64_t* index) {
  const size_t known = std::min(noted_count.load(), kMostPlaces);
  for (size_t i = 0; i < known; ++i)
    if (noted[i].data.load() == data) {
      if (index != nullptr && noted[i].complete) widen(noted[i], *index);
      return;
    }
  const size_t i = noted_count.fetch_add(1);
  if (i >= kMostPlaces) {
    noted_count = kMostPlaces;
    return;
  }
  Noted& to = noted[i];
  to.data = data;
  to.kind = kind;
  to.has_index = index != nullptr;
  to.least = to.most = index != nullptr ? *index : kNoIndex;
  std::snprintf(to.words.data(), to.words.size(), "%s%s", words, type);
  Dl_info library;
  if (at.file != nullptr && !is_of_standard_library(at.file)) {
    const char* const slash = std::strrchr(at.file, '/');
    std::snprintf(to.place.data(), to.place.size(), "(at %s:%u)", slash != nullptr ? slash + 1 : at.file, at.line);
  } else if (::dladdr(code, &library) != 0 && library.dli_fname != nullptr) {
    const char* const slash = std::strrchr(library.dli_fname, '/');
    std::snprintf(to.place.data(), to.place.size(), "in %s+0x%zx", slash != nullptr ? slash + 1 : library.dli_fname,
                  size_t(static_cast<const char*>(code) - static_cast<const char*>(library.dli_fbase)) - 1);
  } else {
    to.place[0] = '\0';
  }
  to.complete = true;
}

/// An integer argument of a failed check.
int64_t value_of(const Type& type, uintptr_t handle) {
  const unsigned width = 1u << (type.info >> 1);
  if (type.kind != 0 || width > sizeof handle * CHAR_BIT) return 0;
  const unsigned unused = 64 - width;
  const auto bits = uint64_t(handle) << unused;
  return (type.info & 1) != 0 ? int64_t(bits) >> unused : int64_t(bits >> unused);
}

/// "outside: index -1 of an array of type 'float [8]' (at mine.h:12)"
int text_of(const Noted& one, char* into, size_t size) {
  char index[64] = "";
  const long long least = one.least, most = one.most;
  if (one.has_index && least == most)
    std::snprintf(index, sizeof index, "index %lld of ", least);
  else if (one.has_index)
    std::snprintf(index, sizeof index, "indices from %lld to %lld of ", least, most);
  return std::snprintf(into, size, "%s: %s%s %s", one.kind, index, one.words.data(), one.place.data());
}

std::vector<const Noted*> complete_notes() {
  std::vector<const Noted*> all;
  for (size_t i = 0; i < std::min(noted_count.load(), kMostPlaces); ++i)
    if (noted[i].complete) all.push_back(&noted[i]);
  return all;
}

}  // namespace

void forget_undefined() {
  for (Noted& one : noted) one.complete = false, one.data = nullptr;
  noted_count = 0;
}

std::string undefined_operations() {
  constexpr size_t kMostTold = 3;
  std::vector<std::string> texts;
  for (const Noted* const one : complete_notes()) {
    std::array<char, 512> text;
    text_of(*one, text.data(), text.size());
    texts.emplace_back(text.data());
  }
  std::sort(texts.begin(), texts.end());  // threads report in any order
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  std::string all;
  for (size_t i = 0; i < std::min(texts.size(), kMostTold); ++i) all += (i == 0 ? "" : "; ") + texts[i];
  if (texts.size() > kMostTold) all += "; " + std::to_string(texts.size() - kMostTold) + " more";
  return all;
}

const char* undefined_before_crash() {
  static std::array<char, 512> text;
  if (noted_count == 0 || !noted[0].complete) return "";
  text_of(noted[0], text.data(), text.size());
  return text.data();
}

}  // namespace assay

// An executable that itself is compiled with sanitizers has their own versions.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using assay::SourcePlace;
using assay::Type;

#define ASSAY_CHECK_FAILED extern "C" __attribute__((visibility("default"), used)) void

struct IndexData {
  SourcePlace at;
  const Type *array, *index;
};
ASSAY_CHECK_FAILED __ubsan_handle_out_of_bounds(const IndexData* data, uintptr_t index) {
  const int64_t value = assay::value_of(*data->index, index);
  assay::note(data, data->at, "outside", "an array of type ", data->array->name, __builtin_return_address(0), &value);
}

struct DivisionData {
  SourcePlace at;
  const Type* type;
};
ASSAY_CHECK_FAILED __ubsan_handle_divrem_overflow(const DivisionData* data, uintptr_t, uintptr_t divisor) {
  const bool by_zero = assay::value_of(*data->type, divisor) == 0;
  assay::note(data, data->at, "undefined", by_zero ? "an integer is divided by 0" : "a quotient does not fit into ",
              by_zero ? "" : data->type->name, __builtin_return_address(0), nullptr);
}

struct PointerData {
  SourcePlace at;
  const Type* type;
  uint8_t log_alignment, kind;
};
ASSAY_CHECK_FAILED __ubsan_handle_type_mismatch_v1(const PointerData* data, uintptr_t pointer) {
  assay::note(data, data->at, "undefined",
              pointer == 0 ? "a null pointer is used as the address of " : "an address is not a multiple of the alignment of ",
              data->type->name, __builtin_return_address(0), nullptr);
}

struct ShiftData {
  SourcePlace at;
  const Type *left, *right;
};
ASSAY_CHECK_FAILED __ubsan_handle_shift_out_of_bounds(const ShiftData* data, uintptr_t, uintptr_t by) {
  const int64_t bits = assay::value_of(*data->right, by);
  const std::string words = "a shift by " + std::to_string(bits) + " bits of a number of type ";
  assay::note(data, data->at, "undefined", words.c_str(), data->left->name, __builtin_return_address(0), nullptr);
}

#endif
