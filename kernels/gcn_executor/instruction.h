// One AMD machine instruction, split into operands and modifiers. LLVM's disassembler prints it, and this code parses the text.
// Assembler text is stable across LLVM versions. LLVM's internal operand layout is private and changes.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay_gcn {

/// Why a kernel stops: an instruction that is not implemented, an address outside every buffer, or a deadlock.
struct Fault : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Encoded numbers of scalar registers.
enum ScalarRegister : int { kFlatScratch = 102, kXnackMask = 104, kVcc = 106, kTtmp = 108, kM0 = 124, kExec = 126 };

struct Operand {
  enum class Kind : uint8_t { kVector, kAccumulation, kScalar, kNumber, kSpecial };
  Kind kind = Kind::kSpecial;
  int index = 0;  ///< first register number
  int words = 1;  ///< number of registers
  bool negative = false, absolute = false, sign_extend = false;
  std::string text;  ///< the operand as printed, without -, || or sext()

  bool is_row() const { return kind == Kind::kVector || kind == Kind::kAccumulation; }
};

struct Instruction {
  std::string name;  ///< mnemonic without the encoding suffix, such as v_add_f32
  std::string form;  ///< encoding suffix: e32, e64, sdwa, dpp, e64_dpp or empty
  std::vector<Operand> operands;
  std::vector<std::pair<std::string, std::string>> modifiers;  ///< name and value, such as {"op_sel", "[0,1]"} or {"clamp", ""}
  uint64_t address = 0;
  uint32_t size = 0;  ///< size of the encoding in bytes

  bool has(std::string_view modifier) const;
  /// Returns the modifier's value, or `otherwise` if the instruction lacks it. Throws Fault if the value is not an integer.
  int64_t number(std::string_view modifier, int64_t otherwise = 0) const;
  /// Returns a list modifier such as op_sel:[0,1], padded with `otherwise` to `count` numbers.
  std::vector<int> list(std::string_view modifier, size_t count, int otherwise = 0) const;
  std::string_view value(std::string_view modifier) const;
};

/// Parses the text of one instruction. Throws Fault if the text is malformed.
Instruction parse_instruction(std::string_view text);

/// Prints the instruction from its parsed parts. A test compares this with LLVM's text, to find parts that were parsed wrongly.
std::string text_of(const Instruction& instruction);

/// The bits of an inline constant or literal as a source of this type: 'f', 'b' 32 bits, 'h' f16, 'd' double, 'q' 64-bit integer.
uint64_t bits_of_number(std::string_view text, char type);

/// LLVM's disassembler for one architecture. Not thread-safe.
class Disassembler {
 public:
  /// Throws Fault if LLVM was built without support for the architecture.
  explicit Disassembler(const std::string& architecture);
  ~Disassembler();
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;

  /// Returns the text as LLVM prints it, and the size in bytes. Throws Fault if the bytes are not an instruction.
  std::pair<std::string, uint32_t> print(const uint8_t* bytes, size_t count, uint64_t address) const;
  Instruction decode(const uint8_t* bytes, size_t count, uint64_t address) const;

 private:
  void* context_;
};

}  // namespace assay_gcn
