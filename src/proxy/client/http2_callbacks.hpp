#pragma once

#include <nghttp2/nghttp2.h>

#include "config/http2_settings.hpp"

// What the library calls while it reads and makes frames of a session. Threads: the shard's.

namespace steelyard::proxy {

// `user`: the Http2Session.
nghttp2_session* make_http2_library(const config::Http2Settings& settings, void* user);
// Where the library gets a stream's body from.
nghttp2_data_source_read_callback http2_body_source();

}  // namespace steelyard::proxy
