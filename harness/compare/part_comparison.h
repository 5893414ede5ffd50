// Compares one part of an answer with its tensor, block by block.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "harness/compare/compare.h"
#include <span>

#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"

namespace assay {

/// Blocks must come in row order. Several objects may each take a run of blocks; merge them in the same order.
class PartComparison {
 public:
  /// Throws std::logic_error if a dense part does not fit the tensor.
  PartComparison(const Part& part, const HostTensor& tensor);

  /// For each row: the columns that have an element outside, at most one for each range of columns that a SampleKeeper
  /// distinguishes.
  using WrongColumns = std::vector<std::vector<int64_t>>;

  /// Compares these rows; adds to wrong[row - rows.first].
  void add(const AcceptedRows& rows, WrongColumns& wrong);
  void add_joint(const Place& place);
  void merge(PartComparison&& later);

  const Part& part() const { return *part_; }
  const HostTensor& tensor() const { return *tensor_; }
  const std::array<int64_t, 2>& worst() const { return worst_; }
  TensorFinding finding;

 private:
  /// Ordinals of consecutive elements of the storage.
  void load_ordinals(int64_t offset, std::span<int32_t> ordinals) const;
  void add_run(const AcceptedRows& rows, int64_t begin, int64_t count, int64_t first_offset, WrongColumns& wrong);
  void add_element(Interval accepted, int32_t o, int64_t row, int64_t column, int64_t offset, WrongColumns& wrong,
                   int64_t first_row);
  void add_outside(Interval accepted, uint32_t code, int64_t row, int64_t column);
  const Element& known_element(Interval accepted, uint32_t code);
  void check_offset(int64_t offset) const;
  int64_t part_of_columns(int64_t column) const { return column * SampleKeeper::kParts / part_->columns(); }
  [[noreturn]] void refuse(const std::string& what) const;

  const Part* part_;
  const HostTensor* tensor_;
  std::array<int64_t, 2> worst_{};

  /// Cache of wrong elements: a kernel that is wrong everywhere repeats a few thousand different ones.
  struct Known {
    Interval accepted;
    Element element;
  };
  static constexpr size_t kMostKnown = 4096;
  std::vector<Known> known_;
};

}  // namespace assay
