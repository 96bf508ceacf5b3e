// Input: a path, a line end, what a server says for LIST. The page has no markup but ours: tags are
// counted, and no link begins with a scheme or leads to another host.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/text.hpp"
#include "ftp/listing.hpp"
#include "fuzz.hpp"

namespace steelyard {
namespace {

std::size_t count(std::string_view text, std::string_view wanted) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(wanted, at)) != text.npos; at += wanted.size()) ++found;
  return found;
}

void check_links(std::string_view page) {
  constexpr std::string_view begin = "<a href=\"";
  while (true) {
    const std::size_t at = page.find(begin);
    CHECK(count(page.substr(0, at), "<") == count(page.substr(0, at), "</a>"));
    if (at == page.npos) return;
    page.remove_prefix(at + begin.size());
    const std::string_view url = page.substr(0, page.find('"'));
    CHECK(!url.starts_with('/'));
    CHECK(url.find(':') == url.npos || url.find('/') < url.find(':'));
    CHECK(std::ranges::all_of(url, [](char c) { return c > ' ' && c < 0x7f; }));
    page.remove_prefix(url.size());
    CHECK(page.starts_with("\">"));
    page.remove_prefix(2);
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view path = input.substr(0, end);
  const std::string_view lines = input.substr(std::min(end + 1, input.size()));
  std::string whole, pieces;
  ftp::ListingPage page("");
  page.write(lines, whole);
  ftp::ListingPage other("");
  for (const char& c : lines) other.write({&c, 1}, pieces);
  CHECK(whole == pieces);
  check_links(whole);

  std::string title;
  ftp::ListingPage::write_title(
      {.site = "http://h", .path = path, .directory = lines, .welcome = lines}, title);
  // Ours: the doctype, fifteen around, and two for each part of the way.
  const std::size_t parts = count(title, "<a ");
  CHECK(count(title, "</a>") == parts);
  CHECK(count(title, "<") == count(title, ">"));
  CHECK(count(title, "<") == 15 + 2 * parts);
}

}  // namespace steelyard
