#include "io/linux/outbox.hpp"

#include <cstring>
#include <utility>

#include "io/linux/socket_stream.hpp"

namespace steelyard::io {

void Outbox::put(SocketStream& stream, std::span<const std::string_view> pieces,
                 std::size_t bytes) {
  if (count_ == letters_max) send_all();
  letters_[count_++] = {&stream, used_, bytes};
  for (const std::string_view piece : pieces) {
    if (piece.empty()) continue;
    std::memcpy(bytes_.get() + used_, piece.data(), piece.size());
    used_ += piece.size();
  }
}

void Outbox::send(Letter& letter, bool last) {
  if (letter.stream == nullptr) return;
  std::exchange(letter.stream, nullptr)->deliver({bytes_.get() + letter.begin, letter.bytes}, last);
}

void Outbox::send_those_of(SocketStream& stream, bool last) {
  for (std::size_t i = 0; i < count_; ++i)
    if (letters_[i].stream == &stream) send(letters_[i], last);
}

void Outbox::send_all() {
  for (std::size_t i = 0; i < count_; ++i) send(letters_[i], false);
  count_ = used_ = 0;
}

}  // namespace steelyard::io
