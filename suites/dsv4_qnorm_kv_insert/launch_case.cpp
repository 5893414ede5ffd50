#include "suites/dsv4_qnorm_kv_insert/launch_case.h"

#include <fmt/format.h>

#include "reference/flow/chain/chain.h"
#include "reference/flow/flow.h"
#include "reference/formats/catalogue.h"
#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/tensors.h"
#include "suites/rows/cells.h"
#include "suites/rulebook.h"

namespace assay {
namespace {


}  // namespace

LaunchCase read_launch_case(const Case& c) {
  const Cells cells(c);
  const ContractRow& row = cells.contract();
  if (row.flow != &launch_flow())
    cells.refuse("contract", "'" + row.id + "' is a " + row.flow->name + " row and this op takes launch rows");
  const ContractTables& tables = rulebook().contracts;
  LaunchCase p;
  p.insert = read_cache_case(cells, tables.find(row.text("insert")));
  p.insert.first_input = 1;  // the input after q
  // shares the insertion's positions
  p.heads = read_head_case(cells, tables.find(row.text("heads")),
                           {p.insert.numbers(), p.insert.numbers() - p.insert.coded, &kF32, kPositions, Positions::kScattered,
                            cells.fill_name("q_fill")});
  return p;
}

CaseName launch_name(const Case& c, const LaunchCase& p) {
  return {c.op, c.text("contract"),
          fmt::format("q{}.pad{}.eps{}.{}", p.heads.q_heads, p.heads.padded_heads, c.text("eps"), cache_shape(c, p.insert)),
          fmt::format("{}.{}.s{}", p.heads.fill, p.insert.fill, p.insert.seed), p.insert.warp};
}

Problem launch_problem(const LaunchCase& p) {
  const CacheCase& kv = p.insert;
  Problem problem;
  problem.tensors = {heads_of(p.heads, "q", Role::kInput),
                     token_matrix("kv", kv, kv.numbers(), kv.fill, CacheStream::kBesideHeads),
                     cos_sin_cache(kv, p.heads.rotary),
                     positions_of(kv),
                     slot_mapping(kv),
                     q_out_of(p.heads),
                     cache_before(kCache, kv)};
  problem.parameters = {{"q_heads", double(p.heads.q_heads)},
                        {"eps", p.heads.eps},
                        {"block_size", double(kv.block_size)},
                        {"warp", double(kv.warp)}};
  return problem;
}

}  // namespace assay
