// One connection on a lane, WebSocket or bare, either role: parses what arrives,
// collects and sends what goes out, keeps time, closes. Owned by a peer or a
// consumer. The lane's thread, except the functions marked "any thread".
#pragma once
#include "base/utf8.hpp"
#include "link/outbox.hpp"
#include "link/policy.hpp"
#include "loop/lane.hpp"
#include "loop/object.hpp"
#include "net/carrier.hpp"
#include "wire/call.hpp"
#include "wire/deflate.hpp"
#include "wire/dialect.hpp"
#include "wire/envelope.hpp"
#include "wire/frame.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace mw::link {

class Party;
struct Counters;
class Request;
class Speech;  // the own wire (meshwork.1) on one connection

// Why a session ended, for PEER_DOWN and DOWN.
struct Ending {
  mw_status status = MW_OK;
  uint16_t code = 1006;
  std::string reason;
  uint64_t unsent = 0;        // messages accepted that never reached the kernel whole
  uint64_t unsent_bytes = 0;
};

// What a session keeps while a frame or message is incomplete.
struct Inflow {
  base::Buffer partial;   // raw bytes of a frame that did not arrive whole, or that found no room
  size_t need = 0;        // bytes the frame at the front of partial wants; 0 unknown
  base::Buffer sealed;    // ciphertext that found no room
  base::Buffer message;   // payload of fragments so far
  base::Utf8 utf8;
  base::Utf8 ahead;       // of the text frame at the front of partial:
  size_t looked = 0;      // payload bytes of it that ahead has seen
  bool in_message = false, text = false, compressed = false;
  base::Utf8Fact check_rest(const uint8_t* p, size_t n) noexcept {
    size_t seen = std::exchange(looked, 0);
    bool valid = ahead.feed(p + seen, n - seen) && ahead.complete();
    return {valid, ahead.ascii()};
  }
  bool idle() const noexcept { return partial.empty() && sealed.empty() && !in_message; }
};

// Compression of one connection; null members: shared ones of the party are used.
struct Squeeze {
  wire::Deflate agreed;
  std::unique_ptr<wire::Deflator> out;
  std::unique_ptr<wire::Inflator> in;
};

// Ciphertext that the kernel has not taken, and what it was made of.
struct Sealed {
  base::Buffer cipher;
  Outbox frames;          // handed over when cipher is gone
  uint32_t messages = 0;  // from the cork
};

// What few connections need.
struct Rare {
  Outbox held;                // messages that wait for the end of a fragmented one
  base::MsgRef last_dropped;
  uint64_t corked_at = 0;     // ms
  uint64_t rate_at = 0;       // ms
  double rate_left = 0, rate_bytes_left = 0;
};

// A close asked for by the host; the first one counts.
struct CloseWish {
  int32_t code = 1000;
  uint32_t flags = 0;
  mw_status status = MW_OK;
  std::string reason;
};

// A call as the host gave it.
struct Order {
  std::string_view target;
  const uint8_t* body = nullptr;
  size_t len = 0;
  mw_msg* m = nullptr;
  uint32_t flags = 0;          // MW_F_*
  uint64_t op = 0;
  uint64_t now = 0, deadline = 0;  // ms of the monotonic clock; deadline 0: none
  int64_t began = 0;           // ns of the same clock: when the host asked; of a node's calls
  uint64_t window = wire::kDefaultWindow;
  mw_handle parent = 0;        // a request, or 0

  void carry(mw_msg* kept) noexcept {  // its body; null: none
    m = kept;
    body = kept != nullptr ? kept->body : nullptr;
    len = kept != nullptr ? kept->len : 0;
  }
};

// Numbers read from any thread; written by the lane alone.
struct SessionStats {
  std::atomic<uint64_t> bytes_in{0}, bytes_out{0}, messages_in{0}, messages_out{0};
  std::atomic<uint32_t> dropped{0}, rtt_us{0}, calls{0};
  std::atomic<int64_t> last_beat{0};  // wall ms
  std::atomic<uint32_t> strikes{0};
};

class Session;
// Of a pinned peer or consumer.
Session* session_of(mw_handle link, base::Pinned* object) noexcept;

class Session final : public loop::Source, public loop::Timer {
 public:
  Session(Party& party, loop::Object& self) noexcept;
  ~Session();

  // ---- any thread that has a pin
  // Sends with the caller's bytes (m null) or message. On the lane it goes
  // into the connection's output; else it is posted.
  mw_status send(const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  // Reserves an outgoing message's cost; MW_OK, MW_BUFFERED or why not.
  // owed: beyond the context's budget if need be.
  mw_status reserve(int64_t cost, bool owed = false) noexcept;
  void refund(int64_t cost) noexcept;  // not on the lane: asks it to look for waiting senders
  // Calls the other end (session_calls.cpp), or answers a request of it.
  mw_status call(const Order& o);
  mw_status answer(Request& r, const wire::Talk& t, const void* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  mw_status cancel_call(uint64_t op);
  void parts_wait(Request& r) noexcept;  // tells WRITABLE of it, too, when there is room
  // Holds writes; nests; ends by itself after cork.max.
  void cork(bool on) noexcept;
  int64_t beat_interval() const noexcept;  // ms
  int64_t beat_cutoff() const noexcept;    // ms without a sign of life until the link is ended
  int64_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }
  bool open() const noexcept { return state_.load(std::memory_order_acquire) == State::up; }

  // ---- the lane
  // Takes over a ready connection. Call begin() after the host was told.
  // Throws std::bad_alloc with the carrier untouched.
  void adopt(net::Carrier&& carrier, wire::Role role, wire::Dialect dialect, const wire::Deflate& deflate);
  void greet() noexcept;  // what the wire says before the host says anything
  void begin() noexcept;  // what is in user space already, then the poller
  void close(const CloseWish& wish) noexcept;
  void pause(bool on);
  void pause_as_wished() { pause(pause_wish.load(std::memory_order_acquire)); }
  void arrive(OutFrame* f);                        // posted by another thread
  bool publish(mw_msg* origin, uint32_t flags, mw_msg* frame);  // frame: ready to send, or null; false: dropped
  bool forward(mw_msg* frame, uint32_t events);  // a frame of a channel's events, ready to send; false: dropped
  void transit() noexcept { transit_ = true; }   // what comes makes no events here: the host's room does not matter
  void drop_published() noexcept { refused(MW_EDROPPED); }
  void look_for_writable();
  void uncorked();
  void tell_dropped();
  void tell_slow();
  bool note_slow() noexcept;
  void overflowed();
  void beat_changed();
  void reset();  // a consumer's session, for the next connection
  Speech* speech() const noexcept { return speech_.get(); }
  // Sends what the lane's cork holds, whose ever it is.
  static void hand_over_cork(loop::Lane& lane) noexcept;

  void on_ready(uint32_t events) override;
  void on_flush() override;
  void on_resume() override;
  void on_budget() override;
  void on_trouble() noexcept override;
  void expired() noexcept override;

  bool is_open() const noexcept { return state_.load(std::memory_order_relaxed) == State::up; }
  bool over() const noexcept { return state_.load(std::memory_order_relaxed) == State::closed; }
  bool fresh() const noexcept { return state_.load(std::memory_order_relaxed) == State::none; }
  wire::Role role() const noexcept { return role_; }
  wire::Dialect dialect() const noexcept { return dialect_; }
  loop::Lane& lane() const noexcept { return *self_.lane; }
  loop::Object& self() const noexcept { return self_; }
  Party& party() const noexcept { return party_; }
  bool deflates() const noexcept { return squeeze_ != nullptr; }

  // ---- for Speech
  void message(const wire::MessageView& m, uint32_t flags, const uint8_t* body, size_t len);
  void write_control(uint8_t opcode, const void* payload, size_t n);
  // A binary frame of the own wire; counts as so many messages.
  void write_packet(const void* p, size_t n, uint32_t events = 0);
  bool fail(const wire::Violation& v);             // false, for `return fail(...)`

  // ---- for Speech, Caller and Callee
  // A call packet with a body of the host's, checked and reserved; or why not, with nothing kept.
  mw_status say(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op,
                uint64_t deadline);
  mw_status frame_of(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op,
                     OutFrame*& f);
  void tell(const wire::Talk& t, std::string_view body);  // one that we owe the other end
  void drop(OutFrame* f, mw_status why);           // in a turn: it will not be sent
  bool body_flags(const wire::TalkView& t, uint32_t* flags);  // false: failed
  void count_calls(size_t n) noexcept { stats.calls.store(static_cast<uint32_t>(n), std::memory_order_relaxed); }
  void want_writable() noexcept { wants_.store(true, std::memory_order_seq_cst); }
  void enqueue(OutFrame* f) noexcept;
  // What is known of the other end; any thread reads.
  std::atomic<uint64_t> their_max{UINT64_MAX};     // bytes of a body it takes
  std::atomic<bool> can_call{false};               // it understands calls, or may

  // Of each message beside its body, so that empty ones are bounded too.
  static constexpr int64_t kOverhead = 64;

  SessionStats stats;
  std::atomic<bool> pause_wish{false};  // any thread: the last mw_pause counts
  Ending& ending() noexcept;  // made when the end begins

 private:
  enum class State : uint8_t {
    none,       // not connected
    up,
    closing,    // our close frame is queued or sent, theirs has not come
    lingering,  // both sent, or failed: output leaves, input is discarded until FIN
    closed
  };
  friend struct OutFrame;

  // session_read.cpp
  void read_input();
  void read_plain(size_t cap);
  void read_tls(size_t cap);
  void received(size_t n, size_t cap) noexcept;
  void discard_input();
  void take_bytes(uint8_t* p, size_t n);
  void parse_partial();
  size_t parse(uint8_t* p, size_t n);
  bool frame(const wire::Head& h, uint8_t* payload);
  bool data(const wire::Head& h, uint8_t* payload);
  bool control(const wire::Head& h, uint8_t* payload);
  bool deliver(const uint8_t* p, size_t n, bool text, bool ascii);
  bool seed_text(std::string_view text);
  void input_end(ssize_t n, int err);
  bool inflate(const uint8_t* p, size_t n, bool last, base::Buffer& out);
  bool within_rate(size_t bytes);
  void stall();
  void keep(const uint8_t* p, size_t n);
  void look_ahead();
  Inflow& inflow();
  size_t max_payload() const noexcept;
  bool can_read() const noexcept {
    State s = state_.load(std::memory_order_relaxed);
    return s == State::up || s == State::closing;
  }

  // session_bare.cpp
  void take_bare(const uint8_t* p, size_t n);
  void bare_partial();
  size_t cut(const uint8_t* p, size_t n);
  bool packet(std::string_view frame);

  // session_reserve.cpp, session_write.cpp, session_flush.cpp
  mw_status send_here(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  mw_status admit(const void* body, size_t len, uint32_t flags) noexcept;
  mw_status refused(mw_status why, uint32_t messages = 1) noexcept;
  mw_status prepare(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op, OutFrame*& f);
  int64_t low_mark() const noexcept;
  void give_back(int64_t cost) noexcept;
  size_t head_room(const mw_msg* m) const noexcept;
  uint8_t out_bits() const noexcept;
  OutFrame* compose(const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  void encode(OutFrame* f);
  void trim() noexcept;
  void uncork() noexcept;
  bool take_cork() noexcept;
  void hand_over_cork() noexcept;
  void send_corked(size_t n, uint32_t messages);
  void requeue(const uint8_t* p, size_t sent, size_t n);
  void write_out();
  bool write_plain();
  bool write_sealed();
  bool send_cipher();
  void handed(OutFrame* f);
  void discard(OutFrame* f, mw_status why);
  void want_write(bool on);
  void write_failed();
  void watch();
  // session_calls.cpp
  mw_status call_here(const Order& o);
  mw_status answer_here(Request& r, const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags,
                        uint64_t op);
  mw_status reserve_call(int64_t cost, bool owed) noexcept;
  bool into_cork(const wire::Talk& t, const uint8_t* body, size_t len);
  OutFrame* compose_call(const wire::Talk& t, const uint8_t* body, size_t len, mw_msg* m, uint32_t flags, uint64_t op);
  void speak(OutFrame* f);
  static constexpr uint16_t wire_abnormal() noexcept { return 1006; }
  bool ever_up() const noexcept { return state_.load(std::memory_order_relaxed) != State::none; }
  bool blocked() const noexcept { return !out_.empty() || (sealed_ && !sealed_->cipher.empty()); }
  Rare& rare();
  Rare* rare_or_doom() noexcept;

  // session_life.cpp
  void start();
  void doom() noexcept;
  void begin_close(const CloseWish& wish);
  void finish(mw_status status, uint16_t code, std::string_view reason) noexcept;
  void start_close(uint16_t code, std::string_view reason);
  void closed_by_peer(uint16_t code, std::string_view reason);
  void linger();
  void after_output();
  bool keep_for_later(OutFrame* f);
  bool taken(OutFrame* f);
  void time_is_up();
  void beat();
  void arm_beat();
  void send_text(std::string_view text);
  friend class Speech;

  void count_in(uint64_t bytes) noexcept;
  void count_out(uint64_t bytes) noexcept;
  void count_message_in() noexcept;
  void count_message_out(uint64_t n = 1) noexcept;

  Party& party_;
  Counters* counters_ = nullptr;          // of the party on this lane
  loop::Object& self_;
  std::atomic<int64_t> queued_{0};        // bytes reserved
  std::atomic<int64_t> slow_at_{0};       // bytes that waited when SLOW was noted; negative: told; 0: not since WRITABLE
  std::atomic<bool> wants_{false};        // a sender waits for WRITABLE
  std::atomic<int> corks_{0};
  std::atomic<uint32_t> seed_interval_{30000};  // ms, told by a network-cluster provider
  std::atomic<bool> starved_{false};      // refused by the context's budget
  std::atomic<uint32_t> dropped_untold_{0};
  std::atomic<bool> parts_wait_{false};   // a request of this connection waits for WRITABLE
  std::atomic<bool> streaming_{false};    // a fragmented message is being sent
  std::atomic<State> state_{State::none};
  int fd_ = -1;
  wire::Role role_ = wire::Role::server;
  wire::Dialect dialect_ = wire::Dialect::raw;
  bool watching_write_ = false, in_poller_ = false;
  uint32_t watched_ = 0;                  // events the poller reports
  uint32_t corked_in_ = 0;                // the lane's turn after which it last had the cork
  bool paused_ = false, stalled_ = false;
  bool unread_ = false;                   // stalled before it read: the socket has something
  bool closed_here_ = false;              // the host closed: no more messages for it
  bool close_sent_ = false, close_received_ = false;
  bool alive_ = false;                    // bytes came since the last beat
  bool beat_waiting_ = false;             // a ping is unanswered
  bool eof_sent_ = false;
  bool doomed_ = false;                   // ends without memory at the next flush
  bool broken_ = false;                   // the kernel takes nothing more; what came before is still read
  bool transit_ = false;                  // see transit()
  uint8_t pongs_waiting_ = 0;             // in the outbox
  bool held_streaming_ = false;           // fragments are in the output: others wait in held_
  std::unique_ptr<net::Tls> tls_;
  std::unique_ptr<Inflow> in_;
  std::unique_ptr<Squeeze> squeeze_;
  std::unique_ptr<Speech> speech_;
  Outbox out_;
  std::unique_ptr<Sealed> sealed_;        // with TLS, when the kernel is slow
  std::unique_ptr<Rare> rare_;
  std::unique_ptr<Ending> ending_;
  uint64_t ping_at_ = 0;                  // us
};

}  // namespace mw::link
