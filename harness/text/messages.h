// Text for people and shells: errors, exit codes, quoting of untrusted text, and glob patterns for names.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include "reference/table/near.h"

namespace assay {

// Errors that end a run, with exit codes. A mistake in a table is a TableError; a mistake of a kernel gives a Verdict.

enum ExitCode : int {
  kAllAsExpected = 0,
  kUnexpected = 1,
  kUsageOrNothingRan = 2,
  kDeviceLost = 3,
  kHarnessFailed = 3,  ///< exit code of a run that ended early, although no kernel is the cause
  kNoDevice = 77  ///< CTest's SKIP_RETURN_CODE
};

/// A mistake of the caller: for example, the command line names a case that does not exist.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The harness itself failed, for example when it wrote a recording. Ends the run and says nothing about any kernel.
struct HarnessError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The kernel library is valid but finds no device.
struct NoDeviceError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Text from untrusted sources (libraries, dumps, recordings, file names), made safe for a terminal, a table and a shell.

/// A CSV cell; quoted if it contains a separator, quotes or outer blanks.
std::string csv_cell(const std::string& text);

/// An argument quoted for a POSIX shell, unless it needs no quotes. Bytes that printable() would escape are written as $'\x1b'.
std::string shell_word(std::string_view text);

// Glob patterns for case ids, kernel names and mutant names.

/// Whether `pattern` matches all of `text`. `*` matches any run of characters, including '/' and '.'; `?` matches one character.
bool glob_match(std::string_view pattern, std::string_view text);

/// Whether one of several patterns separated by | matches.
bool any_glob_matches(std::string_view patterns, std::string_view text);

}  // namespace assay
