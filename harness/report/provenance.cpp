#include "harness/report/provenance.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "harness/text/messages.h"
#include "harness/text/text_file.h"

namespace assay {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

std::string options_text(const std::vector<Fact>& options) {
  std::string text;
  for (const Fact& option : options)
    text.append(text.empty() ? "" : " ").append(option.name + "=").append(shell_word(option.value));
  return text;
}

std::string stamps_text(const std::vector<FileStamp>& stamps) {
  std::string text;
  for (const FileStamp& stamp : stamps) text += (text.empty() ? "" : ", ") + stamp.text();
  return text;
}

}  // namespace

std::string FileStamp::text() const { return digest.empty() ? path : path + " (" + digest + ")"; }

FileStamp stamp_of(const std::string& path) {
  std::error_code unknown;
  if (!std::filesystem::is_regular_file(path, unknown)) return {path, ""};  // a pipe can be read only once, and a device may be
                                                                            // endless
  std::ifstream file(path, std::ios::binary);
  if (!file) return {path, ""};
  Digest digest;
  std::array<char, 1 << 16> block;
  do {
    file.read(block.data(), block.size());
    digest.add(block.data(), size_t(file.gcount()));
  } while (file);
  if (file.bad()) return {path, ""};
  return {path, "xxh3:" + digest.text()};
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Provenance begin_provenance(const std::string& version, const std::string& commit, const std::vector<std::string>& command) {
  Provenance provenance;
  provenance.version = version;
  provenance.commit = commit;
  provenance.begun = utc_now();
  provenance.host = host_name();
  for (const std::string& word : command)
    provenance.command.append(provenance.command.empty() ? "" : " ").append(shell_word(word));
  return provenance;
}

std::vector<Fact> facts_of(const Provenance& provenance, const LibraryInfo& library) {
  return {{"version", provenance.version},
          {"commit", provenance.commit},
          {"begun", provenance.begun},
          {"ended", provenance.ended},
          {"ended_early", provenance.ended_early},
          {"host", provenance.host},
          {"command", provenance.command},
          {"options", options_text(provenance.options)},
          {"share", provenance.share},
          {"library", library.name},
          {"library_file", provenance.library.text()},
          {"library_notes", fmt::format("{}", fmt::join(library.notes, "; "))},
          {"arch", library.arch},
          {"device", library.device},
          {"driver", library.driver},
          {"toolkit", library.toolkit},
          {"ledger", provenance.ledger.text()},
          {"tables", stamps_text(provenance.tables)},
          {"evidence", provenance.evidence},
          {"power", provenance.power}};
}

std::string run_id(const std::vector<Fact>& facts) {
  std::string text;
  for (const Fact& fact : facts) text.append(fact.name).append(1, '\0').append(fact.value).append(1, '\0');
  return fmt::format("{:08x}", uint32_t(XXH3_64bits(text.data(), text.size())));
}

}  // namespace assay
