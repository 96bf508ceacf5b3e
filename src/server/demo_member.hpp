#pragma once

#include "server/options.hpp"

// A small web server to try balancing with: the `demo-member` subcommand. One thread, HTTP/1.1
// with keep-alive, pages of demo_page.hpp.
//
//   GET  any path   the page
//   POST /login     sets the session cookie with this member's route, back to /
//   POST /logout    forgets it, back to /

namespace steelyard::server {

// Serves on 127.0.0.1 until a signal ends the process; returns only when it cannot start.
int run_demo_member(const DemoMemberOptions& options);

}  // namespace steelyard::server
