// --execute: AMD code objects are executed on the CPU by libassay_hip_runtime.so, which plug-ins load. This tells it what to be, and collects
// which approximate instructions it executed and whether outputs depend on how they round.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

class CodeObjectExecution {
 public:
  /// `text`: "ARCH[,OPTION...]", or empty: nothing is executed. Sets the environment of this process and of its workers. Option
  /// approximate=each is ours: every call is made again with approximate instructions moved up and down by one ULP.
  explicit CodeObjectExecution(const std::string& text);
  ~CodeObjectExecution();
  CodeObjectExecution(const CodeObjectExecution&) = delete;

  bool is_asked() const { return !architecture_.empty(); }
  /// The library of a back end's name: 'hip' is libassay_hip_executed.so.
  std::string library_of(const std::string& backend) const { return is_asked() && backend == "hip" ? "hip_executed" : backend; }
  /// Throws UsageError unless the library is linked to the executing runtime.
  void demand(const LibraryInfo& library) const;
  /// Makes each call of `backend` again by two more processes, if approximate=each. `open` opens a library by its path.
  void repeat_calls(Backend& backend, const std::function<Backend(const std::string& path)>& open);
  /// "executed code objects of gfx942 by assay_gcn 1; approximate instructions: v_rcp_f32; ...", for reports.
  std::string summary(const LibraryInfo& library) const;

 private:
  std::string text_, architecture_, options_, notes_;
  bool repeats_ = false;
  std::vector<Backend> others_;
  int64_t calls_ = 0, dependent_ = 0;
};

}  // namespace assay
