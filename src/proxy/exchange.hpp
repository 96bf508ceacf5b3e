#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "balance/balancer.hpp"
#include "base/arena.hpp"
#include "base/on_demand.hpp"
#include "config/settings_cache.hpp"
#include "expr/facts.hpp"
#include "expr/timeline.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"
#include "proxy/client_facts.hpp"
#include "proxy/failure.hpp"
#include "proxy/first_request.hpp"
#include "proxy/generation.hpp"
#include "proxy/guest.hpp"
#include "proxy/rewritten.hpp"

// One request with its response: everything that the stages of its way know about it.
//
//   read ─▶ route ─▶ authorise ─▶ choose ─▶ forward ─▶ relay ─▶ account
//
// The object is reused (reset), so that a steady stream of exchanges allocates nothing. Views in it
// point into the connection's buffers, its arena or its generation, which all outlive the exchange.
// Threads: the shard's.

namespace steelyard::proxy {

class Exchange final : public expr::Facts {
 public:
  Exchange() = default;

  void reset();  // ready for the next request of a connection; what it referred to is let go
  void begin() {
    reset();
    begun_ = true;
  }

  // --- the request -------------------------------------------------------------------------------
  std::shared_ptr<const Generation> generation;
  const ClientFacts* client = nullptr;
  const config::Server* server = nullptr;
  config::SettingsRef settings;
  OnDemand<FirstRequest> first;  // before an internal redirect
  http::RequestHead request;
  std::string_view path;       // decoded
  std::string_view host_name;  // of Host: lower case, without port and final dot
  bool has_query = false, proxied = false;
  std::string_view query, request_line;  // the line as received; also one that could not be read
  std::string_view client_host;          // reverse lookup, when a rule asked for it
  NamedClient named_client;              // by those in front of us, see name_client()
  OnDemand<Guest> guest;                 // who it says it is, see identify()
  expr::Environment environment, notes;
  std::string_view asked_fields;  // by conditions before there was an answer: Vary of one made here
  // Variables that change how a request is handled (nokeepalive, ...); most exchanges have none.
  bool has_switch(std::string_view name) const { return has_switches && environment.has(name); }
  bool has_switches = false, has_tls_environment = false;  // mod_ssl's, looked up when asked for
  OnDemand<http::FieldList> request_trailers, response_trailers;
  mutable Arena arena;

  // --- where it goes -----------------------------------------------------------------------------
  config::RouteMatch route;
  // The target at the member that was tried last, for %f; before that the route's URL counts.
  struct BackendUrl {
    std::string_view scheme, authority, path;
  } backend_url;
  OnDemand<Rewritten> rewritten;                          // by RewriteRules
  config::Responder responder = config::Responder::none;  // who answers instead
  std::vector<balance::Lease> leases;  // of every member tried; they end with the exchange

  // --- the response ------------------------------------------------------------------------------
  int status = 0, original_status = 0;  // before an ErrorDocument took its place; 0: the same
  std::string_view reason;
  http::ResponseHead response;                  // the backend's
  http::FieldList normal, always;               // httpd's two tables of response fields
  bool own_answer = false;                      // the response is a page of ours
  int retry_after_seconds = 0;                  // of a 503 that waited in vain; 0: nothing is said
  bool client_gone = false, head_sent = false;  // bytes of a final head went to the client
  bool broken_off = false;       // the connection is closed without (the rest of) an answer
  bool keep_client = true;       // may the client's connection serve another request
  bool redirected = false;       // this is an ErrorDocument's internal redirect
  bool recording = false;        // the access log is being written
  bool closed_by_limit = false;  // MaxKeepAliveRequests is used up

  // --- for the record ----------------------------------------------------------------------------
  Blame failed;  // what ended it, unless it ended well
  ByteCounts bytes;
  Instant began_at{}, first_byte_at{}, ended_at{};
  WallTime began{}, wall_now{};
  std::uint64_t log_id = 0;
  void take_log_id() const;  // before the first line about it; until then its text is empty
  // How it goes; null when nobody asks for that (Server::keeps_timelines).
  expr::Timeline* timeline_kept() { return keeps_timeline_ ? timeline_.get() : nullptr; }
  void keep_timeline();
  const Endpoint& client_endpoint() const;  // the one named, else the peer
  std::string_view client_ip() const;       // its text
  // "http://host[:port]" as the client addressed us, for self-referential URLs.
  std::string_view origin();
  // ServerName, or the request's host, by UseCanonicalName.
  std::string_view public_name() const;
  std::uint16_t public_port() const;
  // httpd: a server without SSLEngine stays one of plain HTTP, whoever shook hands.
  bool is_tls() const { return client->tls != nullptr && server->tls.is_on(); }
  // httpd: https is also what a ServerName says that stands behind someone with the certificate.
  std::string_view scheme() const;
  std::uint16_t usual_port() const { return scheme() == "https" ? 443 : 80; }
  bool is_called_by_client() const;  // UseCanonicalName Off: by the name that the client used

  // --- expr::Facts -------------------------------------------------------------------------------
  std::string_view text(expr::TextFact which) const override;
  std::int64_t number(expr::NumberFact which) const override;
  IpAddress client_address() const override;
  IpAddress local_address() const override;
  WallTime started() const override { return began; }
  WallTime now() const override { return wall_now; }
  Duration elapsed() const override { return ended_at - began_at; }
  expr::ConnectionEnd connection_end() const override;
  std::optional<std::string_view> request_header(std::string_view name) const override;
  std::optional<std::string_view> response_header(std::string_view name) const override;
  std::optional<std::string_view> request_trailer(std::string_view name) const override;
  std::optional<std::string_view> response_trailer(std::string_view name) const override;
  std::size_t request_header_count() const override { return request.fields.size(); }
  std::string_view request_header_name(std::size_t i) const override;
  std::string_view request_header_value(std::size_t i) const override;
  std::size_t response_header_count() const override { return always.size() + normal.size(); }
  std::string_view response_header_name(std::size_t i) const override;
  std::string_view response_header_value(std::size_t i) const override;
  std::optional<std::string_view> variable(std::string_view name) const override;
  std::optional<std::string_view> tls_variable(std::string_view name) const override;
  std::optional<std::string_view> note(std::string_view name) const override;
  const expr::Timeline* timeline() const override;
  const expr::Visitor* visitor() const override { return &guest->visitor; }
  const expr::LocalFiles* local_files() const override { return client->process->files; }

 private:
  const http::Field& response_row(std::size_t i) const;
  std::string_view backend_url_text() const;
  std::optional<std::string_view> tls_environment(std::string_view name) const;

  bool begun_ = false, keeps_timeline_ = false;
  std::unique_ptr<expr::Timeline> timeline_;  // once one was kept: its memory is
  mutable std::string_view log_id_text_;      // once somebody asked for it
  std::string_view origin_;
};

}  // namespace steelyard::proxy
