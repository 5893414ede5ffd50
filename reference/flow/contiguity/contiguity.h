// A contract of the flow "contiguity": which strided tensors an op takes that reads them as flat memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

/// The row of the registry.
const Flow& contiguity_flow();

/// Sizes in elements.
struct StridedExtents {
  std::vector<int64_t> shape, strides;
  int64_t offset = 0, storage = 0;  ///< where element [0, ...] lies, and how many its storage has
  int bytes = 1;                    ///< of an element

  int64_t elements() const;
  /// Row-major without gaps. Strides of one element say nothing, nor do those of a tensor without elements.
  bool contiguous() const;
};

/// What a row takes: either is enough.
struct Contiguity {
  bool contiguous = false;  ///< row-major without gaps
  bool tail = false;        ///< as many elements as the storage has from the tensor's first one on, in whatever order

  bool takes(const StridedExtents& x) const;
};

/// Throws TableError.
Contiguity read_contiguity(const ContractRow& row);

/// A row with one mistake.
struct ContiguityNeighbour {
  std::string name;  ///< "tail: room behind it is taken, too"
  std::function<bool(const StridedExtents&)> takes;
};
std::vector<ContiguityNeighbour> contiguity_neighbours(const Contiguity& right);

/// The contract in words.
std::vector<std::string> contiguity_lines(const Contiguity& right);

}  // namespace assay
