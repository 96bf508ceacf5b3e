#include "cgi/fcgi_reader.hpp"

#include <algorithm>

namespace steelyard::cgi {

std::string_view describe(FcgiFault fault) {
  switch (fault) {
    case FcgiFault::none:
      return "";
    case FcgiFault::version:
      return "a FastCGI record of another version";
    case FcgiFault::id:
      return "a FastCGI record for another request";
    case FcgiFault::type:
      return "a FastCGI record of a type that applications do not send";
    case FcgiFault::size:
      return "a FastCGI end of request of another size";
    case FcgiFault::behind_end:
      return "a FastCGI stream goes on behind its end";
    case FcgiFault::protocol_status:
      return "an unknown FastCGI protocol status";
  }
  return "";
}

FcgiReader::Piece FcgiReader::next(std::string_view& input) {
  while (true) {
    switch (state_) {
      case State::expecting_header:
        if (!gather(input, fcgi_header_bytes)) return {};
        if (const FcgiFault fault = take_header(); fault != FcgiFault::none) return fail(fault);
        break;
      case State::in_content:
        if (type_ == RecordType::end_request) {
          if (!gather(input, content_left_)) return {};
          if (const FcgiFault fault = take_end(); fault != FcgiFault::none) return fail(fault);
        } else if (content_left_ != 0) {
          return take_content(input);
        }
        state_ = State::in_padding;
        break;
      case State::in_padding: {
        const auto taken = std::min<std::size_t>(padding_left_, input.size());
        input.remove_prefix(taken);
        padding_left_ = static_cast<std::uint8_t>(padding_left_ - taken);
        if (padding_left_ != 0) return {};
        state_ = type_ == RecordType::end_request ? State::ended : State::expecting_header;
        break;
      }
      case State::ended:
        return {Kind::ended};
      case State::failed:
        return {Kind::fault};
    }
  }
}

FcgiReader::Piece FcgiReader::fail(FcgiFault fault) {
  fault_ = fault;
  state_ = State::failed;
  return {Kind::fault};
}

// At most eight bytes, whole or piece by piece.
bool FcgiReader::gather(std::string_view& input, std::size_t wanted) {
  const std::size_t taken = std::min(wanted - gathered_, input.size());
  std::copy_n(input.begin(), taken, bytes_.begin() + gathered_);
  input.remove_prefix(taken);
  gathered_ = static_cast<std::uint8_t>(gathered_ + taken);
  if (gathered_ < wanted) return false;
  gathered_ = 0;
  return true;
}

FcgiFault FcgiReader::take_header() {
  if (bytes_[0] != fcgi_version) return FcgiFault::version;
  type_ = static_cast<RecordType>(bytes_[1]);
  const bool out = type_ == RecordType::std_out;
  const bool end = type_ == RecordType::end_request;
  if (!out && !end && type_ != RecordType::std_err) return FcgiFault::type;
  if (bytes_[2] * 256 + bytes_[3] != fcgi_request_id) return FcgiFault::id;
  content_left_ = static_cast<std::uint16_t>(bytes_[4] * 256 + bytes_[5]);
  padding_left_ = bytes_[6];
  if (end) {
    if (content_left_ != fcgi_header_bytes) return FcgiFault::size;
  } else {
    bool& ended = out ? out_ended_ : error_ended_;
    if (ended) return FcgiFault::behind_end;
    ended = content_left_ == 0;
  }
  state_ = State::in_content;
  return FcgiFault::none;
}

FcgiFault FcgiReader::take_end() {
  exit_status_ = 0;
  for (std::size_t i = 0; i < 4; ++i) exit_status_ = exit_status_ << 8 | bytes_[i];
  if (bytes_[4] > static_cast<std::uint8_t>(FcgiStatus::unknown_role)) {
    return FcgiFault::protocol_status;
  }
  status_ = static_cast<FcgiStatus>(bytes_[4]);
  return FcgiFault::none;
}

FcgiReader::Piece FcgiReader::take_content(std::string_view& input) {
  const std::string_view data = input.substr(0, content_left_);
  if (data.empty()) return {};
  input.remove_prefix(data.size());
  content_left_ = static_cast<std::uint16_t>(content_left_ - data.size());
  return {type_ == RecordType::std_out ? Kind::out : Kind::error, data};
}

}  // namespace steelyard::cgi
