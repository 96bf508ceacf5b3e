#include "proxy/backend/dialect_choice.hpp"

#include "proxy/backend/ajp_dialect.hpp"
#include "proxy/backend/cgi_stream_dialect.hpp"
#include "proxy/backend/fcgi_dialect.hpp"
#include "proxy/backend/ftp_dialect.hpp"
#include "proxy/backend/http2_dialect.hpp"

namespace steelyard::proxy {

namespace {

// Null: HTTP/1 is spoken.
std::unique_ptr<Dialect> other_than_http1(const Dialect::Matter& matter, Shard::Core& core) {
  const std::string_view scheme = matter.plan.lease.spec().scheme;
  if (scheme.starts_with("http") || scheme.starts_with("ws")) return nullptr;
  if (scheme == "h2" || scheme == "h2c") return std::make_unique<Http2Dialect>(matter);
  if (scheme == "ajp") return std::make_unique<AjpDialect>(matter);
  const auto protocol = cgi_protocol(scheme);
  if (protocol == cgi::Protocol::fcgi) return std::make_unique<FcgiDialect>(matter, core);
  if (protocol) return std::make_unique<CgiStreamDialect>(matter, *protocol);
  // Another proxy takes the URL over HTTP.
  if (scheme == "ftp" && matter.plan.remote == nullptr) return std::make_unique<FtpDialect>(matter);
  return nullptr;
}

}  // namespace

DialectChoice::DialectChoice(const Dialect::Matter& matter, Shard::Core& core)
    : other_(other_than_http1(matter, core)),
      dialect_(other_ != nullptr ? other_.get() : &http1_.emplace(matter)) {}

}  // namespace steelyard::proxy
