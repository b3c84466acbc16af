#include "net/head.hpp"

#include "wire/field.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace mw::net {

namespace http = boost::beast::http;
using Code = boost::system::error_code;

namespace {

base::Error closed(const std::string& who, const Stream& stream, const Code& ec) {
  if (ec == asio::error::eof) return {MW_ERESET, 0, who + " closed the connection before it answered"};
  return stream.error(ec, ("the answer of " + who).c_str());
}

base::Error malformed(const std::string& who, const base::Buffer& got, const Code& ec) {
  if (ec == http::error::header_limit) {
    return {MW_EPROTO, 0, "the head of the answer of " + who + " is larger than 16 KiB"};
  }
  // RFC 8446 section 5.1: an alert record.
  if (got.size() >= 2 && got.data()[0] == 0x15 && got.data()[1] == 0x03) {
    return {MW_EPROTO, 0, who + " speaks TLS; connect with wss:// or tls=true"};
  }
  return {MW_EPROTO, 0, "the answer of " + who + " is not HTTP: " + ec.message()};
}

}  // namespace

std::string_view Head::field(std::string_view name) const noexcept {
  for (const auto& [k, v] : fields) {
    if (wire::same_text(k, name)) return v;
  }
  return {};
}

Task<base::Result<Head>> read_head(Stream& stream, base::Buffer& rest, std::string who) {
  for (;;) {
    http::response_parser<http::empty_body> parser;
    parser.header_limit(kMaxHead);
    parser.skip(true);  // what follows the head is not HTTP
    while (!parser.is_header_done()) {
      Code ec = http::error::need_more;
      size_t used = rest.empty() ? 0 : parser.put(asio::const_buffer(rest.data(), rest.size()), ec);
      if (ec == http::error::need_more) {
        constexpr size_t kPiece = 4096;
        auto [failed, n] = co_await stream.async_read_some(asio::buffer(rest.room(kPiece), kPiece), kValue);
        if (failed) co_return closed(who, stream, failed);
        rest.wrote(n);
        continue;
      }
      if (ec) co_return malformed(who, rest, ec);
      rest.consume(used);
    }
    const auto& m = parser.get();
    if (m.result_int() / 100 == 1 && m.result_int() != 101) continue;
    Head head;
    head.status = static_cast<int>(m.result_int());
    head.version = static_cast<int>(m.version());
    for (const auto& f : m) head.fields.emplace_back(std::string(f.name_string()), std::string(f.value()));
    co_return head;
  }
}

std::string request(std::string_view method, std::string_view target, const wire::Fields& fields) {
  std::string out(method);
  out.append(" ").append(target).append(" HTTP/1.1\r\n");
  for (const auto& [k, v] : fields) out.append(k).append(": ").append(v).append("\r\n");
  return out += "\r\n";
}

}  // namespace mw::net
