// Between the wire of cluster-client and our own: one connection that speaks
// the one on one side and the other on the other side, as a machine over bytes.
// At the leader its own side is a client of the share's provider, at a
// follower the server of its consumer; keys, methods and the epoch are named
// there as link/share_relay.cpp names them. PROTOCOL.md tells what becomes what.
// Used by net's bridge, which has the sockets. Pure; one thread.
#pragma once
#include "base/buffer.hpp"
#include "wire/call.hpp"
#include "wire/cluster_client.hpp"
#include "wire/frame.hpp"
#include "wire/hello.hpp"
#include "wire/packets.hpp"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace mw::wire {

struct ClusterRules {
  std::string name;               // the channel
  size_t max_message = 1 << 20;   // bytes of the application in one packet
  uint32_t timeout_ms = 3000;     // told with requests
  bool json = false;              // what we say ourselves is JSON, else serialize-json
};

class ClusterBridge {
 public:
  enum class End : uint8_t { leader, follower };
  ClusterBridge(End end, ClusterRules rules, const uint8_t uuid[16]);

  // Bytes that came on one side. False: over; why() tells, "" where the own side said goodbye.
  bool from_cluster(const uint8_t* p, size_t n);
  bool from_own(const uint8_t* p, size_t n);
  // A follower asks to be let in; again where nobody answered.
  void ask_in();
  bool let_in() const noexcept { return let_in_; }
  const std::string& why() const noexcept { return why_; }

  base::Buffer to_cluster, to_own;  // what is to be sent; the sender consumes it
  std::vector<std::string> notes;   // what was left out and why, for the log; taken by who logs

 private:
  struct Key {             // of one registration
    std::string name;      // on the other side, without the prefix
    std::string reg;       // JSON
    uint64_t number = 0;   // of our subscribe packet
  };
  static constexpr size_t kMaxKeys = 10000;
  static constexpr size_t kMaxMethod = 255 - 6;
  static constexpr size_t kMaxNotes = 16;

  bool over(std::string_view why);
  bool cluster_packet(const ClusterHead& h, const ConnObject& c, const uint8_t* app);
  bool own_frame(const Head& h, const uint8_t* payload);
  bool own_packet(const PacketView& p);
  void note(std::string line);

  // the leader's end
  bool asked(const ClusterHead& h, const ConnObject& c, const uint8_t* app);
  void wanted(const ConnObject& c);
  void unwanted(const ConnObject& c);
  void invoked(const ClusterHead& h, const ConnObject& c, const uint8_t* app);
  void answered(const TalkView& t);
  uint64_t number_of(uint64_t id);
  uint64_t id_of(uint64_t number) const;
  void value(std::string_view topic, const MessageView& m);

  // a follower's end
  bool told(const ClusterHead& h, const ConnObject& c, const uint8_t* app);
  void call(const TalkView& t);
  void subscribe(const Subscribe& s);
  void unsubscribe(uint64_t number);

  void say(bool response, uint64_t id, const ConnObject& c, const void* app = nullptr, size_t n = 0);
  void say_failed(uint64_t id, std::string_view json);
  std::string encoded(std::string_view json) const;
  void own_hello();
  void own(const base::Buffer& packets) { own_frame(kBinary, packets.data(), packets.size()); }
  void own_frame(Opcode op, const void* p, size_t n);
  void own_message(std::string_view topic, const void* p, size_t n, bool text);

  const End end_;
  const ClusterRules rules_;
  uint8_t uuid_[16];
  base::Buffer cluster_in_, own_in_;
  bool greeted_ = false;           // the own side's hello came
  bool let_in_ = false;
  bool failed_ = false;
  std::string why_;
  std::map<std::string, Key, std::less<>> keys_;    // by topic
  std::map<std::string, std::string, std::less<>> topics_;  // by name
  uint64_t next_id_ = 0;           // of our requests that are no calls
  uint64_t next_number_ = 0;       // of our subscribe packets
  // the leader's end
  std::vector<ClusterHead> knocks_;  // register_channel not answered yet
  uint64_t last_number_ = 0;         // of our calls
  std::deque<std::pair<uint64_t, uint64_t>> bases_;  // first number, what is added to an id from there on
  bool active_ = false;              // it said something since the last ping of the provider
  std::string ping_;                 // one that waits for a sign of life
  bool pinged_ = false;
  // a follower's end
  uint64_t beat_ = 0;                // id of the heartbeat under way
  std::string beat_ping_;
};

}  // namespace mw::wire
