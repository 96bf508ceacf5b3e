#include "health/check_cgi_request.hpp"

#include "balance/scheme.hpp"
#include "base/arena.hpp"
#include "base/text.hpp"
#include "cgi/fcgi_record.hpp"
#include "cgi/stream_head.hpp"
#include "health/check_request.hpp"
#include "proxy/backend/cgi_request.hpp"

namespace steelyard::health {

namespace {

// One slash in the middle, whoever brings it.
std::string script_of(const balance::MemberSpec& member, std::string_view path) {
  std::string_view front = member.path_prefix;
  if (member.check.uri.empty()) return std::string(front.empty() ? "/" : front);
  if (front.ends_with('/')) front.remove_suffix(1);
  return std::string(front).append(path);
}

struct ServerName {
  std::string_view name;
  std::uint16_t port;
};

// The two parts of a Host field.
ServerName server_of(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
  const auto port = has_port ? parse_unsigned(host.substr(colon + 1)) : std::nullopt;
  if (!port || *port > UINT16_MAX) return {host, balance::default_port("http")};
  return {host.substr(0, colon), static_cast<std::uint16_t>(*port)};
}

bool append_request(std::string& out, cgi::Protocol protocol, const expr::Environment& variables) {
  switch (protocol) {
    case cgi::Protocol::fcgi: {
      if (!cgi::append_fcgi_head(out, variables, cgi::Keep::close)) return false;
      const cgi::FcgiHeader end = cgi::fcgi_header(cgi::RecordType::std_in, 0);
      out.append(end.data(), end.size());
      return true;
    }
    case cgi::Protocol::scgi:
      return cgi::append_scgi_head(out, variables, 0);
    case cgi::Protocol::uwsgi:
      return cgi::append_uwsgi_head(out, variables);
  }
  return false;
}

}  // namespace

std::optional<std::string> cgi_check_request(const balance::MemberSpec& member,
                                             cgi::Protocol protocol, const CgiCheckPlace& place) {
  Arena arena;
  const CheckWords words = cgi_check_words(member);
  const std::string_view target = words.target;
  const std::size_t end = std::min(target.find('?'), target.size());
  const std::string authority = host_and_port(member);
  const std::string script = script_of(member, target.substr(0, end));
  const ServerName server = server_of(words.host);
  http::FieldList fields;
  fields.add("Host", words.host);
  const cgi::Request request{
      .fields = fields,
      .method = words.method,
      .protocol = words.protocol,
      .uri = target,
      // A uwsgi application finds its path behind that of the script, of which there is none.
      .path = cgi::decoded(
          protocol == cgi::Protocol::uwsgi ? std::string_view(script) : target.substr(0, end),
          arena),
      .query = end < target.size() ? target.substr(end + 1) : std::string_view(),
      .authority = proxy::shown_authority(member.scheme, authority),
      .script = script};
  const std::string here = place.here.ip.text(), there = place.member.ip.text();
  const cgi::Surroundings around{.scheme = "http",
                                 .document_root = place.document_root,
                                 .server_name = server.name,
                                 .server_address = there,
                                 .server_admin = place.server_admin,
                                 .server_software = place.server_software,
                                 .client_address = here,
                                 .server_port = server.port,
                                 .client_port = place.here.port};
  expr::Environment variables;
  std::string out;
  if (!cgi::add_variables(request, around, protocol, place.backend, variables, arena) ||
      !append_request(out, protocol, variables))
    return std::nullopt;
  return out;
}

}  // namespace steelyard::health
