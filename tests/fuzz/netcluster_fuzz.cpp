// The wire of netcluster: frames are the same wherever the stream is cut, and a
// packet that is read and written again is read the same.
#include "input.hpp"

#include "wire/event.hpp"
#include "wire/netcluster.hpp"

#include <vector>

namespace {
using namespace mw::wire;
using Is = NetclusterCut::Is;

constexpr size_t kMax = 4096;

void one(std::string_view frame) {
  mw::fuzz::Exact bytes(frame);
  auto e = parse_netcluster({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  if (!e) {
    CHECK(e.error().code == MW_EPROTO);
    return;
  }
  CHECK(!e->event.empty() && e->event.size() <= kMaxEventName);
  std::string again;
  put_netcluster(again, *e);
  CHECK(again.back() == '\0' && again.find('\0') == again.size() - 1);
  auto f = parse_netcluster(std::string_view(again).substr(0, again.size() - 1));
  CHECK(f && f->emitter == e->emitter && f->channel == e->channel && f->event == e->event && f->data == e->data &&
        f->broadcast == e->broadcast);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  mw::fuzz::Input cuts(data, size);
  mw::fuzz::Exact all(data, size);
  std::vector<std::string> whole, pieces;
  bool over = false;
  for (size_t at = 0; at < size;) {
    const NetclusterCut c = cut_netcluster(all.data() + at, size - at, 0, kMax);
    if ((over = c.is == Is::too_long) || c.is == Is::part) break;
    whole.emplace_back(reinterpret_cast<const char*>(all.data()) + at, c.size);
    at += c.size + 1;
  }
  std::string kept;
  bool over_too = false;
  for (size_t at = 0, looked = 0; at < size && !over_too;) {
    const size_t n = cuts.cut(size - at);
    kept.append(reinterpret_cast<const char*>(data) + at, n);
    at += n;
    for (;;) {
      mw::fuzz::Exact have{std::string_view(kept)};
      const NetclusterCut c = cut_netcluster(have.data(), have.size(), looked, kMax);
      over_too = c.is == Is::too_long;
      looked = c.is == Is::frame ? 0 : kept.size();
      if (c.is != Is::frame) break;
      pieces.push_back(kept.substr(0, c.size));
      kept.erase(0, c.size + 1);
    }
  }
  CHECK(whole == pieces && over == over_too);
  for (const std::string& f : whole) one(f);
  one({reinterpret_cast<const char*>(data), size});
  return 0;
}
