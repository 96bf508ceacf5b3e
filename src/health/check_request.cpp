#include "health/check_request.hpp"

#include <string_view>
#include <utility>

#include "base/check.hpp"

namespace steelyard::health {

namespace {

using balance::CheckMethod;

struct Words {
  std::string_view method, protocol;
};

Words words_of(CheckMethod method) {
  switch (method) {
    case CheckMethod::options:
      return {"OPTIONS", "HTTP/1.0"};
    case CheckMethod::head:
      return {"HEAD", "HTTP/1.0"};
    case CheckMethod::get:
      return {"GET", "HTTP/1.0"};
    case CheckMethod::options11:
      return {"OPTIONS", "HTTP/1.1"};
    case CheckMethod::head11:
      return {"HEAD", "HTTP/1.1"};
    case CheckMethod::get11:
      return {"GET", "HTTP/1.1"};
    case CheckMethod::none:
    case CheckMethod::tcp:
    case CheckMethod::cping:
      break;
  }
  CHECK(false);
}

std::string target_of(const balance::MemberSpec& member) {
  const balance::CheckSpec& check = member.check;
  if (check.method == CheckMethod::options || check.method == CheckMethod::options11) return "*";
  const bool both = !member.path_prefix.empty() && !check.uri.empty();
  return member.path_prefix + (both ? "/" : "") + check.uri;
}

CheckWords words_for(const balance::MemberSpec& member, std::string target) {
  const Words words = words_of(member.check.method);
  return {words.method, words.protocol, std::move(target),
          member.check.host.empty() ? host_and_port(member) : member.check.host};
}

}  // namespace

// httpd leaves the brackets of an IPv6 address out, which no backend has to understand.
std::string host_and_port(const balance::MemberSpec& member) {
  const bool v6 = member.host.find(':') != std::string::npos;
  return (v6 ? '[' + member.host + ']' : member.host) + ':' + std::to_string(member.port);
}

CheckWords check_words(const balance::MemberSpec& member) {
  return words_for(member, target_of(member));
}

CheckWords cgi_check_words(const balance::MemberSpec& member) {
  const std::string& uri = member.check.uri;
  return words_for(member, (uri.starts_with('/') ? "" : "/") + uri);
}

CheckWords http2_check_words(const balance::MemberSpec& member) {
  CheckWords words = check_words(member);
  if (words.target != "*" && !words.target.starts_with('/')) words.target.insert(0, 1, '/');
  return words;
}

std::string check_request(const balance::MemberSpec& member) {
  const CheckWords words = check_words(member);
  return std::string(words.method) + ' ' + words.target + ' ' + std::string(words.protocol) +
         "\r\nHost: " + words.host + "\r\n\r\n";
}

}  // namespace steelyard::health
