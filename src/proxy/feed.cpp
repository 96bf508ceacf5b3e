#include "proxy/feed.hpp"

namespace steelyard::proxy {

bool Feed::say(std::string_view text) {
  const std::lock_guard guard(lock_);
  if (closed_ || ended_) return false;
  if (!text_.empty() && text_.size() + text.size() > waiting_bytes_max) {
    ended_ = true;
  } else {
    text_ += text;
  }
  if (on_text_) on_text_();
  return !ended_;
}

void Feed::end() {
  const std::lock_guard guard(lock_);
  ended_ = true;
  if (on_text_) on_text_();
}

bool Feed::is_heard() const {
  const std::lock_guard guard(lock_);
  return !closed_ && !ended_;
}

void Feed::listen(std::function<void()> on_text) {
  const std::lock_guard guard(lock_);
  on_text_ = std::move(on_text);
  on_text_();
}

Feed::Taken Feed::take() {
  const std::lock_guard guard(lock_);
  return {.text = std::exchange(text_, {}), .ended = ended_};
}

void Feed::close() {
  const std::lock_guard guard(lock_);
  closed_ = true;
  on_text_ = nullptr;
  text_.clear();
}

}  // namespace steelyard::proxy
