// The worker's side of the process boundary.
#include <unistd.h>

#include <exception>

#include "harness/backend/crash_words.h"
#include "harness/backend/crossing.h"
#include "harness/backend/descendants.h"
#include "harness/backend/library.h"
#include "harness/backend/runner.h"
#include "harness/backend/worker.h"
#include "harness/backend/worker_files.h"
#include "harness/backend/worker_limits.h"
#include "harness/text/error.h"

namespace assay {
namespace {

/// The first message: a description, or the reason why there is none.
std::string greeting(Greeting kind, const std::string& text, const std::string& note = "", bool joins_groups = false) {
  MessageWriter out;
  out.number(kWorkerProtocol);
  out.number<uint8_t>(uint8_t(kind));
  out.text(text);
  out.text(note);
  out.number<uint8_t>(joins_groups);
  return out.bytes();
}

CallResult answer(Runner& runner, const CallRequest& request) {
  try {
    return runner.call(request);
  } catch (const std::exception& error) {
    CallResult result;
    result.status = CallStatus::kNotCalled;
    result.message = std::string("not called: the worker cannot make the call: ") + error.what();
    return result;
  }
}

}  // namespace

bool serve_calls(const std::function<Library()>& open, int socket, int memory_file) {
  Library library;
  try {
    library = open();
  } catch (const NoDeviceError& error) {
    return send_message(socket, greeting(Greeting::kNoDevice, error.what()));
  } catch (const std::exception& error) {
    return send_message(socket, greeting(Greeting::kUnusable, error.what()));
  }
  const std::string note = library.info.notes.empty() ? "" : library.info.notes.front();
  if (!send_message(socket, greeting(Greeting::kReady, library.description, note, library.info.joins_groups))) return false;

  std::string message;
  SharedMemory memory(memory_file);
  Runner runner(library.functions);
  while (receive_message(socket, -1, message) == Received::kMessage) {
    const UnpackedRequest unpacked = unpack_request(message, memory);
    CallRequest request = unpacked.request;
    request.problem = &unpacked.problem;
    const CallResult result = answer(runner, request);
    if (!send_message(socket, pack_result(result, unpacked.problem, memory))) return false;
  }
  return true;
}

int worker_main(const std::function<Library()>& open) {
  obey_own_signals_alone();
  adopt_orphans();
  end_with_other_side(kWorkerSocket);
  speak_of_crashes(kWorkerWords, "");
  std::string message;
  if (receive_message(kWorkerSocket, -1, message) != Received::kMessage) return 1;
  limit_memory(MessageReader(message).number<uint64_t>());
  return serve_calls(open, kWorkerSocket, kWorkerMemory) ? 0 : 1;
}

int worker_main(const std::string& path) {
  return worker_main([path] { return open_library(path); });
}

}  // namespace assay
