#include "manage/live.hpp"

#include <map>

#include "balance/edits.hpp"

namespace steelyard::manage {

namespace {

// Its client left, or was gone before it began to listen: then nobody else holds the feed.
bool is_gone(const std::shared_ptr<proxy::Feed>& feed) {
  return !feed->is_heard() || feed.use_count() == 1;
}

}  // namespace

std::shared_ptr<proxy::Feed> Live::listen(std::shared_ptr<const proxy::Generation> generation,
                                          std::uint32_t server) {
  std::erase_if(listeners_, [](const Listener& each) { return is_gone(each.feed); });
  if (listeners_.size() >= listeners_max) return nullptr;
  auto feed = std::make_shared<proxy::Feed>();
  feed->say(event_for(*generation, server));
  if (listeners_.empty()) arm(loop_.timers(), loop_.now() + interval);
  listeners_.push_back({std::move(generation), server, feed});
  return feed;
}

void Live::end_all() {
  for (const Listener& listener : listeners_) listener.feed->end();
  listeners_.clear();
  sessions_.clear();
}

void Live::expired() {
  tell_all();
  if (!listeners_.empty()) arm(loop_.timers(), loop_.now() + interval);
}

void Live::tell_all() {
  std::map<std::pair<const proxy::Generation*, std::uint32_t>, std::string> events;
  std::erase_if(listeners_, [&](const Listener& listener) {
    if (is_gone(listener.feed)) return true;
    std::string& event = events[{listener.generation.get(), listener.server}];
    if (event.empty()) event = event_for(*listener.generation, listener.server);
    return !listener.feed->say(event);
  });
}

const ApiJson& Live::sessions(const NamedBalancer& balancer, const balance::MemberView& view,
                              const Moment& moment) {
  if (moment.now >= counted_ + counting_interval) {
    sessions_.clear();
    counted_ = moment.now;
  }
  const auto known = sessions_.find(view.member.get());
  if (known != sessions_.end()) return known->second;
  return sessions_[view.member.get()] = sessions_of(balancer, view, moment);
}

std::string Live::event_for(const proxy::Generation& generation, std::uint32_t server) {
  const Moment moment{.now = loop_.now(), .wall = loop_.wall_now()};
  ApiJson members = ApiJson::array();
  for (const NamedBalancer& balancer : name_balancers(generation, server)) {
    const balance::Overlay overlay = balance::Edits(*balancer.state).overlay();
    for (const balance::MemberView& view : balancer.state->members())
      members.push_back(
          member_object(balancer, view, overlay, moment, &sessions(balancer, view, moment)));
  }
  const ApiJson object{{"at", moment.text_of(moment.now)}, {"members", std::move(members)}};
  return "event: members\ndata: " + object.dump(-1, ' ', false, ApiJson::error_handler_t::replace) +
         "\n\n";
}

}  // namespace steelyard::manage
