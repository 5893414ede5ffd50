// What supports a contract row (ran, executed, read or inferred), and which rows need hardware that is not here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reference/contracts/contract_rows.h"

namespace assay {

// How it is known that a contract row says what the real code does: the code was run, or read, or it is inferred.

/// From the strongest to the weakest.
enum class EvidenceKind {
  kRan,      ///< the code that the row describes was run, and its outputs were compared with the row
  kExecuted, ///< its code object was executed by kernels/gcn_executor, and its outputs were compared with the row
  kRead,     ///< its source was read
  kInferred  ///< neither: from a document, from like code, or from instructions that were read in object code
};

struct RowEvidence {
  EvidenceKind kind = EvidenceKind::kInferred;
  std::string of;        ///< package and version or commit; of what was read also the file
  std::string flags;     ///< of the build: "nvcc -O3 -use_fast_math"
  std::string on;        ///< chip, driver and toolkit, or the CPU; of what was executed "gfx942 by assay_gcn 1; approximate: v_rcp_f32";
                         ///< empty unless it was run or executed
  int64_t elements = 0;  ///< outputs that were compared; 0 unless it was run or executed
  std::string date;      ///< of the run: "2026-11-23"
  std::string result;    ///< "agrees", or on what it differs; empty unless it was run

  bool has_outputs() const { return kind == EvidenceKind::kRan || kind == EvidenceKind::kExecuted; }
  /// "ran: vllm 0.32.0 on H200, 1234 elements, 2026-11-23: agrees".
  std::string text() const;
};

/// "ran", "executed", "read", "inferred".
const char* name_of(EvidenceKind kind);

class EvidenceTable {
 public:
  /// Reads evidence.csv. Throws TableError: an unknown contract or kind, a run without its package, chip, elements, date or
  /// result, or, unless it is a package of Python, without the flags of its build; an execution without the commit of its source, its compiler, the
  /// executor's version or its approximate instructions; a chip or elements of what was neither run nor executed.
  static EvidenceTable load(const std::string& file, const ContractTables& contracts);

  /// All that is known of a row, the strongest first. Where the table has nothing and the row's `source` names a commit, a version or a
  /// pull request, that it was read there. Empty: nothing is known, as of a user's own row.
  std::vector<RowEvidence> of(const ContractRow& row) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    RowEvidence evidence;
  };
  std::vector<Entry> entries_;
};

// Contracts whose implementation runs neither on sm_90 nor on a CPU. Evidence can be demanded for all others.

class ElsewhereTable {
 public:
  /// Reads elsewhere.csv: contracts separated by |, where a leading or trailing * matches anything. Throws TableError: an unknown
  /// contract, or a missing need or reason.
  static ElsewhereTable load(const std::string& file, const ContractTables& contracts);

  /// The GPU that a contract's implementation needs, or why there is none; empty if an sm_90 or a CPU runs it.
  std::string needs(const std::string& contract) const;

 private:
  struct Entry {
    std::vector<std::string> contracts;
    std::string needs;
  };
  std::vector<Entry> entries_;
};

}  // namespace assay
