// Provenance of a report: program version, command line, time, machine and files.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// A fact about a run. The name is a key: "ended_early".
struct Fact {
  std::string name, value;
};

/// A file and its digest: a name alone does not show that the file was rebuilt or edited.
struct FileStamp {
  std::string path;
  std::string digest;  ///< "xxh3:0123456789abcdef"; empty if there is no path or the file cannot be read

  std::string text() const;  ///< "build/libassay_cpu.so (xxh3:...)"
};

/// Does not throw: the digest of an unreadable file is empty.
FileStamp stamp_of(const std::string& path);

/// Everything that may differ between two runs of one command. Verdicts contain none of it, so that reports of two runs can be
/// compared. In JSON it is one line; in CSV it has columns, and on the console lines, whose names begin with "run_".
struct Provenance {
  std::string version, commit;  ///< of this program; `commit` is "unknown" outside git
  std::string begun, ended;     ///< UTC, "2026-11-23T02:50:53Z"
  std::string ended_early;      ///< the signal that ended the run before its last case, such as "SIGINT"; empty: none
  std::string host;
  std::string command;        ///< as given, quoted for a shell
  std::vector<Fact> options;  ///< values that the command line does not set: defaults and environment
  std::string share;          ///< "2/4 (--shard)"; empty: the complete run
  FileStamp library, ledger;
  std::vector<FileStamp> tables;  ///< the user's contract and case tables
  std::string evidence;           ///< contracts by evidence (glossary): "of 60 contracts checked: 42 ran, 17 read, 1 inferred"
  std::string power;              ///< source of the mutation scores: "mutation scores of 120 data sets: 118 read from golden/power, ..."
};

/// The current time: "2026-11-23T02:50:53Z".
std::string utc_now();

/// The provenance of a run that begins now on this machine.
Provenance begin_provenance(const std::string& version, const std::string& commit, const std::vector<std::string>& command);

/// All facts in a fixed order, including what the library's describe() says. The value of an unknown fact is empty.
std::vector<Fact> facts_of(const Provenance& provenance, const LibraryInfo& library);

/// A hash of these facts as eight hex digits: equal in all reports of a run, and almost always different for two runs.
std::string run_id(const std::vector<Fact>& facts);

}  // namespace assay
