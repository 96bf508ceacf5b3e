#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/address_cache.hpp"
#include "io/dialer.hpp"
#include "io/linux/epoll_loop.hpp"

// Connects TCP and Unix sockets; names are resolved by c-ares on the loop.

namespace steelyard::io {

class SocketDialer final : public Dialer {
 public:
  SocketDialer(EpollLoop& loop, std::unique_ptr<Resolver> resolver);
  Task<Dialed> dial(DialTarget target, Duration timeout) override;
  Resolver& resolver() override { return *resolver_; }

 private:
  Task<Dialed> dial_any(DialTarget target, AddressCache::Addresses addresses, Duration timeout);
  Task<Dialed> dial_unix(DialTarget target, Duration timeout);
  Task<Dialed> dial_address(DialTarget target, IpAddress address, Duration timeout);
  Task<Dialed> finish(int fd, int connect_error, std::string name, Duration timeout);

  EpollLoop& loop_;
  std::unique_ptr<Resolver> resolver_;
  AddressCache known_;
};

}  // namespace steelyard::io
