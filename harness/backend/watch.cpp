#include "harness/backend/watch.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "harness/backend/abi_call.h"
#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

TensorSpec as(TensorSpec spec, Role role) {
  spec.role = role;
  return spec;
}

/// Warp size of the device, which the on-device checker needs for its own kernels.
double warp_of(const LibraryInfo& info) {
  const auto accepts = info.kernels.at(0).accepts.find("warp");
  return accepts == info.kernels.at(0).accepts.end() ? 32 : std::stod(accepts->second.front());
}

WatchedResult unseen(CallResult call) { return {std::move(call), {}}; }

}  // namespace

CallResult Watch::ask(const char* kernel, Role of_x_and_q, const CallRequest& about, uint32_t first, int64_t steps,
                      int64_t counts) {
  const std::vector<HostTensor>& tensors = about.problem->tensors;
  Problem problem{{{as(tensors[0].spec, of_x_and_q), {}},
                   {as(tensors[1].spec, of_x_and_q), {}},
                   {dense("steps", Role::kInput, kInt32, {steps, 2}), {}},
                   {dense("wrong", Role::kOutput, kInt32, {1, counts}), {}}},
                  {{"warp", warp_of(watch_.info)}, {"first", double(first)}}};
  const CallRequest request{.op = kernel, .contract = "watch", .kernel = kernel, .problem = &problem};
  AbiCall call(request, blocks_);
  const Execution execution = execute(*watch_.functions, call.call, LaunchMode::kDefault, [] { return true; });
  if (execution.status == ASSAY_OK) return {};
  CallResult result = refused_by(execution, call);
  result.message.insert(0, "on-device checker: ");
  return result;
}

WatchedResult Watch::call(const CallRequest& request, uint32_t first, const std::vector<CodeStep>& steps) {
  const std::vector<HostTensor>& tensors = request.problem->tensors;
  constexpr auto kEach = int64_t(SweepCalls::kWatchedInputs);
  const int64_t counts = (tensors.at(0).spec.elements() + kEach - 1) / kEach;
  if (blocks_.empty())
    for (const auto& functions : {tested_, tested_, watch_.functions, watch_.functions}) blocks_.emplace_back(functions);

  std::vector<int32_t> table, none(size_t(counts), -1);
  for (const CodeStep& step : steps) table.insert(table.end(), {int32_t(step.last), int32_t(step.code)});
  std::string problem;
  if (!blocks_[0].enclose(tensors[0].spec.bytes(), problem) || !blocks_[1].enclose(tensors[1].spec.bytes(), problem) ||
      !blocks_[2].upload(std::as_bytes(std::span(table)), problem) || !blocks_[3].upload(std::as_bytes(std::span(none)), problem))
    return unseen(refused(CallStatus::kUnsupported, problem));
  const int64_t rows = int64_t(steps.size());
  if (CallResult asked = ask("watch_prepare", Role::kOutput, request, first, rows, counts); asked.status != CallStatus::kOk)
    return unseen(asked);

  AbiCall call(request, blocks_);
  const auto start = std::chrono::steady_clock::now();
  const Execution execution = execute(*tested_, call.call, request.mode, [] { return true; });
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (execution.status != ASSAY_OK) return unseen(refused_by(execution, call));

  if (CallResult asked = ask("watch_compare", Role::kInput, request, first, rows, counts); asked.status != CallStatus::kOk)
    return unseen(asked);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!blocks_[i].download_guards(problem))
      return unseen(refused(CallStatus::kDeviceLost, tensors[i].spec.name + ": " + problem));
    const std::string damage = blocks_[i].guard_damage();
    if (!damage.empty()) return unseen(refused(CallStatus::kBroken, "wrote outside '" + tensors[i].spec.name + "': " + damage));
  }
  if (!blocks_[3].download(problem)) return unseen(refused(CallStatus::kDeviceLost, problem));
  WatchedResult result;
  result.call.seconds = seconds;
  result.wrong.resize(size_t(counts));
  std::memcpy(result.wrong.data(), blocks_[3].downloaded().data(), blocks_[3].downloaded().size());
  if (std::any_of(result.wrong.begin(), result.wrong.end(), [](int32_t wrong) { return wrong < 0; }))
    return unseen(refused(CallStatus::kUnsupported, "the on-device checker failed: it did not count the wrong codes"));
  return result;
}

FoundWatch find_watch(const Library& tested, const std::vector<fs::path>& folders) {
  if (tested.functions->upload == nullptr) return {};
  std::string why;
  for (const fs::path& folder : folders) {
    std::error_code missing;
    for (const auto& entry : fs::directory_iterator(folder, missing)) {
      const std::string file = entry.path().filename().string();
      if (!file.starts_with("assay_watch_") || !file.ends_with(".so")) continue;
      try {
        Library watch = open_library(entry.path().string());
        if (watch.functions->upload == nullptr) continue;  // this checker works on host memory
        if (watch.info.arch == tested.info.arch) return {std::make_shared<Watch>(tested.functions, std::move(watch)), ""};
        why += "; " + file + " is for " + watch.info.arch;
      } catch (const std::exception& error) {
        why += "; " + std::string(error.what());
      }
    }
  }
  return {nullptr, why.empty() ? "" : "sweeps over all codes are checked on the host, because no on-device checker works" + why};
}

}  // namespace assay
