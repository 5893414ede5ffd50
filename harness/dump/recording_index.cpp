#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "assay/abi.h"
#include "harness/dump/dump.h"
#include "harness/text/guarded_json.h"
#include "harness/dump/recording.h"
#include "harness/text/atomic_file.h"
#include "harness/text/glob.h"
#include "harness/text/json_integer.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

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
                               Outcome::kNotJudged})
    if (word == name(outcome)) return outcome;
  throw std::runtime_error("'" + word.substr(0, 40) + "' is no outcome");
}

/// A recording is untrusted; its index may only name files in its own folder.
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
  if (!stays_inside(recorded.file)) throw std::runtime_error("'" + recorded.file + "' lies outside the recording");
  return recorded;
}

RecordedRun run_from(const json& j) {
  RecordedRun run;
  run.cases = j.value("cases", "");
  run.once = j.value("each_data_once", false);
  run.ended_by = j.value("ended_by", "");
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
    throw std::runtime_error("its head counts " + std::to_string(stated) + " verdicts and it holds " +
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
      throw DumpError(folder, "", "holds the recording of a whole run (index.json) and of a share: they are of different runs; remove one");
  return all;
}

Recording read_index(const std::string& folder, const std::string& index) {
  const std::string path = (std::filesystem::path(folder) / index).string();
  constexpr size_t kLevels = 4;  // nesting: index, verdicts, verdict, causes
  try {
    const json j = read_json(path, {.levels = kLevels});
    if (!j.is_object() || !j.contains("assay_recording")) throw std::runtime_error("is not a recording: it lacks assay_recording");
    if (j.at("assay_recording") != kVersion)
      throw std::runtime_error("has version " + j.at("assay_recording").dump() + " and this program reads version " +
                               std::to_string(kVersion));
    return from_json(j, folder);
  } catch (const TableError& error) {
    throw DumpError(path, error.line() > 0 ? "line " + std::to_string(error.line()) + ", column " + std::to_string(error.column()) : "",
                    error.problem());
  } catch (const std::exception& error) {
    throw DumpError(path, "", error.what());
  }
}

}  // namespace assay
