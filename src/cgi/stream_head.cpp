#include "cgi/stream_head.hpp"

#include <string_view>

#include "base/text.hpp"

namespace steelyard::cgi {

namespace {

// These two are written first, whatever the environment says of them.
bool is_fixed(std::string_view name) {
  return equals_ignoring_case(name, "CONTENT_LENGTH") || equals_ignoring_case(name, "SCGI");
}

bool has_nul(std::string_view text) { return text.find('\0') != std::string_view::npos; }

void append_word(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size()));
  out.push_back(static_cast<char>(text.size() >> 8));
  out.append(text);
}

}  // namespace

bool append_scgi_head(std::string& out, const expr::Environment& variables,
                      std::uint64_t body_bytes) {
  using namespace std::string_view_literals;
  const std::string length = std::to_string(body_bytes);
  std::size_t bytes = "CONTENT_LENGTH\0\0SCGI\0001\0"sv.size() + length.size();
  for (const auto& [name, value] : variables.entries()) {
    if (has_nul(name) || has_nul(value)) return false;
    if (!is_fixed(name)) bytes += name.size() + value.size() + 2;
  }
  out.append(std::to_string(bytes)).append(":CONTENT_LENGTH\0"sv);
  out.append(length).append("\0SCGI\0001\0"sv);
  for (const auto& [name, value] : variables.entries()) {
    if (is_fixed(name)) continue;
    out.append(name).append("\0"sv).append(value).append("\0"sv);
  }
  out.push_back(',');
  return true;
}

bool append_uwsgi_head(std::string& out, const expr::Environment& variables) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : variables.entries()) bytes += name.size() + value.size() + 4;
  if (bytes > uwsgi_packet_bytes_max) return false;
  out.push_back(0);
  out.push_back(static_cast<char>(bytes));
  out.push_back(static_cast<char>(bytes >> 8));
  out.push_back(0);
  for (const auto& [name, value] : variables.entries()) {
    append_word(out, name);
    append_word(out, value);
  }
  return true;
}

}  // namespace steelyard::cgi
