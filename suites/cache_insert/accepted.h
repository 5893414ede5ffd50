// One part of the records of a case while its rows are filled in.
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
  /// `rows`: those that the contract stores. `reason`: by which right a number has several codes.
  AcceptedPart(const RecordPart& part, const CacheCase& c, const std::vector<int64_t>& rows, const Contract& contract,
               const std::string& reason);

  const std::string& name() const { return record_->name; }
  const RecordPart& record() const { return *record_; }
  const Format& format() const { return *whole_.part.format; }

  /// What the elements of a row may be. Numbers that no link has changed are copied: NaN codes are told apart.
  void evaluate(const RecordValues& values, const CacheInputs& inputs, int64_t row);

  /// The row that was evaluated, with byte(element) where it lies.
  template <class Byte>
  void append(Byte byte) {
    whole_.low.insert(whole_.low.end(), low_.begin(), low_.end());
    whole_.high.insert(whole_.high.end(), high_.begin(), high_.end());
    place(byte);
  }
  /// A row that stays as it is.
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
  std::vector<int64_t> offsets_;     ///< of the elements, row by row
  std::vector<int32_t> low_, high_;  ///< of the row that was evaluated
};

}  // namespace assay
