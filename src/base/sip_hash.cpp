#include "base/sip_hash.hpp"

#include <bit>
#include <cstring>

namespace steelyard {

namespace {

class State {
 public:
  explicit State(const SipKey& key)
      : a_(key.first ^ 0x736f6d6570736575),
        b_(key.second ^ 0x646f72616e646f6d),
        c_(key.first ^ 0x6c7967656e657261),
        d_(key.second ^ 0x7465646279746573) {}

  void take(std::uint64_t word) {
    d_ ^= word;
    turn();
    turn();
    a_ ^= word;
  }

  std::uint64_t finish() {
    c_ ^= 0xff;
    for (int i = 0; i < 4; ++i) turn();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  void turn() {
    a_ += b_;
    c_ += d_;
    b_ = std::rotl(b_, 13) ^ a_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32) + d_;
    c_ += b_;
    d_ = std::rotl(d_, 21) ^ a_;
    b_ = std::rotl(b_, 17) ^ c_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

// Little-endian, whatever the machine.
std::uint64_t word_of(std::string_view bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), bytes.size());
  return std::endian::native == std::endian::little ? word : std::byteswap(word);
}

}  // namespace

std::uint64_t sip_hash(const SipKey& key, std::string_view text) {
  State state(key);
  const std::uint64_t length = text.size() << 56;
  for (; text.size() >= 8; text.remove_prefix(8)) state.take(word_of(text.substr(0, 8)));
  state.take(length | (text.empty() ? 0 : word_of(text)));
  return state.finish();
}

}  // namespace steelyard
