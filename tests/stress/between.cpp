// What a host-turned context is sent between its turns, by single sends and by
// records, to many peers in turn and one after the other; and that a peer with
// much to say does not silence the others where the slab is small.
#include "stress/rig.hpp"

#include <map>

using namespace rig;

namespace {

constexpr int kPeers = 24, kEach = 400;

std::string numbered(int n, size_t size) {
  std::string body = std::to_string(n) + " ";
  if (body.size() < size) body.resize(size, 'x');
  return body;
}

// Answers in bunches between the turns, as a batch of take was dealt with.
class Answers {
 public:
  Answers(bool records, bool in_turn) : records_(records), in_turn_(in_turn) {}
  void add(mw_handle peer, std::string_view body) { kept_.emplace_back(peer, body); }
  size_t size() const { return kept_.size(); }
  void send(mw_handle ctx) {
    // As they came: runs of one peer. In turn: each next one to another peer.
    std::map<mw_handle, std::vector<std::string>> of;
    std::vector<std::pair<mw_handle, std::string>> all;
    if (in_turn_) {
      for (auto& [peer, body] : kept_) of[peer].push_back(body);
      for (size_t k = 0; all.size() < kept_.size(); ++k)
        for (auto& [peer, bodies] : of)
          if (k < bodies.size()) all.emplace_back(peer, bodies[k]);
    } else {
      all = kept_;
    }
    kept_.clear();
    if (!records_) {
      for (auto& [peer, body] : all) EXPECT_GE(mw_send_bytes(peer, body.data(), body.size(), 0), 0);
      return;
    }
    std::vector<mw_event> ev(all.size());
    std::string base;
    for (size_t i = 0; i < all.size(); ++i) {
      ev[i].peer = all[i].first;
      ev[i].offset = static_cast<uint32_t>(base.size());
      ev[i].body_len = static_cast<uint32_t>(all[i].second.size());
      base += all[i].second;
    }
    EXPECT_EQ(mw_send_records(ctx, ev.data(), sizeof(mw_event), ev.size(), base.data()), MW_OK);
    for (auto& e : ev) EXPECT_GE(e.status, 0) << mw_status_name(e.status);
  }

 private:
  const bool records_, in_turn_;
  std::vector<std::pair<mw_handle, std::string>> kept_;
};

}  // namespace

TEST(Between, AnswersKeepTheirOrder) {
  for (bool records : {false, true})
    for (bool in_turn : {false, true})
      for (size_t size : {10u, 1000u}) {
        SCOPED_TRACE(std::string(records ? "records" : "bytes") + (in_turn ? " in turn " : " in runs ") + std::to_string(size));
        Answers answers(records, in_turn);
        mw_handle ctx = 0;
        size_t left = size_t{kPeers} * kEach;
        Host server(Door::turn, {}, [&](const mw_event& ev, std::string_view body) {
          if (ev.kind != MW_EVENT_MESSAGE) return;
          answers.add(ev.peer, body);
          if (answers.size() == std::min<size_t>(left, 200)) {
            left -= answers.size();
            answers.send(ctx);
          }
        }, 256, 64 << 10);
        ctx = server.ctx;
        std::string url = server.listen(server.provider({{"send.max_bytes", "64MiB"}, {"heartbeat.interval", "0"}}));
        int next[kPeers] = {};
        Host client(Door::inline_, {}, [&](const mw_event& ev, std::string_view body) {
          if (ev.kind == MW_EVENT_MESSAGE) EXPECT_EQ(std::stoi(std::string(body.substr(0, 8))), next[ev.token]++);
        });
        std::vector<mw_handle> consumers;
        for (int i = 0; i < kPeers; ++i) {
          consumers.push_back(client.consumer(url, {{"send.max_bytes", "64MiB"}}, static_cast<uint64_t>(i)));
          ASSERT_EQ(mw_start(consumers.back(), 0, nullptr), MW_OK);
        }
        ASSERT_TRUE(client.wait_kind(MW_EVENT_UP, kPeers));
        for (int n = 0; n < kEach; ++n)
          for (mw_handle c : consumers) {
            std::string body = numbered(n, size);
            ASSERT_GE(mw_send_bytes(c, body.data(), body.size(), 0), 0);
          }
        EXPECT_TRUE(client.wait_kind(MW_EVENT_MESSAGE, size_t{kPeers} * kEach));
        client.end();
        server.end();
        for (int n : next) EXPECT_EQ(n, kEach);
      }
}

TEST(Between, AFloodSilencesNobody) {
  // Two of them never stop; the slab holds eight messages at once.
  Host server(Door::turn, {}, [&](const mw_event& ev, std::string_view body) {
    if (ev.kind == MW_EVENT_MESSAGE && body[0] == 'a') mw_send_bytes(ev.peer, body.data(), body.size(), 0);
  }, 64, 8 << 10);
  std::string url = server.listen(server.provider());
  Host flood(Door::inline_);
  std::atomic<bool> over{false};
  Crowd crowd;
  std::vector<mw_handle> floods = {flood.consumer(url), flood.consumer(url)};
  for (mw_handle c : floods) ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  ASSERT_TRUE(flood.wait_kind(MW_EVENT_UP, 2));
  for (mw_handle c : floods)
    crowd.add([&, c] {
      const std::string body(1000, 'f');
      while (!over) {
        uint64_t seen = flood.count(MW_EVENT_WRITABLE);
        mw_status s = mw_send_bytes(c, body.data(), body.size(), 0);
        if (s == MW_EAGAIN) flood.wait_kind(MW_EVENT_WRITABLE, seen + 1, 100ms);
      }
    });
  crowd.go();
  mw_handle consumers[kPeers] = {};
  std::atomic<int> done{0}, answers[kPeers] = {};
  Host client(Door::inline_, {}, [&](const mw_event& ev, std::string_view) {
    if (ev.kind != MW_EVENT_UP && ev.kind != MW_EVENT_MESSAGE) return;
    if (ev.kind == MW_EVENT_MESSAGE && ++answers[ev.token] == 20) ++done;
    if (done < kPeers) mw_send_bytes(consumers[ev.token], "ask", 3, 0);
  });
  for (uint64_t i = 0; i < kPeers; ++i) consumers[i] = client.consumer(url, {}, i);
  for (mw_handle c : consumers) ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
  EXPECT_TRUE(client.wait([&] { return done == kPeers; }));
  over = true;
  crowd.join();
  client.end();
  flood.end();
  server.end();
}
