#pragma once

#include <memory>

#include "io/dialer.hpp"
#include "io/linux/epoll_loop.hpp"

// Name resolution by c-ares on the loop: the hosts file and DNS, in the system's order.
// Every question is asked anew; who wants to keep an answer does so (SocketDialer).

namespace steelyard::io {

class AresResolver final : public Resolver {
 public:
  explicit AresResolver(EpollLoop& loop);
  ~AresResolver() override;
  Task<std::vector<IpAddress>> addresses(std::string name) override;
  Task<std::string> name_of(IpAddress address) override;

 private:
  class Channel;
  std::unique_ptr<Channel> channel_;
};

}  // namespace steelyard::io
