#include "config/open_page.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace steelyard::config {

bool is_page(Responder responder) {
  return responder != Responder::none && responder != Responder::heartbeat;
}

bool is_left_open(const PathSettings& settings, std::string_view method) {
  return settings.require == nullptr || settings.require->admits_strangers(method);
}

bool is_left_open(const PathSettings& settings, Responder page) {
  constexpr auto methods =
      std::to_array<std::string_view>({"GET", "POST", "PUT", "PATCH", "DELETE"});
  const std::size_t count = page == Responder::api ? methods.size() : 2;
  return std::ranges::any_of(std::span(methods).first(count), [&](std::string_view method) {
    return is_left_open(settings, method);
  });
}

}  // namespace steelyard::config
