#include "harness/cli/arch_backend.h"

#include <fmt/format.h>

#include <array>
#include <mutex>

#include "harness/cli/arch_data.h"
#include "harness/cli/arch_observed.h"
#include "harness/cli/ending.h"
#include "harness/cli/places.h"
#include "harness/core/blocks.h"
#include "harness/probe/ask.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/printable.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Result for one chain length.
struct Chain {
  int64_t elements = 0, differ = 0;
  uint64_t digest = 0;
  std::string first;    ///< first element that differs
  std::string trouble;  ///< why there are no outputs
  bool device_lost = false;
};

/// Calls are serialized; operands and predictions are computed on all cores.
class Verification {
 public:
  explicit Verification(const Backend& backend) : backend_(backend) {}

  Chain run(const OfferedInstruction& offered, const UnitCalls& calls, int64_t steps) {
    MmaCase c = calls.chain(steps);
    c.warp = offered.warp;
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
    const HostTensor predicted = predicted_d(c, problem);
    const int64_t of_tile = c.m * c.n;
    const int digits = (c.unit().d->bits + 3) / 4;
    chain.elements = c.tiles * of_tile;
    for (int64_t i = 0; i < chain.elements; ++i) {
      const uint32_t given = d.code(i), right = predicted.code(i);
      if (given != right && chain.differ++ == 0)
        chain.first = fmt::format("first at tile {}, d[{}, {}]: returned {:0{}x}, predicted {:0{}x}", i / of_tile, i % of_tile / c.n,
                                  i % c.n, given, digits, right, digits);
    }
    chain.digest = digest_of(d);
  }

  const Backend& backend_;
  std::mutex one_call_;
  bool lost_ = false;
};

struct Line {
  OfferedInstruction offered;
  UnitCalls calls;
  std::array<Chain, kUnitChains.size()> chains;
};

std::vector<Line> lines_of(const std::vector<OfferedInstruction>& offered, const ArchArguments& arguments) {
  std::vector<Line> lines;
  for (const OfferedInstruction& one : offered) {
    const UnitRow& row = rulebook().units.find(one.contract);
    if (!row.unit.known()) continue;
    for (const UnitFills& fills : fills_of(row.unit))
      lines.push_back({one, {&row, &fills, one.m, one.n, arguments.elements, arguments.seed}, {}});
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
  fmt::print("{:<28} {:<20} {} of {}{}{}\n", line.offered.contract, line.calls.fills->words, elements - differ, elements, digests,
             rest.empty() ? "" : "  " + rest);
}

}  // namespace

int verify_backend(const ArchArguments& arguments) {
  if (!arguments.output.empty()) require_writable(arguments.output);
  open_contracts(arguments.suites);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  end_on_signals();
  const LibraryInfo& library = backend.library;
  std::vector<Line> lines = lines_of(offered_instructions(library, arguments.kernel, arguments.unit), arguments);
  if (lines.empty()) throw UsageError("NOTHING RAN: back end " + arguments.backend + " offers no known instruction that matches --unit");
  fmt::print("{}\n",
             printable(fmt::format("{} on {}, driver {}, toolkit {}: seed {}, chains of 1, 2, 4 and 128 instructions, XXH3 of d",
                                   library.name, library.device, library.driver, library.toolkit, arguments.seed)));
  Verification verification(backend);
  for_each_in_parallel(int64_t(lines.size() * kUnitChains.size()), [&](int64_t i) {
    if (ended_by() != nullptr) return;
    Line& line = lines[size_t(i) / kUnitChains.size()];
    const size_t length = size_t(i) % kUnitChains.size();
    line.chains[length] = verification.run(line.offered, line.calls, kUnitChains[length]);
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
  if (!arguments.output.empty()) {
    if (differ + silent > 0) {
      fmt::print("{} is not written: not all is as predicted\n", arguments.output);
    } else {
      std::vector<ObservedUnit> observed;
      for (const Line& line : lines) {
        observed.push_back({line.calls, {}});
        for (size_t i = 0; i < kUnitChains.size(); ++i) observed.back().digests[i] = line.chains[i].digest;
      }
      write_observed_units(arguments.output, library, observed);
    }
  }
  return lost ? kDeviceLost : differ + silent > 0 ? kUnexpected : kAllAsExpected;
}

}  // namespace assay
