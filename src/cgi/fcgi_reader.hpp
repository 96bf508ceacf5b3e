// FastCGI 1.0 on the wire: what comes back, record by record, strict.
//
//   expecting_header ──▶ in_content ──▶ in_padding ──▶ expecting_header ...
//   ended, once END_REQUEST was read
//
// Invariants: 1. each byte is looked at once; content is handed out as it lies in the caller's
//                buffer, nothing is copied but the eight bytes of headers and of END_REQUEST.
//             2. after a fault or the end nothing is taken any more.
// Threads: one owner, one connection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "cgi/fcgi_record.hpp"

namespace steelyard::cgi {

enum class FcgiFault : std::uint8_t {
  none,
  version,
  id,               // not the request's
  type,             // none that an application may send
  size,             // END_REQUEST of other than eight bytes
  behind_end,       // STDOUT or STDERR after its empty record
  protocol_status,  // not a status that the specification knows
};
std::string_view describe(FcgiFault fault);

// protocolStatus of END_REQUEST.
enum class FcgiStatus : std::uint8_t { complete, cannot_multiplex, overloaded, unknown_role };

class FcgiReader {
 public:
  enum class Kind : std::uint8_t { need_more, out, error, ended, fault };
  struct Piece {
    Kind kind = Kind::need_more;
    std::string_view data{};  // of STDOUT or STDERR, never empty; a view of the input
  };

  // Takes what it returns, and the framing around it, off the front of `input`. need_more: all of
  // the input was taken. ended: END_REQUEST is read with its padding; what is left was not asked
  // for.
  Piece next(std::string_view& input);
  void reset() { *this = FcgiReader(); }

  bool has_ended() const { return state_ == State::ended; }
  FcgiFault fault() const { return fault_; }
  FcgiStatus status() const { return status_; }               // once it ended
  std::uint32_t exit_status() const { return exit_status_; }  // of the application
  bool out_ended() const { return out_ended_; }               // STDOUT had its empty record

 private:
  enum class State : std::uint8_t { expecting_header, in_content, in_padding, ended, failed };

  bool gather(std::string_view& input, std::size_t wanted);
  FcgiFault take_header();
  FcgiFault take_end();
  Piece fail(FcgiFault fault);
  Piece take_content(std::string_view& input);

  State state_ = State::expecting_header;
  FcgiFault fault_ = FcgiFault::none;
  FcgiStatus status_ = FcgiStatus::complete;
  RecordType type_ = RecordType::std_out;
  bool out_ended_ = false, error_ended_ = false;
  std::uint8_t padding_left_ = 0;
  std::uint8_t gathered_ = 0;
  std::uint16_t content_left_ = 0;
  std::uint32_t exit_status_ = 0;
  std::array<unsigned char, fcgi_header_bytes> bytes_{};
};

}  // namespace steelyard::cgi
