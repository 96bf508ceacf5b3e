#include "proxy/exchange.hpp"

#include <algorithm>
#include <utility>

#include "base/text.hpp"

namespace steelyard::proxy {

void Exchange::reset() {
  if (!std::exchange(begun_, false)) return;
  generation.reset();
  server = nullptr;
  settings.reset();
  first.clear();
  request.clear();
  asked_fields = path = host_name = query = request_line = reason = client_host = log_id_text_ =
      origin_ = {};
  backend_url = {};
  has_query = false;
  named_client = {};
  guest.clear();
  environment.clear();
  notes.clear();
  request_trailers.clear();
  response_trailers.clear();
  route = {};
  rewritten.clear();
  proxied = own_answer = head_sent = client_gone = broken_off = redirected = recording =
      closed_by_limit = false;
  has_switches = keeps_timeline_ = has_tls_environment = false;
  responder = config::Responder::none;
  keep_client = true;
  status = original_status = retry_after_seconds = 0;
  response.clear();
  normal.clear();
  always.clear();
  bytes = {};
  failed = {};
  first_byte_at = ended_at = {};
  log_id = 0;
  leases.clear();
  arena.reset();
}

void Exchange::keep_timeline() {
  if (timeline_ == nullptr) timeline_ = std::make_unique<expr::Timeline>();
  timeline_->clear();
  keeps_timeline_ = true;
}

bool Exchange::is_called_by_client() const {
  return settings == nullptr || settings->canonical_name.value_or(config::CanonicalName::off) ==
                                    config::CanonicalName::off;
}

std::string_view Exchange::public_name() const {
  return is_called_by_client() && !host_name.empty() ? host_name : server->name;
}

std::uint16_t Exchange::public_port() const {
  const bool is_physical = settings != nullptr && settings->canonical_physical_port.value_or(false);
  const std::uint16_t unnamed = is_physical ? client->local.port : usual_port();
  if (is_called_by_client()) {
    if (request.host_parts && request.host_parts->port) return *request.host_parts->port;
    if (is_physical) return unnamed;
  }
  return server->name_port.value_or(unnamed);
}

std::string_view Exchange::scheme() const {
  return is_tls() || server->name_scheme == "https" ? "https" : "http";
}

std::string_view Exchange::origin() {
  if (!origin_.empty()) return origin_;
  const std::uint16_t port = public_port();
  const std::string_view name = public_name();
  const bool v6 = name.find(':') != std::string_view::npos;
  const std::string_view host = v6 ? arena.join("[", name, "]") : name;
  if (port == usual_port()) return origin_ = arena.join(scheme(), "://", host);
  return origin_ = arena.join(scheme(), "://", host, ":", arena.decimal(port));
}

}  // namespace steelyard::proxy
