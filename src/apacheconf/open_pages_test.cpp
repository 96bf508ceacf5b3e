#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apacheconf/testing.hpp"

namespace steelyard::apacheconf {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// What is said about a configuration with a balancer-manager in it.
class OpenPages : public ::testing::Test {
 protected:
  std::vector<std::string> said(std::string_view text) {
    return reader_.remarks(std::string(testing::preamble) +
                           "LoadModule proxy_module m\nLoadModule proxy_http_module m\n"
                           "LoadModule proxy_balancer_module m\n"
                           "LoadModule authz_core_module m\nLoadModule authz_host_module m\n" +
                           std::string(text));
  }
  testing::Reader reader_;
};

constexpr std::string_view manager = "<Location /m>\nSetHandler balancer-manager\n";

TEST_F(OpenPages, a_manager_without_require_is_warned_about_where_it_stands) {
  const auto remarks = said(std::string(manager) + "</Location>");
  ASSERT_THAT(remarks, SizeIs(1));
  EXPECT_THAT(remarks[0], AllOf(HasSubstr("line 8 of /c/t.conf"),
                                HasSubstr("SetHandler balancer-manager is open to everybody"),
                                HasSubstr("Require expr true")));
}

TEST_F(OpenPages, so_is_one_that_lets_everybody_in) {
  EXPECT_THAT(said(std::string(manager) + "Require all granted\n</Location>"), SizeIs(1));
}

TEST_F(OpenPages, one_that_asks_for_something_is_not) {
  EXPECT_THAT(said(std::string(manager) + "Require ip 10\n</Location>"), IsEmpty());
  EXPECT_THAT(said(std::string(manager) + "Require expr true\n</Location>"), IsEmpty());
}

TEST_F(OpenPages, nor_is_one_that_asks_who_it_is) {
  EXPECT_THAT(said("LoadModule authz_user_module m\n" + std::string(manager) +
                   "Require valid-user\n</Location>"),
              IsEmpty());
}

TEST_F(OpenPages, sections_around_it_count_in_their_order) {
  EXPECT_THAT(
      said("<Location />\nRequire ip 10\n</Location>\n" + std::string(manager) + "</Location>"),
      IsEmpty());
  EXPECT_THAT(said(std::string(manager) + "</Location>\n<Location />\nRequire all granted\n"
                                          "</Location>"),
              SizeIs(1));
  EXPECT_THAT(said("<Location /other>\nRequire ip 10\n</Location>\n" + std::string(manager) +
                   "</Location>"),
              SizeIs(1));
}

TEST_F(OpenPages, one_section_is_told_of_once_however_many_hosts_have_it) {
  EXPECT_THAT(said(std::string(manager) +
                   "</Location>\n<VirtualHost *:8080>\nServerName a\n</VirtualHost>\n"
                   "<VirtualHost *:8080>\nServerName b\n</VirtualHost>"),
              SizeIs(1));
}

TEST_F(OpenPages, a_whole_server_that_is_the_page_is_told_of) {
  EXPECT_THAT(said("SetHandler balancer-manager"), SizeIs(1));
}

TEST_F(OpenPages, without_its_module_the_manager_is_no_page) {
  const auto remarks =
      reader_.remarks(std::string(testing::preamble) + std::string(manager) + "</Location>");
  ASSERT_THAT(remarks, SizeIs(1));
  EXPECT_THAT(remarks[0], HasSubstr("LoadModule proxy_balancer_module"));
}

}  // namespace
}  // namespace steelyard::apacheconf
