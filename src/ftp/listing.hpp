#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What a server says for LIST as a page of HTML with links (httpd's page).
//
//   drwxr-xr-x 2 ftp ftp 4096 Feb 29 2024 pub        pub/ is linked
//   lrwxrwxrwx 1 ftp ftp    4 Feb 29 2024 l -> pub   l is linked
//   -rw-r--r-- 1 ftp ftp    6 Feb 29 2024 my file    "file" is linked: the last word (httpd)
//   03-01-24  10:00AM  <DIR>  games                  games, of other systems
//     12 a.txt                                       a.txt (ls -s1)
//   total 8                                          as it is
//
// Invariants: 1. nothing of the server's or the client's stands in the page unescaped, and no link
//                leads to another host or begins with a scheme.
//             2. memory: one line of at most listing_line_bytes_max; what is longer loses its rest.
// Threads: one owner.

namespace steelyard::ftp {

inline constexpr std::size_t listing_line_bytes_max = 8191;  // httpd's

// What stands above the list.
struct ListingTitle {
  std::string_view site{};  // "http://host[:port]" as the client calls it
  std::string_view path{};  // of the client's request, still encoded, without a query
  bool lists_on_wildcard = true;
  std::string_view directory{};  // what the server says where this is; empty: nothing
  std::string_view welcome{};    // the server's words after the login
};

class ListingPage {
 public:
  // `signature`: ready HTML for the page's end.
  explicit ListingPage(std::string signature) : signature_(std::move(signature)) {}

  static void write_title(const ListingTitle& title, std::string& out);
  // Appends what the lines that end in `data` become.
  void write(std::string_view data, std::string& out);
  // A last line without an end is dropped (httpd).
  void write_end(std::string& out) const;

 private:
  std::string line_;
  std::string signature_;
};

}  // namespace steelyard::ftp
