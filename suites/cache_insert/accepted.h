// One part of the records of a case while its rows are filled in.
#pragma once

#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "reference/flow/cache_record.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/inputs.h"

namespace assay {

class AcceptedPart {
 public:
  /// `rows`: those that the contract stores. `reason`: by which right a number has several codes.
  AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
               const std::string& reason);

  const std::string& name() const { return part_->name; }
  const RecordPart& part() const { return *part_; }
  const Format& format() const { return *tensor_.format; }

  /// What the elements of a row may be. Numbers that no link has changed are copied: NaN codes are told apart.
  void evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row);

  /// The row that was evaluated, with byte(element) where it lies.
  template <class Byte>
  void append(Byte byte) {
    tensor_.low.insert(tensor_.low.end(), low_.begin(), low_.end());
    tensor_.high.insert(tensor_.high.end(), high_.begin(), high_.end());
    place(byte);
  }
  /// A row that stays as it is.
  template <class Byte>
  void append_before(const HostTensor& before, Byte byte) {
    place(byte);
    for (int64_t e = part_->elements; e > 0; --e)
      tensor_.low.push_back(before_at(before, tensor_.offset[tensor_.offset.size() - size_t(e)]));
    tensor_.high.insert(tensor_.high.end(), tensor_.low.end() - part_->elements, tensor_.low.end());
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t e = 0; e < low_.size(); ++e) visit(int64_t(e), low_[e], high_[e]);
  }

  ExpectedTensor finish() &&;

 private:
  template <class Byte>
  void place(Byte byte) {
    for (int64_t e = 0; e < part_->elements; ++e) tensor_.offset.push_back(byte(e) / tensor_.format->bytes());
  }
  int32_t before_at(const HostTensor& before, int64_t offset) const;

  const RecordPart* part_;
  bool copies_;
  ExpectedTensor tensor_;
  std::vector<int32_t> low_, high_;  ///< of the row that was evaluated
};

}  // namespace assay
