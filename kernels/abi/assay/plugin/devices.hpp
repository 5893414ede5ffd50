// The devices over which the ranks of a group are spread.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "assay/plugin/call.hpp"

#pragma GCC visibility push(hidden)  // hidden, because two plug-ins in one process must not share these statics
namespace assay::plugin {

/// True if the runtime supports several devices. It must have: int devices(); Error use(int device), which makes it the current
/// device; bool reach(int from, int to), which lets `from` access the memory of `to`; and copy_across(to, from, bytes).
template <class Runtime, class = void>
struct HasDevices : std::false_type {};
template <class Runtime>
struct HasDevices<Runtime, std::void_t<decltype(Runtime::devices())>> : std::true_type {};

/// Makes a device the current one until destruction; then device 0 is current again.
template <class Runtime>
class OnDevice {
 public:
  explicit OnDevice(int device) {
    if constexpr (HasDevices<Runtime>::value)
      if (Runtime::use(device) != Runtime::kSuccess)
        throw Refusal(ASSAY_DEVICE_LOST, "device " + std::to_string(device) + " cannot be used");
  }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;
  ~OnDevice() {
    if constexpr (HasDevices<Runtime>::value) (void)Runtime::use(0);
  }
};

/// True if each of these devices can access the memory of all others. Sends bytes and reads them back, because some drivers
/// report peer access but deliver no data (vLLM 2728, 47544).
template <class Runtime>
bool devices_reach_each_other(const std::vector<int>& devices) {
  if constexpr (HasDevices<Runtime>::value) {
    for (const int from : devices)
      for (const int to : devices) {
        if (from == to) continue;
        const uint64_t sent = 0x5a5a000000000000u + uint64_t(from * 256 + to);
        uint64_t found = 0;
        void *here = nullptr, *there = nullptr;
        {
          const OnDevice<Runtime> on(to);
          if (Runtime::allocate(&there, sizeof sent) != Runtime::kSuccess) return false;
        }
        {
          const OnDevice<Runtime> on(from);
          if (!Runtime::reach(from, to) || Runtime::allocate(&here, sizeof sent) != Runtime::kSuccess ||
              Runtime::copy_in(here, &sent, sizeof sent) != Runtime::kSuccess ||
              Runtime::copy_across(there, here, sizeof sent) != Runtime::kSuccess)
            found = ~sent;
        }
        {
          const OnDevice<Runtime> on(to);
          if (found == 0 && Runtime::copy_out(&found, there, sizeof found) != Runtime::kSuccess) found = ~sent;
        }
        if (here != nullptr) (void)Runtime::release(here);
        (void)Runtime::release(there);
        if (found != sent) return (void)Runtime::take_last_error(), false;
      }
  }
  return true;
}

/// Devices that groups may use, from the variable ASSAY_DEVICES. "2": the first two devices; "1,3": these devices; "0,0": device
/// 0 twice, which tests the code for two devices on one. Devices that do not exist are left out.
template <class Runtime>
std::vector<int> devices_allowed() {
  const int all = Runtime::devices();
  const char* const said = std::getenv("ASSAY_DEVICES");
  const std::string text = said != nullptr ? said : "";
  std::vector<int> allowed;
  if (text.find(',') == std::string::npos) {
    const int most = text.empty() ? all : std::max(1, std::atoi(text.c_str()));
    for (int device = 0; device < std::min(all, most); ++device) allowed.push_back(device);
    return allowed;
  }
  for (size_t at = 0, comma = 0; comma != std::string::npos; at = comma + 1) {
    comma = text.find(',', at);
    if (const int device = std::atoi(text.c_str() + at); device >= 0 && device < all) allowed.push_back(device);
  }
  return allowed;
}

/// Chooses the devices for a group of this many ranks: the same number of ranks on each, or a single device if the devices have
/// no peer access.
template <class Runtime>
std::vector<int> devices_for(int32_t ranks) {
  if constexpr (HasDevices<Runtime>::value) {
    std::vector<int> devices = devices_allowed<Runtime>();
    if (devices.empty()) return {0};
    size_t count = std::min(devices.size(), size_t(ranks));
    while (size_t(ranks) % count != 0) --count;
    devices.resize(count);
    if (!devices_reach_each_other<Runtime>(devices)) devices.resize(1);
    return devices;
  }
  return {0};
}

}  // namespace assay::plugin
#pragma GCC visibility pop
