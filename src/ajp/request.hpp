// The packet that asks a container for something: FORWARD_REQUEST, as mod_proxy_ajp writes it.
//
// All fields of the client are in it, also those that belong to one connection, and Host is the
// client's; httpd adds none of its own. What a container is told in confidence (who the client is,
// the secret) goes in attributes, where no field of a client ever gets to.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "http/field.hpp"
#include "http/head_text.hpp"

namespace steelyard::ajp {

// Of the client's TLS connection, as mod_ssl's variables tell them. What is empty is left out.
struct TlsFacts {
  std::string_view certificate;  // the client's, PEM
  std::string_view cipher;
  std::string_view session;
  std::string_view key_bits;  // decimal
  std::string_view protocol;
};

struct NamedAttribute {
  std::string_view name, value;
};

struct Request {
  std::string_view method;
  std::string_view protocol;  // "HTTP/1.1"
  std::string_view path;      // encoded, without the query
  std::string_view client_address;
  std::string_view client_host;  // empty: nobody looked it up
  std::string_view server_name;
  std::uint16_t server_port = 0;  // of the connection that the client has
  bool is_tls = false;
  const http::FieldList& fields;
  std::string_view secret;  // empty: none, and so on
  std::string_view user;
  std::string_view auth_type;
  std::optional<std::string_view> query;  // without the question mark
  std::optional<std::string_view> session_route;
  TlsFacts tls;                  // told when `is_tls`
  std::string_view client_port;  // decimal
  std::string_view local_address;
  std::span<const NamedAttribute> named;  // more of them
};

// Appends the packet's payload. False: with its head it has more than `packet_bytes`, and what was
// appended is of no use.
[[nodiscard]] bool write_request(const Request& request, std::size_t packet_bytes,
                                 http::HeadText& out);

}  // namespace steelyard::ajp
