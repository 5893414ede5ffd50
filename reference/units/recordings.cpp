#include "reference/units/recordings.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "reference/formats/catalogue.h"
#include "reference/formats/round.h"
#include "reference/table/table.h"
#include "reference/units/definition.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

/// How numbers of a file are converted to their format. Only addends need rounding: the recording program rounded them before
/// use.
enum class Fit { kExact, kNearest };

/// The lines of a file: f32 words, converted to codes of a format.
class Words {
 public:
  Words(const fs::path& file, int base, const Format& format, Fit fit = Fit::kExact)
      : file_(file.string()), base_(base), format_(format), fit_(fit) {
    std::istringstream in(read_text(file_));
    for (std::string line; std::getline(in, line);) lines_.push_back(std::move(line));
  }
  size_t size() const { return lines_.size(); }
  const std::string& file() const { return file_; }

  std::vector<uint32_t> line(size_t i) const {
    std::vector<uint32_t> codes;
    std::istringstream words(lines_[i]);
    for (std::string word; words >> word;) codes.push_back(code(word, i));
    if (codes.empty()) throw error(i, "an empty line");
    return codes;
  }
  uint32_t number(size_t i) const {
    const std::vector<uint32_t> codes = line(i);
    if (codes.size() != 1) throw error(i, "has " + std::to_string(codes.size()) + " words where one is expected");
    return codes[0];
  }

 private:
  std::runtime_error error(size_t line, const std::string& problem) const {
    return std::runtime_error(file_ + ":" + std::to_string(line + 1) + ": " + problem);
  }
  uint32_t code(const std::string& word, size_t line) const {
    uint32_t bits = 0;
    const char* const last = word.data() + word.size();
    const auto [end, status] = std::from_chars(word.data(), last, bits, base_);
    if (status != std::errc() || end != last || word.size() != (base_ == 16 ? 8u : 32u))
      throw error(line, "'" + word + "' is no word of f32 in " + (base_ == 16 ? "8 hexadecimal" : "32 binary") + " digits");
    try {
      const double value = decode(kF32, bits);
      return code_of(format_, fit_ == Fit::kExact ? value : round_to(format_, value, Rounding::kNearestEven, Overflow::kSpecial));
    } catch (const std::domain_error&) {
      throw error(line, "'" + word + "' is no number of " + std::string(format_.name));
    }
  }

  std::string file_;
  int base_;
  const Format& format_;
  Fit fit_;
  std::vector<std::string> lines_;
};

}  // namespace

std::vector<RecordedUnit> load_recorded_units(const std::string& file) {
  const Table table = read_table(file);
  const std::vector<std::string> columns = {"unit", "gpu", "format", "d", "c", "why"};
  table.require_columns(columns);
  table.allow_columns(columns);
  std::vector<RecordedUnit> all;
  for (const TableRow& row : table.rows) {
    const std::string& c = table.text(row, "c");
    if (c != "given" && c != "zero") throw table.error(row, "c", "'" + c + "' is not one of: given, zero");
    all.push_back(
        {table.text(row, "unit"), table.text(row, "gpu"), table.text(row, "format"), table.text(row, "d"), c == "zero"});
  }
  return all;
}

std::vector<RecordedSet> recorded_sets(const std::string& folder) {
  if (!fs::is_directory(folder)) throw std::runtime_error(folder + ": no such folder");
  std::vector<RecordedSet> sets;
  for (const fs::directory_entry& gpu : fs::directory_iterator(folder)) {
    if (!gpu.is_directory()) continue;
    for (const fs::directory_entry& format : fs::directory_iterator(gpu)) {
      if (!format.is_directory()) continue;
      const std::string name = gpu.path().filename().string();
      for (const char* d : {"fp32", "fp16"})
        if (fs::exists(format.path() / ("d_" + name + "_" + d + ".txt")))
          sets.push_back({format.path().string(), name, format.path().filename().string(), d});
    }
  }
  if (sets.empty()) throw std::runtime_error(folder + ": holds no data set: expected GPU/FORMAT/d_GPU_fp32.txt or d_GPU_fp16.txt");
  std::sort(sets.begin(), sets.end(), [](const RecordedSet& x, const RecordedSet& y) { return x.name() < y.name(); });
  return sets;
}

RecordedMatches match_recorded(const Unit& unit, bool c_is_zero, const RecordedSet& set) {
  const fs::path folder = set.folder;
  const Words a(folder / ("a_" + set.gpu + "_" + set.format + ".txt"), 16, *unit.a);
  const Words b(folder / ("b_" + set.gpu + "_" + set.format + ".txt"), 16, *unit.b);
  const Words d(folder / ("d_" + set.gpu + "_" + set.d + ".txt"), 2, *unit.d);
  const Words c(folder / ("c_" + set.gpu + "_fp32.txt"), 2, *unit.d, Fit::kNearest);
  for (const Words* other : {&b, &c, &d})
    if (other->size() != a.size())
      throw std::runtime_error(other->file() + ": has " + std::to_string(other->size()) + " lines, " + a.file() + " has " +
                               std::to_string(a.size()));
  RecordedMatches result;
  for (size_t i = 0; i < a.size(); ++i) {
    const std::vector<uint32_t> one = a.line(i), other = b.line(i);
    if (one.size() != other.size())
      throw std::runtime_error(b.file() + ":" + std::to_string(i + 1) + ": has " + std::to_string(other.size()) + " words, " +
                               a.file() + " has " + std::to_string(one.size()));
    const uint32_t predicted = defined_element(unit, {one, other}, c_is_zero ? 0 : c.number(i)), recorded = d.number(i);
    ++result.vectors;
    if (predicted == recorded) {
      ++result.matches;
    } else if (result.first_line == 0) {
      result.first_line = int64_t(i) + 1;
      result.recorded = recorded;
      result.predicted = predicted;
    }
  }
  return result;
}

}  // namespace assay
