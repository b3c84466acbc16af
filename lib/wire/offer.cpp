#include "wire/offer.hpp"

#include "wire/deflate.hpp"

#include <algorithm>

namespace mw::wire {
namespace {

constexpr std::string_view kName = "permessage-deflate";
constexpr std::string_view kServerNo = "server_no_context_takeover";
constexpr std::string_view kClientNo = "client_no_context_takeover";
constexpr std::string_view kServerBits = "server_max_window_bits";
constexpr std::string_view kClientBits = "client_max_window_bits";

// The four parameters of one offer or answer.
struct Parameters {
  bool server_no = false, client_no = false;
  int server_bits = 0, client_bits = 0;  // 0: not named
  bool client_bits_named = false;        // the client may leave out the value (7.1.2.2)
};

// 7.1: "8" to "15", without leading zeros; 0 = anything else.
int window_bits(const std::string& v) noexcept {
  if (v.size() == 1 && v[0] >= '8' && v[0] <= '9') return v[0] - '0';
  if (v.size() == 2 && v[0] == '1' && v[1] >= '0' && v[1] <= '5') return 10 + v[1] - '0';
  return 0;
}

// Unknown, repeated and ill-valued parameters void the offer (7.1).
bool read(const Extension& e, bool from_client, Parameters& p) {
  for (const auto& [key, value] : e.parameters) {
    if (key == kServerNo || key == kClientNo) {
      bool& flag = key == kServerNo ? p.server_no : p.client_no;
      if (flag || value) return false;
      flag = true;
    } else if (key == kServerBits) {
      if (p.server_bits != 0 || !value) return false;
      if ((p.server_bits = window_bits(*value)) == 0) return false;
    } else if (key == kClientBits) {
      if (p.client_bits_named) return false;
      p.client_bits_named = true;
      if (!value) {
        if (!from_client) return false;
      } else if ((p.client_bits = window_bits(*value)) == 0) {
        return false;
      }
    } else {
      return false;
    }
  }
  return true;
}

void add(std::string& out, std::string_view key, int bits = 0) {
  out.append("; ").append(key);
  if (bits != 0) out.append("=").append(std::to_string(bits));
}

}  // namespace

std::optional<Deflate> accept_deflate(const std::vector<Extension>& offers, Compress preset,
                                      std::string& answer) {
  if (preset == Compress::off) return std::nullopt;
  const int own = compress_memory(preset).bits;
  for (const auto& e : offers) {
    Parameters p;
    if (!same_text(e.name, kName) || !read(e, true, p)) continue;
    Deflate d;
    d.on = true;
    d.server_no_takeover = p.server_no || preset == Compress::shared;
    d.server_bits = static_cast<uint8_t>(p.server_bits != 0 ? std::min(own, p.server_bits) : own);
    // The client's window is our memory too: where it cannot be made as small
    // as the preset, it is forgotten after each message.
    int client = p.client_bits_named ? std::min(own, p.client_bits != 0 ? p.client_bits : 15) : 15;
    d.client_bits = static_cast<uint8_t>(client);
    d.client_no_takeover = p.client_no || preset == Compress::shared || client > own;
    answer = kName;
    if (d.server_no_takeover) add(answer, kServerNo);
    if (d.client_no_takeover) add(answer, kClientNo);
    // A bound that the client named has to be confirmed (7.1.2.1).
    if (p.server_bits != 0 || d.server_bits < 15) add(answer, kServerBits, d.server_bits);
    if (p.client_bits_named && client < 15) add(answer, kClientBits, client);
    return d;
  }
  return std::nullopt;
}

std::string offer_deflate(Compress preset) {
  if (preset == Compress::off) return {};
  std::string out(kName);
  if (preset == Compress::shared) {
    add(out, kServerNo);
    add(out, kClientNo);
  }
  int own = compress_memory(preset).bits;
  if (own < 15) add(out, kServerBits, own);
  add(out, kClientBits, own < 15 ? own : 0);
  return out;
}

base::Result<Deflate> confirm_deflate(Compress preset, std::string_view answer) {
  auto refuse = [](const char* text) { return base::Error{MW_EPROTO, 0, text}; };
  auto list = extension_list(answer);
  if (!list) return refuse("the answer's Sec-WebSocket-Extensions is malformed");
  Deflate d;
  if (list->empty()) return d;
  Parameters p;
  if (preset == Compress::off || list->size() != 1 || !same_text(list->front().name, kName))
    return refuse("the answer names an extension that was not offered");
  if (!read(list->front(), false, p)) return refuse("the answer's permessage-deflate has a bad parameter");
  const int own = compress_memory(preset).bits;
  // 7.1.2.1: a window we bounded is confirmed as large or smaller.
  if (own < 15 && (p.server_bits == 0 || p.server_bits > own))
    return refuse("the answer's server_max_window_bits exceeds the offer");
  if (preset == Compress::shared && !p.server_no)
    return refuse("the answer lacks server_no_context_takeover, which was offered");
  d.on = true;
  d.server_no_takeover = p.server_no;
  d.client_no_takeover = p.client_no || preset == Compress::shared;
  d.server_bits = static_cast<uint8_t>(p.server_bits != 0 ? p.server_bits : 15);
  // 7.1.2.2: whatever the answer allows, we use no larger window than we offered.
  d.client_bits = static_cast<uint8_t>(p.client_bits != 0 ? std::min(p.client_bits, own) : own);
  return d;
}

}  // namespace mw::wire
