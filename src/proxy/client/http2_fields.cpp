#include "proxy/client/http2_fields.hpp"

#include <algorithm>

#include "base/check.hpp"
#include "http/connection_fields.hpp"
#include "proxy/http2_text.hpp"

namespace steelyard::proxy {

namespace {

constexpr std::size_t status_at = 9;  // of "HTTP/1.1 200"
constexpr std::size_t status_bytes = 3;

}  // namespace

int Http2Fields::status_of(std::string_view head) {
  CHECK(head.size() >= status_at + status_bytes);
  int status = 0;
  for (const char digit : head.substr(status_at, status_bytes))
    status = status * 10 + (digit - '0');
  return status;
}

void Http2Fields::set_status(std::span<char> head, std::string_view status) {
  CHECK(status.size() == status_bytes && head.size() >= status_at + status_bytes);
  std::ranges::copy(status, head.begin() + status_at);
}

void Http2Fields::add(std::string_view name, std::string_view value) {
  rows_.push_back(
      {bytes_of(name), bytes_of(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
}

void Http2Fields::read_head(std::span<char> head) {
  rows_.clear();
  const std::string_view text(head.data(), head.size());
  CHECK(text.ends_with("\r\n\r\n"));
  add(":status", text.substr(status_at, status_bytes));
  const std::size_t line = text.find("\r\n") + 2;
  add_lines(head.subspan(line, head.size() - line - 2));
}

void Http2Fields::read_trailers(std::span<char> fields) {
  rows_.clear();
  add_lines(fields);
}

// "Name: value" CR LF, as HeadText::append_field writes them.
void Http2Fields::add_lines(std::span<char> lines) {
  std::size_t begin = 0;
  const std::string_view text(lines.data(), lines.size());
  while (begin < text.size()) {
    const std::size_t colon = text.find(':', begin);
    const std::size_t end = text.find("\r\n", begin);
    CHECK(colon < end && end != std::string_view::npos);
    const std::string_view name = text.substr(begin, colon - begin);
    if (!http::connection_fields.contains(http::field_id(name))) {
      std::ranges::transform(name, &lines[begin], [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      const std::size_t value = std::min(colon + 2, end);
      add(name, text.substr(value, end - value));
    }
    begin = end + 2;
  }
}

}  // namespace steelyard::proxy
