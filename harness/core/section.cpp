#include "harness/core/section.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "harness/core/atomic_file.h"
#include "harness/core/error.h"

namespace assay {
namespace {

struct Parts {
  std::string before, inside, after;  ///< the marks are in `before` and `after`
};

Parts read_parts(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  if (!in) throw UsageError("cannot read " + file);
  std::stringstream text;
  text << in.rdbuf();
  const std::string all = text.str(), begin = "<!-- begin: " + name + " -->\n", end = "<!-- end: " + name + " -->";
  const size_t first = all.find(begin);
  const size_t last = first == std::string::npos ? first : all.find(end, first);
  if (last == std::string::npos)
    throw UsageError(file + " has no lines '<!-- begin: " + name + " -->' and, after it, '" + end + "'");
  const size_t start = first + begin.size();
  return {all.substr(0, start), all.substr(start, last - start), all.substr(last)};
}

}  // namespace

bool write_section(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  if (parts.inside == text) return false;
  write_atomically(file, parts.before + text + parts.after);
  return true;
}

std::string section_difference(const std::string& file, const std::string& name, const std::string& text) {
  const Parts parts = read_parts(file, name);
  if (parts.inside == text) return {};
  std::istringstream has(parts.inside), should(text);
  auto line = 1 + std::count(parts.before.begin(), parts.before.end(), '\n');
  for (std::string a, b;; ++line) {
    const bool more_a = bool(std::getline(has, a)), more_b = bool(std::getline(should, b));
    if (more_a != more_b || a != b || !more_a)
      return file + ":" + std::to_string(line) + ": has '" + (more_a ? a : "") + "' and should have '" + (more_b ? b : "") + "'";
  }
}

}  // namespace assay
