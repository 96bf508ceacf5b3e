#include "expr/header_text.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <utility>

#include "expr/arena_text.hpp"

namespace steelyard::expr {
namespace {

// httpd: what an unset or empty variable prints.
constexpr std::string_view no_value = "(null)";

void append_number(std::string_view prefix, std::int64_t number, ArenaText& out) {
  char digits[20];
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(prefix);
  out.append(std::string_view(digits, end.ptr));
}

// httpd: a value of several lines, such as a certificate, becomes one.
void append_unwrapped(std::string_view text, ArenaText& out) {
  while (true) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    out.append(text.substr(0, end));
    if (end == text.size()) return;
    out.append(" ");
    text.remove_prefix(end + 1);
  }
}

std::int64_t micros(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

}  // namespace

// Reads one text from its beginning to its end.
class HeaderTextReader {
 public:
  explicit HeaderTextReader(std::string_view text) : rest_(text) {}

  std::expected<HeaderText, Complaint> read() {
    while (!rest_.empty()) {
      const bool is_tag = rest_.front() == '%' && rest_.size() > 1 && rest_[1] != '%';
      if (!is_tag) {
        take_plain();
      } else if (!take_tag()) {
        return std::unexpected(
            Complaint{"Unrecognized header format %" + std::string(rest_.substr(0, 1)),
                      "write %% for a percent sign, %{NAME}e for a variable"});
      }
    }
    return std::move(text_);
  }

 private:
  using Kind = HeaderText::Piece::Kind;

  void add_text(char c) {
    if (text_.pieces_.empty() || text_.pieces_.back().kind != Kind::text) {
      text_.pieces_.emplace_back();
    }
    text_.pieces_.back().text += c;
  }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void take_plain() {
    const char c = take();
    if (rest_.empty()) return add_text(c);
    if (c == '%') return add_text(take());
    if (c != '\\') return add_text(c);
    switch (rest_.front()) {
      case '\\':
        take();
        return add_text('\\');
      case 'n':
        take();
        return add_text('\n');
      case 'r':
        take();
        return add_text('\r');
      case 't':
        take();
        return add_text('\t');
      default:
        return add_text(c);
    }
  }

  // False when the tag is unknown; the rest then begins with what is wrong.
  bool take_tag() {
    take();
    std::string_view name;
    if (rest_.front() == '{') {
      const std::size_t end = std::min(rest_.find('}'), rest_.size());
      name = rest_.substr(1, end - 1);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
    }
    return !rest_.empty() && take_letter(name);
  }

  // httpd takes `{name}` before any letter and leaves it away where it means nothing.
  bool take_letter(std::string_view name) {
    switch (rest_.front()) {
      case 'e':
        return add(Kind::variable, name);
      case 's':
        return add(Kind::tls, name);
      case 't':
        return add(Kind::start);
      case 'D':
        return add(Kind::elapsed);
      case 'l':
        return add(Kind::load);
      case 'i':
        return add(Kind::idle);
      case 'b':
        return add(Kind::busy);
      default:
        return false;
    }
  }

  bool add(Kind kind, std::string_view name = {}) {
    take();
    text_.pieces_.push_back({kind, std::string(name)});
    return true;
  }

  std::string_view rest_;
  HeaderText text_;
};

std::expected<HeaderText, Complaint> HeaderText::compile(std::string_view text) {
  return HeaderTextReader(text).read();
}

bool HeaderText::is_constant() const {
  return pieces_.empty() || (pieces_.size() == 1 && pieces_.front().kind == Piece::Kind::text);
}

std::string HeaderText::describe() const {
  std::string text;
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::text:
        for (const char c : piece.text) text.append(c == '%' ? 2 : 1, c);
        break;
      case Piece::Kind::start:
        text += "%t";
        break;
      case Piece::Kind::elapsed:
        text += "%D";
        break;
      case Piece::Kind::load:
        text += "%l";
        break;
      case Piece::Kind::idle:
        text += "%i";
        break;
      case Piece::Kind::busy:
        text += "%b";
        break;
      case Piece::Kind::variable:
        text += "%{" + piece.text + "}e";
        break;
      case Piece::Kind::tls:
        text += "%{" + piece.text + "}s";
        break;
    }
  }
  return text;
}

std::string_view HeaderText::write(const Facts& facts, Arena& arena) const {
  if (pieces_.empty()) return {};
  if (is_constant()) return pieces_.front().text;
  constexpr std::size_t usual_bytes = 128;
  ArenaText out(arena, usual_bytes);
  for (const Piece& piece : pieces_) {
    switch (piece.kind) {
      case Piece::Kind::text:
        out.append(piece.text);
        break;
      case Piece::Kind::start:
        append_number("t=", micros(facts.started().time_since_epoch()), out);
        break;
      case Piece::Kind::elapsed:
        append_number("D=", micros(facts.elapsed()), out);
        break;
      case Piece::Kind::load:
        out.append("l=");
        out.append(facts.text(TextFact::load_averages));
        break;
      case Piece::Kind::idle:
        append_number("i=", facts.number(NumberFact::idle_percent), out);
        break;
      case Piece::Kind::busy:
        append_number("b=", facts.number(NumberFact::busy_percent), out);
        break;
      case Piece::Kind::variable:
        append_unwrapped(facts.variable(piece.text).value_or(no_value), out);
        break;
      case Piece::Kind::tls: {
        const std::string_view value = facts.tls_variable(piece.text).value_or("");
        append_unwrapped(value.empty() ? no_value : value, out);
        break;
      }
    }
  }
  return out.finish();
}

}  // namespace steelyard::expr
