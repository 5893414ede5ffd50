#include "reference/flow/gated.h"
#include "reference/flow/group_quant.h"
#include "reference/flow/joint.h"
#include "reference/flow/quant_azp.h"
#include "reference/flow/rope.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm.h"

namespace assay {
namespace {

Spans first_of(const Spans& row, int64_t count) {
  Spans first(std::vector<double>(size_t(count), 0.0));
  for (size_t i = 0; i < first.size(); ++i) first.set(i, row[i]);
  return first;
}

}  // namespace

RowOutputs evaluate_row(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format) {
  RowOutputs out;
  Spans values(inputs.x);
  NormRow row;
  for (const Link& link : contract.links) {
    if (const auto* norm = std::get_if<RowNorm>(&link)) {
      row = norm_row(*norm, inputs.x, inputs.residual, x_format);
      out.r = norm_factor(*norm, row, inputs.eps);
      values = norm_outputs(*norm, Spans(row.normalized), {Spans(inputs.gamma), Spans(inputs.beta)}, {out.r, row.mu});
      out.residual = Spans(std::move(row.residual));
    } else if (const auto* gated = std::get_if<Gated>(&link)) {
      values = gated_values(*gated, inputs.x);
    } else if (const auto* rope = std::get_if<Rope>(&link)) {
      values = rope_outputs(*rope, values, {inputs.cos, inputs.sin});
    } else {
      const GroupQuant& quant = std::get<GroupQuant>(link);
      if (inputs.coded > 0) {
        out.y = values;
        values = first_of(values, inputs.coded);
      }
      GroupScales scales = quant.has_zero ? zero_point_scales(quant, values, inputs, stored)
                                          : group_scales(quant, group_sources(quant, values, inputs), inputs.scale_ub,
                                                         stored ? stored->scale : std::vector<double>());
      out.q = group_codes(quant, values, inputs.group_size, scales);
      if (quant.scale_given) continue;
      out.scale = std::move(scales.scale);
      out.zero = std::move(scales.zero);
    }
  }
  if (!contract.group_quant()) out.y = std::move(values);
  if (stored && contract.row_norm() && !out.r.pinned() && !out.r.any()) {
    const std::string contradiction = contradiction_of(contract, inputs, row, *stored, out);
    if (!contradiction.empty()) out.joint_violations.push_back(contradiction);
  }
  return out;
}

}  // namespace assay
