#include "config/open_page.hpp"

namespace steelyard::config {

bool is_page(Responder responder) {
  return responder != Responder::none && responder != Responder::heartbeat;
}

bool is_left_open(const PathSettings& settings) {
  if (settings.require == nullptr) return true;
  return settings.require->admits_strangers("GET") || settings.require->admits_strangers("POST");
}

}  // namespace steelyard::config
