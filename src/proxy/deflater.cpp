#include "proxy/deflater.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

std::unique_ptr<Deflater> Deflater::make(const Manner& manner) {
  constexpr int gzip = 16;  // added to the window's bits: gzip's head and end
  std::unique_ptr<Deflater> made(new Deflater(manner));
  const int state =
      ::deflateInit2(&made->stream_, manner.level, Z_DEFLATED, manner.window_bits + gzip,
                     manner.memory_level, Z_DEFAULT_STRATEGY);
  CHECK(state == Z_OK || state == Z_MEM_ERROR);
  if (state != Z_OK) return nullptr;
  return made;
}

Deflater::Step Deflater::step(std::string_view input, std::span<char> room, Until until) {
  constexpr int flushes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
  // zlib reads what it is not told to be constant.
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));  // NOLINT
  stream_.avail_in = static_cast<uInt>(input.size());
  stream_.next_out = reinterpret_cast<Bytef*>(room.data());
  stream_.avail_out = static_cast<uInt>(room.size());
  const int state = ::deflate(&stream_, flushes[static_cast<std::size_t>(until)]);
  // Z_BUF_ERROR: there was nothing to do.
  CHECK(state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR);
  return {input.size() - stream_.avail_in, room.size() - stream_.avail_out, state == Z_STREAM_END};
}

std::unique_ptr<Deflater> Deflaters::borrow(const Deflater::Manner& manner) {
  if (lent_ == deflaters_max) return nullptr;
  auto borrowed = find(manner);
  if (borrowed != nullptr) ++lent_;
  return borrowed;
}

std::unique_ptr<Deflater> Deflaters::find(const Deflater::Manner& manner) {
  const auto found =
      std::ranges::find_if(spare_, [&](const auto& each) { return each->manner() == manner; });
  if (found == spare_.end()) return Deflater::make(manner);
  std::unique_ptr<Deflater> spare = std::move(*found);
  spare_.erase(found);
  spare->begin();
  return spare;
}

void Deflaters::give_back(std::unique_ptr<Deflater> deflater) {
  --lent_;
  // The oldest goes: after a reload with another manner it is the one that nobody asks for.
  if (spare_.size() == spare_deflaters_max) spare_.erase(spare_.begin());
  spare_.push_back(std::move(deflater));
}

}  // namespace steelyard::proxy
