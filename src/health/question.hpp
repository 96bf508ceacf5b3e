#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "health/check.hpp"

// What a check asks, of whom, and how the answer is judged and counted. Members with equal
// questions may share one check (hcshare=On): whoever of them asks hears and means the same.
//
// Threads: a value.

namespace steelyard::health {

struct Question {
  // How it is asked and counted. hcexpr stands below, as it is not the name that judges.
  balance::CheckSpec check;
  std::string condition;

  // Of whom. What only tunes the socket (keepalive, buffers) is left out.
  std::string scheme, host, path, unix_path;
  std::uint16_t port = 0;
  std::optional<IpAddress> address;  // of a member that stands for one address of a name
  std::optional<std::chrono::seconds> address_ttl;
  std::optional<IpAddress> source;
  balance::ProxyProtocol proxy_protocol = balance::ProxyProtocol::none;
  std::optional<std::string> tls;  // the settings and files; none: no TLS, or it is not enabled
  Duration connect_timeout{}, read_timeout{};

  // Of the CGI family: what else a request tells.
  std::string document_root, admin;
  cgi::BackendType fcgi_backend = cgi::BackendType::fpm;

  friend bool operator==(const Question&, const Question&) = default;
};

// The same whether the member shares the check or has it for itself.
Question question_of(const CheckPlan& plan);

struct QuestionHash {
  std::size_t operator()(const Question& question) const;
};

}  // namespace steelyard::health
