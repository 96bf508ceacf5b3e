#include "tls/stream.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.hpp"
#include "tls/library_errors.hpp"

namespace steelyard::tls {

namespace {

// The library's calls of a stream: a BIO whose data is the TlsStream.

TlsStream& stream_of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* room, std::size_t size, std::size_t* got) {
  BIO_clear_retry_flags(bio);
  const io::IoResult result = stream_of(bio).read_below({room, size});
  *got = result.bytes;
  if (result.status == io::IoStatus::ok) return 1;
  if (result.status == io::IoStatus::would_block) BIO_set_retry_read(bio);
  return 0;
}

int bio_write(BIO* bio, const char* bytes, std::size_t size, std::size_t* written) {
  BIO_clear_retry_flags(bio);
  const io::IoResult result = stream_of(bio).write_below({bytes, size});
  *written = result.bytes;
  if (result.status == io::IoStatus::ok) return 1;
  if (result.status == io::IoStatus::would_block) BIO_set_retry_write(bio);
  return 0;
}

long bio_control(BIO* bio, int command, long number, void* pointer) {
  if (command == BIO_CTRL_EOF) return stream_of(bio).is_over_below() ? 1 : 0;
  return stream_of(bio).control_below(command, number, pointer);
}

BIO_METHOD* make_method() {
  BIO_METHOD* const method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
  CHECK(method != nullptr);
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
  return method;
}

BIO* make_bio(TlsStream& stream) {
  static BIO_METHOD* const method = make_method();
  BIO* const bio = BIO_new(method);
  CHECK(bio != nullptr);
  BIO_set_data(bio, &stream);
  BIO_set_init(bio, 1);
  return bio;
}

// The text of one record at most.
using Scratch = std::array<char, SSL3_RT_MAX_PLAIN_LENGTH>;

Scratch& scratch() {
  thread_local Scratch room;
  return room;
}

// Takes the pieces apart into records' texts: a large piece as it lies there, small ones together.
class Texts {
 public:
  explicit Texts(std::span<const std::string_view> pieces) : pieces_(pieces) { skip_empty(); }

  // Empty at the end.
  std::string_view next() {
    if (pieces_.empty()) return {};
    std::string_view piece = rest();
    const bool is_alone = pieces_.size() == 1 || piece.size() >= scratch().size();
    if (is_alone) {
      piece = piece.substr(0, scratch().size());
      advance(piece.size());
      return piece;
    }
    std::size_t used = 0;
    while (!pieces_.empty() && used < scratch().size()) {
      piece = rest().substr(0, scratch().size() - used);
      std::memcpy(scratch().data() + used, piece.data(), piece.size());
      used += piece.size();
      advance(piece.size());
    }
    return {scratch().data(), used};
  }

 private:
  std::string_view rest() const { return pieces_.front().substr(gone_); }
  void advance(std::size_t bytes) {
    gone_ += bytes;
    skip_empty();
  }
  void skip_empty() {
    while (!pieces_.empty() && gone_ == pieces_.front().size()) {
      pieces_ = pieces_.subspan(1);
      gone_ = 0;
    }
  }

  std::span<const std::string_view> pieces_;
  std::size_t gone_ = 0;  // of the first piece
};

}  // namespace

TlsStream::TlsStream(std::unique_ptr<io::Stream> below, SslHandle ssl, Role role)
    : below_(std::move(below)), ssl_(std::move(ssl)) {
  set_dialed(below_->dialed());
  BIO* const bio = make_bio(*this);
  SSL_set_bio(ssl_.get(), bio, bio);
  if (role == Role::server) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
  }
  below_->set_idle_watcher(this);
}

TlsStream::~TlsStream() {
  if (!below_) return;
  below_->set_idle_watcher(nullptr);
  say_goodbye();
}

std::unique_ptr<io::Stream> TlsStream::release_below() {
  below_->set_idle_watcher(nullptr);
  ssl_.reset();
  return std::move(below_);
}

void TlsStream::let_kernel_encrypt(bool renegotiates) {
  kernel_ = KernelRecords::over(*below_);
  renegotiates_ = renegotiates;
  if (kernel_ != nullptr) SSL_set_options(ssl_.get(), SSL_OP_ENABLE_KTLS);
}

// What the library wants of the stream below besides bytes. Flushing always succeeds: the library
// takes a flush that has to wait for a failure (BIO_f_buffer does not pass on that it should be
// tried again).
long TlsStream::control_below(int command, long number, void* pointer) {
  if (command == BIO_CTRL_FLUSH) return 1;
  if (kernel_ == nullptr) return 0;
  if (renegotiates_ && SSL_version(ssl_.get()) < TLS1_3_VERSION) return 0;
  const bool only_asks = command == BIO_CTRL_GET_KTLS_SEND || command == BIO_CTRL_GET_KTLS_RECV;
  // What was encrypted here has left before the kernel gets keys, or it gets none.
  if (!only_asks && !kernel_->sends() && !below_->settle()) return 0;
  return kernel_->control(command, number, pointer);
}

io::IoResult TlsStream::read_below(std::span<char> room) {
  const bool has_kernel = kernel_ != nullptr && kernel_->receives();
  const io::IoResult result = has_kernel ? kernel_->read(room) : below_->read(room);
  if (result.status == io::IoStatus::end) over_below_ = true;
  if (result.status == io::IoStatus::failed) error_ = result.error;
  return result;
}

io::IoResult TlsStream::write_below(std::string_view bytes) {
  const std::string_view pieces[] = {bytes};
  const bool has_kernel = kernel_ != nullptr && kernel_->sends();
  const io::IoResult result = has_kernel ? kernel_->write(bytes) : below_->write(pieces);
  if (result.status == io::IoStatus::failed) error_ = result.error;
  return result;
}

void TlsStream::note_fault() {
  broken_ = true;
  if (error_ == 0) error_ = over_below_ ? ECONNRESET : EPROTO;
  fault_ = take_library_errors(over_below_ ? "the peer left" : "the connection broke");
}

// Of a call that did not return what it was called for.
TlsStream::Blocked TlsStream::why(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Blocked::for_reading;
    case SSL_ERROR_WANT_WRITE:
      return Blocked::for_writing;
    case SSL_ERROR_ZERO_RETURN:
      ended_ = true;
      return Blocked::ended;
    default:
      return Blocked::failed;
  }
}

TlsStream::Handshake TlsStream::shake_hands() {
  if (established_) return Handshake::done;
  if (broken_) return Handshake::failed;
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    established_ = true;
    kernel_sends_ = kernel_ != nullptr && kernel_->sends();
    return Handshake::done;
  }
  return outcome_of(result);
}

// Of a step of a handshake that did not end it.
TlsStream::Handshake TlsStream::outcome_of(int result) {
  const Blocked blocked = why(result);
  if (blocked == Blocked::for_reading) readable_ = false;
  if (blocked == Blocked::for_writing) writable_ = false;
  if (blocked == Blocked::for_reading || blocked == Blocked::for_writing) return Handshake::blocked;
  const bool is_http = ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  note_fault();
  return is_http ? Handshake::plain_http : Handshake::failed;
}

TlsStream::Handshake TlsStream::ask_again() {
  if (broken_ || write_broken_) return Handshake::failed;
  // What is encrypted already goes first.
  if (!owed_.empty()) {
    writable_ = false;
    return Handshake::blocked;
  }
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? Handshake::done : outcome_of(result);
}

TlsStream::Handshake TlsStream::hear_answer(const bool& finished) {
  if (broken_ || ended_) return Handshake::failed;
  char byte = 0;
  std::size_t got = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  if (finished && SSL_is_init_finished(ssl_.get()) == 1) return Handshake::done;
  if (result != 1) return outcome_of(result);
  fault_ = "the client sent something else than what it was asked for";
  return Handshake::failed;
}

io::Wait& TlsStream::wait_for_peer(io::Wait& wait) {
  return writable_ ? wait.readable(*this) : wait.writable(*this);
}

io::IoResult TlsStream::read(std::span<char> room) {
  CHECK(!room.empty());
  if (!readable_) return {io::IoStatus::would_block};
  if (ended_) return {io::IoStatus::end};
  if (broken_) return failure();
  ERR_clear_error();
  std::size_t got = 0;
  const int result = SSL_read_ex(ssl_.get(), room.data(), room.size(), &got);
  if (kernel_sends_) heed_wish_for_keys();
  if (result == 1) {
    readable_ = SSL_has_pending(ssl_.get()) == 1 || below_->may_be_readable() ||
                (kernel_ != nullptr && kernel_->receives());
    return {io::IoStatus::ok, got};
  }
  switch (why(result)) {
    case Blocked::for_writing:
      reading_waits_for_room_ = true;
      [[fallthrough]];
    case Blocked::for_reading:
      readable_ = false;
      if (shook_hands_too_often()) return failure();
      return {io::IoStatus::would_block};
    case Blocked::ended:
      return {io::IoStatus::end};
    default:
      note_fault();
      return failure();
  }
}

// A member may ask for another handshake, but not for one after the other.
bool TlsStream::shook_hands_too_often() {
  constexpr long renegotiations_max = 8;
  if (SSL_num_renegotiations(ssl_.get()) <= renegotiations_max) return false;
  broken_ = true;
  error_ = EPROTO;
  fault_ = "the peer asks for one handshake after the other";
  return true;
}

// False: it is owed, or the connection broke.
bool TlsStream::send_record(std::string_view text) {
  ERR_clear_error();
  std::size_t written = 0;
  const int result = SSL_write_ex(ssl_.get(), text.data(), text.size(), &written);
  if (result == 1) {
    CHECK(written == text.size());
    return true;
  }
  const Blocked blocked = why(result);
  if (blocked == Blocked::for_writing || blocked == Blocked::for_reading) {
    // It is encrypted already, or waits behind something of the library's own: it goes out as it
    // is.
    if (owed_.empty()) owed_.assign(text);
    writable_ = false;
    return false;
  }
  if (error_ != 0) {
    write_broken_ = true;
  } else {
    note_fault();
  }
  return false;
}

io::IoResult TlsStream::write(std::span<const std::string_view> pieces) {
  if (!writable_) return {io::IoStatus::would_block};
  if (broken_ || write_broken_) return failure();
  if (kernel_sends_) return write_plainly(pieces);
  Texts texts(pieces);
  std::size_t taken = 0;
  while (writable_) {
    const std::string_view text = texts.next();
    if (text.empty()) break;
    const bool sent = send_record(text);
    if (broken_ || write_broken_)
      return taken == 0 ? failure() : io::IoResult{io::IoStatus::ok, taken};
    taken += text.size();
    if (!sent) break;
  }
  return {io::IoStatus::ok, taken};
}

io::IoResult TlsStream::write_plainly(std::span<const std::string_view> pieces) {
  std::size_t bytes = 0;
  for (const std::string_view piece : pieces) bytes += piece.size();
  const io::IoResult result = below_->write(pieces);
  if (result.status == io::IoStatus::failed) {
    error_ = result.error;
    write_broken_ = true;
  } else if (result.bytes < bytes) {
    writable_ = false;
  }
  return result;
}

// The peer may ask for new keys of what it reads, and then has to get nothing under the old ones
// (RFC 8446 4.6.3). The library would take them, the kernel keeps those it has. So nothing more is
// said, and no goodbye: what was said is not complete.
void TlsStream::heed_wish_for_keys() {
  if (SSL_get_key_update_type(ssl_.get()) == SSL_KEY_UPDATE_NONE) return;
  error_ = EPROTO;
  fault_ = "the peer asked for new keys, which the kernel cannot take";
  write_broken_ = true;
}

void TlsStream::pay_owed() {
  if (kernel_sends_ && ends_when_paid_) return end_writing();
  if (owed_.empty()) return;
  if (!send_record(owed_) && !broken_ && !write_broken_) return;
  std::string().swap(owed_);
  if (ends_when_paid_) end_writing();
}

bool TlsStream::settle() {
  const bool is_settled =
      owed_.empty() && (kernel_sends_ ? kernel_->is_settled() : below_->settle());
  if (!is_settled) writable_ = false;
  return is_settled;
}

void TlsStream::say_goodbye() {
  if (!established_ || broken_ || write_broken_ || resets_ || !owed_.empty()) return;
  if (std::exchange(said_goodbye_, true)) return;
  ERR_clear_error();
  SSL_shutdown(ssl_.get());
}

void TlsStream::end_writing() {
  ends_when_paid_ = kernel_sends_ ? !kernel_->is_settled() : !owed_.empty();
  if (ends_when_paid_) return;
  say_goodbye();
  below_->end_writing();
}

void TlsStream::reset() {
  resets_ = true;
  below_->reset();
}

bool TlsStream::says_nothing() {
  if (ended_ || broken_) return false;
  char byte = 0;
  std::size_t got = 0;
  ERR_clear_error();
  const int result = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  if (kernel_sends_) heed_wish_for_keys();
  if (result == 1) return false;
  const Blocked blocked = why(result);
  if (blocked == Blocked::failed) note_fault();
  return blocked == Blocked::for_reading;
}

bool TlsStream::silent_and_open() {
  if (!owed_.empty()) return false;
  if (readable_) {
    if (!says_nothing()) return false;
    readable_ = false;
  }
  return below_->silent_and_open();
}

// May be the end of this object.
void TlsStream::idle_stream_became(io::Stream& /*stream*/, bool readable, bool writable) {
  if (writable) {
    pay_owed();
    readable = std::exchange(reading_waits_for_room_, false) || readable;
    // Set anew if it is still so: the record that is owed may have gone.
  }
  // Whoever keeps an idle connection is not told of tickets.
  if (readable && established_ && !is_awaited() && is_watched() && says_nothing()) {
    readable_ = false;
    readable = false;
  }
  became(readable, writable && owed_.empty());
}

}  // namespace steelyard::tls
