#include "harness/dump/recording.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "assay/abi.h"
#include "harness/dump/safetensors.h"
#include "harness/dump/strided.h"
#include "harness/text/atomic_file.h"
#include "harness/text/digest.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

std::string ranges_text(const std::vector<ByteRange>& ranges) {
  std::string text;
  for (const ByteRange& range : ranges)
    text.append(text.empty() ? "" : ",").append(std::to_string(range.begin)).append("-").append(std::to_string(range.end));
  return text;
}

/// Kernel names come from a library and must not escape the folder: bytes unsuitable for a file name become %XX, so that
/// different names get different files. A long name is cut and followed by ~ and its digest; an escaped name contains no ~.
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

  void add(const HostTensor& tensor) {
    const TensorSpec& spec = tensor.spec;
    const bool plain = spec.strides == dense("", spec.role, *spec.format, spec.shape).strides && spec.storage == spec.elements();
    const std::string key = key_of(spec);
    if (spec.rank > 0) metadata[key + ".rank"] = std::to_string(spec.rank);
    tensors.push_back({key, spec.format, plain ? spec.shape : std::vector<int64_t>{spec.storage}, tensor.bytes, spec.packed});
    metadata[key + ".format"] = std::string(spec.format->name);
    metadata[key + ".role"] = spec.role == Role::kInput ? "input" : "output";
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
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != '-') throw DumpError(file, place, "is not a list of ranges");
    const auto last = std::from_chars(first.ptr + 1, end, range.end);
    if (last.ec != std::errc() || range.begin < 0 || range.end < range.begin)
      throw DumpError(file, place, "is not a list of ranges");
    ranges.push_back(range);
    at = last.ptr;
    if (at != end && *at++ != ',') throw DumpError(file, place, "is not a list of ranges");
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
  for (const HostTensor& tensor : evidence.problem.tensors)
    if (tensor.spec.role == Role::kInput) contents.add(tensor);
  for (size_t i = 0; i < evidence.result->outputs.size(); ++i) {
    const HostTensor& output = evidence.result->outputs[i];
    contents.add(output);
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

void Recorder::finish(const RunResult& result) const {
  Recording recording{folder_, backend_, library_, run_, {}};
  recording.run.ended_by = result.ended_by;
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
    if (role != "input" && role != "output") throw DumpError(file, "tensor '" + stored.name + "'", "has no role in the metadata");
    if (stored.format == nullptr)
      throw DumpError(file, "tensor '" + stored.name + "'", stored.dtype + " is no format of a recording");
    HostTensor tensor{storage_spec(dump, stored), read_bytes(dump, stored)};
    tensor.spec.role = role == "input" ? Role::kInput : Role::kOutput;
    if (const std::string rank = metadata_or_empty(dump, stored.name + ".rank"); !rank.empty()) {
      const auto [end, failure] = std::from_chars(rank.data(), rank.data() + rank.size(), tensor.spec.rank);
      tensor.spec.name = stored.name.substr(0, stored.name.find('@'));
      if (failure != std::errc() || end != rank.data() + rank.size() || key_of(tensor.spec) != stored.name)
        throw DumpError(file, "tensor '" + stored.name + "'", "is not of the rank that the metadata say");
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

}  // namespace assay
