#include "kernels/gcn_executor/code_object.h"

#include <elf.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "kernels/gcn_executor/instruction.h"

namespace assay_gcn {
namespace {

constexpr uint16_t kMachineAmdGpu = 224;
constexpr uint32_t kNoteMetadata = 32;  // NT_AMDGPU_METADATA
enum Relocation : uint32_t { kAbs64 = 3, kRelative64 = 13 };

[[noreturn]] void refuse(const std::string& what) { throw Fault("code object: " + what); }

/// Reads the ELF file. A read beyond the end of the file throws.
class Image {
 public:
  Image(const void* data, size_t size) : data_(static_cast<const uint8_t*>(data)), size_(size) {}
  template <class T>
  T read(uint64_t offset) const {
    T value;
    std::memcpy(&value, bytes(offset, sizeof value), sizeof value);
    return value;
  }
  const uint8_t* bytes(uint64_t offset, uint64_t count) const {
    if (count > size_ || offset > size_ - count)
      refuse("the file is cut off: expected " + std::to_string(count) + " bytes at offset " + std::to_string(offset));
    return data_ + offset;
  }
  std::string text(uint64_t offset) const {
    std::string result;
    for (; *bytes(offset, 1) != 0; ++offset) result += static_cast<char>(*bytes(offset, 1));
    return result;
  }

 private:
  const uint8_t* data_;
  size_t size_;
};

std::string architecture_of_flags(uint32_t flags) {
  switch (flags & 0xFF) {
    case 0x4C:
      return "gfx942";
    case 0x4F:
      return "gfx950";
    default:
      return "";
  }
}

Elf64_Ehdr header_of(const Image& image) {
  const auto header = image.read<Elf64_Ehdr>(0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
      header.e_machine != kMachineAmdGpu)
    refuse("expected a 64-bit ELF file for AMDGPU");
  return header;
}

/// Reads the names and arguments of the kernels from the metadata. Their descriptors are read later.
std::map<std::string, Kernel> kernels_of(const uint8_t* note, size_t bytes) {
  std::map<std::string, Kernel> kernels;
  const auto metadata = nlohmann::json::from_msgpack(note, note + bytes, true, false);
  if (metadata.is_discarded() || !metadata.contains("amdhsa.kernels")) refuse("the metadata (amdhsa.kernels) cannot be read");
  for (const auto& entry : metadata["amdhsa.kernels"]) {
    Kernel kernel;
    kernel.name = entry.at(".name").get<std::string>();
    if (entry.contains(".uses_dynamic_stack")) kernel.uses_dynamic_stack = entry[".uses_dynamic_stack"].get<bool>();
    if (entry.contains(".wavefront_size") && entry[".wavefront_size"] != 64)
      refuse("kernel " + kernel.name + ": expected waves of 64 lanes");
    if (entry.contains(".args"))
      for (const auto& argument : entry[".args"])
        kernel.arguments.push_back({argument.at(".offset").get<size_t>(), argument.at(".size").get<size_t>(),
                                    argument.at(".value_kind").get<std::string>()});
    kernels[kernel.name] = std::move(kernel);
  }
  return kernels;
}

}  // namespace

std::string architecture_of(const void* elf, size_t bytes) {
  if (bytes < sizeof(Elf64_Ehdr)) return "";
  Elf64_Ehdr header;
  std::memcpy(&header, elf, sizeof header);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_machine != kMachineAmdGpu) return "";
  return architecture_of_flags(header.e_flags);
}

CodeObject::CodeObject(const void* elf, size_t bytes, Memory& memory) : memory_(memory) {
  const Image image(elf, bytes);
  const Elf64_Ehdr header = header_of(image);
  architecture_ = architecture_of_flags(header.e_flags);
  if (architecture_.empty()) refuse("expected gfx942 or gfx950, got machine " + std::to_string(header.e_flags & 0xFF));

  uint64_t end = 0;
  for (int i = 0; i < header.e_phnum; ++i) {
    const auto segment = image.read<Elf64_Phdr>(header.e_phoff + uint64_t{header.e_phentsize} * static_cast<uint64_t>(i));
    if (segment.p_type == PT_LOAD) end = std::max(end, segment.p_vaddr + segment.p_memsz);
    if (segment.p_type != PT_NOTE) continue;
    for (uint64_t at = segment.p_offset; at + 12 <= segment.p_offset + segment.p_filesz;) {
      const auto note = image.read<Elf64_Nhdr>(at);
      const uint64_t name = at + sizeof note, description = name + (note.n_namesz + 3) / 4 * 4;
      if (note.n_type == kNoteMetadata) kernels_ = kernels_of(image.bytes(description, note.n_descsz), note.n_descsz);
      at = description + (note.n_descsz + 3) / 4 * 4;
    }
  }
  if (end == 0 || end > uint64_t{1} << 32) refuse("the loadable segments are empty, or larger than 4 GiB together");
  base_ = reinterpret_cast<uint64_t>(memory_.allocate(end, "code object"));
  for (int i = 0; i < header.e_phnum; ++i) {
    const auto segment = image.read<Elf64_Phdr>(header.e_phoff + uint64_t{header.e_phentsize} * static_cast<uint64_t>(i));
    if (segment.p_type == PT_LOAD)
      std::memcpy(reinterpret_cast<void*>(base_ + segment.p_vaddr), image.bytes(segment.p_offset, segment.p_filesz),
                  segment.p_filesz);
  }

  for (int i = 0; i < header.e_shnum; ++i) {
    const auto section = image.read<Elf64_Shdr>(header.e_shoff + uint64_t{header.e_shentsize} * static_cast<uint64_t>(i));
    if (section.sh_type == SHT_SYMTAB || section.sh_type == SHT_DYNSYM) {
      const auto strings = image.read<Elf64_Shdr>(header.e_shoff + uint64_t{header.e_shentsize} * section.sh_link);
      for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.sh_size; at += sizeof(Elf64_Sym)) {
        const auto symbol = image.read<Elf64_Sym>(section.sh_offset + at);
        if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE) continue;
        const std::string name = image.text(strings.sh_offset + symbol.st_name);
        symbols_[name] = {base_ + symbol.st_value, symbol.st_size};
        if (ELF64_ST_TYPE(symbol.st_info) == STT_FUNC && symbol.st_size != 0) {
          const Function function{name, base_ + symbol.st_value, base_ + symbol.st_value + symbol.st_size};
          functions_[function.end] = function;
        }
      }
    } else if (section.sh_type == SHT_RELA && (section.sh_flags & SHF_ALLOC)) {
      const auto table = image.read<Elf64_Shdr>(header.e_shoff + uint64_t{header.e_shentsize} * section.sh_link);
      for (uint64_t at = 0; at + sizeof(Elf64_Rela) <= section.sh_size; at += sizeof(Elf64_Rela)) {
        const auto entry = image.read<Elf64_Rela>(section.sh_offset + at);
        uint64_t value = base_ + static_cast<uint64_t>(entry.r_addend);
        if (ELF64_R_TYPE(entry.r_info) == kAbs64) {
          const auto symbol = image.read<Elf64_Sym>(table.sh_offset + ELF64_R_SYM(entry.r_info) * sizeof(Elf64_Sym));
          if (symbol.st_shndx == SHN_UNDEF) refuse("a relocation refers to an undefined symbol");
          value += symbol.st_value;
        } else if (ELF64_R_TYPE(entry.r_info) != kRelative64) {
          refuse("relocation " + std::to_string(ELF64_R_TYPE(entry.r_info)) + " is not implemented");
        }
        if (entry.r_offset > end - sizeof value) refuse("a relocation patches an address outside the segments");
        std::memcpy(reinterpret_cast<void*>(base_ + entry.r_offset), &value, sizeof value);
      }
    }
  }
  for (auto& [name, kernel] : kernels_) {
    const auto found = symbols_.find(name + ".kd");
    if (found == symbols_.end()) refuse("kernel " + name + " has no descriptor");
    if (found->second.first - base_ > end - sizeof kernel.descriptor)
      refuse("kernel " + name + ": its descriptor lies outside the segments");
    std::memcpy(&kernel.descriptor, reinterpret_cast<const void*>(found->second.first), sizeof kernel.descriptor);
    kernel.entry = found->second.first + static_cast<uint64_t>(kernel.descriptor.kernel_code_entry_byte_offset);
    if (function_at(kernel.entry) == nullptr) refuse("kernel " + name + ": its entry point lies in no function");
  }
}

CodeObject::~CodeObject() {
  if (base_ != 0) memory_.release(reinterpret_cast<void*>(base_));
}

const Function* CodeObject::function_at(uint64_t address) const {
  const auto found = functions_.upper_bound(address);
  return found != functions_.end() && found->second.begin <= address ? &found->second : nullptr;
}

std::pair<uint64_t, uint64_t> CodeObject::symbol(const std::string& name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? std::pair<uint64_t, uint64_t>{0, 0} : found->second;
}

}  // namespace assay_gcn
