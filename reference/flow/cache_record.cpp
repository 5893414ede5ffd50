#include "reference/flow/cache_record.h"

#include "reference/flow/group_quant.h"
#include "reference/flow/rope.h"

namespace assay {
namespace {

Spans first_of(const Spans& values, int64_t count) {
  Spans first(std::vector<double>(size_t(count), 0.0));
  for (size_t i = 0; i < size_t(count); ++i) first.set(i, values[i]);
  return first;
}

}  // namespace

RecordValues record_values(const Contract& contract, const RowInputs& inputs, int64_t coded,
                           const std::vector<double>& stored_scale) {
  RecordValues record{Spans(inputs.x), {}, {}};
  for (const Link& link : contract.links)
    if (const auto* rope = std::get_if<Rope>(&link))
      record.values = rope_outputs(*rope, record.values, {inputs.cos, inputs.sin});
  const GroupQuant& quant = *contract.group_quant();
  const Spans numbers = first_of(record.values, coded);
  GroupScales scales = group_scales(quant, group_sources(quant, numbers, inputs), inputs.scale_ub, stored_scale);
  record.codes = group_codes(quant, numbers, inputs.group_size, scales);
  if (!quant.scale_given) record.scales = std::move(scales.scale);
  return record;
}

}  // namespace assay
