#include "suites/judges/kept.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/run/match.h"
#include "harness/text/atomic_file.h"
#include "harness/text/digest.h"
#include "harness/text/guarded_json.h"
#include "suites/registry.h"

namespace assay::judges {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Tally, cases, refused, cannot, own_refused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Marks, kind, on_recipe, assay_on_recipe, on_quick, assay)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(KeptMarks, state, marks)

namespace {

/// Hash of everything that stored results depend on; includes the length of each piece.
class State {
 public:
  void add(const void* bytes, size_t size) {
    digest_.add(&size, sizeof size);
    digest_.add(bytes, size);
  }
  void add(const std::string& text) { add(text.data(), text.size()); }
  std::string text() const { return std::to_string(digest_.value()); }

 private:
  Digest digest_;
};

std::string bytes_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

std::map<std::string, KeptMarks> read_kept(const std::string& file) {
  if (!std::filesystem::exists(file)) return {};
  try {
    return read_json(file).get<std::map<std::string, KeptMarks>>();
  } catch (const nlohmann::json::exception& error) {
    throw std::runtime_error(file + " is no file of measured kernels: " + error.what());
  }
}

void write_kept(const std::string& file, const std::map<std::string, KeptMarks>& all) {
  write_atomically(file, nlohmann::json(all).dump(1) + "\n");
}

std::vector<std::string> what_marks_depend_on(const std::string& root, const std::string& healthy_library) {
  std::vector<std::string> files = {root + "/suites/judges/rules.csv", root + "/suites/judges/recipes.csv", healthy_library,
                                    "/proc/self/exe"};
  for (const auto& entry : std::filesystem::directory_iterator(root + "/reference/contracts"))
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

Kept::Kept(std::string file, const Field& field, const std::vector<std::string>& files) : file_(std::move(file)), field_(field) {
  if (file_.empty()) return;
  marks_ = read_kept(file_);
  State state;
  for (const std::string& one : files) state.add(bytes_of(one));
  common_ = state.text();
}

std::string Kept::state_of(const Contestant& contestant) const {
  constexpr int kCalls = 4;
  State state;
  state.add(common_);
  state.add(contestant.twin);
  int calls = 0;
  for (const Case& one : field_.quick) {
    if (!why_not_offered(contestant.kernel, one).empty()) continue;
    state.add(one.id);
    const bool of_ranks = one.parameters.contains("ranks");  // a call of ranks leaves state in the group
    if (of_ranks || ++calls > kCalls) continue;
    const Problem problem = shipped_ops().find(one.op).bind(one)->problem();
    const CallResult result = contestant.backend->call({one.op, one.text("contract"), contestant.kernel.name, &problem, 1});
    state.add(result.message);
    for (const HostTensor& output : result.outputs) state.add(output.bytes.data(), output.bytes.size());
  }
  return state.text();
}

std::optional<Marks> Kept::of(const Contestant& contestant) {
  if (file_.empty()) return std::nullopt;
  const std::string state = state_of(contestant);
  const std::lock_guard lock(mutex_);
  states_[contestant.name] = state;
  const auto found = marks_.find(contestant.name);
  if (found == marks_.end()) return std::nullopt;
  if (found->second.state == state) return found->second.marks;
  ++stale_;
  return std::nullopt;
}

void Kept::add(const Contestant& contestant, const Marks& marks) {
  if (file_.empty()) return;
  const std::lock_guard lock(mutex_);
  marks_[contestant.name] = {states_.at(contestant.name), marks};
  write_kept(file_, marks_);
}

}  // namespace assay::judges
