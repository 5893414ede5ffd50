// A row on its way through the links of its contract. The folder of a flow has the function run() for its links.
#pragma once

#include "reference/flow/listener.h"
#include "reference/flow/row.h"
#include "reference/flow/row_norm/row_norm.h"

namespace assay {

struct RowRun {
  const RowInputs& inputs;
  const StoredRow* stored;  ///< null: from the inputs alone
  const Format& x;
  RowListener* listener;    ///< null: nobody listens

  Spans values;     ///< what the links before have made of the row
  RowOutputs out;
  NormRow norm;     ///< of a contract with a norm, for the check of the outputs together
  size_t asked = 0; ///< a norm sees the whole row and makes so many of its numbers, the first ones; 0: all
};

void run(const RowNorm& link, RowRun& row);
void run(const Gated& link, RowRun& row);
void run(const Rope& link, RowRun& row);
void run(const GroupQuant& link, RowRun& row);

}  // namespace assay
