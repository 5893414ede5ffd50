// Where a report comes from: which program, asked how, when, on which machine, with which files.
#pragma once

#include <string>
#include <vector>

#include "harness/core/call.h"

namespace assay {

/// Something that a report says about its run. The name is a key: "ended_early".
struct Fact {
  std::string name, value;
};

/// A file by its bytes, since its name says nothing about which build or edit it was.
struct FileStamp {
  std::string path;
  std::string digest;  ///< "xxh3:0123456789abcdef"; empty: there is no path, or it cannot be read

  std::string text() const;  ///< "build/libassay_cpu.so (xxh3:...)"
};

/// Throws nothing: of a file that cannot be read the digest is empty.
FileStamp stamp_of(const std::string& path);

/// What differs between two runs of the same command, or explains why they differ. Verdicts hold none of it, so that reports of
/// two runs can be compared: JSON has it on a line of its own, CSV in columns that begin with "run_", the console in lines that
/// do.
struct Provenance {
  std::string version, commit;  ///< of this program; commit is "unknown" outside git
  std::string begun, ended;     ///< UTC, "2026-11-23T02:50:53Z"
  std::string ended_early;      ///< what ended the run before its last case, "SIGINT"; empty: nothing did
  std::string host;
  std::string command;        ///< as given, each word as a shell reads it back
  std::vector<Fact> options;  ///< what holds where the command line says nothing: defaults and the environment
  std::string share;          ///< "2/4 (--shard)"; empty: the whole
  FileStamp library, ledger;
  std::vector<FileStamp> tables;  ///< contracts and cases of the user's own
  std::string evidence;           ///< how the contracts that were judged are known: "42 run, 17 read, 1 inferred"
  std::string power;              ///< where that of the data is from: "of 120 data sets: 118 recorded, 2 computed"
};

/// "2026-11-23T02:50:53Z": now.
std::string utc_now();

/// A run that begins now on this machine.
Provenance begin_provenance(const std::string& version, const std::string& commit, const std::vector<std::string>& command);

/// All of it in one order, also what is not known, with what the library says about itself.
std::vector<Fact> facts_of(const Provenance& provenance, const LibraryInfo& library);

/// Eight hexadecimal digits of a hash of these facts: the same in all reports of a run, and hardly ever of two runs.
std::string run_id(const std::vector<Fact>& facts);

}  // namespace assay
