// assay::simt::launch() in place of <<<>>>. It returns when all blocks are done, and throws what a kernel throws.
#pragma once

#include "assay/compat/language.h"

namespace assay::simt {

/// Threads of a warp or block wait for each other at different places.
using Divergence = ::simt::cpu::Divergence;

struct Config {
  dim3 grid, block;
  int warp = 32;               ///< lanes: 32 or 64
  size_t shared_bytes = 0;     ///< for HIP_DYNAMIC_SHARED
  uint64_t schedule_seed = 1;  ///< order in which lanes and warps run
};

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), const Config& config, Arguments... arguments) {
  if (config.warp != 32 && config.warp != 64) throw std::invalid_argument("a warp has 32 or 64 lanes");
  const auto body = [&] { kernel(arguments...); };
  using Body = decltype(body);
  struct Call : Geometry {
    const Body* body;
  };
  const Call call{{config.grid, config.block}, &body};
  ::simt::Launch grid;
  grid.blocks = int64_t{config.grid.x} * config.grid.y * config.grid.z;
  grid.threads = int(config.block.x * config.block.y * config.block.z);
  grid.warp = config.warp;
  grid.schedule_seed = config.schedule_seed;
  ::simt::cpu::run(
      grid, [](const void* c) { (*static_cast<const Call*>(static_cast<const Geometry*>(c))->body)(); },
      static_cast<const Geometry*>(&call), config.shared_bytes);
}

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, int warp, Arguments... arguments) {
  launch(kernel, Config{grid, block, warp}, arguments...);
}

}  // namespace assay::simt
