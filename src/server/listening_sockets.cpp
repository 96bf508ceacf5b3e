#include "server/listening_sockets.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "io/linux/listener.hpp"
#include "io/linux/socket_address.hpp"

namespace steelyard::server {

namespace {

bool contains(const std::vector<config::Listen>& listens, const config::Listen& wanted) {
  return std::ranges::find(listens, wanted) != listens.end();
}

// The socket of [::] takes what comes for 0.0.0.0, too, and there is no room for another one: the
// line counts for nothing (httpd).
std::vector<config::Listen> without_covered(std::vector<config::Listen> listens) {
  const std::vector<config::Listen> all = listens;
  std::erase_if(listens, [&](const config::Listen& listen) {
    if (!listen.ip || listen.ip->is_v6() || !listen.ip->is_any()) return false;
    return contains(all, config::Listen{.ip = std::nullopt, .port = listen.port, .place = {}});
  });
  return listens;
}

// SO_REUSEPORT lets a second server of the same user share the port in silence. A socket without
// that option is refused as long as anybody listens there.
bool somebody_listens(const config::Listen& listen) {
  const Endpoint endpoint{listen.ip ? *listen.ip : IpAddress::v4(0), listen.port};
  const io::SocketAddress address = io::to_socket_address(endpoint);
  const Descriptor probe(
      ::socket(endpoint.ip.is_v6() ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(probe.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool bound = ::bind(probe.number(), address.pointer(), address.size) == 0;
  return !bound && errno == EADDRINUSE;
}

std::string with_place(std::string text, const config::Listen& listen) {
  if (listen.place.file == nullptr) return text;
  return fmt::format("{} (Listen on line {} of {})", text, listen.place.line, *listen.place.file);
}

std::expected<ListeningSockets, std::string> open_one(const config::Listen& listen,
                                                      std::size_t shards, std::uint32_t backlog) {
  if (somebody_listens(listen)) {
    const std::string address =
        listen.ip ? Endpoint{*listen.ip, listen.port}.text() : fmt::format("[::]:{}", listen.port);
    return std::unexpected(with_place(fmt::format("({}){}: could not bind to address {}",
                                                  EADDRINUSE, strerror(EADDRINUSE), address),
                                      listen));
  }
  ListeningSockets result{.listen = listen, .sockets = {}};
  for (std::size_t shard = 0; shard < shards; ++shard) {
    const auto socket = io::open_listening_socket(listen.ip, listen.port, backlog);
    if (!socket) return std::unexpected(with_place(socket.error().text, listen));
    result.sockets.emplace_back(*socket);
  }
  return result;
}

}  // namespace

std::expected<ListenPlan, std::string> plan_listeners(const std::vector<config::Listen>& wanted,
                                                      const std::vector<config::Listen>& open,
                                                      std::size_t shards, std::uint32_t backlog) {
  const std::vector<config::Listen> to_be = without_covered(wanted), there = without_covered(open);
  ListenPlan plan;
  for (const config::Listen& listen : to_be) {
    if (contains(there, listen)) continue;
    auto sockets = open_one(listen, shards, backlog);
    if (!sockets) return std::unexpected(std::move(sockets.error()));
    plan.opened.push_back(std::move(*sockets));
  }
  std::ranges::copy_if(there, std::back_inserter(plan.closed),
                       [&](const config::Listen& listen) { return !contains(to_be, listen); });
  return plan;
}

}  // namespace steelyard::server
