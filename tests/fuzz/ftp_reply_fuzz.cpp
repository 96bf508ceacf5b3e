// Input: what a server says on a control connection. Cut anywhere, the same replies come out; their
// texts hold nothing that could end a line; and what the readers of single replies believe is so.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "ftp/answers.hpp"
#include "ftp/argument.hpp"
#include "ftp/login.hpp"
#include "ftp/path.hpp"
#include "ftp/reply.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

std::vector<std::string> replies(std::string_view wire, std::size_t step) {
  std::vector<std::string> seen;
  ftp::ReplyReader reader;
  std::string waiting;
  while (!wire.empty()) {
    waiting += wire.substr(0, step);
    wire.remove_prefix(std::min(step, wire.size()));
    std::string_view data = waiting;
    while (reader.read(data) == ftp::ReplyReader::Progress::complete) {
      CHECK(reader.code() >= 0 && reader.code() <= 999);
      CHECK(reader.text().size() <= ftp::reply_text_bytes_max);
      for (const char c : reader.text()) CHECK(c < 0 || (c >= ' ' && c != 0x7f));
      seen.push_back(std::to_string(reader.code()) + reader.text());
      reader.reset();
    }
    waiting = std::string(data);
  }
  return seen;
}

void check_answers(std::string_view text) {
  if (const auto port = ftp::read_extended_passive(text)) CHECK(*port != 0);
  if (const auto end = ftp::read_passive(text)) CHECK(end->port != 0 && !end->ip.is_v6());
  if (const auto size = ftp::read_size(text)) CHECK(*size <= INT64_MAX);
  (void)ftp::read_time(text);
  CHECK(ftp::read_directory(text).size() <= text.size());
}

void check_words(std::string_view text) {
  for (const bool is_encoded : {false, true}) {
    const auto path = ftp::read_path(text, {.is_encoded = is_encoded});
    if (!path) continue;
    std::vector<std::string> words = path->directories;
    words.push_back(path->name);
    for (const std::string& word : words) {
      CHECK(ftp::is_one_argument(word));
      CHECK(word.find('/') == word.npos);
    }
  }
  if (const auto login = ftp::choose_login(text, text)) {
    CHECK(ftp::is_one_argument(login->user) && ftp::is_one_argument(login->password));
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  CHECK(replies(input, 1) == replies(input, input.size()));
  CHECK(replies(input, 7) == replies(input, input.size()));
  check_answers(input);
  check_words(input);
}

}  // namespace steelyard
