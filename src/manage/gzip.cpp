#include "manage/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <limits>

#include "base/check.hpp"
#include "base/text.hpp"
#include "http/accepted_coding.hpp"

namespace steelyard::manage {

namespace {

// 15 bits of window, and 16 more for gzip's head and end in the place of zlib's.
constexpr int window_bits = 15 + 16;
constexpr int memory_level = 8;
constexpr std::size_t step_bytes = std::size_t{64} * 1024;

}  // namespace

bool accepts(const proxy::DeskQuestion& question, std::string_view field, std::string_view word) {
  return std::ranges::any_of(question.fields, [&](const auto& each) {
    return equals_ignoring_case(each.first, field) && http::accepts_coding(each.second, word);
  });
}

std::string gzipped(std::string_view page) {
  CHECK(page.size() <= std::numeric_limits<uInt>::max());
  z_stream stream{};
  CHECK(::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_bits, memory_level,
                       Z_DEFAULT_STRATEGY) == Z_OK);
  // zlib reads what it is not told to be constant.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(page.data()));  // NOLINT
  stream.avail_in = static_cast<uInt>(page.size());
  std::string out;
  int state = Z_OK;
  while (state == Z_OK) {
    const std::size_t begin = out.size();
    out.resize(begin + step_bytes);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + begin);
    stream.avail_out = static_cast<uInt>(step_bytes);
    state = ::deflate(&stream, Z_FINISH);
    out.resize(begin + step_bytes - stream.avail_out);
  }
  ::deflateEnd(&stream);
  CHECK(state == Z_STREAM_END);
  return out;
}

}  // namespace steelyard::manage
