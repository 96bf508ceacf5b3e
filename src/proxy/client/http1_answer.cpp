#include "proxy/client/http1_connection.hpp"
#include "proxy/client/serving.hpp"
#include "proxy/local_answer.hpp"
#include "proxy/router.hpp"

// Answers to what is no request: a head with a fault, one that did not come in time.

namespace steelyard::proxy {

io::Task<ClientConnection::Next> ClientConnection::answer_fault() {
  Exchange& x = exchange();
  x.request_line = x.request.line;
  x.bytes.received = static_cast<std::int64_t>(workspace_->client_head.data().size());
  x.keep_client = false;
  choose_server(x);
  x.path = x.request.target.path;
  LocalAnswer answer;
  answer.status = fault_.status;
  describe_fault(fault_, answer);
  prepare_local_answer(x, core_, answer);
  co_await Serving(core_, side()).send_answer();
  end_request();
  co_return x.client_gone ? Next::close : Next::linger;
}

io::Task<ClientConnection::Next> ClientConnection::answer_timeout() {
  Exchange& x = exchange();
  x.keep_client = false;
  choose_server(x);
  if (!reader_.has_line()) {
    // httpd: without a request line there is nobody to answer; only the first one is recorded.
    x.status = 408;
    x.request_line = {};
    x.client_gone = true;
    if (facts_.requests_before == 0) end_request();
    co_return Next::close;
  }
  x.request_line = x.request.line;
  prepare_local_answer(x, core_, {.status = 408});
  co_await Serving(core_, side()).send_answer();
  end_request();
  co_return Next::linger;
}

}  // namespace steelyard::proxy
