#include "proxy/failure.hpp"

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
      return 500;
    case Cause::write_timed_out:
      return 504;
    case Cause::closed:
    case Cause::timed_out:
    case Cause::bad_message:
    case Cause::cut_short:
      return 502;
    case Cause::gone:
    case Cause::bad_body:
      return 400;
    case Cause::body_too_large:
      return 413;
    case Cause::body_timed_out:
      return 408;
  }
  return 500;
}

std::string_view reason_of(const Failure& failure) {
  switch (failure.cause) {
    case Cause::closed:
    case Cause::timed_out:
      return "Error reading from remote server";
    case Cause::continue_timed_out:
      return "Timeout on 100-Continue";
    case Cause::no_such_name:
    case Cause::bad_message:
      return failure.detail;
    default:
      return {};
  }
}

}  // namespace steelyard::proxy
