#include "harness/cli/exit_codes.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "harness/text/error.h"
#include "harness/text/printable.h"

namespace assay {
namespace {

/// Set at start. Output to stdout is lost then.
bool has_no_standard_output = false;

int say(ExitCode code, const std::string& words) {
  std::fprintf(stderr, "assay: %s\n", printable_lines(words).c_str());
  return code;
}

/// Lookup errors ("unknown contract 'x'") are the user's; any other std::out_of_range is a defect of this program.
bool is_lookup(const std::out_of_range& error) { return std::string_view(error.what()).starts_with("unknown "); }

}  // namespace

int guarded(const std::function<int()>& verb) {
  const std::string defect = "internal error, a defect of assay and not of its input: ";
  try {
    return verb();
  } catch (const NoDeviceError& error) {
    return say(kNoDevice, error.what());
  } catch (const HarnessError& error) {
    return say(kHarnessFailed, error.what());
  } catch (const std::system_error& error) {
    return say(kHarnessFailed, error.what());
  } catch (const std::bad_alloc&) {
    return say(kHarnessFailed, "out of memory");
  } catch (const std::out_of_range& error) {
    return is_lookup(error) ? say(kUsageOrNothingRan, error.what()) : say(kHarnessFailed, defect + error.what());
  } catch (const std::logic_error& error) {
    return say(kHarnessFailed, defect + error.what());
  } catch (const std::exception& error) {
    return say(kUsageOrNothingRan, error.what());
  } catch (...) {
    return say(kHarnessFailed, defect + "an exception of unknown type");
  }
}

int delivered(int code) {
  const bool flushed = std::fflush(stdout) == 0;
  const int error = errno;
  if (flushed && std::ferror(stdout) == 0) return code;
  const std::string why = has_no_standard_output ? ": it is closed" : flushed ? "" : std::string(": ") + std::strerror(error);
  const int lost = say(kHarnessFailed, "standard output was lost" + why);
  return code == kAllAsExpected ? lost : code;
}

void hold_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0) continue;
    if (descriptor == STDOUT_FILENO) has_no_standard_output = true;
    const int file = ::open(descriptor == STDOUT_FILENO ? "/dev/full" : "/dev/null", O_RDWR);
    if (file >= 0 && file != descriptor) ::dup2(file, descriptor), ::close(file);
  }
}

}  // namespace assay
