#include "cgi/fcgi_answer.hpp"

#include <gtest/gtest.h>

#include <string>

#include "http/wire_test.hpp"

namespace steelyard::cgi {
namespace {

using namespace std::string_literals;
using State = FcgiAnswer::State;

std::string record(int type, std::string_view content) {
  const std::string size{static_cast<char>(content.size() >> 8), static_cast<char>(content.size())};
  return "\1"s + static_cast<char>(type) + "\0\1"s + size + "\0\0"s + std::string(content);
}
std::string out(std::string_view content) { return record(6, content); }
std::string error(std::string_view content) { return record(7, content); }
std::string end(int status = 0) {
  return record(3, "\0\0\0\0"s + static_cast<char>(status) + "\0\0\0"s);
}

// What came of it when it arrived like this, and then the connection ended.
std::string meaning(const std::string& text, const http::Arrival& arrival,
                    http::Method method = http::Method::get, std::size_t body_bytes_max = 100) {
  FcgiAnswer answer(method, body_bytes_max);
  std::size_t begin = 0;
  for (const std::size_t size : arrival) {
    const std::string piece = text.substr(begin, size - begin);
    begin = size;
    answer.take(piece);
  }
  if (answer.end() == State::broken) return "broken: " + std::string(answer.fault());
  std::string told = std::to_string(answer.head().status);
  for (const http::Field& field : answer.head().fields)
    told.append("|").append(field.name).append(":").append(field.value);
  return told + " (" + answer.body() + ") " + answer.words();
}

struct Case {
  std::string text, meaning;
};

TEST(FcgiAnswer, is_kept_whole_however_it_arrives) {
  const Case cases[] = {
      {out("Status: 503 Later\r\nX: 1\r\n\r\nbusy") + out("") + end(), "503|X:1 (busy) "},
      {out("X: 1\n") + error("a") + out("\npo") + error("b") + out("ng") + end(),
       "200|X:1 (pong) ab"},
      {out("\nx") + out(""), "200 (x) "},
      {out("Content-Length: 2\n\nok") + end() + "behind it", "200 (ok) "},
      {out("\n") + out(std::string(150, 'x')) + end(1), "200 (" + std::string(100, 'x') + ") "},
      {out("\nx"), "broken: the answer was cut short"},
      {out("\nx") + end(1), "broken: the FastCGI server refused to run it"},
      {out("Content-Length: 3\n\nok") + end(), "broken: the body is shorter than was told"},
      {out("Content-Length: 3\n\nok") + out(""), "broken: the body is shorter than was told"},
      {out("X: 1\n") + end(), "broken: it ended without an answer"},
      {error("none") + end(2), "broken: the FastCGI server is overloaded"},
      {"", "broken: the connection ended without an answer"},
      {"\1", "broken: the answer was cut short"},
      {out("nonsense\n\n") + end(), "broken: a header line of the script has no colon"},
      {out("Status: 100 x\n\n") + end(), "broken: the script's status is below 200"},
      {"HTTP/1.1 200 OK\r\n\r\n", "broken: a FastCGI record of another version"},
  };
  for (const Case& one : cases) {
    for (const http::Arrival& arrival : http::arrivals(one.text.size()))
      EXPECT_EQ(meaning(one.text, arrival), one.meaning) << one.text;
  }
}

TEST(FcgiAnswer, of_head_has_no_body_however_long_it_says_it_is) {
  const std::string text = out("Content-Length: 9\n\nx") + out("") + end();
  EXPECT_EQ(meaning(text, {text.size()}, http::Method::head), "200 () ");
  const std::string none = out("Status: 204 x\nContent-Length: 9\n\n") + end();
  EXPECT_EQ(meaning(none, {none.size()}), "204 () ");
}

TEST(FcgiAnswer, keeps_the_first_words_of_stderr_alone) {
  FcgiAnswer answer(http::Method::get, 100);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(answer.take(error("0123456789")), State::expecting_head);
  EXPECT_EQ(answer.words().size(), FcgiAnswer::words_bytes_max);
}

TEST(FcgiAnswer, is_whole_once_the_body_fills_its_room) {
  FcgiAnswer answer(http::Method::get, 3);
  EXPECT_EQ(answer.take(out("\nab")), State::in_body);
  EXPECT_EQ(answer.take(out("cd")), State::whole);
  EXPECT_EQ(answer.body(), "abc");
  EXPECT_EQ(answer.take("nonsense"), State::whole);
  EXPECT_EQ(answer.end(), State::whole);
}

}  // namespace
}  // namespace steelyard::cgi
