#include "kernels/gcn_executor/memory.h"

#include <cstdlib>
#include <cstring>

#include "kernels/gcn_executor/instruction.h"

namespace assay_gcn {
namespace {

std::string hexadecimal(uint64_t value) {
  char text[32];
  std::snprintf(text, sizeof text, "%#llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

Memory::~Memory() {
  for (const auto& [end, buffer] : buffers_)
    if (buffer->owned) std::free(reinterpret_cast<void*>(buffer->begin));
}

void* Memory::allocate(size_t bytes, std::string name) {
  // A page between buffers: an address behind one is never inside of the next.
  constexpr size_t kPage = 4096;
  const size_t taken = (bytes + 2 * kPage - 1) / kPage * kPage;
  void* data = taken < bytes ? nullptr : std::aligned_alloc(kPage, taken);
  if (data == nullptr) throw Fault("device memory: cannot allocate " + std::to_string(bytes) + " bytes");
  std::memset(data, 0, taken);
  add(data, bytes == 0 ? 1 : bytes, std::move(name));
  find(reinterpret_cast<uint64_t>(data), 1)->owned = true;
  return data;
}

void Memory::add(void* data, size_t bytes, std::string name) {
  auto buffer = std::make_unique<Buffer>();
  buffer->begin = reinterpret_cast<uint64_t>(data);
  buffer->end = buffer->begin + bytes;
  buffer->name = std::move(name);
  const uint64_t end = buffer->end;
  buffers_[end] = std::move(buffer);
  last_ = nullptr;
}

bool Memory::release(const void* data) {
  const auto found = buffers_.upper_bound(reinterpret_cast<uint64_t>(data));
  if (found == buffers_.end() || found->second->begin != reinterpret_cast<uint64_t>(data)) return false;
  if (found->second->owned) std::free(reinterpret_cast<void*>(found->second->begin));
  buffers_.erase(found);
  last_ = nullptr;
  return true;
}

Buffer* Memory::find(uint64_t address, uint64_t bytes) {
  if (last_ != nullptr && last_->holds(address, bytes)) return last_;
  const auto found = buffers_.upper_bound(address);
  if (found == buffers_.end() || !found->second->holds(address, bytes)) return nullptr;
  return last_ = found->second.get();
}

std::string Memory::describe(uint64_t address, uint64_t bytes) const {
  std::string text = std::to_string(bytes) + " bytes at " + hexadecimal(address);
  const auto after = buffers_.upper_bound(address);
  if (after != buffers_.end() && after->second->begin <= address)
    return text + ", across the end of buffer '" + after->second->name + "' (" + std::to_string(after->second->end - after->second->begin) + " bytes)";
  if (after != buffers_.begin()) {
    const Buffer& before = *std::prev(after)->second;
    if (address - before.end < 1 << 20)
      return text + ", " + std::to_string(address - before.end) + " bytes behind buffer '" + before.name + "' (" + std::to_string(before.end - before.begin) + " bytes)";
  }
  if (after != buffers_.end() && after->second->begin - address < 1 << 20)
    return text + ", " + std::to_string(after->second->begin - address) + " bytes before buffer '" + after->second->name + "'";
  return text + ", in no buffer";
}

}  // namespace assay_gcn
