#include "reference/flow/cache_insert/cache_record.h"

namespace assay {

RecordValues record_values(const Contract& contract, const RowInputs& inputs, const StoredRow* stored, const Format& x_format,
                           RowListener* listener) {
  RowOutputs row = evaluate_row(contract, inputs, stored, x_format, listener);
  return {std::move(row.y), std::move(row.q), std::move(row.scale), std::move(row.joint_violations)};
}

}  // namespace assay
