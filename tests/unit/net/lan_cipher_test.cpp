#include "net/lan_cipher.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace mw::net {
namespace {

using wire::kLanHead;
using wire::kLanTag;

std::shared_ptr<const SharedSecret> secret(std::string_view text) {
  auto made = SharedSecret::stretch(text);
  EXPECT_TRUE(made);
  return made ? *made : nullptr;
}

wire::LanSender sender(uint8_t n) {
  wire::LanSender s{};
  s[15] = n;
  return s;
}

std::vector<uint8_t> datagram(const wire::LanHead& head, std::string_view text) {
  std::vector<uint8_t> d(kLanHead + text.size() + kLanTag);
  wire::put_lan_head(d.data(), head);
  std::memcpy(d.data() + kLanHead, text.data(), text.size());
  return d;
}

TEST(LanCipher, OpensWhatWasSealedAndNothingElse) {
  auto shared = secret("sixteen bytes or more");
  LanCipher a(shared, sender(1)), b(shared, sender(2)), stranger(secret("another secret of length"), sender(3));
  for (std::string_view text : {std::string_view(""), std::string_view("hello"), std::string_view("\0\1\2", 3)}) {
    wire::LanHead head{true, sender(1), 7, 123};
    auto sealed = datagram(head, text);
    ASSERT_EQ(a.seal(sealed.data(), kLanHead + text.size(), 7), sealed.size());
    for (size_t at = 0; at < sealed.size(); ++at) {  // every byte is covered, the head's too
      auto bad = sealed;
      bad[at] ^= 1;
      wire::LanHead claimed = head;
      if (wire::parse_lan_head(bad.data(), bad.size(), claimed)) {
        EXPECT_FALSE(b.open(bad.data(), bad.size(), claimed)) << at;
      }
    }
    auto cut = sealed;
    EXPECT_FALSE(b.open(cut.data(), cut.size() - 1, head));
    EXPECT_FALSE(b.open(cut.data(), kLanHead + kLanTag - 1, head));
    auto foreign = sealed;
    EXPECT_FALSE(stranger.open(foreign.data(), foreign.size(), head));
    auto good = sealed;
    ASSERT_TRUE(b.open(good.data(), good.size(), head));
    EXPECT_EQ(std::string_view(reinterpret_cast<char*>(good.data()) + kLanHead, text.size()), text);
  }
}

TEST(LanCipher, MoreSendersThanItRemembers) {
  auto shared = secret("sixteen bytes or more");
  LanCipher ear(shared, sender(0));
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 300; ++i) {
      wire::LanSender id{};
      id[0] = 1;
      id[1] = static_cast<uint8_t>(i);
      id[2] = static_cast<uint8_t>(i >> 8);
      LanCipher talker(shared, id);
      wire::LanHead head{true, id, 1, 0};
      auto d = datagram(head, "x");
      talker.seal(d.data(), kLanHead + 1, 1);
      EXPECT_TRUE(ear.open(d.data(), d.size(), head)) << i;
    }
  }
}

}  // namespace
}  // namespace mw::net
