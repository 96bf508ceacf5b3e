#pragma once

#include <openssl/types.h>

#include <optional>
#include <string_view>

#include "base/arena.hpp"
#include "tls/certificate_text.hpp"
#include "tls/variables.hpp"

// What mod_ssl writes into a request's environment, as SSLOptions has it: HTTPS and the host that
// was named always, the rest with StdEnvVars and ExportCertData. There are fewer names here than
// variable() answers to: each of them once, counted as httpd counts.
//
// Threads: the connection's.

namespace steelyard::tls {

Variables environment(SSL* ssl, const VariableContext& context, Arena& arena);
// One of these, in any case; none: it is not among them. Others are not worked out, but for those
// of the same name of a certificate.
std::optional<std::string_view> environment_variable(SSL* ssl, std::string_view name,
                                                     const VariableContext& context, Arena& arena);

}  // namespace steelyard::tls
