#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/ip.hpp"
#include "base/time.hpp"

// What formats, conditions and rules may ask about an exchange. The data path implements it; tests
// implement it with a table. Every answer is a view that stays valid until the exchange ends.
//
// Threads: the exchange's.

namespace steelyard::expr {

// Asked for by number, so that a compiled format costs one switch per item.
enum class TextFact : std::uint8_t {
  client_ip,       // %a %h REMOTE_ADDR
  client_host,     // resolved name, empty when it was not looked up
  peer_ip,         // %{c}a CONN_REMOTE_ADDR
  local_ip,        // %A
  method,          // %m REQUEST_METHOD
  path,            // %U REQUEST_URI, decoded, without the query
  final_path,      // %>U: of the last internal redirect
  marked_query,    // %q: with its '?', also when nothing follows it
  query,           // QUERY_STRING, without '?'
  request_line,    // %r THE_REQUEST, as received
  protocol,        // %H "HTTP/1.1", of the request
  server_name,     // %v, ServerName of the virtual host
  canonical_name,  // %V, by UseCanonicalName
  scheme,          // REQUEST_SCHEME "http"
  handler,         // %R "proxy-server" or empty
  filename,        // %f "proxy:http://..." for proxied exchanges
  server_admin,
  document_root,  // DocumentRoot as written, absolute
  log_id,         // %L
  connection_log_id,
  server_software,  // SERVER_SOFTWARE, by ServerTokens
  load_averages,    // Header %l: 1, 5 and 15 minutes, "0.12/0.08/0.01"
  health_body,      // HC_BODY: what a health check received, empty for any other exchange
};

enum class NumberFact : std::uint8_t {
  status,             // %>s final status
  original_status,    // %s, before an ErrorDocument changed it
  request_status,     // REQUEST_STATUS: 200 as long as nothing else is known
  body_bytes_sent,    // %B
  bytes_received,     // %I with head
  bytes_sent,         // %O with head
  keepalive_count,    // %k requests served before on this connection
  client_port,        // %{remote}p
  peer_port,          // REMOTE_PORT (httpd: not what RemoteIPHeader made of it)
  local_port,         // %{local}p
  canonical_port,     // %p
  process_id,         // %P
  thread_id,          // %{tid}P
  first_byte_micros,  // %^FB, -1 when nothing was sent
  idle_percent,       // Header %i: capacity that is free, 0 to 100
  busy_percent,       // Header %b
  is_tls,             // Require ssl: 1 over TLS, to a server with SSLEngine
};

enum class ConnectionEnd : std::uint8_t { aborted, kept, closed };  // %X

class LocalFiles;  // local_files.hpp
struct Timeline;   // timeline.hpp
struct Visitor;    // visitor.hpp

class Facts {
 public:
  virtual ~Facts() = default;

  virtual std::string_view text(TextFact which) const = 0;  // empty when there is none
  virtual std::int64_t number(NumberFact which) const = 0;
  virtual IpAddress client_address() const = 0;
  virtual IpAddress local_address() const = 0;
  virtual WallTime started() const = 0;
  virtual WallTime now() const = 0;
  virtual Duration elapsed() const = 0;
  virtual ConnectionEnd connection_end() const = 0;

  // Fields by name, ignoring case. Response fields: what goes to the client, both tables of
  // httpd's Header directive; the ordinary one first.
  virtual std::optional<std::string_view> request_header(std::string_view name) const = 0;
  virtual std::optional<std::string_view> response_header(std::string_view name) const = 0;
  virtual std::optional<std::string_view> request_trailer(std::string_view name) const = 0;
  virtual std::optional<std::string_view> response_trailer(std::string_view name) const = 0;
  // All request field names with values, for patterns over names (SetEnvIf).
  virtual std::size_t request_header_count() const = 0;
  virtual std::string_view request_header_name(std::size_t i) const = 0;
  virtual std::string_view request_header_value(std::size_t i) const = 0;
  // The same for response fields: %{Set-Cookie}o prints all of them.
  virtual std::size_t response_header_count() const = 0;
  virtual std::string_view response_header_name(std::size_t i) const = 0;
  virtual std::string_view response_header_value(std::size_t i) const = 0;

  virtual std::optional<std::string_view> variable(std::string_view name) const = 0;  // %{X}e
  virtual std::optional<std::string_view> note(std::string_view name) const = 0;      // %{X}n

  // How it went; null: nobody kept that.
  virtual const Timeline* timeline() const { return nullptr; }
  // mod_ssl's variables (SSL_PROTOCOL, SSL_CLIENT_S_DN, ...), exact names; none: the connection has
  // no TLS, or the variable no value.
  virtual std::optional<std::string_view> tls_variable(std::string_view /*name*/) const {
    return std::nullopt;
  }

  // Who says to have sent it; null: nobody is ever asked.
  virtual const Visitor* visitor() const { return nullptr; }

  // What conditions may ask about the machine's files; null: there are none.
  virtual const LocalFiles* local_files() const { return nullptr; }
};

// The request environment, and the notes: few entries, looked up by name ignoring case (httpd keeps
// both in tables that do), last write wins; the name stays as it was written first.
// Names and values are views; who sets one makes sure that it outlives the exchange (arena,
// generation or literal).
class Environment {
 public:
  void set(std::string_view name, std::string_view value);
  void unset(std::string_view name);
  std::optional<std::string_view> find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name).has_value(); }
  void clear() { entries_.clear(); }

  struct Entry {
    std::string_view name, value;
  };
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace steelyard::expr
