// Hashes that are the same in every process and on every machine, so that two balancers in front of
// the same members send a key to the same one. They are no defence: who chooses keys can choose
// their member.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace steelyard::balance {

// Each input bit changes each output bit with probability one half (the finaliser of SplitMix64).
constexpr std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// The odd number next to 2^64 divided by the golden ratio: its multiples spread evenly.
inline constexpr std::uint64_t golden_step = 0x9e3779b97f4a7c15ULL;

inline std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = golden_step * (text.size() + 1);
  for (; text.size() >= sizeof hash; text.remove_prefix(sizeof hash)) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data(), sizeof word);
    hash = mixed(hash ^ word);
  }
  std::uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  return mixed(hash ^ rest);
}

// One of 0 ... `count` - 1, from the upper half of `value`.
constexpr std::uint32_t scaled(std::uint64_t value, std::uint32_t count) {
  return static_cast<std::uint32_t>(((value >> 32) * count) >> 32);
}

// Numbers that follow from one the caller gave (SplitMix64).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() { return mixed(state_ += golden_step); }

 private:
  std::uint64_t state_;
};

}  // namespace steelyard::balance
