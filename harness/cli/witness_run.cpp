// assay witness run: calls a library on recorded inputs and stores its outputs.
#include <fmt/format.h>

#include "harness/cli/places.h"
#include "harness/cli/provenance.h"
#include "harness/cli/verbs.h"
#include "harness/run/match.h"
#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/glob.h"
#include "harness/text/printable.h"
#include "harness/witness/witness.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

std::string place_of(const LibraryInfo& library) {
  std::string text = library.device.empty() ? library.arch : library.device + " " + library.arch;
  if (!library.driver.empty()) text += ", driver " + library.driver;
  if (!library.toolkit.empty()) text += ", CUDA " + library.toolkit;
  return printable(text);
}

const KernelOffer* kernel_for(const Backend& backend, const WitnessCall& call, const std::string& name) {
  for (const KernelOffer& kernel : backend.library.kernels)
    if (glob_match(name, kernel.name) && why_not_offered(kernel, call.one).empty()) return &kernel;
  return nullptr;
}

/// The calls that the library answers, with outputs. Prints one line for each call that it does not answer.
Witness answered(const Backend& backend, Witness inputs, const WitnessArguments& arguments) {
  Witness witness{
      "", inputs.op, inputs.contract, {arguments.package, "", arguments.flags, place_of(backend.library), today()}, {}};
  for (WitnessCall& call : inputs.calls) {
    const KernelOffer* const kernel = kernel_for(backend, call, arguments.kernel);
    if (kernel == nullptr) continue;
    call.result = backend.call({inputs.op, inputs.contract, kernel->name, &call.problem, 1});
    if (call.result.status == CallStatus::kDeviceLost) throw HarnessError("the device was lost: " + call.result.message);
    if (call.result.status != CallStatus::kOk) {
      fmt::print("{}: {} {}: {}\n", inputs.contract, kernel->name, call.from, printable(call.result.message));
      continue;
    }
    witness.origin.kernel = kernel->name;
    witness.calls.push_back(std::move(call));
  }
  return witness;
}

}  // namespace

int run_witnesses(const WitnessArguments& arguments) {
  if (arguments.backend.empty() || arguments.folder.empty() || arguments.package.empty())
    throw UsageError("witness run needs --backend, --package and --folder");
  open_contracts(arguments.suites);
  const Backend backend = open_backend(*arguments.suites.ops, {arguments.backend, false, arguments.timeout_seconds});
  int64_t written = 0, elements = 0;
  for (const std::string& folder :
       arguments.targets.empty() ? std::vector<std::string>{data_root() + "/golden/witness"} : arguments.targets) {
    for (const std::string& file : witness_files(folder)) {
      Witness inputs = read_witness(file, [&](const std::string& name) -> const Op& { return arguments.suites.ops->find(name); });
      if (!glob_match(arguments.contract, inputs.contract)) continue;
      const Witness witness = answered(backend, std::move(inputs), arguments);
      if (witness.calls.empty()) continue;
      write_atomically(arguments.folder + "/" + witness.op + "/" + witness.contract + ".safetensors", witness_text(witness));
      ++written, elements += witness.output_elements();
    }
  }
  fmt::print("{}: {} rows, {} outputs\n", arguments.package, written, elements);
  if (written == 0) throw UsageError("back end " + arguments.backend + " offers no contract of these witnesses");
  return kAllAsExpected;
}

}  // namespace assay
