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

/// Each prints to stdout and gives the program's exit code. Throw UsageError, TableError, LibraryError, NoDeviceError.
int run_verb(const RunArguments& arguments);
int list_verb(const Selection& selection);

}  // namespace assay
