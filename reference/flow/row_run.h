// The state of a row between the links of its contract. The folder of each flow has the function run() for its links.
#pragma once

#include "reference/flow/listener.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {

struct RowRun {
  const RowInputs& inputs;
  const StoredRow* stored;  ///< null: evaluate from the inputs only
  const Format& x;
  RowListener* listener;    ///< may be null

  Spans values;     ///< output of the links so far
  RowOutputs out;
  NormRow norm;     ///< for a contract with a norm: data for the joint check of the outputs
  size_t asked = 0; ///< a norm reads the whole row but computes only the first `asked` numbers; 0: all
};

void run(const RowNorm& link, RowRun& row);
void run(const Gated& link, RowRun& row);
void run(const Rope& link, RowRun& row);
void run(const GroupQuant& link, RowRun& row);

}  // namespace assay
