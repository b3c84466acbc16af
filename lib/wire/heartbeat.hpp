// The text heartbeat of the dialect network-cluster: PROVIDER_HEARTBEAT|<ms>
// once, then PING and PONG; any other frame is the application's.
// Used by link. Pure; any thread.
#pragma once
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace mw::wire {

inline constexpr std::string_view kBeatPing = "PING";
inline constexpr std::string_view kBeatPong = "PONG";
inline constexpr std::string_view kBeatHello = "PROVIDER_HEARTBEAT|";
inline constexpr size_t kMaxBeat = kBeatHello.size() + 20;

enum class Beat : uint8_t { none, hello, ping, pong };

// What a text message is; ms is set for hello. A hello whose number is not
// one of 1 ms to a day is none.
inline Beat read_beat(std::string_view text, int64_t* ms) noexcept {
  if (text == kBeatPing) return Beat::ping;
  if (text == kBeatPong) return Beat::pong;
  if (text.size() > kMaxBeat || !text.starts_with(kBeatHello)) return Beat::none;
  const char* end = text.data() + text.size();
  int64_t n = 0;
  auto [at, error] = std::from_chars(text.data() + kBeatHello.size(), end, n);
  if (error != std::errc() || at != end || n < 1 || n > 86'400'000) return Beat::none;
  *ms = n;
  return Beat::hello;
}

// Writes the provider's hello to out (room for kMaxBeat); its size.
inline size_t put_beat_hello(char* out, int64_t ms) noexcept {
  std::memcpy(out, kBeatHello.data(), kBeatHello.size());
  auto r = std::to_chars(out + kBeatHello.size(), out + kMaxBeat, ms);
  return static_cast<size_t>(r.ptr - out);
}

}  // namespace mw::wire
