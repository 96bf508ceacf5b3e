#include "tls/inquiry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tls/testing.hpp"

namespace steelyard::tls {
namespace {

using namespace std::chrono_literals;
using config::TlsOcsp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

WallTime now() { return std::chrono::system_clock::now(); }

void add(X509* certificate, int extension, const std::string& value) {
  X509_EXTENSION* const made = X509V3_EXT_conf_nid(nullptr, nullptr, extension, value.c_str());
  CHECK(made != nullptr);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

enum class Kind : std::uint8_t { authority, client };

testing::KeyPair make_root() {
  testing::KeyPair pair = testing::make_key_pair("root");
  add(pair.certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  CHECK(X509_sign(pair.certificate.get(), pair.key.get(), EVP_sha256()) != 0);
  return pair;
}

// An empty URL names nobody.
testing::KeyPair issue(const std::string& name, Kind kind, const testing::KeyPair& issuer,
                       const std::string& url) {
  testing::KeyPair pair = testing::make_key_pair(name);
  X509* const certificate = pair.certificate.get();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), kind == Kind::authority ? 8 : 9);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer.certificate.get()));
  if (kind == Kind::authority) add(certificate, NID_basic_constraints, "critical,CA:TRUE");
  if (!url.empty()) add(certificate, NID_info_access, "OCSP;URI:" + url);
  CHECK(X509_sign(certificate, issuer.key.get(), EVP_sha256()) != 0);
  return pair;
}

// How an authority answers.
struct Manner {
  int status = V_OCSP_CERTSTATUS_GOOD;
  std::chrono::seconds since = -1h;
  std::optional<std::chrono::seconds> until = 1h;
  const testing::KeyPair* signer = nullptr;
  enum class Nonce : std::uint8_t { same, none, other } nonce = Nonce::same;
  bool is_about_another = false;
};

std::string answer(std::string_view asked, const testing::KeyPair& signer, const Manner& manner) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(asked.data());
  const OcspRequestHandle request(
      d2i_OCSP_REQUEST(nullptr, &bytes, static_cast<long>(asked.size())));
  CHECK(request);
  const auto time = [](std::chrono::seconds offset) {
    return std::unique_ptr<ASN1_GENERALIZEDTIME, Release<ASN1_GENERALIZEDTIME_free>>(
        ASN1_GENERALIZEDTIME_adj(nullptr, ::time(nullptr), 0, offset.count()));
  };
  const auto begin = time(manner.since), end = time(manner.until.value_or(0s)), revoked = time(-1h);
  const OcspBasicHandle basic(OCSP_BASICRESP_new());
  OCSP_CERTID* id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(request.get(), 0));
  const testing::KeyPair other = issue("other", Kind::authority, signer, "");
  const OcspIdHandle another = ocsp_id_of(other.certificate.get(), signer.certificate.get());
  if (manner.is_about_another) id = another.get();
  const bool is_revoked = manner.status == V_OCSP_CERTSTATUS_REVOKED;
  CHECK(OCSP_basic_add1_status(basic.get(), id, manner.status, OCSP_REVOKED_STATUS_NOSTATUS,
                               is_revoked ? revoked.get() : nullptr, begin.get(),
                               manner.until ? end.get() : nullptr) != nullptr);
  if (manner.nonce == Manner::Nonce::same) OCSP_copy_nonce(basic.get(), request.get());
  if (manner.nonce == Manner::Nonce::other) OCSP_basic_add1_nonce(basic.get(), nullptr, -1);
  CHECK(OCSP_basic_sign(basic.get(), signer.certificate.get(), signer.key.get(), EVP_sha256(),
                        nullptr, 0) == 1);
  const OcspResponseHandle response(
      OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic.get()));
  unsigned char* out = nullptr;
  const int count = i2d_OCSP_RESPONSE(response.get(), &out);
  std::string text(reinterpret_cast<const char*>(out), static_cast<std::size_t>(count));
  OPENSSL_free(out);
  return text;
}

class ClientInquiry : public ::testing::Test {
 protected:
  ClientInquiry()
      : root_(make_root()),
        middle_(issue("middle", Kind::authority, root_, "http://root.test/")),
        own_(issue("client", Kind::client, middle_, "http://middle.test/")) {
    settings_.about = TlsOcsp::About::chain;
  }

  std::shared_ptr<InquiryRules> rules() {
    StoreHandle store(X509_STORE_new());
    CHECK(X509_STORE_add_cert(store.get(), root_.certificate.get()) == 1);
    return std::make_shared<InquiryRules>(settings_, std::move(responders_), std::move(store));
  }
  Inquiry inquiry() { return inquiry_by(rules()); }
  Inquiry inquiry_by(std::shared_ptr<InquiryRules> rules) {
    std::vector<CertificateHandle> chain;
    for (const testing::KeyPair* each : {&own_, &middle_, &root_})
      chain.push_back(share(each->certificate.get()));
    return {std::move(rules), std::move(chain)};
  }
  // Each authority signs for what it issued, in the manner that `manners_` has for its URL.
  Inquiry::Fetch fetch() {
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
  const InquiryFinding finding = inquiry().pursue(fetch());
  EXPECT_TRUE(finding.is_good) << told(finding);
  EXPECT_THAT(asked_, ElementsAre("http://root.test/", "http://middle.test/"));
  EXPECT_THAT(told(finding), HasSubstr("AH03239: OCSP validation completed, certificate status: "
                                       "good (0, -1) [subject: CN=client / issuer: CN=middle / "
                                       "serial: 09]"));
}

TEST_F(ClientInquiry, the_first_that_is_not_good_ends_it) {
  manners_["http://root.test/"].status = V_OCSP_CERTSTATUS_REVOKED;
  const InquiryFinding finding = inquiry().pursue(fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(asked_, ElementsAre("http://root.test/"));
  EXPECT_THAT(told(finding), HasSubstr("Error (23): certificate revoked [subject: CN=middle"));
}

TEST_F(ClientInquiry, of_the_leaf_alone_nobody_above_is_asked) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://root.test/"].status = V_OCSP_CERTSTATUS_REVOKED;
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
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
    const Inquiry asking = inquiry();
    const InquiryFinding finding = asking.pursue(fetch());
    EXPECT_FALSE(finding.is_good) << why;
    EXPECT_THAT(told(finding), HasSubstr(why));
    EXPECT_THAT(told(finding), HasSubstr("AH02276"));
    EXPECT_FALSE(asking.known(now()));
  }
}

TEST_F(ClientInquiry, what_is_no_answer_lets_nobody_in) {
  settings_.about = TlsOcsp::About::leaf;
  const auto says = [](std::expected<std::string, std::string> what) {
    return [what = std::move(what)](const OcspErrand&) { return what; };
  };
  EXPECT_THAT(told(inquiry().pursue(says(std::unexpected("it is down")))),
              HasSubstr("'http://middle.test/' gave no answer: it is down"));
  for (const auto& [text, why] : {std::pair<std::string, std::string>{"<html>", "no OCSP answer"},
                                  {"", "no OCSP answer"},
                                  {std::string("\x30\x03\x0a\x01\x03", 5), "trylater"}}) {
    const InquiryFinding finding = inquiry().pursue(says(text));
    EXPECT_FALSE(finding.is_good);
    EXPECT_THAT(told(finding), HasSubstr(why));
  }
  // Cut short anywhere.
  std::string whole;
  const auto asking = inquiry();
  EXPECT_TRUE(asking
                  .pursue([&](const OcspErrand& errand) {
                    whole = answer(errand.request, middle_, {});
                    return std::expected<std::string, std::string>(whole);
                  })
                  .is_good);
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_FALSE(inquiry().pursue(says(whole.substr(0, i))).is_good) << i;
  // An old answer does not repeat the number of a new question.
  EXPECT_THAT(told(inquiry().pursue(says(whole))), HasSubstr("AH01924"));
}

TEST_F(ClientInquiry, clocks_may_differ_by_the_skew) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://middle.test/"] = {.since = -1h, .until = -10min};
  EXPECT_FALSE(inquiry().pursue(fetch()).is_good);
  settings_.skew = 11min;
  const Inquiry asking = inquiry();
  EXPECT_TRUE(asking.pursue(fetch()).is_good);
  EXPECT_FALSE(asking.known(now()));  // it is over, after all
}

TEST_F(ClientInquiry, without_a_nonce_an_answer_may_lack_it) {
  settings_.sends_nonce = false;
  for (auto* const url : {"http://root.test/", "http://middle.test/"})
    manners_[url].nonce = Manner::Nonce::none;
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
}

TEST_F(ClientInquiry, those_of_a_file_may_sign) {
  settings_.about = TlsOcsp::About::leaf;
  const testing::KeyPair stranger = testing::make_key_pair("stranger");
  manners_["http://middle.test/"].signer = &stranger;
  EXPECT_FALSE(inquiry().pursue(fetch()).is_good);
  responders_.push_back(share(stranger.certificate.get()));
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
}

TEST_F(ClientInquiry, anybody_may_sign_when_nobody_looks) {
  settings_.about = TlsOcsp::About::leaf;
  settings_.trusts_anybody = true;
  const testing::KeyPair stranger = testing::make_key_pair("stranger");
  manners_["http://middle.test/"].signer = &stranger;
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
}

TEST_F(ClientInquiry, the_certificate_says_who_is_asked_else_the_configuration) {
  settings_.about = TlsOcsp::About::leaf;
  settings_.default_url = "http://default.test/";
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
  settings_.overrides = true;
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
  EXPECT_THAT(asked_, ElementsAre("http://middle.test/", "http://default.test/"));
  settings_.overrides = false;
  own_ = issue("client", Kind::client, middle_, "");
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
  EXPECT_EQ(asked_.back(), "http://default.test/");
}

TEST_F(ClientInquiry, whoever_can_be_asked_by_nobody_is_refused_unless_that_is_allowed) {
  settings_.about = TlsOcsp::About::leaf;
  own_ = issue("client", Kind::client, middle_, "");
  EXPECT_THAT(told(inquiry().pursue(fetch())), HasSubstr("AH01918"));
  EXPECT_FALSE(inquiry().pursue(fetch()).is_good);
  settings_.needs_no_responder = true;
  EXPECT_TRUE(inquiry().pursue(fetch()).is_good);
  // One that is named in a way that nobody can ask it is not nobody.
  own_ = issue("client", Kind::client, middle_, "https://middle.test/");
  const InquiryFinding finding = inquiry().pursue(fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(told(finding), HasSubstr("AH01920: cannot handle OCSP responder URI"));
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(ClientInquiry, what_was_good_a_moment_ago_is_not_asked_about_again) {
  const auto rules = this->rules();
  EXPECT_FALSE(inquiry_by(rules).known(now()));
  EXPECT_TRUE(inquiry_by(rules).pursue(fetch()).is_good);
  ASSERT_TRUE(inquiry_by(rules).known(now()));
  EXPECT_TRUE(inquiry_by(rules).known(now())->is_good);
  EXPECT_TRUE(inquiry_by(rules).pursue(fetch()).is_good);
  EXPECT_EQ(asked_.size(), 2U);
  EXPECT_FALSE(inquiry_by(rules).known(now() + KnownGood::time_max + 1s));
  EXPECT_FALSE(inquiry_by(rules).known(now() - 1h));  // the clock was put back
  EXPECT_FALSE(inquiry().known(now()));               // of other rules
}

TEST_F(ClientInquiry, no_answer_is_believed_for_longer_than_it_says) {
  settings_.about = TlsOcsp::About::leaf;
  manners_["http://middle.test/"].until = 10s;
  const Inquiry asking = inquiry();
  EXPECT_TRUE(asking.pursue(fetch()).is_good);
  EXPECT_TRUE(asking.known(now()));
  EXPECT_FALSE(asking.known(now() + 11s));
  manners_["http://middle.test/"] = {.since = -100s};
  settings_.age_max = 110s;
  const Inquiry by_age = inquiry();
  EXPECT_TRUE(by_age.pursue(fetch()).is_good);
  EXPECT_TRUE(by_age.known(now()));
  EXPECT_FALSE(by_age.known(now() + 11s));
}

TEST_F(ClientInquiry, whom_the_library_did_not_verify_nobody_vouches_for) {
  const Inquiry asking(rules(), {});
  EXPECT_FALSE(asking.known(now()));
  const InquiryFinding finding = asking.pursue(fetch());
  EXPECT_FALSE(finding.is_good);
  EXPECT_THAT(told(finding), HasSubstr("AH02038"));
}

TEST_F(ClientInquiry, what_vouches_for_itself_is_asked_of_nobody) {
  std::vector<CertificateHandle> chain;
  chain.push_back(share(root_.certificate.get()));
  const Inquiry asking(rules(), std::move(chain));
  ASSERT_TRUE(asking.known(now()));
  EXPECT_TRUE(asking.known(now())->is_good);
}

TEST_F(ClientInquiry, it_may_take_as_long_as_all_who_are_asked_together) {
  settings_.patience = 7s;
  EXPECT_GE(inquiry().patience(), 14s);
  settings_.about = TlsOcsp::About::leaf;
  EXPECT_EQ(inquiry().patience(), 7s);
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
