// The operations of one function, one for each dword, and how instructions become operations.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "kernels/gcn_executor/executor.h"
#include "kernels/gcn_executor/lane_code.h"

namespace assay_gcn {

struct Program {
  std::string name;
  uint64_t begin = 0;  ///< device address
  std::vector<Operation> operations;
  std::deque<Permutation> permutations;
};

/// What the builders of operations read and fill.
struct Build {
  const Instruction& in;
  Operation& out;
  Program& program;
  bool is_gfx950 = false;
  std::vector<std::string> used = {};  ///< modifiers that were looked at

  bool has(std::string_view modifier) { return used.emplace_back(modifier), in.has(modifier); }
  int64_t number(std::string_view modifier, int64_t otherwise = 0) { return used.emplace_back(modifier), in.number(modifier, otherwise); }
  std::vector<int> list(std::string_view modifier, size_t count, int otherwise = 0) {
    return used.emplace_back(modifier), in.list(modifier, count, otherwise);
  }
  std::string_view value(std::string_view modifier) { return used.emplace_back(modifier), in.value(modifier); }
};

[[noreturn]] void not_implemented(const std::string& why);

/// A source as an operand says it: a row, a scalar or a constant of a type (see vector_table.inc).
Source source_of(const Operand& operand, char type);
/// The row of a vector or accumulation register.
uint16_t row_of(const Operand& operand);
/// The number of a scalar register that can be written.
uint16_t scalar_of(const Operand& operand);

// Each returns false if the mnemonic is not its own. Throws Fault for what it does not implement.
bool build_vector(Build& build, const VectorEntry* entries, size_t count);
bool build_lane_exchange(Build& build);
bool build_scalar(Build& build);
bool build_memory(Build& build);
bool build_lds(Build& build);
bool build_matrix(Build& build);

inline u32 low_word(const Wave& w, const Source& s) { return s.kind == Source::kScalar ? w.s[s.index] : s.constant[0]; }
inline u64 wide_word(const Wave& w, const Source& s) {
  return s.kind == Source::kScalar ? pair(w, s.index) : s.constant[0] | static_cast<u64>(s.constant[1]) << 32;
}

}  // namespace assay_gcn
