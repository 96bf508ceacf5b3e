#include "ajp/request.hpp"

#include <charconv>

#include "ajp/codes.hpp"
#include "ajp/packet.hpp"

namespace steelyard::ajp {

namespace {

// Appends until the packet is full; from then on nothing.
class Payload {
 public:
  Payload(http::HeadText& out, std::size_t bytes_max)
      : out_(out), begin_(out.size()), bytes_max_(bytes_max) {}

  void byte(std::uint8_t value) {
    const char one = static_cast<char>(value);
    if (fits(1)) out_.append(std::string_view(&one, 1));
  }
  void number(std::uint16_t value) {
    const char two[] = {static_cast<char>(value >> 8), static_cast<char>(value & 0xff)};
    if (fits(2)) out_.append(std::string_view(two, 2));
  }
  void text(std::string_view value) {
    if (!fits(value.size() + 3)) return;
    number(static_cast<std::uint16_t>(value.size()));
    constexpr char end = '\0';
    out_.append(value).append(std::string_view(&end, 1));
  }
  // A length that reads like a field's number would be taken for one.
  void field_name(std::string_view name) {
    if (name.size() > 0xffff || is_field_code(static_cast<std::uint16_t>(name.size())))
      full_ = true;
    text(name);
  }
  void no_text() { number(0xffff); }
  void attribute(Attribute code, std::string_view value) {
    byte(static_cast<std::uint8_t>(code));
    text(value);
  }
  void attribute_unless_empty(Attribute code, std::string_view value) {
    if (!value.empty()) attribute(code, value);
  }
  void named_attribute(std::string_view name, std::string_view value) {
    attribute(Attribute::named, name);
    text(value);
  }
  bool is_whole() const { return !full_; }

 private:
  bool fits(std::size_t bytes) {
    if (out_.size() - begin_ + bytes > bytes_max_) full_ = true;
    return !full_;
  }

  http::HeadText& out_;
  const std::size_t begin_;
  const std::size_t bytes_max_;
  bool full_ = false;
};

void append_line(const Request& request, Payload& out) {
  constexpr std::uint8_t forward_request = 2;
  out.byte(forward_request);
  out.byte(method_code(request.method));
  out.text(request.protocol);
  out.text(request.path);
  out.text(request.client_address);
  if (request.client_host.empty())
    out.no_text();
  else
    out.text(request.client_host);
  out.text(request.server_name);
  out.number(request.server_port);
  out.byte(request.is_tls ? 1 : 0);
}

void append_fields(const http::FieldList& fields, Payload& out) {
  // More fields than the number can tell do not fit either.
  out.number(static_cast<std::uint16_t>(fields.size()));
  for (const http::Field& field : fields) {
    const std::uint16_t code = request_field_code(field.name);
    if (code != 0)
      out.number(code);
    else
      out.field_name(field.name);
    out.text(field.value);
  }
}

std::uint16_t key_bits(std::string_view text) {
  unsigned bits = 0;
  std::from_chars(text.data(), text.data() + text.size(), bits);
  return static_cast<std::uint16_t>(bits);
}

void append_tls(const TlsFacts& tls, Payload& out) {
  out.attribute_unless_empty(Attribute::tls_certificate, tls.certificate);
  out.attribute_unless_empty(Attribute::tls_cipher, tls.cipher);
  out.attribute_unless_empty(Attribute::tls_session, tls.session);
  if (tls.key_bits.empty()) return;
  out.byte(static_cast<std::uint8_t>(Attribute::tls_key_bits));
  out.number(key_bits(tls.key_bits));
}

// In httpd's order.
void append_attributes(const Request& request, Payload& out) {
  out.attribute_unless_empty(Attribute::secret, request.secret);
  out.attribute_unless_empty(Attribute::remote_user, request.user);
  out.attribute_unless_empty(Attribute::auth_type, request.auth_type);
  if (request.query) out.attribute(Attribute::query_string, *request.query);
  if (request.session_route) out.attribute(Attribute::session_route, *request.session_route);
  if (request.is_tls) append_tls(request.tls, out);
  if (method_code(request.method) == stored_method)
    out.attribute(Attribute::stored_method, request.method);
  if (request.is_tls && !request.tls.protocol.empty())
    out.named_attribute("AJP_SSL_PROTOCOL", request.tls.protocol);
  out.named_attribute("AJP_REMOTE_PORT", request.client_port);
  out.named_attribute("AJP_LOCAL_ADDR", request.local_address);
  for (const NamedAttribute& one : request.named) out.named_attribute(one.name, one.value);
  out.byte(static_cast<std::uint8_t>(Attribute::end));
}

}  // namespace

bool write_request(const Request& request, std::size_t packet_bytes, http::HeadText& out) {
  Payload payload(out, packet_bytes - packet_head_bytes);
  append_line(request, payload);
  append_fields(request.fields, payload);
  append_attributes(request, payload);
  return payload.is_whole();
}

}  // namespace steelyard::ajp
