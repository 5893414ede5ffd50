// The memory of one call on a library's device: guarded blocks, the tensors in them, and workspaces.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "assay/abi.h"
#include "harness/compare/compare.h"
#include "harness/core/call.h"
#include "harness/core/tensor.h"

namespace assay {

// Host memory with inaccessible pages on both sides.

/// Writable memory with kFar inaccessible bytes on either side: an access there ends the process. Grows on request.
class GuardedPages {
 public:
  static constexpr size_t kFar = size_t{16} << 20;  ///< takes address space, but no memory

  GuardedPages() = default;
  GuardedPages(GuardedPages&& other) noexcept;
  GuardedPages& operator=(GuardedPages&&) = delete;
  ~GuardedPages();

  /// Makes at least `bytes` bytes writable, in whole pages, and everything around them inaccessible. If the pages move, their
  /// content is lost. Returns false if the system refuses.
  bool hold(size_t bytes);
  void set_accessible(bool accessible);  ///< for the writable bytes

  std::byte* begin() const { return end() - writable_; }
  std::byte* end() const { return mapping_ + kFar + capacity_; }
  size_t capacity() const { return capacity_; }

  /// The whole mapping, inaccessible pages included.
  std::byte* low() const { return mapping_; }
  std::byte* high() const { return mapping_ + mapped(); }

 private:
  void release();

  size_t mapped() const { return capacity_ + 2 * kFar; }

  std::byte* mapping_ = nullptr;
  size_t capacity_ = 0, writable_ = 0;  ///< bytes between the inaccessible ends; the last `writable_` of them can be written
};

/// Rows of a tensor with unallocated memory between them, so that their offsets exceed 32 bits.
struct FarRows {
  size_t count = 0, bytes = 0, pitch = 0;  ///< `count` rows of `bytes` bytes, whose starts are `pitch` bytes apart
  /// The rows of a tensor whose rows lie far apart (TensorSpec::far); count 0 for other tensors.
  static FarRows of(const TensorSpec& spec);
  size_t span() const { return (count - 1) * pitch + bytes; }  ///< bytes from the first row's start to the last row's end
  bool operator==(const FarRows&) const = default;
};

/// Host memory for rows that lie far apart: a reserved address range in which only pages with rows are writable. An access to
/// another page ends the process. On each side of the rows lie inaccessible pages, as long as the span of the rows, because
/// overflowed offsets point there. The writable bytes outside the rows hold a pattern.
class FarPages {
 public:
  explicit FarPages(const FarRows& rows);  ///< throws std::bad_alloc
  FarPages(const FarPages&) = delete;
  ~FarPages();

  void put(std::span<const std::byte> dense);  ///< writes the rows; `dense` holds them without gaps
  std::vector<std::byte> get() const;  ///< the rows, dense
  /// Number of bytes outside the rows that have changed.
  size_t changed() const;

  std::byte* begin() const { return begin_; }
  std::byte* low() const { return low_; }
  std::byte* high() const { return low_ + mapped_; }

 private:
  template <class Visit>
  void for_each_row(Visit visit) const;

  FarRows rows_;
  std::byte *low_ = nullptr, *begin_ = nullptr;
  size_t mapped_ = 0;
};

// Memory of one tensor on a library's device, between two guard zones.

/// The library's functions allocate the memory; if the library has none, this process does. Later calls reuse the memory, since
/// a device allocation costs more time than a tiny case.
///
/// The guard zones on both sides hold a pattern that differs between blocks. After the call, changed bytes in them are counted.
/// In host memory a zone has at least kGuard bytes, and an access beyond it ends the process (GuardedPages). Device memory cannot
/// be protected, so a zone there has the size of kDeviceGuard or of one row of the tensor, whichever is larger.
class DeviceBlock {
 public:
  /// If `group` is set, rank `rank` of that group owns the memory, which is then released with the group.
  struct Member {
    void* group = nullptr;
    int32_t rank = 0;
  };
  explicit DeviceBlock(std::shared_ptr<const assay_library> functions, Member member = {nullptr, 0});
  DeviceBlock(DeviceBlock&& other) noexcept;
  DeviceBlock& operator=(DeviceBlock&&) = delete;
  ~DeviceBlock();

  static constexpr size_t kGuard = 4096, kWideGuard = size_t{1} << 20, kDeviceGuard = size_t{64} << 10;
  /// Alignment of the data.
  static constexpr size_t kAlignment = 256, kLeastAlignment = 16;

  /// Writes guards and data. `row`: bytes of one row of the tensor. Returns false, with the reason in `problem`, if allocation or
  /// copy fails. `beside` applies to host memory only. With kNothingBehind, the data are aligned to kLeastAlignment only.
  bool upload(std::span<const std::byte> data, std::string& problem, size_t row = 0, Beside beside = Beside::kZones);

  /// upload() for rows that lie far apart; `data` holds the rows without gaps. In device memory these rows have no guards. Needs
  /// a library with allocate_rows(), and a block that belongs to no group.
  bool upload_rows(std::span<const std::byte> data, const FarRows& rows, std::string& problem);

  /// Reads guards and data back. Returns false, with a reason, if a copy fails.
  bool download(std::string& problem);

  /// Writes guards around `bytes` bytes. The bytes themselves stay unwritten: kernels on the device write and read them.
  bool enclose(size_t bytes, std::string& problem);
  /// Reads only the guards.
  bool download_guards(std::string& problem);

  void* address() const { return data_; }
  size_t held() const { return on_host() ? pages_.capacity() : capacity_ + staging_.size(); }  ///< allocated bytes

  /// Data as read back.
  std::span<const std::byte> downloaded() const { return {before_.data() + before_.size(), bytes_}; }

  /// Describes how the guards were overwritten; empty if they are intact.
  std::string guard_damage() const;

  /// Takes away or gives back access to host memory whose rows do not lie far apart.
  void set_accessible(bool accessible);

  /// Begin and end of the host pages, inaccessible ones included; null for device memory.
  const std::byte* low() const { return far_ ? far_->low() : on_host() ? pages_.low() : nullptr; }
  const std::byte* high() const { return far_ ? far_->high() : on_host() ? pages_.high() : nullptr; }

 private:
  bool reserve(size_t bytes, size_t guard, std::string& problem, Beside beside = Beside::kZones);
  bool download_rows(std::string& problem);
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
  std::unique_ptr<FarPages> far_;  ///< host memory, if rows lie far apart
  FarRows rows_;                ///< the rows in far_ or, on a device, in allocation_
  void* allocation_ = nullptr;  ///< device memory
  std::byte* data_ = nullptr;   ///< device address of the data
  size_t capacity_ = 0, bytes_ = 0, guard_ = 0;
  uint8_t salt_ = 0;  ///< selects the guards' pattern
  std::vector<std::byte> staging_;          ///< host copy for device memory that the host cannot address
  std::span<std::byte> before_, behind_{};  ///< the guards, in memory that this process can read
};

// Sentinels: bytes that an output holds before a call. Bytes that still hold them after the call may be unwritten.

/// Storage filled with sentinel 0 or 1. Sentinel 0 is a code that results rarely have (NaN, -128); sentinel 1 differs from it in
/// every byte. Neither contains a zero byte, since correct padding may be zero.
std::vector<std::byte> sentinel_storage(const TensorSpec& spec, int number);

/// Ranges of whole elements where `now` still equals `before`. An int32 may hold four packed scales, so its bytes are compared
/// one by one.
std::vector<ByteRange> unchanged_ranges(const TensorSpec& spec, std::span<const std::byte> before,
                                        std::span<const std::byte> now);

/// The bytes that are in a range of `a` and in a range of `b`; both lists ascend.
std::vector<ByteRange> intersection(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b);

// The tensors of one call, in the library's memory.

/// One buffer per tensor, each between guard zones. Inputs hold their data. Outputs hold a sentinel (NaN if the format has one),
/// or their data if they are in-place operands. Buffers are reused for the next problem.
class Buffers {
 public:
  explicit Buffers(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// Allocates and writes the buffers. If the problem has several ranks, `group` owns their memory. Returns false, with a
  /// `reason`, if the device refuses. The other functions use `problem`, which must stay alive.
  bool upload(const Problem& problem, int sentinel, void* group, std::string& reason);
  /// Sets what lies before and behind each tensor of the next upload.
  void set_beside(Beside beside) { beside_ = beside; }
  /// Takes away or gives back access to the host memory of some tensors of the problem.
  void set_accessible(const std::vector<int32_t>& tensors, bool accessible);
  /// Restores the outputs to their state before the call.
  bool reset_outputs(std::string& reason);

  /// Checks and returns what the call did, in this order: broken guards, changed inputs, outputs, unwritten bytes.
  CallResult download();

  size_t held() const;  ///< allocated bytes
  void clear();

  const std::vector<DeviceBlock>& blocks() const { return blocks_; }
  std::vector<void*> addresses() const;

  /// A library's message, with each "address 0x7f.." replaced by the tensor and element at that address.
  std::string with_places(const std::string& message) const;

 private:
  std::span<const std::byte> before(size_t i) const;
  bool put(size_t i, std::string& reason);

  std::shared_ptr<const assay_library> functions_;
  const Problem* problem_ = nullptr;
  Beside beside_ = Beside::kZones;
  std::vector<DeviceBlock> blocks_;
  std::vector<DeviceBlock::Member> members_;       ///< for each block, the group and rank that own it
  std::vector<std::vector<std::byte>> sentinels_;  ///< by tensor; empty for outputs that hold data of the problem
};

/// While this object exists, a crash report can name the tensor next to the faulting address.
class TensorNames {
 public:
  TensorNames(const Problem& problem, const Buffers& buffers);
  ~TensorNames();
  TensorNames(const TensorNames&) = delete;
  TensorNames& operator=(const TensorNames&) = delete;
};

// Workspaces: the scratch memory that a library asks for.

/// Thrown if a library asks for a workspace larger than any device's memory.
struct WorkspaceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One workspace per rank. All calls of the rank share it, since they run one after the other. Later problems reuse it.
class Workspaces {
 public:
  explicit Workspaces(std::shared_ptr<const assay_library> functions) : functions_(std::move(functions)) {}

  /// Gives the calls of one rank a common workspace, of the largest size that one of them requests. Returns false, with a reason,
  /// if allocation fails. Throws WorkspaceError.
  bool give(const std::vector<assay_call*>& calls, void* group, std::string& reason);

  /// Returns kOk, or what is wrong: a call wrote outside its workspace, or the device is lost.
  CallResult looked_at(const std::vector<const assay_call*>& calls);

  void clear() { of_ranks_.clear(); }

 private:
  std::shared_ptr<const assay_library> functions_;
  std::vector<DeviceBlock> of_ranks_;
};

}  // namespace assay
