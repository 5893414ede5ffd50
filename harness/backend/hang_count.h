// Decides when to stop calling a kernel that hangs.
#pragma once

#include <string>

namespace assay {

/// Each hang costs the whole time limit. A kernel that hangs in hundreds of cases would take a day.
class HangCount {
 public:
  static constexpr int kMostInARow = 3, kMostInAll = 10;

  void book(bool hung) {
    in_a_row_ = hung ? in_a_row_ + 1 : 0;
    in_all_ += int(hung);
  }

  /// Empty while the kernel may be called.
  std::string why_not_to_call() const {
    if (in_a_row_ < kMostInARow && in_all_ < kMostInAll) return "";
    return "not called: this kernel hung in " + std::to_string(in_all_) +
           " calls before; run this case alone to see what it does here";
  }

 private:
  int in_a_row_ = 0, in_all_ = 0;
};

}  // namespace assay
