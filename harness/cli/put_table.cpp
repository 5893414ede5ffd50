#include <fmt/format.h>

#include "harness/cli/verbs.h"
#include "harness/text/error.h"
#include "harness/text/section.h"

namespace assay {

int put_table(const std::string& command, const std::function<std::string()>& table, const std::string& write,
              const std::string& check) {
  if (!write.empty()) {
    require_section(write, command);
    fmt::print("{} {}\n", write, write_section(write, command, table()) ? "written" : "is up to date");
    return kAllAsExpected;
  }
  if (check.empty()) {
    fmt::print("{}", table());
    return kAllAsExpected;
  }
  require_section(check, command);
  const std::string difference = section_difference(check, command, table());
  if (difference.empty()) return kAllAsExpected;
  fmt::print("{}\nrewrite it: {} --write {}\n", difference, command, check);
  return kUnexpected;
}

}  // namespace assay
