#include "http/websocket_key.hpp"

#include <gtest/gtest.h>

namespace steelyard::http {
namespace {

TEST(WebsocketKey, is_accepted_as_its_RFC_shows) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebsocketKey, is_sixteen_bytes_of_chance) {
  const WebsocketKey key = make_websocket_key(0x0706050403020100, 0x0f0e0d0c0b0a0908);
  EXPECT_EQ(key.asked, "AAECAwQFBgcICQoLDA0ODw==");
  EXPECT_EQ(key.accepted, websocket_accept(key.asked));
}

}  // namespace
}  // namespace steelyard::http
