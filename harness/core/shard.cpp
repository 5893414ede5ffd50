#include "harness/core/shard.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <filesystem>

#include "harness/text/error.h"

namespace assay {
namespace {

bool read_number(const std::string& text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

/// Two variables that together name a shard; the index counts from 0.
struct Variables {
  const char *index, *count;
};
constexpr std::array kVariables = {Variables{"GTEST_SHARD_INDEX", "GTEST_TOTAL_SHARDS"},
                                   Variables{"SLURM_PROCID", "SLURM_STEP_NUM_TASKS"},
                                   Variables{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}};

}  // namespace

std::string Shard::path(const std::string& whole) const {
  if (is_whole()) return whole;
  const std::filesystem::path path(whole);
  std::filesystem::path marked = path.parent_path() / path.stem();
  for (const std::string& end : {std::string("."), std::to_string(index), std::string("of"), std::to_string(count)}) marked += end;
  marked += path.extension();
  return marked.string();
}

Shard parse_shard(const std::string& text) {
  Shard shard{0, 0, "--shard"};
  const size_t slash = text.find('/');
  const bool numbers = slash != std::string::npos && read_number(text.substr(0, slash), shard.index) &&
                       read_number(text.substr(slash + 1), shard.count);
  if (!numbers || shard.index < 1 || shard.index > shard.count)
    throw UsageError("--shard " + text + ": want I/N with 1 <= I <= N, such as 2/4");
  return shard;
}

Shard shard_of_environment(const Environment& get) {
  for (const Variables& names : kVariables) {
    const char *index = get(names.index), *count = get(names.count);
    if (count == nullptr) continue;  // an index without a count is normal in a Slurm batch script
    const std::string source = std::string(names.index) + " and " + names.count;
    Shard shard{0, 0, source};
    if (index == nullptr || !read_number(index, shard.index) || !read_number(count, shard.count) || shard.index < 0 ||
        shard.index >= shard.count)
      throw UsageError(source + ": want an index from 0 on, below the count; they are '" + (index ? index : "") + "' and '" +
                       count + "'");
    ++shard.index;
    return shard;
  }
  return {};
}

std::string fingerprint(const std::vector<Case>& cases) {
  constexpr uint64_t kPrime = 0x100000001b3;  // FNV-1a
  uint64_t hash = 0xcbf29ce484222325;
  for (const Case& one : cases)
    for (const char c : one.id + '\n') hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

std::vector<Case> share_of(std::vector<Case> cases, const Shard& shard, const std::function<bool(const Case&)>& undivided) {
  std::vector<Case> share;
  int next = 1;  // shard of the next case
  for (Case& one : cases) {
    const bool whole = undivided && undivided(one);
    if ((whole ? 1 : next) == shard.index) share.push_back(std::move(one));
    if (!whole) next = next % shard.count + 1;
  }
  return share;
}

}  // namespace assay
