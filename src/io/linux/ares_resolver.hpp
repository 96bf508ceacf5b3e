#pragma once

#include <memory>
#include <vector>

#include "io/dialer.hpp"
#include "io/linux/epoll_loop.hpp"

// Name resolution by c-ares on the loop: the hosts file and DNS, in the system's order.
// Every question is asked anew; who wants to keep an answer does so (SocketDialer, names/).

namespace steelyard::io {

class AresResolver final : public Resolver {
 public:
  explicit AresResolver(EpollLoop& loop);
  ~AresResolver() override;
  Task<NameReply> ask(std::string name, NameQuestion question) override;
  Task<std::string> name_of(IpAddress address) override;
  void use_servers(const std::vector<Endpoint>& servers) override;

 private:
  class Channel;
  EpollLoop& loop_;
  std::unique_ptr<Channel> channel_;
  std::vector<std::unique_ptr<Channel>> left_;  // still answering what they were asked
};

}  // namespace steelyard::io
