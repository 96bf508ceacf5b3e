#include "server/demo_page.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "http/html.hpp"

namespace steelyard::server {

namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; --text: #1c2330; --soft: #5b6575; --page: #f5f6f8;
  --card: #ffffff; --line: #dde1e7; --mark: hsl(var(--hue) 70% 27%);
  --tint: hsl(var(--hue) 70% 95%); }
@media (prefers-color-scheme: dark) { :root { --text: #e8ebf0; --soft: #9aa4b4; --page: #12151b;
  --card: #1b2029; --line: #2d3440; --mark: hsl(var(--hue) 75% 74%);
  --tint: hsl(var(--hue) 35% 18%); } }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; background: var(--page); color: var(--text);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 44rem; margin: 0 auto; display: grid; gap: 1rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.25rem 1.5rem; min-width: 0; }
.who { background: var(--tint); border-color: var(--mark); }
.who p { margin: 0; color: var(--soft); }
h1 { margin: .1rem 0 .6rem; font-size: clamp(2rem, 8vw, 3.25rem); line-height: 1.1;
  color: var(--mark); overflow-wrap: anywhere; }
h2 { margin: 0 0 .5rem; font-size: 1rem; }
p { margin: 0 0 .9rem; }
dl { margin: 0; display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
code, pre { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
form { display: inline; }
a.button, button { display: inline-block; font: inherit; font-weight: 600; text-decoration: none;
  border-radius: 8px; padding: .5rem 1rem; border: 1px solid var(--mark); cursor: pointer;
  background: transparent; color: var(--mark); margin-right: .5rem; }
button { background: var(--mark); color: var(--card); }
a.button:focus-visible, button:focus-visible { outline: 3px solid var(--mark);
  outline-offset: 2px; }
)";

std::string escaped(std::string_view text) {
  std::string out;
  http::html_escape(out, text);
  return out;
}

std::string session_section(const DemoVisit& visit) {
  if (visit.session.empty()) {
    return "<h2>No session</h2><p>Reload to see the members take turns. Log in, and every further "
           "request goes to the member that you logged in to.</p>"
           "<form method=\"post\" action=\"/login\"><button>Log in</button></form>"
           "<a class=\"button\" href=\"/\">Reload</a>";
  }
  const std::string_view route = demo_session_route(visit.session);
  const std::string text =
      route == visit.route
          ? fmt::format(
                "Your session belongs to <code>{}</code>: reload as often as you like, this "
                "member answers.",
                escaped(route))
          : fmt::format(
                "Your session began at <code>{}</code>, which could not be asked, so "
                "<code>{}</code> took over.",
                escaped(route), escaped(visit.route));
  return fmt::format(
      "<h2>Logged in</h2><p>{}</p>"
      "<form method=\"post\" action=\"/logout\"><button>Log out</button></form>"
      "<a class=\"button\" href=\"/\">Reload</a>",
      text);
}

}  // namespace

std::string demo_page(const DemoVisit& visit) {
  const std::string session = visit.session.empty() ? "none" : escaped(visit.session);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\" style=\"--hue: {}\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{} answered</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n"
      "<section class=\"who\"><p>Answered by</p><h1>{}</h1>"
      "<dl><dt>Route</dt><dd id=\"route\"><code>{}</code></dd>"
      "<dt>Session</dt><dd id=\"session\"><code>{}</code></dd>"
      "<dt>Requests here</dt><dd id=\"served\">{}</dd></dl></section>\n"
      "<section>{}</section>\n"
      "<section><h2>The request as this member received it</h2><pre id=\"request\">{}</pre>"
      "</section>\n</main>\n</body>\n</html>\n",
      demo_hue(visit.route), escaped(visit.member), style, escaped(visit.member),
      escaped(visit.route), session, visit.served, session_section(visit), escaped(visit.head));
}

std::string_view demo_session(std::string_view cookie_field) {
  for (const std::string_view piece : split(cookie_field, ';')) {
    const std::string_view pair = trim(piece);
    const auto equals = pair.find('=');
    if (equals != pair.npos && pair.substr(0, equals) == demo_cookie) {
      return pair.substr(equals + 1);
    }
  }
  return {};
}

std::string_view demo_session_route(std::string_view session) {
  const auto dot = session.find('.');
  return dot == session.npos ? std::string_view() : session.substr(dot + 1);
}

// Routes usually differ in a number at their end; the golden angle keeps neighbours far apart.
int demo_hue(std::string_view route) {
  std::uint32_t sum = 0;
  for (const char c : route) sum = sum * 31 + static_cast<unsigned char>(c);
  return static_cast<int>(std::uint64_t{sum} * 1375 / 10 % 360);
}

}  // namespace steelyard::server
