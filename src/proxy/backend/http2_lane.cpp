#include "proxy/backend/http2_lane.hpp"

#include <algorithm>
#include <cstring>

#include "base/check.hpp"
#include "base/text.hpp"
#include "proxy/backend/http2_carrier.hpp"

namespace steelyard::proxy {

Http2Lane::Http2Lane(std::shared_ptr<Http2Carrier> carrier) : carrier_(std::move(carrier)) {
  readable_ = false;
  set_dialed(carrier_->below().dialed());
  carrier_->enter(*this);
}

Http2Lane::~Http2Lane() { carrier_->leave(*this); }

bool Http2Lane::member_has_answered() const { return carrier_->has_answered(); }

std::string Http2Lane::why() const { return why_.empty() ? carrier_->why_it_broke() : why_; }

Endpoint Http2Lane::local() const { return carrier_->below().local(); }

void Http2Lane::ask(const http::FieldList& head, bool ends) {
  if (ends) request_ = Request::sent;
  carrier_->ask(*this, head, ends);
}

io::IoResult Http2Lane::write(std::span<const std::string_view> pieces) {
  if (is_closed() || request_ != Request::open) return {io::IoStatus::failed, 0, EPIPE};
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
  }
  std::size_t taken = 0;
  for (std::string_view piece : pieces) {
    const std::size_t room = lane_out_bytes_max - std::min(lane_out_bytes_max, out_.size());
    piece = piece.substr(0, room);
    out_.append(piece);
    taken += piece.size();
  }
  if (taken == 0) {
    writable_ = false;
    return {io::IoStatus::would_block};
  }
  carrier_->go_on_sending(*this);
  return {io::IoStatus::ok, taken};
}

void Http2Lane::end_writing(const http::FieldList& trailers) {
  if (is_closed() || request_ != Request::open) return;
  request_ = Request::ending;
  // The exchange's memory may go before the last byte does.
  for (const http::Field& field : trailers) trailer_text_.append(field.name).append(field.value);
  std::string_view text = trailer_text_;
  for (const http::Field& field : trailers) {
    trailers_.add(text.substr(0, field.name.size()),
                  text.substr(field.name.size(), field.value.size()));
    text.remove_prefix(field.name.size() + field.value.size());
  }
  carrier_->go_on_sending(*this);
}

void Http2Lane::ping() { carrier_->ping(); }

std::optional<Http2Head> Http2Lane::next_head() {
  if (heads_.empty()) return std::nullopt;
  Http2Head head = std::move(heads_.front());
  heads_.pop_front();
  return head;
}

void Http2Lane::consume(std::size_t bytes) {
  CHECK(bytes <= data().size());
  in_begin_ += bytes;
  if (in_begin_ == in_.size()) {
    in_.clear();
    in_begin_ = 0;
  }
  carrier_->consumed(*this, bytes);
}

io::IoResult Http2Lane::read(std::span<char> room) {
  const std::string_view here = data().substr(0, room.size());
  if (here.empty()) {
    if (ended_) return {io::IoStatus::end};
    if (is_closed()) return {io::IoStatus::failed, 0, ECONNRESET};
    readable_ = false;
    return {io::IoStatus::would_block};
  }
  std::memcpy(room.data(), here.data(), here.size());
  consume(here.size());
  return {io::IoStatus::ok, here.size()};
}

void Http2Lane::reset() {
  if (!is_closed()) fate_ = Fate::lost;
}

// False: more than anybody is told.
bool Http2Lane::begin_head() {
  growing_ = {};
  return heads_.size() < lane_heads_max;
}

bool Http2Lane::add_field(std::string_view name, std::string_view value) {
  if (growing_.text.size() + name.size() + value.size() > lane_head_bytes_max) return false;
  if (growing_.rows.size() >= lane_fields_max) return false;
  heard_bytes_ += name.size() + value.size();
  if (name == ":status") {
    const auto status = parse_unsigned(value);
    growing_.status = status ? static_cast<int>(std::min<std::uint64_t>(*status, 999)) : 0;
    return growing_.status >= 100;
  }
  growing_.text.append(name).append(value);
  growing_.rows.push_back({name.size(), value.size()});
  return true;
}

void Http2Lane::end_head(bool ends) {
  // An interim answer that ends the stream is none (CVE-2023-0056): the library resets it.
  growing_.ends = ends;
  heads_.push_back(std::move(growing_));
  growing_ = {};
  carrier_->stir(*this, true, false);
}

void Http2Lane::add_data(std::string_view bytes) {
  if (in_begin_ != 0 && in_.size() + bytes.size() > in_.capacity()) {
    in_.erase(0, in_begin_);
    in_begin_ = 0;
  }
  in_.append(bytes);
  heard_bytes_ += bytes.size();
  carrier_->stir(*this, true, false);
}

void Http2Lane::end() {
  ended_ = true;
  carrier_->stir(*this, true, false);
}

void Http2Lane::close(Fate fate, std::string_view why) {
  if (is_closed()) return;  // the connection may end with its last words
  // Nobody refuses what was answered already.
  fate_ = fate == Fate::refused && heard_bytes_ != 0 ? Fate::reset : fate;
  if (why_.empty()) why_ = why;
  if (was_refused()) lacked_room_ = carrier_->note_refusal();
  carrier_->stir(*this, true, true);
}

// What goes into the next DATA frame. `over`: these are the last bytes.
std::size_t Http2Lane::give(char* room, std::size_t bytes, bool& over) {
  const std::size_t given = std::min(bytes, out_.size() - out_begin_);
  std::memcpy(room, out_.data() + out_begin_, given);
  out_begin_ += given;
  over = request_ != Request::open && out_begin_ == out_.size();
  if (out_begin_ == out_.size()) {
    out_.clear();
    out_begin_ = 0;
    if (request_ == Request::open) carrier_->stir(*this, false, true);
  }
  return given;
}

}  // namespace steelyard::proxy
