#include "proxy/backend/dialect_choice.hpp"

#include "proxy/backend/cgi_stream_dialect.hpp"
#include "proxy/backend/fcgi_dialect.hpp"

namespace steelyard::proxy {

std::unique_ptr<Dialect> DialectChoice::make_other(const Dialect::Matter& matter,
                                                   Shard::Core& core) {
  const auto protocol = cgi_protocol(matter.plan.lease.spec().scheme);
  if (!protocol) return nullptr;
  if (*protocol == cgi::Protocol::fcgi) return std::make_unique<FcgiDialect>(matter, core);
  return std::make_unique<CgiStreamDialect>(matter, *protocol);
}

}  // namespace steelyard::proxy
