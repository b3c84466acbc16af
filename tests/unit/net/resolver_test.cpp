// Names: numbers, localhost, a DNS server of the test's own; and what happens
// when it is slow, wrong or silent.
#include "net/resolver.hpp"

#include "net/reactor.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using namespace mw;
using net::SocketAddress;

// A question (RFC 1035 section 4.1) as this test's server sees it.
struct Question {
  std::string name;  // "a.example."
  int type;          // 1 A, 28 AAAA
};
// Addresses to answer with; no value: silence.
using Zone = std::function<std::optional<std::vector<std::string>>(const Question&)>;

class NameServer {
 public:
  // rcode: of answers without addresses (3: there is no such name).
  explicit NameServer(Zone zone, int rcode = 0) : zone_(std::move(zone)), rcode_(rcode) {
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t n = sizeof a;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&a), n), 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &n);
    address = "127.0.0.1:" + std::to_string(ntohs(a.sin_port));
    over_ = ::eventfd(0, EFD_CLOEXEC);
    thread_ = std::thread([this] { run(); });
  }
  ~NameServer() {
    uint64_t one = 1;
    (void)!::write(over_, &one, sizeof one);
    thread_.join();
    ::close(over_);
    ::close(fd_);
  }
  std::string address;
  std::atomic<int> asked{0};

 private:
  void run() {
    for (;;) {
      pollfd p[2] = {{fd_, POLLIN, 0}, {over_, POLLIN, 0}};
      ::poll(p, 2, -1);
      if (p[1].revents != 0) return;
      uint8_t q[512];
      sockaddr_in from{};
      socklen_t n = sizeof from;
      ssize_t len = ::recvfrom(fd_, q, sizeof q, 0, reinterpret_cast<sockaddr*>(&from), &n);
      if (len < 12) continue;
      Question question;
      size_t at = 12;
      while (q[at] != 0) {
        question.name.append(reinterpret_cast<char*>(q + at + 1), q[at]).append(".");
        at += q[at] + 1u;
      }
      question.type = q[at + 2];
      at += 5;
      ++asked;
      auto answers = zone_(question);
      if (!answers) continue;
      std::string r(reinterpret_cast<char*>(q), at);
      r[2] = '\x81';
      r[3] = static_cast<char>(0x80 | (answers->empty() ? rcode_ : 0));
      r[6] = 0;
      r[7] = static_cast<char>(answers->size());
      r[8] = r[9] = r[10] = r[11] = 0;
      for (const std::string& ip : *answers) {
        uint8_t bytes[16];
        bool v6 = ::inet_pton(AF_INET6, ip.c_str(), bytes) == 1;
        if (!v6) ::inet_pton(AF_INET, ip.c_str(), bytes);
        const char head[] = {'\xc0', 12, 0, static_cast<char>(v6 ? 28 : 1), 0, 1, 0, 0, 0, 9, 0, static_cast<char>(v6 ? 16 : 4)};
        r.append(head, sizeof head).append(reinterpret_cast<char*>(bytes), v6 ? 16 : 4);
      }
      ::sendto(fd_, r.data(), r.size(), 0, reinterpret_cast<sockaddr*>(&from), n);
    }
  }
  Zone zone_;
  int rcode_, fd_, over_;
  std::thread thread_;
};

using Found = base::Result<std::vector<SocketAddress>>;

std::vector<std::string> texts(const Found& f) {
  std::vector<std::string> all;
  if (!f) return {f.error().text};
  for (auto& e : *f) all.push_back(net::text_of(e));
  return all;
}

Found ask(const std::string& host, const std::string& servers = "", uint16_t port = 80) {
  net::asio::io_context io;
  std::optional<Found> found;
  auto all = [&]() -> net::Task<void> { found = co_await net::resolve(host, port, servers); };
  net::asio::co_spawn(io, all(), [](std::exception_ptr e) { EXPECT_EQ(e, nullptr); });
  io.run();
  EXPECT_TRUE(found.has_value());
  return found ? *found : Found(base::Error{});
}

using Texts = std::vector<std::string>;

TEST(Resolver, NumbersNeedNobody) {
  EXPECT_EQ(texts(ask("192.0.2.7", "127.0.0.1:1")), Texts{"192.0.2.7:80"});
  EXPECT_EQ(texts(ask("2001:db8::1", "127.0.0.1:1")), Texts{"[2001:db8::1]:80"});
  EXPECT_EQ(texts(ask("fe80::1%lo", "127.0.0.1:1")), Texts{"[fe80::1]:80"});
}

TEST(Resolver, LocalhostNeverLeavesTheHost) {
  NameServer dns([](const Question&) { return Texts{"192.0.2.66"}; });
  for (const char* name : {"localhost", "LOCALHOST", "localhost.", "a.b.localhost"}) {
    EXPECT_EQ(texts(ask(name, dns.address)), (Texts{"127.0.0.1:80", "[::1]:80"})) << name;
  }
  EXPECT_EQ(dns.asked, 0);
}

TEST(Resolver, AllAddressesOfBothFamilies) {
  NameServer dns([](const Question& q) {
    EXPECT_EQ(q.name, "many.example.");
    return q.type == 1 ? Texts{"127.0.0.1", "127.0.0.2"} : Texts{"::1"};
  });
  Texts all = texts(ask("many.example.", dns.address, 8080));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (Texts{"127.0.0.1:8080", "127.0.0.2:8080", "[::1]:8080"}));
}

TEST(Resolver, OneFamilyIsEnough) {
  NameServer dns([](const Question& q) { return q.type == 28 ? Texts{"::1"} : Texts{}; });
  EXPECT_EQ(texts(ask("six.example.", dns.address)), Texts{"[::1]:80"});
}

TEST(Resolver, NoSuchName) {
  NameServer dns([](const Question&) { return Texts{}; }, 3);
  Found f = ask("absent.example.", dns.address);
  ASSERT_FALSE(f);
  EXPECT_EQ(f.error().code, MW_ERESOLVE);
  EXPECT_NE(f.error().text.find("there is no host \"absent.example.\""), std::string::npos) << f.error().text;
}

TEST(Resolver, NoAddress) {
  NameServer dns([](const Question&) { return Texts{}; });
  Found f = ask("mail-only.example.", dns.address);
  ASSERT_FALSE(f);
  EXPECT_EQ(f.error().code, MW_ERESOLVE);
  EXPECT_NE(f.error().text.find("has no address"), std::string::npos) << f.error().text;
}

TEST(Resolver, NobodyServes) {
  std::string gone;
  { gone = NameServer([](const Question&) { return Texts{}; }).address; }
  Found f = ask("x.example.", gone);
  ASSERT_FALSE(f);
  EXPECT_EQ(f.error().code, MW_ERESOLVE);
  EXPECT_NE(f.error().text.find("no name server answered"), std::string::npos) << f.error().text;
}

TEST(Resolver, CancelledWhileTheServerIsSilent) {
  std::atomic<bool> asked{false};
  net::asio::io_context io;
  net::asio::cancellation_signal stop;
  NameServer dns([&](const Question&) -> std::optional<Texts> {
    if (!asked.exchange(true)) net::asio::post(io, [&] { stop.emit(net::asio::cancellation_type::terminal); });
    return {};
  });
  bool ended = false;
  auto all = [&]() -> net::Task<void> { (void)co_await net::resolve("silent.example.", 80, dns.address); };
  net::asio::co_spawn(io, all(), net::asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) {
                        EXPECT_NE(e, nullptr) << "torn down";
                        ended = true;
                      }));
  auto began = std::chrono::steady_clock::now();
  io.run();  // returns at once: no timer, no socket is left
  EXPECT_TRUE(ended);
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(2)) << "c-ares would wait 5 s";
}

TEST(Resolver, FamiliesTakeTurns) {
  auto v4 = [](const char* ip) { return (*ask(ip))[0]; };
  auto order = [&](std::vector<const char*> in) {
    std::vector<SocketAddress> all;
    for (auto ip : in) all.push_back(v4(ip));
    Texts out;
    for (auto& e : net::interleave(all)) out.push_back(net::text_of(e));
    return out;
  };
  EXPECT_EQ(order({"::1", "::2", "::3", "10.0.0.1", "10.0.0.2"}),
            (Texts{"[::1]:80", "10.0.0.1:80", "[::2]:80", "10.0.0.2:80", "[::3]:80"}));
  EXPECT_EQ(order({"10.0.0.1", "10.0.0.2"}), (Texts{"10.0.0.1:80", "10.0.0.2:80"}));
}

}  // namespace
