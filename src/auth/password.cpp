#include "auth/password.hpp"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/base64.hpp"
#include "base/check.hpp"

namespace steelyard::auth {

namespace {

constexpr std::string_view apr1 = "$apr1$", sha = "{SHA}";
constexpr std::size_t apr1_salt_bytes_max = 8;
constexpr int apr1_rounds = 1000;

bool is_same(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

struct Free {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// MD5 over several pieces, again and again.
class Md5 {
 public:
  static constexpr std::size_t bytes = 16;
  using Sum = std::array<std::uint8_t, bytes>;

  Md5() : context_(EVP_MD_CTX_new()) { start(); }
  Md5& add(std::string_view text) {
    CHECK(EVP_DigestUpdate(context_.get(), text.data(), text.size()) == 1);
    return *this;
  }
  Md5& add(std::span<const std::uint8_t> some) {
    CHECK(EVP_DigestUpdate(context_.get(), some.data(), some.size()) == 1);
    return *this;
  }
  // The sum of what was added; the next one begins.
  Sum sum() {
    Sum sum{};
    CHECK(EVP_DigestFinal_ex(context_.get(), sum.data(), nullptr) == 1);
    start();
    return sum;
  }

 private:
  void start() { CHECK(EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1); }

  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

// The lowest digit first, unlike base64.
void put_digits(std::uint32_t value, int count, std::string& text) {
  static constexpr std::string_view digits =
      "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (; count > 0; --count, value >>= 6) text += digits[value & 63];
}

std::string apr1_text(std::string_view salt, const Md5::Sum& sum) {
  std::string text(apr1);
  text.append(salt).append("$");
  static constexpr std::array<std::array<std::uint8_t, 3>, 5> order{
      {{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}}};
  for (const auto& [high, middle, low] : order) {
    const std::uint32_t bits =
        std::uint32_t{sum[high]} << 16 | std::uint32_t{sum[middle]} << 8 | std::uint32_t{sum[low]};
    put_digits(bits, 4, text);
  }
  put_digits(sum[11], 2, text);
  return text;
}

// A library that is held to certified algorithms has none.
bool has_md5() {
  static const bool is_there = [] {
    const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
    return EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr) == 1;
  }();
  return is_there;
}

// The MD5 scheme of FreeBSD's crypt under a name of Apache's.
std::string apr1_of(std::string_view password, std::string_view kept) {
  if (!has_md5()) return {};
  std::string_view salt = kept.substr(apr1.size());
  salt = salt.substr(0, std::min({salt.size(), salt.find('$'), apr1_salt_bytes_max}));
  Md5 md5;
  Md5::Sum sum = md5.add(password).add(salt).add(password).sum();
  md5.add(password).add(apr1).add(salt);
  for (std::size_t left = password.size(); left > 0; left -= std::min(left, Md5::bytes))
    md5.add(std::span(sum).first(std::min(left, Md5::bytes)));
  for (std::size_t bits = password.size(); bits != 0; bits >>= 1)
    md5.add((bits & 1) != 0 ? std::string_view("\0", 1) : password.substr(0, 1));
  sum = md5.sum();
  for (int round = 0; round < apr1_rounds; ++round) {
    const bool is_odd = round % 2 != 0;
    is_odd ? md5.add(password) : md5.add(sum);
    if (round % 3 != 0) md5.add(salt);
    if (round % 7 != 0) md5.add(password);
    is_odd ? md5.add(sum) : md5.add(password);
    sum = md5.sum();
  }
  return apr1_text(salt, sum);
}

std::string sha_of(std::string_view password) {
  std::array<char, 20> sum{};
  CHECK(EVP_Digest(password.data(), password.size(), reinterpret_cast<unsigned char*>(sum.data()),
                   nullptr, EVP_sha1(), nullptr) == 1);
  return std::string(sha) + base64({sum.data(), sum.size()});
}

// What crypt(3) makes of it; empty when it knows no such form or the password is too long for it.
std::string crypt_of(std::string_view password, std::string_view kept) {
  const auto room = std::make_unique<crypt_data>();
  const std::string secret(password), setting(kept);
  const char* const made = crypt_r(secret.c_str(), setting.c_str(), room.get());
  std::string text = made == nullptr || made[0] == '*' ? std::string() : std::string(made);
  OPENSSL_cleanse(room.get(), sizeof *room);
  return text;
}

}  // namespace

bool fits(std::string_view password, std::string_view kept) {
  if (kept.starts_with(apr1)) return is_same(apr1_of(password, kept), kept);
  if (kept.starts_with(sha)) return is_same(sha_of(password), kept);
  const std::string made = crypt_of(password, kept);
  return !made.empty() && is_same(made, kept);
}

}  // namespace steelyard::auth
