// Executes kernels of AMD code objects on the CPU. The interface that runtimes use; nothing of the instruction set is in it, so another
// executor can stand behind it.
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

/// Printed into reports. Changes whenever results may.
inline constexpr const char* kExecutorVersion = "assay_gcn 1";

/// In which order waves run.
enum class Schedule {
  kAhead,     ///< each wave as far as it can: shows barriers that are missing
  kLockStep,  ///< one instruction of each wave in turn
  kRandom,    ///< by the seed
};

struct Options {
  Schedule schedule = Schedule::kAhead;
  uint32_t seed = 0;
  Approximation approximation = Approximation::kNearest;
  bool detects_races = false;
  uint64_t most_instructions = uint64_t{1} << 36;  ///< of one launch, before it counts as hung
  std::string lanes;                               ///< "portable", "AVX2", "AVX-512"; empty: the widest of this host
};
/// Options from a text such as "seed=3,schedule=random,approximate=up,races". Throws Fault.
Options options_of(const std::string& text);

struct Dimensions {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t{x} * y * z; }
};

struct Program;
struct Launch;
class RaceDetector;

/// A code object ready to run: its functions are decoded when a wave first reaches them.
class Executable {
 public:
  Executable(const void* elf, size_t bytes, Memory& memory, const LaneCode& lanes);
  ~Executable();
  const CodeObject& object() const { return object_; }
  const LaneCode& lanes() const { return lanes_; }
  /// The operation at a device address. Throws Fault if no function is there.
  const Operation* at(uint64_t address);
  uint64_t address_of(const Operation* operation) const;
  /// "kernel+0x40: v_add_f32_e32 v0, v1, v2"
  std::string describe(const Operation* operation) const;
  /// Decodes in place. Throws Fault with the text of an instruction that is not implemented.
  const Operation* decode(const Operation* operation);
  /// Decodes an operation that no wave has reached yet.
  const Operation* ready(const Operation* operation);
  /// Decodes every function. Returns the instructions that are not implemented, and those whose parts do not give LLVM's text again.
  std::vector<std::string> check();

 private:
  Program& program_of(const Operation* operation) const;
  CodeObject object_;
  Disassembler disassembler_;
  const LaneCode& lanes_;
  std::vector<std::unique_ptr<Program>> programs_;
};

/// Work-items of one group share LDS and barriers.
struct Group {
  Launch* launch = nullptr;
  uint32_t x = 0, y = 0, z = 0;
  uint64_t number = 0;
  std::vector<uint8_t> lds;
  std::vector<Wave*> waves;
  uint64_t used = 0;           ///< wave instructions in this turn
  uint32_t ordered = 0;        ///< race detector: the time of the last barrier
  uint32_t acquired = 0;       ///< race detector: the time of the last acquire from other groups
  std::vector<Touch> touches;  ///< of LDS
};

class Device;

/// A kernel that has been started.
struct Launch {
  Device* device = nullptr;
  Executable* executable = nullptr;
  const Kernel* kernel = nullptr;
  Dimensions grid, block;  ///< groups, and work-items of each
  uint32_t dynamic_lds = 0;
  uint64_t kernel_arguments = 0, packet = 0;  ///< device addresses
  uint64_t next_group = 0;
  uint64_t instructions = 0;
  uint64_t random = 0;
  std::vector<std::unique_ptr<Group>> groups;  ///< resident
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
  std::unique_ptr<Executable> load(const void* elf, size_t bytes) { return std::make_unique<Executable>(elf, bytes, memory_, *lanes_); }

  /// Starts a kernel. `arguments` are its explicit ones, in the layout of the metadata. Throws Fault.
  std::unique_ptr<Launch> start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block, uint32_t dynamic_lds,
                                const void* arguments, size_t bytes);
  /// The same with one pointer for each explicit argument, as hipLaunchKernel has them.
  std::unique_ptr<Launch> start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block, uint32_t dynamic_lds,
                                void* const* arguments);
  /// Executes about so many wave instructions. True: the kernel has ended. Throws Fault.
  bool step(Launch& launch, uint64_t instructions);
  /// Until the end.
  void run(Launch& launch);

  /// Wave instructions since the start: the device's clock.
  uint64_t clock = 0;
  /// Approximate instructions that were executed, by mnemonic.
  std::vector<std::pair<std::string, uint64_t>> approximate_instructions() const;
  /// Races that were found, one line each.
  std::vector<std::string> races() const;
  uint64_t approximate_count[64] = {};
  static int approximate_index(const char* name);

 private:
  std::unique_ptr<Launch> begin(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block, uint32_t dynamic_lds,
                                std::vector<uint8_t> arguments);
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
  uint32_t active_ = 0;  ///< launches
};

/// The lanes of a name, or the widest that this host has. Throws Fault.
const struct LaneTable& lanes_of(const std::string& name);

}  // namespace assay_gcn
