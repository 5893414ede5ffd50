// Builds one part of the records of a case, row by row.
#pragma once

#include <string>
#include <vector>

#include "harness/core/expectation.h"
#include "harness/core/tensor.h"
#include "reference/flow/group_quant/group_quant.h"
#include "suites/cache_insert/cache_case.h"
#include "suites/cache_insert/inputs.h"

namespace assay {

class AcceptedPart {
 public:
  /// `rows`: those that the contract stores. `reason`: why a number may have several codes.
  AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
               const std::string& reason);

  const std::string& name() const { return record_->name; }
  const RecordPart& record() const { return *record_; }
  const Format& format() const { return *whole_.part.format; }

  /// Computes what the elements of a row accept. Numbers that no stage changes are copied, so NaN codes are distinguished.
  void evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row);

  /// Adds the evaluated row; byte(element) is the offset of an element.
  template <class Byte>
  void append(Byte byte) {
    whole_.low.insert(whole_.low.end(), low_.begin(), low_.end());
    whole_.high.insert(whole_.high.end(), high_.begin(), high_.end());
    place(byte);
  }
  /// Adds a row that must stay unchanged.
  template <class Byte>
  void append_before(const HostTensor& before, Byte byte) {
    place(byte);
    for (int64_t e = record_->elements; e > 0; --e)
      whole_.low.push_back(before_at(before, offsets_[offsets_.size() - size_t(e)]));
    whole_.high.insert(whole_.high.end(), whole_.low.end() - record_->elements, whole_.low.end());
  }
  template <class Visit>
  void for_each(Visit visit) const {
    for (size_t e = 0; e < low_.size(); ++e) visit(int64_t(e), low_[e], high_[e]);
  }

  WholePart finish() &&;

 private:
  template <class Byte>
  void place(Byte byte) {
    for (int64_t e = 0; e < record_->elements; ++e) offsets_.push_back(byte(e) / format().bytes());
  }
  int32_t before_at(const HostTensor& before, int64_t offset) const;

  const RecordPart* record_;
  bool copies_;
  WholePart whole_;
  std::vector<int64_t> offsets_;     ///< offsets of the elements, row by row
  std::vector<int32_t> low_, high_;  ///< accepted ordinals of the evaluated row
};

}  // namespace assay
