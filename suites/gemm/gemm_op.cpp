#include "suites/gemm/gemm_op.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <set>

#include "harness/text/text_file.h"
#include "reference/flow/dot/dot_contract.h"
#include "reference/flow/dot/dot_mutants.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "suites/rows/case_cells.h"
#include "suites/rows/row_expectation.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

void append(Spans& to, const Spans& more) {
  if (!more.pinned()) to.widen();
  to.low.insert(to.low.end(), more.low.begin(), more.low.end());
  const std::vector<double>& high = more.pinned() ? more.low : more.high;
  if (!to.pinned() || !more.pinned()) to.high.insert(to.high.end(), high.begin(), high.end());
}

/// Mutants are first compared on this many columns of row 0, which one pass of the widest instruction loop computes.
constexpr int64_t kGlimpseColumns = 16;

/// For mutants: lets elements accept anything if they depend on memory after the end of a tensor.
void widen_unknown(const GemmCase& c, const DotBlock& at, Spans& values) {
  const auto holds = [](const std::vector<bool>& unknown, int64_t i) { return !unknown.empty() && unknown[size_t(i)]; };
  if (c.unknown_rows.empty() && c.unknown_columns.empty()) return;
  values.widen();
  for (size_t i = 0; i < values.size(); ++i)
    if (holds(c.unknown_rows, at.row_of(i)) || holds(c.unknown_columns, at.column_of(i))) values.set(i, any_number());
}

template <class Rows>
Answer answer_of_rows(const GemmCase& c, const std::string& program, const Part& d,
                      const std::shared_ptr<const DotInputs>& inputs, const std::shared_ptr<const Rows>& rows) {
  const auto block = [c = std::make_shared<const GemmCase>(c), inputs, rows](const DotBlock& at) {
    Spans values;
    for (const GemmRun& run : c->runs(at.first, at.end)) append(values, rows->values(run.block(at.first_column, at.end_column)));
    widen_unknown(*c, at, values);
    return AcceptedBlock{{accepted_rows(values, *c->y, at.first, at.end)}};
  };
  Answer answer{program, {d}, c.m, [block, n = c.n](int64_t first, int64_t end) { return block({first, end, 0, n}); }};
  answer.of_columns = [block](int64_t first, int64_t end, int64_t first_column, int64_t end_column) {
    return block({first, end, first_column, end_column});
  };
  answer.glimpse = [block, n = c.n] { return block({0, 1, 0, std::min(n, kGlimpseColumns)}); };
  answer.products = inputs->product.k;
  return answer;
}

/// Whether an interval of values accepts the code with ordinal `seen`.
bool accepts(const Format& format, Span span, int32_t seen) {
  Spans one(std::vector<double>(1));
  one.set(0, span);
  return accepted_rows(one, format, 0, 1).at(0).holds(format, seen);
}

/// Answer::enough_for for a union of many variants.
void add_enough_for(const GemmCase& c, const std::shared_ptr<const DotInputs>& inputs,
                    const std::shared_ptr<const UnknownDotRows>& rows, Answer& answer) {
  answer.enough_for = [c = std::make_shared<const GemmCase>(c), inputs, rows](int64_t first, int64_t end, int64_t first_column,
                                                                              int64_t end_column, std::span<const int32_t> seen) {
    Spans values;
    for (const GemmRun& run : c->runs(first, end)) {
      const size_t begin = values.size();
      append(values, rows->values_until(run.block(first_column, end_column),
                                        [&](size_t i, Span span) { return accepts(*c->y, span, seen[begin + i]); }));
    }
    widen_unknown(*c, {first, end, first_column, end_column}, values);
    return AcceptedBlock{{accepted_rows(values, *c->y, first, end)}};
  };
}

/// For each tile of d: what its unused rows must hold.
std::vector<PaddingRule> padding_rules(const GemmCase& c) {
  const int64_t tile = c.contract.sorted_ids ? 1 : c.contract.tile_rows;
  const auto rule = [rows = c.contract.unused_rows] {
    if (rows == UnusedRows::kZero) return PaddingRule::kZero;
    return rows == UnusedRows::kUndefined ? PaddingRule::kFree : PaddingRule::kUntouched;
  };
  std::vector<PaddingRule> rules(size_t((c.stored_rows() + tile - 1) / tile), c.contract.sorted_ids ? PaddingRule::kUntouched : rule());
  for (const int64_t slot : c.absent) rules[size_t(slot)] = rule();
  if (c.contract.unused_rows == UnusedRows::kUndefinedInTiles)
    for (int64_t row = 0; row < c.m; ++row) rules[size_t(c.groups.stored_row(row) / tile)] = PaddingRule::kFree;
  return rules;
}

/// The part d: the rows of the case, and what the contract requires of unused rows.
Part part_of(const GemmCase& c, std::string justification) {
  Part d{"d", c.y, {c.m, c.n}, std::move(justification)};
  const auto gaps = [n = c.n, rows = c.stored_rows(), pitch = c.n + c.gap](const std::function<void(const Padding&)>& visit) {
    for (int64_t row = 0; row + 1 < rows; ++row)
      for (int64_t column = n; column < pitch; ++column) visit({row * pitch + column, {row, column}, PaddingRule::kUntouched});
  };
  if (c.gap > 0) {
    d.places = Places::of_rows([pitch = c.n + c.gap](int64_t row) { return row * pitch; });
    d.padding = gaps;
  }
  if (!c.groups.any()) return d;
  d.places = Places::of_rows([groups = c.groups, pitch = c.n + c.gap](int64_t row) { return groups.stored_row(row) * pitch; });
  d.padding = [groups = c.groups, n = c.n, pitch = c.n + c.gap, tile = c.contract.tile_rows, rules = padding_rules(c),
               gaps](const std::function<void(const Padding&)>& visit) {
    groups.for_each_unused([&](int64_t stored) {
      for (int64_t column = 0; column < n; ++column) visit({stored * pitch + column, {stored, column}, rules[size_t(stored / tile)]});
    });
    gaps(visit);
  };
  return d;
}

Answer answer_of(const GemmCase& c, const DotContract& contract, const DotProgram& program,
                 const std::shared_ptr<const DotInputs>& inputs) {
  Part d = part_of(c, "each algorithm variant accepts one code for each element");
  if (c.has_bias && dot_recipe(contract, *c.y, true, true).steps.size() > 1 && !contract.bias.empty() && contract.bias.back().slack.fma)
    d.justification = "the kernel may round the sum, or not, before it adds the bias";
  if (contract.has_atomics()) d.justification = "atomics may add the rounded sums of the parts of k in any order";
  return answer_of_rows(c, program.name, d, inputs, std::make_shared<const DotRows>(contract, program, *inputs, *c.y));
}

/// For an unknown kernel or an undocumented instruction: accepts the union of the intervals of all candidate models.
Answer answer_of_any(const GemmCase& c, const DotContract& contract, const std::shared_ptr<const DotInputs>& inputs) {
  const Part d = part_of(c, contract.of_unknown_unit() ? "the results of all candidate models of the instruction are "
                                                         "accepted, with or without each truncation"
                                                       : "the results of all programs of the contract are accepted, with or "
                                                         "without each truncation in its instruction");
  const auto rows = std::make_shared<const UnknownDotRows>(contract, *inputs, *c.y);
  Answer answer = answer_of_rows(c, "", d, inputs, rows);
  add_enough_for(c, inputs, rows, answer);
  return answer;
}

Expectation of_inputs(const GemmCase& c, const DotContract& contract, std::shared_ptr<const DotInputs> inputs) {
  if (contract.unknown()) return {{answer_of_any(c, contract, inputs)}};
  Expectation expectation;
  for (const DotProgram& program : dot_programs(contract, inputs->product.k))
    expectation.any_of.push_back(answer_of(c, contract, program, inputs));
  return expectation;
}

std::string equivalent(const GemmCase& c, const std::string& name) {
  return rulebook().equivalent(c.id(), c.contract.codes_of_a(), name);
}

/// The inputs of a case, which all its mutants share, and sums that several mutants share.
using SharedInputs = std::shared_ptr<MadeOnce<DotInputs>>;

std::shared_ptr<const DotInputs> inputs_of(const SharedInputs& shared, const GemmCase& c, const Problem& problem) {
  return shared->of(problem, [&] {
    DotInputs inputs = gemm_inputs(c, problem);
    inputs.memory = std::make_shared<SumMemory>();
    return inputs;
  });
}

/// Adds a mutant of case `c`. It accepts the outputs of case `judged` on inputs that `change` has changed. Sets its by_rows.
Hypothesis& add_changed(const GemmCase& c, const std::string& name, const GemmCase& judged, const SharedInputs& inputs,
                        std::function<void(DotInputs&, const Problem&)> change, std::vector<Hypothesis>& all) {
  all.push_back({name,
                 [judged, inputs, change = std::move(change)](const Problem& problem, const std::vector<HostTensor>*) {
                   auto changed = std::make_shared<DotInputs>(*inputs_of(inputs, judged, problem));
                   change(*changed, problem);
                   return of_inputs(judged, judged.contract, std::move(changed));
                 },
                 equivalent(c, name)});
  all.back().by_rows = true;
  return all.back();
}

Hypothesis of_neighbour(const GemmCase& c, DotNeighbour wrong, const SharedInputs& inputs) {
  const std::string name = wrong.name;
  const bool suspect = wrong.suspect;
  Hypothesis made{name,
                  [c, wrong = std::move(wrong), inputs](const Problem& problem, const std::vector<HostTensor>*) {
                    return of_inputs(c, wrong.contract, inputs_of(inputs, c, problem));
                  },
                  suspect ? "" : equivalent(c, name)};
  made.suspect = suspect;
  return made;
}

Hypothesis of_misreading(const GemmCase& c, const DotMisreading& wrong, const SharedInputs& inputs) {
  Hypothesis made{wrong.name,
                  [c, wrong, inputs](const Problem& problem, const std::vector<HostTensor>*) {
                    const std::shared_ptr<const DotInputs> right = inputs_of(inputs, c, problem);
                    return of_inputs(c, c.contract, std::make_shared<const DotInputs>(wrong.read(*right, wrong.products)));
                  },
                  equivalent(c, wrong.name)};
  made.suspect = wrong.suspect;
  return made;
}

/// The layouts with which kernels may confuse `layout`.
std::vector<std::string> layouts_taken_for(const Layout& layout) {
  if (layout.packs_words()) return {"ue8m0x4_row", "ue8m0x4_col", "ue8m0x4_tma"};
  if (layout.element->bytes() > 1) return {"row", "col", "tma"};
  if (*layout.element == kE8M0) return {"e8m0_row", "e8m0_col", "e8m0_128x4", "e8m0_8x4"};
  std::vector<std::string> all;
  for (const Layout& other : rulebook().layouts)
    if (*other.type == *layout.type && *other.element == *layout.element) all.push_back(other.id);
  return all;
}

/// Mutants: the kernel assumes another layout for the scales of one factor.
void add_layouts(const GemmCase& c, const char* role, const GemmScale& right, ScaleValues DotInputs::*scales,
                 const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!right.layout()) return;
  for (const std::string& id : layouts_taken_for(*right.layout())) {
    if (!right.reads_others(rulebook().layout(id))) continue;
    const std::string name = fmt::format("{}: layout {} -> {}", role, right.layout()->id, id);
    all.push_back({name,
                   [=, other = right.with_layout(rulebook().layout(id))](const Problem& problem, const std::vector<HostTensor>*) {
                     DotInputs wrong = *inputs_of(inputs, c, problem);
                     wrong.*scales = other.values(find(problem.tensors, role));
                     return of_inputs(c, c.contract, std::make_shared<const DotInputs>(std::move(wrong)));
                   },
                   equivalent(c, name)});
    all.back().by_rows = true;
  }
}

/// Mutant: the kernel assumes the row-major layout for the scales of both factors. A kernel that ignores tiles does so for both.
void add_layouts_of_both(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  const Layout* layout = c.scale_a.layout();
  if (!c.scale_a.are_bytes() || layout->packs_words()) return;
  const Layout* plain = &rulebook().layout(std::string(layout->element->name) + "_row");
  if (layout == plain || (!c.scale_a.reads_others(*plain) && !c.scale_b.reads_others(*plain))) return;
  const std::string name = fmt::format("scales: layout {} -> {}", layout->id, plain->id);
  all.push_back({name,
                 [=](const Problem& problem, const std::vector<HostTensor>*) {
                   DotInputs wrong = *inputs_of(inputs, c, problem);
                   wrong.scale_a = GemmScale(c.scale_a.grid(), plain).values(find(problem.tensors, "scale_a"));
                   wrong.scale_b = GemmScale(c.scale_b.grid(), plain).values(find(problem.tensors, "scale_b"));
                   return of_inputs(c, c.contract, std::make_shared<const DotInputs>(std::move(wrong)));
                 },
                 equivalent(c, name)});
  all.back().by_rows = true;
}

/// Mutant that only the diagnosis uses: software decodes the scale bytes in another format, e8m0 as ue4m3 or the reverse. If the
/// instruction decodes the bytes, mutants of the instruction include this mistake.
void add_scale_format(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  const Layout* layout = c.scale_a.layout();
  if (!layout || c.contract.scales_in_unit() || !(*layout->element == kE8M0 || *layout->element == kUe4M3)) return;
  const Format &own = *layout->element, &other = own == kE8M0 ? kUe4M3 : kE8M0;
  const auto reread = [&own, &other](ScaleValues& scales) {
    for (double& value : scales.values) value = decode(other, code_of(own, value));
  };
  Hypothesis& made = add_changed(
      c, fmt::format("scales: {} read as {}", own.name, other.name), c, inputs,
      [reread](DotInputs& changed, const Problem&) { reread(changed.scale_a), reread(changed.scale_b); }, all);
  made.by_rows = false, made.suspect = true, made.equivalent.clear();
}

/// TMA requires row strides that are multiples of 16 bytes, the size of four fp32 scales.
constexpr int64_t kPitchOfScales = 4;

/// Mutants: the kernel assumes that the pitch of dense scales is rounded up to 16 bytes. What it reads after the tensor is
/// unknown, so there is a mutant only if some row reads wrong scales inside the tensor.
void add_pitch(const GemmCase& c, const char* role, const GemmScale& right, ScaleValues DotInputs::*scales,
               std::vector<bool> GemmCase::*unknown, int64_t size, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!right.layout() || c.groups.any() || (right.layout()->id != "row" && right.layout()->id != "col")) return;
  const LevelGrid grid = right.grid();
  const int64_t rows = grid.rows, blocks = grid.columns;
  const bool by_rows = right.layout()->id == "row";
  const int64_t across = by_rows ? blocks : rows, pitch = (across + kPitchOfScales - 1) / kPitchOfScales * kPitchOfScales;
  if (pitch == across || across < kPitchOfScales) return;
  std::vector<int64_t> from(size_t(rows * blocks), -1);  // the scale that is read; -1: memory after the tensor
  std::vector<bool> lost(size_t(rows), false);
  bool seen = false;
  for (int64_t row = 0; row < rows; ++row) {
    bool other = false;
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t at = by_rows ? row * pitch + block : block * pitch + row;
      if (at >= rows * blocks) {
        lost[size_t(row)] = true;
        continue;
      }
      const int64_t read = by_rows ? at : at % rows * blocks + at / rows;
      from[size_t(row * blocks + block)] = read;
      other |= read != row * blocks + block;
    }
    seen |= other && !lost[size_t(row)];
  }
  if (!seen) return;
  GemmCase wrong = c;
  (wrong.*unknown).resize(size_t(size));
  for (int64_t i = 0; i < size; ++i) (wrong.*unknown)[size_t(i)] = lost[size_t(grid.of(i, 0) / blocks)];
  const std::string name = fmt::format("{}: pitch {} -> {}", role, across, pitch);
  add_changed(c, name, wrong, inputs, [=](DotInputs& read, const Problem&) {
    const std::vector<double> values = (read.*scales).values;
    for (size_t i = 0; i < from.size(); ++i) (read.*scales).values[i] = from[i] < 0 ? 1 : values[size_t(from[i])];
  }, all);
}

std::vector<Hypothesis> of_layouts(const GemmCase& c, const SharedInputs& inputs) {
  std::vector<Hypothesis> all;
  add_layouts(c, "scale_a", c.scale_a, &DotInputs::scale_a, inputs, all);
  add_layouts(c, "scale_b", c.scale_b, &DotInputs::scale_b, inputs, all);
  add_layouts_of_both(c, inputs, all);
  add_scale_format(c, inputs, all);
  add_pitch(c, "scale_a", c.scale_a, &DotInputs::scale_a, &GemmCase::unknown_rows, c.m, inputs, all);
  add_pitch(c, "scale_b", c.scale_b, &DotInputs::scale_b, &GemmCase::unknown_columns, c.n, inputs, all);
  return all;
}

/// Rows of a tile of d, which a kernel computes with the weights of one expert.
constexpr int64_t kTileOfExpert = 64;

/// Mutants: rows use the weights and scales of a wrong expert.
void add_other_experts(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  const auto add = [&](const std::string& name, auto expert_of) {
    GemmCase wrong = c;
    for (int64_t row = 0; row < c.m; ++row) wrong.experts.push_back(expert_of(row));
    bool same = true;
    for (int64_t row = 0; row < c.m; ++row) same &= wrong.experts[size_t(row)] == c.groups.group_of(row);
    if (same) return;
    all.push_back({name,
                   [wrong, inputs](const Problem& problem, const std::vector<HostTensor>*) {
                     return of_inputs(wrong, wrong.contract, inputs_of(inputs, wrong, problem));
                   },
                   equivalent(c, name)});
    all.back().by_rows = true;
  };
  const auto suspect = [&](const std::string& name, auto expert_of) {
    const size_t before = all.size();
    add(name, expert_of);
    if (all.size() > before) all.back().suspect = true;
  };
  const int64_t count = c.groups.count();
  for (int64_t cut = 2; cut < count; cut *= 2)
    suspect(fmt::format("experts: numbers modulo {}", cut), [&](int64_t row) { return c.groups.group_of(row) % cut; });
  if (!c.contract.sorted_ids) {
    suspect("experts: the first row of each expert uses the expert of the previous row", [&](int64_t row) {
      if (c.groups.row_in_group(row) > 0) return c.groups.group_of(row);
      return row > 0 ? c.groups.group_of(row - 1) : int64_t{0};
    });
    suspect("experts: the last row of each expert uses the expert of the next row", [&](int64_t row) {
      const bool is_last = row + 1 < c.m && c.groups.group_of(row + 1) != c.groups.group_of(row);
      return c.groups.group_of(is_last ? row + 1 : row);
    });
    std::map<int64_t, int64_t> of_stored;
    for (int64_t row = 0; row < c.m; ++row) of_stored.emplace(c.groups.stored_row(row), c.groups.group_of(row));
    const auto of_tile = [&](int64_t row, int64_t tile) { return of_stored.lower_bound(c.groups.stored_row(row) / tile * tile)->second; };
    for (const int64_t tile : {8, 16, 32, 64, 128, 256}) {
      bool is_new = tile == 8;  // larger tiles with the same experts need no mutant
      for (int64_t row = 0; row < c.m && !is_new; ++row) is_new = of_tile(row, tile) != of_tile(row, tile / 2);
      if (is_new)
        suspect(fmt::format("experts: all rows of a tile of at least {} rows use the expert of its first "
                            "row", tile), [&](int64_t row) { return of_tile(row, tile); });
    }
  }
  suspect("experts: all rows use the expert of the first row", [&](int64_t) { return c.groups.group_of(0); });
  add("experts: numbered without the empty ones", [&](int64_t row) {
    const auto end = c.groups.sizes().begin() + c.groups.group_of(row);
    return std::count_if(c.groups.sizes().begin(), end, [](int64_t size) { return size > 0; });
  });
  if ((c.contract.experts != GroupOrder::kByIndex && c.contract.experts != GroupOrder::kPsum) || c.contract.sorted_ids) return;
  add("experts: that of the row before each tile of 64 rows", [&, index = c.groups.index()](int64_t row) {
    const int64_t tile = c.groups.stored_row(row) / kTileOfExpert * kTileOfExpert;
    return std::max<int64_t>(0, index[size_t(std::max<int64_t>(0, tile - 1))]);
  });
}

/// Mutant: NaN in an unused row of a reaches the other rows of its tile, because the kernel multiplies it by 0 (0 * NaN = NaN).
void add_nan_of_padding(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!c.nan_padding || c.scale_a.grid().row_block != 1) return;
  std::set<int64_t> spoiled;
  c.groups.for_each_unused([&](int64_t row) { spoiled.insert(row / kTileOfExpert); });
  std::vector<int64_t> rows;
  for (int64_t row = 0; row < c.m; ++row)
    if (spoiled.contains(c.groups.stored_row(row) / kTileOfExpert)) rows.push_back(c.groups.stored_row(row));
  if (rows.empty()) return;
  const char* const name = "a: NaN of unused rows reaches their tile";
  add_changed(c, name, c, inputs, [rows](DotInputs& wrong, const Problem&) {
    ScaleValues& scale = wrong.scale_a;
    for (const int64_t row : rows) std::fill_n(scale.values.begin() + row * scale.shape.columns, scale.shape.columns, std::nan(""));
  }, all);
}

/// Mutants: the kernel assumes that the scales of all experts form one matrix in the layout, instead of a matrix each.
void add_scales_as_one_matrix(const GemmCase& c, const char* role, const GemmScale& right, ScaleValues DotInputs::*scales,
                              const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!right.layout() || !right.reads_others(right.as_one_matrix())) return;
  const std::string name = fmt::format("{}: all experts as one matrix", role);
  add_changed(c, name, c, inputs, [role, scales, other = right.as_one_matrix()](DotInputs& wrong, const Problem& problem) {
    wrong.*scales = other.values(find(problem.tensors, role));
  }, all);
}

/// Mutants: the kernel looks for an expert's scale tiles at another place: at the expert's first row of `a`, as if experts were
/// not padded to whole tiles; at the first tile for every expert; at one tile for each expert; or it divides by the row pitch.
void add_tiles_at_other_places(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (c.contract.experts != GroupOrder::kOffsets || !c.scale_a.layout() || c.scale_a.layout()->tile_rows == 1) return;
  const LevelGrid grid = c.scale_a.grid();
  const PlacedLayout tiles(*c.scale_a.layout(), grid.rows, grid.columns);
  const int64_t tile = c.scale_a.layout()->tile_rows, pitch = tiles.cols();
  struct Rows {
    int64_t right, first, group;  ///< row of scale_a where the expert's tiles begin, its first row of `a`, its number
  };
  std::vector<Rows> of_row;
  int64_t next = 0, here = 0;
  for (int64_t row = 0; row < c.m; ++row) {
    const int64_t group = c.groups.group_of(row), stored = c.groups.stored_row(row), in_group = c.groups.row_in_group(row);
    if (in_group == 0) {
      here = next;
      next += (c.groups.sizes()[size_t(group)] + tile - 1) / tile * tile;
    }
    of_row.push_back({here, stored - in_group, group});
  }
  const auto add = [&](const std::string& name, bool suspect, auto begin) {
    if (std::all_of(of_row.begin(), of_row.end(), [&](const Rows& one) { return begin(one) == one.right * pitch; })) return;
    add_changed(
        c, name, c, inputs,
        [c, grid, tiles, of_row, begin](DotInputs& wrong, const Problem& problem) {
          const HostTensor& scales = find(problem.tensors, "scale_a");
          for (int64_t row = 0; row < c.m; ++row)
            for (int64_t block = 0; block < grid.columns; ++block) {
              const int64_t at = begin(of_row[size_t(row)]) + tiles.offset(c.groups.row_in_group(row), block);
              wrong.scale_a.values[size_t(c.groups.stored_row(row) * grid.columns + block)] =
                  at < scales.spec.storage ? decode(c.scale_a.format(), scales.code(at))
                                           : std::numeric_limits<double>::quiet_NaN();
            }
        },
        all)
        .suspect = suspect;
  };
  add("scale_a: tiles of an expert begin at its first row", false, [pitch](const Rows& one) { return one.first * pitch; });
  add("scale_a: tiles of every expert begin at the first tile", true, [](const Rows&) { return int64_t{0}; });
  add("scale_a: each expert has one tile", true, [tile, pitch](const Rows& one) { return one.group * tile * pitch; });
  add("scale_a: the row where an expert's tiles begin is divided by the row pitch", true,
      [pitch](const Rows& one) { return one.right / pitch; });
}

/// Mutant for scale_rows > 0: the kernel looks for the scales of a row at the row's index in `a`, not where scale_rows puts them.
void add_scale_rows_ignored(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (c.contract.scale_rows == 0) return;
  std::vector<int64_t> rows(size_t(c.stored_rows()));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  const GemmScale other(c.scale_a.grid(), *c.scale_a.layout(), std::move(rows), c.scale_a.spec("scale_a").shape[0]);
  if (!c.scale_a.reads_others(other)) return;
  const char* const name = "scale_a: those of an expert begin at its first row";
  add_changed(c, name, c, inputs, [other](DotInputs& wrong, const Problem& problem) {
    wrong.scale_a = other.values(find(problem.tensors, "scale_a"));
  }, all);
}

/// Mutants for GEMMs grouped along k: each expert uses the first scale blocks of the tensor, or the first expert's addend c.
void add_first_along_k(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (!c.along_k()) return;
  const auto add = [&](const std::string& name, auto change) {
    add_changed(c, name, c, inputs, [change](DotInputs& wrong, const Problem&) { change(wrong); }, all);
  };
  const std::vector<int64_t> first = c.first_products(c.contract.scale_block());
  for (const auto& [role, scales, rows] : {std::tuple("scale_a", &DotInputs::scale_a, c.groups.capacity()), std::tuple("scale_b", &DotInputs::scale_b, c.n)})
    add(std::string(role) + ": the first blocks for every expert", [first, scales = scales, rows = rows](DotInputs& wrong) {
      ScaleValues& values = wrong.*scales;
      const std::vector<double> right = values.values;
      const int64_t columns = values.shape.columns;
      for (size_t expert = 0; expert + 1 < first.size(); ++expert)
        for (int64_t block = 0; block < first[expert + 1] - first[expert]; ++block) {
          const auto owner = std::upper_bound(first.begin(), first.end(), block) - first.begin() - 1;
          for (int64_t row = 0; row < rows; ++row)
            values.values[size_t((int64_t(expert) * rows + row) * columns + block)] = right[size_t((owner * rows + row) * columns + block - first[size_t(owner)])];
        }
    });
  add("c: of the first expert", [c](DotInputs& wrong) {
    const std::vector<double> right = wrong.c;
    for (int64_t row = 0; row < c.m; ++row)
      std::copy_n(right.begin() + row % c.groups.capacity() * wrong.n, c.n, wrong.c.begin() + row * wrong.n + c.groups.group_of(row) * c.n);
  });
}

/// Mutants for experts with a scale for each row: to find the scales of `a`, the kernel does not add the expert's first row; or
/// it assumes that consecutive experts' scales of `b` begin one scale apart, instead of n scales.
void add_scales_without_offset(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  if (c.contract.of_blocks()) return;
  const auto add = [&](const char* name, ScaleValues DotInputs::*scales, auto place) {
    add_changed(c, name, c, inputs, [scales, place](DotInputs& wrong, const Problem&) {
      const std::vector<double> right = (wrong.*scales).values;
      for (size_t row = 0; row < right.size(); ++row) (wrong.*scales).values[row] = right[size_t(place(int64_t(row)))];
    }, all);
  };
  std::vector<int64_t> in_expert(size_t(c.stored_rows()));
  std::iota(in_expert.begin(), in_expert.end(), int64_t{0});
  bool differs = false;
  for (int64_t row = 0; row < c.m; ++row) {
    const int64_t stored = c.groups.stored_row(row), in_group = c.groups.row_in_group(row);
    in_expert[size_t(stored)] = in_group;
    differs |= stored != in_group;
  }
  if (differs && c.scale_a.grid().row_block == 1)
    add("scale_a: of the first rows, for every expert", &DotInputs::scale_a, [in_expert](int64_t row) { return in_expert[size_t(row)]; });
  if (c.scale_b.grid().row_block == 1 && c.n > 1)
    add("scale_b: experts one scale apart", &DotInputs::scale_b, [n = c.n](int64_t row) { return row / n + row % n; });
}

/// Mutants: a row of d uses weights or weight scales of another expert, or is changed by unused rows of a.
std::vector<Hypothesis> of_experts(const GemmCase& c, const SharedInputs& inputs) {
  std::vector<Hypothesis> all;
  const int64_t count = c.groups.count();
  add_nan_of_padding(c, inputs, all);
  if (count < 2) return all;
  add_other_experts(c, inputs, all);
  add_scales_without_offset(c, inputs, all);
  add_tiles_at_other_places(c, inputs, all);
  add_scale_rows_ignored(c, inputs, all);
  add_first_along_k(c, inputs, all);
  add_scales_as_one_matrix(c, "scale_a", c.scale_a, &DotInputs::scale_a, inputs, all);
  add_scales_as_one_matrix(c, "scale_b", c.scale_b, &DotInputs::scale_b, inputs, all);
  const auto add = [&](const char* name, auto change) {
    add_changed(c, name, c, inputs, [change](DotInputs& wrong, const Problem&) { change(wrong); }, all).by_rows = false;
  };
  const auto weights_of = [expert_bytes = c.n * c.k, count](auto other) {
    return [=](DotInputs& wrong) {
      auto codes = std::make_shared<std::vector<std::byte>>();
      for (int64_t expert = 0; expert < count; ++expert) {
        const std::byte* from = wrong.product.b.codes + other(expert) * expert_bytes;
        codes->insert(codes->end(), from, from + expert_bytes);
      }
      wrong.product.b.codes = codes->data();
      wrong.own_b = std::move(codes);
    };
  };
  add("b: weights of the next expert", weights_of([count](int64_t expert) { return (expert + 1) % count; }));
  add("b: weights of the first expert for all", weights_of([](int64_t) { return int64_t{0}; }));
  if (c.scale_b.grid().count() >= count)
    add("scale_b: of the next expert", [count](DotInputs& wrong) {
      std::vector<double>& scales = wrong.scale_b.values;
      std::rotate(scales.begin(), scales.begin() + std::ptrdiff_t(scales.size()) / count, scales.end());
    });
  // With one block of columns for each expert, it has the effect of "of the first 128 columns"; a report then names both.
  if (c.scale_b.grid().count() >= count) {
    add("scale_b: all experts use the scales of the first expert", [count](DotInputs& wrong) {
      std::vector<double>& scales = wrong.scale_b.values;
      for (size_t i = 0, of_expert = scales.size() / size_t(count); i < scales.size(); ++i) scales[i] = scales[i % of_expert];
    });
    all.back().suspect = true;
  }
  return all;
}

/// Mutants of sorted ids: the slots of a block, or the inputs of a slot, are wrong.
void add_slot_mistakes(const GemmCase& c, const SharedInputs& inputs, std::vector<Hypothesis>& all) {
  for (SlotMistake& mistake : slot_mistakes(c)) {
    GemmCase wrong = c;
    wrong.experts = std::move(mistake.experts);
    add_changed(c, mistake.name, wrong, inputs, [wrong, read = mistake.read](DotInputs& others, const Problem&) {
      if (read) read(wrong, others);
    }, all).suspect = mistake.suspect;
  }
}

/// Inputs without data, only with shapes; the possible misreadings depend on the shapes.
DotInputs shape_of(const GemmCase& c) {
  DotInputs inputs;
  inputs.product.k = c.k;
  inputs.product.a.pitch = c.k + c.gap;
  inputs.product.b.pitch = c.groups.any() ? c.k : c.k + c.gap;
  inputs.m = c.stored_rows();
  inputs.n = c.rows_of_b();
  inputs.shuffle = c.contract.shuffle;
  inputs.scales_are_powers = c.scales_are_powers();
  inputs.packed = c.packs_codes();
  inputs.scale_a.shape = c.scale_a.grid();
  inputs.scale_b.shape = c.scale_b.grid();
  if (c.scales.a.outer()) inputs.outer_a = {c.outer_of_a(), std::vector<double>(size_t(c.outer_of_a().count()))};
  if (c.scales.b.outer()) inputs.outer_b = {c.outer_of_b(), std::vector<double>(size_t(c.outer_of_b().count()))};
  if (c.has_zero_points()) inputs.azp_adj.resize(size_t(c.n));
  if (c.contract.azp == GemmAzp::kTokens) inputs.azp.resize(size_t(c.m));
  return inputs;
}

}  // namespace

Expectation expect_product(const GemmCase& c, const DotContract& contract, const Problem& problem) {
  DotInputs inputs = gemm_inputs(c, problem);
  if (contract.unknown()) inputs.ordered = std::make_shared<OrderedOperands>();  // for many variants with a few orders of k
  return of_inputs(c, contract, std::make_shared<const DotInputs>(std::move(inputs)));
}

std::vector<Hypothesis> gemm_hypotheses(const GemmCase& c) {
  const auto inputs = std::make_shared<MadeOnce<DotInputs>>();
  std::vector<Hypothesis> edits, readings = of_layouts(c, inputs);
  for (Hypothesis& wrong : of_experts(c, inputs)) readings.push_back(std::move(wrong));
  for (DotNeighbour& wrong : dot_neighbours(c.contract, rulebook().units, c.k, *c.y, c.has_bias))
    edits.push_back(of_neighbour(c, std::move(wrong), inputs));
  if (c.contract.sorted_ids) {
    for (DotNeighbour& wrong : router_neighbours(c.contract, c.k, *c.y, c.has_bias, !c.weights.empty()))
      edits.push_back(of_neighbour(c, std::move(wrong), inputs));
    add_slot_mistakes(c, inputs, readings);
  }
  const int64_t tile = c.contract.of_blocks() ? c.contract.scale_block() : std::max(c.contract.promote, c.contract.part_of);
  const bool last_row_is_unused = c.groups.any() && (c.groups.index().back() < 0 || c.topk > 1);  // topk > 1: same token
  for (const DotMisreading& wrong : dot_misreadings(shape_of(c), c.contract.unit.k, tile))
    if (!last_row_is_unused || wrong.name != "a: the last row is the one before it") readings.push_back(of_misreading(c, wrong, inputs));
  // If two mutants give equal outputs, the report names the first. Without split-K it should name a dropped tail of k, not a lost
  // split-K part.
  const bool cut = c.contract.most_parts > 1;
  std::vector<Hypothesis>&all = cut ? edits : readings, &others = cut ? readings : edits;
  std::move(others.begin(), others.end(), std::back_inserter(all));
  return std::move(all);
}

Expectation every_program(const GemmCase& c, const Problem& problem) {
  const auto inputs = std::make_shared<DotInputs>(gemm_inputs(c, problem));
  inputs->ordered = std::make_shared<OrderedOperands>();
  Expectation expectation;
  std::set<std::string> seen;
  for (const DotContract& way : dot_ways(c.contract, rulebook().units))
    for (const DotProgram& program : dot_programs(way, c.k)) {
      const std::string words = dot_way_words(way, program);
      if (!seen.insert(words).second) continue;
      expectation.any_of.push_back(answer_of(c, way, program, inputs));
      expectation.any_of.back().program = words;
    }
  return expectation;
}
namespace {

/// Largest number of multiply-accumulates of a subsample. It has at least these rows and columns, however large k is.
constexpr int64_t kExcerptProducts = 1 << 19, kExcerptRows = 6, kExcerptColumns = 16;

bool takes(const GemmOpParts& parts, const std::string& id) {
  const ContractRow* row = rulebook().contracts.lookup(id);
  if (row == nullptr || !is_product(*row)) return false;
  const DotContract contract = read_dot(*row, rulebook().contracts, rulebook().units);
  return parts.takes(contract.of_blocks()) && contract.experts.has_value() == parts.of_experts() && contract.sorted_ids == parts.sorted_ids;
}

/// "3_0_5". For more than 64 sizes: the first four, their number, and a digest of all sizes: "1_2_2_0_of896_3f9c0a1b".
std::string words_of_sizes(const std::vector<int64_t>& sizes) {
  constexpr size_t kMostInId = 64, kFirst = 4, kDigits = 8;
  const std::string all = fmt::format("{}", fmt::join(sizes, "_"));
  if (sizes.size() <= kMostInId) return all;
  return fmt::format("{}_of{}_{}", fmt::join(sizes.begin(), sizes.begin() + kFirst, "_"), sizes.size(), digest_text(all).substr(0, kDigits));
}

/// "t3_0_5.a2.top2.b16": 3, 0 and 5 slots of the experts, 2 slots of expert -1, 2 slots per token, 16 slots per block.
std::string words_of_slots(const GemmCase& p) {
  return fmt::format("t{}{}.top{}.b{}{}", words_of_sizes(p.groups.sizes()), p.absent.empty() ? "" : fmt::format(".a{}", p.absent.size()), p.topk, p.block_m,
                     p.descending ? ".down" : "");
}

/// "t3_0_5.r128": the experts use 3, 0 and 5 rows, and a stores 128 rows. ".down": experts are in descending order. For GEMMs
/// grouped along k, "g256_0_128.m64": the experts' k, and 64 rows each.
std::string words_of_groups(const GemmCase& p) {
  const Groups& groups = p.groups;
  if (p.along_k()) return fmt::format("g{}.m{}", words_of_sizes(p.products), groups.capacity());
  const std::vector<int64_t> index = groups.index();
  std::vector<int64_t> used;
  std::copy_if(index.begin(), index.end(), std::back_inserter(used), [](int64_t expert) { return expert >= 0; });
  return fmt::format("t{}.r{}{}", words_of_sizes(groups.sizes()), groups.stored_rows(),
                     std::is_sorted(used.begin(), used.end()) ? "" : ".down");
}

std::string shape_words(const GemmCase& p) {
  const std::string layouts = p.scale_a.layout() ? fmt::format(".{}_{}", p.scale_a.layout()->id, p.scale_b.layout()->id) : "";
  const std::string rows = p.contract.sorted_ids ? words_of_slots(p) : p.groups.any() ? words_of_groups(p) : fmt::format("m{}", p.m);
  return fmt::format("{}.{}.n{}.k{}.{}{}{}{}", p.y->name, rows, p.n, p.k, p.scales.name, layouts, p.names_absent ? ".absent-finite" : "",
                     p.gap > 0 ? fmt::format(".gap{}", p.gap) : "");
}

std::string data_words(const GemmCase& p) {
  if (p.fill.empty()) return "";  // a dump: there are no generators
  const std::string more =
      (p.bias.empty() ? "" : "." + p.bias) + (p.c.empty() ? "" : ".c_" + p.c) + (p.azp.empty() ? "" : ".azp_" + p.azp) +
                           (p.weights.empty() ? "" : ".w_" + p.weights);
  return fmt::format("{}.{}.{}{}{}.s{}", p.fill, p.b, p.scale, more, p.nan_padding ? ".nan_padding" : "", p.seed);
}

/// A tile of a shuffled weight: rows of b, and elements along k. A subsample must keep tiles whole.
struct TileOfB {
  int64_t rows = 1, products = 1;

  explicit TileOfB(const WeightShuffle& shuffle) {
    if (shuffle.any()) rows = shuffle.rows, products = 2 * shuffle.products;
  }
};

/// Cache of accepted codes for a case whose reference is slow: several kernels are checked against the same codes.
class KnownBlocks {
 public:
  /// Wraps an expectation so that each block is computed once and used again while the bytes of the input tensors stay the same.
  static Expectation remembered(const std::shared_ptr<KnownBlocks>& known, const Problem& problem, Expectation expectation) {
    Digest digest;
    for (const HostTensor& tensor : problem.tensors) digest.add(tensor.bytes.data(), tensor.bytes.size());
    const uint64_t data = digest.value();
    for (size_t i = 0; i < expectation.any_of.size(); ++i) {
      Answer& answer = expectation.any_of[i];
      if (answer.elements() > kMostElements) continue;
      answer.accepted = [known, data, i, make = std::move(answer.accepted)](int64_t first, int64_t end) {
        return known->of({data, i, first, end}, make);
      };
    }
    return expectation;
  }

 private:
  static constexpr int64_t kMostElements = int64_t{1} << 20;

  struct Key {
    uint64_t data;
    size_t answer;
    int64_t first, end;
    auto operator<=>(const Key&) const = default;
  };

  AcceptedBlock of(const Key& key, const std::function<AcceptedBlock(int64_t, int64_t)>& make) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = blocks_.find(key); found != blocks_.end()) return found->second;
    }
    AcceptedBlock made = make(key.first, key.end);
    const std::lock_guard lock(mutex_);
    if (!blocks_.empty() && blocks_.begin()->first.data != key.data) blocks_.clear();
    blocks_.emplace(key, made);
    return made;
  }

  std::mutex mutex_;
  std::map<Key, AcceptedBlock> blocks_;
};

class BoundGemm : public BoundCase {
 public:
  BoundGemm(GemmCase c, CaseName name) : c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  std::string arch() const override { return chip_of_unit(c_.contract.unit_row->id); }
  Problem problem() const override { return gemm_problem(c_); }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>*) const override {
    Expectation expectation = expect_product(c_, c_.contract, problem);
    if (c_.contract.unknown() || c_.contract.has_atomics())
      expectation = KnownBlocks::remembered(known_, problem, std::move(expectation));
    if (c_.contract.unknown())
      expectation.together = [c = c_, &problem](const std::vector<HostTensor>& outputs) { return error_violations(c, problem, outputs); };
    return expectation;
  }
  std::vector<Hypothesis> mutants() const override { return c_.m > 0 ? gemm_hypotheses(c_) : std::vector<Hypothesis>(); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    if (c_.m == 0) return nullptr;
    const TileOfB tile(c_.contract.shuffle);
    const int64_t elements = kExcerptProducts / c_.k;
    const int64_t whole = c_.groups.any() ? std::max<int64_t>(1, c_.scales.b.block().rows) : tile.rows,
                  columns = std::min(c_.n, std::max(whole, std::max(kExcerptColumns, elements / c_.m) / whole * whole)),
                  rows = std::min(c_.m, std::max(kExcerptRows, elements / columns));
    return rows == c_.m && columns == c_.n ? nullptr : std::make_unique<const BoundGemm>(c_.resized(rows, columns), name_);
  }
  Expectation programs(const Problem& problem) const override { return every_program(c_, problem); }
  bool is_meant(const SaidAlgorithm& said, const std::string& program) const override {
    if (!said.words.empty()) return false;
    // 0: no promotion before the end of k; -1 and intervals >= k mean the same
    const auto within_k = [&](int64_t every) { return every < 0 || every >= c_.k ? 0 : every; };
    if (said.promote != 0 && within_k(said.promote) != within_k(c_.contract.promote)) return false;
    const bool adds_parts = !program.empty() && program != "split-K 1";
    if (said.order == SaidAlgorithm::Order::kAny && adds_parts && !c_.contract.has_atomics()) return false;
    if (c_.contract.may_scale_alone(c_.k)) return true;  // k has a single scale block, so it is not split
    return said.split_k == 0 || program_of_parts(c_.contract, c_.k, said.split_k) == program;
  }
  int64_t independent_rows() const override { return c_.groups.any() ? 0 : c_.m; }
  CaseOfRows with_rows(const Problem& problem, const std::vector<int64_t>& rows) const override {
    GemmCase some = c_.resized(int64_t(rows.size()), c_.n);
    Problem made = gemm_with_rows(c_, problem, rows);
    for (HostTensor& tensor : made.tensors)
      if (c_.gap > 0 && (tensor.spec.name == "a" || tensor.spec.name == "d")) pull_apart(tensor, c_.gap);
    return {std::make_unique<const BoundGemm>(std::move(some), name_), std::move(made),
            {{"m", std::to_string(rows.size())}}};
  }
  std::vector<Relation> relations(const Problem& problem) const override { return gemm_relations(c_, problem); }
  std::vector<std::string> formulas() const override { return dot_lines(c_.contract); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_product(c_, problem, row, column);
  }
  std::string traced() const override { return "d"; }
  std::vector<std::string> remarks(const Problem& problem, const std::vector<HostTensor>& outputs) const override {
    return product_remarks(c_, problem, outputs);
  }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override {
    const TileOfB tile(c_.contract.shuffle);
    const auto axis = [](const char* column, int64_t size, int64_t unit) {
      return ShrinkAxis{size / unit, [=](int64_t units) { return CellChanges{{column, std::to_string(units * unit)}}; }};
    };
    if (c_.groups.any()) return std::nullopt;
    return Shrinking{{axis("m", c_.m, 1), axis("n", c_.n, tile.rows), axis("k", c_.k, tile.products)}, {}, c_.m * c_.n * c_.k};
  }

 private:
  const GemmCase c_;
  const CaseName name_;
  const std::shared_ptr<KnownBlocks> known_ = std::make_shared<KnownBlocks>();
};

std::unique_ptr<const BoundCase> bind_gemm(const Case& c, const GemmOpParts& parts) {
  GemmCase p = read_gemm_case(c);
  if (!parts.takes(p.contract.of_blocks()))
    Cells(c).refuse("contract", fmt::format("'{}' has scales {}; expected {}", p.id(), p.scales.name,
                                            parts.of_blocks ? "block scales" : "scales per tensor, token or channel"));
  CaseName name = {c.op, p.id(), shape_words(p), data_words(p), p.warp};
  return std::make_unique<const BoundGemm>(std::move(p), std::move(name));
}

std::vector<RoleSpec> roles_of(const GemmOpParts& parts) {
  std::vector<RoleSpec> all = {{"a", Access::kIn, parts.of_experts() ? "[m, k]: codes of the activations, row-major and dense" : "[m, k]: codes of the activations, row-major; the row strides of a, b and d may be larger than k and n"},
                               {"b", Access::kIn, "[n, k]: codes of the weights, one row per column of d; d = a * b^T"}};
  if (parts.of_experts()) all.back().what = "[experts, n, k]: codes of the weights; each row of a and d belongs to one expert";
  all.insert(all.end(), parts.scales.begin(), parts.scales.end());
  all.insert(all.end(), parts.experts.begin(), parts.experts.end());
  for (const char* factor : {"a", "b"})
    if (parts.of_blocks && !parts.of_experts())
      all.push_back({fmt::format("global_scale_{}", factor), Access::kIn,
                     fmt::format("[1], or one for each row of {0}, f32: the outer scale of {0}, or alpha, the product of both outer scales, if the contract "
                                 "takes only alpha; only for contracts with outer scales", factor)});
  if (parts.of_experts() && !parts.sorted_ids)
    all.push_back({"global_scale_b", Access::kIn, "[experts] f32: alpha, the factor of an expert's sums; only for NVFP4 contracts"});
  if (!parts.of_experts()) all.push_back({"bias", Access::kIn, "[n] in the format of d: bias; only in cases with a bias"});
  if (parts.sorted_ids)
    all.insert(all.end(), {{"bias", Access::kIn, "[experts, n] f32: bias of each expert; only in cases with a bias"},
                           {"topk_weights", Access::kIn, "[m, top_k] f32: router weight of each slot; only in cases with weights"}});
  if (parts.of_blocks && !parts.sorted_ids)
    all.push_back({"c", Access::kIn, "[m, n] in the format of d: added to a * b^T; only for contracts that add it"});
  if (!parts.of_blocks && !parts.of_experts())
    all.insert(
        all.end(),
        {{"azp_adj", Access::kIn,
          "[n] int32: what is subtracted from the int32 sums of each column of d: the row sum of b, times azp if azp is a single number; only for contracts "
          "with zero points"},
         {"azp", Access::kIn, "[m] int32: the zero point of each token, by which azp_adj is multiplied; only for contracts with a zero point for each token"}});
  all.push_back({"d", Access::kOut, parts.sorted_ids ? "[m * top_k, n]: a row for each slot" : "[m, n]: the scaled product of a and b^T"});
  return all;
}

std::vector<ParameterSpec> parameters_of(const GemmOpParts& parts) {
  if (!parts.sorted_ids) return {roles::kWarp};
  return {roles::kWarp,
          {"top_k", "number of slots of a token: slot s uses row s / top_k of a"},
          {"block_m", "number of slots of a block; all slots of a block have the same expert"}};
}

}  // namespace

std::vector<RoleSpec> roles_of_experts() {
  return {{"expert_of_row", Access::kIn,
           "[m] int32: the expert of each row of a and d; -1: unused; only if the contract's cell `experts` is `by index`"},
          {"tokens", Access::kIn,
           "[experts] int32: how many of the `room` rows of each expert are in use, in a and d; only if the contract's cell "
           "`experts` is `masked`"},
          {"expert_offsets", Access::kIn,
           "[experts] int32: the row of a and d where each expert begins; only if the contract's cell `experts` is `offsets`"},
          {"problem_sizes", Access::kIn,
           "[experts, 3] int32: rows, n and k of each expert; only if the contract's cell `experts` is `offsets`"},
          {"blockscale_offsets", Access::kIn,
           "[experts] int32: for each expert, the row of scale_a where its tiles begin; only for scales in tiles, and only if "
           "the contract's cell `experts` is `offsets`"},
          {"expert_ends", Access::kIn,
           "[experts] int32: the row of a and d where each expert ends; the next expert begins there (contiguous) or at the next "
           "multiple of 128 (psum); only if the contract's cell `experts` is `contiguous` or `psum`"},
          {"expert_products", Access::kIn,
           "[experts] int32: the k of each expert; only if the contract's cell `experts` is `along k`"}};
}

Op gemm_op(GemmOpParts parts) {
  return {.name = parts.name,
          .roles = roles_of(parts),
          .parameters = parameters_of(parts),
          .columns = parts.columns,
          .optional_columns = parts.optional_columns,
          .untried = "CUTLASS stream-K, which divides k differently in each tile of d; 16-bit results that atomics add in any order",
          .takes = [parts](const std::string& contract) { return takes(parts, contract); },
          .bind = [parts](const Case& c) { return bind_gemm(c, parts); },
          .case_of_dump = parts.of_experts() ? nullptr : gemm_case_of_dump};
}

}  // namespace assay
