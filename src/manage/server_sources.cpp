#include "manage/server_sources.hpp"

namespace steelyard::manage {

// httpd's file handler, which such requests fall through to, finds nothing for a POST.
proxy::DeskAnswer refuse_method(http::Method method) {
  switch (method) {
    case http::Method::post:
      return {.status = 404};
    case http::Method::options:
      return {.status = 200};
    case http::Method::other:
      return {.status = 501};
    default:
      return {.status = 405};
  }
}

}  // namespace steelyard::manage
