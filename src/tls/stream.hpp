#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "io/stream.hpp"
#include "tls/handles.hpp"
#include "tls/kernel_records.hpp"

// TLS over another stream: what is written is encrypted into records, what is read comes out of
// them. The library reads and writes the stream below itself; there is no buffer between the two.
//
//   write ─▶ scratch (one record's text) ─▶ SSL ─▶ stream below (its letters, its debts)
//              └── a record that did not fit below: owed until there is room
//   read  ◀─ SSL (what it read ahead) ◀─ stream below
//
// Where the kernel makes the records (let_kernel_encrypt), text goes to the stream below as it is.
//
// Invariants: 1. while a record is owed the stream is not writable.
//             2. a member's end without close_notify is a failure, never the end of the stream
//                (RFC 8446 6.1): who cuts a connection must not make an answer look complete.
//             3. nothing below is told to wait: want-read and want-write become "not readable" and
//                "not writable", and events below become events here.
// Threads: the loop's.

namespace steelyard::tls {

class TlsStream final : public io::Stream, private io::IdleWatcher {
 public:
  enum class Role : std::uint8_t { server, client };
  TlsStream(std::unique_ptr<io::Stream> below, SslHandle ssl, Role role);
  ~TlsStream() override;

  enum class Handshake : std::uint8_t {
    done,
    blocked,     // wait_for_peer(), then again
    failed,      // fault() says why
    plain_http,  // the client speaks HTTP without TLS
  };
  // Before the handshake: the kernel gets the keys, if it and the library can do with that.
  // `renegotiates`: this connection may shake hands anew, which a kernel's keys of TLS 1.2 prevent.
  void let_kernel_encrypt(bool renegotiates);
  bool is_encrypted_by_kernel() const { return kernel_sends_; }
  // Goes on with the handshake. Nothing is read or written before it is done.
  Handshake shake_hands();
  io::Wait& wait_for_peer(io::Wait& wait);
  // A further one, which was begun on ssl(): sends what asks for it.
  Handshake ask_again();
  // Hears the client's part of it, until `finished`, which the library's messages set.
  Handshake hear_answer(const bool& finished);
  bool is_established() const { return established_; }
  // Nothing more can be said to the peer.
  bool is_broken() const { return broken_ || write_broken_; }
  // In the library's words; of a handshake or connection that failed.
  const std::string& fault() const { return fault_; }
  // The stream below, of one that turned out to be no TLS.
  std::unique_ptr<io::Stream> release_below();

  SSL* ssl() const { return ssl_.get(); }

  io::IoResult read(std::span<char> room) override;
  io::IoResult write(std::span<const std::string_view> pieces) override;
  bool settle() override;
  void end_writing() override;
  void reset() override;
  bool silent_and_open() override;
  bool has_hung_up() override { return below_->has_hung_up(); }
  Endpoint local() const override { return below_->local(); }

  // For the library's calls of the stream below.
  io::IoResult read_below(std::span<char> room);
  io::IoResult write_below(std::string_view bytes);
  bool is_over_below() const { return over_below_; }
  long control_below(int command, long number, void* pointer);

 private:
  enum class Blocked : std::uint8_t { no, for_reading, for_writing, ended, failed };

  void idle_stream_stirred(io::Stream& stream) override { idle_stream_became(stream, true, false); }
  void idle_stream_became(io::Stream& stream, bool readable, bool writable) override;
  Blocked why(int result);
  void note_fault();
  Handshake outcome_of(int result);
  io::IoResult failure() const { return {io::IoStatus::failed, 0, error_}; }
  // Nothing is to be read but what the library keeps for itself (tickets, new keys).
  bool says_nothing();
  bool send_record(std::string_view text);
  bool shook_hands_too_often();
  void pay_owed();
  void say_goodbye();
  io::IoResult write_plainly(std::span<const std::string_view> pieces);
  void heed_wish_for_keys();

  std::unique_ptr<io::Stream> below_;
  std::unique_ptr<KernelRecords> kernel_;
  SslHandle ssl_;
  std::string owed_;  // text of a record that the stream below had no room for
  std::string fault_;
  int error_ = 0;  // errno of the failure below, or what comes nearest
  bool established_ = false;
  bool broken_ = false;        // by a fatal error: neither side says anything more
  bool write_broken_ = false;  // the stream below broke; what it received may still be read
  bool ended_ = false;         // the peer's close_notify
  bool over_below_ = false;
  bool resets_ = false, said_goodbye_ = false, ends_when_paid_ = false;
  bool reading_waits_for_room_ = false;
  bool kernel_sends_ = false;  // since the handshake ended
  bool renegotiates_ = false;
};

}  // namespace steelyard::tls
