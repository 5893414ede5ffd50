// Test cases of all_reduce: default cells with some changes, outputs of ranks according to a contract, and errors.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "harness/core/expectation.h"
#include "reference/formats/format.h"
#include "reference/table/table.h"
#include "suites/testing/case_with.h"

namespace assay::rank_test {

inline const Op& all_reduce() { return shipped_op("all_reduce"); }

inline const TestCells kUsual = {{"contract", "vllm.all_reduce_1stage"},
                                 {"ranks", "4"},
                                 {"x", "bf16"},
                                 {"m", "2"},
                                 {"n", "168"},
                                 {"fill", "rank_cancel"},
                                 {"shift", ""},
                                 {"before", "1"},
                                 {"use", ""},
                                 {"seed", "1"},
                                 {"warp", "32"}};

inline Case case_with(const TestCells& cells) { return case_of(all_reduce(), kUsual, cells); }

/// Outputs of each rank: the lowest accepted codes, or the highest on the named ranks.
inline std::vector<HostTensor> outputs_by(const Problem& problem, const Expectation& expectation,
                                          std::vector<int> greatest = {}) {
  std::vector<HostTensor> outputs;
  const std::vector<WholePart> parts = computed(expectation);
  for (const WholePart& whole : parts) {
    for (const HostTensor& tensor : problem.tensors)
      if (tensor.spec.name == "y" && tensor.spec.rank == whole.part.rank) outputs.push_back(tensor);
    HostTensor& y = outputs.back();
    y.bytes.resize(y.spec.bytes());
    const bool most = std::find(greatest.begin(), greatest.end(), whole.part.rank) != greatest.end();
    for (int64_t i = 0; i < whole.part.elements(); ++i)
      y.set_code(whole.offset_at(i), code_from_ordinal(*whole.part.format, most ? whole.at(i).high : whole.at(i).low));
  }
  return outputs;
}

inline std::string refusal(std::map<std::string, std::string> cells) {
  try {
    (void)case_with(std::move(cells));
  } catch (const TableError& error) {
    return error.what();
  }
  return "";
}

}  // namespace assay::rank_test
