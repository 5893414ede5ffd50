#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>

#include "harness/cli/options.h"
#include "harness/cli/places.h"
#include "harness/report/report.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/flow/flow.h"
#include "reference/recipe/recipe.h"
#include "reference/table/table.h"
#include "suites/registry.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Descriptions of contract kinds (key "kind") and of their columns (key "kind.column"; if there is none, key "column").
const std::map<std::string, std::string>& words_of_flows() {
  static const std::map<std::string, std::string> words = {
      {"group_quant", "Quantizes a row: computes a scale for each group of elements, and a code for each element."},
      {"quant_azp", "Quantizes a row to int8 with a scale and a zero point."},
      {"cache_insert", "Quantizes a row and stores it as a record of a paged cache."},
      {"row_norm", "Normalizes a row: multiplies it by one factor r, optionally with a residual, a mean or a gate."},
      {"gated", "Applies an activation to one half of a row, the gate, and multiplies the result by the other half."},
      {"rope", "Rotates pairs of elements of a head."},
      {"chain",
       "Names two or more contracts, which are rows of other tables. Each takes the unrounded result of the previous one."},
      {"launch",
       "Names two contracts, which are rows of other tables. One kernel launch computes both, on different parts of its input."},
      {"pack", "Packs fp32 scales into the layout that a GEMM reads."},
      {"cast", "Converts one number to another format."},
      {"dot", "A scaled GEMM on a named tensor core: D[m, n] = A[m, k] * B[n, k]^T."},
      {"dot_unknown",
       "A scaled GEMM whose algorithm is unknown: each element may have the result of any of the named contracts."},
      {"rank_reduce",
       "Adds x over all ranks (all-reduce). The columns say in which order the ranks are added, in which format ranks send "
       "elements, and what is rounded."},
      {"rank_norm", "An all-reduce followed by a residual addition and a norm."},
      {"rank_squares", "A norm whose rows are split across ranks. The ranks exchange their sums of squares."},
      {"contiguity", "States which strided tensors an op accepts and then reads as one contiguous vector."},
      {"shuffle", "Permutes a weight into the order that a GEMM kernel loads."},
      {"gather",
       "Reads tokens of a paged cache into dense rows. The columns say how the kernel finds a token, and how it converts the "
       "token's codes to numbers."},
      {"combine",
       "Adds the rows that the experts of a token returned. A slot is one of the topk experts of a token. The columns say which "
       "slots are added, with which weights and in which order, and what is rounded."},
      {"routing",
       "Sorts slots by expert, or moves rows into a given order. A slot is one of the topk experts of a token. Nothing is "
       "rounded."},
  };
  return words;
}

const std::map<std::string, std::string>& words_of_columns() {
  static const std::map<std::string, std::string> words = {
      {"q", "format of the codes"},
      {"M", "largest magnitude that a code may represent"},
      {"amax",
       "recipe that turns the elements of a group into their largest magnitude; it begins with a reduction such as `absmax`"},
      {"scale", "recipe that turns the result of `amax` into the stored scale s"},
      {"mult",
       "recipe that turns s into the group's multiplier m. `min(nonzero)` makes m 0 for a group of zeros, because `nonzero` is 0 "
       "if amax is 0, and Inf otherwise. If the cell is empty, `code` uses s instead of m"},
      {"code",
       "recipe that turns an element into its code. It may use s, m, and `zero`, which is +0 if amax is 0, and -0 otherwise"},
      {"rival",
       "recipe that turns the result of `amax` into a second scale. A group uses the second scale if its codes then have the "
       "smaller sum of errors. If the cell is empty, there is no second scale"},
      {"error",
       "recipe that turns the value of a code into its error. It may use s, m and the element, which it calls v. Errors are "
       "squared before they are added, unless the recipe ends with `abs`"},
      {"group",
       "allowed shapes of a group: `128` columns, `128x128` rows x columns, a whole `row`, `column` or `tensor`, or `any`"},
      {"layouts", "allowed layouts of the scale tensor, by their names in `layouts.csv`"},
      {"pad",
       "what the padding of the scale tensor holds after a call, as `WHERE:WHAT`. WHERE is `rows` (beyond the last row), `k` "
       "(beyond the last group of a row) or `gaps` (between groups of rows). WHAT is `00`, `untouched` (not written) or "
       "`unspecified`. `x:00` means that elements beyond the edge of x count as 0"},
      {"lo", "reduction that gives the smallest element of the group"},
      {"hi", "reduction that gives the largest element of the group"},
      {"L", "number of steps of the integer range, such as 255 for int8"},
      {"zero", "recipe that computes the zero point; it ends with `to(int32)`"},
      {"record", "row of `records.csv` that says where the codes and scales of a cache entry lie"},
      {"sum", "what is squared and added: the elements (`squares`), or their deviations from the mean (`deviations`)"},
      {"depth",
       "largest number of additions that a term of the sum passes through, as a function of the row length n. It gives the width "
       "of the accepted interval of r"},
      {"r", "recipe that turns the sum into the factor r; it may use n and eps"},
      {"y", "recipe that turns an element into the output; it may use r and the weight w"},
      {"z", "recipe that turns x (and res, the residual) into z, which is squared and normalized"},
      {"residual", "recipe that turns z into the stored residual"},
      {"stored_from", "index of the first column whose y is computed from the stored, rounded residual instead of z"},
      {"w", "recipe that turns gamma into the weight; if the cell is empty, gamma is the weight"},
      {"mean", "recipe that turns the sum of x into the mean mu, which is then subtracted from x"},
      {"gate", "recipe that turns the gate g into h, the factor by which the normalized element is multiplied"},
      {"halves", "which half of a row of 2n elements is the gate: the first (`gate_up`) or the second (`up_gate`)"},
      {"h", "recipe that turns a gate element g and the element u of the other half into the output"},
      {"mistaken_for",
       "contract with another activation, which a faulty dispatch would run instead; one mutant has this mistake"},
      {"pairs", "which elements of a head form a pair: `interleaved` (2i and 2i + 1) or `neox` (i and i + half)"},
      {"dims", "which elements of a head are rotated: the `first` or the `last` ones"},
      {"cache", "formats that the table of cosines and sines may have"},
      {"even", "recipe that turns the pair (e, o) into the first result of the pair; c is the cosine, and s the sine"},
      {"odd", "recipe that turns the pair (e, o) into the second result of the pair"},
      {"rest", "recipe that turns an element that is not rotated into its result"},
      {"chain", "the contracts in the order in which they run, as `KIND=ID > KIND=ID`"},
      {"heads", "contract that the heads of Q obey"},
      {"insert", "contract that the cache entry of K and V obeys"},
      {"word", "expression that packs the bits v0..v3 of four scales into an int32"},
      {"domain",
       "condition `&MASK=VALUE` that the bits of every scale must meet; a case with other scales is invalid. If the cell is "
       "empty, every scale is valid"},
      {"takes", "layouts that the input may have. `col%4` means layout `col` with a number of rows that is a multiple of 4"},
      {"format", "format of the codes"},
      {"from", "format of the input"},
      {"rounding", "rounding mode"},
      {"overflow", "what a finite number outside the range of the format is converted to"},
      {"infinity", "what Inf is converted to"},
      {"nan", "code of a positive NaN"},
      {"minus_nan", "code of a negative NaN"},
      {"negative", "for formats without a sign: what a negative number is converted to"},
      {"cast.zero", "code of +0 and -0; if the cell is empty, zeros are converted like other numbers"},
      {"anomaly", "ranges of inputs for which the implementation returns other codes than its usual rule gives"},
      {"unit", "the tensor core instruction that multiplies and accumulates, by its id in `units.csv`"},
      {"promote",
       "`every(N)`: after N products, the instruction's sum is added to a separate fp32 accumulator and restarts at 0 "
       "(promotion). `none`: there is no such accumulator"},
      {"join",
       "recipe that adds a sum of N products (column `promote`) to the accumulator `acc`; it may use the scales sa and sb if "
       "they change along k"},
      {"split",
       "into how many parts k is split (split-K). `none`: it is not split. `parts(P) of(N)`: at most P parts, each with a "
       "multiple of N products. `atomics(P) of(N)`: the same parts, but their sums may be added in any order"},
      {"scales", "granularity of the scales of A and B: `tensor`, `token_channel`, `1x128_128x128`, ..."},
      {"dot.y", "recipe that turns the sum into the result; it ends with `to(y)`"},
      {"one_block", "recipe that replaces `join` if all of k is one block of scales"},
      {"unsplit",
       "`fma(0)` means: if k is not split, the last step `mul(X)` of `y` is `fma(X,0)` instead, so a product of -0 becomes +0"},
      {"bias", "recipe that adds the bias before the last rounding; if the cell is empty, the contract takes no bias"},
      {"out", "formats of the result"},
      {"weight",
       "`shuffle(R,C)`: B is stored in tiles of R rows, in the order that AITER's shuffle_weight(layout=(R, C)) writes"},
      {"experts",
       "for grouped GEMMs: how the kernel finds the rows of each expert: `contiguous`, `masked`, `offsets`, `by index`, `psum` "
       "(each expert begins at the next multiple of tile_rows), `along k` (each expert has a k of its own) or `sorted ids`"},
      {"codes",
       "format of the codes of A and B, if the kernel converts them in software to operands of the instruction. If the cell is "
       "empty, the instruction itself takes the codes"},
      {"mult_a",
       "recipe that turns the scale of a block of A into the multiplier m; it may use g, the scale of the tensor. Only for rows "
       "with `codes`"},
      {"mult_b", "the same as `mult_a`, for a block of B"},
      {"dot.decode",
       "recipe that turns the value of a code into the operand. It may use m, and ends with a cast to the format of the "
       "instruction"},
      {"block_m",
       "for `sorted ids`: allowed numbers of slots in a block (Triton's BLOCK_SIZE_M). All slots of a block have the same "
       "expert"},
      {"router",
       "recipe for `sorted ids` that applies the router weight `w` of a row after the bias. If the cell is empty, the recipe `y` "
       "applies the weight, or there is none"},
      {"tile_rows",
       "for grouped GEMMs: number of rows of a tile. The first row of each expert, and the number of rows reserved for the "
       "expert, are multiples of it. An empty cell means 1"},
      {"scale_rows",
       "for `contiguous` experts: a number of which the first row of each expert in scale_a is a multiple. If the cell is empty, "
       "row i of A uses row i of scale_a"},
      {"padding",
       "for grouped GEMMs: what rows of d that belong to no expert contain after the call: `untouched`, `undefined`, `zero`, or "
       "`undefined in tiles`, which means undefined up to the end of an expert's last tile, and untouched elsewhere"},
      {"k_order",
       "order in which the elements along k are multiplied. `lanes(L,R,A)`: one instruction takes R consecutive elements at each "
       "of L positions that are A apart, and the next instruction takes the next R at each position. If the cell has several "
       "orders, each belongs to other kernel instances. An empty cell means ascending order"},
      {"denormals",
       "`flush`: subnormal fp32 scales, sums and results count as 0. `keep` or an empty cell: they keep their values"},
      {"azp",
       "the zero-point correction that is subtracted from the int32 sum: `adj` is the tensor azp_adj, and `azp*adj` the product "
       "of azp and azp_adj"},
      {"programs", "candidate contracts: each element may have the result of any of them"},
      {"ranks", "allowed numbers of ranks, at least 2"},
      {"order",
       "order of the ranks in the sum. The owner of an element is the rank that adds it. `absolute`: rank 0 first. `from_owner`: "
       "the owner first, then the ranks after it. `behind_owner`: the ranks after the owner first, and the owner last. "
       "`chunks(N)`: sums of N ranks, then the sum of these sums. `any_tree`: any order. `one_tree`: any "
       "order, but the same for every number of rows"},
      {"owners",
       "which rank owns which elements. `any`: any rank may own any element. `packets(BYTES) rest(last)`: each rank owns the "
       "same number of packets, and the last rank also owns the rest. `stripes(ELEMENTS)`: the ranks own stripes of this many "
       "elements in turn"},
      {"start", "what the sum starts with: 0 (`zero`), or the first rank's element (`first`)"},
      {"wire", "recipe that turns an element into what the rank sends"},
      {"wire_of", "whether the recipe `wire` is applied to whole 32-bit words (`words`) or to each element (`numbers`)"},
      {"add",
       "recipe that adds the next element to the running sum. In this column v is the next element, and the recipe begins with "
       "`add(v)`"},
      {"rank_reduce.y", "recipe that turns the sum into the result"},
      {"numbers", "formats of the elements"},
      {"bytes", "the size of a message must be a multiple of this number of bytes"},
      {"extreme",
       "what the scale of a group is computed from: its extreme value with the sign (`signed`), or its largest magnitude "
       "(`magnitude`)"},
      {"rank_reduce.group", "elements of a group: `every(N) apart(S)` means N elements that are S positions apart"},
      {"rank_reduce.scale", "recipe that turns the extreme value of a group into its scale"},
      {"rank_reduce.mult", "recipe that turns the scale of a group into the multiplier of its elements"},
      {"rank_reduce.code", "recipe that turns an element into its code"},
      {"decode", "recipe that turns a code into the element that the receiving rank uses"},
      {"coded", "what is sent as codes: inputs and sums (`both`), or only sums (`sums`)"},
      {"owner",
       "what the rank that added a segment stores there: its unquantized sum (`sum`), or the decoded code (`code`), as other "
       "ranks do"},
      {"reduce", "contract of the all-reduce, which runs first"},
      {"then", "contract of the norm, which runs second"},
      {"combine",
       "contract by which each rank combines its experts' rows before the all-reduce; if the cell is empty, x itself is reduced"},
      {"sharded", "contract of the norm whose rows are split"},
      {"shards", "allowed numbers of ranks"},
      {"rank_squares.depth", "largest number of additions that a square passes through, as a function of the row length"},
      {"matrices", "number of matrices that a call normalizes: `one`, or `two` (q and k)"},
      {"accepts",
       "which tensors the op accepts. `contiguous`: row-major without gaps. `tail`: from the tensor's first element on, the "
       "storage has exactly as many elements as the tensor. If the cell has both, one of the conditions is enough"},
      {"tile", "`shuffle(R,C)`: tiles have R rows and C columns"},
      {"direction", "`shuffle` from row-major order to the tiles, or `unshuffle` for the inverse"},
      {"rows_of_x",
       "where the row of a slot is. `slots`: x is [m, topk, n], with a row for each slot. `by slot`: an index tensor [m, topk] "
       "names rows of x. `by slot, slot-major`: the index tensor is [topk, m]"},
      {"skips",
       "slots that are not added. `ids`: slots with an expert id < 0. `map`: with expert_map[id] < 0. `rows`: with a row index "
       "that is < 0 or not in use. `negative`: with a row index < 0. If the cell is empty, all slots are added"},
      {"unrouted",
       "what y contains for a token whose slots are all skipped: zeros (`zero`), or, if all its ids are < 0, what y held before "
       "the call, and zeros otherwise (`untouched`). The cell is empty if no slot is ever skipped"},
      {"combine.weight",
       "recipe that turns w, the router weight of a slot, into the weight that is used; it may use f, the routed scaling factor"},
      {"combine.add",
       "recipe that turns an element of a slot's row into the next sum; it uses w, and a, the sum so far (+0 at first)"},
      {"combine.order",
       "order in which slots are added: `ascending`, or `lanes(N)`, which means that slot k is added to sum k mod N, and then "
       "the N sums are added"},
      {"combine.y",
       "recipe that turns the last sum into the result; it may use f and s. If the cell is empty, the sum is the result"},
      {"combine.numbers", "formats of x and y"},
      {"sorts_into",
       "what the call returns: the slots of each expert, padded to whole blocks (`blocks`), the rows of x in the order of their "
       "experts (`rows`), or the rows of x in the order of an index tensor (`given order`)"},
      {"absent",
       "what happens to slots whose id is < 0 or >= the number of experts. `dropped`: they are left out. `first`: they fill "
       "blocks of expert -1, which are the first blocks. `last`: they follow all experts of this device. `zero`, only for `given "
       "order`: rows whose index is outside of x are zero. The cell is empty if there are no such slots"},
      {"elsewhere",
       "what happens to slots whose expert is on another device (expert_map[id] < 0). `dropped`: they are left out. `last`: they "
       "follow all experts of this device. `marked`: they are kept, and expert_ids holds the negative entry of expert_map. The "
       "cell is empty if there is no expert_map"},
      {"routing.order", "order of the slots of an expert: `ascending`, or `free`, which means each slot once, in any order"},
      {"pads",
       "what entries of sorted_ids without a slot contain: the number of slots (`slots`), or what they held before the call "
       "(`untouched`)"},
      {"tail",
       "what entries of expert_ids after the last block contain: `-1`, `0`, or what they held before the call (`untouched`). If "
       "`elsewhere` is `marked`, expert_map is applied to the number before it is stored"},
      {"counts",
       "`rest`: token_nums[b] counts the slots of block b and of the later blocks of the same expert. The cell is empty if the "
       "call has no token_nums"},
      {"routing.numbers", "formats of the rows"},
      {"topk", "numbers of slots per token that the kernel supports; an empty cell means any number"},
      {"combine.weights", "format of the router weights: that of x (`x`), or f32 if the cell is empty"},
      {"shared",
       "recipe that turns an element of the shared expert's row into s, which the recipe `y` adds; only for rows whose `y` uses "
       "s"},
      {"gather.record", "row of `records.csv` that says where the codes and scales of a token lie within its block"},
      {"gather.codes", "format of the codes; the cell is empty if the cache stores no codes"},
      {"gather.tokens",
       "which tokens are read: those that a block table lists for each sequence (`table`), or every slot of the cache, block by "
       "block (`all`)"},
      {"starts",
       "what an entry of seq_starts means. `tokens`: the sequence is read from this position on. `blocks`: only whole blocks "
       "before this position are skipped. The cell is empty if the call has no seq_starts"},
      {"gives", "what the call returns: rows of numbers (`y`), or unchanged codes and scales (`parts`)"},
      {"gather.y",
       "recipe that turns the value of a code into the result; it may use s, the scale of the code. If the cell is empty, codes "
       "are not decoded"},
      {"gather.numbers", "formats of y, and of elements stored without codes"},
      {"past_end",
       "what a call does to rows after the last token: it leaves them `untouched`. The cell is empty if there are no such rows"},
      {"x", "formats of the weight"},
  };
  return words;
}

std::string words_of(const Flow& flow, const std::string& column) {
  for (const std::string& key : {flow.name + "." + column, column})
    if (const auto found = words_of_columns().find(key); found != words_of_columns().end()) return found->second;
  throw std::logic_error("docs: column '" + column + "' of " + flow.name + " is not described in docs.cpp");
}

const char* words_of(Monotone monotone) {
  switch (monotone) {
    case Monotone::kUp:
      return "rising";
    case Monotone::kDown:
      return "falling";
    default:
      return "depends on sign";
  }
}

std::string verbs_table() {
  std::string text = markdown_header({"step", "result for the value v", "monotone", "rounds to f32"});
  for (const VerbInfo& verb : all_verbs())
    text += markdown_row(
        {fmt::format("`{}`", verb.form), std::string(verb.meaning), words_of(verb.monotone), verb.rounds ? "yes" : "no"});
  return text;
}

std::string flow_section(const Flow& flow) {
  const auto described = words_of_flows().find(flow.name);
  if (described == words_of_flows().end())
    throw std::logic_error("docs: op kind '" + flow.name + "' is not described in docs.cpp");
  std::string text =
      fmt::format("### {}\n\n{}\n\nTables: `{}`.\n\n", flow.name, described->second, fmt::join(flow.files, "`, `"));
  text += markdown_header({"column", "meaning"});
  for (const std::string& column : flow.columns) text += markdown_row({"`" + column + "`", words_of(flow, column)});
  for (const std::string& column : flow.optional)
    text += markdown_row({"`" + column + "`", words_of(flow, column) + " (optional column)"});
  return text + "\n";
}

}  // namespace

DocsPage contract_cells_page() {
  std::string text =
      "# Contract cells\n\n"
      "A contract is a row of a CSV table in `reference/contracts`. Every table has these columns:\n\n" +
      markdown_header({"column", "meaning"}) +
      markdown_row({"`id`", "id of the contract; no other contract ever gets the same id"}) +
      markdown_row({"`since`", "first release (or date) whose code does this; `; ` separates periods"}) +
      markdown_row(
          {"`until`", "first release whose code no longer does this; the cell is empty if the newest release still does"}) +
      markdown_row({"`source`", "the file, with its commit or release, that was read or run"}) +
      markdown_row({"`why`", "what the contract describes, and what is special about it"}) +
      "\n"
      "## Steps of a recipe\n\n"
      "A recipe is a cell of steps, read from left to right: `div(M) max(1e-10) pow2(ceil)`. v is the running value. A step that "
      "rounds is computed exactly and rounded once to f32, ties to even. The steps after `F:` round to format F instead of "
      "f32.\n\n"
      "A suffix widens a step's result to an accepted interval: `~k` by k ulp, `~k+Cv` by k + floor(C |v|) ulp, `~2^-N` by 2^-N "
      "times the exact result. With `~fma`, the results of a fused and of an unfused multiply-add are both accepted. An argument "
      "`a*b` is a product, which is rounded before the step uses it.\n\n" +
      verbs_table() +
      "\n"
      "## Columns by kind of op\n\n"
      "Each section describes the tables of one evaluator, which is the code that computes the results of such contracts. The "
      "second column of `assay contracts list` names the evaluator.\n\n";
  for (const Flow* flow : all_flows()) text += flow_section(*flow);
  return {"contract-cells.md", text};
}

namespace {

namespace fs = std::filesystem;

constexpr const char* kWrittenBy = "<!-- Written by `assay regenerate`, or by `assay docs --output docs/reference`. -->\n\n";
constexpr const char* kReadmeSection = "assay docs";
constexpr const char* kExecutedSection = "executed contracts";  ///< of docs/test-rocm-without-gpu.md

std::string code(const std::string& text) { return text.empty() ? "" : "`" + text + "`"; }

/// An option and its argument, as typed.
std::string typed(const CLI::Option& option) {
  const bool positional = option.get_positional();
  const std::string type = option.get_items_expected_max() == 0 ? "" : option.get_type_name();
  if (positional) return option.get_name() + (option.get_items_expected_max() > 1 ? "..." : "");
  return option.get_name(false, true) + (type.empty() ? "" : " " + type);
}

/// The examples of a verb's help as a block of code.
std::string examples_block(const std::string& footer) {
  std::istringstream lines(footer);
  std::string block = "```sh\n";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  ")) block += line.substr(2) + "\n";
  return block + "```\n\n";
}

std::string command_section(const CLI::App& verb) {
  std::string text = fmt::format("## assay {}\n\n{}.\n\n", verb.get_name(), verb.get_description());
  text += markdown_header({"option", "meaning", "default"});
  for (const CLI::Option* option : verb.get_options()) {
    if (option->get_group().empty() || option->get_name() == "--help") continue;
    const std::string what = option->get_description() + (option->get_required() ? " (required)" : "");
    text += markdown_row({code(typed(*option)), what, code(option->get_default_str())});
  }
  if (verb.get_footer().empty()) return text + "\n";
  return text + "\n" + examples_block(verb.get_footer());
}

DocsPage commands_page(const CLI::App& program) {
  std::string text =
      std::string("# Commands\n\nExit codes:\n\n") + markdown_header({"code", "meaning"}) +
      markdown_row({"0", "everything as expected"}) + markdown_row({"1", "some verdict is not as expected"}) +
      markdown_row({"2", "the command line, a table, a dump or the library is wrong, or nothing ran"}) +
      markdown_row({"3", "the device, the machine or the program failed; the run is not complete"}) +
      markdown_row({"77", "the kernel library found no device to run on"}) +
      markdown_row({"129, 130, 143", "ended by SIGHUP, SIGINT or SIGTERM; reports with the verdicts so far are written"}) + "\n";
  for (const CLI::App* verb : program.get_subcommands([](const CLI::App*) { return true; }))
    if (!verb->get_group().empty()) text += command_section(*verb);
  return {"commands.md", text};
}

std::string fields_table(const char* title, const std::vector<ReportField>& fields) {
  std::string text = markdown_header({title, "meaning"});
  for (const ReportField& field : fields) text += markdown_row({code(field.name), field.meaning});
  return text;
}

DocsPage reports_page() {
  std::string run_columns = "`run_id`, `run_schema`";
  for (const Fact& fact : facts_of({}, {})) run_columns += ", `run_" + fact.name + "`";
  return {"reports.md",
          "# Reports\n\n"
          "[Exit codes and schemas](../exit-codes.md) lists the states of the gate, and says which parts of these formats will "
          "not change.\n\n"
          "## CSV\n\n"
          "A CSV report has a row for each output tensor of each verdict, and one row for a verdict for which no tensor was "
          "compared.\n\n" +
              fields_table("column", csv_columns()) + "\nRun details: " + run_columns +
              ".\n"
              "`run_id` is in every row. Only the first row of a run has values in the other `run_*` columns.\n\n"
              "## JSON\n\n"
              "Keys have a fixed order. Codes are strings of hex digits. `\"nan\"`, `\"inf\"` and `\"-inf\"` stand for numbers "
              "that JSON lacks. A key with `[]` occurs in each item of a list.\n\n" +
              fields_table("key", json_fields())};
}

std::string op_section(const Op& op) {
  std::string text = fmt::format("## {}\n\n", op.name) + markdown_header({"tensor", "access", "meaning"});
  for (const RoleSpec& role : op.roles) text += markdown_row({code(role.name), name(role.access), role.what});
  if (!op.parameters.empty()) text += "\n" + markdown_header({"parameter", "meaning"});
  for (const ParameterSpec& parameter : op.parameters) text += markdown_row({code(parameter.name), parameter.what});
  text += "\nColumns of its case tables:";
  for (const std::string& column : op.columns) text += (&column == &op.columns.front() ? " `" : ", `") + column + "`";
  return text + ".\n\n";
}

DocsPage ops_page(const OpRegistry& ops) {
  std::string text =
      "# Ops\n\nFor each op, this page lists the tensors and parameters that its kernels receive. `assay list --op OP` also "
      "lists the contracts and the values of case columns.\n\n";
  for (const Op& op : ops.all()) text += op_section(op);
  return {"ops.md", text};
}

struct OpStatus {
  std::set<std::string> contracts;
  int64_t quick = 0, full = 0;
  int64_t ran = 0, executed = 0, read = 0, inferred = 0;
  std::map<std::string, int64_t> needs;  ///< number of contracts by the hardware that their implementation needs

  int64_t& of(EvidenceKind kind) {
    switch (kind) {
      case EvidenceKind::kRan:
        return ran;
      case EvidenceKind::kExecuted:
        return executed;
      case EvidenceKind::kRead:
        return read;
      case EvidenceKind::kInferred:
        break;
    }
    return inferred;
  }
};

/// Hardware that a contract's implementation needs, if it runs neither on sm_90 nor on a CPU. A tensor core contract needs a GPU
/// with that instruction.
std::string needs_of(const std::string& contract) {
  if (!rulebook().is_unit(contract)) return rulebook().elsewhere.needs(contract);
  const std::string chip = contract.substr(0, contract.find('.'));
  return chip == "sm_90" ? "" : chip;
}

std::map<std::string, OpStatus> status_of_ops(const Suites& suites) {
  std::map<std::string, OpStatus> all;
  for (const Case& one : open_cases(suites)) {
    OpStatus& status = all[one.op];
    (one.tier == "quick" ? status.quick : status.full) += 1;
    if (const auto contract = one.parameters.find("contract"); contract != one.parameters.end())
      status.contracts.insert(contract->second);
  }
  for (auto& [op, status] : all)
    for (const std::string& contract : status.contracts) {
      const std::vector<EvidenceKind> evidence = rulebook().evidence_of(contract);
      if (!evidence.empty()) ++status.of(evidence.front());
      const bool is_executed = !evidence.empty() && evidence.front() == EvidenceKind::kExecuted;
      if (const std::string needs = needs_of(contract); !needs.empty() && !is_executed) ++status.needs[needs];
    }
  return all;
}

std::string needs_text(const std::map<std::string, int64_t>& needs) {
  std::string text;
  for (const auto& [chip, count] : needs) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, chip);
  return text;
}

/// An op of a mixture of experts, or an op that reads a KV cache, and what it does. kMoeSteps has the order of a model's calls.
struct MoeStep {
  const char *op, *what;
};
constexpr MoeStep kMoeSteps[] = {
    {"moe_sort", "sort slots (token and expert) by expert, or move the tokens' rows into this order"},
    {"quant_experts", "quantize the rows of each expert"},
    {"quant_masked", "quantize the rows of each expert, which lie in buffers of equal capacity"},
    {"gemm_grouped", "multiply the rows of each expert by its weights"},
    {"fused_moe", "multiply sorted slots by the weights of their experts, with bias and router weight"},
    {"silu_mul_quant_experts", "apply the activation between the two GEMMs of each expert, and quantize the result"},
    {"silu_mul_quant_masked", "apply the activation to rows that lie in buffers of equal capacity, and quantize its result"},
    {"moe_combine", "add the rows that the experts of each token returned"},
    {"all_reduce_add_rms_norm",
     "all-reduce, add the residual, and normalize; the contracts `*moe_finalize*` first combine the experts' rows"},
    {"gather_cache", "read a KV cache"},
};

/// The part of the status page about MoE ops: numbers of contracts by evidence, and contracts that were neither run nor executed.
std::string moe_section(const std::map<std::string, OpStatus>& status) {
  std::string text =
      "\n## Mixture of experts and reads of a KV cache\n\n"
      "The ops are listed in the order in which a model calls them. The last column names contracts whose implementation was "
      "neither run nor executed.\n\n" +
      markdown_header({"op", "step", "contracts", "ran", "executed", "read", "inferred", "only read or inferred"});
  for (const MoeStep& step : kMoeSteps) {
    const OpStatus& of = status.at(step.op);
    std::string others;
    for (const std::string& contract : of.contracts) {
      const std::vector<EvidenceKind> evidence = rulebook().evidence_of(contract);
      const bool has_outputs =
          !evidence.empty() && (evidence.front() == EvidenceKind::kRan || evidence.front() == EvidenceKind::kExecuted);
      if (!has_outputs) others += (others.empty() ? "`" : ", `") + contract + "`";
    }
    text +=
        markdown_row({std::string("`") + step.op + "`", step.what, std::to_string(of.contracts.size()), std::to_string(of.ran),
                      std::to_string(of.executed), std::to_string(of.read), std::to_string(of.inferred), others});
  }
  return text;
}

DocsPage status_page(const OpRegistry& ops, const std::map<std::string, OpStatus>& status) {
  std::string text =
      "# Status by op\n\n"
      "`ran`: the code that the contract describes was run; `assay contracts show ID` says whether its outputs agree. "
      "`executed`: its AMD code object was executed on the CPU. `read`: its source was read. `inferred`: none of these. `needs` "
      "counts the contracts whose code runs neither on sm_90 nor on a CPU and was not executed. It counts them by the GPU that "
      "they need, or by another reason.\n\n" +
      markdown_header({"op", "contracts", "quick cases", "full cases", "ran", "executed", "read", "inferred", "needs"});
  for (const Op& op : ops.all()) {
    const OpStatus& of = status.at(op.name);
    text += markdown_row({"`" + op.name + "`", std::to_string(of.contracts.size()), std::to_string(of.quick),
                          std::to_string(of.full), std::to_string(of.ran), std::to_string(of.executed), std::to_string(of.read),
                          std::to_string(of.inferred), needs_text(of.needs)});
  }
  return {"status.md", text + moe_section(status)};
}

/// A line of the README's status table counts the ops whose names begin with one of `beginnings`.
struct OpGroup {
  const char* title;
  std::vector<std::string> beginnings;
};

const std::vector<OpGroup>& op_groups() {
  static const std::vector<OpGroup> groups = {
      {"Casts", {"cast"}},
      {"Quantization (FP8, int8, MXFP8)", {"quant_", "pack_scales"}},
      {"Norms", {"rms_norm", "fused_add_rms_norm", "layer_norm"}},
      {"Activations", {"act_and_mul", "silu_mul_"}},
      {"Rotary embedding, paged KV cache",
       {"qk_norm_rope", "q_norm_rope", "concat_and_cache", "dsv4_", "gather_cache", "indexer_", "reshape_and_cache"}},
      {"GEMM, tensor core instructions", {"gemm_", "fused_moe", "mma", "shuffle_weight"}},
      {"Mixture of experts: sort, combine", {"moe_"}},
      {"All-reduce", {"all_reduce", "weak_contiguity"}},
  };
  return groups;
}

const OpGroup& group_of(const std::string& op) {
  for (const OpGroup& group : op_groups())
    for (const std::string& beginning : group.beginnings)
      if (op.starts_with(beginning)) return group;
  throw std::logic_error("docs: op '" + op + "' is in no group of docs.cpp");
}

/// The status table of the main README, by groups of ops.
std::string readme_table(const std::map<std::string, OpStatus>& status) {
  std::map<std::string, OpStatus> groups;
  std::map<std::string, int64_t> ops;
  for (const auto& [op, of] : status) {
    OpStatus& group = groups[group_of(op).title];
    ++ops[group_of(op).title];
    group.quick += of.quick, group.full += of.full, group.ran += of.ran;
    group.contracts.insert(of.contracts.begin(), of.contracts.end());
    for (const auto& [chip, count] : of.needs) group.needs[chip] += count;
  }
  std::string text =
      markdown_header({"ops", "number", "contracts", "cases quick / full", "code was run", "runs neither on sm_90 nor on a CPU"});
  for (const OpGroup& group : op_groups()) {
    const OpStatus& of = groups[group.title];
    text += markdown_row({group.title, std::to_string(ops[group.title]), std::to_string(of.contracts.size()),
                          fmt::format("{} / {}", of.quick, of.full), std::to_string(of.ran), needs_text(of.needs)});
  }
  return text;
}

/// The number of executed contracts, and the contracts for gfx942 or gfx950 that are not executed.
std::string executed_section() {
  std::map<EvidenceKind, int64_t> known;
  int64_t amd = 0, executed = 0;
  std::string rest;
  for (const ContractRow& row : rulebook().contracts.rows()) {
    const std::vector<RowEvidence> evidence = rulebook().evidence.of(row);
    if (!evidence.empty()) ++known[evidence.front().kind];
    const std::string needs = rulebook().elsewhere.needs(row.id);
    if (needs != "gfx942" && needs != "gfx950") continue;
    ++amd;
    if (!evidence.empty() && evidence.front().has_outputs()) ++executed;
    else rest += markdown_row({"`" + row.id + "`", needs, evidence.empty() ? "none" : name_of(evidence.front().kind)});
  }
  return fmt::format(
             "There are {} contracts. The code of {} ran, {} were executed on the CPU, {} were read, and {} are inferred. {} "
             "contracts need gfx942 or gfx950. Of these, {} were executed ({:.1f} %), and {} were not:\n\n",
             rulebook().contracts.rows().size(), known[EvidenceKind::kRan], known[EvidenceKind::kExecuted],
             known[EvidenceKind::kRead], known[EvidenceKind::kInferred], amd, executed, 100.0 * double(executed) / double(amd),
             amd - executed) +
         markdown_header({"contract", "needs", "evidence"}) + rest;
}

std::vector<DocsPage> pages_of(const CLI::App& program, const OpRegistry& ops, const std::map<std::string, OpStatus>& status) {
  std::vector<DocsPage> pages = {commands_page(program), contract_cells_page(), reports_page(), ops_page(ops),
                                 status_page(ops, status)};
  for (DocsPage& page : pages) page.text = kWrittenBy + page.text;
  pages.push_back({"report.schema.json", json_schema_text()});
  pages.push_back({"verdicts.schema.json", csv_schema_text()});
  return pages;
}

fs::path readme_of(const fs::path& folder) { return fs::absolute(folder / "../../README.md").lexically_normal(); }
fs::path executed_page_of(const fs::path& folder) {
  return fs::absolute(folder / "../test-rocm-without-gpu.md").lexically_normal();
}

}  // namespace

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) {
    text += " ";
    for (const char c : cell) text.append(c == '|' ? "\\|" : std::string(1, c));
    text += " |";
  }
  return text + "\n";
}

std::string markdown_header(const std::vector<std::string>& titles) {
  std::string rule = "|";
  for (size_t i = 0; i < titles.size(); ++i) rule += "---|";
  return markdown_row(titles) + rule + "\n";
}

std::map<std::string, std::string> docs_files(const CLI::App& program, const Suites& suites, const std::string& folder) {
  const std::map<std::string, OpStatus> status = status_of_ops(suites);
  const std::string readme = readme_of(folder).string();
  const std::string executed = executed_page_of(folder).string();
  std::map<std::string, std::string> files = {{readme, with_section(readme, kReadmeSection, readme_table(status))},
                                              {executed, with_section(executed, kExecutedSection, executed_section())}};
  for (const DocsPage& page : pages_of(program, *suites.ops, status)) files[(fs::path(folder) / page.file).string()] = page.text;
  return files;
}

void add_docs(CLI::App& program, DocsArguments& arguments) {
  CLI::App& verb = *program.add_subcommand("docs",
                                           "write the pages of docs/reference and the numbers of contracts in README.md and "
                                           "test-rocm-without-gpu.md, or check that they are current");
  verb.footer("Examples:\n  assay docs --output docs/reference");
  CLI::Option* output =
      verb.add_option("--output", arguments.output, "write the pages to this folder; README.md is two folders above it")->type_name("DIR");
  verb.add_option("--check", arguments.check,
                  "exit 1 if a page in this folder, or a number in the two other pages, is out of date")
      ->type_name("DIR")
      ->excludes(output);
}

int docs_verb(const CLI::App& program, const DocsArguments& arguments) {
  if (arguments.output.empty() && arguments.check.empty())
    throw UsageError("docs: expected --output DIR or --check DIR, got neither; try: assay docs --output docs/reference");
  const std::string& folder = arguments.check.empty() ? arguments.output : arguments.check;
  const std::map<std::string, std::string> files = docs_files(program, arguments.suites, folder);
  if (arguments.check.empty()) {
    fs::create_directories(folder);
    for (const auto& [file, text] : files) write_atomically(file, text);
    fmt::print("wrote {} pages to {}, and the numbers of contracts in {} and {}\n", files.size() - 2, folder,
               readme_of(folder).string(), executed_page_of(folder).string());
    return kAllAsExpected;
  }
  bool stale = false;
  for (const auto& [file, text] : files) {
    if (fs::exists(file) && read_text(file) == text) continue;
    stale = true;
    fmt::print("{} is stale; write it with: assay docs --output {}\n", file, folder);
  }
  return stale ? kUnexpected : kAllAsExpected;
}

}  // namespace assay
