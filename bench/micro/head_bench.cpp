// What reading and writing a message head costs.
//
//   head_bench --benchmark_filter=request
#include <benchmark/benchmark.h>

#include <string>

#include "base/arena.hpp"
#include "http/head_text.hpp"
#include "http/request_head.hpp"
#include "http/response_head.hpp"

namespace steelyard::http {
namespace {

constexpr std::string_view tool_request =
    "GET /app/page?x=1 HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: curl/8.0\r\nAccept: "
    "*/*\r\n\r\n";

// What a browser sends.
const std::string browser_request =
    "GET /app/articles/2024/overview.html?page=3&sort=date HTTP/1.1\r\nHost: www.example.com\r\n"
    "Connection: keep-alive\r\nCache-Control: max-age=0\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/124.0.0.0 Safari/537.36\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8\r\n"
    "Referer: https://www.example.com/app/\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n"
    "Cookie: JSESSIONID=0123456789ABCDEF0123456789ABCDEF.node1; theme=dark; consent=yes\r\n"
    "If-None-Match: \"5f3c-61a2b\"\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

constexpr std::string_view answer =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nServer: Apache-Coyote/1.1\r\n"
    "Content-Type: text/html;charset=UTF-8\r\nContent-Length: 1024\r\nCache-Control: private\r\n"
    "ETag: \"5f3c-61a2b\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

void read_request(benchmark::State& state, std::string_view text) {
  RequestHeadReader reader;
  RequestHead head;
  for (auto _ : state) {
    reader.reset();
    head.clear();
    benchmark::DoNotOptimize(reader.read(text, head));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void tool(benchmark::State& state) { read_request(state, tool_request); }
void browser(benchmark::State& state) { read_request(state, browser_request); }
BENCHMARK(tool)->Name("request/of_a_tool");
BENCHMARK(browser)->Name("request/of_a_browser");

void response(benchmark::State& state) {
  ResponseHeadReader reader{ResponseLimits{}};
  ResponseHead head;
  Arena arena;
  for (auto _ : state) {
    reader.reset();
    head.clear();
    benchmark::DoNotOptimize(reader.read(answer, Method::get, head, arena));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(answer.size()));
}
BENCHMARK(response);

// The fields of a head that was read, written again.
void write_again(benchmark::State& state) {
  RequestHeadReader reader;
  RequestHead head;
  if (!reader.read(browser_request, head)) return state.SkipWithError("no head");
  HeadText text;
  for (auto _ : state) {
    text.clear();
    for (const Field& field : head.fields) text.append_field(field);
    benchmark::DoNotOptimize(text.view());
  }
}
BENCHMARK(write_again);

}  // namespace
}  // namespace steelyard::http
