// One AMD machine instruction as operands and modifiers. LLVM's disassembler prints it; the text is taken apart here. Assembler text is
// stable between LLVM versions, while the layout of LLVM's operands is private and changes.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay_gcn {

/// Why a kernel stops: an instruction that is not implemented, an address outside of every buffer, a deadlock.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Numbers of scalar registers in the encoding.
enum ScalarRegister : int { kFlatScratch = 102, kXnackMask = 104, kVcc = 106, kTtmp = 108, kM0 = 124, kExec = 126 };

struct Operand {
  enum class Kind : uint8_t { kVector, kAccumulation, kScalar, kNumber, kSpecial };
  Kind kind = Kind::kSpecial;
  int index = 0;  ///< first register
  int words = 1;  ///< registers
  bool negative = false, absolute = false, sign_extend = false;
  std::string text;  ///< as printed, without -, || and sext()

  bool is_row() const { return kind == Kind::kVector || kind == Kind::kAccumulation; }
};

struct Instruction {
  std::string name;  ///< mnemonic without its form: v_add_f32
  std::string form;  ///< e32, e64, sdwa, dpp, e64_dpp or nothing
  std::vector<Operand> operands;
  std::vector<std::pair<std::string, std::string>> modifiers;  ///< name and value, e.g. {"op_sel", "[0,1]"}, {"clamp", ""}
  uint64_t address = 0;
  uint32_t size = 0;  ///< bytes

  bool has(std::string_view modifier) const;
  /// The value of a modifier; `otherwise` if the instruction does not have it. Throws Fault if it is no integer.
  int64_t number(std::string_view modifier, int64_t otherwise = 0) const;
  /// A list such as op_sel:[0,1], filled up with `otherwise`.
  std::vector<int> list(std::string_view modifier, size_t count, int otherwise = 0) const;
  std::string_view value(std::string_view modifier) const;
};

/// Takes the text of one instruction apart. Throws Fault if it is none.
Instruction parse_instruction(std::string_view text);

/// The text again, from the parts alone.
std::string text_of(const Instruction& instruction);

/// The bits of an inline constant or a literal, for a type: 'f' and 'b' 32 bits, 'h' 16, 'd' a double, 'q' an integer of 64 bits.
uint64_t bits_of_number(std::string_view text, char type);

/// LLVM's disassembler for one architecture. Not to be shared between threads.
class Disassembler {
 public:
  /// Throws Fault if this build's LLVM does not know the architecture.
  explicit Disassembler(const std::string& architecture);
  ~Disassembler();
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  /// Text as LLVM prints it, and the size in bytes. Throws Fault for bytes that are no instruction.
  std::pair<std::string, uint32_t> print(const uint8_t* bytes, size_t count, uint64_t address) const;
  Instruction decode(const uint8_t* bytes, size_t count, uint64_t address) const;

 private:
  void* context_;
};

}  // namespace assay_gcn
