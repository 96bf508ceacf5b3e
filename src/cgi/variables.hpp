// The variables that describe a request to a member of the CGI family (RFC 3875 4.1; httpd: what
// mod_proxy_fcgi, mod_proxy_scgi and mod_proxy_uwsgi send).
//
//   environment of the exchange ──▶ + fields as HTTP_* ──▶ + server, client, script, path
//
// Invariants: 1. a field `Proxy` never becomes HTTP_PROXY, and a field whose name has anything but
//                letters, digits and dashes becomes no variable, so no two fields share one.
//             2. what the request or the server says replaces what the environment said before.
// Threads: pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "expr/facts.hpp"
#include "http/field.hpp"

namespace steelyard {
class Arena;
}

namespace steelyard::cgi {

enum class Protocol : std::uint8_t { fcgi, scgi, uwsgi };

// ProxyFCGIBackendType. FPM takes the "proxy:fcgi://host" off a SCRIPT_FILENAME by itself.
enum class BackendType : std::uint8_t { fpm, generic };

struct Request {
  const http::FieldList& fields;
  std::string_view method = {}, protocol = {};  // "GET", "HTTP/1.1"
  std::string_view uri = {};                    // the target of the request line as received
  std::string_view path = {};                   // decoded, as routes see it
  std::string_view query = {};
  std::optional<std::uint64_t> body_bytes = {};  // none: there is no body
  // The target: "127.0.0.1:9000" (as httpd writes it) and an encoded path that begins with '/'.
  std::string_view authority = {}, script = {};
  bool passes_passwords = false;  // CGIPassAuth
  // What the path of a script that a handler serves ends with; empty: nothing, or not known.
  std::string_view path_info = {};
};

struct Surroundings {
  std::string_view scheme = {};         // "http"
  std::string_view document_root = {};  // empty: there is none
  std::string_view server_name = {}, server_address = {}, server_admin = {};
  std::string_view server_software = {}, signature = {};
  std::string_view client_address = {}, client_host = {};
  std::optional<std::string_view> user = {};  // who the client proved to be
  std::string_view auth_type = {};            // empty: nobody asked
  std::uint16_t server_port = 0, client_port = 0;
  // Of the request that an ErrorDocument answers.
  std::string_view redirect_url = {}, redirect_query = {}, redirect_method = {};
};

// What the members of an exchange get as PATH, unless SetEnv says another.
inline constexpr std::string_view default_path = "/usr/local/bin:/usr/bin:/bin";

// Adds to `variables`, which hold the exchange's environment. Views lie in the request, the
// surroundings or the arena. False: the target's path holds an encoded NUL (uwsgi).
bool add_variables(const Request& request, const Surroundings& around, Protocol protocol,
                   BackendType backend, expr::Environment& variables, Arena& arena);

// Percent-decoded; what is no escape stays.
std::string_view decoded(std::string_view text, Arena& arena);

// "HTTP_ACCEPT_LANGUAGE" for "Accept-Language"; empty when the field becomes no variable.
std::string_view variable_name(std::string_view field_name, Arena& arena);

// What stands behind the script in a decoded path, when its name alone tells which that is: the
// first one that ends with a dot, a letter and more letters or digits. Empty: nothing does.
std::string_view path_info_of_script(std::string_view path);

// Where the part of a decoded path that path_info repeats begins (httpd: ap_find_path_info).
std::size_t find_path_info(std::string_view path, std::string_view path_info);

}  // namespace steelyard::cgi
