#include "kernels/gcn_executor/executor.h"

#include <algorithm>
#include <cstring>
#include <mutex>

#include "kernels/gcn_executor/program.h"

namespace assay_gcn {
namespace {

/// Register rows (64 lanes each) per wave: 256 vector and 256 accumulation registers, and 4 spare rows, because an operand of
/// several registers may reach past the last register.
constexpr u32 kRows = 512 + 4;
constexpr u64 kTurn = 200000;  ///< wave instructions that a group executes before the next group runs
constexpr u64 kPolls = 8;      ///< a group that polls this often per running wave waits for another group, so its turn ends early
constexpr size_t kMostResident = 512;  ///< limit for the number of groups that run at the same time

/// Names of the approximate instructions in vector_table.inc, indexed by approximate_index().
std::vector<std::string>& approximate_names() {
  static std::vector<std::string> names;
  return names;
}

u64 next_random(u64& state) {  // splitmix64
  u64 z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

const Operation* decode_first(Wave& w, const Operation* o) {
  const Operation* decoded = w.launch->executable->decode(o);
  return decoded->run(w, decoded);
}

}  // namespace

const LaneTable& lanes_of(std::string_view name) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if ((name.empty() || name == "AVX-512") && avx512) return avx512_lanes();
  if ((name.empty() || name == "AVX2") && avx2) return avx2_lanes();
#endif
  if (name.empty() || name == "portable") return portable_lanes();
  throw Fault("lanes: expected portable, or AVX2 or AVX-512 if this CPU has it, got '" + std::string(name) + "'");
}

Options options_of(const std::string& text) {
  Options options;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string item = text.substr(begin, end - begin), key = item.substr(0, item.find('='));
    const std::string value = key.size() == item.size() ? "" : item.substr(key.size() + 1);
    begin = end + 1;
    const auto refuse = [&](const char* expected) { throw Fault("option '" + item + "': expected " + expected); };
    if (key == "races" && value.empty()) {
      options.detects_races = true;
    } else if (key == "seed") {
      options.seed = static_cast<uint32_t>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (key == "lanes") {
      options.lanes = value;
    } else if (key == "schedule") {
      if (value == "ahead") options.schedule = Schedule::kAhead;
      else if (value == "lockstep") options.schedule = Schedule::kLockStep;
      else if (value == "random") options.schedule = Schedule::kRandom;
      else refuse("schedule=ahead|lockstep|random");
    } else if (key == "approximate") {
      if (value == "nearest") options.approximation = Approximation::kNearest;
      else if (value == "up") options.approximation = Approximation::kUp;
      else if (value == "down") options.approximation = Approximation::kDown;
      else if (value == "random") options.approximation = Approximation::kRandom;
      else refuse("approximate=nearest|up|down|random");
    } else if (key == "matrix") {
      if (value == "as_gfx942") options.matrix_model = MatrixModel::kAsGfx942;
      else if (value == "one_rounding") options.matrix_model = MatrixModel::kOneRounding;
      else if (value == "each_product") options.matrix_model = MatrixModel::kEachProduct;
      else refuse("matrix=as_gfx942|one_rounding|each_product");
    } else {
      refuse("races, seed=N, schedule=ahead|lockstep|random, approximate=nearest|up|down|random, matrix=MODEL or lanes=NAME");
    }
  }
  return options;
}

// ---- operands
void not_implemented(const std::string& why) { throw Fault("not implemented: " + why); }

uint16_t row_of(const Operand& operand) {
  if (!operand.is_row()) not_implemented("operand " + operand.text + ": expected a vector register");
  return static_cast<uint16_t>(operand.index + (operand.kind == Operand::Kind::kAccumulation ? 256 : 0));
}

uint16_t scalar_of(const Operand& operand) {
  if (operand.kind != Operand::Kind::kScalar) not_implemented("operand " + operand.text + ": expected a scalar register");
  return static_cast<uint16_t>(operand.index);
}

Source source_of(const Operand& operand, char type) {
  const bool wide = type == 'd' || type == 'q' || type == 'Q';
  Source s;
  s.type = type;
  s.words = wide ? 2 : 1;
  if (operand.is_row()) {
    s.index = row_of(operand);
    return s;
  }
  if (operand.kind == Operand::Kind::kScalar) {
    s.kind = Source::kScalar;
    s.index = static_cast<uint16_t>(operand.index);
    return s;
  }
  s.kind = Source::kConstant;
  if (operand.kind == Operand::Kind::kNumber) {
    const char number = type == 'P' || type == 'w' || type == 'k' ? 'h' : type == 'F' || type == 'm' || type == 'Q' ? 'f' : type;
    const u64 bits = bits_of_number(operand.text, number);
    s.constant[0] = static_cast<u32>(bits);
    s.constant[1] = static_cast<u32>(bits >> 32);
    return s;
  }
  if (operand.text == "scc" || operand.text == "src_scc") {
    s.kind = Source::kScalar;
    s.index = kScc;
    return s;
  }
  if (operand.text == "src_shared_base" || operand.text == "src_private_base") {
    const u32 high = operand.text == "src_shared_base" ? 0x00010000u : 0x00020000u;
    s.constant[wide ? 1 : 0] = high;
    return s;
  }
  not_implemented("operand " + operand.text);
}

// ---- programs
Executable::Executable(const void* elf, size_t bytes, Memory& memory, const LaneCode& lanes, MatrixModel matrix_model)
    : object_(elf, bytes, memory), disassembler_(object_.architecture()), lanes_(lanes), matrix_model_(matrix_model) {}
Executable::~Executable() = default;

const Operation* Executable::at(uint64_t address) {
  for (const auto& program : programs_) {
    const u64 index = (address - program->begin) / 4;
    if (address >= program->begin && index < program->operations.size()) return &program->operations[index];
  }
  const Function* function = object_.function_at(address);
  if (function == nullptr) throw Fault("the kernel jumps to an address outside every function");
  auto program = std::make_unique<Program>();
  program->name = function->name;
  program->begin = function->begin;
  program->operations.resize((function->end - function->begin) / 4);
  for (Operation& operation : program->operations) operation.run = decode_first;
  programs_.push_back(std::move(program));
  return &programs_.back()->operations[(address - function->begin) / 4];
}

Program& Executable::program_of(const Operation* operation) const {
  for (const auto& program : programs_)
    if (operation >= program->operations.data() && operation < program->operations.data() + program->operations.size())
      return *program;
  throw Fault("execution ran past the end of the function");
}

uint64_t Executable::address_of(const Operation* operation) const {
  const Program& program = program_of(operation);
  return program.begin + 4 * static_cast<u64>(operation - program.operations.data());
}

std::string Executable::describe(const Operation* operation) const {
  const Program& program = program_of(operation);
  const u64 offset = 4 * static_cast<u64>(operation - program.operations.data()), size = 4 * program.operations.size();
  char place[32];
  std::snprintf(place, sizeof place, "+%#llx", static_cast<unsigned long long>(offset));
  const auto* bytes = reinterpret_cast<const uint8_t*>(program.begin + offset);
  return program.name + place + ": " + disassembler_.print(bytes, size - offset, program.begin + offset).first;
}

const Operation* Executable::decode(const Operation* operation) {
  Program& program = program_of(operation);
  Operation& o = program.operations[static_cast<size_t>(operation - program.operations.data())];
  const u64 address = address_of(operation), end = program.begin + 4 * program.operations.size();
  const Instruction in = disassembler_.decode(reinterpret_cast<const uint8_t*>(address), end - address, address);
  Operation fresh;
  fresh.slots = static_cast<u8>(in.size / 4);
  Build build{in, fresh, program, object_.architecture() == "gfx950", matrix_model_};
  const LaneTable& table = lanes_of(lanes_.name);
  fresh.run = nullptr;
  const bool scalar = in.name.compare(0, 2, "s_") == 0;
  const bool built = scalar ? build_scalar(build)
                            : build_memory(build) || build_lds(build) || build_lane_exchange(build) || build_matrix(build) ||
                                  build_vector(build, table.entries, table.count);
  if (!built) not_implemented(in.name);
  for (const auto& [name, value] : in.modifiers)
    if (std::find(build.used.begin(), build.used.end(), name) == build.used.end()) not_implemented("modifier " + name);
  if (fresh.run == nullptr) fresh.run = lanes_.vector;
  o = fresh;
  return &o;
}

const Operation* Executable::ready(const Operation* operation) {
  return operation->run == decode_first ? decode(operation) : operation;
}

std::vector<std::string> Executable::check() {
  std::vector<std::string> found;
  for (const auto& [end, function] : object_.functions()) {
    (void)at(function.begin);
    for (u64 address = function.begin; address < end;) {
      const auto [text, size] = disassembler_.print(reinterpret_cast<const uint8_t*>(address), end - address, address);
      const std::string again = text_of(parse_instruction(text)), printed = text.substr(0, text.find(" //"));
      if (again != printed) found.push_back(function.name + ": '" + printed + "' was parsed as '" + again + "'");
      try {
        (void)decode(at(address));
      } catch (const std::exception& fault) {
        found.push_back(function.name + ": '" + printed + "': " + fault.what());
      }
      address += size;
    }
  }
  return found;
}

// ---- the device
Device::Device(Options options) : options_(std::move(options)), lanes_(&lanes_of(options_.lanes).code) {
  if (options_.detects_races) detector_ = std::make_unique<RaceDetector>();
}
Device::~Device() {
  for (const auto& wave : waves_) {
    std::free(wave->v);
    std::free(wave->scratch);
  }
}

int Device::approximate_index(const char* name) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  auto& names = approximate_names();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<int>(found - names.begin());
  names.emplace_back(name);
  return static_cast<int>(names.size()) - 1;
}

std::vector<std::pair<std::string, uint64_t>> Device::approximate_instructions() const {
  std::vector<std::pair<std::string, uint64_t>> result;
  const auto& names = approximate_names();
  for (size_t i = 0; i < names.size(); ++i)
    if (approximate_count[i] != 0) result.emplace_back(names[i], approximate_count[i]);
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> Device::races() const { return detector_ ? detector_->found() : std::vector<std::string>(); }

Wave* Device::take_wave() {
  if (!free_.empty()) {
    Wave* wave = free_.back();
    free_.pop_back();
    return wave;
  }
  auto wave = std::make_unique<Wave>();
  wave->v = static_cast<u32*>(std::aligned_alloc(4096, (kRows * kLanes * 4 + 4095) / 4096 * 4096));
  if (wave->v == nullptr) throw Fault("out of memory for the registers of a wave");
  std::memset(wave->v, 0, kRows * kLanes * 4);
  waves_.push_back(std::move(wave));
  return waves_.back().get();
}

std::unique_ptr<Launch> Device::start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                      uint32_t dynamic_lds, const void* arguments, size_t bytes) {
  std::vector<uint8_t> copy(std::max<size_t>(kernel.descriptor.kernarg_size, bytes));
  std::memcpy(copy.data(), arguments, bytes);
  return begin(executable, kernel, grid, block, dynamic_lds, std::move(copy));
}

std::unique_ptr<Launch> Device::start(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                      uint32_t dynamic_lds, void* const* arguments) {
  std::vector<uint8_t> copy(kernel.descriptor.kernarg_size);
  size_t next = 0;
  for (const KernelArgument& argument : kernel.arguments) {
    if (argument.kind.compare(0, 7, "hidden_") == 0) continue;
    if (argument.offset + argument.size > copy.size())
      throw Fault("kernel " + kernel.name + ": an argument lies outside the kernel argument segment");
    std::memcpy(copy.data() + argument.offset, arguments[next++], argument.size);
  }
  return begin(executable, kernel, grid, block, dynamic_lds, std::move(copy));
}

std::unique_ptr<Launch> Device::begin(Executable& executable, const Kernel& kernel, Dimensions grid, Dimensions block,
                                      uint32_t dynamic_lds, std::vector<uint8_t> arguments) {
  if (block.count() == 0 || block.count() > 1024 || grid.count() == 0)
    throw Fault("kernel " + kernel.name + ": expected 1 to 1024 work-items per group and at least one group, got " +
                std::to_string(block.count()) + " and " + std::to_string(grid.count()));
  const KernelDescriptor& kd = kernel.descriptor;
  if (kd.compute_pgm_rsrc1 >> 12 & 15)
    throw Fault("kernel " + kernel.name + ": a rounding mode other than nearest even is not implemented");
  for (const KernelArgument& argument : kernel.arguments) {
    uint64_t value = 0;
    const std::string& kind = argument.kind;
    if (kind == "hidden_block_count_x") value = grid.x;
    else if (kind == "hidden_block_count_y") value = grid.y;
    else if (kind == "hidden_block_count_z") value = grid.z;
    else if (kind == "hidden_group_size_x") value = block.x;
    else if (kind == "hidden_group_size_y") value = block.y;
    else if (kind == "hidden_group_size_z") value = block.z;
    else if (kind == "hidden_grid_dims") value = grid.z * block.z > 1 ? 3 : grid.y * block.y > 1 ? 2 : 1;
    else if (kind == "hidden_dynamic_lds_size") value = dynamic_lds;
    else continue;
    if (argument.offset + argument.size <= arguments.size() && argument.size <= 8)
      std::memcpy(arguments.data() + argument.offset, &value, argument.size);
  }
  auto launch = std::make_unique<Launch>();
  launch->device = this;
  launch->executable = &executable;
  launch->kernel = &kernel;
  launch->grid = grid;
  launch->block = block;
  launch->dynamic_lds = dynamic_lds;
  launch->memory = &memory_;
  launch->lanes = lanes_;
  launch->races = detector_.get();
  launch->random = options_.seed * 0x9E3779B97F4A7C15u + 1;
  if (active_++ == 0 && detector_) detector_->begin_batch();
  // Compilers widen loads up to the segment's alignment of 16 bytes.
  void* const data = memory_.allocate(std::max<size_t>((arguments.size() + 15) / 16 * 16, 16), "arguments of " + kernel.name);
  std::memcpy(data, arguments.data(), arguments.size());
  launch->kernel_arguments = reinterpret_cast<uint64_t>(data);
  uint8_t packet[64] = {};  // an hsa_kernel_dispatch_packet_t
  const uint16_t sizes[3] = {static_cast<uint16_t>(block.x), static_cast<uint16_t>(block.y), static_cast<uint16_t>(block.z)};
  const uint32_t items[3] = {grid.x * block.x, grid.y * block.y, grid.z * block.z};
  std::memcpy(packet + 4, sizes, sizeof sizes);
  std::memcpy(packet + 12, items, sizeof items);
  launch->packet = reinterpret_cast<uint64_t>(memory_.allocate(sizeof packet, "dispatch packet"));
  std::memcpy(reinterpret_cast<void*>(launch->packet), packet, sizeof packet);
  return launch;
}

void Device::add_group(Launch& launch) {
  const Kernel& kernel = *launch.kernel;
  const KernelDescriptor& kd = kernel.descriptor;
  auto group = std::make_unique<Group>();
  group->launch = &launch;
  group->number = launch.next_group++;
  group->x = static_cast<u32>(group->number % launch.grid.x);
  group->y = static_cast<u32>(group->number / launch.grid.x % launch.grid.y);
  group->z = static_cast<u32>(group->number / launch.grid.x / launch.grid.y);
  group->lds.assign(size_t{kd.group_segment_fixed_size} + launch.dynamic_lds, 0);
  if (launch.races != nullptr) group->touches.assign(group->lds.size() / 4 + 1, Touch());
  const u32 items = static_cast<u32>(launch.block.count());
  const u32 registers = ((kd.compute_pgm_rsrc1 & 63) + 1) * 8, accumulation = ((kd.compute_pgm_rsrc3 & 63) + 1) * 4;
  const u32 scratch = kd.private_segment_fixed_size + (kernel.uses_dynamic_stack ? 16384 : 0);
  const Operation* const entry = launch.executable->at(kernel.entry + ((kd.kernarg_preload & 0x7F) != 0 ? 256 : 0));
  for (u32 first = 0; first < items; first += kLanes) {
    Wave& w = *take_wave();
    std::memset(w.s, 0, sizeof w.s);
    std::memset(w.v, 0, std::min<size_t>(256, std::min(registers, accumulation) + 4) * kLanes * 4);
    if (registers > accumulation) std::memset(w.v + 256 * kLanes, 0, size_t{registers - accumulation} * kLanes * 4);
    const u32 r1 = kd.compute_pgm_rsrc1;
    w.state.mode = (r1 >> 12 & 15) | (r1 >> 16 & 15) << 4 | (r1 >> 21 & 1) << 8 | (r1 >> 23 & 1) << 9 | (r1 >> 26 & 1) << 23;
    w.state.is_gfx950 = launch.executable->object().architecture() == "gfx950";
    w.state.approximation = options_.approximation;
    w.state.seed = options_.seed;
    w.group = group.get();
    w.launch = &launch;
    w.status = Wave::kRunning;
    w.number = first / kLanes;
    w.pc = entry;
    if (scratch > w.scratch_bytes) {
      std::free(w.scratch);
      w.scratch = static_cast<u8*>(std::malloc(size_t{scratch} * kLanes));
      if (w.scratch == nullptr) throw Fault("out of memory for the scratch memory of a wave");
    }
    w.scratch_bytes = scratch;
    if (scratch != 0) std::memset(w.scratch, 0, size_t{scratch} * kLanes);
    // User SGPRs: private buffer, dispatch packet, queue, kernel arguments, dispatch id, flat scratch, scratch size.
    u32 n = 0;
    const u64 values[7] = {0, launch.packet, 0, launch.kernel_arguments, 0, 0, scratch};
    for (u32 bit = 0; bit < 7; ++bit) {
      if (!(kd.kernel_code_properties >> bit & 1)) continue;
      const u32 size = bit == 0 ? 4 : bit == 6 ? 1 : 2;
      w.s[n] = static_cast<u32>(values[bit]);
      if (size > 1) w.s[n + 1] = static_cast<u32>(values[bit] >> 32);
      n += size;
    }
    const u32 preloaded = kd.kernarg_preload & 0x7F, offset = kd.kernarg_preload >> 7;
    std::memcpy(w.s + n, reinterpret_cast<const u8*>(launch.kernel_arguments) + 4 * offset, 4 * preloaded);
    n = std::max(n + preloaded, kd.compute_pgm_rsrc2 >> 1 & 31);
    const u32 ids[3] = {group->x, group->y, group->z};
    for (u32 k = 0; k < 3; ++k)
      if (kd.compute_pgm_rsrc2 >> (7 + k) & 1) w.s[n++] = ids[k];
    for (u32 i = 0; i < kLanes; ++i) {
      const u32 item = first + i;
      w.v[i] =
          item % launch.block.x | item / launch.block.x % launch.block.y << 10 | item / (launch.block.x * launch.block.y) << 20;
    }
    const u64 active = items - first >= kLanes ? kAllLanes : (u64{1} << (items - first)) - 1;
    set_pair(w, kExec, active);
    w.mask_of = active;
    lanes_->expand(active, w.mask);
    group->waves.push_back(&w);
  }
  launch.groups.push_back(std::move(group));
}

void Device::end_group(Group& group) {
  for (Wave* wave : group.waves) free_.push_back(wave);
  group.waves.clear();
}

/// Runs the waves of a group until all have ended, `most` instructions were executed, or its waves only poll (kPolls).
uint64_t Device::turn(Launch& launch, Group& group, uint64_t most) {
  u64 done = 0, polls = 0;
  const auto run_wave = [&](Wave& w, u64 quantum) {
    const Operation* o = w.pc;
    u64 n = 0;
    try {
      while (n < quantum && o != nullptr) {
        w.pc = o;
        o = o->run(w, o);
        ++n;
      }
    } catch (const Fault& fault) {
      throw Fault("kernel " + launch.kernel->name + ", group " + std::to_string(group.number) + ", wave " +
                  std::to_string(w.number) + ", " + launch.executable->describe(w.pc) + ": " + fault.what());
    }
    if (o != nullptr) w.pc = o;
    else if (w.status == Wave::kRunning) ++polls;
    done += n;
    clock += n;
  };
  while (done < most) {
    u64 running = 0;
    bool waits = false;
    for (Wave* wave : group.waves) {
      if (wave->status == Wave::kAtBarrier) waits = true;
      if (wave->status != Wave::kRunning) continue;
      ++running;
      if (options_.schedule == Schedule::kRandom) {
        if (next_random(launch.random) % 2 == 0 && group.waves.size() > 1) continue;
        run_wave(*wave, 1 + next_random(launch.random) % 100);
      } else {
        run_wave(*wave, options_.schedule == Schedule::kLockStep ? 1 : 4096);
      }
    }
    if (polls > kPolls * std::max<u64>(running, 1)) return done;
    if (running != 0) continue;
    if (!waits) return done;
    for (Wave* wave : group.waves)
      if (wave->status == Wave::kAtBarrier) wave->status = Wave::kRunning;
    if (launch.races != nullptr) launch.races->barrier(group);
  }
  return done;
}

bool Device::step(Launch& launch, uint64_t instructions) {
  const u64 until = launch.instructions + instructions;
  try {
    while (launch.instructions < until) {
      if (launch.groups.empty()) {
        if (launch.next_group == launch.grid.count()) {
          memory_.release(reinterpret_cast<void*>(launch.kernel_arguments));
          memory_.release(reinterpret_cast<void*>(launch.packet));
          --active_;
          return true;
        }
        add_group(launch);
      }
      bool ended = false;
      for (size_t i = 0; i < launch.groups.size();) {
        Group& group = *launch.groups[i];
        launch.instructions +=
            turn(launch, group, std::min(kTurn, until > launch.instructions ? until - launch.instructions : 1));
        const bool all =
            std::all_of(group.waves.begin(), group.waves.end(), [](const Wave* w) { return w->status == Wave::kEnded; });
        if (all) {
          end_group(group);
          launch.groups.erase(launch.groups.begin() + static_cast<std::ptrdiff_t>(i));
          ended = true;
        } else {
          ++i;
        }
      }
      if (launch.instructions > options_.most_instructions)
        throw Fault("kernel " + launch.kernel->name + " did not end after " + std::to_string(options_.most_instructions) +
                    " wave instructions");
      // the group may wait for a group that has not started, so another one starts
      if (!ended && launch.next_group < launch.grid.count() && launch.groups.size() < kMostResident) add_group(launch);
    }
  } catch (const Fault&) {
    for (const auto& group : launch.groups) end_group(*group);
    launch.groups.clear();
    memory_.release(reinterpret_cast<void*>(launch.kernel_arguments));
    memory_.release(reinterpret_cast<void*>(launch.packet));
    --active_;
    throw;
  }
  return false;
}

void Device::run(Launch& launch) {
  while (!step(launch, u64{1} << 20)) {
  }
}

}  // namespace assay_gcn
