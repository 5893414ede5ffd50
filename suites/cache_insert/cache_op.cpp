#include "suites/cache_insert/cache_op.h"

#include <utility>

#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/expect.h"
#include "suites/cache_insert/hypotheses.h"
#include "suites/cache_insert/tensors.h"
#include "suites/cache_insert/words.h"
#include "suites/rows/roles.h"
#include "suites/rulebook.h"

namespace assay {
namespace {

/// Rows of a subsample; every generator has repeated by then.
constexpr int64_t kExcerptRows = 256;

class BoundInsert : public BoundCase {
 public:
  BoundInsert(std::shared_ptr<const CacheOpParts> op, CacheCase c, CaseName name)
      : op_(std::move(op)), c_(std::move(c)), name_(std::move(name)) {}

  CaseName name() const override { return name_; }
  Problem problem() const override {
    Problem problem{op_->inputs(c_), {{"block_size", double(c_.block_size)}, {"warp", double(c_.warp)}}};
    if (!c_.gamma.empty()) problem.parameters.emplace_back("eps", c_.eps);
    if (!c_.scale_fill.empty())
      for (HostTensor& scale : cache_scales(c_)) problem.tensors.push_back(std::move(scale));
    problem.tensors.push_back(slot_mapping(c_));
    problem.tensors.push_back(cache_before(kCache, c_));
    return problem;
  }
  Expectation expect(const Problem& problem, const std::vector<HostTensor>* outputs) const override {
    return expect_cache(*c_.bound, Placing(c_), c_, problem, outputs);
  }
  std::vector<Hypothesis> mutants() const override { return cache_hypotheses(c_); }
  std::unique_ptr<const BoundCase> excerpt() const override {
    CacheCase few = c_.with_fewer_rows(kExcerptRows);
    return few.m < c_.m ? std::make_unique<const BoundInsert>(op_, std::move(few), name_) : nullptr;
  }
  std::vector<std::string> formulas() const override { return cache_lines(c_.contract, *c_.x); }
  std::vector<std::string> trace(const Problem& problem, int64_t row, int64_t column) const override {
    return trace_number(c_, problem, row, column);
  }
  std::vector<std::string> layouts() const override { return record_lines(c_); }
  std::optional<Shrinking> shrinking(const std::map<std::string, int64_t>&) const override { return shrink_tokens(c_); }

 private:
  const std::shared_ptr<const CacheOpParts> op_;
  const CacheCase c_;
  const CaseName name_;
};

bool takes_record(const std::string& contract, bool (*takes)(const Flow&, const Record&)) {
  const std::vector<const ContractRow*> links = rulebook().links_of(contract);
  if (links.empty() || links.back()->flow != &cache_insert_flow()) return false;
  return takes(*links.front()->flow, rulebook().record(links.back()->text("record")));
}

std::unique_ptr<const BoundCase> bind_insert(const std::shared_ptr<const CacheOpParts>& op, const Case& c) {
  const Cells cells(c);
  const ContractRow& contract = cells.contract();
  op->require(cells, contract);
  CacheCase p = read_cache_case(cells, contract);
  if (op->require_case) op->require_case(cells, p);
  CaseName name = cache_case_name(c, p);
  return std::make_unique<const BoundInsert>(op, std::move(p), std::move(name));
}

}  // namespace

Op cache_op(CacheOpParts own) {
  own.roles.insert(own.roles.end(), {roles::kSlots, roles::kCacheBuffer});
  own.parameters.insert(own.parameters.begin(), {roles::kBlockSize, roles::kWarp});
  const auto parts = std::make_shared<const CacheOpParts>(std::move(own));
  return {.name = parts->name,
          .roles = parts->roles,
          .parameters = parts->parameters,
          .columns = parts->columns,
          .optional_columns = {"scale", "row_stride"},
          .takes = [parts](const std::string& contract) { return takes_record(contract, parts->takes); },
          .bind = [parts](const Case& c) { return bind_insert(parts, c); }};
}

}  // namespace assay
