#include "http/method.hpp"

#include <array>

namespace steelyard::http {

namespace {

// In the order of Method.
constexpr std::array<std::string_view, 9> names = {"GET",     "HEAD",  "POST",    "PUT",  "DELETE",
                                                   "OPTIONS", "TRACE", "CONNECT", "PATCH"};
static_assert(static_cast<std::size_t>(Method::other) == names.size());

}  // namespace

Method method_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return static_cast<Method>(i);
  }
  return Method::other;
}

bool is_idempotent(Method method) noexcept {
  switch (method) {
    case Method::get:
    case Method::head:
    case Method::put:
    case Method::delete_:
    case Method::options:
    case Method::trace:
      return true;
    case Method::post:
    case Method::connect:
    case Method::patch:
    case Method::other:
      return false;
  }
  return false;
}

}  // namespace steelyard::http
