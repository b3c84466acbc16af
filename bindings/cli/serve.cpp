// `meshwork serve`: a command answers the calls of a mesh. One thread.
#include "children.hpp"
#include "json.hpp"
#include "member.hpp"

#include <deque>
#include <map>

namespace cli {

namespace {

constexpr int64_t kDrainMs = 10'000;
constexpr size_t kWaiting = 16;  // requests a job that may wait; more go to other members

class Serve {
 public:
  explicit Serve(const ServeOptions& o)
      : o_(o), member_(o.mesh), children_(most_of(o)), service_(member_.node(), o.service, conf_of(o)) {
    service_.on_request([this](mw::Request r, const mw::Event& e) {
      waiting_.push_back({r, std::string(e.topic()), std::string(e.header("caller").value_or("")), std::string(e.text())});
      work();
    });
    service_.on_cancel([this](mw::Request r) {
      std::erase_if(waiting_, [&](const Job& j) { return j.request == r; });
      if (auto at = running_.find(r.id()); at != running_.end()) {
        children_.stop(at->second);
        running_.erase(at);
      }
      work();
    });
    member_.loop().on_quit([this] { children_.stop_all(); });
  }

  int run() {
    service_.start();
    if (!member_.join()) return member_.leave(), kFailed;
    member_.remarks().say("serves " + o_.service + " as " + field(member_.facts(), "name").value_or(""));
    if (o_.mesh.common.json) member_.output().line("{\"event\":\"serving\",\"facts\":" + member_.facts() + "}");
    bool readable = false, going = true;
    while (going) {
      going = member_.turn(-1, children_.fd(), readable);
      if (readable) turn_children();
    }
    // No new ones; what runs is finished, and answered.
    if (!member_.closed()) member_.node().drain(kDrainMs);
    while (!member_.closed()) {
      member_.turn(-1, children_.fd(), readable);
      if (readable) turn_children();
    }
    member_.leave();
    return kOk;
  }

 private:
  struct Job {
    mw::Request request;
    std::string method, caller, body;
  };

  // What an answer may hold: a caller with the same option takes so much.
  static size_t most_of(const ServeOptions& o) {
    mw::Conf context(MW_CONF_CTX), node(MW_CONF_NODE);
    apply(o.mesh.common.sets, node, context);
    return size_of(node.get("recv.max_message"));
  }

  static mw::Conf conf_of(const ServeOptions& o) {
    mw::Conf c(MW_CONF_SERVICE), none(MW_CONF_CTX);
    apply(o.sets, c, none);
    return c;
  }

  void turn_children() {
    children_.turn();
    work();
  }

  // As many at once as there are jobs; who waits is bounded.
  void work() {
    while (!waiting_.empty() && children_.running() < static_cast<size_t>(o_.jobs)) {
      Job job = std::move(waiting_.front());
      waiting_.pop_front();
      begin(std::move(job));
    }
    const bool full = waiting_.size() >= kWaiting * static_cast<size_t>(o_.jobs);
    if (full != std::exchange(paused_, full)) mw_pause(service_.id(), full ? 1 : 0);
  }

  void begin(Job job) {
    const mw::Request r = job.request;
    const std::string method = job.method, caller = job.caller;
    try {
      const uint64_t number = children_.run(o_.command, {"MESHWORK_METHOD=" + method, "MESHWORK_CALLER=" + caller}, std::move(job.body),
                                            [this, r, method, caller](Children::Ended e) { answer(r, method, caller, std::move(e)); });
      if (r) running_[r.id()] = number;
    } catch (const Failure& f) {
      r.fail("{\"message\":" + json_text(f.what()) + "}");
      member_.remarks().say(f.what());
    }
  }

  void answer(mw::Request r, const std::string& method, const std::string& caller, Children::Ended e) {
    running_.erase(r.id());
    std::string why;
    mw_status status = MW_EREMOTE;
    if (e.too_long) {
      status = MW_ETOOBIG;
      why = "the answer is longer than recv.max_message";
    } else if (e.code != 0) {
      why = !e.wrong.empty() && is_utf8(e.wrong) ? e.wrong : "the command ended with " + std::to_string(e.code);
    } else if (r) {
      status = r.reply(mw::Message(e.said, is_utf8(e.said) ? uint32_t{MW_F_TEXT} : 0));
      if (status < 0 && status != MW_ECLOSED) why = mw_status_text(status);  // else nobody waits any more
    }
    if (!why.empty() && r) r.fail("{\"message\":" + json_text(why) + ",\"exit\":" + std::to_string(e.code) + "}", status);
    const std::string what = why.empty() ? "answered" : "failed";
    if (o_.mesh.common.json)
      member_.output().line("{\"event\":\"" + what + "\",\"method\":" + json_text(method) + ",\"caller\":" + json_text(caller) +
                            ",\"exit\":" + std::to_string(e.code) + (why.empty() ? "" : ",\"message\":" + json_text(why)) + "}");
    else if (!why.empty())
      member_.remarks().say(method + " for " + caller + " failed: " + why);
  }

  const ServeOptions& o_;
  Member member_;
  Children children_;
  mw::Service service_;
  std::deque<Job> waiting_;
  std::map<mw_handle, uint64_t> running_;
  bool paused_ = false;
};

}  // namespace

int serve(const ServeOptions& options) { return Serve(options).run(); }

}  // namespace cli
