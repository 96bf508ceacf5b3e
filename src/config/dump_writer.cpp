#include "config/dump_writer.hpp"

namespace steelyard::config {

void DumpWriter::line(std::string_view key, std::string_view value) {
  text_.append(depth_, ' ').append(key);
  if (!value.empty()) text_.append(" ").append(value);
  text_ += '\n';
}

void DumpWriter::milliseconds(std::string_view key, std::chrono::nanoseconds value) {
  const auto whole = std::chrono::duration_cast<std::chrono::milliseconds>(value);
  line(key, std::to_string(whole.count()) + "ms");
}

}  // namespace steelyard::config
