// A queue between producers that come and go and workers that answer, fail, give
// back or forget what they have: every call has one DONE, and one answer at most
// is taken for it; of one key one runs at a time, in the order of its producer.
#include "stress/rig.hpp"

#include <deque>
#include <map>

using namespace rig;

namespace {

constexpr int kProducers = 5, kCalls = 240, kKeys = 12, kWorkers = 4;

class Queues : public testing::TestWithParam<Door> {};
INSTANTIATE_TEST_SUITE_P(Doors, Queues, testing::Values(Door::inline_, Door::dispatch, Door::queue),
                         [](auto& i) { return std::string(name(i.param)); });

// "producer key number", of a call.
struct What {
  int producer = 0, key = 0, number = 0;
  explicit What(std::string_view body) {
    if (std::sscanf(std::string(body).c_str(), "%d %d %d", &producer, &key, &number) != 3) ADD_FAILURE() << body;
  }
};

// The side that works: what comes in is shared by its threads.
class Works {
 public:
  void event(const mw_event& ev, std::string_view body) {
    std::lock_guard lock(mutex_);
    if (ev.kind == MW_EVENT_CANCEL) over(ev.id);
    if (ev.kind != MW_EVENT_REQUEST) return;
    const What w(body);
    ++begun;
    if (!running_.emplace(w.key, ev.id).second) ADD_FAILURE() << "two of key " << w.key << " run at once";
    int& last = last_[{w.producer, w.key}];
    if (w.number < last) ADD_FAILURE() << "call " << w.number << " of key " << w.key << " after " << last;
    last = w.number;
    key_of_[ev.id] = w.key;
    waiting_.emplace_back(ev.id, body);
    changed_.notify_one();
  }
  void work(uint64_t seed) {
    Dice dice(seed);
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return over_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto [request, body] = std::move(waiting_.front());
      waiting_.pop_front();
      const uint32_t how = dice(20);
      if (how == 0) continue;  // forgotten: the lease ends it
      over(request);
      lock.unlock();
      mw_status s = MW_OK;
      if (how < 4) {
        s = mw_fail(request, MW_EAGAIN, nullptr, 0, MW_FAIL_RETRY);
      } else if (how == 4) {
        s = mw_fail(request, 0, nullptr, 0, 0);
        if (s >= 0) taken(body, MW_EREMOTE);
      } else {
        mw_msg* m = mw_msg_new(body.data(), body.size(), 0);
        s = mw_reply(request, m, 0, 0);
        mw_msg_unref(m);
        if (s >= 0) taken(body, MW_OK);
      }
      if (s < 0) EXPECT_EQ(s, MW_ECLOSED) << mw_status_name(s);  // its time was over, or its caller went
    }
  }
  void end() {
    std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }
  std::map<std::string, std::vector<mw_status>> answers;  // that were taken
  size_t begun = 0;

 private:
  void over(mw_handle request) {
    const auto at = key_of_.find(request);
    if (at == key_of_.end()) return;
    const auto run = running_.find(at->second);
    if (run != running_.end() && run->second == request) running_.erase(run);
    key_of_.erase(at);
  }
  void taken(const std::string& body, mw_status status) {
    std::lock_guard lock(mutex_);
    answers[body].push_back(status);
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<mw_handle, std::string>> waiting_;
  std::map<int, mw_handle> running_;  // by key
  std::map<mw_handle, int> key_of_;
  std::map<std::pair<int, int>, int> last_;
  bool over_ = false;
};

struct Producer {
  std::mutex mutex;
  std::map<uint64_t, std::string> made;
  std::map<uint64_t, std::vector<std::pair<mw_status, std::string>>> done;
  void event(const mw_event& ev, std::string_view body) {
    if (ev.kind != MW_EVENT_DONE || ev.id == 0) return;
    std::lock_guard lock(mutex);
    done[ev.id].emplace_back(ev.status, body);
  }
};

TEST_P(Queues, NothingIsLostAndNothingDoneTwice) {
  Works works;
  Host host(GetParam(), {}, [&](const mw_event& ev, std::string_view body) { works.event(ev, body); });
  mw_handle p = host.provider({{"wire", "meshwork"}}), service = 0;
  const Conf conf(MW_CONF_SERVICE, {{"queue", "memory"}, {"queue.parallel", "8"}, {"queue.lease", "100ms"}, {"queue.backoff", "1ms"},
                                    {"queue.attempts", "1000"}});
  mw_error err{};
  ASSERT_EQ(mw_serve(p, "jobs", MW_NTS, conf, 3, &service, &err), MW_OK) << err.text;
  const std::string url = host.listen(p);

  Producer producers[kProducers];
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<mw_handle> links;
  for (Producer& of : producers) {
    hosts.push_back(std::make_unique<Host>(GetParam(), Options{}, [&of](const mw_event& ev, std::string_view body) { of.event(ev, body); }));
    links.push_back(hosts.back()->consumer(url, {{"wire", "meshwork"}}));
    ASSERT_EQ(mw_start(links.back(), 0, nullptr), MW_OK);
    ASSERT_TRUE(hosts.back()->wait_kind(MW_EVENT_UP, 1));
  }
  Crowd workers;
  for (int i = 0; i < kWorkers; ++i) workers.add([&works, i] { works.work(static_cast<uint64_t>(i) + 7); });
  // However this ends: they are joined then.
  struct Ends {
    Works& works;
    ~Ends() { works.end(); }
  } const ends{works};
  workers.go();
  {
    Crowd crowd;
    for (int i = 0; i < kProducers; ++i)
      crowd.add([&, i] {
        Producer& of = producers[i];
        int number[kKeys] = {};
        Dice dice(static_cast<uint64_t>(i) + 100);
        for (uint64_t op = 1; op <= kCalls; ++op) {
          const int key = static_cast<int>(dice(kKeys));
          const std::string body = std::to_string(i) + " " + std::to_string(key) + " " + std::to_string(++number[key]);
          const std::string label = std::to_string(key);
          mw_msg* m = mw_msg_new(body.data(), body.size(), 0);
          mw_msg_set(m, "queue.key", MW_NTS, label.data(), label.size());
          const mw_status s = mw_call(links[static_cast<size_t>(i)], "jobs.do", MW_NTS, m, nullptr, -1, 0, 0, op, nullptr);
          mw_msg_unref(m);
          if (s < 0) ADD_FAILURE() << mw_status_name(s);
          std::lock_guard lock(of.mutex);
          of.made[op] = body;
        }
        // Some go while their calls wait or run.
        if (i % 2 != 0) hosts[static_cast<size_t>(i)]->end();
      });
  }
  for (int i = 0; i < kProducers; i += 2) ASSERT_TRUE(hosts[static_cast<size_t>(i)]->wait_kind(MW_EVENT_DONE, kCalls, 120s));
  for (auto& h : hosts) h->end();
  works.end();
  workers.join();
  host.end();

  for (int i = 0; i < kProducers; ++i) {
    const bool stayed = i % 2 == 0;
    Producer& of = producers[i];
    ASSERT_EQ(of.made.size(), static_cast<size_t>(kCalls));
    for (const auto& [op, body] : of.made) {
      ASSERT_EQ(of.done[op].size(), 1u) << body;
      const auto& [status, text] = of.done[op].front();
      const auto answers = works.answers[body];
      EXPECT_LE(answers.size(), 1u) << body << " was answered twice";
      if (!stayed) continue;
      ASSERT_EQ(answers.size(), 1u) << body << " ended with " << mw_status_name(status);
      EXPECT_EQ(status, answers.front()) << body;
      if (status == MW_OK) EXPECT_EQ(text, body);
    }
  }
  EXPECT_GE(works.begun, static_cast<size_t>(kCalls) * 3);
}

}  // namespace
