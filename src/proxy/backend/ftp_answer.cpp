#include "proxy/backend/ftp_answer.hpp"

#include <algorithm>
#include <array>

#include "base/check.hpp"
#include "proxy/backend/limits.hpp"
#include "proxy/limits.hpp"

namespace steelyard::proxy {

namespace {

// A line of a list may become several times as long.
constexpr std::size_t list_bytes = 4096;

}  // namespace

FtpAnswer::FtpAnswer(FtpControl& control, FtpTransfer transfer)
    : control_(control), transfer_(std::move(transfer)) {
  end_ = transfer_.data == nullptr;
  buffer_.append(transfer_.title);
  offer();
}

FtpAnswer::Progress FtpAnswer::pull() {
  const std::uint64_t came_before = came_;
  while (pending_.empty()) {
    if (came_ - came_before >= unwanted_bytes_a_turn) return Progress::others_turn;
    if (is_broken_) return Progress::cut_short;
    if (end_) return Progress::finished;
    const Progress progress = transfer_.data ? read_data() : read_end();
    is_broken_ = progress == Progress::cut_short;
    if (progress != Progress::data) return progress;
    offer();
  }
  return Progress::data;
}

void FtpAnswer::take(std::size_t bytes) {
  CHECK(bytes <= pending_.size());
  pending_.remove_prefix(bytes);
  buffer_.consume(bytes);
}

// data: something came, perhaps the end.
FtpAnswer::Progress FtpAnswer::read_data() {
  std::array<char, list_bytes> lines;
  std::span<char> room = lines;
  if (transfer_.page == nullptr) {
    buffer_.compact();
    buffer_.make_room(relay_buffer_bytes, relay_buffer_bytes);
    room = buffer_.room();
  }
  const io::IoResult result = transfer_.data->read(room);
  if (result.status == io::IoStatus::would_block) return Progress::blocked;
  if (result.status != io::IoStatus::ok) ending_ = result;
  if (result.status == io::IoStatus::failed) return Progress::cut_short;
  const std::optional<std::uint64_t> size = transfer_.size;
  if (result.status == io::IoStatus::end) {
    transfer_.data.reset();
    return size && came_ != *size ? Progress::cut_short : Progress::data;
  }
  came_ += result.bytes;
  if (transfer_.page == nullptr) {
    buffer_.filled(result.bytes);
    return size && came_ > *size ? Progress::cut_short : Progress::data;
  }
  std::string text;
  transfer_.page->write({lines.data(), result.bytes}, text);
  buffer_.append(text);
  return Progress::data;
}

// The data connection's end says nothing: it is the same when the member failed.
FtpAnswer::Progress FtpAnswer::read_end() {
  constexpr int closing_data = 226, file_done = 250;
  if (!transfer_.has_ended) {
    const FtpControl::Heard heard = control_.listen();
    if (heard == FtpControl::Heard::nothing_yet) return Progress::blocked;
    ending_ = control_.ending();
    if (heard == FtpControl::Heard::broken) return Progress::cut_short;
    if (control_.code() != closing_data && control_.code() != file_done) return Progress::cut_short;
  }
  control_.say("QUIT");
  end_ = true;
  if (transfer_.page == nullptr) return Progress::data;
  std::string text;
  transfer_.page->write_end(text);
  buffer_.append(text);
  return Progress::data;
}

void FtpAnswer::offer() {
  std::size_t bytes = buffer_.data().size();
  if (transfer_.size && !end_) {
    const std::uint64_t given = *transfer_.size - std::min<std::uint64_t>(1, *transfer_.size);
    bytes = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, given - received_));
  }
  pending_ = buffer_.data().substr(0, bytes);
  received_ += bytes;
}

}  // namespace steelyard::proxy
