#include "suites/all_reduce_add_rms_norm/fused_op.h"

#include <utility>

#include "reference/flow/flow.h"
#include "reference/flow/rank_reduce/rank_norm.h"
#include "suites/all_reduce_add_rms_norm/fused_case.h"
#include "suites/rulebook.h"

namespace assay {

Op fused_op(std::string name, RowChain norm, std::vector<RoleSpec> outputs, std::vector<std::string> columns) {
  const auto parts = std::make_shared<const RowOpParts>(
      RowOpParts{.name = std::move(name), .chain = std::move(norm), .columns = std::move(columns), .optional_columns = {"before"}});
  std::vector<RoleSpec> roles = {{"x", Access::kIn, "[m, n] of each rank: the input, dense"},
                                 {"residual", Access::kInOut,
                                  "[m, n] of each rank, the same on all: residual, added to the all-reduced x and overwritten by that sum"},
                                 {"gamma", Access::kIn, "[n] of each rank: weights"}};
  roles.insert(roles.end(), outputs.begin(), outputs.end());
  return {.name = parts->name,
          .roles = std::move(roles),
          .parameters = parts->chain.parameters(),
          .columns = parts->columns,
          .optional_columns = parts->optional_columns,
          .takes =
              [parts](const std::string& contract) {
                const ContractRow* row = rulebook().contracts.lookup(contract);
                if (row == nullptr || row->flow != &rank_norm_flow()) return false;
                return parts->chain.why_not(rulebook().contracts.find(read_rank_norm(*row).then), parts->columns).empty();
              },
          .bind = [parts](const Case& c) { return bind_fused(parts, c); }};
}

}  // namespace assay
