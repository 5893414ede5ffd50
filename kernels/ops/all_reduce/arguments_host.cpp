#include <cstring>

#include "kernels/ops/all_reduce/run.h"

namespace assay_kernels {
namespace {

constexpr int64_t kMostBytes = int64_t{1} << 30;

int64_t elements_of(const assay_tensor& t) {
  int64_t product = 1;
  for (int d = t.ndim - 1; d >= 0; --d) {
    if (t.shape[d] > 1 && t.strides[d] != product) unsupported(named(t) + " must be dense");
    product *= t.shape[d];
  }
  return product;
}

template <uint32_t kPattern>
void fill_buffers(unsigned char* area, size_t bytes) {
  const uint32_t word = kPattern;
  for (size_t at = kAreaBuffer; at + sizeof word <= bytes; at += sizeof word) std::memcpy(area + at, &word, sizeof word);
}

/// Flags as they are behind so many barriers, and as many calls.
void begin_signals_at(unsigned char* area, uint32_t counter) {
  Signals signals;
  std::memcpy(&signals, area, sizeof signals);
  for (int block = 0; block < kMostRankBlocks; ++block) {
    signals.flag[block] = signals.calls[block] = counter;
    for (int rank = 0; rank < kMostRanks && counter > 0; ++rank) {
      (counter % 2 == 0 ? signals.even : signals.odd)[block][rank] = counter;
      (counter % 2 == 0 ? signals.odd : signals.even)[block][rank] = counter - 1;
    }
  }
  std::memcpy(area, &signals, sizeof signals);
}

}  // namespace

AreaRequest counted_from(const Call& call, AreaRequest request) {
  request.counter = uint32_t(call.number("counter", 0));
  if (request.counter > 0) request.begin_at = begin_signals_at;
  return request;
}

AllReduceArguments all_reduce_arguments(const Ranks& ranks) {
  AllReduceArguments a{};
  a.ranks = ranks.size;
  a.area_bytes = int64_t(ranks.area_bytes);
  a.whole = true;
  a.straggler = straggler_of(Call(*ranks.calls[0]));
  for (int r = 0; r < ranks.size; ++r) {
    const Call call(*ranks.calls[r]);
    const assay_tensor &x = call.at("x"), &y = call.at("y");
    const int64_t elements = elements_of(x);
    if (r > 0 && elements != a.elements) failed("ranks must have as many elements each");
    if (elements_of(y) != elements || !has_type(y, x.type_code, x.type_bits)) failed("y must have the shape and type of x");
    a.elements = elements;
    a.x[r] = x.data;
    a.y[r] = y.data;
    a.area[r] = static_cast<unsigned char*>(ranks.areas[r]);
    a.whole = a.whole && (reinterpret_cast<uintptr_t>(x.data) | reinterpret_cast<uintptr_t>(y.data)) % 16 == 0;
  }
  return a;
}

void expect_whole_packets(const AllReduceArguments& a, const assay_tensor& x) {
  if (!a.whole) unsupported("x and y must be aligned to 16 bytes");
  if (a.elements * x.type_bits / 8 % 16 != 0) unsupported("the message must have a multiple of 16 bytes");
}

AreaRequest signals_and_buffer(const Call& call) {
  const assay_tensor& x = call.at("x");
  const int64_t bytes = elements_of(x) * x.type_bits / 8;
  if (bytes > kMostBytes) unsupported("more than 1 GiB");
  // At first nothing that anybody may take for a number.
  return counted_from(call, {kSignalsAndBuffer, size_t(kAreaBuffer + bytes), fill_buffers<0xffffffffu>});
}

AreaRequest coded_area(const Call& call) { return area_of_groups(call, kCodecBlock, kCodecBytes); }

AreaRequest area_of_groups(const Call& call, int64_t numbers, int64_t bytes) {
  AreaRequest request = signals_and_buffer(call);
  const int64_t groups = (elements_of(call.at("x")) + numbers - 1) / numbers;
  request.bytes = size_t(kAreaBuffer + 2 * groups * bytes);
  return request;
}

void fill_with_minus_zero(unsigned char* area, size_t bytes) { fill_buffers<0x80000000u>(area, bytes); }

AreaRequest lamport_area(const Call& call, bool minus_zero) {
  const assay_tensor& x = call.at("x");
  const int64_t bytes = (elements_of(x) * x.type_bits / 8 + 15) / 16 * 16;
  const int64_t most = kMostBytes / (kLamportBuffers * call.raw().world_size);
  if (bytes > most) unsupported("more than " + std::to_string(most >> 20) + " MiB of each rank");
  AreaRequest request =
      counted_from(call, {kLamportPlusZero, size_t(kAreaBuffer + bytes * kLamportBuffers * call.raw().world_size), nullptr});
  if (!minus_zero) return request;
  const bool wide = x.type_bits == 32;
  request.kind = wide ? kLamportMinusZero32 : kLamportMinusZero16;
  request.fill = wide ? fill_with_minus_zero : fill_buffers<0x80008000u>;
  return request;
}

std::string all_reduce_complaint(const unsigned char* head, int /*rank*/) {
  Signals said;
  std::memcpy(&said, head, assay::plugin::kAreaHead);
  if (said.waited_for == 0) return "";
  static const char* const kPlaces[] = {"", "at the start", "in the middle", "at the end", "for a packet"};
  const std::string flag =
      said.wanted == said.seen ? "" : ", whose flag was " + std::to_string(said.seen) + " and not " + std::to_string(said.wanted);
  return "block " + std::to_string(said.block) + " waited in vain for rank " + std::to_string(said.waited_for - 1) + " " +
         kPlaces[said.place % 5] + flag + "; its 'y' is not made";
}

}  // namespace assay_kernels
