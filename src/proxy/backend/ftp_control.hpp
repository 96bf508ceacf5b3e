#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ftp/reply.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/client_side.hpp"
#include "proxy/core.hpp"

// The control connection of an FTP member: commands go out one at a time, each with one reply.
//
// Invariants: 1. a reply has `patience` as a whole, however slowly its bytes come.
//             2. so have all of them that are asked for, ftp_timeouts_max times as long, and
//                ftp_lines_max lines.
//             3. 421 is no reply: the member goes away with it (httpd).
// Threads: the shard's.

namespace steelyard::proxy {

class FtpControl {
 public:
  enum class Heard : std::uint8_t { reply, nothing_yet, broken };

  FtpControl(Shard::Core& core, const ClientSide& client, io::Stream& stream, Duration patience)
      : core_(core),
        client_(client),
        stream_(stream),
        patience_(patience),
        over_at_(core.now() + ftp_timeouts_max * patience) {}

  // Waits for a reply; sends `command` first unless it is empty. False: none came, see failure().
  io::Task<bool> ask(std::string command);
  // What is here now of the reply that is due.
  Heard listen();
  // A last word: what of it goes at once.
  void say(std::string_view command);

  int code() const { return reader_.code(); }
  const std::string& text() const { return reader_.text(); }
  Failure failure() const;
  // How the connection ended; ok: it did not.
  const io::IoResult& ending() const { return ending_; }
  // The next listen() or ask() is about another reply.
  void next_reply() { reader_.reset(); }

  io::Stream& stream() const { return stream_; }
  std::uint64_t bytes_sent() const { return sent_; }
  std::uint64_t bytes_heard() const { return heard_; }

 private:
  Shard::Core& core_;
  const ClientSide& client_;
  io::Stream& stream_;
  const Duration patience_;
  const Instant over_at_;
  ftp::ReplyReader reader_;
  std::string rest_;  // bytes behind the last reply
  std::uint64_t sent_ = 0, heard_ = 0;
  std::size_t lines_ = 0;
  bool timed_out_ = false;
  io::IoResult ending_;
};

}  // namespace steelyard::proxy
