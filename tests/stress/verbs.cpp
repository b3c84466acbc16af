// Many threads send, close, subscribe, publish and ask on the same handles;
// every accepted op has one DONE, every peer one PEER_DOWN.
#include "stress/rig.hpp"

#include <map>

using namespace rig;

namespace {

struct Ledger {
  std::mutex mutex;
  std::map<uint64_t, int> done;
  std::map<mw_handle, int> up, down;
  void note(const mw_event& ev) {
    std::lock_guard lock(mutex);
    if (ev.kind == MW_EVENT_DONE) done[ev.id]++;
    if (ev.kind == MW_EVENT_PEER_UP) up[ev.peer]++;
    if (ev.kind == MW_EVENT_PEER_DOWN) down[ev.peer]++;
    if (ev.kind == MW_EVENT_MESSAGE && ev.peer && down.count(ev.peer)) ADD_FAILURE() << "MESSAGE after PEER_DOWN";
  }
};

}  // namespace

class Verbs : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Verbs, testing::ValuesIn(kDoors), [](auto& i) { return std::string(name(i.param)); });

TEST_P(Verbs, ManyThreadsOnTheSameHandles) {
  Ledger at_provider, at_consumer;
  std::atomic<mw_handle> peers[8] = {};
  std::atomic<uint32_t> next{0};
  Options lanes;
  if (GetParam() != Door::run && GetParam() != Door::turn) lanes = {{"threads", "2"}};
  Host server(GetParam(), lanes, [&](const mw_event& ev, std::string_view) {
    at_provider.note(ev);
    if (ev.kind == MW_EVENT_PEER_UP) peers[next++ & 7] = ev.peer;
    if (ev.kind == MW_EVENT_MESSAGE) mw_send_bytes(ev.peer, "echo", 4, MW_F_TEXT);
  });
  mw_handle p = server.provider({{"send.max_bytes", "64KiB"}, {"send.overflow", "drop_new"}});
  std::string url = server.listen(p);
  Host client(GetParam(), {}, [&](const mw_event& ev, std::string_view) { at_consumer.note(ev); });
  std::vector<mw_handle> consumers;
  for (int i = 0; i < 4; i++) {
    consumers.push_back(client.consumer(url, {{"reconnect.interval", "5ms"}}, 10 + static_cast<uint64_t>(i)));
    ASSERT_EQ(mw_start(consumers.back(), 0, nullptr), MW_OK);
  }
  ASSERT_TRUE(server.wait_kind(MW_EVENT_PEER_UP, 4));

  std::atomic<uint64_t> op{1};
  std::mutex accepted_mutex;
  std::vector<uint64_t> of_provider, of_consumer;
  auto keep = [&](std::vector<uint64_t>& list, uint64_t o, mw_status s) {
    if (s < 0) return;
    std::lock_guard lock(accepted_mutex);
    list.push_back(o);
  };
  Crowd crowd;
  for (uint64_t t = 0; t < 4; t++)
    crowd.add([&, t] {
      Dice dice(t + 3);
      mw_msg* m = mw_msg_new("a message of some size ........................................", 60, MW_F_TEXT);
      for (int i = 0; i < 3000; i++) {
        mw_handle peer = peers[dice(8)], c = consumers[dice(4)];
        uint64_t o = op++;
        int64_t value = 0;
        switch (dice(12)) {
          case 0: case 1: keep(of_provider, o, peer ? mw_send(peer, m, 0, o) : MW_ECLOSED); break;
          case 2: case 3: keep(of_consumer, o, mw_send(c, m, 0, o)); break;
          case 4: mw_send_bytes(c, "x", 1, 0); break;
          case 5: if (peer) keep(of_provider, o, mw_subscribe(peer, "a/#", 3, nullptr, 0, o, nullptr, nullptr)); break;
          case 6: keep(of_provider, o, mw_publish(p, "a/b", 3, m, 0, 0, o)); break;
          case 7: if (peer) keep(of_provider, o, mw_unsubscribe(peer, "a/#", 3, o)); break;
          case 8: if (peer) mw_subscribed(peer, "a/b", 3), mw_stat(peer, MW_STAT_BUFFERED, &value); break;
          case 9: keep(of_provider, o, mw_info(p, "peers", 5, nullptr, o, nullptr)); break;
          case 10: if (peer && i % 16 == 0) mw_close(peer, 4000, "shuffle", 7, dice(2) ? MW_CLOSE_ABORT : 0); break;
          case 11: keep(of_consumer, o, mw_start(c, o, nullptr)); mw_cork(c, 1), mw_cork(c, 0); break;
        }
      }
      mw_msg_unref(m);
    });
  crowd.go();
  crowd.join();
  client.end();
  server.end();
  for (uint64_t o : of_provider) EXPECT_EQ(at_provider.done[o], 1) << "op " << o << " at the provider";
  for (uint64_t o : of_consumer) EXPECT_EQ(at_consumer.done[o], 1) << "op " << o << " at the consumer";
  EXPECT_EQ(at_provider.up, at_provider.down);
  EXPECT_GE(of_provider.size() + of_consumer.size(), 1000u);
}

// Everything is closed from one thread while others use it.
TEST_P(Verbs, CloseUnderUse) {
  for (int round = 0; round < 10; round++) {
    Host server(GetParam());
    mw_handle p = server.provider();
    std::string url = server.listen(p);
    Host client(GetParam());
    mw_handle c = client.consumer(url);
    ASSERT_EQ(mw_start(c, 0, nullptr), MW_OK);
    ASSERT_TRUE(server.wait_kind(MW_EVENT_PEER_UP, 1));
    mw_handle peer = server.peer(0);
    Crowd crowd;
    for (int t = 0; t < 3; t++)
      crowd.add([&] {
        for (int i = 0; i < 400; i++) {
          mw_send_bytes(peer, "to the consumer", 15, 0);
          mw_send_bytes(c, "to the provider", 15, 0);
          mw_state(p);
        }
      });
    crowd.add([&] { mw_close(round % 2 ? c : peer, 4001, "now", 3, round % 3 ? 0 : MW_CLOSE_ABORT); });
    if (round % 4 == 3) crowd.add([&] { mw_close(p, 1001, "", 0, 0); });
    crowd.go();
    crowd.join();
    client.end();
    server.end();
  }
}
