#include "manage/live_feed.hpp"

#include <algorithm>

namespace steelyard::manage {

namespace {

std::string event_text(std::string_view name, const ApiJson& data) {
  return "event: " + std::string(name) +
         "\ndata: " + data.dump(-1, ' ', false, ApiJson::error_handler_t::replace) + "\n\n";
}

// Its client left, or was gone before it began to listen: then nobody else holds the feed.
bool is_gone(const std::shared_ptr<proxy::Feed>& feed) {
  return !feed->is_heard() || feed.use_count() == 1;
}

}  // namespace

std::optional<LiveFeed::Joined> LiveFeed::listen(const proxy::DeskQuestion& question,
                                                 const std::map<std::string, std::string>& nonces) {
  forget_the_gone();
  if (listener_count() >= listeners_max) return std::nullopt;
  if (channels_.empty()) arm(parts_.loop.timers(), parts_.loop.now() + interval);
  // A question that began under the configuration before may have opened it after the reload.
  const auto before = channels_.find(question.server);
  if (before != channels_.end() &&
      before->second.generation->number() < question.generation->number()) {
    for (const auto& feed : before->second.listeners) feed->end();
    channels_.erase(before);
  }
  const auto [found, is_new] = channels_.try_emplace(question.server);
  Channel& channel = found->second;
  if (is_new) {
    channel.generation = question.generation;
    parts_.chronicle.look();
    turn(question.server, channel);
  }
  // Others know the book as it is; turning it for this one would keep from them what changed.
  ApiJson all{
      {"at", milliseconds_of({parts_.loop.now(), parts_.loop.wall_now()}, parts_.loop.now())},
      {"server", question.public_name},
      {"banner", question.generation->banner()},
      {"generation", question.generation->number()},
      {"changes", parts_.last_change()},
      {"troubles", parts_.troubles()},
      {"nonces", nonces}};
  all.update(channel.book.all());
  auto feed = std::make_shared<proxy::Feed>();
  channel.listeners.push_back(feed);
  return Joined{.first = "retry: 1000\n" + event_text("all", all), .feed = std::move(feed)};
}

void LiveFeed::end_all() {
  for (const auto& [server, channel] : channels_) {
    for (const auto& feed : channel.listeners) feed->end();
  }
  channels_.clear();
  disarm();
}

std::size_t LiveFeed::listener_count() const {
  std::size_t count = 0;
  for (const auto& [server, channel] : channels_) count += channel.listeners.size();
  return count;
}

void LiveFeed::expired() {
  tell_now();
  if (!channels_.empty()) arm(parts_.loop.timers(), parts_.loop.now() + interval);
}

void LiveFeed::tell_now() {
  forget_the_gone();
  if (channels_.empty()) return;
  parts_.chronicle.look();
  for (auto& [server, channel] : channels_) {
    const std::string event = event_text("some", turn(server, channel));
    std::erase_if(channel.listeners, [&event](const auto& feed) { return !feed->say(event); });
  }
}

ApiJson LiveFeed::turn(std::uint32_t server, Channel& channel) {
  const Moment moment{.now = parts_.loop.now(), .wall = parts_.loop.wall_now()};
  ApiJson event{{"at", milliseconds_of(moment, moment.now)},
                {"changes", parts_.last_change()},
                {"troubles", parts_.troubles()}};
  event.update(channel.book.turn_to(
      live_rows(name_balancers(*channel.generation, server), parts_.chronicle, moment)));
  return event;
}

void LiveFeed::forget_the_gone() {
  for (auto& [server, channel] : channels_) std::erase_if(channel.listeners, is_gone);
  std::erase_if(channels_, [](const auto& each) { return each.second.listeners.empty(); });
}

}  // namespace steelyard::manage
