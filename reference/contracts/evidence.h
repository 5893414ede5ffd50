// The evidence for a contract row (ran, executed, read or inferred), and contracts that need hardware that we do not have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

// How we know that a contract row matches the real code: the code was run, its code object was executed on the CPU by
// kernels/gcn_executor, its source was read, or none of these (inferred).

/// From the strongest to the weakest.
enum class EvidenceKind {
  kRan,       ///< the code was run, and its outputs were compared with the row
  kExecuted,  ///< its code object was executed by kernels/gcn_executor, and the outputs were compared with the row
  kRead,      ///< its source was read
  kInferred   ///< none of these: taken from a document, similar code, or instructions in object code
};

struct RowEvidence {
  EvidenceKind kind = EvidenceKind::kInferred;
  std::string of;     ///< package with version or commit; for code that was read, also the file
  std::string flags;  ///< compiler flags, such as "nvcc -O3 -use_fast_math"
  /// GPU, driver and toolkit, or the CPU. For an executed code object: "gfx942 by assay_gcn 1; approximate: v_rcp_f32". Empty if
  /// the code was neither run nor executed.
  std::string on;
  int64_t elements = 0;  ///< number of outputs that were compared; 0 unless the code was run or executed
  std::string date;      ///< date of the run, such as "2026-11-23"
  std::string result;    ///< "agrees", or a description of the difference; empty unless the code was run

  bool has_outputs() const { return kind == EvidenceKind::kRan || kind == EvidenceKind::kExecuted; }
  /// Returns a text such as "ran: vllm 0.32.0 on H200, 1234 elements, 2026-11-23: agrees".
  std::string text() const;
};

/// Returns "ran", "executed", "read" or "inferred".
const char* name_of(EvidenceKind kind);

class EvidenceTable {
 public:
  /// Reads evidence.csv. Throws TableError for: an unknown contract or kind; a run without package, GPU, elements, date or
  /// result, or without compiler flags unless it is a Python package; an execution without source commit, compiler, executor
  /// version or list of approximate instructions; and a GPU or elements for code that was neither run nor executed.
  static EvidenceTable load(const std::string& file, const ContractTables& contracts);

  /// All evidence for a row, the strongest first. If evidence.csv has none, and the row's `source` names a commit, version or
  /// pull request, the result is one entry "read". Empty if nothing is known, as for a user's own row.
  std::vector<RowEvidence> of(const ContractRow& row) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    RowEvidence evidence;
  };
  std::vector<Entry> entries_;
};

// Contracts whose unchanged code runs neither on an sm_90 nor on a CPU. Every other contract must have evidence.

class ElsewhereTable {
 public:
  /// Reads elsewhere.csv. | separates the contracts of a cell; * at the start or end of an id matches any text. Throws TableError
  /// for an unknown contract, or if the needed hardware or the reason is missing.
  static ElsewhereTable load(const std::string& file, const ContractTables& contracts);

  /// The GPU that a contract's code needs, or why no code exists; empty if the code runs on an sm_90 or a CPU.
  std::string needs(const std::string& contract) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    std::string needs;
  };
  std::vector<Entry> entries_;
};

}  // namespace assay
