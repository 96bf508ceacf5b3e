#include "cgi/variables.hpp"

#include <algorithm>
#include <string>

#include "base/arena.hpp"
#include "base/text.hpp"
#include "http/html.hpp"
#include "http/syntax.hpp"

namespace steelyard::cgi {

namespace {

enum class Slashes : std::uint8_t { decode, keep };

// Percent-decoded; what is no escape stays. Under Slashes::keep a %2F stays, too (httpd).
std::string_view decode(std::string_view text, Slashes slashes, Arena& arena) {
  if (text.find('%') == std::string_view::npos) return text;
  char* const room = arena.take(text.size());
  std::size_t used = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size();
    const int high = escape ? http::hex_value(text[i + 1]) : -1;
    const int low = escape ? http::hex_value(text[i + 2]) : -1;
    const auto byte = static_cast<char>(high * 16 + low);
    const bool stays = high < 0 || low < 0 || (byte == '/' && slashes == Slashes::keep);
    room[used++] = stays ? text[i] : byte;
    if (!stays) i += 2;
  }
  arena.give_back(text.size(), used);
  return {room, used};
}

bool is_password(const http::Field& field) {
  return field.id == http::FieldId::authorization || field.id == http::FieldId::proxy_authorization;
}

// httpd: uwsgi members get the client's password in any case.
bool is_for(Protocol protocol, const http::Field& password) {
  return protocol == Protocol::uwsgi && password.id == http::FieldId::authorization;
}

void add_fields(const Request& request, Protocol protocol, expr::Environment& variables,
                Arena& arena) {
  for (const http::Field& field : request.fields) {
    switch (field.id) {
      case http::FieldId::content_type:
        variables.set("CONTENT_TYPE", field.value);
        break;
      case http::FieldId::content_length:
      case http::FieldId::transfer_encoding:
      case http::FieldId::proxy:
        break;
      default:
        if (is_password(field) && !request.passes_passwords && !is_for(protocol, field)) break;
        if (const std::string_view name = variable_name(field.name, arena); !name.empty()) {
          variables.set(name, field.value);
        }
    }
  }
  if (request.body_bytes) variables.set("CONTENT_LENGTH", arena.decimal(*request.body_bytes));
}

void add_surroundings(const Surroundings& around, expr::Environment& variables, Arena& arena) {
  const auto unless_empty = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) variables.set(name, value);
  };
  if (!variables.has("PATH")) variables.set("PATH", default_path);
  std::string name;
  http::html_escape(name, around.server_name);
  variables.set("SERVER_SIGNATURE", around.signature);
  variables.set("SERVER_SOFTWARE", around.server_software);
  variables.set("SERVER_NAME", arena.copy(name));
  variables.set("SERVER_ADDR", around.server_address);
  variables.set("SERVER_PORT", arena.decimal(around.server_port));
  unless_empty("REMOTE_HOST", around.client_host);
  unless_empty("AUTH_TYPE", around.auth_type);
  if (around.user) variables.set("REMOTE_USER", *around.user);
  variables.set("REMOTE_ADDR", around.client_address);
  variables.set("DOCUMENT_ROOT", around.document_root);
  variables.set("REQUEST_SCHEME", around.scheme);
  variables.set("CONTEXT_PREFIX", {});
  variables.set("CONTEXT_DOCUMENT_ROOT", around.document_root);
  variables.set("SERVER_ADMIN", around.server_admin);
  variables.set("REMOTE_PORT", arena.decimal(around.client_port));
  unless_empty("REDIRECT_QUERY_STRING", around.redirect_query);
  unless_empty("REDIRECT_URL", around.redirect_url);
  unless_empty("REDIRECT_REQUEST_METHOD", around.redirect_method);
}

// proxy-fcgi-pathinfo: what stands behind the script's name. `full` asks the file system, which is
// not looked at here.
std::string_view fcgi_path_info(std::string_view style, std::string_view script, Arena& arena) {
  if (equals_ignoring_case(style, "full")) return {};
  const bool first = equals_ignoring_case(style, "first-dot");
  if (first || equals_ignoring_case(style, "last-dot")) {
    const std::size_t dot = first ? script.find('.') : script.rfind('.');
    if (dot == std::string_view::npos) return {};
    const std::size_t slash = script.find('/', dot);
    if (slash == std::string_view::npos) return {};
    return decode(script.substr(slash), Slashes::keep, arena);
  }
  return equals_ignoring_case(style, "unescape") ? decode(script, Slashes::keep, arena) : script;
}

std::string_view path_info_of(const Request& request, Protocol protocol,
                              const expr::Environment& variables, Arena& arena) {
  if (protocol == Protocol::fcgi) {
    const auto style = variables.find("proxy-fcgi-pathinfo");
    return style ? fcgi_path_info(*style, request.script, arena) : request.path_info;
  }
  if (protocol == Protocol::scgi && variables.has("proxy-scgi-pathinfo")) return request.script;
  return request.path_info;
}

void add_script(const Request& request, const Surroundings& around, Protocol protocol,
                expr::Environment& variables, Arena& arena) {
  const std::string_view path_info = path_info_of(request, protocol, variables, arena);
  if (path_info.empty()) {
    variables.set("SCRIPT_NAME", request.path);
    return;
  }
  variables.set("SCRIPT_NAME", request.path.substr(0, find_path_info(request.path, path_info)));
  variables.set("PATH_INFO", path_info);
  if (!around.document_root.empty()) {
    variables.set("PATH_TRANSLATED", arena.join(around.document_root, path_info));
  }
}

// uwsgi: the target's path, decoded, is PATH_INFO, and its length is cut off the request's path.
bool add_uwsgi_script(const Request& request, expr::Environment& variables, Arena& arena) {
  std::string_view info = decode(request.script, Slashes::decode, arena);
  if (info.find('\0') != std::string_view::npos) return false;
  while (info.size() > 1 && info[1] == '/') info.remove_prefix(1);
  variables.set("PATH_INFO", info);
  std::string_view name = request.path;
  if (info != "/") {
    if (name.size() >= info.size()) name.remove_suffix(info.size());
  } else if (name == "/") {
    name = {};
  }
  variables.set("SCRIPT_NAME", name);
  return true;
}

std::string_view script_filename(const Request& request, Protocol protocol, BackendType backend,
                                 Arena& arena) {
  if (protocol == Protocol::fcgi && backend == BackendType::generic) return request.script;
  constexpr std::string_view fronts[] = {"proxy:fcgi://", "proxy:scgi://", "proxy:uwsgi://"};
  return arena.join(fronts[static_cast<std::size_t>(protocol)], request.authority, request.script);
}

}  // namespace

std::string_view decoded(std::string_view text, Arena& arena) {
  return decode(text, Slashes::decode, arena);
}

std::string_view variable_name(std::string_view field_name, Arena& arena) {
  if (field_name.empty() || equals_ignoring_case(field_name, "Proxy")) return {};
  const bool clean =
      std::ranges::all_of(field_name, [](char c) { return is_alnum(c) || c == '-'; });
  if (!clean) return {};
  constexpr std::string_view front = "HTTP_";
  char* const room = arena.take(front.size() + field_name.size());
  char* const behind = std::ranges::copy(front, room).out;
  std::ranges::transform(field_name, behind,
                         [](char c) { return c == '-' ? '_' : ascii_upper(c); });
  return {room, front.size() + field_name.size()};
}

std::string_view path_info_of_script(std::string_view path) {
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin + 1), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    const std::size_t dot = name.rfind('.');
    const std::string_view extension = dot == name.npos ? "" : name.substr(dot + 1);
    if (!extension.empty() && is_alpha(extension.front()) &&
        std::ranges::all_of(extension, is_alnum))
      return path.substr(end);
    begin = end;
  }
  return {};
}

std::size_t find_path_info(std::string_view path, std::string_view path_info) {
  std::size_t at = path.size();
  std::size_t left = path_info.size();
  while (at != 0 && left != 0 && path[at - 1] == path_info[left - 1]) {
    --at;
    --left;
    if (path_info[left] == '/') {
      while (at != 0 && path[at - 1] == '/') --at;
    }
  }
  // The byte in front, which differs, belongs to the script, up to the next slash.
  if (at != 0) --at;
  while (at < path.size() && path[at] != '/') ++at;
  return at;
}

bool add_variables(const Request& request, const Surroundings& around, Protocol protocol,
                   BackendType backend, expr::Environment& variables, Arena& arena) {
  if (protocol == Protocol::scgi) variables.unset("GATEWAY_INTERFACE");
  add_fields(request, protocol, variables, arena);
  add_surroundings(around, variables, arena);
  variables.set("SCRIPT_FILENAME", script_filename(request, protocol, backend, arena));
  if (protocol != Protocol::scgi) variables.set("GATEWAY_INTERFACE", "CGI/1.1");
  variables.set("SERVER_PROTOCOL", request.protocol);
  variables.set("REQUEST_METHOD", request.method);
  variables.set("QUERY_STRING", request.query);
  variables.set("REQUEST_URI", request.uri);
  if (protocol == Protocol::uwsgi) return add_uwsgi_script(request, variables, arena);
  add_script(request, around, protocol, variables, arena);
  return true;
}

}  // namespace steelyard::cgi
