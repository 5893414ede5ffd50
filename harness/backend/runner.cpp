#include "harness/backend/runner.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "harness/backend/abi_call.h"
#include "harness/backend/sentinel.h"
#include "harness/backend/ways.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;

bool is_output(const HostTensor& tensor) { return tensor.spec.role == Role::kOutput; }
bool is_in_place(const HostTensor& tensor) { return is_output(tensor) && !tensor.bytes.empty(); }

/// What the tensors' storage holds before the call: their own bytes, or a sentinel where only the call is to write.
class Before {
 public:
  Before(const std::vector<HostTensor>& tensors, int sentinel) : tensors_(tensors), sentinels_(tensors.size()) {
    for (size_t i = 0; i < tensors.size(); ++i)
      if (is_output(tensors[i]) && !is_in_place(tensors[i])) sentinels_[i] = sentinel_storage(tensors[i].spec, sentinel);
  }
  std::span<const std::byte> operator[](size_t i) const { return sentinels_[i].empty() ? tensors_[i].bytes : sentinels_[i]; }

 private:
  const std::vector<HostTensor>& tensors_;
  std::vector<std::vector<std::byte>> sentinels_;
};

std::string input_damage(const HostTensor& tensor, std::span<const std::byte> now) {
  if (tensor.bytes.empty() || std::memcmp(tensor.bytes.data(), now.data(), now.size()) == 0) return "";
  const auto [was, is] = std::mismatch(tensor.bytes.begin(), tensor.bytes.end(), now.begin());
  const int64_t element = (was - tensor.bytes.begin()) / tensor.spec.format->bytes();
  return "input '" + tensor.spec.name + "' was changed, first at storage element " + std::to_string(element);
}

}  // namespace

CallResult Runner::run_once(const CallRequest& request, int sentinel) {
  const std::vector<HostTensor>& tensors = request.problem->tensors;
  while (blocks_.size() < tensors.size()) blocks_.emplace_back(functions_);
  const Before before(tensors, sentinel);
  std::string problem;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (before[i].size() != tensors[i].spec.bytes()) {
      throw std::logic_error("tensor '" + tensors[i].spec.name + "' holds " + std::to_string(before[i].size()) +
                             " bytes, its spec says " + std::to_string(tensors[i].spec.bytes()));
    }
    if (!blocks_[i].upload(before[i], problem)) return refused(CallStatus::kDeviceLost, tensors[i].spec.name + ": " + problem);
  }

  AbiCall abi(request, blocks_);
  const auto reset_outputs = [&] {
    for (size_t i = 0; i < tensors.size(); ++i)
      if (is_output(tensors[i]) && !blocks_[i].upload(before[i], problem)) return false;
    return functions_->synchronise == nullptr || functions_->synchronise(nullptr) == ASSAY_OK;
  };
  const Clock::time_point start = Clock::now();
  const Execution execution = execute(*functions_, abi.call, request.way, reset_outputs);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (execution.status != ASSAY_OK) return refused_by(execution, abi);

  CallResult result;
  result.seconds = seconds;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (!blocks_[i].download(problem)) return refused(CallStatus::kDeviceLost, tensors[i].spec.name + ": " + problem);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string damage = blocks_[i].guard_damage();
    if (!damage.empty()) return refused(CallStatus::kBroken, "wrote outside '" + tensors[i].spec.name + "': " + damage);
  }
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::span<const std::byte> now = blocks_[i].downloaded();
    if (!is_output(tensors[i])) {
      const std::string damage = input_damage(tensors[i], now);
      if (!damage.empty()) return refused(CallStatus::kBroken, damage);
      continue;
    }
    result.untouched.push_back(unchanged_ranges(tensors[i].spec, before[i], now));
    result.in_place.push_back(is_in_place(tensors[i]));
    result.outputs.push_back({tensors[i].spec, {now.begin(), now.end()}});
  }
  return result;
}

CallResult Runner::call(const CallRequest& request) {
  CallResult first = run_once(request, 0);
  bool unclear = false;
  for (size_t i = 0; i < first.untouched.size(); ++i) unclear |= !first.in_place[i] && !first.untouched[i].empty();
  if (!unclear) return first;

  CallResult second = run_once(request, 1);
  if (second.status != CallStatus::kOk) return second;
  for (size_t i = 0; i < second.untouched.size(); ++i) {
    second.untouched[i] = intersection(first.untouched[i], second.untouched[i]);
  }
  second.seconds = first.seconds;
  return second;
}

}  // namespace assay
