#pragma once

#include <string_view>

#include "base/on_demand.hpp"
#include "expr/visitor.hpp"

namespace steelyard::config {
struct PathSettings;
}

// What became of asking a client who it is. Threads: the shard's.

namespace steelyard::proxy {

struct Guest {
  expr::Visitor visitor;
  bool was_asked = false;          // identify() has had its say about these settings
  std::string_view challenge;      // the field that asks for credentials; empty: none goes out
  bool is_certified = false;       // a certificate named the user (SSLUserName)
  bool has_groups = false;         // these were looked up for a certified user
  bool is_asked_by_proxy = false;  // as the client of a forward proxy: 407 instead of 401

  // Of before an internal redirect. httpd: under the same ones nobody is asked again, and the user
  // stays; under others all begins anew. A challenge that was made goes out all the same.
  const config::PathSettings* settings_before = nullptr;

  void forget_answer() {
    visitor.clear();
    was_asked = is_certified = has_groups = false;
    settings_before = nullptr;
  }
  void clear() {
    forget_answer();
    challenge = {};
    is_asked_by_proxy = false;
  }
};

// Whether what is known holds under these settings; if not, it is forgotten.
inline bool stays_under(OnDemand<Guest>& guest, const config::PathSettings* now) {
  if (guest->settings_before == nullptr) return false;
  if (guest->settings_before == now) return true;
  guest.write().forget_answer();
  return false;
}

}  // namespace steelyard::proxy
