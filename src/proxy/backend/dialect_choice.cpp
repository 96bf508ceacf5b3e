#include "proxy/backend/dialect_choice.hpp"

#include "proxy/backend/ftp_dialect.hpp"
#include "proxy/backend/http2_dialect.hpp"

namespace steelyard::proxy {

namespace {

// Null: HTTP/1 is spoken.
std::unique_ptr<Dialect> other_than_http1(const Dialect::Matter& matter) {
  const std::string_view scheme = matter.plan.lease.spec().scheme;
  if (scheme.starts_with("http") || scheme.starts_with("ws")) return nullptr;
  if (scheme == "h2" || scheme == "h2c") return std::make_unique<Http2Dialect>(matter);
  if (scheme == "ftp") return std::make_unique<FtpDialect>(matter);
  return nullptr;
}

}  // namespace

DialectChoice::DialectChoice(const Dialect::Matter& matter)
    : other_(other_than_http1(matter)),
      dialect_(other_ != nullptr ? other_.get() : &http1_.emplace(matter)) {}

}  // namespace steelyard::proxy
