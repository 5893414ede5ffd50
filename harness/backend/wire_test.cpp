// Messages of a worker are not trusted: a kernel may have written them.
#include "harness/backend/wire.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "harness/backend/crossing.h"
#include "harness/testing/toy_op.h"
#include "reference/formats/catalogue.h"

namespace assay {
namespace {

struct Sockets {
  int ends[2];
  Sockets() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0); }
  ~Sockets() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void write(uint64_t length) const { EXPECT_EQ(::write(ends[0], &length, sizeof length), 8); }
};

TEST(Wire, ALongMessageArrivesWhole) {
  const Sockets sockets;
  const std::string sent(1'000'003, 'x');
  std::thread other([&] { EXPECT_TRUE(send_message(sockets.ends[0], sent)); });
  std::string got;
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got), Received::kMessage);
  other.join();
  EXPECT_EQ(got, sent);
}

TEST(Wire, ALengthAloneTakesNoMemory) {
  const Sockets sockets;
  std::string got;
  sockets.write(uint64_t{3} << 30);
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got), Received::kTooLong);
  sockets.write(kLongestMessage);
  EXPECT_EQ(receive_message(sockets.ends[1], 0.05, got), Received::kTimeout);
  EXPECT_LT(got.capacity(), size_t{1} << 20) << "nothing of it has come";
}

TEST(Wire, GivesUpWhenToldTo) {
  const Sockets sockets;
  std::string got;
  int asked = 0;
  EXPECT_EQ(receive_message(sockets.ends[1], 60, got, [&] { return ++asked == 3; }), Received::kGivenUp);
  EXPECT_EQ(receive_message(sockets.ends[1], -1, got, [&] { return ++asked == 6; }), Received::kGivenUp);
  EXPECT_EQ(receive_message(sockets.ends[1], 0.12, got, [] { return false; }), Received::kTimeout);
  EXPECT_TRUE(send_message(sockets.ends[0], "here"));
  EXPECT_EQ(receive_message(sockets.ends[1], 10, got, [] { return false; }), Received::kMessage);
  EXPECT_EQ(got, "here");
}

TEST(Wire, CountsBeyondTheMessageAreRefused) {
  for (const uint64_t count : {uint64_t{2}, uint64_t{1} << 61, ~uint64_t{0}}) {
    MessageWriter out;
    out.number(count);
    out.number<int64_t>(1);
    EXPECT_THROW(MessageReader(out.bytes()).numbers(), std::runtime_error) << count;
    MessageReader in(out.bytes());
    if (count > 8) {
      EXPECT_THROW(in.text(), std::runtime_error) << count;
    }
  }
}

/// The error of unpack_result for an answer with this status, number of outputs, and end of a range in the only output of 32
/// bytes.
std::string error_of(uint8_t status, uint64_t outputs, int64_t end, uint8_t order = 0) {
  const Problem problem = testing::toy_problem(kBf16, 2, 8);
  SharedMemory memory;
  const std::vector<std::byte> zeros(4096);
  memory.write(0, zeros.data(), zeros.size());
  MessageWriter out;
  out.number(status);
  out.text("");  // message
  out.text("");  // algorithm: words, split_k, promote, order
  out.number<int32_t>(0);
  out.number<int32_t>(0);
  out.number<uint8_t>(order);
  out.number(0.0);
  out.number<uint8_t>(1);
  out.number<uint8_t>(0);
  out.number(outputs);
  out.numbers({0, end});
  out.number<uint8_t>(0);
  try {
    unpack_result(out.bytes(), problem, memory);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(Wire, TheEndOfTheOtherProcessIsSeenThoughTheSocketStaysOpen) {
  Sockets sockets;
  int end[2];
  ASSERT_EQ(::pipe(end), 0);
  ::close(end[1]);  // readable from now on, like the descriptor of an ended process
  std::string bytes;
  EXPECT_EQ(receive_message(sockets.ends[0], 60, bytes, {}, end[0]), Received::kClosed);
  ASSERT_TRUE(send_message(sockets.ends[1], "said before it ended"));
  EXPECT_EQ(receive_message(sockets.ends[0], 60, bytes, {}, end[0]), Received::kMessage);
  EXPECT_EQ(bytes, "said before it ended");
  ::close(end[0]);
}

TEST(Crossing, AnAnswerIsValidated) {
  EXPECT_EQ(error_of(0, 1, 2), "");
  EXPECT_EQ(error_of(99, 1, 2), "status 99 is none");
  EXPECT_EQ(error_of(0, 0, 2), "0 outputs come with status 0") << "no pass without outputs";
  EXPECT_EQ(error_of(0, 7, 2), "7 outputs come with status 0");
  EXPECT_EQ(error_of(2, 1, 2), "1 outputs come with status 2");
  EXPECT_EQ(error_of(0, 1, 33), "invalid range of bytes: ranges must ascend, be nonempty and lie within the tensor");
  EXPECT_EQ(error_of(0, 1, -1), "invalid range of bytes: ranges must ascend, be nonempty and lie within the tensor");
  EXPECT_EQ(error_of(0, 1, 32), "");
  EXPECT_EQ(error_of(0, 1, 32, 2), "");
  EXPECT_EQ(error_of(0, 1, 32, 3), "order 3 is none");
}

}  // namespace
}  // namespace assay
