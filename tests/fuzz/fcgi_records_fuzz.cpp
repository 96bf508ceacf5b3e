// What a FastCGI member sends means the same however it arrives, and what is sent to one is read
// back as the variables it was made of.
#include <algorithm>
#include <string>
#include <vector>

#include "base/check.hpp"
#include "cgi/fcgi_answer.hpp"
#include "cgi/fcgi_reader.hpp"
#include "cgi/fcgi_record.hpp"
#include "cgi/stream_head.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

using namespace cgi;
using Kind = FcgiReader::Kind;

std::string heard(std::string_view text, std::size_t step) {
  FcgiReader reader;
  std::string out, error;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t size = std::min(step, text.size() - begin);
    // Memory of exactly its size: a look beyond its end is seen.
    const std::vector<char> copy(text.begin() + static_cast<std::ptrdiff_t>(begin),
                                 text.begin() + static_cast<std::ptrdiff_t>(begin + size));
    std::string_view input(copy.data(), copy.size());
    while (true) {
      const FcgiReader::Piece piece = reader.next(input);
      if (piece.kind == Kind::need_more) break;
      if (piece.kind == Kind::ended || piece.kind == Kind::fault) {
        const std::size_t left =
            piece.kind == Kind::ended ? text.size() - begin - size + input.size() : 0;
        return out + "|" + error + "|" + std::string(describe(reader.fault())) +
               std::to_string(static_cast<int>(reader.status())) + " " +
               std::to_string(reader.exit_status()) + " " + std::to_string(left);
      }
      CHECK(!piece.data.empty());
      (piece.kind == Kind::out ? out : error) += piece.data;
    }
    CHECK(input.empty());
    begin += size;
  }
  return out + "|" + error + "|open";
}

// The same as a check keeps it.
std::string kept(std::string_view text, std::size_t step, http::Method method) {
  FcgiAnswer answer(method, 64);
  for (std::size_t begin = 0; begin < text.size(); begin += step) {
    const std::string_view piece = text.substr(begin, step);
    answer.take(
        std::string_view(std::vector<char>(piece.begin(), piece.end()).data(), piece.size()));
  }
  const FcgiAnswer::State state = answer.end();
  CHECK(answer.body().size() <= 64 && answer.words().size() <= FcgiAnswer::words_bytes_max);
  if (state == FcgiAnswer::State::broken) return std::string(answer.fault());
  CHECK(state == FcgiAnswer::State::whole);
  std::string told = std::to_string(answer.head().status) + answer.body() + answer.words();
  for (const http::Field& field : answer.head().fields) told.append(field.name).append(field.value);
  return told;
}

// The text's words, in turn names and values.
expr::Environment words_of(std::string_view text) {
  expr::Environment variables;
  std::string_view name;
  for (bool is_name = true; !text.empty(); is_name = !is_name) {
    const std::string_view word = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (is_name) {
      name = word;
    } else {
      variables.set(name, word);
    }
  }
  return variables;
}

std::size_t byte(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Every record whole, every pair in its record.
void check_params(std::string_view out, const expr::Environment& variables) {
  auto next = variables.entries().begin();
  std::size_t at = 16;
  while (true) {
    CHECK(at + fcgi_header_bytes <= out.size() && byte(out, at + 6) == 0);
    const std::size_t end = at + 8 + byte(out, at + 4) * 256 + byte(out, at + 5);
    at += 8;
    if (at == end) break;
    while (at < end) {
      std::size_t lengths[2];
      for (std::size_t& length : lengths) {
        length = byte(out, at++);
        if (length < 0x80) continue;
        length = (length & 0x7f) << 24 | byte(out, at) << 16 | byte(out, at + 1) << 8 |
                 byte(out, at + 2);
        at += 3;
      }
      CHECK(at + lengths[0] + lengths[1] <= end);
      CHECK(out.substr(at, lengths[0]) == next->name);
      CHECK(out.substr(at + lengths[0], lengths[1]) == next->value);
      at += lengths[0] + lengths[1];
      ++next;
    }
  }
  CHECK(at == out.size() && next == variables.entries().end());
}

void check_heads(std::string_view text) {
  const expr::Environment variables = words_of(text);
  std::string out;
  if (append_fcgi_head(out, variables, Keep::keep)) check_params(out, variables);
  out.clear();
  if (append_uwsgi_head(out, variables)) {
    CHECK(out.size() == 4 + byte(out, 1) + byte(out, 2) * 256);
  }
  out.clear();
  if (append_scgi_head(out, variables, 7)) {
    const std::size_t colon = out.find(':');
    CHECK(out.size() == colon + 2 + std::stoul(out.substr(0, colon)) && out.back() == ',');
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::string whole = heard(input, std::max<std::size_t>(input.size(), 1));
  for (const std::size_t step : {std::size_t{1}, std::size_t{3}, std::size_t{17}}) {
    CHECK(heard(input, step) == whole);
    for (const http::Method method : {http::Method::get, http::Method::head})
      CHECK(kept(input, step, method) ==
            kept(input, std::max<std::size_t>(input.size(), 1), method));
  }
  check_heads(input);
}

}  // namespace steelyard
