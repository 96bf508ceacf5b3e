#include "balance/check_fit.hpp"

#include <string_view>

namespace steelyard::balance {

namespace {

// Who understands what a check says.
enum class Speech : std::uint8_t { http, cgi, ajp, ftp };

Speech speech_of(std::string_view scheme) {
  if (scheme == "fcgi" || scheme == "scgi" || scheme == "uwsgi") return Speech::cgi;
  if (scheme == "ajp") return Speech::ajp;
  return scheme == "ftp" ? Speech::ftp : Speech::http;
}

bool fits(Speech speech, CheckMethod method) {
  switch (speech) {
    case Speech::http:
    case Speech::cgi:
      return method != CheckMethod::cping;
    case Speech::ajp:
      return method == CheckMethod::cping;
    case Speech::ftp:
      return method == CheckMethod::options || method == CheckMethod::options11;
  }
  return false;
}

std::string_view advice_for(Speech speech) {
  switch (speech) {
    case Speech::http:
      return "Write hcmethod=GET hcuri=/PATH: the member answers that.";
    case Speech::cgi:
      return "Write hcmethod=GET hcuri=/PATH: the application answers that (php-fpm: ping.path).";
    case Speech::ajp:
      return "Write hcmethod=CPING: the container answers that.";
    case Speech::ftp:
      return "Write hcmethod=OPTIONS: the server's greeting passes that.";
  }
  return {};
}

}  // namespace

std::optional<CheckObjection> objection_to_check(const MemberSpec& member) {
  const CheckMethod method = member.check.method;
  if (method == CheckMethod::none || method == CheckMethod::tcp) return std::nullopt;
  const Speech speech = speech_of(member.scheme);
  if (fits(speech, method)) return std::nullopt;
  const bool pings = method == CheckMethod::cping;
  return CheckObjection{"hcmethod=" + std::string(check_method_name(method)) + " asks " +
                            member.name + " in " + (pings ? "AJP" : "HTTP") +
                            ", which it does not speak",
                        std::string(advice_for(speech))};
}

bool is_checked_on_its_socket(const MemberSpec& member) {
  const CheckMethod method = member.check.method;
  const bool asks =
      method != CheckMethod::none && method != CheckMethod::tcp && method != CheckMethod::cping;
  return !member.unix_socket_path.empty() && !member.check.port && asks &&
         speech_of(member.scheme) == Speech::cgi;
}

}  // namespace steelyard::balance
