// The operands of a tensor core instruction, tiles of operand values, and calls of a back end's instruction.
#pragma once

#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "harness/core/call.h"
#include "harness/core/op.h"
#include "reference/units/unit_predict.h"
#include "reference/units/unit_table.h"

namespace assay {

/// Formats and sizes of an instruction's operands, without its arithmetic.
struct Instruction {
  const Format *a = nullptr, *b = nullptr, *d = nullptr;
  int k = 0, m = 0, n = 0;
  const Format* scale = nullptr;  ///< nullptr: no scales
  int scale_block = 0;
  std::vector<bool> dead;  ///< for each k (a "place"): true if its product never has an effect; its operands stay zero

  bool integers() const { return d->is_integer(); }
  int scales() const { return scale ? k / scale_block : 0; }  ///< scales per row
};

/// Reads the cells a, b, d, k and scale of a row of units.csv. The row's arithmetic may be unknown.
Instruction instruction_of(const UnitRow& row, int m, int n);

/// The operands of several calls of an instruction, as codes; a tile is one call. At first, operands are 0 and scales are 1.
class Tiles {
 public:
  Tiles(const Instruction& instruction, int64_t count);

  int64_t count() const { return count_; }
  const Instruction& instruction() const { return *instruction_; }
  void set_a(int64_t tile, int64_t row, int64_t k, uint32_t code);
  void set_b(int64_t tile, int64_t column, int64_t k, uint32_t code);
  void set_c(int64_t tile, int64_t row, int64_t column, uint32_t code);
  void set_a_scale(int64_t tile, int64_t row, int64_t block, uint32_t code) { set(3, tile * instruction_->m + row, block, code); }
  void set_b_scale(int64_t tile, int64_t column, int64_t block, uint32_t code) {
    set(4, tile * instruction_->n + column, block, code);
  }

  uint32_t a(int64_t tile, int64_t row, int64_t k) const;
  uint32_t b(int64_t tile, int64_t column, int64_t k) const;
  uint32_t c(int64_t tile, int64_t row, int64_t column) const;
  /// Exchanges the operands at k = p with those at k = q, and so the two products.
  void swap(int64_t tile, int64_t p, int64_t q);
  void clear_scales();                  ///< sets all scales to 1
  void copy(int64_t from, int64_t to);  ///< copies a tile
  /// For tf32: sets the low 13 bits of the 32-bit operands, which the instruction ignores.
  void set_unused_bits(uint32_t bits) { unused_ = bits & 0x1fff; }

  /// A problem of op mma with the tensors c, a, b and d; also sfa and sfb if there are scales.
  const Problem& problem() const { return problem_; }
  /// The codes of d that a model predicts for one tile, in row-major order.
  std::vector<uint32_t> predicted(const Unit& unit, int64_t tile) const;

 private:
  void set(size_t tensor, int64_t row, int64_t column, uint32_t code);
  uint32_t get(size_t tensor, int64_t row, int64_t column) const;

  const Instruction* instruction_;
  int64_t count_;
  uint32_t unused_ = 0;
  Problem problem_;
};

/// Runs the instruction on all tiles and returns the codes of d. Throws ProbeError if the kernel fails.
using Ask = std::function<std::vector<uint32_t>(const Tiles&)>;

struct ProbeError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One tensor core instruction of a back end: a kernel of op mma that is called for one instruction at a time.

/// A kernel of op mma with one of its contracts, and the tile size that it takes.
struct OfferedInstruction {
  const KernelOffer* kernel = nullptr;
  std::string contract;
  int m = 0, n = 0, warp = 0;
};

/// All kernels of op mma that match the globs. A kernel that accepts any tile size gets 16 x 16.
std::vector<OfferedInstruction> offered_instructions(const LibraryInfo& library, const std::string& kernel_glob,
                                                     const std::string& contract_glob);

/// A function that calls the kernel. It throws ProbeError with the library's message if the kernel refuses, breaks or leaves
/// elements unwritten, and DeviceLostError if the device is lost. `backend` must outlive it.
Ask ask_of(const Backend& backend, const OfferedInstruction& offered);

struct DeviceLostError : ProbeError {
  using ProbeError::ProbeError;
};

}  // namespace assay
