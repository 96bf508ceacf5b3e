#include "proxy/unique_id.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace steelyard::proxy {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
constexpr int letter_bits = 6;
using Text = std::array<char, 27>;

// The lowest 6 * `letters` bits of `number`.
void append(Text& text, std::size_t& used, std::uint64_t number, int letters) {
  for (int i = letters - 1; i >= 0; --i) text[used++] = alphabet[number >> (i * letter_bits) & 63];
}

}  // namespace

// When it began, the process, and the 64 random bits of the log's id.
std::optional<std::string_view> unique_id(const Exchange& x) {
  const auto& modules = x.generation->config().modules;
  if (std::ranges::find(modules, "unique_id_module") == modules.end()) return std::nullopt;
  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(x.began.time_since_epoch()).count();
  Text text;
  std::size_t used = 0;
  append(text, used, static_cast<std::uint64_t>(micros), 10);
  append(text, used, static_cast<std::uint64_t>(x.client->process->process_id), 6);
  append(text, used, x.log_id, 11);
  return x.arena.copy({text.data(), used});
}

}  // namespace steelyard::proxy
