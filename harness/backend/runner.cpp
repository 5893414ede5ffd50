#include "harness/backend/runner.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <filesystem>

#include "harness/backend/abi_call.h"
#include "harness/backend/call_memory.h"
#include "harness/backend/library.h"
#include "harness/backend/throw_place.h"
#include "harness/backend/undefined_operations.h"
#include "harness/backend/worker_messages.h"
#include "harness/text/guarded_json.h"

namespace assay {

// A library's group of ranks, whose calls are made together.

Execution RankGroup::hold(int ranks) {
  if (ranks == ranks_) return {};
  destroy();
  if (ranks == 1) return {};
  if (functions_->create_group == nullptr) return {ASSAY_UNSUPPORTED, "the library has no groups of ranks: create_group is NULL"};
  handle_ = functions_->create_group(ranks);
  if (handle_ == nullptr)
    return {ASSAY_UNSUPPORTED, "the library cannot create a group of " + std::to_string(ranks) + " ranks here"};
  ranks_ = ranks;
  return {};
}

Execution RankGroup::join(int ranks, const RankPlace& place, const std::string& folder) {
  destroy();
  if (functions_->join_group == nullptr) return {ASSAY_UNSUPPORTED, "the library cannot run the ranks of a group in several processes: join_group is NULL"};
  std::error_code exists;
  std::filesystem::create_directory(folder, exists);
  const assay_place at{sizeof(assay_place), ranks, place.first, place.count, folder.c_str()};
  handle_ = functions_->join_group(&at);
  if (handle_ == nullptr)
    return {ASSAY_UNSUPPORTED, "the library cannot join a group of " + std::to_string(ranks) + " ranks here"};
  ranks_ = ranks;
  return {};
}

void RankGroup::destroy() {
  if (handle_ != nullptr) functions_->destroy_group(handle_);
  handle_ = nullptr;
  ranks_ = 1;
}

bool RankGroup::honours_streams() const {
  const nlohmann::json said = guarded_json(functions_->describe(), "describe()");
  return said.is_object() && said.contains("honours_group_streams") && said["honours_group_streams"] == true;
}

Execution RankGroup::run(const std::vector<const assay_call*>& calls) const {
  return {functions_->run_group(handle_, calls.data(), int32_t(calls.size()))};
}

Execution RankGroup::run_in_a_row(const std::vector<std::vector<const assay_call*>>& row) const {
  std::vector<const assay_call* const*> calls;
  for (const auto& one : row) calls.push_back(one.data());
  return {functions_->run_group_in_a_row(handle_, calls.data(), int32_t(row.size()), int32_t(row.front().size()))};
}

namespace {

// Runs calls of one library in this process and checks what they do to memory.

using Clock = std::chrono::steady_clock;

/// The first warm-up call whose tensors have the same sizes as the problem's; null if there is none.
const Problem* problem_of_same_sizes(const Problem& problem) {
  for (const Problem& earlier : problem.before) {
    bool same = earlier.tensors.size() == problem.tensors.size();
    for (size_t i = 0; same && i < problem.tensors.size(); ++i)
      same = earlier.tensors[i].spec.bytes() == problem.tensors[i].spec.bytes();
    if (same) return &earlier;
  }
  return nullptr;
}

/// Whether the case has the parameter "in_a_row": its calls are made without a wait between them.
bool goes_in_a_row(const CallRequest& request) {
  const auto& parameters = request.problem->parameters;
  return request.mode == LaunchMode::kDefault && !request.problem->before.empty() &&
         std::any_of(parameters.begin(), parameters.end(), [](const auto& p) { return p.first == "in_a_row" && p.second != 0; });
}

/// Result of a failed allocation: kDeviceLost for device memory, kNotCalled for host memory. Neither blames the kernel.
CallResult without_room(const assay_library& functions, const std::string& reason) {
  return functions.upload != nullptr ? lost(reason, false)
                                     : refused(CallStatus::kNotCalled, "not called: " + reason + " of memory");
}

/// Fills the 64 KiB of this thread's stack that the next call uses: its frames replace the frame of this function.
[[gnu::noinline]] void fill_stack(uint8_t byte) {
  std::array<uint32_t, 16384> below;
  uint32_t i = 0;
  for (uint32_t& word : below)  // all words differ, since equal values can cancel; as fp32 they have one sign and exponent
    word = uint32_t{byte} << 24 | (((i++ * 2654435761u >> 9) ^ (uint32_t{byte} * 0x10101u)) & 0x7fffffu);
  asm volatile("" : : "r"(below.data()) : "memory");  // so that the compiler does not remove the stores
}

}  // namespace

/// Destroys the group, and releases the memory that it owns.
void Runner::forget_group() {
  buffers_.clear();
  beside_.clear();
  workspaces_.clear();
  group_.destroy();
}

/// Whether the device still works after a failed call. The first synchronise() only clears an error that the failed call left
/// behind.
bool Runner::device_answers() {
  if (functions_->upload == nullptr) return true;
  if (functions_->synchronise != nullptr) (void)functions_->synchronise(nullptr);
  DeviceBlock probe(functions_);
  const std::array<std::byte, 256> bytes{};
  std::string reason;
  return probe.upload(bytes, reason) && probe.download(reason) &&
         (functions_->synchronise == nullptr || functions_->synchronise(nullptr) == ASSAY_OK);
}

/// Makes the calls of `row` on the uploaded buffers, one after the other, each for all ranks. Returns their status.
CallResult Runner::called(const std::vector<CallInRow>& row, size_t judged, int sentinel) {
  const CallRequest& request = row[judged].request;
  const int ranks = request.problem->ranks;
  CallRow calls(row, judged);
  const TensorNames names(*request.problem, buffers_);
  calls.remember_extents();
  std::string reason;
  try {
    if (!calls.take(workspaces_, group_.handle(), reason)) return refused(CallStatus::kUnsupported, "workspace: " + reason);
  } catch (const WorkspaceError& error) {
    return refused(CallStatus::kBroken, error.what());
  }
  // Outputs are reset before each replay, so that a replay that computes nothing is detected. In the first of two replays, ranks
  // have other inputs, so that stale data in a group's buffers and flags are detected.
  Problem other;
  const auto reset = [&](int replay) {
    const Problem* const earlier = replay == 1 ? problem_of_same_sizes(*request.problem) : nullptr;
    if (earlier != nullptr) other = *earlier;
    const std::vector<void*> places = buffers_.addresses();
    const bool done = ranks > 1
                          ? buffers_.upload(earlier != nullptr ? other : *request.problem, sentinel, group_.handle(), reason)
                          : buffers_.reset_outputs(reason);
    return done && places == buffers_.addresses() &&
           (functions_->synchronise == nullptr || functions_->synchronise(nullptr) == ASSAY_OK);
  };
  CallsToLaunch launch{calls.own_calls(),
                       [&] {
                         if (request.stack_fill != 0) fill_stack(request.stack_fill);
                         return ranks > 1 ? group_.run(calls.own()).status : functions_->run(calls.own().front());
                       },
                       reset};
  launch.repeatable =
      std::none_of(request.problem->tensors.begin(), request.problem->tensors.end(), [](const HostTensor& tensor) {
        return tensor.spec.role == Role::kOutput && (!tensor.bytes.empty() || !tensor.spec.shares.empty());
      });

  const Clock::time_point start = Clock::now();
  Execution execution;
  try {
    if (row.size() > 1)
      execution = group_.run_in_a_row(calls.all());
    else if (ranks > 1 && request.mode == LaunchMode::kDefault)
      execution = group_.run(calls.own());
    else
      execution = execute(*functions_, launch, request.mode);
  } catch (const std::exception& error) {
    return refused(CallStatus::kBroken,
                   row[judged].buffers->with_places(std::string("the library threw an exception: ") + error.what()));
  } catch (...) {
    return refused(CallStatus::kBroken, "the library threw an exception that is not a std::exception");
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  if (execution.status != ASSAY_OK) {
    CallResult ended = calls.not_well(execution);
    ended.message = row[judged].buffers->with_places(ended.message);
    return ended;
  }
  CallResult well = workspaces_.looked_at(calls.own());
  if (well.status != CallStatus::kOk) return well;
  well.seconds = seconds;
  if (ranks == 1) well.said = calls.said();
  return well;
}

/// Makes the warm-up calls on the same buffers and waits for each.
CallResult Runner::called_before(const CallRequest& request, int sentinel) {
  for (const Problem& earlier : request.problem->before) {
    Problem problem = earlier;
    problem.parameters = request.problem->parameters;
    CallRequest call = request;
    call.problem = &problem;
    std::string reason;
    if (!buffers_.upload(problem, sentinel, group_.handle(), reason)) return without_room(*functions_, reason);
    call.mode = LaunchMode::kDefault;
    CallResult ended = called({{call, &buffers_}}, 0, sentinel);
    if (ended.status == CallStatus::kOk) continue;
    ended.message.insert(0, kInTheCallBefore);
    if (request.problem->ranks > 1) forget_group();
    return ended;
  }
  return {};
}

/// Makes the warm-up calls, the problem's call, and the first warm-up call a second time, without waits. If a kernel lets a rank
/// continue too early, its peers read data of the next call, and the outputs are wrong. Each call has its own buffers.
CallResult Runner::called_in_a_row(const CallRequest& request, int sentinel) {
  if (!group_.runs_in_a_row()) return refused(CallStatus::kUnsupported, "the library has no run_group_in_a_row()");
  std::deque<Problem> problems;
  std::vector<CallInRow> row;
  std::string reason;
  const std::vector<Problem>& before = request.problem->before;
  const auto beside = [&](const Problem& problem) -> CallInRow {
    problems.push_back(problem);
    problems.back().parameters = request.problem->parameters;
    CallRequest call = request;
    call.problem = &problems.back();
    return {call, &beside_.emplace_back(functions_)};
  };
  for (const Problem& earlier : before) row.push_back(beside(earlier));
  row.push_back({request, &buffers_});
  row.push_back(beside(before.front()));
  for (const CallInRow& step : row)
    if (!step.buffers->upload(*step.request.problem, sentinel, group_.handle(), reason)) return without_room(*functions_, reason);
  CallResult ended = called(row, before.size(), sentinel);
  for (size_t i = 0; i < row.size() && ended.status == CallStatus::kOk; ++i)
    if (i != before.size())
      if (CallResult seen = row[i].buffers->download(); seen.status != CallStatus::kOk) {
        seen.message.insert(0, i < before.size() ? kInTheCallBefore : kInTheCallBehind);
        ended = std::move(seen);
      }
  return ended;
}

CallResult Runner::run_once(const CallRequest& request, int sentinel) {
  const FloatEnvironment environment;
  buffers_.set_beside(request.beside);
  if (request.problem->ranks > 1 && request.mode != LaunchMode::kDefault && (request.place || !group_.honours_streams()))
    return refused(CallStatus::kUnsupported, "the library runs groups of ranks only on its own streams");
  const std::vector<HostTensor>& tensors = request.problem->tensors;
  if (std::any_of(tensors.begin(), tensors.end(), [](const HostTensor& tensor) { return tensor.spec.far > 0; })) {
    if (request.problem->ranks > 1) return refused(CallStatus::kUnsupported, "rows that lie far apart are not supported for several ranks");
    if (functions_->upload != nullptr && functions_->allocate_rows == nullptr)
      return refused(CallStatus::kUnsupported, "the library cannot allocate rows that lie far apart: it has no allocate_rows()");
  }
  // Makes a new group if the number of ranks changes, or if processes share the ranks. A case with warm-up calls also gets a new
  // group, so that no other calls determine the group's state.
  if (request.place || group_.ranks() != request.problem->ranks || !request.problem->before.empty()) forget_group();
  const Execution group =
      request.place ? group_.join(request.problem->ranks, *request.place, request.place->folder + "/" + std::to_string(sentinel))
                    : group_.hold(request.problem->ranks);
  if (group.status != ASSAY_OK) return refused(CallStatus::kUnsupported, group.trouble);
  CallResult ended;
  if (goes_in_a_row(request)) {
    ended = called_in_a_row(request, sentinel);
  } else {
    std::string reason;
    if (CallResult before = called_before(request, sentinel); before.status != CallStatus::kOk) {
      (void)environment.restore();
      return before;
    }
    if (!buffers_.upload(*request.problem, sentinel, group_.handle(), reason)) return without_room(*functions_, reason);
    buffers_.set_accessible(request.closed, false);
    ended = called({{request, &buffers_}}, 0, sentinel);
    buffers_.set_accessible(request.closed, true);
  }
  const std::string changed = environment.restore();
  if (ended.status == CallStatus::kOk) {
    CallResult result = buffers_.download();
    (void)environment.restore();
    result.seconds = ended.seconds;
    result.said = ended.said;
    if (result.status != CallStatus::kOk || changed.empty()) return result;
    return refused(CallStatus::kBroken, "left the floating-point environment changed (it was restored): the thread " + changed);
  }
  const bool may_hide_a_fault = ended.status == CallStatus::kFailed || ended.status == CallStatus::kBroken;
  if (may_hide_a_fault && !ended.poisoned && !device_answers()) {
    ended.status = CallStatus::kBroken;
    ended.message += "; the device no longer answers this process";
    ended.poisoned = true;
  }
  (void)environment.restore();
  if (request.problem->ranks > 1) forget_group();  // the flags that a failed call leaves may make the next call wrong
  return ended;
}

CallResult Runner::call(const CallRequest& request) {
  forget_undefined();
  forget_throws();
  CallResult result = run_once(request, 0);
  bool unclear = request.place && result.status == CallStatus::kOk;  // if one process repeats a call, all must; none knows the
                                                                     // results of the others, so each process always repeats it
  for (size_t i = 0; i < result.untouched.size(); ++i) unclear |= !result.in_place[i] && !result.untouched[i].empty();
  if (unclear) {
    CallResult second = run_once(request, 1);
    for (size_t i = 0; i < second.untouched.size(); ++i)
      second.untouched[i] = intersection(result.untouched[i], second.untouched[i]);
    second.seconds = result.seconds;
    result = std::move(second);
  }
  if (request.place || buffers_.held() > kKeptBetweenCalls) forget_group();
  result.undefined = undefined_operations();
  if (result.status == CallStatus::kFailed || result.status == CallStatus::kBroken)
    result.message = with_place_of_throw(result.message);
  return result;
}

}  // namespace assay
