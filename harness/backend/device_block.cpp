#include "harness/backend/device_block.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <utility>

namespace assay {
namespace {

constexpr size_t kPeriod = 256;

/// Adjacent bytes differ, so memory filled with one value is never mistaken for an intact guard.
const std::array<std::byte, kPeriod>& pattern() {
  static const auto bytes = [] {
    std::array<std::byte, kPeriod> made;
    for (size_t i = 0; i < made.size(); ++i) made[i] = std::byte((0x5c + 37 * i) & 0xff);
    return made;
  }();
  return bytes;
}

void lay_pattern(std::span<std::byte> guard) {
  for (size_t i = 0; i < guard.size(); i += kPeriod)
    std::memcpy(guard.data() + i, pattern().data(), std::min(kPeriod, guard.size() - i));
}

struct Damage {
  size_t count = 0, first = 0, last = 0;
};

Damage damage_of(std::span<const std::byte> guard) {
  Damage damage;
  for (size_t i = 0; i < guard.size(); i += kPeriod) {
    const size_t piece = std::min(kPeriod, guard.size() - i);
    if (std::memcmp(guard.data() + i, pattern().data(), piece) == 0) continue;
    for (size_t k = 0; k < piece; ++k) {
      if (guard[i + k] == pattern()[k]) continue;
      if (damage.count++ == 0) damage.first = i + k;
      damage.last = i + k;
    }
  }
  return damage;
}

std::string bytes_in_words(size_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

uintptr_t aligned_down(uintptr_t address) { return address / DeviceBlock::kAlignment * DeviceBlock::kAlignment; }

}  // namespace

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : functions_(std::move(other.functions_)),
      member_(other.member_),
      pages_(std::move(other.pages_)),
      allocation_(std::exchange(other.allocation_, nullptr)),
      data_(other.data_),
      capacity_(other.capacity_),
      bytes_(other.bytes_),
      guard_(other.guard_),
      staging_(std::move(other.staging_)),
      before_(other.before_),
      behind_(other.behind_) {}

DeviceBlock::~DeviceBlock() { release(); }

void* DeviceBlock::allocate(size_t bytes) const {
  if (member_.group != nullptr) return functions_->allocate_on(member_.group, member_.rank, bytes);
  return functions_->allocate(bytes);
}

/// Memory of a group member is released together with the group.
void DeviceBlock::release() {
  if (allocation_ != nullptr && member_.group == nullptr) functions_->release(allocation_);
  allocation_ = nullptr;
}

bool DeviceBlock::reserve(size_t bytes, size_t guard, std::string& problem) {
  bytes_ = bytes;
  guard_ = guard;
  const size_t total = bytes + 2 * guard + kAlignment;
  bool has_room = total > bytes;
  if (on_host()) {
    has_room = has_room && pages_.hold(total);
    // Places the end of the data as close to the inaccessible pages as alignment and guard allow.
    if (has_room)
      data_ = pages_.end() - (reinterpret_cast<uintptr_t>(pages_.end()) -
                              aligned_down(reinterpret_cast<uintptr_t>(pages_.end()) - guard - bytes));
  } else if (allocation_ == nullptr || total > capacity_) {
    release();
    allocation_ = has_room ? allocate(total) : nullptr;
    capacity_ = allocation_ != nullptr ? total : 0;
    has_room = allocation_ != nullptr;
  }
  if (!has_room) {
    problem = "cannot allocate " + bytes_in_words(std::max(bytes, total));
    return false;
  }
  if (on_host()) return true;
  const auto base = reinterpret_cast<uintptr_t>(allocation_);
  data_ = static_cast<std::byte*>(allocation_) + (aligned_down(base + guard + kAlignment - 1) - base);
  return true;
}

/// Writes fresh guards into host memory, with `between` bytes between them.
void DeviceBlock::hold(size_t between) {
  if (on_host()) {
    before_ = {pages_.begin(), data_};
    behind_ = {data_ + between, pages_.end()};
  } else {
    staging_.resize(between + 2 * guard_);
    before_ = std::span(staging_).first(guard_);
    behind_ = std::span(staging_).last(guard_);
  }
  lay_pattern(before_);
  lay_pattern(behind_);
}

bool DeviceBlock::upload(std::span<const std::byte> data, std::string& problem, size_t row) {
  if (!reserve(data.size(), on_host() ? kGuard : std::max(kDeviceGuard, (row + kPeriod - 1) / kPeriod * kPeriod), problem))
    return false;
  hold(bytes_);
  if (!data.empty()) std::memcpy(before_.data() + before_.size(), data.data(), data.size());
  return on_host() || upload_piece(data_ - guard_, before_.data(), bytes_ + 2 * guard_, problem);
}

bool DeviceBlock::download(std::string& problem) {
  // After enclose() the staging memory holds the guards only.
  if (!on_host() && staging_.size() < bytes_ + 2 * guard_) hold(bytes_);
  return on_host() || download_piece(before_.data(), data_ - guard_, bytes_ + 2 * guard_, problem);
}

bool DeviceBlock::enclose(size_t bytes, std::string& problem) {
  if (!reserve(bytes, on_host() ? kGuard : kDeviceGuard, problem)) return false;
  hold(on_host() ? bytes : 0);
  return on_host() || (upload_piece(data_ - guard_, before_.data(), guard_, problem) &&
                       upload_piece(data_ + bytes, behind_.data(), guard_, problem));
}

bool DeviceBlock::download_guards(std::string& problem) {
  return on_host() || (download_piece(before_.data(), data_ - guard_, guard_, problem) &&
                       download_piece(behind_.data(), data_ + bytes_, guard_, problem));
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
    text = bytes_in_words(before.count) + " before its start, nearest " + bytes_in_words(before_.size() - before.last) +
           " before it";
  }
  if (behind.count > 0) {
    text += text.empty() ? "" : " and ";
    text += bytes_in_words(behind.count) + " behind its end, first " + bytes_in_words(behind.first) + " behind it";
  }
  return text;
}

}  // namespace assay
