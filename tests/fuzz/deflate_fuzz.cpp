// First byte: 1 = round trip of the rest, else the rest is compressed data of
// unknown origin; 2 = no takeover; 4 = tight limits; the upper bits: window.
#include "input.hpp"

#include "wire/deflate.hpp"

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

std::string text(const mw::base::Buffer& b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

struct Out {
  bool ok = true;
  std::string body, fault;
};
// One message in pieces.
Out inflate(Inflator& z, std::string_view in, Input& cuts, const InflateLimit& limit) {
  Out o;
  mw::base::Buffer out;
  for (size_t at = 0; o.ok;) {
    size_t n = cuts.cut(in.size() - at);
    Exact piece(in.substr(at, n));
    at += n;
    Violation v;
    o.ok = z.inflate(piece.data(), piece.size(), at == in.size(), limit, out, v);
    CHECK(out.size() == 0 || out.size() - 1 <= limit.max_out);
    if (!o.ok) {
      CHECK(v.code == 1007 || v.code == 1009);
      o.fault = v.reason;
    } else if (at == in.size()) {
      CHECK(out.size() <= limit.max_out);
      break;
    }
  }
  o.body = text(out);
  return o;
}

void round_trip(Input in, int bits, bool forget) {
  Deflator d(bits, 1 + bits % 9, forget);
  Inflator z(bits, forget);
  for (int message = 0; message < 3; message++) {
    const std::string body(in.text());
    mw::base::Buffer c;
    Input cuts = in;
    for (size_t at = 0;;) {
      size_t n = cuts.cut(body.size() - at);
      at += n;
      d.compress(reinterpret_cast<const uint8_t*>(body.data()) + at - n, n, c, at == body.size());
      if (at == body.size()) break;
    }
    auto o = inflate(z, {reinterpret_cast<const char*>(c.data()), c.size()}, in, {SIZE_MAX, 0});
    CHECK(o.ok && o.body == body);
  }
}

void foreign(Input in, int bits, bool forget, const InflateLimit& limit) {
  Inflator whole(bits, forget), pieces(bits, forget);
  const std::string body(in.text());
  Input none(nullptr, 0);
  // Twice: the second message meets whatever window the first left.
  for (int message = 0; message < 2; message++) {
    auto a = inflate(whole, body, none, limit);
    auto b = inflate(pieces, body, in, limit);
    // Pieces may see a limit earlier or later than the whole, never another text.
    if (a.ok && b.ok) CHECK(a.body == b.body);
    if (limit.max_ratio == 0) CHECK(a.ok == b.ok);
    if (!a.ok || !b.ok) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  const uint8_t how = in.byte();
  const int bits = 8 + (how >> 3) % 8;
  const bool forget = how & 2;
  if (how & 1) {
    round_trip(in, bits, forget);
  } else {
    foreign(in, bits, forget, how & 4 ? InflateLimit{1000, 20} : InflateLimit{1u << 20, 0});
  }
  return 0;
}
