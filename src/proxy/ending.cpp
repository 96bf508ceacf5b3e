#include "proxy/ending.hpp"

#include <system_error>

namespace steelyard::proxy {

std::string ending_words(const io::IoResult& ending, std::string_view when_closed) {
  if (ending.status == io::IoStatus::end) return std::string(when_closed);
  if (ending.status != io::IoStatus::failed) return {};
  if (ending.error == 0) return "the connection broke";
  return '(' + std::to_string(ending.error) + ')' + std::generic_category().message(ending.error);
}

}  // namespace steelyard::proxy
