// One tensor's memory on the device of a library, between two guard zones.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "assay/abi.h"

namespace assay {

/// Memory through the library's own functions, or malloc and memcpy where it has none. Grows, and is kept from call to call,
/// since a device's allocator costs more than a tiny case.
class DeviceBlock {
 public:
  explicit DeviceBlock(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&&) = delete;
  ~DeviceBlock();

  /// Bytes on either side of the data, filled with a pattern.
  static constexpr size_t kGuard = 4096;
  /// Alignment of the data.
  static constexpr size_t kAlignment = 256;

  /// Writes guards and data. False, with a reason in `problem`, if the device refuses.
  bool upload(std::span<const std::byte> data, std::string& problem);

  /// Reads guards and data back. False, with a reason, if the device refuses.
  bool download(std::string& problem);

  /// Writes guards around so many bytes and leaves these as they are; their owner has them made and read on the device.
  bool enclose(size_t bytes, std::string& problem);
  /// Reads the guards alone.
  bool download_guards(std::string& problem);

  void* address() const { return data_; }

  /// Data as downloaded.
  std::span<const std::byte> downloaded() const { return {before_ + kGuard, bytes_}; }

  /// How the guards as downloaded were overwritten, in words; empty if they are whole.
  std::string guard_damage() const;

 private:
  bool reserve(size_t bytes, std::string& problem);
  /// check_functions() has seen to it that a library has all memory functions or none.
  bool on_host() const { return functions_->upload == nullptr; }
  void hold(size_t between);
  bool upload_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;
  bool download_piece(std::byte* to, const std::byte* from, size_t bytes, std::string& problem) const;

  std::shared_ptr<const assay_library> functions_;
  void* allocation_ = nullptr;
  std::byte* data_ = nullptr;  ///< device address
  size_t capacity_ = 0, bytes_ = 0;
  std::vector<std::byte> staging_;                   ///< for a device whose memory is out of reach
  std::byte *before_ = nullptr, *behind_ = nullptr;  ///< the guards where this process can read them
};

}  // namespace assay
