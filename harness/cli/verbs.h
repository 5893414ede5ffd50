// The verbs of the program: arguments as read, exit code as returned. main.cpp reads, the verbs do.
#pragma once

#include <string>
#include <vector>

#include "harness/core/cases.h"

namespace assay {

struct RunArguments {
  std::string backend = "cpu";  ///< a name, or the path of a library
  std::string kernel = "*";
  Selection selection;
  std::vector<std::string> reports;
  int repeat = 1;
  bool in_process = false;
  double timeout_seconds = 60;
};

struct GoldenArguments {
  std::string action;   ///< "check" or "write"
  std::string backend;  ///< write what this back end returns; empty: what the reference predicts
  std::string folder;   ///< instead of golden/ in the data folder
  double timeout_seconds = 60;
};

struct ExplainArguments {
  std::string case_id;
  std::string backend = "cpu";
  std::string kernel = "*";
  std::vector<int64_t> element;  ///< row and column to trace; empty: the worst one, else [0, 0]
};

struct ContractsArguments {
  std::string action;  ///< "list", "show", "diff" or "match"
  std::vector<std::string> ids;
  std::string backend = "cpu", op, kernel = "*";
};

/// Each prints to stdout and gives the program's exit code. Throw UsageError, TableError, LibraryError, NoDeviceError.
int run_verb(const RunArguments& arguments);
int list_verb(const Selection& selection);
int golden_verb(const GoldenArguments& arguments);
int explain_verb(const ExplainArguments& arguments);
int contracts_verb(const ContractsArguments& arguments);
int match_verb(const ContractsArguments& arguments);

}  // namespace assay
