#include "net/head.hpp"

#include "wire/field.hpp"

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace mw::net {

namespace http = boost::beast::http;
using Code = boost::system::error_code;

namespace {

// RFC 8446 section 5.1: how a record with an alert begins.
bool is_alert(const base::Buffer& got) { return got.size() >= 2 && got.data()[0] == 0x15 && got.data()[1] == 0x03; }

base::Error not_http(const std::string& who, const base::Buffer& got, const Code& ec) {
  if (is_alert(got)) return {MW_EPROTO, 0, who + " speaks TLS; connect with wss:// or tls=true"};
  return {MW_EPROTO, 0, "the answer of " + who + " is not HTTP: " + ec.message()};
}

base::Error cut(const std::string& who, const base::Buffer& got, const Stream& stream, const Code& ec) {
  if (is_alert(got)) return not_http(who, got, ec);
  if (ec == asio::error::eof) return {MW_ERESET, 0, who + " closed the connection before it answered"};
  return stream.error(ec, ("the answer of " + who).c_str());
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
    parser.header_limit(2 * kMaxHead);  // Beast counts lines; the whole is counted here
    parser.skip(true);                  // what follows the head is not HTTP
    for (size_t taken = 0; !parser.is_header_done();) {
      Code ec = http::error::need_more;
      size_t used = rest.empty() ? 0 : parser.put(asio::const_buffer(rest.data(), rest.size()), ec);
      if (ec && ec != http::error::need_more) co_return not_http(who, rest, ec);
      rest.consume(used);
      taken += used;
      if (ec ? taken + rest.size() >= kMaxHead : taken > kMaxHead) {
        co_return base::Error{MW_EPROTO, 0, "the head of the answer of " + who + " is larger than 16 KiB"};
      }
      if (!ec) continue;
      constexpr size_t kPiece = 4096;
      auto [failed, n] = co_await stream.async_read_some(asio::buffer(rest.room(kPiece), kPiece), kValue);
      if (failed) co_return cut(who, rest, stream, failed);
      rest.wrote(n);
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
