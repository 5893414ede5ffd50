#include "harness/cli/arch_backend.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <mutex>
#include <optional>

#include "harness/cli/ending.h"
#include "harness/cli/places.h"
#include "harness/core/blocks.h"
#include "harness/core/error.h"
#include "harness/core/printable.h"
#include "harness/probe/ask.h"
#include "suites/mma/mma_case.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// The distributions that units were measured with, as fills of a, b, c and scales.
struct Data {
  const char *words, *a, *b, *c, *scale;
};
constexpr std::array<Data, 8> kData = {{{"uniform bits", "uniform_bits", "uniform_bits", "uniform_bits", "scales"},
                                        {"near 1", "near_one", "near_one", "near_one", "scales"},
                                        {"sparse, signed zeros", "half_zeros", "half_zeros", "half_zeros", "scales"},
                                        {"tiny and subnormal", "tiny", "tiny", "tiny", "scales"},
                                        {"cancelling pairs", "pairs", "opposite_pairs", "half_zeros", "scales"},
                                        {"near overflow", "near_overflow", "near_overflow", "huge", "scales"},
                                        {"very sparse", "mostly_zeros", "mostly_zeros", "mostly_zeros", "scales"},
                                        {"special values", "specials", "specials", "specials", "specials"}}};
constexpr std::array<int64_t, 4> kChains = {1, 2, 4, 128};

/// What came back for one length of chains.
struct Chain {
  int64_t elements = 0, differ = 0;
  uint64_t digest = 0;
  std::string first;    ///< element that differs
  std::string trouble;  ///< why nothing came back
  bool device_lost = false;
};

/// The fill of c: where products do not come near the end of d, a c that does would hide them.
std::string fill_of_c(const Data& data, const Unit& unit) {
  const bool reaches = max_finite(*unit.a) * max_finite(*unit.b) >= max_finite(*unit.d) / 4;
  return std::string(data.c) == "huge" && !reaches ? "half_zeros" : data.c;
}

/// Calls are made one at a time; operands and predictions are made on all cores.
class Verification {
 public:
  Verification(const Backend& backend, const ArchArguments& arguments) : backend_(backend), arguments_(arguments) {}

  Chain run(const OfferedInstruction& offered, const Data& data, int64_t steps) {
    const UnitRow& row = rulebook().units.find(offered.contract);
    MmaCase c;
    c.row = &row;
    c.m = offered.m, c.n = offered.n, c.steps = steps, c.warp = offered.warp, c.seed = arguments_.seed;
    c.tiles = std::max<int64_t>(1, (arguments_.elements + c.m * c.n - 1) / (c.m * c.n));
    c.fill = data.a, c.b = data.b, c.c = fill_of_c(data, row.unit);
    if (row.unit.scale) c.scale = data.scale;
    const Problem problem = mma_problem(c);
    Chain chain;
    const CallResult result = called(offered, problem);
    if (result.status != CallStatus::kOk || result.outputs.size() != 1 || !result.untouched.front().empty()) {
      chain.trouble = result.status == CallStatus::kOk ? "some elements of d were never written" : result.message;
      chain.device_lost = result.status == CallStatus::kDeviceLost;
      return chain;
    }
    compare(c, problem, result.outputs.front(), chain);
    return chain;
  }

 private:
  CallResult called(const OfferedInstruction& offered, const Problem& problem) {
    const std::lock_guard lock(one_call_);
    if (lost_) {
      CallResult none;
      none.status = CallStatus::kNotCalled;
      none.message = "not called: the device was lost";
      return none;
    }
    CallResult result = backend_.call({"mma", offered.contract, offered.kernel->name, &problem, 1});
    lost_ = result.status == CallStatus::kDeviceLost;
    return result;
  }

  static void compare(const MmaCase& c, const Problem& problem, const HostTensor& d, Chain& chain) {
    const HostTensor& addend = find(problem.tensors, "c");
    const int64_t of_tile = c.m * c.n;
    std::vector<uint32_t> codes(static_cast<size_t>(of_tile));
    for (int64_t tile = 0; tile < c.tiles; ++tile) {
      for (int64_t i = 0; i < of_tile; ++i) codes[size_t(i)] = addend.code(tile * of_tile + i);
      accumulate(c.unit(), tile_of(c, problem, tile), {0, c.m, 0, c.n}, 0, c.k(), codes.data(), c.n);
      for (int64_t i = 0; i < of_tile; ++i) {
        const uint32_t given = d.code(tile * of_tile + i);
        if (given != codes[size_t(i)] && chain.differ++ == 0)
          chain.first = fmt::format("first at tile {}, d[{}, {}]: returned {:0{}x}, predicted {:0{}x}", tile, i / c.n, i % c.n,
                                    given, (c.unit().d->bits + 3) / 4, codes[size_t(i)], (c.unit().d->bits + 3) / 4);
      }
    }
    chain.elements = c.tiles * of_tile;
    chain.digest = XXH3_64bits(d.bytes.data(), d.bytes.size());
  }

  const Backend& backend_;
  const ArchArguments& arguments_;
  std::mutex one_call_;
  bool lost_ = false;
};

struct Line {
  OfferedInstruction offered;
  const Data* data;
  std::array<Chain, kChains.size()> chains;
};

/// Integers have no distributions: all bits are one.
std::vector<Line> lines_of(const std::vector<OfferedInstruction>& offered) {
  std::vector<Line> lines;
  for (const OfferedInstruction& one : offered) {
    const Unit& unit = rulebook().units.find(one.contract).unit;
    if (!unit.known()) continue;
    for (const Data& data : kData)
      if (unit.d->specials != Specials::kInteger || &data == &kData[0]) lines.push_back({one, &data, {}});
  }
  return lines;
}

void print(const Line& line) {
  int64_t elements = 0, differ = 0;
  std::string digests, first, trouble;
  for (const Chain& chain : line.chains) {
    elements += chain.elements, differ += chain.differ;
    digests += fmt::format(" {:016x}", chain.digest);
    if (first.empty()) first = chain.first;
    if (trouble.empty()) trouble = chain.trouble;
  }
  const std::string rest = !trouble.empty() ? "NO ANSWER: " + printable(trouble) : first;
  fmt::print("{:<28} {:<20} {} of {}{}{}\n", line.offered.contract, line.data->words, elements - differ, elements, digests,
             rest.empty() ? "" : "  " + rest);
}

}  // namespace

int verify_backend(const ArchArguments& arguments) {
  open_rulebook(data_root(), more_contracts());
  const Backend backend = open_backend({arguments.backend, false, arguments.timeout_seconds});
  end_on_signals();
  const LibraryInfo& library = backend.library;
  std::vector<Line> lines = lines_of(offered_instructions(library, arguments.kernel, arguments.unit));
  if (lines.empty()) throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no such unit that is known");
  fmt::print("{}\n",
             printable(fmt::format("{} on {}, driver {}, toolkit {}: seed {}, chains of 1, 2, 4 and 128 instructions, XXH3 of d",
                                   library.name, library.device, library.driver, library.toolkit, arguments.seed)));
  Verification verification(backend, arguments);
  for_each_in_parallel(int64_t(lines.size() * kChains.size()), [&](int64_t i) {
    if (ended_by() != nullptr) return;
    Line& line = lines[size_t(i) / kChains.size()];
    const size_t length = size_t(i) % kChains.size();
    line.chains[length] = verification.run(line.offered, *line.data, kChains[length]);
  });
  int64_t elements = 0, differ = 0, silent = 0;
  bool lost = false;
  for (const Line& line : lines) {
    print(line);
    for (const Chain& chain : line.chains) {
      elements += chain.elements, differ += chain.differ, silent += !chain.trouble.empty();
      lost |= chain.device_lost;
    }
  }
  fmt::print("{} of {} elements are as predicted, {} differ; {} calls gave no answer\n", elements - differ, elements, differ,
             silent);
  if (ended_by() != nullptr) return exit_code_of_ending();
  return lost ? kDeviceLost : differ + silent > 0 ? kUnexpected : kAllAsExpected;
}

}  // namespace assay
