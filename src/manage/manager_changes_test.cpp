#include "manage/manager_changes.hpp"

#include <gtest/gtest.h>

#include "balance/parameters.hpp"
#include "base/check.hpp"

namespace steelyard::manage {
namespace {

using balance::Flag;

// What forms ask of a balancer of two members, or of its first one.
class ManagerChanges : public ::testing::Test {
 protected:
  ManagerChanges() {
    config_.servers.push_back(std::make_unique<config::Server>());
    config_.modules = {"lbmethod_byrequests_module", "lbmethod_bytraffic_module",
                       "proxy_hcheck_module"};
    for (const char* url : {"http://m1", "http://m2"}) {
      balancer_.members.emplace_back();
      CHECK(balance::parse_member_url(balancer_.members.back(), url));
    }
    *first_spec_ = balancer_.members.front();
    first_.spec = first_spec_;
    first_.status = Flag::initialised;
  }

  // "field=value" of each order, parted by blanks; "+" before flags that are set, "-" for cleared.
  std::string orders(std::string body, bool of_member = true) {
    proxy::DeskQuestion question;
    question.method = http::Method::post;
    question.body = std::move(body);
    const FormOrders orders =
        read_orders(ManagerForm::read(question), {.config = config_,
                                                  .server = *config_.servers.front(),
                                                  .balancer = balancer_,
                                                  .member = of_member ? &first_ : nullptr});
    std::string text;
    for (const auto& [member, field, value] : orders.fields) {
      EXPECT_EQ(member, field.starts_with("lbm") || !of_member ? "" : "http://m1");
      text += (text.empty() ? "" : " ") + field + '=' + value;
    }
    if (orders.set.bits() != 0) text += " +" + display_text(orders.set);
    if (orders.clear.bits() != 0) text += " -" + display_text(orders.clear);
    if (orders.added) text += " add " + *orders.added;
    return text;
  }

  config::Config config_;
  balance::BalancerSpec balancer_;
  std::shared_ptr<balance::MemberSpec> first_spec_ = std::make_shared<balance::MemberSpec>();
  balance::MemberView first_;
};

TEST_F(ManagerChanges, a_factor_is_a_decimal_from_1_to_100) {
  EXPECT_EQ(orders("w_lf=2.509"), "loadfactor=2.50");
  EXPECT_EQ(orders("w_lf=100"), "loadfactor=100.00");
  // httpd cuts a double times 100, and that once.
  EXPECT_EQ(orders("w_lf=1.15"), "loadfactor=1.14");
  EXPECT_EQ(orders("w_lf=2.03"), "loadfactor=2.02");
  for (const char* wrong : {"w_lf=0.99", "w_lf=101", "w_lf=x", "w_lf=", "w_lf=1.0"})
    EXPECT_EQ(orders(wrong), "") << wrong;
}

TEST_F(ManagerChanges, who_is_alone_has_a_factor_of_1) {
  balancer_.members.pop_back();
  first_spec_->load_factor = 300;
  EXPECT_EQ(orders("w_lf=5"), "loadfactor=5.00 loadfactor=1.00");
}

TEST_F(ManagerChanges, a_route_that_is_empty_or_too_long_is_taken_away) {
  EXPECT_EQ(orders("w_wr=r1&w_rr=r2"), "route=r1 redirect=r2");
  first_spec_->tag = "old";
  EXPECT_EQ(orders("w_wr="), "route=");
  EXPECT_EQ(orders("w_wr=" + std::string(64, 'a')), "route=");
  EXPECT_EQ(orders("w_wr=" + std::string(63, 'a')), "route=" + std::string(63, 'a'));
  EXPECT_EQ(orders("w_wr=a%0d%0ab"), "");
}

TEST_F(ManagerChanges, flags_are_numbers_and_what_is_found_out_is_told_apart) {
  EXPECT_EQ(orders("w_status_D=1&w_status_H=17&w_status_N=0"), "status=DH");
  EXPECT_EQ(orders("w_status_E=1&w_status_D=x"), "");
  EXPECT_EQ(orders("w_status_C=1"), " +HcFl ");
  first_.status = Flag::initialised | Flag::disabled | Flag::health_failed | Flag::stopped;
  first_spec_->status = Flag::disabled | Flag::stopped;
  EXPECT_EQ(orders("w_status_D=0&w_status_C=0"), "status=S -HcFl ");
  EXPECT_EQ(orders("w_status_D=0&w_status_S=0"), "status=");
}

TEST_F(ManagerChanges, an_lbset_is_0_to_99) {
  EXPECT_EQ(orders("w_ls=99"), "lbset=99");
  EXPECT_EQ(orders("w_ls=100"), "");
  EXPECT_EQ(orders("w_ls=-1"), "");
}

TEST_F(ManagerChanges, checks_are_set_by_known_methods_and_milliseconds) {
  EXPECT_EQ(orders("w_hm=get&w_hi=500&w_hp=2&w_hf=3&w_hu=%2Fup"),
            "hcinterval=500ms hcpasses=2 hcfails=3 hcmethod=GET hcuri=/up");
  EXPECT_EQ(orders("w_hm=CPING&w_hi=99&w_hp=0&w_hf=-1&w_hi=x"), "");
  EXPECT_EQ(orders("w_hi=2s"), "hcinterval=2s");
}

TEST_F(ManagerChanges, a_check_without_an_answer_has_no_expression) {
  first_spec_->check.method = balance::CheckMethod::get;
  first_spec_->check.expression = "old";
  EXPECT_EQ(orders("w_ls=0"), "");
  EXPECT_EQ(orders("w_he=unknown"), "hcexpr=");
  EXPECT_EQ(orders("w_hm=TCP"), "hcmethod=TCP hcexpr=");
  config_.servers[0]->health_conditions.set("known", *expr::Condition::compile("true"));
  EXPECT_EQ(orders("w_he=known"), "hcexpr=known");
  EXPECT_EQ(orders("w_he=KNOWN"), "hcexpr=");
}

TEST_F(ManagerChanges, without_the_module_there_are_no_checks_to_set) {
  config_.modules.clear();
  EXPECT_EQ(orders("w_hm=GET&w_hi=500"), "");
}

TEST_F(ManagerChanges, a_method_is_one_that_is_loaded_or_an_extension) {
  EXPECT_EQ(orders("b_lbm=bytraffic", false), "lbmethod=bytraffic");
  EXPECT_EQ(orders("b_lbm=leasttime", false), "lbmethod=leasttime");
  for (const char* none : {"b_lbm=bybusyness", "b_lbm=byrequests", "b_lbm=x", "b_lbm="})
    EXPECT_EQ(orders(none, false), "") << none;
}

TEST_F(ManagerChanges, what_holds_anyway_is_no_change) {
  EXPECT_EQ(orders("b_lbm=byrequests&b_tmo=0&b_max=1&b_sforce=0&b_ss=", false), "");
  EXPECT_EQ(orders("b_tmo=7200&b_max=99&b_sforce=2", false),
            "timeout=7200 maxattempts=99 nofailover=On");
  EXPECT_EQ(orders("b_tmo=7201&b_max=100", false), "");
}

TEST_F(ManagerChanges, stickiness_is_a_cookie_and_a_parameter_or_a_dash_for_none) {
  EXPECT_EQ(orders("b_ss=A%20%7C%20b", false), "stickysession=A | b");
  EXPECT_EQ(orders("b_ss=" + std::string(63, 'a'), false), "");
  balancer_.sticky.cookie_name = balancer_.sticky.url_name = "sid";
  EXPECT_EQ(orders("b_ss=-", false), "stickysession=");
}

TEST_F(ManagerChanges, a_member_is_added_only_by_who_is_sure) {
  EXPECT_EQ(orders("b_nwrkr=http://m3&b_wyes=1", false), " add http://m3");
  EXPECT_EQ(orders("b_nwrkr=http://m3&b_wyes=yes", false), "");
  EXPECT_EQ(orders("b_nwrkr=http://m3", false), "");
}

}  // namespace
}  // namespace steelyard::manage
