// Infers the extents of a single scale tensor for the analysis in harness/diagnosis/scales.h.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "harness/core/dumped.h"
#include "harness/diagnosis/scales.h"

namespace assay {

/// What is known about the tensor besides its bytes: stated by the user, or in the metadata of a recording.
class ScaleFacts {
 public:
  /// `stated`: m, n, groups, group_size. Throws UsageError for other names.
  ScaleFacts(std::map<std::string, std::string> stated, const std::map<std::string, std::string>& metadata,
             const std::string& layout);

  std::string text(const std::string& name) const;
  std::optional<int64_t> integer(const std::string& name) const;
  std::optional<int64_t> groups() const;

 private:
  std::map<std::string, std::string> values_;
};

/// Throws DumpError, or UsageError for a type that no scale has or for facts that do not fit the tensor.
ScaleGrid scale_grid(const DumpedTensor& dumped, const ScaleFacts& facts);

}  // namespace assay
