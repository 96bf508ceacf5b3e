#include "proxy/tls_environment.hpp"

#include "tls/environment.hpp"
#include "tls/stream.hpp"

namespace steelyard::proxy {

void write_tls_environment(Exchange& x) {
  if (!x.has_tls_environment) return;
  const tls::VariableContext context{x.settings->tls_options.value_or(config::TlsOptions()),
                                     x.wall_now};
  for (const auto& [name, value] : tls::environment(x.client->tls->ssl(), context, x.arena))
    x.environment.set(name, value);
  x.has_tls_environment = false;
}

}  // namespace steelyard::proxy
