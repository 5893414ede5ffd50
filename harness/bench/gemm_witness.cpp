// Measures how fast a device predicts a whole tensor core GEMM (kernels/watch), and checks a sample of the prediction against the
// reference.
//
//   assay_gemm_witness WATCH_LIBRARY [M N K] [--mislead]     (4096 4096 7168)
//
// Prints one line per instruction, promotion mode and kind of data. Exit code 1 if an element of the sample differs. With
// --mislead the model on the device keeps one bit less, so every GEMM should differ; exit code 1 if one does not.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "harness/backend/abi_call.h"
#include "harness/backend/library.h"
#include "harness/fill/fill.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {
namespace {

constexpr int kRuns = 5;      ///< the fastest run counts
constexpr int kSampled = 48;  ///< the host, too, predicts this many rows and columns of d

struct Size {
  int64_t m, n, k;
};

/// An instruction, and its promotion: the number of instructions after which the accumulator is added to an fp32 sum; 0: never.
struct Way {
  const char* unit;
  int promote;
};
constexpr Way kWays[] = {{"sm_90.wgmma.e4m3.f32", 0},
                         {"sm_90.wgmma.e4m3.f32", 4},
                         {"sm_90.wgmma.e5m2.f32", 0},
                         {"sm_90.wgmma.e4m3_e5m2.f32", 0},
                         {"sm_89.mma.e4m3.f32", 0}};

/// Kinds of operands. "uniform bits": random codes, with NaN in one row only. "near 1": each addition loses bits.
constexpr const char* kKinds[] = {"near 1", "uniform bits", "sparse"};

uint32_t code_of_kind(const Format& f, const std::string& kind, const Random& random, int64_t at) {
  const uint32_t bits = random.word(at);
  if (kind == "uniform bits") return std::isfinite(decode(f, bits & 0xff)) ? bits & 0xff : bits & 0x7;
  if (kind == "sparse" && random.below(4, at, 1) != 0) return bits & 0x80;
  const double x = std::ldexp(1 + random.uniform(at, 2), int(random.below(6, at, 3)) - 4);
  return code_of(f, round_to(f, bits >> 31 ? -x : x, Rounding::kNearestEven, Overflow::kSaturate));
}

HostTensor factor(const char* role, const Format& f, int64_t rows, int64_t k, const std::string& kind, uint32_t stream) {
  HostTensor t{dense(role, Role::kInput, f, {rows, k}), {}};
  t.bytes.resize(t.spec.bytes());
  const Random random(1, stream);
  // The codes repeat with a prime period: generating all of them would take longer than the prediction.
  std::vector<std::byte> codes(1'000'003);
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = std::byte(code_of_kind(f, kind, random, int64_t(i)));
  for (size_t i = 0; i < t.bytes.size(); ++i) t.bytes[i] = codes[i % codes.size()];
  if (kind == "uniform bits") t.bytes[size_t(3 * k + 5)] = std::byte(code_of(f, std::nan("")));
  return t;
}

/// The rows of an operand that are in the sample.
std::vector<std::byte> rows_of(const HostTensor& t, const std::vector<int64_t>& rows) {
  std::vector<std::byte> all;
  const int64_t k = t.spec.shape[1];
  for (const int64_t row : rows) all.insert(all.end(), t.bytes.begin() + row * k, t.bytes.begin() + (row + 1) * k);
  return all;
}

std::vector<int64_t> sample_of(int64_t count, uint32_t stream) {
  const Random random(2, stream);
  std::vector<int64_t> rows = {0, std::min<int64_t>(3, count - 1), count - 1};
  while (rows.size() < kSampled) rows.push_back(random.below(count, int64_t(rows.size())));
  return rows;
}

/// The reference's prediction of the sample; promotion is the same as on the device.
std::vector<float> predicted(const Unit& unit, const Way& way, const HostTensor& a, const HostTensor& b,
                             const std::vector<int64_t>& rows, const std::vector<int64_t>& columns) {
  const int64_t k = a.spec.shape[1], step = way.promote == 0 ? k : int64_t(way.promote) * unit.k;
  const std::vector<std::byte> of_a = rows_of(a, rows), of_b = rows_of(b, columns);
  const UnitProduct product{{of_a.data(), k}, {of_b.data(), k}, k};
  std::vector<float> sums(rows.size() * columns.size());
  for (int64_t first = 0; first < k; first += step) {
    std::vector<uint32_t> d(sums.size());
    accumulate(unit, product, {0, int64_t(rows.size()), 0, int64_t(columns.size())}, first, std::min(k, first + step), d.data(),
               int64_t(columns.size()));
    for (size_t i = 0; i < d.size(); ++i) {
      float part;
      std::memcpy(&part, &d[i], sizeof part);
      sums[i] = way.promote == 0 ? part : sums[i] + part;
    }
  }
  return sums;
}

class Witness {
 public:
  Witness(const std::string& path, bool misled) : library_(open_library(path)), misled_(misled) {}

  /// Bits of d; `seconds` is set to the time of the fastest run.
  std::vector<uint32_t> run(const Unit& unit, const Way& way, const HostTensor& a, const HostTensor& b, double& seconds) {
    const int64_t m = a.spec.shape[0], n = b.spec.shape[0];
    Problem problem{{{a.spec, {}}, {b.spec, {}}, {dense("d", Role::kOutput, kF32, {m, n}), {}}},
                    {{"warp", warp()},
                     {"fraction_bits", double(unit.fraction_bits - int(misled_))},
                     {"result_bits", double(unit.result_bits)},
                     {"take", double(unit.take)},
                     {"promote", double(way.promote * (unit.k / unit.take))}}};
    std::string trouble;
    std::vector<DeviceBlock> blocks;
    for (int i = 0; i < 3; ++i) blocks.emplace_back(library_.functions);
    if (!blocks[0].upload(a.bytes, trouble) || !blocks[1].upload(b.bytes, trouble) ||
        !blocks[2].enclose(problem.tensors[2].spec.bytes(), trouble))
      throw HarnessError(trouble);
    const CallRequest request{.op = "watch_product", .contract = "watch", .kernel = "watch_product", .problem = &problem};
    AbiCall call(request, blocks);
    seconds = HUGE_VAL;
    for (int i = 0; i < kRuns; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      const Execution done = execute(*library_.functions, call.call, LaunchMode::kDefault, [] { return true; });
      if (done.status != ASSAY_OK) throw HarnessError(done.trouble + " " + call.words());
      seconds = std::min(seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    if (!blocks[2].download(trouble)) throw HarnessError(trouble);
    std::vector<uint32_t> d(size_t(m * n));
    std::memcpy(d.data(), blocks[2].downloaded().data(), d.size() * sizeof d[0]);
    return d;
  }

  const LibraryInfo& info() const { return library_.info; }

 private:
  double warp() const {
    const auto accepts = library_.info.kernels.at(0).accepts.find("warp");
    return accepts == library_.info.kernels.at(0).accepts.end() ? 32 : std::stod(accepts->second.front());
  }
  Library library_;
  bool misled_;
};

/// Prints a line for one GEMM. Returns the number of sampled elements in which device and reference differ.
int64_t judge(Witness& witness, const Unit& unit, const Way& way, const Size& size, const char* kind) {
  const HostTensor a = factor("a", *unit.a, size.m, size.k, kind, 1), b = factor("b", *unit.b, size.n, size.k, kind, 2);
  double seconds = 0;
  const std::vector<uint32_t> d = witness.run(unit, way, a, b, seconds);
  const std::vector<int64_t> rows = sample_of(size.m, 1), columns = sample_of(size.n, 2);
  const std::vector<float> expected = predicted(unit, way, a, b, rows, columns);
  int64_t differ = 0, unpredicted = 0;
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < columns.size(); ++j) {
      const uint32_t got = d[size_t(rows[i] * size.n + columns[j])];
      const float right = expected[i * columns.size() + j];
      uint32_t bits;
      std::memcpy(&bits, &right, sizeof bits);
      if (got == 0xffffffffu && !std::isfinite(right))
        ++unpredicted;
      else
        differ += got != bits;
    }
  uint64_t digest = 14695981039346656037ull;  // FNV-1a over 32-bit words
  for (const uint32_t word : d) digest = (digest ^ word) * 1099511628211ull;
  fmt::print(
      "{:<26} {:<12} {:<13} {:9.3f} ms  {:.3e} products/s  {} of {} sampled elements equal the reference, {} not predicted on "
      "the device  {:016x}\n",
      unit.id, way.promote == 0 ? "one chain" : fmt::format("promoted/{}", way.promote * unit.k), kind, seconds * 1e3,
      double(size.m) * double(size.n) * double(size.k) / seconds, int64_t(rows.size() * columns.size()) - differ - unpredicted,
      rows.size() * columns.size(), unpredicted, digest);
  return differ;
}

int run(const std::string& path, const Size& size, bool misled) {
  Witness witness(path, misled);
  const char* const root = std::getenv("ASSAY_DATA");
  const UnitTable units = UnitTable::load(std::string(root ? root : ASSAY_SOURCE_DIR) + "/reference/contracts/units.csv");
  fmt::print("{} on {}: {} x {} x {}\n", witness.info().name, witness.info().device, size.m, size.n, size.k);
  int64_t differ = 0, agree = 0;
  for (const Way& way : kWays)
    for (const char* kind : kKinds) {
      const int64_t found = judge(witness, units.find(way.unit).unit, way, size, kind);
      differ += found, agree += found == 0;
    }
  if (misled)
    return fmt::print("with a planted mistake, {} of 15 GEMMs still agree with the reference\n", agree),
           agree == 0 ? kAllAsExpected : kUnexpected;
  fmt::print("{}\n",
             differ == 0 ? "every sampled element equals the reference" : "SOME SAMPLED ELEMENTS DIFFER FROM THE REFERENCE");
  return differ == 0 ? kAllAsExpected : kUnexpected;
}

}  // namespace
}  // namespace assay

int main(int argc, char** argv) {
  const bool misled = argc > 2 && std::string_view(argv[argc - 1]) == "--mislead";
  argc -= int(misled);
  if (argc != 2 && argc != 5)
    return std::fprintf(stderr, "usage: assay_gemm_witness WATCH_LIBRARY [M N K] [--mislead]\n"), assay::kUsageOrNothingRan;
  assay::Size size{4096, 4096, 7168};
  if (argc == 5) size = {std::atoll(argv[2]), std::atoll(argv[3]), std::atoll(argv[4])};
  try {
    return assay::run(argv[1], size, misled);
  } catch (const assay::NoDeviceError& error) {
    return std::fprintf(stderr, "%s\n", error.what()), assay::kNoDevice;
  } catch (const std::exception& error) {
    return std::fprintf(stderr, "%s\n", error.what()), assay::kHarnessFailed;
  }
}
