// Fuzz target: a form of the balancer-manager, with the right nonce.
//
// Whatever it asks for, what comes back is a page whose only tags are the program's own and XML
// that is well nested, or a refusal; and the balancer keeps its bounds.
#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "balance/parameters.hpp"
#include "base/check.hpp"
#include "fuzz.hpp"
#include "manage/balancer_manager.hpp"
#include "proxy/limits.hpp"

namespace steelyard {

namespace {

using manage::BalancerManager;

constexpr auto own_tags = std::to_array<std::string_view>(
    {"!DOCTYPE", "html",  "head",  "title",  "style",  "body", "h1", "dl", "dt",
     "hr",       "h3",    "a",     "table",  "tr",     "th",   "td", "br", "i",
     "form",     "input", "label", "select", "option", "hr/",  "br/"});

std::shared_ptr<const proxy::Generation> one_balancer() {
  auto config = std::make_unique<config::Config>();
  config->servers.push_back(std::make_unique<config::Server>());
  config->modules = {"lbmethod_byrequests_module", "proxy_hcheck_module"};
  auto spec = std::make_shared<balance::BalancerSpec>();
  spec->name = "balancer://app";
  spec->growth = 2;
  spec->nonce = "n";
  for (const char* url : {"http://m1", "http://m2"}) {
    balance::MemberSpec member;
    CHECK(balance::parse_member_url(member, url));
    spec->members.push_back(std::move(member));
  }
  config->servers[0]->balancers.push_back(std::move(spec));
  proxy::StateRegistry registry;
  return registry.bind(std::move(config));
}

void check_page(std::string_view page) {
  for (std::size_t at = page.find('<'); at != page.npos; at = page.find('<', at + 1)) {
    std::string_view tag = page.substr(at + 1);
    if (tag.starts_with('/')) tag.remove_prefix(1);
    tag = tag.substr(0, tag.find_first_of(" >\n"));
    CHECK(std::ranges::find(own_tags, tag) != own_tags.end());
  }
}

void check_xml(std::string_view xml) {
  std::vector<std::string_view> open;
  for (std::size_t at = xml.find("<", 1); at != xml.npos; at = xml.find('<', at + 1)) {
    const bool closes = xml[at + 1] == '/';
    const std::string_view name = xml.substr(at + 1 + static_cast<std::size_t>(closes));
    const std::string_view tag = name.substr(0, name.find_first_of(" >"));
    CHECK(tag.starts_with("httpd:"));
    if (!closes) {
      open.push_back(tag);
    } else {
      CHECK(!open.empty() && open.back() == tag);
      open.pop_back();
    }
  }
  CHECK(open.empty());
}

void check_balancer(const proxy::Generation& generation) {
  const auto members = generation.groups()[0].balancers[0].state->members();
  CHECK(members.size() >= 2 && members.size() <= 4);
  for (const balance::MemberView& view : members) {
    CHECK(view.spec->load_factor >= 100 && view.spec->load_factor <= 10'000);
    CHECK(view.spec->lbset >= 0 && view.spec->lbset <= balance::lbset_max);
    CHECK(view.spec->tag.size() < 64 && view.spec->redirect_tag.size() < 64);
  }
}

}  // namespace

void fuzz_one(std::string_view input) {
  const auto generation = one_balancer();
  manage::ChangesBook book(std::nullopt, [](const auto&...) {});
  BalancerManager manager({.book = book,
                           .built = "",
                           .now = [] { return manage::Moment{}; },
                           .log = [](const auto&...) {},
                           .on_change = [](const auto&...) {},
                           .members_changed = [] {}});
  proxy::DeskQuestion question;
  question.generation = generation;
  question.method = http::Method::post;
  question.path = "/m";
  question.public_name = "lb";
  question.fields.emplace_back("Referer", "http://lb/");
  question.body = "b=app&nonce=n&" + std::string(input.substr(0, proxy::form_bytes_max));
  const proxy::DeskAnswer answer = manager.answer(question);
  CHECK(answer.status == 200 || answer.status == 400);
  check_balancer(*generation);
  question.method = http::Method::get;
  question.query = "b=app&w=http://m1";
  check_page(manager.answer(question).body);
  question.query = "xml=1";
  check_xml(manager.answer(question).body);
}

}  // namespace steelyard
