#include "kernels/gcn_executor/instruction.h"

#include <llvm-c/Disassembler.h>
#include <llvm-c/Target.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>

extern "C" {
void LLVMInitializeAMDGPUTargetInfo(void);
void LLVMInitializeAMDGPUTargetMC(void);
void LLVMInitializeAMDGPUDisassembler(void);
}

namespace assay_gcn {
namespace {

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t"), end = text.find_last_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view() : text.substr(begin, end - begin + 1);
}

bool starts_with(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }
bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

/// Splits at `separator`, except inside brackets.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && std::strchr("[(", text[i])) ++depth;
    if (i < text.size() && std::strchr("])", text[i])) --depth;
    if (i < text.size() && (text[i] != separator || depth != 0)) continue;
    if (const std::string_view part = trimmed(text.substr(begin, i - begin)); !part.empty()) parts.push_back(part);
    begin = i + 1;
  }
  return parts;
}

bool parse_integer(std::string_view text, int64_t& value) {
  const bool negative = starts_with(text, "-");
  if (negative) text.remove_prefix(1);
  const bool hexadecimal = starts_with(text, "0x");
  if (hexadecimal) text.remove_prefix(2);
  uint64_t magnitude = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), magnitude, hexadecimal ? 16 : 10);
  value = static_cast<int64_t>(negative ? 0 - magnitude : magnitude);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Parses v5, s[4:7], a0, ttmp[2:3].
bool parse_register(std::string_view text, Operand& operand) {
  static constexpr std::pair<std::string_view, Operand::Kind> kFiles[] = {{"ttmp", Operand::Kind::kScalar},
                                                                          {"v", Operand::Kind::kVector},
                                                                          {"s", Operand::Kind::kScalar},
                                                                          {"a", Operand::Kind::kAccumulation}};
  for (const auto& [file, kind] : kFiles) {
    if (!starts_with(text, file)) continue;
    std::string_view rest = text.substr(file.size());
    int64_t first = 0, last = 0;
    if (starts_with(rest, "[") && ends_with(rest, "]")) {
      rest = rest.substr(1, rest.size() - 2);
      const size_t colon = rest.find(':');
      if (!parse_integer(rest.substr(0, colon), first)) continue;
      last = first;
      if (colon != std::string_view::npos && !parse_integer(rest.substr(colon + 1), last)) continue;
    } else if (parse_integer(rest, first) && rest.front() != '-') {
      last = first;
    } else {
      continue;
    }
    operand.kind = kind;
    operand.index = static_cast<int>(first) + (file == "ttmp" ? kTtmp : 0);
    operand.words = static_cast<int>(last - first) + 1;
    return true;
  }
  static const std::map<std::string_view, std::pair<int, int>> kNamed = {
      {"vcc", {kVcc, 2}},          {"vcc_lo", {kVcc, 1}},         {"vcc_hi", {kVcc + 1, 1}},
      {"exec", {kExec, 2}},        {"exec_lo", {kExec, 1}},       {"exec_hi", {kExec + 1, 1}},
      {"m0", {kM0, 1}},            {"flat_scratch", {kFlatScratch, 2}}, {"flat_scratch_lo", {kFlatScratch, 1}},
      {"flat_scratch_hi", {kFlatScratch + 1, 1}}, {"xnack_mask", {kXnackMask, 2}}, {"xnack_mask_lo", {kXnackMask, 1}},
      {"xnack_mask_hi", {kXnackMask + 1, 1}}};
  const auto named = kNamed.find(text);
  if (named == kNamed.end()) return false;
  operand.kind = Operand::Kind::kScalar;
  operand.index = named->second.first;
  operand.words = named->second.second;
  return true;
}

bool is_decimal_fraction(std::string_view text) {
  return !text.empty() && text.find_first_not_of("-0123456789.") == std::string_view::npos &&
         text.find('.') != std::string_view::npos;
}

Operand parse_operand(std::string_view text) {
  Operand operand;
  int64_t ignored = 0;
  if (starts_with(text, "sext(") && ends_with(text, ")")) {
    operand.sign_extend = true;
    text = text.substr(5, text.size() - 6);
  }
  const bool number = parse_integer(text, ignored) || is_decimal_fraction(text);
  if (!number && starts_with(text, "neg(") && ends_with(text, ")")) {
    operand.negative = true;
    text = text.substr(4, text.size() - 5);
  } else if (!number && starts_with(text, "-")) {
    operand.negative = true;
    text.remove_prefix(1);
  }
  if (text.size() > 2 && text.front() == '|' && text.back() == '|') {
    operand.absolute = true;
    text = text.substr(1, text.size() - 2);
  }
  operand.text = std::string(text);
  if (parse_register(text, operand)) return operand;
  std::string_view literal = text;
  if (starts_with(literal, "lit(")) literal = literal.substr(4, literal.size() - 5);
  operand.kind =
      parse_integer(literal, ignored) || is_decimal_fraction(literal) ? Operand::Kind::kNumber : Operand::Kind::kSpecial;
  return operand;
}

}  // namespace

bool Instruction::has(std::string_view modifier) const {
  for (const auto& [name, value] : modifiers)
    if (name == modifier) return true;
  return false;
}

std::string_view Instruction::value(std::string_view modifier) const {
  for (const auto& [name, value] : modifiers)
    if (name == modifier) return value;
  return {};
}

int64_t Instruction::number(std::string_view modifier, int64_t otherwise) const {
  if (!has(modifier)) return otherwise;
  int64_t result = 0;
  if (!parse_integer(value(modifier), result))
    throw Fault("modifier " + std::string(modifier) + ": expected an integer, got '" + std::string(value(modifier)) + "'");
  return result;
}

std::vector<int> Instruction::list(std::string_view modifier, size_t count, int otherwise) const {
  std::vector<int> result(count, otherwise);
  if (!has(modifier)) return result;
  std::string_view text = value(modifier);
  if (text.size() < 2 || text.front() != '[') throw Fault("modifier " + std::string(modifier) + ": expected a list");
  const std::vector<std::string_view> parts = split(text.substr(1, text.size() - 2), ',');
  result.resize(std::max(count, parts.size()), otherwise);
  for (size_t i = 0; i < parts.size(); ++i) {
    int64_t number = 0;
    if (!parse_integer(parts[i], number)) throw Fault("modifier " + std::string(modifier) + ": expected integers");
    result[i] = static_cast<int>(number);
  }
  return result;
}

Instruction parse_instruction(std::string_view text) {
  text = trimmed(text);
  if (const size_t comment = text.find("//"); comment != std::string_view::npos) text = trimmed(text.substr(0, comment));
  if (text.empty()) throw Fault("an empty instruction");
  Instruction instruction;
  const size_t blank = text.find(' ');
  std::string_view name = text.substr(0, blank);
  for (const std::string_view form : {"_e64_dpp", "_e32", "_e64", "_sdwa", "_dpp"})
    if (ends_with(name, form)) {
      instruction.form = std::string(form.substr(1));
      name.remove_suffix(form.size());
      break;
    }
  instruction.name = std::string(name);
  if (blank == std::string_view::npos) return instruction;
  std::vector<std::string_view> parts = split(text.substr(blank), ',');
  if (parts.empty()) return instruction;
  // Modifiers follow the last operand. The text after s_waitcnt and similar instructions is one operand, even if it contains
  // blanks.
  if (starts_with(name, "s_waitcnt") || starts_with(name, "s_sendmsg")) {
    parts = {trimmed(text.substr(blank))};
  } else {
    const std::vector<std::string_view> last = split(parts.back(), ' ');
    parts.back() = last.front();
    for (size_t i = 1; i < last.size(); ++i) {
      const size_t colon = last[i].find(':');
      const bool plain = colon == std::string_view::npos;
      instruction.modifiers.emplace_back(last[i].substr(0, colon), plain ? std::string_view() : last[i].substr(colon + 1));
    }
  }
  for (const std::string_view part : parts) instruction.operands.push_back(parse_operand(part));
  return instruction;
}

std::string text_of(const Instruction& instruction) {
  std::string text = instruction.name;
  if (!instruction.form.empty()) text += "_" + instruction.form;
  const char* between = " ";
  for (const Operand& operand : instruction.operands) {
    std::string body = operand.text;
    const bool named = operand.kind == Operand::Kind::kScalar && operand.index >= kFlatScratch && operand.text[0] != 's';
    // text_of() prints registers from their numbers, so that a test finds registers whose numbers were parsed wrongly
    if (operand.is_row() || (operand.kind == Operand::Kind::kScalar && !named)) {
      const std::string file = operand.kind == Operand::Kind::kVector         ? "v"
                               : operand.kind == Operand::Kind::kAccumulation ? "a"
                                                                              : "s";
      const std::string first = std::to_string(operand.index), last = std::to_string(operand.index + operand.words - 1);
      body = operand.words == 1 ? file + first : file + "[" + first + ":" + last + "]";
    }
    if (operand.absolute) body = "|" + body + "|";
    if (operand.negative) body = operand.kind == Operand::Kind::kNumber ? "neg(" + body + ")" : "-" + body;
    if (operand.sign_extend) body = "sext(" + body + ")";
    text += between + body;
    between = ", ";
  }
  for (const auto& [name, value] : instruction.modifiers) text += " " + name + (value.empty() ? "" : ":" + value);
  return text;
}

uint64_t bits_of_number(std::string_view text, char type) {
  if (starts_with(text, "lit(")) text = text.substr(4, text.size() - 5);
  int64_t integer = 0;
  if (parse_integer(text, integer)) {
    // A 32-bit literal in place of a 64-bit float is the high half of the float's bits.
    if (type == 'd' && starts_with(text, "0x") && integer >> 32 == 0) return static_cast<uint64_t>(integer) << 32;
    return static_cast<uint64_t>(integer);
  }
  if (!is_decimal_fraction(text)) throw Fault("operand '" + std::string(text) + "': expected a number");
  static const std::map<std::string_view, std::array<uint64_t, 3>> kInline = {
      {"0.0", {0, 0, 0}},
      {"0.5", {0x3F000000, 0x3800, 0x3FE0000000000000}},
      {"-0.5", {0xBF000000, 0xB800, 0xBFE0000000000000}},
      {"1.0", {0x3F800000, 0x3C00, 0x3FF0000000000000}},
      {"-1.0", {0xBF800000, 0xBC00, 0xBFF0000000000000}},
      {"2.0", {0x40000000, 0x4000, 0x4000000000000000}},
      {"-2.0", {0xC0000000, 0xC000, 0xC000000000000000}},
      {"4.0", {0x40800000, 0x4400, 0x4010000000000000}},
      {"-4.0", {0xC0800000, 0xC400, 0xC010000000000000}},
      {"0.15915494", {0x3E22F983, 0x3118, 0x3FC45F306DC9C882}},
      {"0.1591549430918953", {0x3E22F983, 0x3118, 0x3FC45F306DC9C882}},
      {"0.15915494309189532", {0x3E22F983, 0x3118, 0x3FC45F306DC9C882}}};
  const auto found = kInline.find(text);
  if (found == kInline.end()) throw Fault("operand '" + std::string(text) + "': expected an inline constant");
  return found->second[type == 'h' ? 1 : type == 'd' ? 2 : 0];
}

Disassembler::Disassembler(const std::string& architecture) : context_(nullptr) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
  });
  context_ = LLVMCreateDisasmCPU("amdgcn-amd-amdhsa", architecture.c_str(), nullptr, 0, nullptr, nullptr);
  if (context_ == nullptr) throw Fault("architecture " + architecture + ": LLVM has no disassembler for it");
}

Disassembler::~Disassembler() { LLVMDisasmDispose(context_); }

std::pair<std::string, uint32_t> Disassembler::print(const uint8_t* bytes, size_t count, uint64_t address) const {
  char text[512];
  const size_t size = LLVMDisasmInstruction(context_, const_cast<uint8_t*>(bytes), count, address, text, sizeof text);
  if (size == 0) throw Fault("the bytes are not an instruction of this architecture");
  return {std::string(trimmed(text)), static_cast<uint32_t>(size)};
}

Instruction Disassembler::decode(const uint8_t* bytes, size_t count, uint64_t address) const {
  auto [text, size] = print(bytes, count, address);
  Instruction instruction = parse_instruction(text);
  instruction.address = address;
  instruction.size = size;
  return instruction;
}

}  // namespace assay_gcn
