#include "ajp/request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ajp/codes.hpp"
#include "ajp/packet.hpp"

namespace steelyard::ajp {
namespace {

using namespace std::string_literals;

std::string text(std::string_view value) {
  return std::string{static_cast<char>(value.size() >> 8), static_cast<char>(value.size() & 0xff)} +
         std::string(value) + '\0';
}

class AjpRequest : public testing::Test {
 protected:
  Request request() {
    return {.method = "GET",
            .protocol = "HTTP/1.1",
            .path = "/shop/a%20b",
            .client_address = "192.0.2.7",
            .client_host = {},
            .server_name = "lb.test",
            .server_port = 8443,
            .is_tls = false,
            .fields = fields_,
            .secret = {},
            .user = {},
            .auth_type = {},
            .query = {},
            .session_route = {},
            .tls = {},
            .client_port = "40000",
            .local_address = "192.0.2.1",
            .named = {}};
  }
  static std::string written(const Request& request) {
    http::HeadText out;
    EXPECT_TRUE(write_request(request, packet_bytes_min, out));
    return std::string(out.view());
  }
  // What the packet has behind the fields.
  static std::string attributes(const Request& request) {
    const std::string whole = written(request);
    const std::string before = beginning(request.method) + "\0\0"s;
    return whole.substr(before.size());
  }
  static std::string beginning(std::string_view method, bool is_tls = false) {
    return "\x02"s + static_cast<char>(method_code(method)) + text("HTTP/1.1") +
           text("/shop/a%20b") + text("192.0.2.7") + "\xff\xff" + text("lb.test") + "\x20\xfb" +
           (is_tls ? '\1' : '\0');
  }
  static std::string named(std::string_view name, std::string_view value) {
    return "\x0a" + text(name) + text(value);
  }
  static std::string ports() {
    return named("AJP_REMOTE_PORT", "40000") + named("AJP_LOCAL_ADDR", "192.0.2.1");
  }

  http::FieldList fields_;
};

TEST_F(AjpRequest, is_laid_out_as_httpd_does) {
  fields_.add("Host", "shop.test");
  fields_.add("X-Hop", "1");
  const std::string payload = beginning("GET") + "\0\2"s + "\xa0\x0b" + text("shop.test") +
                              text("X-Hop") + text("1") + ports() + "\xff";
  EXPECT_EQ(written(request()), payload);
}

TEST_F(AjpRequest, tells_in_attributes_what_no_field_can) {
  Request one = request();
  one.secret = "s3cr";
  one.user = "ann";
  one.auth_type = "Basic";
  one.query = "q=1";
  one.session_route = "r1";
  const NamedAttribute more[]{{"TENANT", "7"}, {"EMPTY", ""}};
  one.named = more;
  EXPECT_EQ(attributes(one), "\x0c" + text("s3cr") + "\x03" + text("ann") + "\x04" + text("Basic") +
                                 "\x05" + text("q=1") + "\x06" + text("r1") + ports() +
                                 named("TENANT", "7") + named("EMPTY", "") + "\xff");
}

TEST_F(AjpRequest, an_empty_query_is_one) {
  Request one = request();
  one.query = "";
  EXPECT_EQ(attributes(one), "\x05" + text("") + ports() + "\xff");
}

TEST_F(AjpRequest, a_method_without_a_number_is_told_by_name) {
  Request one = request();
  one.method = "PATCH";
  EXPECT_EQ(attributes(one), "\x0d" + text("PATCH") + ports() + "\xff");
}

TEST_F(AjpRequest, tls_is_told_where_it_is) {
  Request one = request();
  one.tls = {.certificate = "PEM",
             .cipher = "AES",
             .session = "0A0B",
             .key_bits = "256",
             .protocol = "TLSv1.3"};
  EXPECT_EQ(attributes(one), ports() + "\xff");
  one.is_tls = true;
  EXPECT_EQ(attributes(one), "\x07" + text("PEM") + "\x08" + text("AES") + "\x09" + text("0A0B") +
                                 "\x0b\x01\x00"s + named("AJP_SSL_PROTOCOL", "TLSv1.3") + ports() +
                                 "\xff");
  one.tls = {.certificate = {}, .cipher = "AES", .session = {}, .key_bits = {}, .protocol = {}};
  EXPECT_EQ(attributes(one), "\x08" + text("AES") + ports() + "\xff");
}

TEST_F(AjpRequest, fits_to_the_last_byte_or_not_at_all) {
  fields_.add("X-Long", "");
  const std::size_t without = packet_head_bytes + written(request()).size();
  const std::string room(packet_bytes_min - without, 'a');
  fields_.set("X-Long", room);
  EXPECT_EQ(packet_head_bytes + written(request()).size(), packet_bytes_min);
  const std::string more = room + "a";
  fields_.set("X-Long", more);
  http::HeadText out;
  EXPECT_FALSE(write_request(request(), packet_bytes_min, out));
  EXPECT_TRUE(write_request(request(), packet_bytes_min + 1024, out));
  // A length that 16 bits cannot tell.
  const std::string huge(70000, 'a');
  fields_.set("X-Long", huge);
  EXPECT_FALSE(write_request(request(), packet_bytes_max, out));
}

// Containers take a length of 0xa0XX for the number of a name, and what follows for its value.
TEST_F(AjpRequest, a_name_as_long_as_a_fields_number_is_not_sent) {
  for (const std::size_t bytes : {0xa000U, 0xa001U, 0xa00eU, 0xa0ffU}) {
    fields_.clear();
    const std::string name(bytes, 'n');
    fields_.add(name, "1");
    http::HeadText out;
    EXPECT_FALSE(write_request(request(), packet_bytes_max, out)) << bytes;
  }
  for (const std::size_t bytes : {0x9fffU, 0xa100U}) {
    fields_.clear();
    const std::string name(bytes, 'n');
    fields_.add(name, "1");
    http::HeadText out;
    EXPECT_TRUE(write_request(request(), packet_bytes_max, out)) << bytes;
    EXPECT_THAT(std::string(out.view()), testing::HasSubstr(text(name) + text("1"))) << bytes;
  }
}

TEST(AjpCodes, are_those_of_the_protocol) {
  EXPECT_EQ(method_code("OPTIONS"), 1);
  EXPECT_EQ(method_code("GET"), 2);
  EXPECT_EQ(method_code("HEAD"), 3);
  EXPECT_EQ(method_code("REPORT"), 16);
  EXPECT_EQ(method_code("MKACTIVITY"), 27);
  for (const char* stored : {"ACL", "SEARCH", "PATCH", "get", ""})
    EXPECT_EQ(method_code(stored), stored_method) << stored;
  EXPECT_EQ(request_field_code("ACCEPT"), 0xa001);
  EXPECT_EQ(request_field_code("user-agent"), 0xa00e);
  EXPECT_EQ(request_field_code("Accept-Ranges"), 0);
  EXPECT_EQ(response_field_name(0xa001), "Content-Type");
  EXPECT_EQ(response_field_name(0xa00b), "WWW-Authenticate");
  for (const std::uint16_t none : std::initializer_list<std::uint16_t>{0xa000, 0xa00c, 1}) {
    EXPECT_EQ(response_field_name(none), "") << none;
  }
}

TEST(AjpPacket, sizes_are_httpds) {
  EXPECT_EQ(packet_bytes_for(0), 8192);
  EXPECT_EQ(packet_bytes_for(8193), 9216);
  EXPECT_EQ(packet_bytes_for(65000), 65536);
  EXPECT_EQ(packet_bytes_for(1 << 20), 65536);
  const auto begin = packet_head(0x1ffc);
  EXPECT_EQ(std::string(begin.begin(), begin.end()), "\x12\x34\x1f\xfc");
  const auto head = data_packet_head(data_bytes_max(packet_bytes_min));
  EXPECT_EQ(std::string(head.begin(), head.end()), "\x12\x34\x1f\xfc\x1f\xfa"s);
  const auto end = data_packet_head(0);
  EXPECT_EQ(std::string(end.begin(), end.end()), "\x12\x34\x00\x02\x00\x00"s);
}

}  // namespace
}  // namespace steelyard::ajp
