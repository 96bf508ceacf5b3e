#include "server/notary_threads.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tls/ocsp_testing.hpp"

namespace steelyard::server {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using tls::testing::KeyPair;
using tls::testing::Kind;

constexpr auto most = 20s;  // for what happens at once
constexpr std::size_t share = NotaryThreads::threads_of_one_max;

// Authorities that answer when the test lets them. Those named "dead" do only then.
class Authorities {
 public:
  tls::Pursuit::Answer answer(const tls::OcspErrand& errand, const std::atomic<bool>& stopping) {
    std::unique_lock hold(lock_);
    const std::string url(errand.url);
    ++asked_[url];
    changed_.notify_all();
    if (url == "http://dead.test/") {
      // As libcurl looks at the flag: now and then.
      while (let_go_ == 0 && !stopping) changed_.wait_for(hold, 1ms);
      if (!stopping) --let_go_;
      return std::unexpected("it took too long");
    }
    const KeyPair& signer = url == "http://root.test/" ? root_ : middle_;
    return tls::testing::answer(errand.request, signer, {});
  }

  void let_go(std::size_t count) {
    const std::lock_guard hold(lock_);
    let_go_ += count;
  }
  std::size_t asked(const std::string& url) {
    const std::lock_guard hold(lock_);
    return asked_[url];
  }
  bool wait_asked(const std::string& url, std::size_t times) {
    std::unique_lock hold(lock_);
    return changed_.wait_for(hold, most, [&] { return asked_[url] >= times; });
  }

  std::shared_ptr<const tls::Inquiry> inquiry(const std::string& url, Duration patience) {
    config::TlsOcsp settings;
    settings.about = config::TlsOcsp::About::chain;
    settings.patience = patience;
    tls::StoreHandle store(X509_STORE_new());
    CHECK(X509_STORE_add_cert(store.get(), root_.certificate.get()) == 1);
    auto rules = std::make_shared<tls::InquiryRules>(
        settings, std::vector<tls::CertificateHandle>(), std::move(store));
    const KeyPair own = tls::testing::issue("client", Kind::client, middle_, url);
    std::vector<tls::CertificateHandle> chain;
    for (const KeyPair* each : {&own, &middle_, &root_})
      chain.push_back(tls::share(each->certificate.get()));
    return std::make_shared<tls::Inquiry>(std::move(rules), std::move(chain));
  }

 private:
  const KeyPair root_ = tls::testing::make_root();
  const KeyPair middle_ =
      tls::testing::issue("middle", Kind::authority, root_, "http://root.test/");
  std::mutex lock_;
  std::condition_variable changed_;
  std::map<std::string, std::size_t> asked_;
  std::size_t let_go_ = 0;
};

class Notaries : public ::testing::Test {
 protected:
  void ask(std::shared_ptr<const tls::Inquiry> inquiry, bool is_given_up = false) {
    ++asked_;
    notaries_.ask({std::move(inquiry), IpAddress::v4(static_cast<std::uint32_t>(asked_)),
                   std::make_shared<const std::atomic<bool>>(is_given_up)},
                  [this](tls::InquiryFinding finding) {
                    const std::lock_guard hold(lock_);
                    findings_.push_back(std::move(finding));
                    changed_.notify_all();
                  });
  }
  void ask(const std::string& url, Duration patience) { ask(authorities_.inquiry(url, patience)); }
  bool wait_found(std::size_t count) {
    std::unique_lock hold(lock_);
    return changed_.wait_for(hold, most, [&] { return findings_.size() >= count; });
  }
  std::vector<tls::InquiryFinding> findings() {
    const std::lock_guard hold(lock_);
    return findings_;
  }
  static std::string told(const tls::InquiryFinding& finding) {
    std::string text;
    for (const auto& remark : finding.remarks) text += remark.text + '\n';
    return text;
  }

  Authorities authorities_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<tls::InquiryFinding> findings_;
  std::size_t asked_ = 0;
  NotaryThreads notaries_{[this](const tls::OcspErrand& errand, const std::atomic<bool>& stopping) {
    return authorities_.answer(errand, stopping);
  }};
};

TEST_F(Notaries, one_responder_after_the_other_is_asked) {
  ask("http://middle.test/", 1h);
  ASSERT_TRUE(wait_found(1));
  EXPECT_TRUE(findings()[0].is_good) << told(findings()[0]);
  EXPECT_EQ(authorities_.asked("http://root.test/"), 1U);
  EXPECT_EQ(authorities_.asked("http://middle.test/"), 1U);
}

TEST_F(Notaries, a_responder_that_hangs_holds_up_nobody_who_asks_another) {
  constexpr std::size_t crowd = NotaryThreads::threads_max + 10;
  for (std::size_t i = 0; i < crowd; ++i) ask("http://dead.test/", 1h);
  ASSERT_TRUE(authorities_.wait_asked("http://dead.test/", share));
  ask("http://middle.test/", 1h);
  ASSERT_TRUE(wait_found(1));
  EXPECT_TRUE(findings()[0].is_good);
  EXPECT_EQ(authorities_.asked("http://dead.test/"), share);
  // Who waits for it has their turn, too.
  authorities_.let_go(crowd);
  ASSERT_TRUE(wait_found(crowd + 1));
  EXPECT_EQ(authorities_.asked("http://dead.test/"), crowd);
}

TEST_F(Notaries, who_waits_for_one_that_let_others_wait_in_vain_is_refused_at_once) {
  for (std::size_t i = 0; i < share + 10; ++i) ask("http://dead.test/", 0s);
  ASSERT_TRUE(authorities_.wait_asked("http://dead.test/", share));
  authorities_.let_go(1);
  ASSERT_TRUE(wait_found(11));
  EXPECT_EQ(authorities_.asked("http://dead.test/"), share);
  std::size_t turned_away = 0;
  for (const tls::InquiryFinding& each : findings()) {
    EXPECT_FALSE(each.is_good);
    EXPECT_THAT(told(each), HasSubstr("AH01974: OCSP responder 'http://dead.test/' gave no"));
    turned_away += told(each).contains("it has just left another question without one") ? 1 : 0;
  }
  EXPECT_EQ(turned_away, 10U);
}

TEST_F(Notaries, a_line_that_is_full_says_so) {
  // That of the responder, and that of those whose responder is not known yet.
  constexpr std::size_t room = share + 2 * ResponderLines<int>::jobs_of_one_max;
  const auto inquiry = authorities_.inquiry("http://dead.test/", 1h);
  while (asked_ <= room) ask(inquiry);
  ASSERT_TRUE(wait_found(1));
  EXPECT_FALSE(findings()[0].is_good);
  EXPECT_THAT(told(findings()[0]), HasSubstr("so many clients' certificates wait"));
}

TEST_F(Notaries, what_was_given_up_is_not_asked) {
  ask(authorities_.inquiry("http://given-up.test/", 1h), true);
  ask("http://middle.test/", 1h);
  ASSERT_TRUE(wait_found(1));
  notaries_.stop();
  EXPECT_EQ(authorities_.asked("http://given-up.test/"), 0U);
  EXPECT_EQ(findings().size(), 1U);
}

TEST_F(Notaries, the_end_waits_for_nobody_and_leaves_nothing_behind) {
  std::vector<std::weak_ptr<const tls::Inquiry>> all;
  for (std::size_t i = 0; i < share + 10; ++i) {
    auto inquiry = authorities_.inquiry("http://dead.test/", 1h);
    all.push_back(inquiry);
    ask(std::move(inquiry));
  }
  ASSERT_TRUE(authorities_.wait_asked("http://dead.test/", share));
  notaries_.stop();
  EXPECT_TRUE(findings().empty());
  for (const auto& each : all) EXPECT_TRUE(each.expired());
  ask("http://middle.test/", 1h);
  EXPECT_TRUE(findings().empty());
}

TEST(ResponderOf, what_hangs_together_has_one_name) {
  const auto name = [](std::string_view url, Duration patience = 1s, std::string_view proxy = "") {
    return responder_of(
        {.url = url, .proxy_url = proxy, .request = "whatever", .patience = patience});
  };
  const std::string one = name("http://a.test/ocsp");
  EXPECT_EQ(name("http://a.test"), one);
  EXPECT_EQ(name("HTTP://A.Test:80/other?b"), one);
  EXPECT_EQ(name("http://me:secret@a.test#c"), one);
  EXPECT_NE(name("http://a.test:8080/ocsp"), one);
  EXPECT_NE(name("http://b.test/ocsp"), one);
  EXPECT_NE(name("http://a.test/ocsp", 2s), one);
  EXPECT_NE(name("http://a.test/ocsp", 1s, "http://proxy.test/"), one);
}

}  // namespace
}  // namespace steelyard::server
