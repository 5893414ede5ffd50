// Executes kernels of AMD code objects on the CPU. This header is the interface for runtimes. It exposes nothing of the
// instruction set, so another executor could implement it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/gcn_executor/code_object.h"
#include "kernels/gcn_executor/instruction.h"
#include "kernels/gcn_executor/memory.h"
#include "kernels/gcn_executor/wave.h"

namespace assay_gcn {

/// The executor's version in reports. It must change whenever results may change.
inline constexpr const char* kExecutorVersion = "assay_gcn 1";

/// The order in which waves run.
enum class Schedule {
  kAhead,     ///< a wave runs until it must wait (or for 4096 instructions), so that missing barriers change results
  kLockStep,  ///< waves take turns, one instruction each
  kRandom,    ///< pseudo-random, from the seed
};

struct Options {
  Schedule schedule = Schedule::kAhead;
  uint32_t seed = 0;
  Approximation approximation = Approximation::kNearest;
  MatrixModel matrix_model = MatrixModel::kNone;
  bool detects_races = false;
  uint64_t most_instructions = uint64_t{1} << 36;  ///< a launch that exceeds this counts as hung
  std::string lanes;                               ///< "portable", "AVX2" or "AVX-512"; empty: the widest that the CPU supports
};
/// Parses the value of ASSAY_EXECUTE_OPTIONS, such as "seed=3,schedule=random,approximate=up,races". Throws Fault.
Options options_of(const std::string& text);

struct Dimensions {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t{x} * y * z; }
};

struct Program;
struct Launch;
class RaceDetector;

/// A loaded code object and its operations. An instruction is decoded when a wave first reaches it.
class Executable {
 public:
  Executable(const void* elf, size_t bytes, Memory& memory, const LaneCode& lanes, MatrixModel matrix_model = MatrixModel::kNone);
  ~Executable();
  const CodeObject& object() const { return object_; }
  const LaneCode& lanes() const { return lanes_; }
  /// Returns the operation at a device address. Throws Fault if no function is there.
  const Operation* at(uint64_t address);
  uint64_t address_of(const Operation* operation) const;
  /// Returns a text such as "kernel+0x40: v_add_f32_e32 v0, v1, v2".
  std::string describe(const Operation* operation) const;
  /// Decodes the instruction of an operation, in place. Throws Fault with the instruction's text if it is not implemented.
  const Operation* decode(const Operation* operation);
  /// Decodes the operation if no wave has reached it before.
  const Operation* ready(const Operation* operation);
  /// Decodes every function. Returns the texts of instructions that are not implemented, and of those whose parsed form does not
  /// print as LLVM's text.
  std::vector<std::string> check();

 private:
  Program& program_of(const Operation* operation) const;
  CodeObject object_;
  Disassembler disassembler_;
  const LaneCode& lanes_;
  const MatrixModel matrix_model_;
  std::vector<std::unique_ptr<Program>> programs_;
};

/// A work-group. Its work-items share LDS and barriers.
struct Group {
  Launch* launch = nullptr;
  uint32_t x = 0, y = 0, z = 0;
  uint64_t number = 0;
  std::vector<uint8_t> lds;
  std::vector<Wave*> waves;
  uint64_t used = 0;           ///< wave instructions executed in the group's current turn
  uint32_t ordered = 0;        ///< race detector: the time of this group's last barrier
  uint32_t acquired = 0;       ///< race detector: the time of the last acquire from other groups
  std::vector<Touch> touches;  ///< accesses to LDS
};

class Device;

/// A launch of a kernel.
struct Launch {
  Device* device = nullptr;
  Executable* executable = nullptr;
  const Kernel* kernel = nullptr;
  Dimensions grid, block;  ///< number of groups, and of work-items per group
  uint32_t dynamic_lds = 0;
  uint64_t kernel_arguments = 0, packet = 0;  ///< device addresses
  uint64_t next_group = 0;
  uint64_t instructions = 0;
  uint64_t random = 0;
  std::vector<std::unique_ptr<Group>> groups;  ///< resident groups
  RaceDetector* races = nullptr;
  Memory* memory = nullptr;
  const LaneCode* lanes = nullptr;
};

class Device {
 public:
  explicit Device(Options options);
  ~Device();
  Device(const Device&) = delete;

  Memory& memory() { return memory_; }
  const Options& options() const { return options_; }
  const LaneCode& lanes() const { return *lanes_; }
  std::unique_ptr<Executable> load(const void* elf, size_t bytes) {
    return std::make_unique<Executable>(elf, bytes, memory_, *lanes_, options_.matrix_model);
  }

  /// Starts a kernel. `arguments` holds the explicit arguments, laid out as the metadata says. Throws Fault.
  std::unique_ptr<Launch> start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                uint32_t dynamic_lds, const void* arguments, size_t bytes);
  /// Starts a kernel from one pointer per explicit argument, as hipLaunchKernel takes them.
  std::unique_ptr<Launch> start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                uint32_t dynamic_lds, void* const* arguments);
  /// Executes about `instructions` wave instructions. Returns true once the kernel has ended. Throws Fault.
  bool step(Launch& launch, uint64_t instructions);
  /// Runs the kernel to its end.
  void run(Launch& launch);

  /// Number of wave instructions executed since the device was created. Kernels read it as the device's clock.
  uint64_t clock = 0;
  /// The approximate instructions that were executed, with their counts, by mnemonic.
  std::vector<std::pair<std::string, uint64_t>> approximate_instructions() const;
  /// The data races that were found, one line each.
  std::vector<std::string> races() const;
  /// How often each approximate instruction was executed, by approximate_index(), which gives a new name the next index.
  uint64_t approximate_count[64] = {};
  static int approximate_index(const char* name);

 private:
  std::unique_ptr<Launch> begin(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                uint32_t dynamic_lds, std::vector<uint8_t> arguments);
  void add_group(Launch& launch);
  void end_group(Group& group);
  uint64_t turn(Launch& launch, Group& group, uint64_t most);
  Wave* take_wave();

  Options options_;
  Memory memory_;
  const LaneCode* lanes_;
  std::unique_ptr<RaceDetector> detector_;
  std::vector<std::unique_ptr<Wave>> waves_;
  std::vector<Wave*> free_;
  uint32_t active_ = 0;  ///< number of launches
};

/// Returns the build of lane_code.cpp with that name; for an empty name, the widest that the CPU supports. Throws Fault.
const struct LaneTable& lanes_of(std::string_view name);

}  // namespace assay_gcn
