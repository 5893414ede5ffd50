// One tensor's memory on the device of a library, between two guard zones.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/guarded_pages.h"

namespace assay {

/// Memory through the library's own functions, or of this process where it has none. Grows, and is kept from call to call,
/// since a device's allocator costs more than a tiny case.
///
/// On either side of the data lies a zone with a pattern: writes into it are counted after the call. In this process it has at
/// least kGuard bytes, and beyond it the process ends (GuardedPages); on a device, where nothing can be made untouchable, it has
/// kDeviceGuard or a row of the tensor, whichever is more.
class DeviceBlock {
 public:
  /// A member of a group of ranks that the memory belongs to; then it is given back with the group.
  struct Member {
    void* group = nullptr;
    int32_t rank = 0;
  };
  explicit DeviceBlock(std::shared_ptr<const assay_library> functions, Member member = {nullptr, 0})
      : functions_(std::move(functions)), member_(member) {}
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&&) = delete;
  ~DeviceBlock();

  static constexpr size_t kGuard = 4096, kDeviceGuard = size_t{64} << 10;
  /// Alignment of the data.
  static constexpr size_t kAlignment = 256;

  /// Writes guards and data. `row` is what one row of the tensor takes. False, with a reason in `problem`, if the device refuses.
  bool upload(std::span<const std::byte> data, std::string& problem, size_t row = 0);

  /// Reads guards and data back. False, with a reason, if the device refuses.
  bool download(std::string& problem);

  /// Writes guards around so many bytes and leaves these as they are; their owner has them made and read on the device.
  bool enclose(size_t bytes, std::string& problem);
  /// Reads the guards alone.
  bool download_guards(std::string& problem);

  void* address() const { return data_; }
  size_t held() const { return on_host() ? pages_.capacity() : capacity_ + staging_.size(); }

  /// Data as downloaded.
  std::span<const std::byte> downloaded() const { return {before_.data() + before_.size(), bytes_}; }

  /// How the guards as downloaded were overwritten, in words; empty if they are whole.
  std::string guard_damage() const;

  /// The pages of this process, untouchable ones among them; both null for memory of a device.
  const std::byte* low() const { return on_host() ? pages_.low() : nullptr; }
  const std::byte* high() const { return on_host() ? pages_.high() : nullptr; }

 private:
  bool reserve(size_t bytes, size_t guard, std::string& problem);
  void* allocate(size_t bytes) const;
  void release();
  /// check_functions() has seen to it that a library has all memory functions or none.
  bool on_host() const { return functions_->upload == nullptr; }
  void hold(size_t between);
  bool upload_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;
  bool download_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;

  std::shared_ptr<const assay_library> functions_;
  Member member_;
  GuardedPages pages_;          ///< of this process
  void* allocation_ = nullptr;  ///< of a device
  std::byte* data_ = nullptr;   ///< device address
  size_t capacity_ = 0, bytes_ = 0, guard_ = 0;
  std::vector<std::byte> staging_;          ///< for a device whose memory is out of reach
  std::span<std::byte> before_, behind_{};  ///< the guards where this process can read them
};

}  // namespace assay
