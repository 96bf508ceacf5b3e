#include "http/syntax.hpp"

#include <bit>
#include <limits>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace steelyard::http {

namespace {

#if defined(__SSE2__)

constexpr std::size_t block_bytes = 16;

// One bit a byte: set where a control byte stands (not a tab), or a blank when asked.
unsigned refused_in_block(const char* at, bool blanks_too) noexcept {
  const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  const __m128i last_low = _mm_set1_epi8(blanks_too ? 0x20 : 0x1f);
  const __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(block, last_low), block);
  const __m128i del = _mm_cmpeq_epi8(block, _mm_set1_epi8(0x7f));
  const __m128i tab = _mm_cmpeq_epi8(block, _mm_set1_epi8('\t'));
  const __m128i refused = _mm_or_si128(blanks_too ? low : _mm_andnot_si128(tab, low), del);
  return static_cast<unsigned>(_mm_movemask_epi8(refused));
}

#endif

template <bool BlanksToo>
std::size_t first_refused(std::string_view text) noexcept {
  const char* const data = text.data();
  const std::size_t size = text.size();
  std::size_t at = 0;
#if defined(__SSE2__)
  for (; at + block_bytes <= size; at += block_bytes) {
    const unsigned marks = refused_in_block(data + at, BlanksToo);
    if (marks != 0) return at + static_cast<std::size_t>(std::countr_zero(marks));
  }
#endif
  const auto refused = [](char c) {
    return is_control(c) || (BlanksToo && (c == ' ' || c == '\t'));
  };
  while (at < size && !refused(data[at])) ++at;
  return at;
}

}  // namespace

std::size_t first_control(std::string_view text) noexcept { return first_refused<false>(text); }

std::size_t first_blank_or_control(std::string_view text) noexcept {
  return first_refused<true>(text);
}

std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  constexpr std::uint64_t most = std::numeric_limits<std::int64_t>::max();
  if (text.empty()) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (most - digit) / 10) return std::nullopt;
    value = value * 10 + digit;
  }
  return value;
}

}  // namespace steelyard::http
