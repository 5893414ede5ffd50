#include "harness/probe/ask.h"

#include <algorithm>

#include "harness/text/glob.h"

namespace assay {
namespace {

constexpr int kFreeExtent = 16;

/// The first value that the kernel accepts for a column, as a number; `free` if any value is accepted.
int cell_of(const KernelOffer& kernel, const char* column, int free) {
  const auto found = kernel.accepts.find(column);
  return found == kernel.accepts.end() || found->second.empty() ? free : std::atoi(found->second.front().c_str());
}

}  // namespace

std::vector<OfferedInstruction> offered_instructions(const LibraryInfo& library, const std::string& kernel_glob,
                                                     const std::string& contract_glob) {
  std::vector<OfferedInstruction> all;
  for (const KernelOffer& kernel : library.kernels) {
    if (kernel.op != "mma" || !glob_match(kernel_glob, kernel.name)) continue;
    for (const std::string& contract : kernel.contracts)
      if (glob_match(contract_glob, contract))
        all.push_back({&kernel, contract, cell_of(kernel, "m", kFreeExtent), cell_of(kernel, "n", kFreeExtent),
                       cell_of(kernel, "warp", 32)});
  }
  return all;
}

Ask ask_of(const Backend& backend, const OfferedInstruction& offered) {
  return [&backend, offered](const Tiles& tiles) {
    Problem problem = tiles.problem();
    problem.parameters = {{"warp", double(offered.warp)}};
    const CallResult result = backend.call({"mma", offered.contract, offered.kernel->name, &problem, 1});
    if (result.status == CallStatus::kDeviceLost) throw DeviceLostError("device lost: " + result.message);
    if (result.status != CallStatus::kOk) throw ProbeError(result.message);
    if (result.outputs.size() != 1 || !result.untouched.front().empty())
      throw ProbeError("some elements of d were never written");
    const HostTensor& d = result.outputs.front();
    std::vector<uint32_t> codes(size_t(d.spec.elements()));
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = d.code(int64_t(i));
    return codes;
  };
}

}  // namespace assay
