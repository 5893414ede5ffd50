// What does not run on the CPU: a name that is used is a compile error with the reason.
#pragma once

// The pragma wants one string literal, so the text is a row of words and becomes a string in one piece; they must stay as they
// are.
// clang-format off
#define ASSAY_STRING(...) #__VA_ARGS__
#define ASSAY_PRAGMA(...) _Pragma(#__VA_ARGS__)
#define ASSAY_ERROR(text) ASSAY_PRAGMA(GCC error text)
#define ASSAY_NOT_COVERED(...) ASSAY_ERROR(ASSAY_STRING(assay/simt_compat.h does not cover __VA_ARGS__))

#define cooperative_groups ASSAY_NOT_COVERED(cooperative groups) cooperative_groups
#define __pipeline_memcpy_async ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_memcpy_async
#define __pipeline_commit ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_commit
#define __pipeline_wait_prior ASSAY_NOT_COVERED(asynchronous copies (cp.async)) __pipeline_wait_prior
#define CUtensorMap ASSAY_NOT_COVERED(TMA) CUtensorMap
#define nvcuda ASSAY_NOT_COVERED(wmma; matrix units are judged through their own suites) nvcuda
#define __cluster_dims__ ASSAY_NOT_COVERED(clusters) __cluster_dims__
#define cudaTextureObject_t ASSAY_NOT_COVERED(textures) cudaTextureObject_t
#define hipTextureObject_t ASSAY_NOT_COVERED(textures) hipTextureObject_t
#define tex1Dfetch ASSAY_NOT_COVERED(textures) tex1Dfetch
#define tex2D ASSAY_NOT_COVERED(textures) tex2D
#define __activemask ASSAY_NOT_COVERED(__activemask() : which lanes are together is no fact of the program) __activemask
#define __match_any_sync ASSAY_NOT_COVERED(__match_any_sync()) __match_any_sync
#define __match_all_sync ASSAY_NOT_COVERED(__match_all_sync()) __match_all_sync
#define __HIP_NOSAT ASSAY_NOT_COVERED(__HIP_NOSAT, which differs between releases (suites/casts)) __HIP_NOSAT
// clang-format on
