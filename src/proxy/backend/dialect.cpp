#include "proxy/backend/dialect.hpp"

#include "base/check.hpp"

namespace steelyard::proxy {

io::Task<Failure> Dialect::converse(Shard::Core& /*core*/, io::Stream& /*member*/) {
  CHECK(converses());
  co_return Failure{};
}

}  // namespace steelyard::proxy
