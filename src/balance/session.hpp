// Stickiness, first half: which member does the client say it belongs to?
//
// The URL is searched before the cookie, names are plain case-sensitive bytes (a '?' in one never
// matches), nothing is decoded.
// The result is views into the caller's text and specification; nothing is copied.
#pragma once

#include <cstdint>
#include <string_view>

#include "balance/spec.hpp"

namespace steelyard::balance {

enum class SessionSource : std::uint8_t { none, url, cookie };

struct Session {
  bool found = false;      // a tag was given, perhaps an empty or unknown one
  std::string_view name;   // the sticky name that matched (BALANCER_SESSION_STICKY)
  std::string_view value;  // all of the cookie or parameter; may be set without `found`
  std::string_view tag;    // what follows the separator (BALANCER_SESSION_ROUTE)
  SessionSource source = SessionSource::none;
};

// `url_path` is the path as it will be forwarded, `query` what followed the question mark or empty.
struct SessionText {
  std::string_view url_path;
  std::string_view query;
  std::string_view cookies;
};

Session find_session(const StickySpec& sticky, const SessionText& text);

}  // namespace steelyard::balance
