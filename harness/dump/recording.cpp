#include "harness/dump/recording.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <tuple>

#include "assay/abi.h"
#include "harness/compare/verdict.h"
#include "harness/core/expectation.h"
#include "harness/dump/dump.h"
#include "harness/text/guarded_json.h"
#include "harness/text/messages.h"
#include "harness/text/text_file.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Recordings: the inputs and outputs of every call of a run, stored so that they can be checked again without the kernels.

namespace fs = std::filesystem;

std::string ranges_text(const std::vector<ByteRange>& ranges) {
  std::string text;
  for (const ByteRange& range : ranges)
    text.append(text.empty() ? "" : ",").append(std::to_string(range.begin)).append("-").append(std::to_string(range.end));
  return text;
}

/// A file name for a kernel. Names come from a library and must not lead out of the folder. Bytes unsuitable for a file name
/// become %XX, so different names get different files. A long name is cut and gets ~ and its digest; an escaped name has no ~.
std::string file_name(const std::string& kernel) {
  constexpr size_t kMostName = 200, kKept = 100;  // file systems allow 255 bytes
  std::string name;
  for (const char c : kernel) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || (c == '.' && !name.empty());
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X", unsigned(static_cast<unsigned char>(c)));
    name += plain ? std::string(1, c) : std::string(escaped);
  }
  if (name.size() > kMostName) name = name.substr(0, kKept) + "~" + digest_text(kernel);
  return name + ".safetensors";
}

struct Contents {
  std::vector<TensorBytes> tensors;
  std::map<std::string, std::string> metadata;

  void add(const HostTensor& tensor, Role role, const std::string& suffix = "") {
    const TensorSpec& spec = tensor.spec;
    const bool plain = spec.strides == dense("", spec.role, *spec.format, spec.shape).strides && spec.storage == spec.elements();
    const std::string key = key_of(spec.name + suffix, spec.rank);
    if (spec.rank > 0) metadata[key + ".rank"] = std::to_string(spec.rank);
    tensors.push_back({key, spec.format, plain ? spec.shape : std::vector<int64_t>{spec.storage}, tensor.bytes, spec.packed});
    metadata[key + ".format"] = std::string(spec.format->name);
    metadata[key + ".role"] = role == Role::kInput ? "input" : "output";
    if (plain) return;
    metadata[key + ".shape"] = extents_text(spec.shape);
    metadata[key + ".strides"] = extents_text(spec.strides);
    if (spec.offset > 0) metadata[key + ".offset"] = extents_text({spec.offset});
  }
};

std::vector<ByteRange> ranges_from(const std::string& text, const std::string& file, const std::string& place) {
  std::vector<ByteRange> ranges;
  const char *at = text.data(), *end = at + text.size();
  while (at != end) {
    ByteRange range{};
    const auto first = std::from_chars(at, end, range.begin);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-')
      throw DumpError(file, place, "is not a list of byte ranges such as 0-16,32-48");
    const auto last = std::from_chars(first.ptr + 1, end, range.end);
    if (last.ec != std::errc() || range.begin < 0 || range.end < range.begin)
      throw DumpError(file, place, "is not a list of byte ranges such as 0-16,32-48");
    ranges.push_back(range);
    at = last.ptr;
    if (at != end && *at++ != ',') throw DumpError(file, place, "is not a list of byte ranges such as 0-16,32-48");
  }
  return ranges;
}

std::string metadata_or_empty(const Dump& dump, const std::string& key) {
  const auto found = dump.metadata.find(key);
  return found == dump.metadata.end() ? "" : found->second;
}

}  // namespace

Recorder::Recorder(std::string folder, const Backend& backend, RecordedRun run)
    : folder_(std::move(folder)), backend_(backend.name), library_(backend.library), run_(std::move(run)) {
  try {
    require_writable((fs::path(folder_) / run_.shard.path("index.json")).string());
  } catch (const std::system_error& error) {
    throw UsageError("--record " + folder_ + ": " + error.what());
  }
  for (const std::string& index : index_files(folder_)) {
    const Recording other = read_index(folder_, index);
    const bool another_share = !run_.shard.is_whole() && other.run.shard.count == run_.shard.count &&
                               other.run.shard.index != run_.shard.index && other.run.cases == run_.cases;
    if (!another_share)
      throw UsageError(folder_ + " holds a recording already (" + index + "); name another folder or remove it");
  }
}

void Recorder::write(const Evidence& evidence, const Verdict& verdict) {
  if (evidence.result == nullptr) return;
  Contents contents;
  for (const HostTensor& tensor : evidence.problem.tensors) {
    if (tensor.spec.role == Role::kInput)
      contents.add(tensor, Role::kInput);
    else if (!tensor.bytes.empty())
      contents.add(tensor, Role::kInput, kBefore);
  }
  for (size_t i = 0; i < evidence.result->outputs.size(); ++i) {
    const HostTensor& output = evidence.result->outputs[i];
    contents.add(output, Role::kOutput);
    contents.metadata[key_of(output.spec) + ".untouched"] = ranges_text(evidence.result->untouched[i]);
    if (evidence.result->in_place[i]) contents.metadata[key_of(output.spec) + ".in_place"] = "yes";
  }
  std::map<std::string, std::string>& metadata = contents.metadata;
  metadata["assay.case"] = verdict.case_id;
  metadata["assay.op"] = evidence.one.op;
  metadata["assay.kernel"] = verdict.kernel;
  metadata["assay.library"] = library_.name;
  metadata["assay.arch"] = library_.arch;
  metadata["assay.device"] = library_.device;
  metadata["assay.driver"] = library_.driver;
  metadata["assay.toolkit"] = library_.toolkit;
  metadata["assay.abi"] = std::to_string(ASSAY_ABI_VERSION);
  for (const auto& [name, cell] : evidence.one.parameters) metadata["parameter." + name] = cell;

  const std::string file = verdict.case_id + "/" + file_name(verdict.kernel);
  write_atomically((fs::path(folder_) / file).string(), safetensors_text(contents.tensors, metadata));
  const std::lock_guard lock(mutex_);
  files_[{verdict.case_id, verdict.kernel}] = file;
}

void Recorder::finish(const RunResult& result, const RunIdentity& identity) const {
  Recording recording{folder_, backend_, library_, run_, {}};
  recording.run.ended_by = result.ended_by;
  recording.run.identity = identity;
  for (const Verdict& verdict : result.verdicts) {
    const auto file = files_.find({verdict.case_id, verdict.kernel});
    recording.verdicts.push_back({file == files_.end() ? "" : file->second, verdict});
  }
  write_index(recording);
}

RecordedCall read_call(const Recording& recording, const RecordedVerdict& recorded) {
  const Dump dump = open_dump((fs::path(recording.folder) / recorded.file).string());
  const std::string& file = dump.file;
  if (metadata_or_empty(dump, "assay.case") != recorded.verdict.case_id ||
      metadata_or_empty(dump, "assay.kernel") != recorded.verdict.kernel)
    throw DumpError(file, "__metadata__",
                    "is the recording of '" + metadata_or_empty(dump, "assay.case") + "', not of the case that the index names");
  RecordedCall call;
  call.result.seconds = recorded.verdict.seconds;
  for (StoredTensor stored : dump.tensors) {
    if (const std::string format = metadata_or_empty(dump, stored.name + ".format"); stored.format == nullptr && !format.empty())
      stored.format = find_format(format);
    const std::string role = metadata_or_empty(dump, stored.name + ".role");
    if (role != "input" && role != "output")
      throw DumpError(file, "tensor '" + stored.name + "'", "has no role (input or output) in the metadata");
    if (stored.format == nullptr)
      throw DumpError(file, "tensor '" + stored.name + "'", stored.dtype + " is not a format that a recording can have");
    HostTensor tensor{storage_spec(dump, stored), read_bytes(dump, stored)};
    tensor.spec.role = role == "input" ? Role::kInput : Role::kOutput;
    if (const std::string rank = metadata_or_empty(dump, stored.name + ".rank"); !rank.empty()) {
      const auto [end, failure] = std::from_chars(rank.data(), rank.data() + rank.size(), tensor.spec.rank);
      tensor.spec.name = stored.name.substr(0, stored.name.find('@'));
      if (failure != std::errc() || end != rank.data() + rank.size() || key_of(tensor.spec) != stored.name)
        throw DumpError(file, "tensor '" + stored.name + "'", "the rank in its name differs from the rank in its metadata");
    }
    if (role == "input") {
      call.inputs.push_back(std::move(tensor));
      continue;
    }
    call.result.untouched.push_back(
        ranges_from(metadata_or_empty(dump, stored.name + ".untouched"), file, stored.name + ".untouched"));
    call.result.in_place.push_back(metadata_or_empty(dump, stored.name + ".in_place") == "yes");
    call.result.outputs.push_back(std::move(tensor));
  }
  return call;
}

namespace {

constexpr int kVersion = 1;

ordered_json to_json(const RecordedVerdict& recorded) {
  const Verdict& v = recorded.verdict;
  ordered_json j = {{"case", v.case_id}, {"kernel", v.kernel}, {"outcome", name(v.outcome)}, {"seconds", v.seconds}};
  if (!recorded.file.empty()) j["file"] = recorded.file;
  if (!v.message.empty()) j["message"] = v.message;
  if (!v.causes.empty()) j["causes"] = v.causes;
  if (!v.offered) j["offered"] = false;
  if (v.device_lost) j["device_lost"] = true;
  return j;
}

Outcome outcome_from(const std::string& word) {
  for (const Outcome outcome : {Outcome::kPass, Outcome::kFail, Outcome::kSkip, Outcome::kUntrusted, Outcome::kBroken,
                               Outcome::kFlaky, Outcome::kNotJudged})
    if (word == name(outcome)) return outcome;
  throw std::runtime_error("'" + word.substr(0, 40) + "' is not an outcome");
}

/// A recording is untrusted: its index is refused if it names a file outside the recording's folder.
bool stays_inside(const std::filesystem::path& file) {
  if (file.is_absolute()) return false;
  for (const auto& part : file)
    if (part == "..") return false;
  return true;
}

RecordedVerdict recorded_from(const json& j, const std::string& backend) {
  RecordedVerdict recorded;
  Verdict& v = recorded.verdict;
  v.case_id = printable(std::string(j.at("case")));
  v.kernel = printable(std::string(j.at("kernel")));
  v.backend = backend;
  v.outcome = outcome_from(j.at("outcome"));
  v.seconds = j.at("seconds");
  v.message = printable(j.value("message", ""));
  for (const std::string& cause : j.value("causes", std::vector<std::string>())) v.causes.push_back(printable(cause));
  v.offered = j.value("offered", true);
  v.device_lost = j.value("device_lost", false);
  recorded.file = j.value("file", "");
  if (!stays_inside(recorded.file)) throw std::runtime_error("'" + recorded.file + "' is outside the recording's folder");
  return recorded;
}

RecordedRun run_from(const json& j) {
  RecordedRun run;
  run.cases = j.value("cases", "");
  run.once = j.value("each_data_once", false);
  run.ended_by = j.value("ended_by", "");
  run.identity = {j.value("run", ""), j.value("begun", ""), j.value("library_digest", ""), j.value("commit", "")};
  for (const std::string* text : {&run.identity.id, &run.identity.begun, &run.identity.library_digest, &run.identity.commit})
    if (printable(*text) != *text || (text == &run.identity.id && text->find(' ') != std::string::npos))
      throw std::runtime_error("has the run '" + printable(*text).substr(0, 40) + "'");
  if (!j.contains("share")) return run;
  run.shard.index = json_integer<int>(j.at("share").at(0));
  run.shard.count = json_integer<int>(j.at("share").at(1));
  if (run.shard.index < 1 || run.shard.index > run.shard.count) throw std::runtime_error("has share " + run.shard.text());
  return run;
}

Recording from_json(const json& j, const std::string& folder) {
  const json& library = j.at("library");
  Recording recording{folder, j.at("backend"), {}, run_from(j), {}};
  recording.library.name = library.at("name");
  recording.library.arch = library.at("arch");
  recording.library.device = library.at("device");
  recording.library.driver = library.at("driver");
  recording.library.toolkit = library.at("toolkit");
  for (const json& verdict : j.at("verdicts")) recording.verdicts.push_back(recorded_from(verdict, recording.backend));
  const auto stated = json_integer<int64_t>(j.at("count"));
  if (int64_t(recording.verdicts.size()) != stated)
    throw std::runtime_error("its header states " + std::to_string(stated) + " verdicts and it has " +
                             std::to_string(recording.verdicts.size()));
  return recording;
}

}  // namespace

void write_index(const Recording& recording) {
  const LibraryInfo& library = recording.library;
  ordered_json head = {{"assay_recording", kVersion},
                             {"abi", ASSAY_ABI_VERSION},
                             {"backend", recording.backend},
                             {"library",
                              {{"name", library.name},
                               {"arch", library.arch},
                               {"device", library.device},
                               {"driver", library.driver},
                               {"toolkit", library.toolkit}}},
                             {"count", recording.verdicts.size()}};
  const RecordedRun& run = recording.run;
  if (!run.shard.is_whole()) head["share"] = {run.shard.index, run.shard.count};
  if (!run.cases.empty()) head["cases"] = run.cases;
  if (run.once) head["each_data_once"] = true;
  if (!run.ended_by.empty()) head["ended_by"] = run.ended_by;
  const RunIdentity& identity = run.identity;
  for (const auto& [key, text] : {std::pair("run", &identity.id),
                                  {"begun", &identity.begun},
                                  {"library_digest", &identity.library_digest},
                                  {"commit", &identity.commit}})
    if (!text->empty()) head[key] = *text;
  const auto dump = [](const ordered_json& j) { return j.dump(-1, ' ', false, ordered_json::error_handler_t::replace); };
  std::string text = dump(head);
  text.back() = ',';
  text += "\n\"verdicts\":[\n";
  for (const RecordedVerdict& recorded : recording.verdicts)
    text += (&recorded == &recording.verdicts.front() ? "" : ",\n") + dump(to_json(recorded));
  write_atomically((std::filesystem::path(recording.folder) / run.shard.path("index.json")).string(), text + "\n]}\n");
}

std::vector<std::string> index_files(const std::string& folder) {
  std::vector<std::tuple<size_t, std::string>> found;
  std::error_code missing;
  for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
    const std::string name = entry.path().filename().string();
    if (name == "index.json" || glob_match("index.*of*.json", name)) found.emplace_back(name.size(), name);
  }
  std::sort(found.begin(), found.end());  // 2of12 comes before 10of12
  std::vector<std::string> names;
  for (auto& [size, name] : found) names.push_back(std::move(name));
  return names;
}

std::vector<Recording> read_indexes(const std::string& folder) {
  std::vector<Recording> all;
  for (const std::string& index : index_files(folder)) all.push_back(read_index(folder, index));
  if (all.empty()) throw DumpError(folder, "", "has no index.json: it is not a recording, or its run did not finish");
  for (const Recording& one : all)
    if (one.run.shard.is_whole() && all.size() > 1)
      throw DumpError(folder, "",
                      "holds the recording of a whole run (index.json) and of a share: they are of different runs; remove one");
  return all;
}

Recording read_index(const std::string& folder, const std::string& index) {
  const std::string path = (std::filesystem::path(folder) / index).string();
  constexpr size_t kLevels = 4;  // levels of JSON nesting: index, verdicts, verdict, causes
  try {
    const json j = read_json(path, {.levels = kLevels});
    if (!j.is_object() || !j.contains("assay_recording"))
      throw std::runtime_error("is not a recording: it lacks assay_recording");
    if (j.at("assay_recording") != kVersion)
      throw std::runtime_error("has version " + j.at("assay_recording").dump() + " and this program reads version " +
                               std::to_string(kVersion));
    return from_json(j, folder);
  } catch (const TableError& error) {
    throw DumpError(path,
                    error.line() > 0 ? "line " + std::to_string(error.line()) + ", column " + std::to_string(error.column()) : "",
                    error.problem());
  } catch (const std::exception& error) {
    throw DumpError(path, "", error.what());
  }
}

namespace {

// The differences between two runs of one case, element by element.

void count(PartChange& change, int64_t row, int64_t column, uint32_t before, uint32_t now) {
  if (change.changed++ == 0) {
    change.at = {row, column};
    change.before = before;
    change.now = now;
  }
  const int32_t from = ordinal(*change.format, before), to = ordinal(*change.format, now);
  if (is_nan_ordinal(from) || is_nan_ordinal(to)) return;
  change.most_ulps = std::max<int64_t>(change.most_ulps, std::abs(ulps_between(*change.format, to, from)));
}

std::optional<PartChange> change_of(const Part& part, const HostTensor& before, const HostTensor& now) {
  if (before.bytes.size() != now.bytes.size() || !(*before.spec.format == *now.spec.format))
    throw std::runtime_error("output '" + part.tensor + "' had another format or storage size in the earlier run");
  if (before.bytes == now.bytes) return std::nullopt;
  PartChange change{.part = part.label(), .format = part.format, .shape = part.shape};
  for (int64_t row = 0; row < part.rows(); ++row) {
    for (int64_t column = 0; column < part.columns(); ++column) {
      const int64_t offset = part.offset(row, column);
      const uint32_t was = load_code(part, before, offset), is = load_code(part, now, offset);
      if (was != is) count(change, row, column, was, is);
    }
  }
  if (change.changed == 0) return std::nullopt;
  return change;
}

}  // namespace

std::vector<PartChange> changes(const std::vector<Part>& parts, const std::vector<HostTensor>& before,
                                const std::vector<HostTensor>& now) {
  std::vector<PartChange> all;
  for (const Part& part : parts)
    if (const auto change = change_of(part, tensor_of(before, part), tensor_of(now, part))) all.push_back(*change);
  return all;
}

}  // namespace assay
