// Op kind "contiguity": which strided tensors are accepted by an op that reads a tensor as one flat range of memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

/// The registry entry of this op kind.
const Flow& contiguity_flow();

/// Shape and strides of a tensor, in elements.
struct StridedExtents {
  std::vector<int64_t> shape, strides;
  int64_t offset = 0, storage = 0;  ///< offset of element [0, ..., 0] in the storage, and the storage's size
  int bytes = 1;                    ///< per element

  int64_t elements() const;
  /// True if the tensor is row-major without gaps. Strides of dimensions of size 1, and of empty tensors, do not count.
  bool contiguous() const;
};

/// The conditions of a contract. A tensor is accepted if it meets at least one of them.
struct Contiguity {
  bool contiguous = false;  ///< row-major without gaps
  bool tail = false;        ///< the storage, from the tensor's first element on, has exactly as many elements as the tensor

  bool takes(const StridedExtents& x) const;
};

/// Throws TableError.
Contiguity read_contiguity(const ContractRow& row);

/// A contract with one mistake.
struct ContiguityNeighbour {
  std::string name;  ///< such as "tail: room behind it is taken, too"
  std::function<bool(const StridedExtents&)> takes;
};
std::vector<ContiguityNeighbour> contiguity_neighbours(const Contiguity& right);

/// The contract as text.
std::vector<std::string> contiguity_lines(const Contiguity& right);

}  // namespace assay
