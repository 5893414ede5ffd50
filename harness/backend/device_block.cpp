#include "harness/backend/device_block.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace assay {
namespace {

/// No two neighbouring bytes are alike, so a fill with one value cannot pass for the guard.
const std::array<std::byte, DeviceBlock::kGuard>& guard_pattern() {
  static const auto pattern = [] {
    std::array<std::byte, DeviceBlock::kGuard> bytes;
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = std::byte((0x5c + 37 * i) & 0xff);
    return bytes;
  }();
  return pattern;
}

struct Damage {
  size_t count = 0, first = 0, last = 0;
};

Damage damage_of(const std::byte* guard) {
  Damage damage;
  if (std::memcmp(guard, guard_pattern().data(), DeviceBlock::kGuard) == 0) return damage;
  for (size_t i = 0; i < DeviceBlock::kGuard; ++i) {
    if (guard[i] == guard_pattern()[i]) continue;
    if (damage.count++ == 0) damage.first = i;
    damage.last = i;
  }
  return damage;
}

std::string bytes_in_words(size_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

}  // namespace

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : functions_(std::move(other.functions_)),
      allocation_(std::exchange(other.allocation_, nullptr)),
      data_(other.data_),
      capacity_(other.capacity_),
      bytes_(other.bytes_),
      staging_(std::move(other.staging_)),
      before_(other.before_),
      behind_(other.behind_) {}

DeviceBlock::~DeviceBlock() {
  if (allocation_ == nullptr) return;
  if (functions_->release != nullptr) {
    functions_->release(allocation_);
  } else {
    std::free(allocation_);
  }
}

bool DeviceBlock::reserve(size_t bytes, std::string& problem) {
  bytes_ = bytes;
  if (allocation_ != nullptr && bytes <= capacity_) return true;
  if (allocation_ != nullptr) {
    functions_->release != nullptr ? functions_->release(allocation_) : std::free(allocation_);
  }
  const size_t total = bytes + 2 * kGuard + kAlignment;
  allocation_ = functions_->allocate != nullptr ? functions_->allocate(total) : std::malloc(total);
  capacity_ = allocation_ != nullptr ? bytes : 0;
  if (allocation_ == nullptr) {
    problem = "cannot allocate " + bytes_in_words(total);
    return false;
  }
  const uintptr_t base = reinterpret_cast<uintptr_t>(allocation_);
  const uintptr_t aligned = (base + kAlignment - 1) / kAlignment * kAlignment;
  data_ = static_cast<std::byte*>(allocation_) + (aligned - base) + kGuard;
  return true;
}

/// Puts fresh guards where this process can read them, with so many bytes between them.
void DeviceBlock::hold(size_t between) {
  if (!on_host()) staging_.resize(between + 2 * kGuard);
  before_ = on_host() ? data_ - kGuard : staging_.data();
  behind_ = before_ + kGuard + between;
  std::memcpy(before_, guard_pattern().data(), kGuard);
  std::memcpy(behind_, guard_pattern().data(), kGuard);
}

bool DeviceBlock::upload(std::span<const std::byte> data, std::string& problem) {
  if (!reserve(data.size(), problem)) return false;
  hold(bytes_);
  if (!data.empty()) std::memcpy(before_ + kGuard, data.data(), data.size());
  return on_host() || upload_piece(data_ - kGuard, before_, bytes_ + 2 * kGuard, problem);
}

bool DeviceBlock::download(std::string& problem) {
  return on_host() || download_piece(before_, data_ - kGuard, bytes_ + 2 * kGuard, problem);
}

bool DeviceBlock::enclose(size_t bytes, std::string& problem) {
  if (!reserve(bytes, problem)) return false;
  hold(on_host() ? bytes : 0);
  return on_host() ||
         (upload_piece(data_ - kGuard, before_, kGuard, problem) && upload_piece(data_ + bytes, behind_, kGuard, problem));
}

bool DeviceBlock::download_guards(std::string& problem) {
  return on_host() ||
         (download_piece(before_, data_ - kGuard, kGuard, problem) && download_piece(behind_, data_ + bytes_, kGuard, problem));
}

bool DeviceBlock::upload_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const {
  if (functions_->upload(to, from, bytes) == ASSAY_OK) return true;
  problem = "upload of " + bytes_in_words(bytes) + " failed";
  return false;
}

bool DeviceBlock::download_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const {
  if (functions_->download(to, from, bytes) == ASSAY_OK) return true;
  problem = "download of " + bytes_in_words(bytes) + " failed";
  return false;
}

std::string DeviceBlock::guard_damage() const {
  const Damage before = damage_of(before_);
  const Damage behind = damage_of(behind_);
  std::string text;
  if (before.count > 0) {
    text = bytes_in_words(before.count) + " before its start, nearest " + bytes_in_words(kGuard - before.last) + " before it";
  }
  if (behind.count > 0) {
    text += text.empty() ? "" : " and ";
    text += bytes_in_words(behind.count) + " behind its end, first " + bytes_in_words(behind.first) + " behind it";
  }
  return text;
}

}  // namespace assay
