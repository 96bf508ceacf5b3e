#include "ajp/reply.hpp"

#include "ajp/codes.hpp"
#include "ajp/packet.hpp"
#include "http/status.hpp"
#include "http/syntax.hpp"

namespace steelyard::ajp {

namespace {

constexpr std::uint16_t no_string = 0xffff;

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}
std::uint16_t number_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(text, at) << 8 | byte_at(text, at + 1));
}

bool is_known(std::uint8_t kind) {
  switch (static_cast<ReplyKind>(kind)) {
    case ReplyKind::body_chunk:
    case ReplyKind::headers:
    case ReplyKind::end:
    case ReplyKind::want_body:
    case ReplyKind::pong:
      return true;
  }
  return false;
}

// A payload, taken apart from its begin. Each step fails rather than look beyond the end.
class Payload {
 public:
  explicit Payload(std::string_view bytes) : left_(bytes) {}

  std::optional<std::uint16_t> number() {
    if (left_.size() < 2) return std::nullopt;
    const std::uint16_t value = number_at(left_, 0);
    left_.remove_prefix(2);
    return value;
  }
  std::optional<std::uint16_t> next_number() const {
    if (left_.size() < 2) return std::nullopt;
    return number_at(left_, 0);
  }
  std::optional<std::string_view> text() {
    const auto bytes = number();
    if (!bytes || *bytes >= left_.size() || left_[*bytes] != '\0') return std::nullopt;
    const std::string_view value = left_.substr(0, *bytes);
    left_.remove_prefix(*bytes + std::size_t{1});
    return value;
  }
  bool is_over() const { return left_.empty(); }

 private:
  std::string_view left_;
};

using Fault = std::unexpected<ReplyFault>;

// What cannot be passed on is found here, where the rest of the packet is still to be read.
struct Unfit {
  std::optional<ReplyFault> fault;
  Culprit culprit;

  // The last one counts.
  void note(ReplyFault found, Culprit about) {
    fault = found;
    culprit = about;
  }
};

std::expected<std::string_view, ReplyFault> read_name(Payload& payload) {
  const auto number = payload.next_number();
  if (!number) return Fault(ReplyFault::bad_length);
  if (is_field_code(*number)) {
    (void)payload.number();
    const std::string_view name = response_field_name(*number);
    if (name.empty()) return Fault(ReplyFault::bad_field_code);
    return name;
  }
  const auto name = payload.text();
  if (!name) return Fault(ReplyFault::bad_string);
  return *name;
}

std::expected<void, ReplyFault> read_field(Payload& payload, http::FieldList& fields,
                                           Unfit& unfit) {
  const auto name = read_name(payload);
  if (!name) return Fault(name.error());
  const auto value = payload.text();
  if (!value) return Fault(ReplyFault::bad_string);
  if (!http::is_token(*name)) {
    unfit.note(ReplyFault::bad_field_name, {*name});
  } else if (http::first_control(*value) != value->size()) {
    unfit.note(ReplyFault::bad_field_value, {*name});
  } else {
    fields.add(*name, http::trim_blanks(*value));
  }
  return {};
}

// httpd: words that cannot stand in a status line give way to the usual ones.
std::string_view usable_reason(std::string_view reason, int status) {
  const bool is_clean = http::first_control(reason) == reason.size();
  return is_clean ? reason : http::reason_phrase(status);
}

}  // namespace

bool is_unfit(ReplyFault fault) noexcept {
  return fault == ReplyFault::bad_field_name || fault == ReplyFault::bad_field_value ||
         fault == ReplyFault::bad_status;
}

std::string_view describe(ReplyFault fault) noexcept {
  switch (fault) {
    case ReplyFault::bad_magic:
      return "a packet does not begin with 'AB'";
    case ReplyFault::too_large:
      return "a packet is larger than iobuffersize allows";
    case ReplyFault::unknown_kind:
      return "a packet is of no known kind";
    case ReplyFault::bad_length:
      return "a packet's length does not fit what is in it";
    case ReplyFault::bad_string:
      return "a string does not end within its packet";
    case ReplyFault::bad_field_code:
      return "a field has a number that stands for no name";
    case ReplyFault::bad_field_name:
      return "a field's name is none";
    case ReplyFault::bad_field_value:
      return "a field's value has a control character";
    case ReplyFault::too_many_fields:
      return "too many fields";
    case ReplyFault::bad_status:
      return "a status that no answer has";
  }
  return {};
}

std::string describe(ReplyFault fault, const Culprit& culprit) {
  constexpr std::size_t shown_max = 100;  // of a name that is perhaps none
  std::string text(describe(fault));
  if (fault == ReplyFault::bad_status) return text + ": " + std::to_string(culprit.status);
  if (!is_unfit(fault)) return text;
  return text + ": '" + std::string(culprit.field.substr(0, shown_max)) + "'";
}

std::expected<std::optional<Packet>, ReplyFault> next_packet(std::string_view buffer,
                                                             std::size_t packet_bytes) {
  constexpr std::string_view magic = "AB";
  const std::string_view begin = buffer.substr(0, magic.size());
  if (begin != magic.substr(0, begin.size())) return Fault(ReplyFault::bad_magic);
  if (buffer.size() < packet_head_bytes) return std::nullopt;
  const std::size_t payload_bytes = number_at(buffer, magic.size());
  if (payload_bytes + packet_head_bytes > packet_bytes) return Fault(ReplyFault::too_large);
  if (payload_bytes == 0) return Fault(ReplyFault::bad_length);
  if (buffer.size() == packet_head_bytes) return std::nullopt;
  const std::uint8_t kind = byte_at(buffer, packet_head_bytes);
  if (!is_known(kind)) return Fault(ReplyFault::unknown_kind);
  if (buffer.size() < packet_head_bytes + payload_bytes) return std::nullopt;
  return Packet{.kind = static_cast<ReplyKind>(kind),
                .payload = buffer.substr(packet_head_bytes + 1, payload_bytes - 1),
                .bytes = packet_head_bytes + payload_bytes};
}

std::expected<void, ReplyFault> read_headers(const Packet& packet, http::ResponseHead& head,
                                             Culprit* culprit) {
  Payload payload(packet.payload);
  const auto status = payload.number();
  if (!status) return Fault(ReplyFault::bad_length);
  Unfit unfit;
  if (*status < 200 || *status > 999) unfit.note(ReplyFault::bad_status, {{}, *status});
  std::string_view reason;
  if (payload.next_number() == no_string) {
    (void)payload.number();
    reason = http::reason_phrase(*status);
  } else if (const auto text = payload.text()) {
    reason = *text;
  } else {
    return Fault(ReplyFault::bad_string);
  }
  const auto count = payload.number();
  if (!count) return Fault(ReplyFault::bad_length);
  if (*count > response_fields_max) return Fault(ReplyFault::too_many_fields);
  for (int i = 0; i < *count; ++i) {
    const auto field = read_field(payload, head.fields, unfit);
    if (!field) return Fault(field.error());
  }
  if (!payload.is_over()) return Fault(ReplyFault::bad_length);
  if (unfit.fault) {
    if (culprit != nullptr) *culprit = unfit.culprit;
    return Fault(*unfit.fault);
  }
  head.status = *status;
  head.reason = usable_reason(reason, *status);
  return {};
}

std::expected<std::string_view, ReplyFault> read_body_chunk(const Packet& packet) {
  // length, bytes, and one byte more
  const std::string_view payload = packet.payload;
  if (payload.size() < 3 || number_at(payload, 0) != payload.size() - 3)
    return Fault(ReplyFault::bad_length);
  return payload.substr(2, payload.size() - 3);
}

std::expected<bool, ReplyFault> read_end(const Packet& packet) {
  if (packet.payload.size() != 1) return Fault(ReplyFault::bad_length);
  return packet.payload.front() != 0;
}

std::expected<std::size_t, ReplyFault> read_want(const Packet& packet) {
  if (packet.payload.size() != 2) return Fault(ReplyFault::bad_length);
  return number_at(packet.payload, 0);
}

std::expected<void, ReplyFault> read_pong(const Packet& packet) {
  if (!packet.payload.empty()) return Fault(ReplyFault::bad_length);
  return {};
}

}  // namespace steelyard::ajp
