#include "manage/manager_form.hpp"

#include <gtest/gtest.h>

namespace steelyard::manage {
namespace {

proxy::DeskQuestion get(std::string query) {
  proxy::DeskQuestion question;
  question.query = std::move(query);
  question.public_name = "lb.test";
  return question;
}

proxy::DeskQuestion post(std::string body) {
  proxy::DeskQuestion question = get("b=of_the_query");
  question.method = http::Method::post;
  question.body = std::move(body);
  return question;
}

std::string value(const proxy::DeskQuestion& question, std::string_view name) {
  const ManagerForm form = ManagerForm::read(question);
  const std::string* const found = form.find(name);
  return found != nullptr ? *found : "(none)";
}

TEST(ManagerForm, a_query_only_selects) {
  EXPECT_EQ(value(get("b=app&w=x&nonce=n&xml&w_lf=2"), "b"), "app");
  EXPECT_EQ(value(get("b=app&w_lf=2"), "w_lf"), "(none)");
  EXPECT_EQ(value(get("B=app"), "b"), "(none)");
  EXPECT_EQ(value(get("xml"), "xml"), "");
  EXPECT_TRUE(ManagerForm::read(get("w_lf=2&&=&x")).empty());
}

TEST(ManagerForm, a_body_says_everything_and_the_query_nothing) {
  EXPECT_EQ(value(post("w_lf=2"), "w_lf"), "2");
  EXPECT_EQ(value(post("w_lf=2"), "b"), "(none)");
}

TEST(ManagerForm, the_last_of_one_name_counts_in_any_case) {
  EXPECT_EQ(value(post("w_lf=2&W_LF=3"), "w_lf"), "3");
  EXPECT_EQ(value(post("w_lf=2&w_lf"), "w_lf"), "");
}

TEST(ManagerForm, values_are_decoded_twice_and_names_once) {
  EXPECT_EQ(value(post("w%5flf=%2541"), "w_lf"), "A");
  EXPECT_EQ(value(post("w%255flf=1"), "w_lf"), "(none)");
  EXPECT_EQ(value(post("b_ss=A%20%7C+b=c"), "b_ss"), "A |+b=c");
  EXPECT_EQ(value(post("w_wr=%3Cb%3e"), "w_wr"), "<b>");
}

TEST(ManagerForm, what_is_no_escape_stays_and_a_NUL_ends_the_value) {
  EXPECT_EQ(percent_decoded("100%"), "100%");
  EXPECT_EQ(percent_decoded("%4"), "%4");
  EXPECT_EQ(percent_decoded("%zz%41"), "%zzA");
  EXPECT_EQ(percent_decoded("a%00b"), "a");
}

TEST(ManagerForm, the_referer_must_name_the_host_that_was_asked) {
  const auto source = [](std::string referer) {
    proxy::DeskQuestion question = get("b=app");
    question.fields.emplace_back("referer", std::move(referer));
    return foreign_source(question);
  };
  EXPECT_EQ(source("http://lb.test/x"), "");
  EXPECT_EQ(source("https://LB.TEST:8443"), "");
  EXPECT_EQ(source("http://me@lb.test?lb"), "");
  EXPECT_NE(source("http://lb.test.evil.example/"), "");
  EXPECT_NE(source("http://evil.example/http://lb.test/"), "");
  EXPECT_NE(source("http://lb.test@evil.example/"), "");
  EXPECT_NE(source("http://evil.example#@lb.test/"), "");
  EXPECT_NE(source("lb.test"), "");
  EXPECT_NE(source(""), "");
  EXPECT_EQ(foreign_source(get("b=app")), "it has no Referer");
}

TEST(ManagerForm, an_address_in_brackets_is_that_address) {
  proxy::DeskQuestion question = get("b=app");
  question.public_name = "::1";
  question.fields.emplace_back("Referer", "http://[::1]:8080/");
  EXPECT_EQ(foreign_source(question), "");
  question.fields[0].second = "http://[::2]/";
  EXPECT_NE(foreign_source(question), "");
}

TEST(ManagerForm, a_post_from_another_site_is_foreign_whatever_its_referer) {
  const auto source = [](std::string name, std::string value) {
    proxy::DeskQuestion question = post("b=app");
    question.fields.emplace_back("Referer", "http://lb.test/");
    question.fields.emplace_back(std::move(name), std::move(value));
    return foreign_source(question);
  };
  EXPECT_EQ(source("Origin", "http://lb.test:81"), "");
  EXPECT_EQ(source("Sec-Fetch-Site", "same-origin"), "");
  EXPECT_EQ(source("Origin", "null"), "its Origin is \"null\"");
  EXPECT_EQ(source("Origin", "http://evil.example"), "its Origin is \"http://evil.example\"");
  EXPECT_EQ(source("Sec-Fetch-Site", "cross-site"), "its Sec-Fetch-Site is cross-site");
}

}  // namespace
}  // namespace steelyard::manage
