#include "cgi/fcgi_record.hpp"

namespace steelyard::cgi {

namespace {

void append_length(std::string& out, std::size_t bytes) {
  if (bytes >= 0x80) {
    out.push_back(static_cast<char>(0x80 | (bytes >> 24)));
    out.push_back(static_cast<char>(bytes >> 16));
    out.push_back(static_cast<char>(bytes >> 8));
  }
  out.push_back(static_cast<char>(bytes));
}

std::size_t bytes_of(const expr::Environment::Entry& entry) {
  const auto length = [](std::size_t bytes) { return bytes >= 0x80 ? 4U : 1U; };
  return length(entry.name.size()) + length(entry.value.size()) + entry.name.size() +
         entry.value.size();
}

void append_header(std::string& out, RecordType type, std::size_t content_bytes) {
  const FcgiHeader header = fcgi_header(type, content_bytes);
  out.append(header.data(), header.size());
}

}  // namespace

FcgiHeader fcgi_header(RecordType type, std::size_t content_bytes) {
  return {static_cast<char>(fcgi_version),
          static_cast<char>(type),
          static_cast<char>(fcgi_request_id >> 8),
          static_cast<char>(fcgi_request_id),
          static_cast<char>(content_bytes >> 8),
          static_cast<char>(content_bytes),
          0,
          0};
}

bool append_fcgi_head(std::string& out, const expr::Environment& variables, Keep keep) {
  const auto& entries = variables.entries();
  for (const auto& entry : entries) {
    if (bytes_of(entry) > fcgi_content_bytes_max) return false;
  }
  append_header(out, RecordType::begin_request, 8);
  out.append({0, 1, static_cast<char>(keep), 0, 0, 0, 0, 0});  // role: responder
  for (auto next = entries.begin(); next != entries.end();) {
    const auto first = next;
    std::size_t bytes = bytes_of(*next++);
    while (next != entries.end() && bytes + bytes_of(*next) <= fcgi_params_bytes) {
      bytes += bytes_of(*next++);
    }
    append_header(out, RecordType::params, bytes);
    for (auto entry = first; entry != next; ++entry) {
      append_length(out, entry->name.size());
      append_length(out, entry->value.size());
      out.append(entry->name).append(entry->value);
    }
  }
  append_header(out, RecordType::params, 0);
  return true;
}

}  // namespace steelyard::cgi
