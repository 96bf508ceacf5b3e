#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

// Small messages of one turn, sent together when the turn ends. A processor's caches hold either
// our code or the kernel's sending; one after another for many messages costs far less than in
// turns for each.
//
//   turn: write ─▶ [ letter ] [ letter ] ... ─▶ end of the turn (or the box is full): sent in order
//
// Invariants: 1. letters of one stream are sent in order, before anything else on its socket.
//             2. no letter outlives the turn that wrote it.
// Threads: the loop's.

namespace steelyard::io {

class SocketStream;

class Outbox {
 public:
  // What is larger is sent at once.
  static constexpr std::size_t letter_bytes_max = 4096;

  // `bytes` of `pieces`, at most letter_bytes_max.
  void put(SocketStream& stream, std::span<const std::string_view> pieces, std::size_t bytes);
  // Sends the letters of one stream, which ends behind them when `last`.
  void send_those_of(SocketStream& stream, bool last);
  void send_all();

 private:
  struct Letter {
    SocketStream* stream;  // nullptr: sent
    std::size_t begin, bytes;
  };
  // So many that the caches are used well, so few that nobody waits long for the others.
  static constexpr std::size_t letters_max = 16;

  void send(Letter& letter, bool last);

  std::array<Letter, letters_max> letters_;
  std::size_t count_ = 0, used_ = 0;
  std::unique_ptr<char[]> bytes_ =
      std::make_unique_for_overwrite<char[]>(letters_max * letter_bytes_max);
};

}  // namespace steelyard::io
