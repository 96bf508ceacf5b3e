#include "auth/password.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace steelyard::auth {
namespace {

struct Kept {
  std::string_view password;
  std::array<std::string_view, 6> forms;  // as htpasswd -m -s -B -d -2 -5 wrote them
};

constexpr auto kept = std::to_array<Kept>({
    {"",
     {"$apr1$FCaDDvKw$wA7pTCEMZYNKIj1copyPv0", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
      "$2y$04$Hap97y9gok.6EkJNzNa1a.8Hr7ijZmzfNdLtZnsJLx4lepEGvKdlC", "s5x4TOLleZW4s",
      "$5$rounds=1000$UnjgQ7yxOhZkUVwk$9FeHGQvUN9w9I5msdlwKMWpO/p5853mmVTaqKEJPkl0",
      "$6$rounds=1000$HMkqI5H2.Mm6vAHX$C7HdilYnUppabBA60y3Gst5zESxtoNKXPC2xmitR8i7SUO5w0rnNdOZ/"
      "lPUuebzeBHdeOL6v57OW8cSrR9ole1"}},
    {"a",
     {"$apr1$dqkNo7vj$T5K3xcNGcJzEmMRUH.K9T1", "{SHA}hvfkN/qlp/zhXR3cuerq6jd2Z7g=",
      "$2y$04$AjrcFEx70Zh8S.mZY9SDRenzZpXq82juWDGp.y1t5Qc9fiNlHX/CS", "Iw/S1KmkVkq2o",
      "$5$rounds=1000$iHETQDjixBoCRmzA$Kye22lB6cDW5iN1u7qf/Iqom.aa4nLTJD76kYahk8pA",
      "$6$rounds=1000$R88EiE3MikfaLYRy$1MnEx.tJRrgcrglkO4KESqxAvbcluYqUNf7QY6wL81yy8srhfxenuiX8os"
      "SMl2F4nNZ306W0ngPHfjqBveYkr/"}},
    {"ab",
     {"$apr1$uX6CPoc2$RjmtSTmPYszT2NvM9tCO5/", "{SHA}2iNhTgJGmg18e9G9q1ycR0sZBNw=",
      "$2y$04$3k9jbD9VMpwJXlMa1Vlq7.YrVF854FVqGGW8MupM3iPoDlMoY3Zd.", "AELT74Qrwr3l.",
      "$5$rounds=1000$lDyWPog/qWNLRcg2$.ioooIiTYBB3nz0l8FwSfg.bTs2ZlmKuahlVVhrVaZ.",
      "$6$rounds=1000$zWZT7JBP8BmfADLJ$ffiDKwfp.ZE/DgYPOm30KATjJLbSqAKxTIWaGHD9u6Z0ODwj1oOH3vaLf/"
      "BsN7SMqTQtZYAmNP1HR3vB5UVPd."}},
    {"longer-than-sixteen-bytes-password",
     {"$apr1$eQ3do.g9$zUZNDtz16nQv65/JKFEan0", "{SHA}8pTy+OSNRaLQ68ZGjuyCPpexl14=",
      "$2y$04$JZCae7oL6N8vA2mUs9LOG.90n8y/YA.fyplLjd1fI106I6X7owEFW", "EFJHF3fuaOIBk",
      "$5$rounds=1000$C5xRHhS4CD/E6Xum$HWMOwEAuJkymvTp8N55jR/hfqnsO5YWBlv3nXg3Z3/A",
      "$6$rounds=1000$nqvFu.68iWiCeKkn$mN1rZOd7pLv82g6OxWKevN6d5pyYnwLFpXz6S9qIENyE2x0p22DB2RtDqO"
      "erpni66Mql1kAbVCbrKYTPH81UM0"}},
    {"p\xc3\xa4 ss",
     {"$apr1$KgRB1q.H$eNavI9TY/w5GyijZJKx6Y.", "{SHA}lI0OH0WdoE/oe0HAdiHwtq5j1Ro=",
      "$2y$04$6yMmVPpgWo848ZFzzqwPVOrDk/nS.0DIHzAzzDe6y.XMyfLQ27u4G", "FCX6lFdM3TAro",
      "$5$rounds=1000$Q5PWazAc/JhaOOiY$PGivlpPTQf3WYBmQwdcJan0efGY.GRWiR4X/qvsRBID",
      "$6$rounds=1000$1kf7IzyMzLGpiwjM$mFDEGhxGTbfuP6vgG/1FvcNnfWX/tccx2.vj74tSpFL0GFPMG7NWd.TBROs"
      "Eksppb5UaHc6IFft7kGov8hJDW0"}},
});

TEST(Passwords, fit_what_htpasswd_wrote) {
  for (const Kept& one : kept) {
    for (const std::string_view form : one.forms) EXPECT_TRUE(fits(one.password, form)) << form;
  }
}

TEST(Passwords, of_another_text_do_not_fit) {
  for (const Kept& one : kept) {
    for (const std::string_view form : one.forms) {
      EXPECT_FALSE(fits("b" + std::string(one.password), form)) << form;
      EXPECT_FALSE(fits(one.password, form.substr(0, form.size() - 1))) << form;
      EXPECT_FALSE(fits(one.password, std::string(form) + "x")) << form;
    }
  }
}

TEST(Passwords, of_the_old_crypt_are_eight_bytes_long) {
  EXPECT_TRUE(fits("longer-t", "EFJHF3fuaOIBk"));  // as everywhere
}

TEST(Passwords, never_fit_what_is_no_form) {
  for (const std::string_view text :
       {"", "*", "*0", "*1", "!", "x", "plain", "$apr1$", "$apr1$a", "{SHA}", "$2y$",
        "$2y$99$aaaaaaaaaaaaaaaaaaaaaa", "$9$a$b", "{SSHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk="}) {
    EXPECT_FALSE(fits("plain", text)) << text;
    EXPECT_FALSE(fits(text, text)) << text;
    EXPECT_FALSE(fits("", text)) << text;
  }
}

TEST(Passwords, too_long_for_crypt_fit_nothing) {
  EXPECT_FALSE(fits(std::string(4096, 'a'),
                    "$5$rounds=1000$iHETQDjixBoCRmzA$Kye22lB6cDW5iN1u7qf/Iqom.aa4nLTJD76kYahk8pA"));
}

}  // namespace
}  // namespace steelyard::auth
