#pragma once

#include "http/request_head.hpp"
#include "proxy/core.hpp"
#include "proxy/local_answer.hpp"

// The end of an exchange in the logs, and the words for requests that could not be read.

namespace steelyard::proxy {

// One line in each access log of the server whose condition holds.
void record_access(Exchange& x, Shard::Core& core);

// The page's words for a malformed request, as httpd's.
void describe_fault(const http::RequestFault& fault, LocalAnswer& answer);

// Makes the exchange a GET for `path`, as httpd does for an ErrorDocument: the environment is kept
// under REDIRECT_ names.
void begin_internal_redirect(Exchange& x, int status, std::string_view path);

}  // namespace steelyard::proxy
