#include "server/host_names.hpp"

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "io/linux/socket_address.hpp"

namespace steelyard::server {

namespace {

struct FreeAnswer {
  void operator()(addrinfo* answer) const { ::freeaddrinfo(answer); }
};
using Answer = std::unique_ptr<addrinfo, FreeAnswer>;

Answer look_up(const std::string& name, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* answer = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &answer) != 0) return nullptr;
  return Answer(answer);
}

bool is_full(std::string_view name) { return name.find('.') != std::string_view::npos; }

}  // namespace

std::vector<IpAddress> addresses_of(const std::string& name) {
  std::vector<IpAddress> addresses;
  const Answer answer = look_up(name, 0);
  for (const addrinfo* one = answer.get(); one != nullptr; one = one->ai_next) {
    const IpAddress ip = io::to_endpoint(*one->ai_addr).ip;
    if (std::ranges::find(addresses, ip) == addresses.end()) addresses.push_back(ip);
  }
  return addresses;
}

std::string full_host_name() {
  char text[256] = {};
  if (::gethostname(text, sizeof text - 1) != 0) return {};
  std::string name = text;
  if (is_full(name)) return name;
  const Answer answer = look_up(name, AI_CANONNAME);
  if (!answer) return {};
  if (answer->ai_canonname != nullptr && is_full(answer->ai_canonname)) return answer->ai_canonname;
  return io::to_endpoint(*answer->ai_addr).ip.text();
}

}  // namespace steelyard::server
