// One libFuzzer target for each reader of untrusted text. CMake compiles this file once for each of them, as fuzz_<name> with
// ASSAY_FUZZES_<name> defined.

#if defined(ASSAY_FUZZES_csv)

// Any text must be a table or give a TableError.

#include "reference/table/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::parse_table({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_csv

#if defined(ASSAY_FUZZES_recipe)

// Any text is a recipe or a ParseError.

#include "reference/recipe/recipe.h"
#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  static const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "r", "w", "n", "eps"}};
  try {
    (void)parse_recipe({reinterpret_cast<const char*>(data), size}, names);
  } catch (const ParseError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_recipe

#if defined(ASSAY_FUZZES_expression)

// Any text must be a formula or give a ParseError. A formula must have a value or give std::domain_error, without overflow or a
// crash.

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  try {
    const Expression formula({reinterpret_cast<const char*>(data), size});
    std::map<std::string, int64_t> values;
    std::map<std::string, std::string> constants;
    for (const std::string& name : formula.names()) values[name] = int64_t{1} << (name.size() % 63), constants[name] = "0.1e-38";
    try {
      (void)formula.integer(values);
    } catch (const std::domain_error&) {
    }
    try {
      (void)formula.rounded(constants, kF32);
    } catch (const std::domain_error&) {
    }
  } catch (const ParseError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_expression

#if defined(ASSAY_FUZZES_json)

// Any bytes must be JSON within the limits or give a JsonError; accepted JSON must be within the limits.

#include <cstdlib>

#include "harness/text/guarded_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr assay::JsonLimits kLimits{.levels = 8, .members = 16, .values = 64, .list = 16};
  try {
    const nlohmann::json j = assay::guarded_json({reinterpret_cast<const char*>(data), size}, "fuzz.json", kLimits);
    if (j.is_array() && j.size() > kLimits.list) std::abort();
    if (j.is_object() && j.size() > kLimits.members) std::abort();
  } catch (const assay::JsonError& error) {
    if (error.byte() > size) std::abort();
  }
  return 0;
}

#endif  // ASSAY_FUZZES_json

#if defined(ASSAY_FUZZES_describe)

// Any text from a library must be a description or give a LibraryError of one line.

#include <cstdlib>
#include <string_view>

#include "harness/backend/library.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::parse_description({reinterpret_cast<const char*>(data), size}, "fuzz.so");
  } catch (const assay::LibraryError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

#endif  // ASSAY_FUZZES_describe

#if defined(ASSAY_FUZZES_ledger)

// Any text must be a known-failures list or give a TableError of one line.

#include <cstdlib>
#include <string_view>

#include "harness/run/run.h"
#include "reference/table/table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)assay::Ledger::parse({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

#endif  // ASSAY_FUZZES_ledger

#if defined(ASSAY_FUZZES_golden)

// Any bytes must be a golden file or give a std::runtime_error. The reader takes a path, so the bytes are put into an in-memory
// file.

#include <sys/mman.h>
#include <unistd.h>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "harness/golden/golden.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const int file = ::memfd_create("golden", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != ssize_t(size)) std::abort();
  try {
    (void)assay::read_golden(path);
  } catch (const std::runtime_error&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_golden

#if defined(ASSAY_FUZZES_npy)

// Any bytes must be an array or give a DumpError; elements of an accepted array must lie within it.

#include <cstdlib>
#include <sstream>

#include "harness/dump/dump.h"
#include "reference/formats/catalogue.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  for (const Format* stated : {static_cast<const Format*>(nullptr), &kBf16, &kE8M0}) {
    try {
      std::istringstream stream(std::string(reinterpret_cast<const char*>(data), size));
      const Dump dump = index_npy(stream, size, "fuzz", stated);
      const StoredTensor& stored = dump.tensors.front();
      if (stored.end != size || stored.begin > stored.end) std::abort();
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      (void)code_matrix({storage_spec(dump, stored), {bytes + stored.begin, bytes + stored.end}});
    } catch (const DumpError&) {
    }
  }
  return 0;
}

#endif  // ASSAY_FUZZES_npy

#if defined(ASSAY_FUZZES_safetensors)

// Any bytes must be a tensor file or give a DumpError; elements of accepted tensors must lie within it.

#include <cstdlib>
#include <sstream>

#include "harness/dump/dump.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace assay;
  try {
    std::istringstream stream(std::string(reinterpret_cast<const char*>(data), size));
    const Dump dump = index_safetensors(stream, size, "fuzz");
    for (const StoredTensor& stored : dump.tensors) {
      if (stored.end > size || stored.begin > stored.end) std::abort();
      if (stored.format == nullptr) continue;
      const auto* bytes = reinterpret_cast<const std::byte*>(data);
      (void)code_matrix({storage_spec(dump, stored), {bytes + stored.begin, bytes + stored.end}});
    }
  } catch (const DumpError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_safetensors

#if defined(ASSAY_FUZZES_believes_length)

// A reader with a planted bug: it trusts the length that the file states. The check demands that the fuzzer finds it; no other
// program links it.

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t count = data[0];
  volatile uint8_t sum = 0;
  for (size_t i = 1; i <= count; ++i) sum = uint8_t(sum + data[i]);
  return 0;
}

#endif  // ASSAY_FUZZES_believes_length
