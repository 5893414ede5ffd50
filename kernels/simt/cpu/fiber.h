// A stackful context on Boost.Context, with the annotations that the sanitizers need. Used by executor.cpp alone, which is
// compiled without TSan: a switch carries no synchronisation of its own, or no race between lanes could be seen.
#pragma once

#include <boost/context/detail/fcontext.hpp>
#include <cstddef>

#ifdef ASSAY_SIMT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef ASSAY_SIMT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

namespace simt::cpu {

class Fiber {
 public:
  Fiber() = default;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;
#ifdef ASSAY_SIMT_TSAN
  ~Fiber() {
    if (tsan_self_) __tsan_destroy_fiber(tsan_self_);
  }
#endif

  /// main(argument) begins at the first resume() and never returns.
  void make(std::byte* stack, size_t bytes, void (*main)(void*), void* argument) {
    main_ = main;
    argument_ = argument;
    self_ = boost::context::detail::make_fcontext(stack + bytes, bytes, &Fiber::enter);
#ifdef ASSAY_SIMT_ASAN
    stack_ = stack;
    stack_bytes_ = bytes;
#endif
#ifdef ASSAY_SIMT_TSAN
    tsan_self_ = __tsan_create_fiber(0);
#endif
  }

  /// Called by the scheduler: runs the fiber to its next yield().
  void resume() {
#ifdef ASSAY_SIMT_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, stack_, stack_bytes_);
#endif
#ifdef ASSAY_SIMT_TSAN
    tsan_back_ = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(tsan_self_, __tsan_switch_to_fiber_no_sync);
#endif
    self_ = boost::context::detail::jump_fcontext(self_, this).fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  }

  /// Called within the fiber: back to the scheduler.
  void yield() {
#ifdef ASSAY_SIMT_ASAN
    void* fake_stack = nullptr;
    __sanitizer_start_switch_fiber(&fake_stack, back_stack_, back_stack_bytes_);
#endif
#ifdef ASSAY_SIMT_TSAN
    __tsan_switch_to_fiber(tsan_back_, __tsan_switch_to_fiber_no_sync);
#endif
    back_ = boost::context::detail::jump_fcontext(back_, nullptr).fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, &back_stack_, &back_stack_bytes_);
#endif
  }

 private:
  static void enter(boost::context::detail::transfer_t from) {
    Fiber& fiber = *static_cast<Fiber*>(from.data);
    fiber.back_ = from.fctx;
#ifdef ASSAY_SIMT_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &fiber.back_stack_, &fiber.back_stack_bytes_);
#endif
    fiber.main_(fiber.argument_);
  }

  boost::context::detail::fcontext_t self_ = nullptr, back_ = nullptr;
  void (*main_)(void*) = nullptr;
  void* argument_ = nullptr;
#ifdef ASSAY_SIMT_ASAN
  const void *stack_ = nullptr, *back_stack_ = nullptr;
  size_t stack_bytes_ = 0, back_stack_bytes_ = 0;
#endif
#ifdef ASSAY_SIMT_TSAN
  void *tsan_self_ = nullptr, *tsan_back_ = nullptr;
#endif
};

}  // namespace simt::cpu
