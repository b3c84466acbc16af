// Where a provider listens, and what it says when it cannot.
#include "kit/folder.hpp"
#include "kit/process.hpp"
#include "unit/net/site.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace site;

namespace {

int listening_socket(uint16_t* port) {
  int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  EXPECT_EQ(::listen(fd, 8), 0);
  socklen_t n = sizeof a;
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&a), &n);
  *port = ntohs(a.sin_port);
  return fd;
}

void expect_peer(Site& s, Client c) {
  ASSERT_TRUE(c.send(upgrade()));
  EXPECT_EQ(status(c.head()), 101);
  s.sink.peer();
}

TEST(Door, ipv6) {
  Site s({{"host", "::1"}});
  EXPECT_EQ(s.url, "ws://[::1]:" + std::to_string(s.port) + "/connect");
  Client c(s.port, "::1");
  c.send(upgrade());
  EXPECT_EQ(status(c.head()), 101);
  EXPECT_EQ(s.sink.peer().remote.text(), "::1");
}

TEST(Door, everyInterfaceOfBothFamilies) {
  Site s({{"host", "::"}});
  expect_peer(s, Client(s.port, "::1"));
  Client c(s.port, "127.0.0.1");
  c.send(upgrade());
  EXPECT_EQ(status(c.head()), 101);
  auto p = s.sink.peer();
  EXPECT_EQ(p.remote.text(), "127.0.0.1");
  EXPECT_EQ(p.remote.family, net::Address::Family::ipv4);
}

TEST(Door, everyInterfaceOfIpv4) {
  Site s({{"host", "0.0.0.0"}});
  EXPECT_EQ(s.url, "ws://0.0.0.0:" + std::to_string(s.port) + "/connect");
  expect_peer(s, Client(s.port));
}

TEST(Door, aNameIsAllItsAddresses) {
  Site s({{"host", "localhost"}, {"path", "/x"}});
  ASSERT_EQ((*s.sink.opened)->size(), 2u);
  for (auto& url : **s.sink.opened) EXPECT_TRUE(url.ends_with(":" + std::to_string(s.port) + "/x")) << url;
  for (auto ip : {"127.0.0.1", "::1"}) {
    Client c(s.port, ip);
    c.send(upgrade("/x"));
    EXPECT_EQ(status(c.head()), 101);
    s.sink.peer();
  }
}

TEST(Door, severalPlaces) {
  kit::Folder f;
  Site s({{"listen", "tcp://127.0.0.1:0,tcp://[::1]:0,unix:" + f.file("s")}});
  auto& urls = **s.sink.opened;
  ASSERT_EQ(urls.size(), 3u);
  expect_peer(s, Client(s.port));
  expect_peer(s, Client(static_cast<uint16_t>(std::atoi(urls[1].c_str() + urls[1].rfind(':') + 1)), "::1"));
  expect_peer(s, Client(f.file("s")));
  EXPECT_EQ(urls[2], "ws+unix:" + f.file("s") + ":/connect");
}

TEST(Door, unixSocketComesAndGoes) {
  kit::Folder f;
  std::string file = f.file("door");
  {
    Site s({{"listen", "unix:" + file}});
    Client c(file);
    c.send(upgrade());
    EXPECT_EQ(status(c.head()), 101);
    auto p = s.sink.peer();
    EXPECT_EQ(p.remote.family, net::Address::Family::local);
    EXPECT_TRUE(has(p.facts, "\"ip\":\"\",\"port\":0"));
    // A living one is not replaced.
    Site second({{"listen", "unix:" + file}});
    EXPECT_EQ(second.refusal().code, MW_EADDRINUSE);
    second.stop();
    expect_peer(s, Client(file));
  }
  EXPECT_NE(::access(file.c_str(), F_OK), 0);
}

TEST(Door, staleSocketFileIsReplaced) {
  kit::Folder f;
  std::string file = f.file("door");
  int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un a{};
  a.sun_family = AF_UNIX;
  std::strcpy(a.sun_path, file.c_str());
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&a), sizeof a), 0);
  ::close(fd);  // as a process that died leaves it
  Site s({{"listen", "unix:" + file}});
  EXPECT_EQ(s.refusal().code, MW_OK) << s.refusal().text;
  expect_peer(s, Client(file));
}

TEST(Door, anotherFileIsNeverReplaced) {
  kit::Folder f;
  std::string file = f.write("precious", "data");
  Site s({{"listen", "unix:" + file}});
  EXPECT_EQ(s.refusal().code, MW_EADDRINUSE);
  s.stop();
  struct stat st;
  ASSERT_EQ(::stat(file.c_str(), &st), 0);
  EXPECT_EQ(st.st_size, 4);
}

// A successor that replaced our file keeps it when we stop.
TEST(Door, anothersSocketFileIsNotRemoved) {
  kit::Folder f;
  std::string file = f.file("door");
  Site s({{"listen", "unix:" + file}});
  ::unlink(file.c_str());
  Site successor({{"listen", "unix:" + file}});
  s.stop();
  expect_peer(successor, Client(file));
}

TEST(Door, adoptedDescriptor) {
  uint16_t port = 0;
  int fd = listening_socket(&port);
  Site s({{"listen", "fd:" + std::to_string(fd)}});
  EXPECT_EQ(s.port, port);
  EXPECT_TRUE(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
  expect_peer(s, Client(port));
  s.stop();
  EXPECT_EQ(::fcntl(fd, F_GETFD), -1);  // ours since, so closed
}

TEST(Door, adoptedDescriptorIsChecked) {
  int plain = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  int datagrams = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  for (int fd : {plain, file, datagrams, 1 << 19}) {
    Site s({{"listen", "fd:" + std::to_string(fd)}});
    EXPECT_EQ(s.refusal().code, MW_EINVAL) << fd;
  }
  for (int fd : {plain, file, datagrams}) EXPECT_EQ(::close(fd), 0);  // still the caller's
}

TEST(Door, portInUse) {
  Site first;
  Site second({{"port", std::to_string(first.port)}});
  EXPECT_EQ(second.refusal().code, MW_EADDRINUSE);
  EXPECT_TRUE(has(second.refusal().text, std::to_string(first.port))) << second.refusal().text;
}

TEST(Door, reusePortIsAnOption) {
  Site first({{"reuse_port", "true"}});
  Site second({{"reuse_port", "true"}, {"port", std::to_string(first.port)}});
  EXPECT_EQ(second.refusal().code, MW_OK);
}

TEST(Door, notAllowed) {
  kit::Folder f;
  std::string dir = f.file("closed");
  ASSERT_EQ(::mkdir(dir.c_str(), 0500), 0);
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  {
    Site s({{"listen", "unix:" + dir + "/door"}});
    EXPECT_EQ(s.refusal().code, MW_EDENIED) << s.refusal().text;
    EXPECT_EQ(s.refusal().os, EACCES);
  }
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
}

TEST(Door, unresolvableForeignAndMissing) {
  EXPECT_EQ(Site({{"host", "no..such..host"}}).refusal().code, MW_ERESOLVE);
  EXPECT_EQ(Site({{"host", "192.0.2.1"}}).refusal().code, MW_EUNREACH);  // not an address of this machine
  EXPECT_EQ(Site({{"listen", "unix:/no/such/folder/door"}}).refusal().code, MW_EIO);
}

// One bad place: nothing is left of the good ones.
TEST(Door, allOrNothing) {
  kit::Folder f;
  Site taken;
  Site s({{"listen", "unix:" + f.file("door") + ",tcp://127.0.0.1:" + std::to_string(taken.port)}});
  EXPECT_EQ(s.refusal().code, MW_EADDRINUSE);
  EXPECT_NE(::access(f.file("door").c_str(), F_OK), 0);
}

TEST(Door, wrongPlacesAreToldBeforeAnythingOpens) {
  for (auto bad : {"tcp://", "tcp://host", "tcp://:80", "tcp://host:65536", "tcp://host:x", "tcp://[]:80", "unix:", "fd:", "fd:x",
                   "fd:-1", "udp://x:1", "127.0.0.1:80"}) {
    base::Conf c(MW_CONF_PROVIDER);
    if (!c.set("listen", bad)) continue;  // or even when set
    auto r = net::Listener::check(c);
    ASSERT_FALSE(r) << bad;
    EXPECT_EQ(r.error().code, MW_EOPTION) << bad;
  }
  base::Conf c(MW_CONF_PROVIDER);
  if (c.set("listen", "unix:/" + std::string(120, 'x'))) {
    EXPECT_FALSE(net::Listener::check(c));
  }
}

TEST(Door, backlogHoldsWhatIsNotAccepted) {
  Site s({{"handshake.max", "1"}, {"backlog", "4"}});
  Client blocks(s.port);
  EXPECT_TRUE(kit::eventually([&] { return s.listener->counters.accepted == 1; }));
  std::vector<Client> waiting;
  for (int i = 0; i < 4; ++i) waiting.emplace_back(s.port), waiting.back().send(upgrade());
  blocks.close();
  for (auto& c : waiting) EXPECT_EQ(status(c.head()), 101);
  for (int i = 0; i < 4; ++i) s.sink.peer();
}

// Takes every descriptor the process may have but those that are open now.
class NoDescriptors {
 public:
  NoDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    int highest = kit::open_descriptors().rbegin()->first;
    for (int fd = 0; fd <= highest;) {
      fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
      fillers_.push_back(fd);
    }
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(fillers_.back() + 1);
    ::setrlimit(RLIMIT_NOFILE, &now);
  }
  ~NoDescriptors() {
    ::setrlimit(RLIMIT_NOFILE, &before_);
    for (int fd : fillers_) ::close(fd);
  }

 private:
  rlimit before_;
  std::vector<int> fillers_;
};

TEST(Acceptor, withoutDescriptorsItSaysSoAndRecovers) {
  Site s;
  std::vector<Client> all;
  for (int i = 0; i < 6; ++i) all.push_back(Client::unconnected());
  {
    NoDescriptors none;
    for (size_t i = 0; i < 3; ++i) {
      Client& c = all[i];
      c.connect(s.port);
      c.send(upgrade());
      std::string answer = c.all();
      EXPECT_EQ(status(answer), 503);
      EXPECT_TRUE(has(answer, "Retry-After: 1\r\n"));
      c.half_close();  // and keep the descriptor, which would be free else
    }
    std::lock_guard l(s.sink.m);
    ASSERT_EQ(s.sink.troubles.size(), 1u);  // once
    EXPECT_EQ(s.sink.troubles[0].code, MW_EIO);
    EXPECT_EQ(s.sink.troubles[0].os, EMFILE);
    EXPECT_EQ(s.listener->counters.fd_exhausted, 1u);
  }
  for (size_t i = 3; i < 6; ++i) {
    all[i].connect(s.port);
    all[i].send(upgrade());
    EXPECT_EQ(status(all[i].head()), 101);
    s.sink.peer();
  }
}

}  // namespace
