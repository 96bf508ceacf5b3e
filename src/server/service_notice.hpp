#pragma once

#include <string_view>

// Tells the service manager how far the start is (systemd's notification protocol: one datagram
// to the socket named by NOTIFY_SOCKET). Without that variable: nothing.

namespace steelyard::server {

// For example "READY=1" or "STOPPING=1".
void notify_service_manager(std::string_view state);

}  // namespace steelyard::server
