#include "rewrite/template.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "expr/variables.hpp"

namespace steelyard::rewrite {

namespace {

constexpr std::size_t npos = std::string_view::npos;

// The position of `wanted` outside inner braces, before the brace that closes the text's level.
std::size_t find_at_level(std::string_view text, char wanted) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == wanted && depth == 0) return i;
    if (c == '\\' && i + 1 < text.size()) {
      ++i;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth < 0) {
      return npos;
    }
  }
  return npos;
}

// Variables that rules know, in the spelling that they want, and read as expressions do.
constexpr auto facts = std::to_array<std::string_view>({
    "REMOTE_ADDR",
    "REMOTE_HOST",
    "REMOTE_PORT",
    "REMOTE_USER",
    "REMOTE_IDENT",
    "REQUEST_METHOD",
    "REQUEST_SCHEME",
    "REQUEST_URI",
    "THE_REQUEST",
    "PATH_INFO",
    "AUTH_TYPE",
    "DOCUMENT_ROOT",
    "SERVER_ADMIN",
    "SERVER_NAME",
    "SERVER_PORT",
    "SERVER_PROTOCOL",
    "TIME_YEAR",
    "TIME_MON",
    "TIME_DAY",
    "TIME_HOUR",
    "TIME_MIN",
    "TIME_SEC",
    "TIME_WDAY",
    "TIME",
    "IS_SUBREQ",
    "HTTPS",
    "IPV6",
    "CONTEXT_PREFIX",
    "SCRIPT_USER",
    "SCRIPT_GROUP",
    "SERVER_SOFTWARE",
    "CONTEXT_DOCUMENT_ROOT",
    "CONN_REMOTE_ADDR",
});

constexpr auto fields = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"HTTP_ACCEPT", "Accept"},
    {"HTTP_COOKIE", "Cookie"},
    {"HTTP_FORWARDED", "Forwarded"},
    {"HTTP_HOST", "Host"},
    {"HTTP_PROXY_CONNECTION", "Proxy-Connection"},
    {"HTTP_REFERER", "Referer"},
    {"HTTP_USER_AGENT", "User-Agent"},
});

constexpr std::string_view api_version = "20120211:142";

// After "%{": the piece that stands for the name; nullopt: nobody knows it.
std::optional<Template::Piece> piece_named(std::string_view name) {
  using Kind = Template::Kind;
  Template::Piece piece;
  if (name == "REQUEST_FILENAME" || name == "SCRIPT_FILENAME") {
    piece.kind = Kind::subject;
  } else if (name == "QUERY_STRING") {
    piece.kind = Kind::query;
  } else if (name == "SERVER_ADDR") {
    piece.kind = Kind::server_ip;
  } else if (name == "API_VERSION") {
    piece.text = api_version;
  } else if (std::ranges::find(facts, name) != facts.end()) {
    piece.kind = Kind::fact;
    piece.variable = expr::find_variable(name);
  } else {
    const auto* const field =
        std::ranges::find_if(fields, [name](const auto& row) { return row.first == name; });
    if (field == fields.end()) return std::nullopt;
    piece.kind = Kind::field;
    piece.text = field->second;
  }
  return piece;
}

// "HTTP:X-Name" and its relatives; nullopt: no such prefix.
std::optional<Template::Piece> piece_prefixed(std::string_view name) {
  using Kind = Template::Kind;
  Template::Piece piece;
  if (starts_with_ignoring_case(name, "ENV:")) {
    piece.kind = Kind::environment;
    piece.text = name.substr(4);
  } else if (starts_with_ignoring_case(name, "HTTP:")) {
    piece.kind = Kind::field;
    piece.text = name.substr(5);
  } else if (starts_with_ignoring_case(name, "SSL:")) {
    piece.kind = Kind::tls;
    piece.text = name.substr(4);
    piece.variable = expr::find_variable(name.substr(4));
  } else {
    return std::nullopt;
  }
  return piece;
}

}  // namespace

class Template::Reader {
 public:
  Reader(Template& into, std::string_view text, std::size_t depth)
      : into_(into), rest_(text), depth_(depth) {}

  // Empty, or a complaint.
  std::optional<expr::Complaint> read() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '\\' && rest_.size() > 1) {
        add_text(rest_.substr(1, 1));
        rest_.remove_prefix(2);
      } else if (c == '$' || c == '%') {
        if (auto complaint = read_special(c)) return complaint;
      } else {
        take_text(1);
      }
    }
    return std::nullopt;
  }

 private:
  void add_text(std::string_view text) {
    if (into_.pieces_.empty() || into_.pieces_.back().kind != Kind::text)
      into_.pieces_.emplace_back();
    into_.pieces_.back().text += text;
  }

  void take_text(std::size_t bytes) {
    add_text(rest_.substr(0, bytes));
    rest_.remove_prefix(bytes);
  }

  std::optional<expr::Complaint> read_special(char mark) {
    const char next = rest_.size() > 1 ? rest_[1] : '\0';
    if (is_digit(next)) {
      Piece& piece = into_.pieces_.emplace_back();
      piece.kind = mark == '$' ? Kind::rule_group : Kind::condition_group;
      piece.group = static_cast<std::size_t>(next - '0');
      rest_.remove_prefix(2);
      return std::nullopt;
    }
    const std::size_t length = next == '{' ? find_at_level(rest_.substr(2), '}') : npos;
    if (length == npos) {
      take_text(1);
      return std::nullopt;
    }
    const std::string_view inside = rest_.substr(2, length);
    if (mark == '%') {
      rest_.remove_prefix(length + 3);
      return add_variable(inside);
    }
    if (find_at_level(inside, ':') == npos) {
      take_text(1);
      return std::nullopt;
    }
    rest_.remove_prefix(length + 3);
    return add_map(inside);
  }

  std::optional<expr::Complaint> add_variable(std::string_view name) {
    if (starts_with_ignoring_case(name, "LA-U:") || starts_with_ignoring_case(name, "LA-F:")) {
      return expr::Complaint{
          "%{" + std::string(name) + "} is not supported: it asks what a sub-request would find",
          "No request is made here to look ahead; write %{" + std::string(name.substr(5)) +
              "} for what is known when the rule is asked."};
    }
    auto piece = piece_prefixed(name);
    if (!piece) piece = piece_named(name);
    if (!piece) {
      if (!name.empty()) into_.unknown_.emplace_back(name);
      return std::nullopt;
    }
    if (piece->kind == Kind::text) {
      add_text(piece->text);
    } else {
      into_.pieces_.push_back(std::move(*piece));
    }
    return std::nullopt;
  }

  std::optional<expr::Complaint> add_map(std::string_view inside) {
    if (depth_ == depth_max) {
      return expr::Complaint{"maps are nested more than " + std::to_string(depth_max) + " deep",
                             "Let one map do what several do now."};
    }
    const std::size_t colon = find_at_level(inside, ':');
    const std::string_view behind = inside.substr(colon + 1);
    const std::size_t bar = find_at_level(behind, '|');
    Piece piece;
    piece.kind = Kind::map;
    piece.text = inside.substr(0, colon);
    into_.maps_.push_back(piece.text);
    const std::string_view fallback = bar == npos ? std::string_view() : behind.substr(bar + 1);
    for (const std::string_view part : {behind.substr(0, bar), fallback}) {
      auto compiled = compile(part, depth_ + 1);
      if (!compiled) return std::move(compiled.error());
      into_.unknown_.insert(into_.unknown_.end(), compiled->unknown_.begin(),
                            compiled->unknown_.end());
      into_.maps_.insert(into_.maps_.end(), compiled->maps_.begin(), compiled->maps_.end());
      piece.parts.push_back(std::move(*compiled));
    }
    into_.pieces_.push_back(std::move(piece));
    return std::nullopt;
  }

  Template& into_;
  std::string_view rest_;
  std::size_t depth_;
};

std::expected<Template, expr::Complaint> Template::compile(std::string_view text,
                                                           std::size_t depth) {
  Template result;
  result.text_ = text;
  if (auto complaint = Reader(result, text, depth).read())
    return std::unexpected(std::move(*complaint));
  return result;
}

}  // namespace steelyard::rewrite
