// The provider of `make demo`: publishes a file line by line, over TLS, to
// consumers that know the key, as fast as the consumers that must not lose
// anything read. One thread.
//
// A consumer says "start NAME N" after each connect: it has N lines already.
// It is sent what it missed, one by one, and then subscribed to the stream.
// One named "slow" is never waited for: the overflow policy acts on it. One
// without files, a browser, says what it got: "result NAME FACTS".
//
//   demo_provider INPUT CERT KEY SECRET-FILE CONSUMERS
//
// Standard output tells the script what happens, a line each; the end of
// standard input ends the provider.
#include <meshwork/meshwork.hpp>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

namespace {

constexpr int64_t kBound = 1 << 20;  // send.max_bytes
constexpr size_t kBatch = 512;

std::vector<std::string_view> lines_of(const char* path) {
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  struct stat st {};
  if (fd < 0 || ::fstat(fd, &st) != 0) throw std::runtime_error(std::string("cannot read ") + path);
  std::vector<std::string_view> lines;
  if (st.st_size == 0) return lines;
  const auto size = static_cast<size_t>(st.st_size);
  void* at = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (at == MAP_FAILED) throw std::runtime_error(std::string("cannot map ") + path);
  std::string_view rest(static_cast<const char*>(at), size);
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    lines.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return lines;
}

std::string key_of(const char* path) {
  std::string key;
  if (!std::getline(std::ifstream(path), key)) throw std::runtime_error(std::string("cannot read ") + path);
  return "{\"key\":\"" + key + "\"}";
}

class Demo {
 public:
  explicit Demo(char** args)
      : lines_(lines_of(args[0])), expected_(std::stoul(args[4])), ctx_({{"threads", 0}}),
        provider_(ctx_, {{"host", "127.0.0.1"}, {"port", 0}, {"tls.cert_file", args[1]}, {"tls.key_file", args[2]},
                         {"auth.parameters", key_of(args[3])}, {"send.max_bytes", kBound},
                         {"send.overflow", "drop_old"}, {"http.origins", "null"}}) {
    provider_.on_up([this] { tell("listening " + provider_.handle().info("address")); });
    provider_.on_message([this](mw::Peer peer, std::string_view text) { joined(peer, std::string(text)); });
    provider_.on_peer_down([this](mw::Peer peer, const mw::Event& e) {
      auto node = peers_.extract(peer.id());
      if (!node) return;
      if (node.mapped().name == "cli-2") held_ = false;
      tell("left " + node.mapped().name + " " + std::to_string(e.code()));
    });
    provider_.on_slow([this](mw::Peer peer) { ++slow_[peers_[peer.id()].name]; });
    provider_.on_dropped([this](mw::Peer peer, const mw::Event& e) { dropped_[peers_[peer.id()].name] += e.code(); });
    provider_.start([](mw_status s, const mw::Event& e) {
      if (s < 0) throw mw::Error(s, std::string(e.text()));
    });
  }

  void run() {
    pollfd p[2] = {{ctx_.fd(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (p[1].revents == 0) {  // the script closes it when every consumer is done
      const bool busy = step();
      ::poll(p, 2, busy || ctx_.more() ? 0 : begun_ ? 2 : -1);
      ctx_.run(0);
    }
    for (const auto& [name, count] : slow_) tell("slow " + name + " " + std::to_string(count));
    for (const auto& [name, count] : dropped_) tell("dropped " + name + " " + std::to_string(count));
    tell("end");
  }

 private:
  struct Reader {
    std::string name;
    size_t next = 0;    // line to send next, while it catches up
    bool joining = false;  // its subscription is on the way
    bool live = false;     // subscribed to the stream
    bool closing = false;
  };

  void joined(mw::Peer peer, std::string text) {
    if (text.starts_with("result ")) return tell(text);
    std::istringstream words(text);
    std::string start;
    Reader r;
    if (!(words >> start >> r.name >> r.next) || start != "start" || r.next > lines_.size()) {
      peer.close(1008, "expected: start NAME LINES");
      return;
    }
    tell("joined " + r.name + " " + std::to_string(r.next));
    peers_[peer.id()] = r;
    begun_ = begun_ || peers_.size() == expected_;
  }

  // One batch to whoever can take it; false when there is nothing to do now.
  bool step() {
    if (!begun_) return false;
    bool busy = false, room = true;
    for (auto& [id, r] : peers_) {
      const mw::Peer peer(id);
      if (!r.live && !r.joining) busy |= catch_up(peer, r);
      else if (r.name != "slow") room &= peer.stat(MW_STAT_BUFFERED) < kBound / 2;
      if (head_ == lines_.size() && r.live && !r.closing && r.name == "slow") {
        r.closing = true;  // the others leave by themselves: they know the number of lines
        peer.close(1000, "end of the input");
      }
    }
    if (!room || held_ || head_ == lines_.size()) return busy;
    for (size_t n = 0; n < batch_ && head_ < lines_.size(); ++n) provider_.publish("lines", message(head_++));
    milestones();
    return true;
  }

  bool catch_up(mw::Peer peer, Reader& r) {
    size_t n = 0;
    while (r.next < head_ && n < kBatch && peer.stat(MW_STAT_BUFFERED) < kBound / 2) {
      peer.send(message(r.next++));
      ++n;
    }
    if (r.next < head_) return n > 0;
    r.joining = true;
    provider_.subscribe(peer, "lines", [this, peer](mw_status s, const mw::Event&) {
      const auto it = peers_.find(peer.id());
      if (s < 0 || it == peers_.end()) return;
      while (it->second.next < head_) peer.send(message(it->second.next++));  // published meanwhile
      it->second.live = true;
    });
    return n > 0;
  }

  mw::Message message(size_t line) const {
    const std::string_view text = lines_[line];
    mw_msg* m = mw_msg_new(text.data(), text.size(), MW_F_TEXT);
    mw::Message out(m != nullptr ? m : mw_msg_new(text.data(), text.size(), 0));  // not UTF-8: as bytes
    if (line % 16 == 0) {
      timespec t{};
      clock_gettime(CLOCK_REALTIME, &t);
      out.header("sent", std::to_string(int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec));
    }
    return out;
  }

  void milestones() {
    const size_t percent = head_ * 100 / lines_.size();
    if (percent == percent_) return;
    for (size_t p = percent_ + 1; p <= percent; ++p) {
      tell("at " + std::to_string(p));
      held_ |= p == 30;  // until the script has killed cli-2, however short the input
      if (p != 50) continue;
      for (auto& [id, r] : peers_)
        if (r.name == "c++") mw::Peer(id).abort();  // as a broken network would
    }
    percent_ = percent;
  }

  static void tell(const std::string& line) { std::cout << line << std::endl; }

  std::vector<std::string_view> lines_;
  size_t expected_, batch_ = std::clamp<size_t>(lines_.size() / 100, 1, kBatch), head_ = 0, percent_ = 0;
  bool begun_ = false, held_ = false;
  std::map<mw_handle, Reader> peers_;
  std::map<std::string, int64_t> slow_, dropped_;
  mw::Context ctx_;
  mw::Provider provider_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 6) return std::fputs("usage: demo_provider INPUT CERT KEY SECRET-FILE CONSUMERS\n", stderr), 2;
  Demo(argv + 1).run();
  return 0;
} catch (const std::exception& e) {
  std::cerr << "demo_provider: " << e.what() << '\n';
  return 1;
}
