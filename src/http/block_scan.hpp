// Searches over the bytes of a head, sixteen at a time where the processor can (SSE2 is part of
// every x86-64). Inline, because they run once a line of every message.
//
// Threads: pure functions.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "http/syntax.hpp"

namespace steelyard::http {

inline constexpr std::size_t block_bytes = 16;

#if defined(__SSE2__)

inline __m128i load_block(const char* at) noexcept {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
}

// One bit a byte: set where a control byte stands (not a tab), or a blank or tab when asked.
template <bool BlanksToo>
unsigned refused_in_block(const char* at) noexcept {
  const __m128i block = load_block(at);
  const __m128i last_low = _mm_set1_epi8(BlanksToo ? 0x20 : 0x1f);
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, last_low), block);
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
  const __m128i refused = _mm_or_si128(BlanksToo ? low : _mm_andnot_si128(tab, low), del);
  return static_cast<unsigned>(_mm_movemask_epi8(refused));
}

#endif

// The first control byte of [at, end), or the first blank, tab or control byte; end when there is
// none.
template <bool BlanksToo>
const char* find_refused(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  for (; end - at >= static_cast<std::ptrdiff_t>(block_bytes); at += block_bytes) {
    const unsigned marks = refused_in_block<BlanksToo>(at);
    if (marks != 0) return at + std::countr_zero(marks);
  }
#endif
  while (at != end && !is_control(*at) && !(BlanksToo && (*at == ' ' || *at == '\t'))) ++at;
  return at;
}

// The first colon of [at, end); end when there is none. Names are mostly shorter than a block.
inline const char* find_colon(const char* at, const char* end) noexcept {
#if defined(__SSE2__)
  if (end - at >= static_cast<std::ptrdiff_t>(block_bytes)) {
    const __m128i equal = _mm_cmpeq_epi8(load_block(at), _mm_set1_epi8(':'));
    const auto marks = static_cast<unsigned>(_mm_movemask_epi8(equal));
    if (marks != 0) return at + std::countr_zero(marks);
    at += block_bytes;
  }
#endif
  const void* found =
      at != end ? std::memchr(at, ':', static_cast<std::size_t>(end - at)) : nullptr;
  return found != nullptr ? static_cast<const char*>(found) : end;
}

}  // namespace steelyard::http
