#include "harness/text/section.h"

#include <algorithm>

#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/first_difference.h"
#include "reference/table/table.h"

namespace assay {
namespace {

struct Parts {
  std::string before, inside, after;  ///< `before` and `after` include the marks
};

Parts read_parts(const std::string& file, const std::string& name) {
  const std::string all = read_text(file), begin = "<!-- begin: " + name + " -->\n", end = "<!-- end: " + name + " -->";
  const size_t first = all.find(begin);
  const size_t last = first == std::string::npos ? first : all.find(end, first);
  if (last == std::string::npos)
    throw UsageError(file + " has no lines '<!-- begin: " + name + " -->' and, after it, '" + end + "'");
  const size_t start = first + begin.size();
  return {all.substr(0, start), all.substr(start, last - start), all.substr(last)};
}

}  // namespace

void require_section(const std::string& file, const std::string& name) { (void)read_parts(file, name); }

std::string with_section(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  return parts.before + text + parts.after;
}

bool write_section(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  if (parts.inside == text) return false;
  write_atomically(file, parts.before + text + parts.after);
  return true;
}

std::string section_difference(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  const std::optional<LineDifference> found = first_difference(parts.inside, text);
  if (!found) return {};
  const auto line = std::count(parts.before.begin(), parts.before.end(), '\n') + found->line;
  return file + ":" + std::to_string(line) + ": has '" + found->a + "' and should have '" + found->b + "'";
}

}  // namespace assay
