#include "harness/probe/instruction.h"

#include <algorithm>

#include "harness/text/messages.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

// The operands of a tensor core instruction, and tiles of operand values.

/// The format in which memory holds an operand: f32 for tf32, e4m3fn for ue4m3 (scales of NVFP4).
const Format& stored(const Format& format) { return format == kTf32 ? kF32 : format == kUe4M3 ? kE4M3Fn : format; }

/// The low bits of a memory word that the operand's format does not use.
int unused_bits(const Format& format) { return format == kTf32 ? kF32.bits - kTf32.bits : 0; }

}  // namespace

Instruction instruction_of(const UnitRow& row, int m, int n) {
  Instruction i{row.unit.a, row.unit.b, row.unit.d, row.unit.k, m, n, nullptr, 0, {}};
  const std::string& scale = row.text("scale");
  if (scale.empty()) return i;
  const size_t slash = scale.find('/');
  i.scale = find_format(scale.substr(0, slash));
  i.scale_block = slash == std::string::npos ? 0 : std::atoi(scale.c_str() + slash + 1);
  if (!i.scale || i.scale_block <= 0 || i.k % i.scale_block != 0)
    throw row.error("scale", 0, "'" + scale + "' must be FORMAT/BLOCK, where BLOCK divides k");
  return i;
}

Tiles::Tiles(const Instruction& i, int64_t count) : instruction_(&i), count_(count) {
  const auto tensor = [&](const char* role, Role direction, const Format& format, int64_t rows, int64_t columns) {
    HostTensor made{dense(role, direction, stored(format), {count, rows, columns}), {}};
    made.spec.packed = format.bits == 4;
    if (direction == Role::kInput) made.bytes.resize(made.spec.bytes());
    problem_.tensors.push_back(std::move(made));
  };
  tensor("c", Role::kInput, *i.d, i.m, i.n);
  tensor("a", Role::kInput, *i.a, i.m, i.k);
  tensor("b", Role::kInput, *i.b, i.n, i.k);
  if (i.scale) {
    tensor("sfa", Role::kInput, *i.scale, i.m, i.scales());
    tensor("sfb", Role::kInput, *i.scale, i.n, i.scales());
    clear_scales();
  }
  tensor("d", Role::kOutput, *i.d, i.m, i.n);
}

void Tiles::set(size_t tensor, int64_t row, int64_t column, uint32_t code) {
  HostTensor& t = problem_.tensors[tensor];
  t.set_code(row * t.spec.shape[2] + column, code);
}

uint32_t Tiles::get(size_t tensor, int64_t row, int64_t column) const {
  const HostTensor& t = problem_.tensors[tensor];
  return t.code(row * t.spec.shape[2] + column);
}

void Tiles::set_a(int64_t tile, int64_t row, int64_t k, uint32_t code) {
  const Instruction& i = *instruction_;
  if (!i.dead.empty() && i.dead[size_t(k)]) return;
  set(1, tile * i.m + row, k, code << unused_bits(*i.a) | (unused_bits(*i.a) ? unused_ : 0));
}

void Tiles::set_b(int64_t tile, int64_t column, int64_t k, uint32_t code) {
  const Instruction& i = *instruction_;
  if (!i.dead.empty() && i.dead[size_t(k)]) return;
  set(2, tile * i.n + column, k, code << unused_bits(*i.b) | (unused_bits(*i.b) ? unused_ : 0));
}

void Tiles::set_c(int64_t tile, int64_t row, int64_t column, uint32_t code) {
  set(0, tile * instruction_->m + row, column, code);
}

uint32_t Tiles::a(int64_t tile, int64_t row, int64_t k) const {
  return get(1, tile * instruction_->m + row, k) >> unused_bits(*instruction_->a);
}
uint32_t Tiles::b(int64_t tile, int64_t column, int64_t k) const {
  return get(2, tile * instruction_->n + column, k) >> unused_bits(*instruction_->b);
}
uint32_t Tiles::c(int64_t tile, int64_t row, int64_t column) const { return get(0, tile * instruction_->m + row, column); }

void Tiles::swap(int64_t tile, int64_t p, int64_t q) {
  for (const auto& [tensor, rows] : {std::pair<size_t, int>{1, instruction_->m}, {2, instruction_->n}})
    for (int64_t row = tile * rows; row < (tile + 1) * rows; ++row) {
      const uint32_t at_p = get(tensor, row, p);
      set(tensor, row, p, get(tensor, row, q));
      set(tensor, row, q, at_p);
    }
}

void Tiles::clear_scales() {
  if (!instruction_->scale) return;
  const uint32_t one = code_of(*instruction_->scale, 1);
  for (const size_t which : {size_t{3}, size_t{4}})
    for (int64_t at = 0; at < problem_.tensors[which].spec.elements(); ++at) problem_.tensors[which].set_code(at, one);
}

void Tiles::copy(int64_t from, int64_t to) {
  for (HostTensor& t : problem_.tensors) {
    if (t.bytes.empty()) continue;
    const int64_t elements = t.spec.shape[1] * t.spec.shape[2];
    std::copy_n(t.bytes.begin() + std::ptrdiff_t(t.spec.byte_of(from * elements)), t.spec.byte_of(elements),
                t.bytes.begin() + std::ptrdiff_t(t.spec.byte_of(to * elements)));
  }
}

std::vector<uint32_t> Tiles::predicted(const Unit& unit, int64_t tile) const {
  const Instruction& i = *instruction_;
  const auto at = [&](size_t tensor, int64_t rows) {
    const HostTensor& t = problem_.tensors[tensor];
    return t.bytes.data() + t.spec.byte_of(tile * rows * t.spec.shape[2]);
  };
  UnitFactor a{at(1, i.m), i.k, i.a->bits == 4}, b{at(2, i.n), i.k, i.b->bits == 4};
  if (i.scale) a.scales = at(3, i.m), b.scales = at(4, i.n), a.scale_pitch = b.scale_pitch = i.scales();
  std::vector<uint32_t> d(size_t(i.m * i.n));
  for (size_t e = 0; e < d.size(); ++e) d[e] = problem_.tensors[0].code(tile * int64_t(d.size()) + int64_t(e));
  accumulate(unit, {a, b, i.k}, {0, i.m, 0, i.n}, 0, i.k, d.data(), i.n);
  return d;
}

namespace {

// One tensor core instruction of a back end: a kernel of op mma that is called for one instruction at a time.

constexpr int kFreeExtent = 16;

/// The first value that the kernel accepts for the case parameter `column`; `free` if it accepts any value.
int cell_of(const KernelOffer& kernel, const char* column, int free) {
  const auto found = kernel.accepts.find(column);
  return found == kernel.accepts.end() || found->second.empty() ? free : std::atoi(found->second.front().c_str());
}

}  // namespace

std::vector<OfferedInstruction> offered_instructions(const LibraryInfo& library, const std::string& kernel_glob,
                                                     const std::string& contract_glob) {
  std::vector<OfferedInstruction> all;
  for (const KernelOffer& kernel : library.kernels) {
    if (kernel.op != "mma" || !glob_match(kernel_glob, kernel.name)) continue;
    for (const std::string& contract : kernel.contracts)
      if (glob_match(contract_glob, contract))
        all.push_back({&kernel, contract, cell_of(kernel, "m", kFreeExtent), cell_of(kernel, "n", kFreeExtent),
                       cell_of(kernel, "warp", 32)});
  }
  return all;
}

Ask ask_of(const Backend& backend, const OfferedInstruction& offered) {
  return [&backend, offered](const Tiles& tiles) {
    Problem problem = tiles.problem();
    problem.parameters = {{"warp", double(offered.warp)}};
    const CallResult result = backend.call({"mma", offered.contract, offered.kernel->name, &problem, 1});
    if (result.status == CallStatus::kDeviceLost) throw DeviceLostError("device lost: " + result.message);
    if (result.status != CallStatus::kOk) throw ProbeError(result.message);
    if (result.outputs.size() != 1 || !result.untouched.front().empty())
      throw ProbeError("the kernel left some elements of d unwritten");
    const HostTensor& d = result.outputs.front();
    std::vector<uint32_t> codes(size_t(d.spec.elements()));
    for (size_t i = 0; i < codes.size(); ++i) codes[i] = d.code(int64_t(i));
    return codes;
  };
}

}  // namespace assay
