#include "http/proxy_protocol.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

namespace steelyard::http {
namespace {

using testing::HasSubstr;

constexpr std::string_view signature("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::string_view four("\x01\x02\x03\x04\x05\x06\x07\x08\x04\x57\x00\x50", 12);
constexpr std::string_view six(
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02\x08\xae\x00\x50",
    36);

std::string binary(std::uint8_t command, std::uint8_t family, std::string_view rest) {
  std::string bytes(signature);
  bytes += static_cast<char>(command);
  bytes += static_cast<char>(family);
  bytes += static_cast<char>(rest.size() >> 8);
  bytes += static_cast<char>(rest.size() & 0xff);
  return bytes.append(rest);
}

struct Outcome {
  std::size_t read = 0;  // bytes asked for, in all
  std::expected<ProxyHeader, std::string> header;
};

// As a connection does: never more than what is asked for, at most `step` at once.
Outcome read_from(std::string_view stream, std::size_t step) {
  Outcome outcome{0, read_proxy_header({})};
  while (outcome.header && outcome.header->needed != 0 && outcome.read < stream.size()) {
    const std::size_t more = std::min(outcome.header->needed, step);
    outcome.read = std::min(outcome.read + more, stream.size());
    outcome.header = read_proxy_header(stream.substr(0, outcome.read));
  }
  return outcome;
}

std::string client_of(std::string_view header) {
  const std::string stream = std::string(header) + "GET / HTTP/1.1\r\n\r\n\r\n\r\n";
  std::string told;
  for (const std::size_t step : {1U, 2U, 3U, 7U, 500U}) {
    const Outcome outcome = read_from(stream, step);
    if (!outcome.header) return outcome.header.error();
    EXPECT_EQ(outcome.header->needed, 0U);
    EXPECT_EQ(outcome.read, header.size()) << "by " << step;
    const std::string text =
        outcome.header->names_client ? outcome.header->client.text() : std::string("nobody");
    EXPECT_TRUE(told.empty() || told == text);
    told = text;
  }
  return told;
}

TEST(ProxyProtocol, takes_the_client_from_a_line_and_reads_nothing_behind_it) {
  EXPECT_EQ(client_of("PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n"), "1.2.3.4:1111");
  EXPECT_EQ(client_of("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"), "1.1.1.1:1");
  EXPECT_EQ(client_of("PROXY TCP4 10.0.0.0 1.1.1.1 1 1\r\n"), "10.0.0.0:1");
  EXPECT_EQ(client_of("PROXY TCP6 2001:0db8::0001 ::1 1 1\r\n"), "[2001:db8::1]:1");
  EXPECT_EQ(client_of("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
            "255.255.255.255:65535");
  EXPECT_EQ(client_of("PROXY TCP6 2001:DB8::1 ::1 0 80\r\n"), "[2001:db8::1]:0");
  EXPECT_EQ(client_of("PROXY TCP6 ::ffff:1.2.3.4 ::1 1111 80\r\n"), "1.2.3.4:1111");
  EXPECT_EQ(client_of("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                      "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

TEST(ProxyProtocol, takes_the_client_from_a_binary_header_and_passes_over_extras) {
  EXPECT_EQ(client_of(binary(0x21, 0x11, four)), "1.2.3.4:1111");
  EXPECT_EQ(client_of(binary(0x21, 0x21, six)), "[2001:db8::1]:2222");
  EXPECT_EQ(client_of(binary(0x21, 0x11, std::string(four) + "\x04" + std::string(203, 'z'))),
            "1.2.3.4:1111");
}

TEST(ProxyProtocol, whoever_dials_for_itself_names_nobody) {
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "nobody");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff:f foo bar\r\n"), "nobody");
  EXPECT_EQ(client_of("PROXY UNKNOWN " + std::string(92, 'x') + "\r\n"), "nobody");
  EXPECT_EQ(client_of(binary(0x20, 0, "")), "nobody");
  EXPECT_EQ(client_of(binary(0x20, 0x11, four)), "nobody");
  EXPECT_EQ(client_of(binary(0x20, 0xff, std::string(216, 'z'))), "nobody");
}

TEST(ProxyProtocol, says_what_is_wrong_in_the_words_of_httpd) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"PROXY TCP4 1.2.3.4 5.6.7.8 x 80\r\n",
       "AH03501: RemoteIPProxyProtocol: error parsing port 'x' in header 'PROXY TCP4 1.2.3.4 "
       "5.6.7.8 x 80'"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 65536 80\r\n", "AH03501"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 -1 80\r\n", "AH03501"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 12x 80\r\n", "AH03501"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 1111 80 more\r\n", "AH03501"},
      {"PROXY TCP4 1.2.3.x 5.6.7.8 1111 80\r\n",
       "AH03500: RemoteIPProxyProtocol: invalid client-address '1.2.3.x' found in header"},
      {"PROXY TCP4 256.2.3.4 5.6.7.8 1111 80\r\n",
       "AH03502: RemoteIPProxyProtocol: error converting family '2', host '256.2.3.4', and port "
       "'1111' to sockaddr; header was 'PROXY TCP4 256.2.3.4 5.6.7.8 1111 80'"},
      {"PROXY TCP4 1.2.3 5.6.7.8 1111 80\r\n", "AH03502"},
      {"PROXY TCP4 09.8.7.6 5.6.7.8 1111 80\r\n", "AH03502"},
      {"PROXY TCP4 9.8.7.06 5.6.7.8 1111 80\r\n", "AH03502"},
      {"PROXY TCP4 9.00.7.6 5.6.7.8 1111 80\r\n", "AH03502"},
      {"PROXY TCP6 ::ffff:9.8.07.6 ::1 1111 80\r\n", "AH03502"},
      {"PROXY TCP6 1.2.3.4 5.6.7.8 1111 80\r\n", "AH03502"},
      {"PROXY TCP5 1.2.3.4 5.6.7.8 1111 80\r\n", "AH03499: RemoteIPProxyProtocol: unknown family"},
      {"PROXY  TCP4 1.2.3.4 5.6.7.8 1111 80\r\n", "AH03497: RemoteIPProxyProtocol: no family"},
      {"PROXY TCP4 1.2.3.4\r\n", "no destination-address found"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8\r\n", "no client-port found"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", "no destination-port found"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\n", "no line end found"},
      {"PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\rx", "no line end found"},
      {"PROXY UNKNOWN " + std::string(93, 'x') + "\r\n",
       "AH10185: RemoteIPProxyProtocol header too long, got 109 expected 108"},
      {"PROXY UNKNOWN " + std::string(5000, 'x'), "AH10185"},
      {binary(0x21, 0, ""), "AH10183: RemoteIPProxyProtocol: unsupported protocol 00"},
      {binary(0x21, 0x12, four), "AH10183: RemoteIPProxyProtocol: unsupported protocol 12"},
      {binary(0x22, 0x11, four), "AH03507: RemoteIPProxyProtocol: unsupported command 22"},
      {binary(0x21, 0x11, four.substr(0, 8)),
       "AH10597: RemoteIPProxyProtocol: address length 8 too short for TCPv4"},
      {binary(0x21, 0x21, six.substr(0, 20)),
       "AH10598: RemoteIPProxyProtocol: address length 20 too short for TCPv6"},
      {binary(0x20, 0, std::string(217, 'z')),
       "AH10186: RemoteIPProxyProtocol protocol header length too long"},
  };
  for (const auto& [header, complaint] : cases) {
    for (const std::size_t step : {1U, 5U, 500U}) {
      const Outcome outcome = read_from(header, step);
      ASSERT_FALSE(outcome.header) << header;
      EXPECT_THAT(outcome.header.error(), HasSubstr(complaint)) << header;
      EXPECT_LE(outcome.read, proxy_header_bytes_max);
    }
  }
}

TEST(ProxyProtocol, has_no_words_for_what_is_no_header_at_all) {
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\n"), std::string("proxy TCP4 1.2.3.4 5.6.7.8 1 1\r\n"),
        std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03qqqqq"), binary(0x31, 0x11, four),
        binary(0x11, 0x11, four), std::string("\r\n\r\n\r\n\r\nQUIT\n!x")}) {
    const Outcome outcome = read_from(bytes, 500);
    ASSERT_FALSE(outcome.header) << bytes;
    EXPECT_EQ(outcome.header.error(), "");
  }
  EXPECT_EQ(read_from("P", 1).header->needed, 14U);
  EXPECT_FALSE(read_from("Q", 1).header) << "one byte is enough to see it";
}

std::string written(ProxyVersion version, std::string_view client, std::string_view server) {
  std::array<char, proxy_line_bytes_max> room;
  const Endpoint from{*IpAddress::parse(client), 1111}, to{*IpAddress::parse(server), 80};
  return {room.data(), write_proxy_header(version, from, to, room)};
}

TEST(ProxyProtocol, writes_what_it_reads) {
  using enum ProxyVersion;
  EXPECT_EQ(written(v1, "1.2.3.4", "5.6.7.8"), "PROXY TCP4 1.2.3.4 5.6.7.8 1111 80\r\n");
  EXPECT_EQ(written(v1, "2001:db8::1", "::1"), "PROXY TCP6 2001:db8::1 ::1 1111 80\r\n");
  EXPECT_EQ(written(v1, "1.2.3.4", "::1"), "PROXY TCP6 ::ffff:1.2.3.4 ::1 1111 80\r\n");
  EXPECT_EQ(written(v2, "1.2.3.4", "5.6.7.8"), binary(0x21, 0x11, four));
  EXPECT_EQ(client_of(written(v2, "2001:db8::1", "::1")), "[2001:db8::1]:1111");
  EXPECT_EQ(client_of(written(v2, "1.2.3.4", "::1")), "1.2.3.4:1111");
  EXPECT_EQ(client_of(own_proxy_header(v1)), "nobody");
  EXPECT_EQ(client_of(own_proxy_header(v2)), "nobody");
  EXPECT_EQ(client_of(written(v1, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe",
                              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe")),
            "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:1111");
}

}  // namespace
}  // namespace steelyard::http
