#include "harness/backend/worker_process.h"

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <utility>

#include "harness/backend/crossing.h"
#include "harness/backend/library.h"
#include "harness/backend/live_workers.h"
#include "harness/backend/wire.h"
#include "harness/text/error.h"

namespace assay {
namespace {

std::string seconds_in_words(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%g s", seconds);
  return text;
}

}  // namespace

CallResult without_outputs(CallStatus status, std::string message) {
  CallResult result;
  result.status = status;
  result.message = std::move(message);
  return result;
}

Described Worker::start() {
  process_.emplace(options_, path_, memory_.file());
  MessageWriter settings;
  settings.number<uint64_t>(options_.memory_bytes);
  send_message(process_->socket(), settings.bytes());  // a worker that is already gone is noticed below
  std::string message;
  switch (receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended, process_->end())) {
    case Received::kMessage:
      break;
    case Received::kClosed: {
      const std::string end = process_->exit_text();
      process_.reset();
      throw LibraryError(path_ + ": " + end + ", while it was loaded");
    }
    case Received::kTimeout:
      end_process();
      throw LibraryError(path_ + ": not loaded within " + seconds_in_words(options_.timeout_seconds));
    case Received::kGivenUp:
      end_process();
      throw LibraryError(path_ + ": abandoned: the run ended");
    case Received::kTooLong:
      end_process();
      throw LibraryError(path_ + ": wrote into the worker's socket while it was loaded");
  }
  Greeting kind{};
  const Described described = read_greeting(message, kind);
  if (kind == Greeting::kReady) return described;
  process_.reset();
  if (kind == Greeting::kNoDevice) throw NoDeviceError(described.description);
  throw LibraryError(described.description);
}

CallResult Worker::call(const CallRequest& request, bool& hung) {
  try {
    if (!process_) start();
  } catch (const std::exception& error) {
    CallResult lost =
        without_outputs(CallStatus::kDeviceLost, std::string("the worker cannot be started again: ") + error.what());
    lost.reached_kernel = false;
    return lost;
  }
  const pid_t worker = process_->number();
  CallResult result = answer(request, hung);
  if (const int signal = take_signal_of(worker); signal != 0) {
    process_.reset();
    const char* const name = ::sigabbrev_np(signal);
    return without_outputs(CallStatus::kBroken, "sent SIG" + std::string(name != nullptr ? name : "?") + " to the process that called it");
  }
  return result;
}

CallResult Worker::answer(const CallRequest& request, bool& hung) {
  std::string message;
  const bool sent = send_message(process_->socket(), pack_request(request, memory_));
  switch (sent ? receive_message(process_->socket(), options_.timeout_seconds, message, options_.ended, process_->end()) : Received::kClosed) {
    case Received::kMessage:
      break;
    case Received::kClosed:
      return broken(process_->exit_text());
    case Received::kTimeout:
      hung = true;
      return broken("hung: no answer within " + seconds_in_words(options_.timeout_seconds) +
                    (process_->kill() ? "" : ", and its process does not end when it is killed"));
    case Received::kGivenUp:
      process_->kill();
      return broken("abandoned: the run ended");
    case Received::kTooLong:
      process_->kill();
      return broken("wrote into the worker's socket");
  }
  try {
    CallResult result = unpack_result(message, *request.problem, memory_);
    memory_.shrink_to(kKeptBetweenCalls);
    if (result.poisoned) process_.reset();
    return result;
  } catch (const std::runtime_error& error) {
    process_->kill();
    return broken(std::string("damaged the worker, which sent an invalid answer: ") + error.what());
  }
}

Described Worker::read_greeting(const std::string& message, Greeting& kind) {
  try {
    MessageReader in(message);
    if (in.number<uint32_t>() != kWorkerProtocol) throw std::runtime_error("it begins otherwise");
    kind = Greeting(in.number<uint8_t>());
    return {in.text(), in.text(), in.number<uint8_t>() != 0};
  } catch (const std::runtime_error& error) {
    end_process();
    throw LibraryError(path_ + ": the first message of worker " + options_.program + " is none (" + error.what() +
                       "): a program of another build than this one?");
  }
}

void Worker::end_process() {
  process_->kill();
  process_.reset();
}

CallResult Worker::broken(std::string message) {
  process_.reset();
  return without_outputs(CallStatus::kBroken, std::move(message));
}

}  // namespace assay
