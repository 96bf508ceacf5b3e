#include "ftp/listing.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "ftp/path.hpp"
#include "http/html.hpp"
#include "http/percent.hpp"

namespace steelyard::ftp {

namespace {

using http::html_escape;

constexpr std::string_view doctype =
    "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">"
    "\n";

// Percent signs for what cannot stand in a path (httpd: ap_os_escape_path); then HTML's own.
void link_escape(std::string& out, std::string_view path) {
  constexpr std::string_view kept = "$-_.+!*'(),:;@&=/~";
  constexpr std::string_view hex = "0123456789abcdef";
  std::string url;
  for (const char c : path) {
    if (is_alnum(c) || (c != '\0' && kept.find(c) != kept.npos)) {
      url += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    url += '%';
    url += hex[byte >> 4];
    url += hex[byte & 15];
  }
  html_escape(out, url);
}

// A name relative to the page. httpd guards "a:b" that way, too, but lets "//host/" through.
void name_escape(std::string& out, std::string_view name) {
  const std::size_t colon = name.find(':');
  const bool looks_like_scheme = colon != name.npos && colon < name.find('/');
  if (looks_like_scheme || name.starts_with('/')) out += "./";
  link_escape(out, name);
}

struct Entry {
  std::string_view before{}, name{}, behind{};
  bool is_directory = false;
};

void write_entry(const Entry& entry, std::string_view gap, std::string& out) {
  html_escape(out, entry.before);
  out += gap;
  out += "<a href=\"";
  name_escape(out, entry.name);
  if (entry.is_directory) out += '/';
  out += "\">";
  html_escape(out, entry.name);
  html_escape(out, entry.behind);
  out += "</a>\n";
}

// "l... name -> target": the word in front of the arrow.
bool write_link(std::string_view line, std::string& out) {
  const std::size_t arrow = line.starts_with('l') ? line.find(" -> ") : line.npos;
  if (arrow == line.npos || arrow == 0) return false;
  const std::size_t blank = line.rfind(' ', arrow - 1);
  Entry entry{.behind = line.substr(arrow)};
  if (blank == line.npos) {
    entry.before = entry.name = line.substr(0, arrow);  // httpd
  } else {
    entry.before = line.substr(0, blank);
    entry.name = line.substr(blank + 1, arrow - blank - 1);
  }
  write_entry(entry, " ", out);
  return true;
}

void write_file(std::string_view line, std::string& out) {
  const std::size_t blank = line.rfind(' ');
  if (blank == line.npos) return;  // httpd: the line is broken
  Entry entry{.before = line.substr(0, blank), .name = line.substr(blank + 1)};
  entry.is_directory = entry.name == "." || entry.name == ".." || line.front() == 'd';
  write_entry(entry, " ", out);
}

// "<DIR>" of DOS; the first of each is shown as a bracket.
std::string without_angles(std::string_view line) {
  std::string text(line);
  if (const std::size_t at = text.find('<'); at != text.npos) text[at] = '[';
  if (const std::size_t at = text.find('>'); at != text.npos) text[at] = ']';
  return text;
}

// "  12 name", with nothing behind the name.
bool write_sized(std::string_view line, std::string& out) {
  std::size_t at = std::min(line.find_first_not_of(' '), line.size());
  const std::size_t digits = at;
  while (at < line.size() && is_digit(line[at])) ++at;
  const std::size_t name = line.find_first_not_of(' ', at);
  if (at == digits || name == at || name == line.npos) return false;
  if (line.find(' ', name) != line.npos) return false;
  write_entry({.before = line.substr(0, name), .name = line.substr(name)}, "", out);
  return true;
}

void write_line(std::string_view line, std::string& out) {
  if (write_link(line, out)) return;
  const char first = line.empty() ? ' ' : line.front();
  if (is_digit(first)) return write_file(without_angles(line), out);
  if (first == 'd' || first == '-' || first == 'l') return write_file(line, out);
  if (write_sized(line, out)) return;
  html_escape(out, line);
  out += '\n';
}

// The request's path as the page shows it.
struct Shown {
  std::string_view base;  // "/%2f" when the path begins at the root
  std::string path;       // decoded; begins and ends with one slash
  std::string pattern;    // behind it
};

Shown shown_path(const ListingTitle& title) {
  Shown shown;
  std::string_view path = title.path.substr(0, title.path.find(";type="));
  if (starts_with_ignoring_case(path, "/%2f")) {
    shown.base = "/%2f";
    path.remove_prefix(shown.base.size());
  }
  std::string plain = http::percent_decoded(path);
  const std::size_t slash = plain.rfind('/');
  const std::string_view last = std::string_view(plain).substr(slash == plain.npos ? 0 : slash + 1);
  if (title.lists_on_wildcard && is_pattern(last)) {
    shown.pattern = last;
    plain.resize(plain.size() - last.size());
  }
  plain.erase(0, std::min(plain.find_first_not_of('/'), plain.size()));
  while (plain.ends_with('/')) plain.pop_back();
  shown.path = plain.empty() ? "/" : "/" + plain + "/";
  return shown;
}

// Each directory on the way links itself.
void write_way(const Shown& shown, std::string& out) {
  const std::string_view path = shown.path;
  std::size_t begin = 1;
  while (begin < path.size()) {
    const std::size_t end = path.find('/', begin);
    out += "<a href=\"";
    out += shown.base;
    link_escape(out, path.substr(0, end));
    out += "/\">";
    html_escape(out, path.substr(begin, end - begin));
    out += "</a>/";
    begin = std::min(path.find_first_not_of('/', end), path.size());
  }
}

}  // namespace

void ListingPage::write_title(const ListingTitle& title, std::string& out) {
  const Shown shown = shown_path(title);
  out += doctype;
  out += "<html>\n <head>\n  <title>";
  html_escape(out, title.site);
  out += shown.base;
  html_escape(out, shown.path);
  out += "</title>\n<base href=\"";
  html_escape(out, title.site);
  out += shown.base;
  link_escape(out, shown.path);
  out += "\">\n </head>\n <body>\n  <h2>Directory of <a href=\"/\">";
  html_escape(out, title.site);
  out += "</a>/";
  if (!shown.base.empty()) out += "<a href=\"/%2f/\">%2f</a>/";
  write_way(shown, out);
  html_escape(out, shown.pattern);
  out += "</h2>\n\n";
  if (!title.directory.empty() && !shown.path.starts_with(title.directory)) {
    out += '(';
    html_escape(out, title.directory);
    out += ")\n\n";
  }
  out += "  <hr />\n\n<pre>";
  html_escape(out, title.welcome);
  out += "\n</pre>\n\n<hr />\n\n<pre>\n";
}

void ListingPage::write(std::string_view data, std::string& out) {
  while (!data.empty()) {
    const std::size_t end = data.find('\n');
    const std::string_view piece = data.substr(0, end);
    line_.append(piece.substr(0, listing_line_bytes_max - line_.size()));
    data.remove_prefix(piece.size());
    if (end == data.npos) return;
    data.remove_prefix(1);
    if (line_.ends_with('\r')) line_.pop_back();
    // httpd sees a text that ends there.
    line_.resize(std::min(line_.find('\0'), line_.size()));
    write_line(line_, out);
    line_.clear();
  }
}

void ListingPage::write_end(std::string& out) const {
  out += "</pre>\n\n  <hr />\n\n  ";
  out += signature_;
  out += "\n\n </body>\n</html>\n";
}

}  // namespace steelyard::ftp
