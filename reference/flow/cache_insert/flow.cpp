#include "reference/flow/cache_insert/cache_record.h"
#include "reference/flow/flow.h"
#include "reference/flow/group_quant/codes.h"
#include "reference/flow/group_quant/edits.h"
#include "reference/flow/group_quant/group_quant.h"

namespace assay {

const Flow& cache_insert_flow() {
  static const Flow flow{
      .name = "cache_insert",
      .kind = FlowKind::kLink,
      .says = "record",
      .files = {"cache.csv"},
      .columns = {"record", "q", "M", "amax", "scale", "mult", "code", "group"},
      .optional = {"pad"},
      .steps = {"amax", "scale", "mult", "code"},
      .place = ChainPlace::kLast,
      .place_words = "a record ends a chain: row_norm=ID > cache_insert=ID",
      .bind = [](const RowCells& cells, const Format& x) -> Link {
        GroupQuant quant = bind_group_quant(cells, x);
        quant.record = cells.text("record");
        return quant;
      },
      .edits = add_group_quant_edits,
      .inputs = scales_taken,
  };
  return flow;
}

}  // namespace assay
