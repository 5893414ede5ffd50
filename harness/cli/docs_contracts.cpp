#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <stdexcept>

#include "harness/cli/docs.h"
#include "reference/flow/flow.h"
#include "reference/recipe/recipe.h"

namespace assay {
namespace {

/// Descriptions of op kinds ("kind") and of their columns. "kind.column" is looked up before "column".
const std::map<std::string, std::string>& words_of_flows() {
  static const std::map<std::string, std::string> words = {
      {"group_quant", "Quantizes a row: a scale for each group of elements, and a code for each element."},
      {"quant_azp", "Quantizes to int8 with a scale and a zero point."},
      {"cache_insert", "Quantizes a row and stores it as a record of a paged cache."},
      {"row_norm", "Normalizes a row by one factor r, optionally with a residual, a mean or a gate."},
      {"gated", "Applies an activation to a gate and multiplies by the other half of the row."},
      {"rope", "Rotates pairs of elements of a head."},
      {"chain", "Names two or more rows of other tables; each takes the unrounded result of the one before."},
      {"launch", "Names two rows that one kernel launch computes side by side."},
      {"pack", "Packs fp32 scales into the layout that a consumer reads."},
      {"cast", "Converts one number to another format."},
      {"dot", "A scaled GEMM on a named tensor core: D[m, n] = A[m, k] * B[n, k]^T."},
      {"dot_unknown", "A scaled GEMM whose algorithm is unknown: any of the named contracts may have made each element."},
      {"rank_reduce", "An all-reduce: the order of additions, what travels between ranks, what is rounded."},
      {"rank_norm", "An all-reduce followed by a residual and a norm."},
      {"rank_squares", "A norm whose row is divided between ranks; the ranks exchange sums of squares."},
      {"contiguity", "Which strided tensors an op accepts as flat memory."},
      {"shuffle", "Permutes a weight into the order that a GEMM kernel loads."},
  };
  return words;
}

const std::map<std::string, std::string>& words_of_columns() {
  static const std::map<std::string, std::string> words = {
      {"q", "format of the codes"},
      {"M", "largest magnitude that codes may have"},
      {"amax", "recipe: from the elements of a group to the largest magnitude; begins with a reduction such as `absmax`"},
      {"scale", "recipe: from `amax` to the stored scale s"},
      {"mult", "recipe: from s to the multiplier m of the group; empty if elements use s itself"},
      {"code", "recipe: from an element to its code, with s and m"},
      {"group", "shapes of groups: `128` columns, `128x128` rows x columns, `row`, `column`, `tensor` or `any`"},
      {"layouts", "where scales may lie: rows of `layouts.csv`"},
      {"pad", "`rows:00`, `rows:untouched`, `gaps:00`: what padding of the scale tensor must hold; `x:00`: elements beyond the edge of x count as 0"},
      {"lo", "reduction: the least element of the group"},
      {"hi", "reduction: the greatest element of the group"},
      {"L", "number of steps of the integer range"},
      {"zero", "recipe: the zero point; ends with `to(int32)`"},
      {"record", "row of `records.csv`: the bytes of a cache entry"},
      {"sum", "`squares`, or `deviations` from the mean"},
      {"depth", "largest number of additions that a term of the sum passes through, as a function of n: the width of the interval of r"},
      {"r", "recipe: from the sum to the factor r, with n and eps"},
      {"y", "recipe: from an element to the output, with r and w"},
      {"z", "recipe: from x to what is squared and normalized, with res, the residual"},
      {"residual", "recipe: from z to the residual that is stored"},
      {"stored_from", "column from which y is computed from the stored residual"},
      {"w", "recipe: from gamma to the weight; empty: gamma itself"},
      {"mean", "recipe: from the sum of x to the mean mu, which is then subtracted"},
      {"gate", "recipe: from the gate g to the factor h"},
      {"halves", "`gate_up` or `up_gate`: which half of a row of 2n is the gate"},
      {"h", "recipe: from the gate g and the other half u to the output"},
      {"mistaken_for", "row whose activation a wrong dispatch would run instead: becomes a mutant"},
      {"pairs", "`interleaved` (2i, 2i + 1) or `neox` (i, i + half)"},
      {"dims", "`first` or `last`: which elements of a head are rotated"},
      {"cache", "formats that the table of cosines and sines may have"},
      {"even", "recipe: the first element of a pair from e and o, with c = cos and s = sin"},
      {"odd", "recipe: the second element of a pair"},
      {"rest", "recipe: elements that are not rotated"},
      {"chain", "`KIND=ID > KIND=ID`: rows in the order in which they run"},
      {"heads", "row for the heads of Q"},
      {"insert", "row for the cache entry of K and V"},
      {"word", "expression on the bits v0..v3 of four scales: the packed 32-bit word"},
      {"domain", "condition on the bits of a scale, `&MASK=VALUE`; other scales make an invalid case; empty: none"},
      {"takes", "layouts that the input may have; `col%4`: only if the number of rows is a multiple of 4"},
      {"format", "format of the codes"},
      {"from", "format of the input"},
      {"rounding", "rounding mode"},
      {"overflow", "what a finite number beyond the format becomes"},
      {"infinity", "what Inf becomes"},
      {"nan", "code of a positive NaN"},
      {"minus_nan", "code of a negative NaN"},
      {"negative", "what becomes of the sign, for formats without one"},
      {"cast.zero", "code of both zeros; empty: zeros are numbers like others"},
      {"anomaly", "ranges of inputs that the implementation converts against its own rule"},
      {"unit", "row of `units.csv`: the tensor core instruction that multiplies and accumulates"},
      {"promote", "`none`, or `every(N)`: partial sums of N products are added to an fp32 accumulator"},
      {"join", "recipe: how a promoted sum joins the accumulator `acc`, with sa and sb where scales change along k"},
      {"split", "`none`, `parts(P) of(N)`: split-K into at most P parts of a multiple of N products, or `atomics(P) of(N)`"},
      {"scales", "granularity of the scales of A and B: `tensor`, `token_channel`, `1x128_128x128`, ..."},
      {"dot.y", "recipe: from the sum to the result; ends with `to(y)`"},
      {"bias", "recipe: how a bias joins before the last rounding; empty: the contract takes none"},
      {"out", "formats of the result"},
      {"weight", "`shuffle(R,C)`: B lies in tiles, as AITER's preshuffled kernels want it"},
      {"experts", "grouped GEMM: where the rows of each expert lie, `contiguous`, `masked`, `offsets` or `by index`"},
      {"k_order",
       "`lanes(L,R,A)`: an instruction takes R neighbours in k from each of L places that lie A apart, then the next R; alternatives are "
       "kernel instances; empty: ascending"},
      {"denormals", "`flush`: subnormal scales, sums and results of fp32 count as 0; `keep` or empty: they do not"},
      {"azp", "`adj` or `azp*adj`: the zero-point correction subtracted from the int32 sum"},
      {"programs", "contracts whose algorithms are candidates"},
      {"ranks", "numbers of ranks, from 2"},
      {"order", "`absolute` (rank 0 first), `from_owner`, `behind_owner`, `chunks(N)`, or `any_tree` (any order)"},
      {"owners", "which rank reduces which elements: `any`, `packets(BYTES) rest(last)` or `stripes(ELEMENTS)`"},
      {"start", "`zero`: the sum starts with 0; `first`: with the first rank's element"},
      {"wire", "recipe: what an element becomes before it travels"},
      {"wire_of", "`words` or `numbers`: what the wire recipe applies to"},
      {"add", "recipe: one addition; begins with `add(v)`"},
      {"rank_reduce.y", "recipe: from the sum to the result"},
      {"numbers", "formats of the elements"},
      {"bytes", "size that a message must be a multiple of"},
      {"extreme", "`signed` or `magnitude`: the extreme value of a group that makes its scale"},
      {"rank_reduce.group", "`every(N) apart(S)`: a group has N elements, S places apart"},
      {"rank_reduce.scale", "recipe: scale of a group from its extreme"},
      {"rank_reduce.mult", "recipe: multiplier of a group from its scale"},
      {"rank_reduce.code", "recipe: from an element to its code"},
      {"decode", "recipe: from a code to the element that a reader gets"},
      {"coded", "`both`: inputs and sums travel as codes; `sums`: only sums do"},
      {"owner", "`sum`: the rank that reduced a segment keeps its sum; `code`: it reads the code like the others"},
      {"reduce", "row of the all-reduce"},
      {"then", "row of the norm"},
      {"sharded", "row of the norm"},
      {"shards", "numbers of ranks"},
      {"rank_squares.depth", "largest number of additions that a square passes through"},
      {"matrices", "`one` or `two`: matrices that a call normalizes (two: q and k)"},
      {"accepts", "`contiguous`, `tail` or both: conditions of which one is enough"},
      {"tile", "`shuffle(R,C)`: rows and columns of a tile"},
      {"direction", "`shuffle`, or the inverse"},
      {"x", "formats of the weight"},
  };
  return words;
}

std::string words_of(const Flow& flow, const std::string& column) {
  for (const std::string& key : {flow.name + "." + column, column})
    if (const auto found = words_of_columns().find(key); found != words_of_columns().end()) return found->second;
  throw std::logic_error("docs: column '" + column + "' of " + flow.name + " is not described in docs_contracts.cpp");
}

const char* words_of(Monotone monotone) {
  switch (monotone) {
    case Monotone::kUp:
      return "rising";
    case Monotone::kDown:
      return "falling";
    default:
      return "by sign";
  }
}

std::string verbs_table() {
  std::string text = markdown_header({"step", "result for the value v", "monotone", "rounds to f32"});
  for (const VerbInfo& verb : all_verbs())
    text += markdown_row({fmt::format("`{}`", verb.form), std::string(verb.meaning), words_of(verb.monotone), verb.rounds ? "yes" : "no"});
  return text;
}

std::string flow_section(const Flow& flow) {
  const auto described = words_of_flows().find(flow.name);
  if (described == words_of_flows().end()) throw std::logic_error("docs: op kind '" + flow.name + "' is not described in docs_contracts.cpp");
  std::string text = fmt::format("### {}\n\n{}\n\nTables: `{}`.\n\n", flow.name, described->second, fmt::join(flow.files, "`, `"));
  text += markdown_header({"column", "meaning"});
  for (const std::string& column : flow.columns) text += markdown_row({"`" + column + "`", words_of(flow, column)});
  for (const std::string& column : flow.optional)
    text += markdown_row({"`" + column + "`", words_of(flow, column) + " (a table may lack this column)"});
  return text + "\n";
}

}  // namespace

DocsPage contract_cells_page() {
  std::string text =
      "# Contract cells\n\n"
      "A contract is a row of a CSV table in `reference/contracts`. Every table has these columns:\n\n" +
      markdown_header({"column", "meaning"}) +
      markdown_row({"`id`", "name of the contract; never reused"}) +
      markdown_row({"`since`", "first release (or date) whose code does this; `; ` separates periods"}) +
      markdown_row({"`until`", "first release whose code no longer does; empty: it still does"}) +
      markdown_row({"`source`", "file and commit or release that was read or run"}) + markdown_row({"`why`", "what the row is for"}) +
      "\n## Steps of a recipe\n\n"
      "A recipe is a cell of steps, read from left to right: `div(M) max(1e-10) pow2(ceil)`. v is the value so far. A step that rounds "
      "is computed exactly and rounded once to f32, ties to even. `F:` at the start of a cell changes that working format.\n\n"
      "A suffix widens a step's result to an accepted interval: `~k` by k ulp, `~k+Cv` by k + floor(C |v|) ulp, `~2^-N` by that part "
      "of the exact result; `~fma` accepts a fused and an unfused multiply-add. `a*b` as an argument is a product that is rounded first.\n\n" +
      verbs_table() + "\n## Columns by kind of op\n\n";
  for (const Flow* flow : all_flows()) text += flow_section(*flow);
  return {"contract-cells.md", text};
}

}  // namespace assay
