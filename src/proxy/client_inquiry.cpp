#include "proxy/client_inquiry.hpp"

#include "proxy/awaited.hpp"
#include "proxy/limits.hpp"
#include "proxy/notary.hpp"

namespace steelyard::proxy {

namespace {

using Finding = tls::InquiryFinding;

Finding refusal(const char* why) { return {false, {{config::LogLevel::error, why}}}; }

}  // namespace

io::Task<Finding> inquire(Shard::Core& core, io::WaitTimer& timer, IpAddress from,
                          std::shared_ptr<const tls::Inquiry> inquiry) {
  if (auto known = inquiry->known(core.parts.loop.wall_now())) co_return std::move(*known);
  Notary* const notary = core.parts.group.notary;
  if (notary == nullptr) co_return refusal("nobody asks authorities about clients' certificates");
  const auto awaited = Awaited<Finding>::make(core.parts.loop);
  const Instant deadline = core.now() + inquiry->patience() + notary_patience;
  notary->ask({std::move(inquiry), from, Awaited<Finding>::given_up(awaited)},
              [awaited](Finding finding) { Awaited<Finding>::give(awaited, std::move(finding)); });
  auto finding = co_await Awaited<Finding>::wait(awaited, timer, deadline);
  co_return finding ? std::move(*finding)
                    : refusal("asking authorities about a client's certificate took too long");
}

}  // namespace steelyard::proxy
