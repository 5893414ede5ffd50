#include "harness/backend/buffers.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "harness/backend/abi_call.h"
#include "harness/backend/crash_words.h"
#include "harness/backend/sentinel.h"

namespace assay {
namespace {

bool is_output(const HostTensor& tensor) { return tensor.spec.role == Role::kOutput; }
bool is_in_place(const HostTensor& tensor) { return is_output(tensor) && !tensor.bytes.empty(); }

std::string input_damage(const HostTensor& tensor, std::span<const std::byte> now) {
  if (tensor.bytes.empty() || std::memcmp(tensor.bytes.data(), now.data(), now.size()) == 0) return "";
  const auto [was, is] = std::mismatch(tensor.bytes.begin(), tensor.bytes.end(), now.begin());
  const int64_t element = tensor.spec.element_of(size_t(was - tensor.bytes.begin()));
  return "input '" + tensor.spec.name + "' was changed, first at storage element " + std::to_string(element);
}

/// Bytes from one row to the next: how far off a kernel writes that counts rows wrongly.
size_t row_bytes(const TensorSpec& spec) {
  constexpr size_t kMost = size_t{16} << 20;
  return spec.shape.size() < 2 ? 0 : std::min(kMost, spec.byte_of(std::abs(spec.strides[spec.shape.size() - 2])));
}

}  // namespace

std::span<const std::byte> Buffers::before(size_t i) const {
  return sentinels_[i].empty() ? std::span<const std::byte>(problem_->tensors[i].bytes) : sentinels_[i];
}

bool Buffers::upload(const Problem& problem, int sentinel, void* group, std::string& reason) {
  const std::vector<HostTensor>& tensors = problem.tensors;
  problem_ = &problem;
  sentinels_.assign(tensors.size(), {});
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorSpec& spec = tensors[i].spec;
    if (is_output(tensors[i]) && !is_in_place(tensors[i])) sentinels_[i] = sentinel_storage(spec, sentinel);
    if (before(i).size() != spec.bytes()) {
      throw std::logic_error("tensor '" + spec.name + "' holds " + std::to_string(before(i).size()) + " bytes, its spec says " +
                             std::to_string(spec.bytes()));
    }
    if (spec.rank < 0 || spec.rank >= problem.ranks)
      throw std::logic_error("tensor '" + spec.name + "' is of rank " + std::to_string(spec.rank) + " of " +
                             std::to_string(problem.ranks));
    const DeviceBlock::Member member{functions_->allocate_on != nullptr ? group : nullptr, spec.rank};
    if (i < blocks_.size() && (members_[i].group != member.group || members_[i].rank != member.rank)) {
      while (blocks_.size() > i) blocks_.pop_back();
      members_.resize(i);
    }
    if (i == blocks_.size()) {
      blocks_.emplace_back(functions_, member);
      members_.push_back(member);
    }
    if (blocks_[i].upload(before(i), reason, row_bytes(spec))) continue;
    reason.insert(0, spec.name + ": ");
    return false;
  }
  return true;
}

bool Buffers::reset_outputs(std::string& reason) {
  for (size_t i = 0; i < problem_->tensors.size(); ++i)
    if (is_output(problem_->tensors[i]) && !blocks_[i].upload(before(i), reason, row_bytes(problem_->tensors[i].spec)))
      return false;
  return true;
}

CallResult Buffers::download() {
  const std::vector<HostTensor>& tensors = problem_->tensors;
  std::string reason;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!blocks_[i].download(reason)) return lost(tensors[i].spec.name + ": " + reason, true);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::string damage = blocks_[i].guard_damage();
    if (!damage.empty()) return refused(CallStatus::kBroken, "wrote outside '" + tensors[i].spec.name + "': " + damage);
  }
  CallResult result;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::span<const std::byte> now = blocks_[i].downloaded();
    if (!is_output(tensors[i])) {
      const std::string damage = input_damage(tensors[i], now);
      if (!damage.empty()) return refused(CallStatus::kBroken, damage);
      continue;
    }
    result.untouched.push_back(unchanged_ranges(tensors[i].spec, before(i), now));
    result.in_place.push_back(is_in_place(tensors[i]));
    result.outputs.push_back({tensors[i].spec, {now.begin(), now.end()}});
  }
  return result;
}

size_t Buffers::held() const {
  size_t bytes = 0;
  for (const DeviceBlock& block : blocks_) bytes += block.held();
  return bytes;
}

void Buffers::clear() {
  blocks_.clear();
  members_.clear();
}

std::vector<void*> Buffers::addresses() const {
  std::vector<void*> all;
  for (const DeviceBlock& block : blocks_) all.push_back(block.address());
  return all;
}

TensorNames::TensorNames(const Problem& problem, const Buffers& buffers) {
  const std::vector<DeviceBlock>& blocks = buffers.blocks();
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto* begin = static_cast<const std::byte*>(blocks[i].address());
    remember_tensor(
        {blocks[i].low(), begin, begin + problem.tensors[i].spec.bytes(), blocks[i].high(), problem.tensors[i].spec.name});
  }
}

TensorNames::~TensorNames() { forget_tensors(); }

}  // namespace assay
