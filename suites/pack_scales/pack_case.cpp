#include "suites/pack_scales/pack_case.h"

#include <fmt/format.h>

#include <algorithm>

#include "harness/fill/fill.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

const Layout& layout_in(const Cells& cells, const std::string& column) {
  try {
    return rulebook().layout(cells.text(column));
  } catch (const std::out_of_range& error) {
    cells.refuse(column, error.what());
  }
}

/// Gaps between groups of rows are required by contracts that support them, and rejected for others.
void read_gaps(const Cells& cells, PackCase& p) {
  const bool wanted = p.row->text("pad").find("gaps:") != std::string::npos;
  const bool given = cells.has("tokens") && !cells.text("tokens").empty();
  if (wanted != given) cells.refuse("tokens", "contract " + p.row->id + (wanted ? " needs groups of rows" : " knows no gaps"));
  if (!given) return;
  p.alignment = cells.positive("alignment");
  for (int64_t count : cells.counts("tokens")) p.ends.push_back(p.begin(p.ends.size()) + count);
  if (p.ends.back() > p.m) cells.refuse("m", fmt::format("the last group ends at row {}, beyond {}", p.ends.back(), p.m));
}

}  // namespace

int64_t PackCase::begin(size_t group) const {
  return group == 0 ? 0 : (ends[group - 1] + alignment - 1) / alignment * alignment;
}

bool PackCase::holds_scales(int64_t row) const {
  if (ends.empty()) return row < m;
  const auto group = size_t(std::upper_bound(ends.begin(), ends.end(), row) - ends.begin());
  return group < ends.size() && row >= begin(group);
}

std::vector<int64_t> PackCase::rows() const {
  std::vector<int64_t> all;
  for (int64_t row = 0; row < m; ++row)
    if (holds_scales(row)) all.push_back(row);
  return all;
}

PackCase read_pack_case(const Case& c) {
  const Cells cells(c);
  PackCase p;
  p.row = &cells.contract();
  if (p.row->flow != &packing_flow())
    cells.refuse("contract", "'" + p.row->id + "' is a " + p.row->flow->name + " row and this op takes pack rows");
  p.packing = read_packing(*p.row);
  p.m = cells.positive("m");
  p.n = cells.positive("n");
  p.from = &layout_in(cells, "takes");
  const auto taken = std::find_if(p.packing.takes.begin(), p.packing.takes.end(),
                                  [&](const TakenLayout& one) { return one.layout == p.from->id; });
  if (taken == p.packing.takes.end())
    cells.refuse("takes", "contract " + p.row->id + " takes " + p.row->text("takes") + ", not " + p.from->id);
  if (p.m % taken->multiple != 0)
    cells.refuse("m", fmt::format("contract {} takes layout {} with a multiple of {} rows, not {}", p.row->id, p.from->id,
                                  taken->multiple, p.m));
  p.to = &layout_in(cells, "layout");
  if (p.row->text("layouts") != p.to->id)
    cells.refuse("layout", "contract " + p.row->id + " has layouts " + p.row->text("layouts") + ", not " + p.to->id);
  if (p.values() != int64_t(p.packing.word.terms.size()))
    cells.refuse("layout", fmt::format("layout {} has {} scales in a word and contract {} {}", p.to->id, p.values(), p.row->id,
                                       p.packing.word.terms.size()));
  read_gaps(cells, p);
  p.fill = cells.fill_name("fill");
  p.seed = uint64_t(cells.positive("seed"));
  p.warp = cells.warp();
  return p;
}

HostTensor scales_of(const PackCase& c) {
  const PlacedLayout layout(*c.from, c.m, c.n);
  HostTensor x{{"x", Role::kInput, c.from->type, layout.shape(), layout.strides(), layout.storage()}, {}};
  fill(x, {.name = c.fill, .seed = c.seed, .group_size = 1, .q = &kE4M3Fn, .tensor = 0});
  // gaps are unwritten: all-ones bits, whose exponent is the NaN byte
  for (int64_t r = 0; r < c.m; ++r)
    if (!c.holds_scales(r))
      for (int64_t g = 0; g < c.n; ++g) x.set_code(layout.offset(r, g), ~0u);
  return x;
}

std::string outside_domain(const PackCase& c, const HostTensor& x) {
  if (c.packing.zero_bits == 0) return "";
  const PlacedLayout layout(*c.from, c.m, c.n);
  for (int64_t r : c.rows()) {
    for (int64_t g = 0; g < c.n; ++g) {
      const uint32_t bits = x.code(layout.offset(r, g));
      if ((bits & c.packing.zero_bits) == 0) continue;
      return fmt::format("contract {} takes scales with {} only, which are powers of two; fill '{}' gives {:.9g} "
                         "(0x{:08x}) at [{}, {}]",
                         c.row->id, c.row->text("domain"), c.fill, decode(kF32, bits), bits, r, g);
    }
  }
  return "";
}

}  // namespace assay
