#include "suites/mma/mma_case.h"

#include "harness/fill/fill.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Random streams of the tensors. Golden data depend on them.
enum Stream : uint32_t { kC, kA, kB, kScaleA, kScaleB };

/// As it is in memory: tf32 as f32, and the scales of NVFP4 in the type that carries their bytes.
const Format& stored(const Format& format) { return format == kTf32 ? kF32 : format == kUe4M3 ? kE4M3Fn : format; }

HostTensor operand(const char* role, const Format& format, std::vector<int64_t> shape, const FillRequest& request) {
  HostTensor tensor{dense(role, Role::kInput, stored(format), std::move(shape)), {}};
  tensor.spec.packed = format.bits == 4;
  fill(tensor, request);
  return tensor;
}

const UnitRow& unit_of(const Cells& cells) {
  try {
    return rulebook().units.find(cells.text("contract"));
  } catch (const std::out_of_range& error) {
    cells.refuse("contract", error.what());
  }
}

}  // namespace

MmaCase read_mma_case(const Case& c) {
  const Cells cells(c);
  MmaCase p;
  p.row = &unit_of(cells);
  if (!p.unit().known()) cells.refuse("contract", "of unit " + p.row->id + " nothing is predicted: " + p.row->text("source"));
  p.tiles = cells.positive("tiles");
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.steps = cells.positive("steps");
  p.fill = cells.fill_name("fill");
  p.b = cells.fill_name("b");
  p.c = cells.fill_name("c");
  const bool given = cells.has("scale") && !cells.text("scale").empty();
  if (given != (p.unit().scale != nullptr))
    cells.refuse("scale", "unit " + p.row->id + (given ? " has no scales" : " has scales"));
  if (given) p.scale = cells.fill_name("scale");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

Problem mma_problem(const MmaCase& c) {
  const Unit& unit = c.unit();
  const auto request = [&](const std::string& name, Stream stream) {
    return FillRequest{.name = name, .seed = c.seed, .group_size = 0, .q = unit.d, .tensor = stream};
  };
  Problem made;
  std::vector<HostTensor>& tensors = made.tensors;
  tensors.push_back(operand("c", *unit.d, {c.tiles, c.m, c.n}, request(c.c, kC)));
  tensors.push_back(operand("a", *unit.a, {c.tiles, c.m, c.k()}, request(c.fill, kA)));
  tensors.push_back(operand("b", *unit.b, {c.tiles, c.n, c.k()}, request(c.b, kB)));
  if (unit.scale) {
    tensors.push_back(operand("sfa", *unit.scale, {c.tiles, c.m, c.scales()}, request(c.scale, kScaleA)));
    tensors.push_back(operand("sfb", *unit.scale, {c.tiles, c.n, c.scales()}, request(c.scale, kScaleB)));
  }
  tensors.push_back({dense("d", Role::kOutput, *unit.d, {c.tiles, c.m, c.n}), {}});
  made.parameters = {{"warp", double(c.warp)}};
  return made;
}

UnitProduct tile_of(const MmaCase& c, const Problem& problem, int64_t tile) {
  const auto codes = [&](const char* role, int64_t rows, int64_t columns) {
    const HostTensor& tensor = find(problem.tensors, role);
    return tensor.bytes.data() + tensor.spec.byte_of(tile * rows * columns);
  };
  const auto factor = [&](const char* role, const char* scale, const Format& format, int64_t rows) {
    UnitFactor f{codes(role, rows, c.k()), c.k(), format.bits == 4};
    if (c.unit().scale) f.scales = codes(scale, rows, c.scales()), f.scale_pitch = c.scales();
    return f;
  };
  return {factor("a", "sfa", *c.unit().a, c.m), factor("b", "sfb", *c.unit().b, c.n), c.k()};
}

}  // namespace assay
