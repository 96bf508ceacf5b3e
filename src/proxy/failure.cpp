#include "proxy/failure.hpp"

#include <array>

namespace steelyard::proxy {

int status_of(const Failure& failure) {
  if (failure.status != 0) return failure.status;
  switch (failure.cause) {
    case Cause::none:
      return 200;
    case Cause::connect:
    case Cause::pool_exhausted:
    case Cause::exhausted:
    case Cause::unusable:
    case Cause::continue_timed_out:
      return 503;
    case Cause::no_such_name:
    case Cause::handshake:
      return 500;
    case Cause::write_timed_out:
      return 504;
    case Cause::closed:
    case Cause::timed_out:
    case Cause::bad_message:
    case Cause::cut_short:
    case Cause::unwanted:
      return 502;
    case Cause::gone:
    case Cause::bad_body:
      return 400;
    case Cause::body_too_large:
      return 413;
    case Cause::body_timed_out:
      return 408;
    case Cause::blocked:
      return 403;
  }
  return 500;
}

std::string_view reason_of(const Failure& failure) {
  if (failure.has_plain_page) return {};
  switch (failure.cause) {
    case Cause::closed:
    case Cause::timed_out:
      return "Error reading from remote server";
    case Cause::continue_timed_out:
      return "Timeout on 100-Continue";
    case Cause::handshake:
      return "Error during SSL Handshake with remote server";
    case Cause::no_such_name:
    case Cause::bad_message:
    case Cause::unwanted:
      return failure.detail;
    case Cause::blocked:
      return "Connect to remote machine blocked";
    default:
      return {};
  }
}

std::string_view to_text(Party party) {
  switch (party) {
    case Party::none:
      return "proxy";
    case Party::client:
      return "client";
    case Party::backend:
      return "backend";
  }
  return {};
}

std::string_view to_text(Cause cause) {
  constexpr std::array<std::string_view, cause_count> words{
      "none",        "no_such_name", "connect",   "pool_exhausted",  "exhausted",
      "unusable",    "closed",       "timed_out", "write_timed_out", "continue_timed_out",
      "bad_message", "gone",         "bad_body",  "body_too_large",  "body_timed_out",
      "handshake",   "cut_short",    "blocked",   "unwanted"};
  return words[static_cast<std::size_t>(cause)];
}

}  // namespace steelyard::proxy
