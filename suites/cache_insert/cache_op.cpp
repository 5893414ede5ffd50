#include "suites/cache_insert/cache_op.h"

#include "reference/flow/cache_insert/cache_record.h"
#include "reference/flow/flow.h"
#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/hypotheses.h"
#include "suites/cache_insert/tensors.h"
#include "suites/cache_insert/words.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Rows of an excerpt: every fill has repeated itself by then.
constexpr int64_t kExcerptRows = 256;

bool takes_record(const std::string& contract, const std::function<bool(const Flow&, const Record&)>& takes) {
  const std::vector<const ContractRow*> links = rulebook().links_of(contract);
  if (links.empty() || links.back()->flow != &cache_insert_flow()) return false;
  return takes(*links.front()->flow, rulebook().record(links.back()->text("record")));
}

}  // namespace

CallbackOp cache_op(std::string name, std::vector<RoleSpec> roles, std::vector<std::string> columns,
            std::function<std::vector<HostTensor>(const CacheCase&)> inputs,
            std::function<bool(const Flow& first, const Record&)> takes) {
  CallbackOp op;
  op.name = std::move(name);
  op.roles = std::move(roles);
  op.roles.insert(op.roles.end(), {roles::kSlots, roles::kCacheBuffer});
  op.parameters = {roles::kBlockSize, roles::kWarp};
  op.takes = [takes = std::move(takes)](const std::string& contract) { return takes_record(contract, takes); };
  op.columns = std::move(columns);
  op.optional_columns = {"scale", "row_stride"};
  op.validate = [](Case c) {
    c.set_name(cache_case_name(c, read_cache_case(c)));
    return c;
  };
  op.problem = [inputs = std::move(inputs)](const Case& c) {
    const CacheCase p = read_cache_case(c);
    Problem problem{inputs(p), {{"block_size", double(p.block_size)}, {"warp", double(p.warp)}}};
    if (!p.gamma.empty()) problem.parameters.emplace_back("eps", p.eps);
    if (!p.scale_fill.empty())
      for (HostTensor& scale : cache_scales(p)) problem.tensors.push_back(std::move(scale));
    problem.tensors.push_back(slot_mapping(p));
    problem.tensors.push_back(cache_before(kCache, p));
    return problem;
  };
  op.expect = [](const Case& c, const Problem& problem, const std::vector<HostTensor>* outputs) {
    const CacheCase p = read_cache_case(c);
    return expect_cache(bind(rulebook().contracts, p.contract, *p.x), Placing(p), p, problem, outputs);
  };
  op.neighbours = [](const Case& c) { return cache_hypotheses(read_cache_case(c)); };
  op.excerpt = [](const Case& c) { return with_fewer_rows(c, read_cache_case(c), kExcerptRows); };
  op.formulas = [](const Case& c) { return cache_lines(c.text("contract"), *read_cache_case(c).x); };
  op.layouts = record_lines;
  op.shrink = [](const Case& c, const std::map<std::string, int64_t>&) { return shrink_tokens(c, read_cache_case(c)); };
  op.trace = [](const Case& c, const Problem& problem, int64_t row, int64_t column) {
    return trace_number(read_cache_case(c), problem, row, column);
  };
  return op;
}

}  // namespace assay
