// Calls of every reader of untrusted text with arbitrary bytes. CMake compiles this file once for each reader, as the libFuzzer
// program fuzz_<name> with ASSAY_FUZZES_<name> defined. With ASSAY_FUZZES_ALL it compiles all readers into assay_replay_readers,
// which needs no clang and calls each reader with given inputs and with random changes of them.

#if defined(ASSAY_FUZZES_ALL)
#define ASSAY_READER(name) static int read_as_##name(const uint8_t* data, size_t size)
#else
#define ASSAY_READER(name) extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
#endif

#if defined(ASSAY_FUZZES_csv) || defined(ASSAY_FUZZES_ALL)

// Any text must be a table or give a TableError.

#include "reference/table/table.h"

ASSAY_READER(csv) {
  try {
    (void)assay::parse_table({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_csv

#if defined(ASSAY_FUZZES_recipe) || defined(ASSAY_FUZZES_ALL)

// Any text must be a recipe or give a ParseError.

#include "reference/recipe/recipe.h"
#include "reference/formats/catalogue.h"

ASSAY_READER(recipe) {
  using namespace assay;
  static const Names names{{{"M", "448"}}, {{"x", &kBf16}, {"q", &kE4M3Fn}}, {"s", "m", "r", "w", "n", "eps"}};
  try {
    (void)parse_recipe({reinterpret_cast<const char*>(data), size}, names);
  } catch (const ParseError&) {
  }
  return 0;
}

#endif  // ASSAY_FUZZES_recipe

#if defined(ASSAY_FUZZES_expression) || defined(ASSAY_FUZZES_ALL)

// Any text must be a formula or give a ParseError. Evaluating a formula must give a value or std::domain_error, without overflow
// or a crash.

#include "reference/exact/expression.h"
#include "reference/formats/catalogue.h"

ASSAY_READER(expression) {
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

#if defined(ASSAY_FUZZES_json) || defined(ASSAY_FUZZES_ALL)

// Any bytes must be JSON within the limits or give a JsonError; accepted JSON must be within the limits.

#include <cstdlib>

#include "harness/text/guarded_json.h"

ASSAY_READER(json) {
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

#if defined(ASSAY_FUZZES_describe) || defined(ASSAY_FUZZES_ALL)

// Any text from a library must be a description or give a LibraryError of one line.

#include <cstdlib>
#include <string_view>

#include "harness/backend/library.h"

ASSAY_READER(describe) {
  try {
    (void)assay::parse_description({reinterpret_cast<const char*>(data), size}, "fuzz.so");
  } catch (const assay::LibraryError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

#endif  // ASSAY_FUZZES_describe

#if defined(ASSAY_FUZZES_ledger) || defined(ASSAY_FUZZES_ALL)

// Any text must be a known-failures list or give a TableError of one line.

#include <cstdlib>
#include <string_view>

#include "harness/run/run.h"
#include "reference/table/table.h"

ASSAY_READER(ledger) {
  try {
    (void)assay::Ledger::parse({reinterpret_cast<const char*>(data), size}, "fuzz.csv");
  } catch (const assay::TableError& error) {
    if (std::string_view(error.what()).find('\n') != std::string_view::npos) std::abort();
  }
  return 0;
}

#endif  // ASSAY_FUZZES_ledger

#if defined(ASSAY_FUZZES_golden) || defined(ASSAY_FUZZES_ALL)

// Any bytes must be a golden file or give a std::runtime_error. The reader takes a path, so the bytes are put into an in-memory
// file.

#include <sys/mman.h>
#include <unistd.h>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "harness/golden/golden.h"

ASSAY_READER(golden) {
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

#if defined(ASSAY_FUZZES_npy) || defined(ASSAY_FUZZES_ALL)

// Any bytes must be an array or give a DumpError; elements of an accepted array must lie within it.

#include <cstdlib>
#include <sstream>

#include "harness/dump/dump.h"
#include "reference/formats/catalogue.h"

ASSAY_READER(npy) {
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

#if defined(ASSAY_FUZZES_safetensors) || defined(ASSAY_FUZZES_ALL)

// Any bytes must be a tensor file or give a DumpError; elements of accepted tensors must lie within it.

#include <cstdlib>
#include <sstream>

#include "harness/dump/dump.h"

ASSAY_READER(safetensors) {
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

#if defined(ASSAY_FUZZES_believes_length) || defined(ASSAY_FUZZES_ALL)

// A reader with a planted bug: it trusts the length that the file states. A CI check fails unless the fuzzer finds this bug. No
// other program links it.

#include <cstddef>
#include <cstdint>

ASSAY_READER(believes_length) {
  if (size == 0) return 0;
  const size_t count = data[0];
  volatile uint8_t sum = 0;
  for (size_t i = 1; i <= count; ++i) sum = uint8_t(sum + data[i]);
  return 0;
}

#endif  // ASSAY_FUZZES_believes_length

#if defined(ASSAY_FUZZES_ALL)

// usage: assay_replay_readers READER FOLDER RUNS SEED CRASHES. Calls the reader with each file of the folder and with RUNS random
// changes of them. Each input ends where unreadable memory begins, so a reader that reads beyond it crashes. Exit code 1 if the
// reader crashes, or needs more than 10 s or 2 GB for an input; the file CRASHES-READER then holds this input.

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

constexpr size_t kLongest = 4096;  // room for an input and one page

struct NamedReader {
  const char* name;
  int (*read)(const uint8_t*, size_t);
};
#define NAMED(name) {#name, read_as_##name}
constexpr NamedReader kReaders[] = {NAMED(csv),    NAMED(recipe), NAMED(expression), NAMED(json),        NAMED(describe),
                                    NAMED(ledger), NAMED(golden), NAMED(npy),        NAMED(safetensors), NAMED(believes_length)};
#undef NAMED

std::vector<std::string> files_of(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> files;
  for (const auto& path : paths) {
    std::ifstream stream(path, std::ios::binary);
    files.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>())
        .resize(std::min(files.back().size(), kLongest));
  }
  return files;
}

// Makes one to four random changes: cuts, drops, repeats or inserts a part, or sets a byte.
std::string changed(const std::vector<std::string>& files, std::mt19937& draw) {
  const auto below = [&](size_t n) { return n == 0 ? 0 : draw() % n; };
  std::string text = files.empty() ? std::string() : files[below(files.size())];
  for (size_t change = 1 + below(4); change > 0; --change) {
    const size_t at = below(text.size() + 1), length = below(std::min<size_t>(text.size() - at, 64) + 1);
    switch (below(6)) {
      case 0: text.resize(at); break;
      case 1: text.erase(at, length); break;
      case 2: text.insert(at, text.substr(at, length)); break;
      case 3: {
        const std::string& other = files.empty() ? text : files[below(files.size())];
        const size_t from = below(other.size() + 1);
        text.insert(at, other.substr(from, below(64)));
        break;
      }
      case 4: text.insert(at, 1, "0123456789-+.eE()[]{},:;*/^|\"\n"[below(29)]); break;
      default: if (at < text.size()) text[at] = char(below(256));
    }
  }
  text.resize(std::min(text.size(), kLongest));
  return text;
}

}  // namespace

int main(int count, char** words) {
  if (count != 6) return 2;
  const auto reader = std::find_if(std::begin(kReaders), std::end(kReaders),
                                   [&](const NamedReader& r) { return std::strcmp(r.name, words[1]) == 0; });
  if (reader == std::end(kReaders)) return 2;
  const std::vector<std::string> files = files_of(words[2]);
  std::vector<std::string> inputs = files;
  std::mt19937 draw(uint32_t(std::stoul(words[4])));
  for (size_t runs = std::stoul(words[3]); runs > 0; --runs) inputs.push_back(changed(files, draw));
  // The input is shared with the process that reads it; the page after it is not readable.
  auto* page = static_cast<uint8_t*>(::mmap(nullptr, 2 * kLongest, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  auto* length = static_cast<size_t*>(::mmap(nullptr, kLongest, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  if (page == MAP_FAILED || length == MAP_FAILED || ::mprotect(page + kLongest, kLongest, PROT_NONE) != 0) return 2;
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit memory{rlim_t{2} << 30, rlim_t{2} << 30}, no_core{0, 0};
    if (::setrlimit(RLIMIT_AS, &memory) != 0 || ::setrlimit(RLIMIT_CORE, &no_core) != 0) ::_exit(2);
    for (const std::string& input : inputs) {
      *length = input.size();
      std::memcpy(page + kLongest - input.size(), input.data(), input.size());
      ::alarm(10);
      (void)reader->read(page + kLongest - input.size(), input.size());
    }
    ::_exit(0);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return 2;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
    std::printf("%s: %zu inputs\n", reader->name, inputs.size());
    return 0;
  }
  const std::string kept = std::string(words[5]) + "-" + reader->name;
  std::ofstream(kept, std::ios::binary).write(reinterpret_cast<const char*>(page + kLongest - *length), std::streamsize(*length));
  std::printf("%s: an input of %zu bytes ends the reader by %s; it is kept as %s\n", reader->name, *length,
              WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "an exit", kept.c_str());
  return 1;
}

#endif  // ASSAY_FUZZES_ALL
