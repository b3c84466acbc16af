// A stream of frames: read in pieces it must give what it gives as a whole.
// First byte: 1 = from a client, 2 = permessage-deflate agreed.
#include "input.hpp"

#include "base/utf8.hpp"
#include "wire/close.hpp"
#include "wire/frame.hpp"
#include "wire/heartbeat.hpp"

#include <vector>

namespace {
using namespace mw::wire;
using mw::fuzz::Exact;
using mw::fuzz::Input;

struct Seen {
  std::vector<std::string> frames;
  std::string fault;
  bool operator==(const Seen&) const = default;
};

class Reader {
 public:
  Reader(bool masked, bool rsv1) : masked_(masked), rsv1_(rsv1) {}
  Seen seen;

  // False: a fault was found.
  bool feed(const uint8_t* p, size_t n) {
    held_.append(reinterpret_cast<const char*>(p), n);
    size_t at = 0;
    for (;;) {
      Exact all(std::string_view(held_).substr(at));
      Head h{};
      Violation v;
      auto status = read_head(all.data(), all.size(), masked_, rsv1_, h, v);
      if (status == HeadStatus::bad) return fault(v);
      if (status == HeadStatus::more) break;
      CHECK(h.size <= kMaxHead && h.size <= all.size());
      CHECK(h.length >> 63 == 0);
      // Written again it has the same bytes.
      uint8_t again[kMaxHead];
      size_t size = masked_ ? put_head_masked(again, h.opcode, h.fin, h.rsv1, h.length, h.key)
                            : put_head(again, h.opcode, h.fin, h.rsv1, h.length);
      CHECK(size == h.size && std::memcmp(again, all.data(), size) == 0);
      if (h.length > all.size() - h.size) break;
      if (!in_order(in_message_, h.opcode, v)) return fault(v);
      const auto n_body = static_cast<size_t>(h.length);
      mask(all.data() + h.size, n_body, h.key);
      if (!frame(h, all.data() + h.size, n_body)) return false;
      at += h.size + n_body;
    }
    held_.erase(0, at);
    return true;
  }

 private:
  bool fault(const Violation& v) {
    CHECK(v.code == 1002 || v.code == 1007);
    CHECK(v.reason != nullptr && *v.reason != '\0');
    seen.fault = v.reason;
    return false;
  }
  bool frame(const Head& h, const uint8_t* p, size_t n) {
    seen.frames.push_back(std::string(1, static_cast<char>(h.opcode)) +
                          std::string(reinterpret_cast<const char*>(p), n));
    if (h.opcode == kClose) {
      uint16_t code;
      std::string_view reason;
      Violation v;
      if (!parse_close(p, n, &code, &reason, v)) return fault(v);
      CHECK(code == kNoStatus || close_code_receivable(code));
      uint8_t again[kMaxControl];
      CHECK(put_close(again, code, reason) == n);
      CHECK(std::memcmp(again, p, n) == 0);
    }
    if (is_control(h.opcode)) return true;
    if (h.opcode == kText) {
      text_ = true;
      utf8_.reset();
      int64_t ms = 0;
      if (read_beat({reinterpret_cast<const char*>(p), n}, &ms) == Beat::hello) CHECK(ms >= 1);
    } else if (h.opcode == kBinary) {
      text_ = false;
    }
    in_message_ = !h.fin;
    if (text_ && !h.rsv1 && (!utf8_.feed(p, n) || (h.fin && !utf8_.complete()))) return fault({1007, "text"});
    return true;
  }
  bool masked_, rsv1_, in_message_ = false, text_ = false;
  mw::base::Utf8 utf8_;
  std::string held_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in(data, size);
  const uint8_t how = in.byte();
  const bool masked = how & 1, rsv1 = how & 2;
  const std::string stream(in.text());
  auto* p = reinterpret_cast<const uint8_t*>(stream.data());

  Reader whole(masked, rsv1);
  whole.feed(p, stream.size());
  Reader pieces(masked, rsv1);
  for (size_t at = 0; at < stream.size();) {
    size_t n = in.cut(stream.size() - at);
    if (!pieces.feed(p + at, n)) break;
    at += n;
  }
  CHECK(whole.seen == pieces.seen);
  return 0;
}
