#include "harness/cli/reports.h"

#include <cstdio>
#include <filesystem>
#include <map>
#include <system_error>

#include "harness/text/atomic_file.h"
#include "harness/text/error.h"
#include "harness/text/printable.h"

namespace assay {

Reports::Reports(const std::vector<std::string>& texts, const Shard& shard) : to_console_(texts.empty()) {
  std::map<std::string, std::string> files;
  for (const std::string& text : texts) {
    ReportRequest request = parse_report(text);
    to_console_ = to_console_ || request.kind == ReportKind::kConsole;
    if (request.file.empty()) continue;
    const bool is_stream = request.file.starts_with("/dev/") || request.file.starts_with("/proc/") || std::filesystem::is_fifo(request.file);
    if (!is_stream) request.file = shard.path(request.file);
    try {
      require_writable(request.file);
    } catch (const std::system_error& error) {
      throw UsageError("--report " + text + ": " + error.what());
    }
    std::error_code unresolved;
    const std::filesystem::path file = std::filesystem::weakly_canonical(request.file, unresolved);
    const auto [first, is_new] = files.emplace(unresolved ? request.file : file.string(), text);
    if (!is_new && !is_stream)
      throw UsageError("--report " + text + ": goes to the file of --report " + first->second);
    requests_.push_back(std::move(request));
  }
}

bool Reports::write(const RunResult& result, const LibraryInfo& library, const Provenance& provenance, const EarlierRun* earlier) const {
  bool all = true;
  for (const ReportRequest& request : requests_) {
    try {
      write_reports({request}, result, library, provenance, earlier);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "assay: %s\n", printable(error.what()).c_str());
      all = false;
    }
  }
  return all;
}

}  // namespace assay
