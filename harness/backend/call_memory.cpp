#include "harness/backend/call_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "harness/backend/abi_call.h"
#include "harness/backend/crash_report.h"

namespace assay {
namespace {

// Host memory between inaccessible pages.

size_t page_bytes() {
  static const auto bytes = size_t(::sysconf(_SC_PAGESIZE));
  return bytes;
}

size_t rounded_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

/// Mappings of released blocks, by capacity, made inaccessible and kept for new blocks. Reuse saves time, since the system fills
/// new pages with zeros.
class SpareMappings {
 public:
  /// Removes and returns the smallest stored mapping with a capacity in [capacity, 4 * capacity]; nothing if there is none.
  std::optional<std::pair<size_t, std::byte*>> take(size_t capacity) {
    const std::lock_guard lock(mutex_);
    const auto found = spare_.lower_bound(capacity);
    if (found == spare_.end() || found->first > 4 * capacity) return std::nullopt;
    const std::pair<size_t, std::byte*> taken = *found;
    bytes_ -= taken.first;
    spare_.erase(found);
    return taken;
  }

  /// Stores a mapping whose pages are all inaccessible. Returns false if enough memory is stored already.
  bool give(size_t capacity, std::byte* mapping) {
    constexpr size_t kMostBytes = size_t{32} << 20, kMostMappings = 256;
    const std::lock_guard lock(mutex_);
    if (bytes_ + capacity > kMostBytes || spare_.size() == kMostMappings) return false;
    bytes_ += capacity;
    spare_.emplace(capacity, mapping);
    return true;
  }

 private:
  std::mutex mutex_;
  std::multimap<size_t, std::byte*> spare_;
  size_t bytes_ = 0;
};

/// Never destroyed: static objects that are destroyed later return their mappings to it.
SpareMappings& spare_mappings() {
  static auto* const all = new SpareMappings;
  return *all;
}

}  // namespace

GuardedPages::GuardedPages(GuardedPages&& other) noexcept
    : mapping_(std::exchange(other.mapping_, nullptr)),
      capacity_(other.capacity_),
      writable_(other.writable_) {}

GuardedPages::~GuardedPages() { release(); }

void GuardedPages::release() {
  if (mapping_ != nullptr) {
    const bool inaccessible = writable_ == 0 || ::mprotect(begin(), writable_, PROT_NONE) == 0;
    if (!inaccessible || !spare_mappings().give(capacity_, mapping_)) ::munmap(mapping_, mapped());
  }
  mapping_ = nullptr;
  capacity_ = writable_ = 0;
}

bool GuardedPages::hold(size_t bytes) {
  const size_t page = page_bytes();
  if (bytes > std::numeric_limits<ptrdiff_t>::max() - 2 * kFar - page) return false;
  const size_t needed = rounded_up(bytes, page);
  if (mapping_ == nullptr || needed > capacity_) {
    release();
    if (const auto spare = spare_mappings().take(needed)) {
      std::tie(capacity_, mapping_) = *spare;
    } else {
      void* const mapping = ::mmap(nullptr, needed + 2 * kFar, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      if (mapping == MAP_FAILED) return false;
      mapping_ = static_cast<std::byte*>(mapping), capacity_ = needed;
    }
  }
  if (needed > writable_ && ::mprotect(end() - needed, needed - writable_, PROT_READ | PROT_WRITE) != 0) return false;
  if (needed < writable_ && ::mprotect(end() - writable_, writable_ - needed, PROT_NONE) != 0) return false;
  writable_ = needed;
  return true;
}

void GuardedPages::set_accessible(bool accessible) {
  if (writable_ > 0) (void)::mprotect(begin(), writable_, accessible ? PROT_READ | PROT_WRITE : PROT_NONE);
}

namespace {

// Memory of one tensor on a library's device, between two guard zones.

constexpr size_t kPeriod = 256;

/// The pattern of a guard zone. Adjacent bytes differ, so memory filled with one value is never mistaken for an intact guard.
/// Zones with different salts differ in every byte. So a kernel that copies one tensor's zone over another's is detected.
std::array<std::byte, kPeriod> pattern(uint8_t salt) {
  std::array<std::byte, kPeriod> made;
  for (size_t i = 0; i < made.size(); ++i) made[i] = std::byte((0x5c + 37 * i + salt) & 0xff);
  return made;
}

void lay_pattern(std::span<std::byte> guard, uint8_t salt) {
  const auto bytes = pattern(salt);
  for (size_t i = 0; i < guard.size(); i += kPeriod)
    std::memcpy(guard.data() + i, bytes.data(), std::min(kPeriod, guard.size() - i));
}

/// A salt that is different for 128 consecutive blocks.
uint8_t next_salt() {
  static std::atomic<uint8_t> made{0};
  return made.fetch_add(1) & 0x7f;
}
constexpr uint8_t kSaltBehind = 0x80;

struct Damage {
  size_t count = 0, first = 0, last = 0;
};

Damage damage_of(std::span<const std::byte> guard, uint8_t salt) {
  const auto bytes = pattern(salt);
  Damage damage;
  for (size_t i = 0; i < guard.size(); i += kPeriod) {
    const size_t piece = std::min(kPeriod, guard.size() - i);
    if (std::memcmp(guard.data() + i, bytes.data(), piece) == 0) continue;
    for (size_t k = 0; k < piece; ++k) {
      if (guard[i + k] == bytes[k]) continue;
      if (damage.count++ == 0) damage.first = i + k;
      damage.last = i + k;
    }
  }
  return damage;
}

std::string bytes_in_words(size_t count) { return std::to_string(count) + (count == 1 ? " byte" : " bytes"); }

uintptr_t aligned_down(uintptr_t address, size_t alignment = DeviceBlock::kAlignment) { return address / alignment * alignment; }

}  // namespace

FarRows FarRows::of(const TensorSpec& spec) {
  if (spec.far == 0) return {};
  return {size_t(spec.shape.front()), spec.byte_of(spec.shape.back()), spec.byte_of(spec.far)};
}

FarPages::FarPages(const FarRows& rows) : rows_(rows) {
  const size_t page = page_bytes(), span = rounded_up(rows.span(), page);
  void* const mapping = ::mmap(nullptr, 3 * span, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  low_ = static_cast<std::byte*>(mapping);
  begin_ = low_ + span;
  mapped_ = 3 * span;
  bool done = true;
  for_each_row([&](std::span<std::byte> pages, size_t) {
    done = done && ::mprotect(pages.data(), pages.size(), PROT_READ | PROT_WRITE) == 0;
  });
  if (done) return;
  ::munmap(low_, mapped_);
  throw std::bad_alloc();
}

FarPages::~FarPages() { ::munmap(low_, mapped_); }

/// Calls visit(pages that contain the row, offset of the row in these pages) for each row.
template <class Visit>
void FarPages::for_each_row(Visit visit) const {
  const size_t page = page_bytes();
  for (size_t r = 0; r < rows_.count; ++r) {
    const size_t row = r * rows_.pitch, first = row / page * page, end = rounded_up(row + rows_.bytes, page);
    visit(std::span(begin_ + first, end - first), row - first);
  }
}

void FarPages::put(std::span<const std::byte> dense) {
  for_each_row([&](std::span<std::byte> pages, size_t at) {
    lay_pattern(pages, 0);
    std::memcpy(pages.data() + at, dense.data(), rows_.bytes);
    dense = dense.subspan(rows_.bytes);
  });
}

std::vector<std::byte> FarPages::get() const {
  std::vector<std::byte> dense;
  for_each_row([&](std::span<std::byte> pages, size_t at) {
    const std::span<std::byte> row = pages.subspan(at, rows_.bytes);
    dense.insert(dense.end(), row.begin(), row.end());
  });
  return dense;
}

size_t FarPages::changed() const {
  size_t count = 0;
  for_each_row([&](std::span<std::byte> pages, size_t at) {
    const size_t behind = at + rows_.bytes, aligned = rounded_up(behind, kPeriod);
    const auto right = pattern(0);
    for (size_t i = behind; i < aligned; ++i) count += pages[i] != right[i % kPeriod];
    count += damage_of(pages.first(at), 0).count + damage_of(pages.subspan(aligned), 0).count;
  });
  return count;
}

DeviceBlock::DeviceBlock(std::shared_ptr<const assay_library> functions, Member member)
    : functions_(std::move(functions)), member_(member), salt_(next_salt()) {}

DeviceBlock::DeviceBlock(DeviceBlock&& other) noexcept
    : functions_(std::move(other.functions_)),
      member_(other.member_),
      pages_(std::move(other.pages_)),
      far_(std::move(other.far_)),
      rows_(other.rows_),
      allocation_(std::exchange(other.allocation_, nullptr)),
      data_(other.data_),
      capacity_(other.capacity_),
      bytes_(other.bytes_),
      guard_(other.guard_),
      salt_(other.salt_),
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

bool DeviceBlock::reserve(size_t bytes, size_t guard, std::string& problem, Beside beside) {
  far_.reset();
  rows_ = {};
  bytes_ = bytes;
  guard_ = guard;
  const size_t total = bytes + 2 * guard + kAlignment;
  bool has_room = total > bytes;
  if (on_host()) {
    has_room = has_room && pages_.hold(total);
    // Places the data as close to the inaccessible pages as alignment and guard zone allow.
    const size_t alignment = beside == Beside::kNothingExactlyBehind ? 1
                             : beside == Beside::kNothingBehind      ? kLeastAlignment
                                                                     : kAlignment;
    if (has_room)
      data_ = beside == Beside::kNothingBefore
                  ? pages_.begin()
                  : pages_.end() - (reinterpret_cast<uintptr_t>(pages_.end()) -
                                    aligned_down(reinterpret_cast<uintptr_t>(pages_.end()) - guard - bytes, alignment));
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

/// Writes new guards, with `between` bytes between them: around host data, or into the staging copy of device memory.
void DeviceBlock::hold(size_t between) {
  if (on_host()) {
    before_ = {pages_.begin(), data_};
    behind_ = {data_ + between, pages_.end()};
  } else {
    staging_.resize(between + 2 * guard_);
    before_ = std::span(staging_).first(guard_);
    behind_ = std::span(staging_).last(guard_);
  }
  lay_pattern(before_, salt_);
  lay_pattern(behind_, salt_ | kSaltBehind);
}

bool DeviceBlock::upload(std::span<const std::byte> data, std::string& problem, size_t row, Beside beside) {
  const size_t zone = beside == Beside::kZones ? kGuard : beside == Beside::kWideZones ? kWideGuard : 0;
  if (!reserve(data.size(), on_host() ? zone : std::max(kDeviceGuard, rounded_up(row, kPeriod)), problem, beside)) return false;
  hold(bytes_);
  if (!data.empty()) std::memcpy(before_.data() + before_.size(), data.data(), data.size());
  return on_host() || upload_piece(data_ - guard_, before_.data(), bytes_ + 2 * guard_, problem);
}

bool DeviceBlock::upload_rows(std::span<const std::byte> data, const FarRows& rows, std::string& problem) {
  bytes_ = data.size();
  guard_ = 0;
  staging_.assign(data.begin(), data.end());
  before_ = std::span(staging_).first(0);
  behind_ = {};
  if (on_host()) {
    try {
      if (!far_ || rows_ != rows) far_ = std::make_unique<FarPages>(rows);
    } catch (const std::bad_alloc&) {
      problem = "cannot reserve addresses for " + bytes_in_words(rows.span());
      return false;
    }
    rows_ = rows;
    far_->put(data);
    data_ = far_->begin();
    return true;
  }
  if (allocation_ == nullptr || rows_ != rows) {
    release();
    capacity_ = 0;
    rows_ = rows;
    allocation_ = functions_->allocate_rows(rows.count, rows.bytes, rows.pitch);
    data_ = static_cast<std::byte*>(allocation_);
  }
  if (allocation_ == nullptr) {
    rows_ = {};
    problem = "cannot allocate " + std::to_string(rows.count) + " rows of " + bytes_in_words(rows.bytes) + ", " +
              bytes_in_words(rows.pitch) + " apart";
    return false;
  }
  for (size_t r = 0; r < rows.count; ++r)
    if (!upload_piece(data_ + r * rows.pitch, data.data() + r * rows.bytes, rows.bytes, problem)) return false;
  return true;
}

bool DeviceBlock::download_rows(std::string& problem) {
  if (far_) {
    staging_ = far_->get();
    before_ = std::span(staging_).first(0);
    return true;
  }
  for (size_t r = 0; r < rows_.count; ++r)
    if (!download_piece(staging_.data() + r * rows_.bytes, data_ + r * rows_.pitch, rows_.bytes, problem)) return false;
  return true;
}

bool DeviceBlock::download(std::string& problem) {
  if (rows_.count > 0) return download_rows(problem);
  // After enclose() the staging memory has room for the guards only, so hold() enlarges it.
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

void DeviceBlock::set_accessible(bool accessible) {
  if (on_host() && !far_) pages_.set_accessible(accessible);
}

std::string DeviceBlock::guard_damage() const {
  if (rows_.count > 0) {
    const size_t changed = far_ ? far_->changed() : 0;
    return changed == 0 ? "" : bytes_in_words(changed) + " between its rows";
  }
  const Damage before = damage_of(before_, salt_);
  const Damage behind = damage_of(behind_, salt_ | kSaltBehind);
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

namespace {

// Sentinels: bytes that an output holds before a call. Bytes that still hold them after the call may be unwritten.

bool is_packed(const Format& format) { return format.is_integer() && format.bits == 32; }

/// Byte number `place` of an element that holds sentinel 0; byte 0 is the lowest.
std::byte first_byte(const Format& format, int64_t place) {
  const bool no_negative_zero = format.specials == Specials::kFnuz || (format.is_integer() && format.bits == 8);
  if (no_negative_zero) return std::byte{0x80};
  const bool highest = place == format.bytes() - 1;
  return highest || is_packed(format) ? std::byte{0xff} : std::byte{0xc3};
}

template <class Unit>
std::vector<ByteRange> unchanged(std::span<const std::byte> before, std::span<const std::byte> now) {
  std::vector<ByteRange> ranges;
  constexpr int64_t kBlock = 1024;
  const int64_t units = int64_t(now.size() / sizeof(Unit));
  const auto load = [](std::span<const std::byte> bytes, int64_t i) {
    Unit unit;
    std::memcpy(&unit, bytes.data() + size_t(i) * sizeof(Unit), sizeof(Unit));
    return unit;
  };
  for (int64_t begin = 0; begin < units; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, units);
    unsigned any = 0;  // this loop vectorizes and rejects most blocks, since few contain an equal element
    for (int64_t i = begin; i < end; ++i) any |= unsigned(load(before, i) == load(now, i));
    for (int64_t i = begin; any != 0 && i < end; ++i) {
      if (load(before, i) != load(now, i)) continue;
      const int64_t byte = i * int64_t(sizeof(Unit));
      if (!ranges.empty() && ranges.back().end == byte) {
        ranges.back().end += sizeof(Unit);
      } else {
        ranges.push_back({byte, byte + int64_t(sizeof(Unit))});
      }
    }
  }
  return ranges;
}

}  // namespace

std::vector<std::byte> sentinel_storage(const TensorSpec& spec, int number) {
  constexpr std::byte kSecond{0xa5};
  const int64_t width = spec.format->bytes();
  std::vector<std::byte> bytes(spec.bytes(), number != 0 ? kSecond : first_byte(*spec.format, 0));
  if (number != 0 || width == 1) return bytes;
  for (int64_t i = 0; i < int64_t(bytes.size()); ++i) bytes[size_t(i)] = first_byte(*spec.format, i % width);
  return bytes;
}

std::vector<ByteRange> unchanged_ranges(const TensorSpec& spec, std::span<const std::byte> before,
                                        std::span<const std::byte> now) {
  if (spec.format->bits == 16) return unchanged<uint16_t>(before, now);
  if (spec.format->bits == 32 && !is_packed(*spec.format)) return unchanged<uint32_t>(before, now);
  return unchanged<uint8_t>(before, now);
}

std::vector<ByteRange> intersection(const std::vector<ByteRange>& a, const std::vector<ByteRange>& b) {
  std::vector<ByteRange> both;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const ByteRange common{std::max(a[i].begin, b[j].begin), std::min(a[i].end, b[j].end)};
    if (common.begin < common.end) both.push_back(common);
    a[i].end < b[j].end ? ++i : ++j;
  }
  return both;
}

namespace {

// The tensors of one call, in the library's memory.

constexpr int64_t kNear = int64_t{1} << 16;  ///< messages name the tensor beside an address up to this distance in bytes

/// Names byte `byte` of a tensor: "y[3, 16]", or "byte 1 of y[3, 16]". Outside its storage: "'y', 2 bytes behind its end".
std::string place_text(const TensorSpec& spec, int64_t byte) {
  const int64_t bytes = int64_t(spec.bytes_of_kernel());
  if (byte < 0) return "'" + spec.name + "', " + bytes_in_words(size_t(-byte)) + " before its start";
  if (byte >= bytes) return "'" + spec.name + "', " + bytes_in_words(size_t(byte - bytes)) + " behind its end";
  if (const FarRows rows = FarRows::of(spec); rows.count > 0) {
    const size_t row = size_t(byte) / rows.pitch, into_row = size_t(byte) % rows.pitch;
    if (into_row < rows.bytes)
      return spec.name + "[" + std::to_string(row) + ", " + std::to_string(spec.element_of(into_row)) + "]";
    return "'" + spec.name + "', " + bytes_in_words(into_row - rows.bytes) + " behind row " + std::to_string(row);
  }
  const int64_t columns = spec.shape.empty() ? 1 : spec.shape.back(), rows = columns == 0 ? 0 : spec.elements() / columns;
  const int64_t element = spec.element_of(size_t(byte)), within = spec.packed ? 0 : byte % spec.format->bytes();
  const int64_t apart = spec.shape.empty() ? 1 : spec.strides.back(),
                pitch = spec.shape.size() > 1 ? spec.row(1) - spec.row(0) : 0;
  const int64_t row = pitch > 0 ? std::clamp<int64_t>((element - spec.offset) / pitch, 0, rows - 1) : 0;
  const int64_t column = apart > 0 && element >= spec.row(row) ? (element - spec.row(row)) / apart : -1;
  if (rows == 0 || column < 0 || column >= columns || spec.row(row) + column * apart != element)
    return "'" + spec.name + "', storage element " + std::to_string(element);
  const std::string of_byte = within == 0 ? "" : "byte " + std::to_string(within) + " of ";
  const std::string of_row = spec.shape.size() > 1 ? std::to_string(row) + ", " : "";
  return of_byte + spec.name + "[" + of_row + std::to_string(column) + "]";
}

bool is_output(const HostTensor& tensor) { return tensor.spec.role == Role::kOutput; }
bool is_in_place(const HostTensor& tensor) { return is_output(tensor) && !tensor.bytes.empty(); }

std::string input_damage(const HostTensor& tensor, std::span<const std::byte> now) {
  if (tensor.bytes.empty() || std::memcmp(tensor.bytes.data(), now.data(), now.size()) == 0) return "";
  const auto [was, is] = std::mismatch(tensor.bytes.begin(), tensor.bytes.end(), now.begin());
  const int64_t element = tensor.spec.element_of(size_t(was - tensor.bytes.begin()));
  return "input '" + tensor.spec.name + "' was changed, first at storage element " + std::to_string(element);
}

/// Bytes from a row's start to the next, at most kMost: a kernel that miscounts rows by one writes this far outside the tensor.
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
    if (put(i, reason)) continue;
    reason.insert(0, spec.name + ": ");
    return false;
  }
  return true;
}

bool Buffers::reset_outputs(std::string& reason) {
  for (size_t i = 0; i < problem_->tensors.size(); ++i)
    if (is_output(problem_->tensors[i]) && !put(i, reason)) return false;
  return true;
}

/// Writes the state before the call into the block of tensor i.
bool Buffers::put(size_t i, std::string& reason) {
  const TensorSpec& spec = problem_->tensors[i].spec;
  if (spec.far > 0) return blocks_[i].upload_rows(before(i), FarRows::of(spec), reason);
  return blocks_[i].upload(before(i), reason, row_bytes(spec), beside_);
}

void Buffers::set_accessible(const std::vector<int32_t>& tensors, bool accessible) {
  for (const int32_t tensor : tensors)
    if (tensor >= 0 && size_t(tensor) < blocks_.size()) blocks_[size_t(tensor)].set_accessible(accessible);
}

CallResult Buffers::download() {
  const std::vector<HostTensor>& tensors = problem_->tensors;
  std::string reason;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (!blocks_[i].download(reason)) return lost(tensors[i].spec.name + ": " + reason, true);
  CallResult result;  // contains the outputs even if the call is broken, since they help to describe the mistake
  const auto is_broken = [&](const std::string& words) {
    if (result.status == CallStatus::kOk) result.status = CallStatus::kBroken, result.message = words;
  };
  for (size_t i = 0; i < tensors.size(); ++i)
    if (const std::string damage = blocks_[i].guard_damage(); !damage.empty())
      is_broken("wrote outside '" + tensors[i].spec.name + "': " + damage);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const std::span<const std::byte> now = blocks_[i].downloaded();
    if (!is_output(tensors[i])) {
      if (const std::string damage = input_damage(tensors[i], now); !damage.empty()) is_broken(damage);
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

std::string Buffers::with_places(const std::string& message) const {
  constexpr std::string_view kWords = "address 0x";
  const size_t at = message.find(kWords);
  if (at == std::string::npos || problem_ == nullptr) return message;
  size_t end = at + kWords.size();
  while (end < message.size() && std::isxdigit(static_cast<unsigned char>(message[end])) != 0) ++end;
  const auto address = uintptr_t(std::strtoull(message.c_str() + at + kWords.size(), nullptr, 16));
  std::string place = "an address far from every tensor";
  int64_t nearest = kNear;
  for (size_t i = 0; i < std::min(blocks_.size(), problem_->tensors.size()); ++i) {
    const TensorSpec& spec = problem_->tensors[i].spec;
    const auto begin = reinterpret_cast<uintptr_t>(blocks_[i].address());
    const int64_t from_begin = int64_t(address - begin), bytes = int64_t(spec.bytes_of_kernel());
    const int64_t away = from_begin < 0 ? -from_begin : std::max<int64_t>(0, from_begin - bytes);
    if (begin == 0 || away > nearest || bytes == 0) continue;
    nearest = away == 0 ? -1 : away;
    place = place_text(spec, from_begin);
  }
  return message.substr(0, at) + place + message.substr(end);
}

TensorNames::TensorNames(const Problem& problem, const Buffers& buffers) {
  const std::vector<DeviceBlock>& blocks = buffers.blocks();
  for (size_t i = 0; i < problem.tensors.size(); ++i) {
    const auto* begin = static_cast<const std::byte*>(blocks[i].address());
    const TensorSpec& spec = problem.tensors[i].spec;
    const FarRows rows = FarRows::of(spec);
    const std::byte* const end = begin + spec.bytes_of_kernel();
    remember_tensor({blocks[i].low(), begin, end, blocks[i].high(), spec.name, rows.bytes, rows.pitch});
  }
}

TensorNames::~TensorNames() { forget_tensors(); }

// Workspaces: the scratch memory that a library asks for.

bool Workspaces::give(const std::vector<assay_call*>& calls, void* group, std::string& reason) {
  size_t bytes = 0;
  for (assay_call* call : calls)
    if (functions_->workspace_bytes != nullptr) bytes = std::max(bytes, functions_->workspace_bytes(call));
  if (bytes == 0) return true;
  constexpr size_t kMost = size_t{1} << 46;  // 64 TiB: no device has it, so the request is a mistake of the library
  if (bytes > kMost) throw WorkspaceError("asks for a workspace of " + std::to_string(bytes) + " bytes; expected at most 64 TiB");
  const auto rank = size_t(calls.front()->rank);
  while (of_ranks_.size() <= rank) {
    void* const owner = functions_->allocate_on != nullptr ? group : nullptr;
    of_ranks_.emplace_back(functions_, DeviceBlock::Member{owner, int32_t(of_ranks_.size())});
  }
  DeviceBlock& workspace = of_ranks_[rank];
  if (!workspace.enclose(bytes, reason)) return false;
  for (assay_call* call : calls) call->workspace = workspace.address(), call->workspace_bytes = bytes;
  return true;
}

CallResult Workspaces::looked_at(const std::vector<const assay_call*>& calls) {
  for (const assay_call* call : calls) {
    if (call->workspace == nullptr) continue;
    DeviceBlock& workspace = of_ranks_[size_t(call->rank)];
    std::string reason;
    if (!workspace.download_guards(reason)) return lost("workspace: " + reason, true);
    if (const std::string damage = workspace.guard_damage(); !damage.empty())
      return refused(CallStatus::kBroken, "wrote outside the workspace: " + damage);
  }
  return {};
}

}  // namespace assay
