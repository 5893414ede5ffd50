// Memory of one tensor on a library's device, between two guard zones.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/backend/guarded_pages.h"

namespace assay {

/// Allocated with the library's functions, or in this process if the library has none. Reused and grown from call to call, since
/// a device allocation costs more than a tiny case.
///
/// The guard zones on both sides hold a pattern; bytes overwritten in it are counted after the call. In host memory a zone has at
/// least kGuard bytes, and an access beyond it ends the process (GuardedPages). Device memory cannot be protected, so a zone
/// there has kDeviceGuard bytes or one row of the tensor, whichever is larger.
class DeviceBlock {
 public:
  /// The group member that owns the memory; it is then released with the group.
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

  /// Writes guards and data. `row`: bytes of one row of the tensor. Returns false, with the reason in `problem`, if the device
  /// refuses.
  bool upload(std::span<const std::byte> data, std::string& problem, size_t row = 0);

  /// Reads guards and data back. Returns false, with a reason, if the device refuses.
  bool download(std::string& problem);

  /// Writes guards around `bytes` bytes without touching these, for data that are produced and read on the device.
  bool enclose(size_t bytes, std::string& problem);
  /// Reads only the guards.
  bool download_guards(std::string& problem);

  void* address() const { return data_; }
  size_t held() const { return on_host() ? pages_.capacity() : capacity_ + staging_.size(); }

  /// Data as read back.
  std::span<const std::byte> downloaded() const { return {before_.data() + before_.size(), bytes_}; }

  /// Describes how the guards were overwritten; empty if they are intact.
  std::string guard_damage() const;

  /// First byte of the host pages, inaccessible ones included; null for device memory.
  const std::byte* low() const { return on_host() ? pages_.low() : nullptr; }
  const std::byte* high() const { return on_host() ? pages_.high() : nullptr; }

 private:
  bool reserve(size_t bytes, size_t guard, std::string& problem);
  void* allocate(size_t bytes) const;
  void release();
  /// check_functions() ensures that a library has either all memory functions or none.
  bool on_host() const { return functions_->upload == nullptr; }
  void hold(size_t between);
  bool upload_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;
  bool download_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;

  std::shared_ptr<const assay_library> functions_;
  Member member_;
  GuardedPages pages_;          ///< host memory
  void* allocation_ = nullptr;  ///< device memory
  std::byte* data_ = nullptr;   ///< device address of the data
  size_t capacity_ = 0, bytes_ = 0, guard_ = 0;
  std::vector<std::byte> staging_;          ///< host copy for device memory that the host cannot address
  std::span<std::byte> before_, behind_{};  ///< the guards, in memory that this process can read
};

}  // namespace assay
