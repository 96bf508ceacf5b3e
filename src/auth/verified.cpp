#include "auth/verified.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <string>

#include "base/check.hpp"

namespace steelyard::auth {

Verified::Verified() { CHECK(RAND_bytes(key_.data(), static_cast<int>(key_.size())) == 1); }

std::size_t Verified::Hash::operator()(const Mark& mark) const {
  std::size_t value = 0;
  std::memcpy(&value, mark.data(), sizeof value);
  return value;
}

// Lengths stand in front, so that no two triples read the same.
Verified::Mark Verified::mark_of(std::string_view user, std::string_view password,
                                 std::string_view kept) const {
  std::string text;
  text.reserve(64 + user.size() + password.size() + kept.size());
  for (const std::string_view part : {user, password, kept})
    text.append(std::to_string(part.size())).append(":").append(part);
  Mark mark{};
  CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             reinterpret_cast<const unsigned char*>(text.data()), text.size(), mark.data(),
             nullptr) != nullptr);
  return mark;
}

bool Verified::has(std::string_view user, std::string_view password, std::string_view kept) const {
  const Mark mark = mark_of(user, password, kept);
  const std::lock_guard hold(lock_);
  return marks_.contains(mark);
}

void Verified::add(std::string_view user, std::string_view password, std::string_view kept) {
  const Mark mark = mark_of(user, password, kept);
  const std::lock_guard hold(lock_);
  if (!marks_.insert(mark).second) return;
  ages_.push_back(mark);
  if (ages_.size() <= entries_max) return;
  marks_.erase(ages_.front());
  ages_.pop_front();
}

}  // namespace steelyard::auth
