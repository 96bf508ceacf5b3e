#include "balance/check_fit.hpp"

#include <gtest/gtest.h>

#include "balance/parameters.hpp"

namespace steelyard::balance {
namespace {

MemberSpec member_of(std::string_view url, std::string_view method) {
  MemberSpec member;
  EXPECT_TRUE(parse_member_url(member, url)) << url;
  EXPECT_TRUE(set_member_parameter(member, "hcmethod", method)) << method;
  return member;
}

TEST(CheckFit, is_told_by_what_the_member_speaks) {
  constexpr std::string_view asking[] = {"GET", "HEAD", "OPTIONS", "GET11", "HEAD11", "OPTIONS11"};
  for (const std::string_view scheme :
       {"http", "https", "ws", "wss", "h2", "h2c", "fcgi", "scgi", "uwsgi", "ajp", "ftp"}) {
    const std::string url = std::string(scheme) + "://h";
    for (const std::string_view method : {"NONE", "TCP"})
      EXPECT_FALSE(objection_to_check(member_of(url, method))) << url << method;
    const bool pings = scheme == "ajp";
    EXPECT_EQ(!objection_to_check(member_of(url, "CPING")), pings) << url;
    for (const std::string_view method : asking) {
      const bool fits = scheme == "ftp" ? method.starts_with("OPTIONS") : !pings;
      EXPECT_EQ(!objection_to_check(member_of(url, method)), fits) << url << method;
    }
  }
}

TEST(CheckFit, objects_with_a_way_forward) {
  const auto told = [](std::string_view url, std::string_view method) {
    const auto objection = objection_to_check(member_of(url, method));
    return objection ? objection->text + ". " + objection->advice : "none";
  };
  EXPECT_EQ(told("http://h:81", "CPING"),
            "hcmethod=CPING asks http://h:81 in AJP, which it does not speak. "
            "Write hcmethod=GET hcuri=/PATH: the member answers that.");
  EXPECT_EQ(told("fcgi://h:81", "CPING"),
            "hcmethod=CPING asks fcgi://h:81 in AJP, which it does not speak. "
            "Write hcmethod=GET hcuri=/PATH: the application answers that (php-fpm: ping.path).");
  EXPECT_EQ(told("ajp://h:81", "GET"),
            "hcmethod=GET asks ajp://h:81 in HTTP, which it does not speak. "
            "Write hcmethod=CPING: the container answers that.");
  EXPECT_EQ(told("ftp://h:81", "GET11"),
            "hcmethod=GET11 asks ftp://h:81 in HTTP, which it does not speak. "
            "Write hcmethod=OPTIONS: the server's greeting passes that.");
}

TEST(CheckFit, a_request_of_the_cgi_family_goes_to_the_members_socket) {
  const auto goes = [](std::string_view url, std::string_view method) {
    return is_checked_on_its_socket(member_of(url, method));
  };
  EXPECT_TRUE(goes("unix:/run/a|fcgi://h", "GET"));
  EXPECT_TRUE(goes("unix:/run/a|uwsgi://h", "OPTIONS11"));
  EXPECT_FALSE(goes("fcgi://h", "GET"));
  for (const std::string_view method : {"NONE", "TCP", "CPING"})
    EXPECT_FALSE(goes("unix:/run/a|fcgi://h", method)) << method;
  EXPECT_FALSE(goes("unix:/run/a|http://h", "GET"));
  MemberSpec elsewhere = member_of("unix:/run/a|fcgi://h", "GET");
  elsewhere.check.port = 9000;
  EXPECT_FALSE(is_checked_on_its_socket(elsewhere));
}

}  // namespace
}  // namespace steelyard::balance
