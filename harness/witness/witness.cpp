#include "harness/witness/witness.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "harness/core/op.h"
#include "harness/diagnosis/visibility.h"
#include "harness/dump/dump.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"

namespace assay {
namespace {

using nlohmann::json;

constexpr const char* kKey = "assay.witness";

/// Name of a tensor within its problem, with its rank if there are several.
std::string name_in(const Problem& problem, const TensorSpec& spec) {
  return spec.name + (problem.ranks > 1 ? ".r" + std::to_string(spec.rank) : "");
}

/// Name of a tensor in the file. An in-place tensor is stored twice: as before the call, and with suffix _out as after it.
std::string key_of(size_t call, const std::string& name, bool left) {
  return "c" + std::to_string(call) + "." + name + (left ? "_out" : "");
}
/// Name of an input of a warm-up call.
std::string key_before(size_t call, size_t before, const std::string& name) {
  return "c" + std::to_string(call) + ".before" + std::to_string(before) + "." + name;
}

/// The whole storage, padding included. It is written as a vector unless the tensor is dense and row-major.
TensorBytes stored(std::string key, const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  const bool plain = spec.strides == dense("", spec.role, *spec.format, spec.shape).strides && spec.storage == spec.elements();
  return {std::move(key), spec.format, plain ? spec.shape : std::vector<int64_t>{spec.storage}, tensor.bytes, spec.packed};
}

json layout_of(const HostTensor& tensor) {
  const TensorSpec& spec = tensor.spec;
  return {{"access", name(access_of(tensor))},
          {"format", std::string(spec.format->name)},
          {"shape", spec.shape},
          {"strides", spec.strides},
          {"storage", spec.storage},
          {"offset", spec.offset}};
}

/// Deduplication: inputs of one role with equal bytes, such as a table of cosines, are stored only once.
class Inputs {
 public:
  explicit Inputs(std::vector<TensorBytes>& tensors) : tensors_(tensors) {}

  /// Layout of a tensor as JSON, with the key of an earlier input that has the same bytes.
  json add(const std::string& key, const HostTensor& tensor) {
    json layout = layout_of(tensor);
    if (access_of(tensor) == Access::kOut) return layout;
    const auto [known, is_new] = keys_.try_emplace({tensor.spec.name, tensor.bytes}, key);
    if (is_new)
      tensors_.push_back(stored(key, tensor));
    else
      layout["as"] = known->second;
    return layout;
  }

 private:
  std::vector<TensorBytes>& tensors_;
  std::map<std::pair<std::string, std::vector<std::byte>>, std::string> keys_;
};

json ranges_of(const std::vector<ByteRange>& ranges) {
  json list = json::array();
  for (const ByteRange& range : ranges) list.push_back({range.begin, range.end});
  return list;
}

class Reader {
 public:
  explicit Reader(const std::string& file) : dump_(open_dump(file)) {
    const auto found = dump_.metadata.find(kKey);
    if (found == dump_.metadata.end()) throw DumpError(file, "__metadata__", std::string("has no ") + kKey);
    try {
      about_ = guarded_json(found->second, file);
    } catch (const JsonError& error) {
      throw DumpError(file, "__metadata__", std::string(kKey) + " " + error.problem());
    }
  }

  Witness read(const OpNamed& op_named) const {
    const json& origin = about_.at("origin");
    Witness witness{dump_.file, about_.at("op"), about_.at("contract"), {}, {}};
    witness.origin = {origin.at("package"), origin.at("kernel"), origin.at("flags"), origin.at("on"), origin.at("date")};
    const Op& op = op_named(witness.op);
    for (const json& call : about_.at("calls")) witness.calls.push_back(read_call(op, witness.calls.size(), call));
    return witness;
  }

 private:
  WitnessCall read_call(const Op& op, size_t number, const json& from) const {
    WitnessCall call{from.at("from"), {}, {}, {}};
    call.one.op = op.name;
    call.one.tier = "witness";
    call.one.parameters = from.at("parameters").get<std::map<std::string, std::string>>();
    call.one.id = dump_.file + ", call " + std::to_string(number);
    call.problem = op.bind(call.one)->problem();
    call.problem.parameters.clear();
    for (const auto& [parameter, value] : from.at("numbers").items())
      call.problem.parameters.emplace_back(parameter,
                                           value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>());
    for (size_t before = 0; before < call.problem.before.size(); ++before) {
      Problem& problem = call.problem.before[before];
      for (HostTensor& tensor : problem.tensors) {
        const std::string name = name_in(problem, tensor.spec);
        const json& layout = from.at("before").at(before).at(name);
        if (access_of(tensor) != Access::kOut)
          tensor.bytes = bytes_of(layout.value("as", key_before(number, before, name)), tensor);
      }
    }
    const bool answered = from.contains("untouched");
    for (HostTensor& tensor : call.problem.tensors) {
      const Access access = access_of(tensor);
      HostTensor output = tensor;
      const std::string name = name_in(call.problem, tensor.spec);
      const json& layout = from.at("tensors").at(name);
      if (access != Access::kOut) tensor.bytes = bytes_of(layout.value("as", key_of(number, name, false)), tensor);
      if (access == Access::kIn || !answered) continue;
      output.bytes = bytes_of(key_of(number, name, access == Access::kInOut), tensor);
      std::vector<ByteRange>& untouched = call.result.untouched.emplace_back();
      for (const json& range : from.at("untouched").at(name)) untouched.push_back({range.at(0), range.at(1)});
      call.result.in_place.push_back(access == Access::kInOut);
      call.result.outputs.push_back(std::move(output));
    }
    return call;
  }

  std::vector<std::byte> bytes_of(const std::string& key, const HostTensor& tensor) const {
    std::vector<std::byte> bytes = read_bytes(dump_, dump_.find(key));
    if (bytes.size() != tensor.spec.bytes())
      throw DumpError(
          dump_.file, "tensor '" + key + "'",
          "has " + std::to_string(bytes.size()) + " bytes; the op's tensor now has " + std::to_string(tensor.spec.bytes()));
    return bytes;
  }

  Dump dump_;
  json about_;
};

}  // namespace

bool Witness::has_outputs() const {
  return !calls.empty() &&
         std::all_of(calls.begin(), calls.end(), [](const WitnessCall& call) { return !call.result.outputs.empty(); });
}

int64_t Witness::output_elements() const {
  int64_t count = 0;
  for (const WitnessCall& call : calls)
    for (const HostTensor& output : call.result.outputs) count += output.spec.elements();
  return count;
}

std::string witness_text(const Witness& witness) {
  const WitnessOrigin& o = witness.origin;
  json about = {{"op", witness.op}, {"contract", witness.contract}, {"calls", json::array()}};
  about["origin"] = {{"package", o.package}, {"kernel", o.kernel}, {"flags", o.flags}, {"on", o.on}, {"date", o.date}};
  std::vector<TensorBytes> tensors;
  Inputs inputs(tensors);
  for (const WitnessCall& call : witness.calls) {
    const size_t number = about["calls"].size();
    json said = {
        {"from", call.from}, {"parameters", call.one.parameters}, {"numbers", json::object()}, {"tensors", json::object()}};
    for (const auto& [parameter, value] : call.problem.parameters) {
      if (std::isfinite(value))
        said["numbers"][parameter] = value;
      else
        said["numbers"][parameter] = std::to_string(value);  // JSON has no infinity
    }
    for (size_t before = 0; before < call.problem.before.size(); ++before)
      for (const Problem& problem = call.problem.before[before]; const HostTensor& tensor : problem.tensors) {
        const std::string name = name_in(problem, tensor.spec);
        said["before"][before][name] = inputs.add(key_before(number, before, name), tensor);
      }
    for (const HostTensor& tensor : call.problem.tensors) {
      const std::string name = name_in(call.problem, tensor.spec);
      said["tensors"][name] = inputs.add(key_of(number, name, false), tensor);
    }
    for (size_t i = 0; i < call.result.outputs.size(); ++i) {
      const HostTensor& output = call.result.outputs[i];
      const std::string name = name_in(call.problem, output.spec);
      tensors.push_back(stored(key_of(number, name, call.result.in_place[i]), output));
      said["untouched"][name] = ranges_of(call.result.untouched[i]);
    }
    about["calls"].push_back(std::move(said));
  }
  return safetensors_text(tensors, {{kKey, about.dump()}});
}

Witness read_witness(const std::string& file, const OpNamed& op_named) {
  try {
    return Reader(file).read(op_named);
  } catch (const json::exception& error) {
    throw DumpError(file, "__metadata__", std::string(kKey) + ": " + error.what());
  } catch (const std::out_of_range& error) {
    throw DumpError(file, "__metadata__", error.what());
  }
}

std::vector<std::string> witness_files(const std::string& folder) {
  std::vector<std::string> files;
  if (std::filesystem::is_directory(folder))
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
  if (files.empty()) throw UsageError(folder + " holds no witness (*.safetensors)");
  std::sort(files.begin(), files.end());
  return files;
}

namespace {

// Candidates for inputs to record: cases of one contract with their expected results, and the batch rows that can be used
// separately.

/// Bytes of all tensors; tensors updated in place count twice.
int64_t bytes_of(const Problem& problem);

struct Candidate {
  const Case* one;
  std::shared_ptr<const BoundCase> bound;
  Problem problem;
  std::vector<WholePart> right;  ///< accepted answer of the contract
  int64_t batch;                 ///< number of batch rows that can be used separately; 1: only the whole case can be used

  /// The row of the batch from which row `row` of the output `part` is computed.
  int64_t batch_row(const Part& part, int64_t row) const;
  /// The row of the batch whose outputs have the most different codes.
  int64_t richest_row() const;
};

/// One case of each data set, sorted by bytes per batch row. Leaves out cases larger than `most_bytes`.
std::vector<Candidate> candidates_of(const Op& op, const std::vector<Case>& cases, int64_t most_bytes);

int64_t bytes_of(const Problem& problem) {
  int64_t sum = 0;
  for (const HostTensor& tensor : problem.tensors)
    sum += int64_t(tensor.spec.bytes()) * (access_of(tensor) == Access::kInOut ? 2 : 1);
  return sum + (problem.before.empty() ? 0 : bytes_of(problem.before.back()));  // warm-up calls mostly share inputs
}

int64_t Candidate::batch_row(const Part& part, int64_t row) const {
  const int64_t rows = part.rows();
  return rows == 0 ? 0 : std::min(batch - 1, row * batch / rows);
}

int64_t Candidate::richest_row() const {
  std::map<int64_t, std::set<int32_t>> codes;
  for (const WholePart& part : right)
    for (int64_t i = 0; i < part.part.elements(); ++i)
      codes[batch_row(part.part, i / part.part.columns())].insert(part.low[size_t(i)]);
  const auto richest = std::max_element(codes.begin(), codes.end(),
                                        [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
  return richest == codes.end() ? 0 : richest->first;
}

std::vector<Candidate> candidates_of(const Op& op, const std::vector<Case>& cases, int64_t most_bytes) {
  std::vector<Candidate> all;
  std::set<std::string> data;
  for (const Case& one : cases) {
    if (!data.insert(one.data_id()).second) continue;
    std::shared_ptr<const BoundCase> bound = op.bind(one);
    Problem problem = bound->problem();
    // A case is unsuitable if its calls are empty, or if an output shares memory with an input: the file has no separate entry
    // for it.
    const bool shares = std::any_of(problem.tensors.begin(), problem.tensors.end(),
                                    [](const HostTensor& tensor) { return !tensor.spec.shares.empty(); });
    if (shares || bytes_of(problem) == 0 || bytes_of(problem) > most_bytes) continue;
    std::vector<WholePart> right = computed(bound->expect(problem, nullptr));
    const int64_t batch = std::max<int64_t>(1, bound->independent_rows());
    all.push_back({&one, std::move(bound), std::move(problem), std::move(right), batch});
  }
  std::stable_sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
    return bytes_of(a.problem) / std::max<int64_t>(1, a.batch) < bytes_of(b.problem) / std::max<int64_t>(1, b.batch);
  });
  return all;
}

/// A row that kills no further mutant can be chosen as a sample of its input generator. Limits in bytes on all such rows, and on
/// one.
constexpr int64_t kMostBytesOfKinds = 24 << 10, kMostBytesOfKind = 6 << 10;

using Rows = std::set<int64_t>;

std::string rows_text(const Rows& rows) {
  std::string text = " rows ";
  for (const int64_t row : rows) text += (row == *rows.begin() ? "" : ",") + std::to_string(row);
  return text;
}

bool differs(const std::vector<WholePart>& right, const std::vector<WholePart>& edited) {
  for (size_t p = 0; p < right.size(); ++p)
    if (elements_apart(right[p], edited[p]) > 0) return true;
  return false;
}

class Chooser {
 public:
  Chooser(const Op& op, int64_t most_bytes) : op_(op), most_bytes_(most_bytes) {}

  Chosen choose(const std::vector<Case>& cases) {
    chosen_.witness = {"", op_.name, cases.front().text("contract"), {}, {}};
    std::vector<Candidate> candidates = candidates_of(op_, cases, most_bytes_);
    for (const Candidate& candidate : candidates) take_rows_of(candidate);
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return bytes_of(a.problem) < bytes_of(b.problem); });
    for (const Candidate& candidate : candidates) take_whole_if_it_shows_more(candidate);
    drop_what_others_show();
    for (const auto& [name, shown] : edits_) {
      ++chosen_.edits;
      if (!shown) chosen_.unseen.push_back(name);
    }
    for (Taken& taken : taken_) chosen_.witness.calls.push_back(std::move(taken.call));
    return std::move(chosen_);
  }

 private:
  /// The mutants, except equivalent ones, that no chosen input kills yet. Registers all of them in edits_.
  std::vector<Hypothesis> open_edits(const BoundCase& bound) {
    std::vector<Hypothesis> open;
    for (Hypothesis& edit : bound.mutants())
      if (!edit.suspect && edit.equivalent.empty() && !edits_.try_emplace(edit.name, false).first->second)
        open.push_back(std::move(edit));
    return open;
  }

  void take_rows_of(const Candidate& candidate) {
    std::map<int64_t, std::set<std::string>> shows;  // row of the batch -> mutants that it kills
    for (const Hypothesis& edit : open_edits(*candidate.bound)) {
      if (edit.by_rows) continue;
      const std::vector<WholePart> edited = computed(edit.expect(candidate.problem, nullptr));
      for (size_t p = 0; p < candidate.right.size(); ++p) {
        Rows rows;
        elements_apart(candidate.right[p], edited[p], &rows);
        for (const int64_t row : rows) shows[candidate.batch_row(candidate.right[p].part, row)].insert(edit.name);
      }
    }
    Rows rows;
    const int64_t row_bytes = bytes_of(candidate.problem) / std::max<int64_t>(1, candidate.batch);
    while (!shows.empty()) {
      const auto best = std::max_element(shows.begin(), shows.end(),
                                         [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
      const std::set<std::string> shown = best->second;
      rows.insert(best->first);
      for (auto at = shows.begin(); at != shows.end();) {
        for (const std::string& name : shown) at->second.erase(name);
        at = at->second.empty() ? shows.erase(at) : std::next(at);
      }
    }
    const bool new_kind = row_bytes <= kMostBytesOfKind && !kinds_.contains(candidate.one->name.fills);
    if (rows.empty() && (!new_kind || bytes_of_kinds_ + row_bytes > kMostBytesOfKinds)) return;
    if (rows.empty()) {
      rows.insert(candidate.richest_row());
      bytes_of_kinds_ += row_bytes;
    }
    kinds_.insert(candidate.one->name.fills);
    take(candidate, rows);
  }

  /// Adds a call with only these rows of the case. Computes which mutants the new call kills, since the same rows may kill other
  /// mutants as part of the whole case.
  void take(const Candidate& candidate, const Rows& rows) {
    const bool whole = candidate.bound->independent_rows() == 0 || int64_t(rows.size()) == candidate.batch;
    CaseOfRows some = whole ? CaseOfRows{nullptr, candidate.problem, {}}
                            : candidate.bound->with_rows(candidate.problem, {rows.begin(), rows.end()});
    const BoundCase& bound = whole ? *candidate.bound : *some.bound;
    Case one = with_cells(*candidate.one, some.cells);
    Problem problem = std::move(some.problem);
    const std::vector<WholePart> right = computed(bound.expect(problem, nullptr));
    std::set<std::string> shown;
    for (const Hypothesis& edit : bound.mutants()) {
      if (edit.suspect || !edit.equivalent.empty()) continue;
      // A mutant of a GEMM may admit several algorithms, and the outputs must differ from all of them.
      const Expectation edited = edit.expect(problem, nullptr);
      const bool apart = std::all_of(edited.any_of.begin(), edited.any_of.end(),
                                     [&](const Answer& answer) { return differs(right, computed(answer)); });
      edits_[edit.name] = edits_[edit.name] || apart;
      if (apart) shown.insert(edit.name);
    }
    const std::string from = candidate.one->data_id() + (whole ? "" : rows_text(rows));
    taken_.push_back({{from, std::move(one), std::move(problem), {}}, candidate.one->name.fills, std::move(shown)});
  }

  /// Drops calls, largest first, if other calls kill the same mutants. Keeps a small call if no other call uses its input
  /// generator.
  void drop_what_others_show() {
    std::stable_sort(taken_.begin(), taken_.end(),
                     [](const Taken& a, const Taken& b) { return bytes_of(a.call.problem) > bytes_of(b.call.problem); });
    for (size_t i = 0; i < taken_.size();) {
      std::set<std::string> others;
      bool kind_stays = bytes_of(taken_[i].call.problem) > kMostBytesOfKind;
      for (size_t j = 0; j < taken_.size(); ++j) {
        if (j == i) continue;
        others.insert(taken_[j].shown.begin(), taken_[j].shown.end());
        kind_stays = kind_stays || taken_[j].kind == taken_[i].kind;
      }
      const std::set<std::string>& shown = taken_[i].shown;
      const bool spare = kind_stays && std::includes(others.begin(), others.end(), shown.begin(), shown.end());
      if (spare)
        taken_.erase(taken_.begin() + std::ptrdiff_t(i));
      else
        ++i;
    }
    std::reverse(taken_.begin(), taken_.end());
  }

  void take_whole_if_it_shows_more(const Candidate& candidate) {
    for (const Hypothesis& edit : open_edits(*candidate.bound)) {
      const std::vector<WholePart> edited = computed(edit.expect(candidate.problem, nullptr));
      int64_t apart = 0;
      for (size_t p = 0; p < candidate.right.size(); ++p) apart += elements_apart(candidate.right[p], edited[p]);
      if (apart == 0) continue;
      Rows all;
      for (int64_t row = 0; row < candidate.batch; ++row) all.insert(row);
      return take(candidate, all);
    }
  }

  struct Taken {
    WitnessCall call;
    std::string kind;             ///< input generators (fills)
    std::set<std::string> shown;  ///< mutants that it kills
  };

  const Op& op_;
  const int64_t most_bytes_;
  Chosen chosen_;
  std::vector<Taken> taken_;
  std::map<std::string, bool> edits_;  ///< mutant -> whether a chosen row kills it
  std::set<std::string> kinds_;
  int64_t bytes_of_kinds_ = 0;
};

}  // namespace

Chosen choose_inputs(const Op& op, const std::vector<Case>& cases, int64_t most_bytes) {
  return Chooser(op, most_bytes).choose(cases);
}

}  // namespace assay
