#include "ftp/listing.hpp"

#include <gtest/gtest.h>

namespace steelyard::ftp {
namespace {

std::string page_of(std::string_view lines) {
  ListingPage page("");
  std::string whole, pieces;
  page.write(lines, whole);
  ListingPage other("");
  for (const char& c : lines) other.write({&c, 1}, pieces);
  EXPECT_EQ(whole, pieces);
  return whole;
}

std::string title_of(std::string_view path, std::string_view directory = {}) {
  std::string out;
  ListingPage::write_title({.site = "http://h", .path = path, .directory = directory}, out);
  const std::size_t begin = out.find("<title>");
  return out.substr(begin, out.find("  <hr />") - begin);
}

struct Case {
  std::string_view line, html;
};

TEST(Listing, links_entries) {
  // As apache2 answered the same lines.
  const Case cases[] = {
      {"total 5", "total 5\n"},
      {"-rw-r--r-- 1 u g 3 Jan 1 10:00 my file.txt",
       "-rw-r--r-- 1 u g 3 Jan 1 10:00 my <a href=\"file.txt\">file.txt</a>\n"},
      {"drwx 1 dir", "drwx 1 <a href=\"dir/\">dir</a>\n"},
      {"-rwx 1 ..", "-rwx 1 <a href=\"../\">..</a>\n"},
      {"lrwx 1 li nk -> /target<b>", "lrwx 1 li <a href=\"nk\">nk -&gt; /target&lt;b&gt;</a>\n"},
      {"lrwxrwxrwx 1 noarrow", "lrwxrwxrwx 1 <a href=\"noarrow\">noarrow</a>\n"},
      {"lx -> y", "lx <a href=\"lx\">lx -&gt; y</a>\n"},
      {"l a -> b -> c", "l <a href=\"a\">a -&gt; b -&gt; c</a>\n"},
      {"  12 name.txt", "  12 <a href=\"name.txt\">name.txt</a>\n"},
      {"12 name.txt", "12 <a href=\"name.txt\">name.txt</a>\n"},
      {" 12  two.txt", " 12  <a href=\"two.txt\">two.txt</a>\n"},
      {"  x12 name", "  x12 name\n"},
      {"  12 two words", "  12 two words\n"},
      {"01-02-24 10:00AM <DIR> games", "01-02-24 10:00AM [DIR] <a href=\"games\">games</a>\n"},
      {"01-02-24 10:00AM 12 <x>.txt", "01-02-24 10:00AM 12 <a href=\"%5bx%5d.txt\">[x].txt</a>\n"},
      {"-noblank", ""},
      {"", "\n"},
      {"   ", "   \n"},
      {"-r trailing ", "-r trailing <a href=\"\"></a>\n"},
      {"-r 1 \xe9t", "-r 1 <a href=\"%e9t\">\xe9t</a>\n"},
      {"-r 1 a\x01"
       "b\x7f"
       "c\td",
       "-r 1 <a href=\"a%01b%7fc%09d\">a\x01"
       "b\x7f"
       "c\td</a>\n"},
      {"-r 1 cr\rlf", "-r 1 <a href=\"cr%0dlf\">cr\rlf</a>\n"},
      {std::string_view("-r 1 nul\0x", 10), "-r 1 <a href=\"nul\">nul</a>\n"},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(page_of(std::string(each.line) + "\r\n"), each.html) << each.line;
    EXPECT_EQ(page_of(std::string(each.line) + "\n"), each.html) << each.line;
  }
}

TEST(Listing, lets_no_name_be_markup_or_lead_elsewhere) {
  EXPECT_EQ(page_of("-rw <script>x</script> \"x'y&z\r\n"),
            "-rw &lt;script&gt;x&lt;/script&gt; <a href=\"%22x'y&amp;z\">&quot;x'y&amp;z</a>\n");
  EXPECT_EQ(page_of("-r <script>\"'&%41?q#f;a:b\r\n"),
            "-r <a href=\"./%3cscript%3e%22'&amp;%2541%3fq%23f;a:b\">"
            "&lt;script&gt;&quot;'&amp;%41?q#f;a:b</a>\n");
  EXPECT_EQ(page_of("-r javascript:alert(1)\r\n"),
            "-r <a href=\"./javascript:alert(1)\">javascript:alert(1)</a>\n");
  EXPECT_EQ(page_of("-r //evil/x\r\n"), "-r <a href=\".///evil/x\">//evil/x</a>\n");
  EXPECT_EQ(page_of("l1 javascript:x -> y\r\n"),
            "l1 <a href=\"./javascript:x\">javascript:x -&gt; y</a>\n");
  EXPECT_EQ(page_of("  1 http://evil/\r\n"), "  1 <a href=\"./http://evil/\">http://evil/</a>\n");
}

TEST(Listing, drops_a_last_line_that_does_not_end) {
  EXPECT_EQ(page_of("-r 1 a\r\n-r 1 cut"), "-r 1 <a href=\"a\">a</a>\n");
}

TEST(Listing, keeps_no_more_than_a_line_may_have) {
  const std::string lines = std::string(20000, 'x') + "\r\n-r 1 end\r\n";
  EXPECT_EQ(page_of(lines),
            std::string(listing_line_bytes_max, 'x') + "\n-r 1 <a href=\"end\">end</a>\n");
}

TEST(Listing, shows_the_way) {
  EXPECT_EQ(title_of("/"),
            "<title>http://h/</title>\n<base href=\"http://h/\">\n </head>\n <body>\n"
            "  <h2>Directory of <a href=\"/\">http://h</a>/</h2>\n\n");
  EXPECT_EQ(title_of("/d/a%26b;type=d"),
            "<title>http://h/d/a&amp;b/</title>\n<base href=\"http://h/d/a&amp;b/\">\n </head>\n"
            " <body>\n  <h2>Directory of <a href=\"/\">http://h</a>/<a href=\"/d/\">d</a>/"
            "<a href=\"/d/a&amp;b/\">a&amp;b</a>/</h2>\n\n");
  EXPECT_EQ(title_of("/d/x*"),
            "<title>http://h/d/</title>\n<base href=\"http://h/d/\">\n </head>\n <body>\n"
            "  <h2>Directory of <a href=\"/\">http://h</a>/<a href=\"/d/\">d</a>/x*</h2>\n\n");
  EXPECT_EQ(title_of("/%2fd/"),
            "<title>http://h/%2f/d/</title>\n<base href=\"http://h/%2f/d/\">\n </head>\n <body>\n"
            "  <h2>Directory of <a href=\"/\">http://h</a>/<a href=\"/%2f/\">%2f</a>/"
            "<a href=\"/%2f/d/\">d</a>/</h2>\n\n");
  EXPECT_EQ(title_of("/%22%3Cb%3E/"),
            "<title>http://h/&quot;&lt;b&gt;/</title>\n<base href=\"http://h/%22%3cb%3e/\">\n"
            " </head>\n <body>\n  <h2>Directory of <a href=\"/\">http://h</a>/"
            "<a href=\"/%22%3cb%3e/\">&quot;&lt;b&gt;</a>/</h2>\n\n");
}

TEST(Listing, names_the_servers_directory_when_it_is_another_one) {
  EXPECT_EQ(title_of("/d/", "/d").find('('), std::string::npos);
  EXPECT_EQ(title_of("/d/", "/").find('('), std::string::npos);
  EXPECT_NE(title_of("/g/", "/<d>").find("\n(/&lt;d&gt;)\n"), std::string::npos);
}

TEST(Listing, begins_with_the_welcome_and_ends_with_the_signature) {
  std::string out;
  ListingPage::write_title({.site = "http://h", .path = "/", .welcome = "<hi>"}, out);
  EXPECT_TRUE(out.starts_with("<!DOCTYPE HTML"));
  EXPECT_TRUE(out.ends_with("  <hr />\n\n<pre>&lt;hi&gt;\n</pre>\n\n<hr />\n\n<pre>\n"));
  out.clear();
  ListingPage("<address>me</address>\n").write_end(out);
  EXPECT_EQ(out, "</pre>\n\n  <hr />\n\n  <address>me</address>\n\n\n </body>\n</html>\n");
}

}  // namespace
}  // namespace steelyard::ftp
