#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string_view>
#include <unordered_set>

// Which passwords have been found right, so that a browser's hundreds of requests cost one bcrypt.
//
// What is remembered is no password: HMAC-SHA-256, under a key that this process drew, over user,
// password and what the file keeps of it. So another password in the file is another entry, and an
// entry is of no use to anybody who reads it.
//
// Threads: any; a short lock.

namespace steelyard::auth {

class Verified {
 public:
  static constexpr std::size_t entries_max = 4096;  // the oldest goes

  Verified();
  bool has(std::string_view user, std::string_view password, std::string_view kept) const;
  void add(std::string_view user, std::string_view password, std::string_view kept);

 private:
  using Mark = std::array<std::uint8_t, 32>;
  struct Hash {
    std::size_t operator()(const Mark& mark) const;
  };
  Mark mark_of(std::string_view user, std::string_view password, std::string_view kept) const;

  std::array<std::uint8_t, 32> key_{};
  mutable std::mutex lock_;
  std::unordered_set<Mark, Hash> marks_;
  std::deque<Mark> ages_;
};

}  // namespace steelyard::auth
