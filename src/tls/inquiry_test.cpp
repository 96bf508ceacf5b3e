#include "tls/inquiry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tls/ocsp_testing.hpp"
#include "tls/pursuit.hpp"

namespace steelyard::tls {
namespace {

using namespace std::chrono_literals;
using config::TlsOcsp;
using testing::answer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::issue;
using testing::Kind;
using testing::Manner;

WallTime now() { return std::chrono::system_clock::now(); }

using Shared = std::shared_ptr<const Inquiry>;
using Fetch = std::function<Pursuit::Answer(const OcspErrand&)>;

InquiryFinding pursue(const Shared& inquiry, const Fetch& fetch) {
  Pursuit pursuit(inquiry);
  while (const OcspErrand* const errand = pursuit.errand()) pursuit.hear(fetch(*errand));
  return std::move(pursuit.finding());
}

class ClientInquiry : public ::testing::Test {
 protected:
  ClientInquiry()
      : root_(testing::make_root()),
        middle_(issue("middle", Kind::authority, root_, "http://root.test/")),
        own_(issue("client", Kind::client, middle_, "http://middle.test/")) {
    settings_.about = TlsOcsp::About::chain;
  }

  std::shared_ptr<InquiryRules> rules() {
    StoreHandle store(X509_STORE_new());
    CHECK(X509_STORE_add_cert(store.get(), root_.certificate.get()) == 1);
    return std::make_shared<InquiryRules>(settings_, std::exchange(responders_, {}),
                                          std::move(store));
  }
  Shared inquiry() { return inquiry_by(rules()); }
  Shared inquiry_by(std::shared_ptr<InquiryRules> rules) {
    std::vector<CertificateHandle> chain;
    for (const testing::KeyPair* each : {&own_, &middle_, &root_})
      chain.push_back(share(each->certificate.get()));
    return std::make_shared<Inquiry>(std::move(rules), std::move(chain));
  }
  // Each authority signs for what it issued, in the manner that `manners_` has for its URL.
  Fetch fetch() {
    return [this](const OcspErrand& errand) -> std::expected<std::string, std::string> {
      asked_.emplace_back(errand.url);
      const Manner manner = manners_[asked_.back()];
      const testing::KeyPair& issuer = errand.url == "http://root.test/" ? root_ : middle_;
      return answer(errand.request, manner.signer != nullptr ? *manner.signer : issuer, manner);
    };
  }
  static std::string told(const InquiryFinding& finding) {
    std::string text;
    for (const auto& remark : finding.remarks) text += remark.text + '\n';
    return text;
  }

  testing::KeyPair root_, middle_, own_;
  TlsOcsp settings_;
  std::vector<CertificateHandle> responders_;
  std::map<std::string, Manner> manners_;
  std::vector<std::string> asked_;
};

TEST_F(ClientInquiry, all_but_the_root_are_asked_about_from_its_side) {
  const InquiryFinding finding = pursue(inquiry(), fetch());
  EXPECT_TRUE(finding.is_good) << told(finding);
  EXPECT_THAT(asked_, ElementsAre("http://root.test/", "http://middle.test/"));
  EXPECT_THAT(told(finding), HasSubstr("AH03239: OCSP validation completed, certificate status: "
                                       "good (0, -1) [subject: CN=client / issuer: CN=middle / "
                                       "serial: 09]"));
}

TEST_F(ClientInquiry, the_first_that_is_not_good_ends_it) {
  manners_["http://root.test/"].status = V_OCSP_CERTSTATUS_REVOKED;
  const InquiryFinding finding = pursue(inquiry(), fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(asked_, ElementsAre("http://root.test/"));
  EXPECT_THAT(told(finding), HasSubstr("Error (23): certificate revoked [subject: CN=middle"));
}

TEST_F(ClientInquiry, of_the_leaf_alone_nobody_above_is_asked) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://root.test/"].status = V_OCSP_CERTSTATUS_REVOKED;
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
  EXPECT_THAT(asked_, ElementsAre("http://middle.test/"));
}

TEST_F(ClientInquiry, only_a_good_answer_lets_anybody_in) {
  settings_.about = TlsOcsp::About::leaf;
  settings_.age_max = 2h;
  const testing::KeyPair stranger = testing::make_key_pair("stranger");
  struct Case {
    Manner manner;
    std::string why;
  };
  for (const auto& [manner, why] : {
           Case{{.status = V_OCSP_CERTSTATUS_REVOKED}, "status: revoked"},
           Case{{.status = V_OCSP_CERTSTATUS_UNKNOWN}, "status: unknown"},
           Case{{.since = -1h, .until = -10min}, "AH02273"},
           Case{{.since = 10min}, "AH02273"},
           Case{{.since = -3h}, "AH02273"},  // older than age_max
           Case{{.signer = &stranger}, "AH01925"},
           Case{{.signer = &own_}, "AH01925"},  // the client's own word
           Case{{.nonce = Manner::Nonce::none}, "AH01924"},
           Case{{.nonce = Manner::Nonce::other}, "AH01924"},
           Case{{.is_about_another = true}, "AH02272"},
       }) {
    manners_["http://middle.test/"] = manner;
    const Shared asking = inquiry();
    const InquiryFinding finding = pursue(asking, fetch());
    EXPECT_FALSE(finding.is_good) << why;
    EXPECT_THAT(told(finding), HasSubstr(why));
    EXPECT_THAT(told(finding), HasSubstr("AH02276"));
    EXPECT_FALSE(asking->known(now()));
  }
}

TEST_F(ClientInquiry, what_is_no_answer_lets_nobody_in) {
  settings_.about = TlsOcsp::About::leaf;
  const auto says = [](std::expected<std::string, std::string> what) {
    return [what = std::move(what)](const OcspErrand&) { return what; };
  };
  EXPECT_THAT(told(pursue(inquiry(), says(std::unexpected("it is down")))),
              HasSubstr("'http://middle.test/' gave no answer: it is down"));
  for (const auto& [text, why] : {std::pair<std::string, std::string>{"<html>", "no OCSP answer"},
                                  {"", "no OCSP answer"},
                                  {std::string("\x30\x03\x0a\x01\x03", 5), "trylater"}}) {
    const InquiryFinding finding = pursue(inquiry(), says(text));
    EXPECT_FALSE(finding.is_good);
    EXPECT_THAT(told(finding), HasSubstr(why));
  }
  // Cut short anywhere.
  std::string whole;
  const auto asking = inquiry();
  EXPECT_TRUE(pursue(asking, [&](const OcspErrand& errand) {
                whole = answer(errand.request, middle_, {});
                return std::expected<std::string, std::string>(whole);
              }).is_good);
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_FALSE(pursue(inquiry(), says(whole.substr(0, i))).is_good) << i;
  // An old answer does not repeat the number of a new question.
  EXPECT_THAT(told(pursue(inquiry(), says(whole))), HasSubstr("AH01924"));
}

TEST_F(ClientInquiry, clocks_may_differ_by_the_skew) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://middle.test/"] = {.since = -1h, .until = -10min};
  EXPECT_FALSE(pursue(inquiry(), fetch()).is_good);
  settings_.skew = 11min;
  const Shared asking = inquiry();
  EXPECT_TRUE(pursue(asking, fetch()).is_good);
  EXPECT_FALSE(asking->known(now()));  // it is over, after all
}

TEST_F(ClientInquiry, without_a_nonce_an_answer_may_lack_it) {
  settings_.sends_nonce = false;
  for (auto* const url : {"http://root.test/", "http://middle.test/"})
    manners_[url].nonce = Manner::Nonce::none;
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
}

TEST_F(ClientInquiry, those_of_a_file_may_sign) {
  settings_.about = TlsOcsp::About::leaf;
  const testing::KeyPair stranger = testing::make_key_pair("stranger");
  manners_["http://middle.test/"].signer = &stranger;
  EXPECT_FALSE(pursue(inquiry(), fetch()).is_good);
  responders_.push_back(share(stranger.certificate.get()));
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
}

TEST_F(ClientInquiry, anybody_may_sign_when_nobody_looks) {
  settings_.about = TlsOcsp::About::leaf;
  settings_.trusts_anybody = true;
  const testing::KeyPair stranger = testing::make_key_pair("stranger");
  manners_["http://middle.test/"].signer = &stranger;
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
}

TEST_F(ClientInquiry, the_certificate_says_who_is_asked_else_the_configuration) {
  settings_.about = TlsOcsp::About::leaf;
  settings_.default_url = "http://default.test/";
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
  settings_.overrides = true;
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
  EXPECT_THAT(asked_, ElementsAre("http://middle.test/", "http://default.test/"));
  settings_.overrides = false;
  own_ = issue("client", Kind::client, middle_, "");
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
  EXPECT_EQ(asked_.back(), "http://default.test/");
}

TEST_F(ClientInquiry, whoever_can_be_asked_by_nobody_is_refused_unless_that_is_allowed) {
  settings_.about = TlsOcsp::About::leaf;
  own_ = issue("client", Kind::client, middle_, "");
  EXPECT_THAT(told(pursue(inquiry(), fetch())), HasSubstr("AH01918"));
  EXPECT_FALSE(pursue(inquiry(), fetch()).is_good);
  settings_.needs_no_responder = true;
  EXPECT_TRUE(pursue(inquiry(), fetch()).is_good);
  // One that is named in a way that nobody can ask it is not nobody.
  own_ = issue("client", Kind::client, middle_, "https://middle.test/");
  const InquiryFinding finding = pursue(inquiry(), fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(told(finding), HasSubstr("AH01920: cannot handle OCSP responder URI"));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ClientInquiry, what_was_good_a_moment_ago_is_not_asked_about_again) {
  const auto rules = this->rules();
  EXPECT_FALSE(inquiry_by(rules)->known(now()));
  EXPECT_TRUE(pursue(inquiry_by(rules), fetch()).is_good);
  ASSERT_TRUE(inquiry_by(rules)->known(now()));
  EXPECT_TRUE(inquiry_by(rules)->known(now())->is_good);
  EXPECT_TRUE(pursue(inquiry_by(rules), fetch()).is_good);
  EXPECT_EQ(asked_.size(), 2U);
  EXPECT_FALSE(inquiry_by(rules)->known(now() + KnownGood::time_max + 1s));
  EXPECT_FALSE(inquiry_by(rules)->known(now() - 1h));  // the clock was put back
  EXPECT_FALSE(inquiry()->known(now()));               // of other rules
}

TEST_F(ClientInquiry, what_another_found_out_meanwhile_is_not_asked_about_again) {
  const auto rules = this->rules();
  Pursuit first(inquiry_by(rules)), second(inquiry_by(rules));
  ASSERT_NE(second.errand(), nullptr);
  EXPECT_EQ(second.errand()->url, "http://root.test/");
  first.hear(fetch()(*first.errand()));
  EXPECT_EQ(second.errand()->url, "http://middle.test/");
  first.hear(fetch()(*first.errand()));
  EXPECT_EQ(second.errand(), nullptr);
  EXPECT_TRUE(second.finding().is_good);
  EXPECT_EQ(asked_.size(), 2U);
}

TEST_F(ClientInquiry, no_answer_is_believed_for_longer_than_it_says) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://middle.test/"].until = 10s;
  const Shared asking = inquiry();
  EXPECT_TRUE(pursue(asking, fetch()).is_good);
  EXPECT_TRUE(asking->known(now()));
  EXPECT_FALSE(asking->known(now() + 11s));
  manners_["http://middle.test/"] = {.since = -100s};
  settings_.age_max = 110s;
  const Shared by_age = inquiry();
  EXPECT_TRUE(pursue(by_age, fetch()).is_good);
  EXPECT_TRUE(by_age->known(now()));
  EXPECT_FALSE(by_age->known(now() + 11s));
}

TEST_F(ClientInquiry, whom_the_library_did_not_verify_nobody_vouches_for) {
  const auto asking = std::make_shared<Inquiry>(rules(), std::vector<CertificateHandle>());
  EXPECT_FALSE(asking->known(now()));
  const InquiryFinding finding = pursue(asking, fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(told(finding), HasSubstr("AH02038"));
}

TEST_F(ClientInquiry, what_vouches_for_itself_is_asked_of_nobody) {
  std::vector<CertificateHandle> chain;
  chain.push_back(share(root_.certificate.get()));
  const auto asking = std::make_shared<Inquiry>(rules(), std::move(chain));
  ASSERT_TRUE(asking->known(now()));
  EXPECT_TRUE(asking->known(now())->is_good);
}

TEST_F(ClientInquiry, it_may_take_as_long_as_all_who_are_asked_together) {
  settings_.patience = 7s;
  EXPECT_GE(inquiry()->patience(), 14s);
  settings_.about = TlsOcsp::About::leaf;
  EXPECT_EQ(inquiry()->patience(), 7s);
}

TEST(KnownGood, it_holds_a_bounded_number) {
  KnownGood known;
  const WallTime begin{};
  for (std::size_t i = 0; i < KnownGood::count_max; ++i)
    known.add("old" + std::to_string(i), begin + 1s, begin);
  known.add("one more", begin + 20s, begin);
  std::size_t held = 0;
  for (std::size_t i = 0; i < KnownGood::count_max; ++i)
    held += known.holds("old" + std::to_string(i), begin) ? 1 : 0;
  EXPECT_EQ(held, KnownGood::count_max - 1);
  EXPECT_TRUE(known.holds("one more", begin));
  // What is over goes first.
  known.add("later", begin + 20s, begin + 2s);
  EXPECT_TRUE(known.holds("one more", begin + 2s));
  EXPECT_TRUE(known.holds("later", begin + 2s));
}

}  // namespace
}  // namespace steelyard::tls
