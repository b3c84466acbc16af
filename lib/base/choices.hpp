// The words of options as types: each enum follows the order of its row's
// words in options.def (a unit test compares them), so that nobody compares
// numbers. Used by loop, net and link on what Conf::num returns. Any thread.
#pragma once
#include "base/conf.hpp"

namespace mw::base {

enum class Delivery : uint8_t { queued, inline_ };
enum class LogLevel : uint8_t { off, error, warn, info, debug, trace };
enum class Syntax : uint8_t { exact, mqtt, path, regex };
enum class Overflow : uint8_t { refuse, drop_new, drop_old, conflate, disconnect };
enum class Compress : uint8_t { off, shared, k3, k4, k8, k16, k32, k64, k128, k256 };
enum class Verify : uint8_t { none, peer, mutual };
enum class TlsVersion : uint8_t { v1_2, v1_3 };
enum class Backoff : uint8_t { exponential, fixed };
enum class ParametersIn : uint8_t { header, query };
enum class Role : uint8_t { compete, leader, follower };
enum class Fanout : uint8_t { all, one };
enum class Preset : uint8_t { none, network_cluster };
enum class Registry : uint8_t { host, gossip, manager };
enum class AccessNames : uint8_t { exact, nocase };
enum class AccessCheck : uint8_t { strict, warn };
enum class QueueEngine : uint8_t { none, memory };
enum class ChannelWire : uint8_t { meshwork, netcluster };
enum class ShareWire : uint8_t { meshwork, cluster_client };
enum class Transcode : uint8_t { serialize_json, json };
enum class Sharing : uint8_t { none, group };

inline Delivery delivery(const Conf& c) noexcept { return static_cast<Delivery>(c.num(Opt::delivery)); }
inline LogLevel log_level(const Conf& c) noexcept { return static_cast<LogLevel>(c.num(Opt::log_level)); }
inline Syntax syntax(const Conf& c) noexcept { return static_cast<Syntax>(c.num(Opt::pattern_syntax)); }
inline Overflow send_overflow(const Conf& c) noexcept { return static_cast<Overflow>(c.num(Opt::send_overflow)); }
inline Overflow offline_overflow(const Conf& c) noexcept { return static_cast<Overflow>(c.num(Opt::offline_overflow)); }
inline Compress compress(const Conf& c) noexcept { return static_cast<Compress>(c.num(Opt::compress)); }
inline Verify tls_verify(const Conf& c) noexcept { return static_cast<Verify>(c.num(Opt::tls_verify)); }
inline TlsVersion tls_min_version(const Conf& c) noexcept { return static_cast<TlsVersion>(c.num(Opt::tls_min_version)); }
inline Backoff reconnect_backoff(const Conf& c) noexcept { return static_cast<Backoff>(c.num(Opt::reconnect_backoff)); }
inline Registry registry(const Conf& c) noexcept { return static_cast<Registry>(c.num(Opt::registry)); }
inline QueueEngine queue(const Conf& c) noexcept { return static_cast<QueueEngine>(c.num(Opt::queue)); }
inline AccessNames access_names(const Conf& c) noexcept { return static_cast<AccessNames>(c.num(Opt::access_names)); }
inline AccessCheck access_check(const Conf& c) noexcept { return static_cast<AccessCheck>(c.num(Opt::access_check)); }
inline ParametersIn parameters_in(const Conf& c) noexcept { return static_cast<ParametersIn>(c.num(Opt::parameters_in)); }
inline ShareWire share_wire(const Conf& c) noexcept { return static_cast<ShareWire>(c.num(Opt::wire)); }
inline Sharing sharing(const Conf& c) noexcept { return static_cast<Sharing>(c.num(Opt::share)); }
inline Transcode transcode(const Conf& c) noexcept { return static_cast<Transcode>(c.num(Opt::transcode)); }

inline Role role(const Conf& c) noexcept { return static_cast<Role>(c.num(Opt::role)); }
inline Fanout fanout(const Conf& c) noexcept { return static_cast<Fanout>(c.num(Opt::fanout)); }
inline ChannelWire channel_wire(const Conf& c) noexcept { return static_cast<ChannelWire>(c.num(Opt::wire)); }

// A list of words is, as a number, a set of bits: 1 << index of the word.
enum class Wire : uint8_t { raw, network_cluster, meshwork };
inline bool speaks(const Conf& c, Wire w) noexcept { return (c.num(Opt::wire) >> static_cast<int>(w)) & 1; }
inline bool parameters_from(const Conf& c, ParametersIn p) noexcept {
  return (c.num(Opt::parameters_from) >> static_cast<int>(p)) & 1;
}

// The place of an event kind (MW_EVENT_*) in the words of "events"; -1 = none.
constexpr int event_bit(uint32_t kind) noexcept {
  switch (kind) {
    case MW_EVENT_UP: return 0;
    case MW_EVENT_DOWN: return 1;
    case MW_EVENT_CLOSED: return 2;
    case MW_EVENT_ERROR: return 3;
    case MW_EVENT_LOG: return 4;
    case MW_EVENT_PEER_UP: return 5;
    case MW_EVENT_PEER_DOWN: return 6;
    case MW_EVENT_MESSAGE: return 7;
    case MW_EVENT_WRITABLE: return 8;
    case MW_EVENT_SLOW: return 9;
    case MW_EVENT_DROPPED: return 10;
    case MW_EVENT_PING: return 11;
    case MW_EVENT_PONG: return 12;
    case MW_EVENT_INTEREST: return 13;
    case MW_EVENT_DONE: return 14;
    case MW_EVENT_RELEASED: return 15;
    case MW_EVENT_ASK: return 16;
    case MW_EVENT_DRAINING: return 17;
    case MW_EVENT_LEADER: return 18;
    case MW_EVENT_READY: return 19;
    case MW_EVENT_MEMBER_UP: return 20;
    case MW_EVENT_MEMBER_DOWN: return 21;
    case MW_EVENT_MEMBER_CHANGED: return 22;
    case MW_EVENT_SERVICE_UP: return 23;
    case MW_EVENT_SERVICE_DOWN: return 24;
    default: return -1;
  }
}
// Whether a kind is in the set that num(Opt::events) returned; keep that
// number and ask this on the message path.
constexpr bool event_wanted(int64_t set, uint32_t kind) noexcept {
  const int bit = event_bit(kind);
  return bit >= 0 && ((set >> bit) & 1);
}

}  // namespace mw::base
