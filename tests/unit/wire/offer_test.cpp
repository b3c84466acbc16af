#include "wire/offer.hpp"

#include <gtest/gtest.h>

namespace mw::wire {
namespace {

struct Accepted {
  bool on;
  Deflate d;
  std::string answer;
};
Accepted accept(const char* offer, Compress preset = Compress::k256) {
  auto list = extension_list(offer);
  EXPECT_TRUE(list) << offer;
  Accepted a{};
  auto d = accept_deflate(*list, preset, a.answer);
  a.on = d.has_value();
  if (d) a.d = *d;
  EXPECT_EQ(a.on, a.d.on);
  return a;
}

TEST(Accept, Plain) {
  auto a = accept("permessage-deflate");
  ASSERT_TRUE(a.on);
  EXPECT_EQ(a.answer, "permessage-deflate");
  EXPECT_EQ(a.d.server_bits, 15);
  EXPECT_EQ(a.d.client_bits, 15);
  EXPECT_FALSE(a.d.server_no_takeover);
  EXPECT_FALSE(a.d.client_no_takeover);
  EXPECT_TRUE(accept("PerMessage-Deflate").on);
}

TEST(Accept, OffAndOthers) {
  EXPECT_FALSE(accept("permessage-deflate", Compress::off).on);
  EXPECT_FALSE(accept("").on);
  EXPECT_FALSE(accept("x-webkit-deflate-frame, permessage-bzip2").on);
}

TEST(Accept, EveryParameter) {
  auto a = accept("permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_EQ(a.answer, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
  EXPECT_TRUE(a.d.server_no_takeover);
  EXPECT_TRUE(a.d.client_no_takeover);
  a = accept("permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(a.answer, "permessage-deflate; server_max_window_bits=10");
  EXPECT_EQ(a.d.server_bits, 10);
  a = accept("permessage-deflate; server_max_window_bits=15");
  EXPECT_EQ(a.answer, "permessage-deflate; server_max_window_bits=15");
  a = accept("permessage-deflate; server_max_window_bits=8");
  EXPECT_EQ(a.answer, "permessage-deflate; server_max_window_bits=8");
  EXPECT_EQ(a.d.server_bits, 8);
  a = accept("permessage-deflate; client_max_window_bits");
  EXPECT_EQ(a.answer, "permessage-deflate");
  EXPECT_EQ(a.d.client_bits, 15);
  a = accept("permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(a.answer, "permessage-deflate; client_max_window_bits=9");
  EXPECT_EQ(a.d.client_bits, 9);
  a = accept("permessage-deflate; client_max_window_bits=\"12\"");
  EXPECT_EQ(a.d.client_bits, 12);
}

TEST(Accept, BadOffersAreDeclined) {
  for (const char* bad : {
           "permessage-deflate; unknown",
           "permessage-deflate; unknown=1",
           "permessage-deflate; server_no_context_takeover=1",
           "permessage-deflate; client_no_context_takeover=true",
           "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
           "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
           "permessage-deflate; server_max_window_bits",
           "permessage-deflate; server_max_window_bits=7",
           "permessage-deflate; server_max_window_bits=16",
           "permessage-deflate; server_max_window_bits=08",
           "permessage-deflate; server_max_window_bits=1x",
           "permessage-deflate; server_max_window_bits=100",
           "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
           "permessage-deflate; client_max_window_bits=7",
           "permessage-deflate; client_max_window_bits=+9",
           "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
           "permessage-deflate; Server_No_Context_Takeover",
       })
    EXPECT_FALSE(accept(bad).on) << bad;
}

TEST(Accept, TheFirstOfferThatFits) {
  auto a = accept("permessage-deflate; unknown, permessage-deflate; server_max_window_bits=11, permessage-deflate");
  ASSERT_TRUE(a.on);
  EXPECT_EQ(a.d.server_bits, 11);
}

TEST(Accept, PresetsBoundBothWindows) {
  auto a = accept("permessage-deflate; client_max_window_bits", Compress::k8);
  EXPECT_EQ(a.answer, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10");
  EXPECT_EQ(a.d.server_bits, 10);
  EXPECT_EQ(a.d.client_bits, 10);
  EXPECT_FALSE(a.d.client_no_takeover);
  // A client that cannot make its window smaller is not remembered.
  a = accept("permessage-deflate", Compress::k8);
  EXPECT_EQ(a.answer, "permessage-deflate; client_no_context_takeover; server_max_window_bits=10");
  EXPECT_TRUE(a.d.client_no_takeover);
  EXPECT_EQ(a.d.client_bits, 15);
  // Never larger than asked for.
  a = accept("permessage-deflate; server_max_window_bits=9; client_max_window_bits=8", Compress::k64);
  EXPECT_EQ(a.d.server_bits, 9);
  EXPECT_EQ(a.d.client_bits, 8);
  a = accept("permessage-deflate; client_max_window_bits", Compress::shared);
  EXPECT_EQ(a.answer, "permessage-deflate; server_no_context_takeover; client_no_context_takeover");
}

TEST(Offer, ByPreset) {
  EXPECT_EQ(offer_deflate(Compress::off), "");
  EXPECT_EQ(offer_deflate(Compress::k256), "permessage-deflate; client_max_window_bits");
  EXPECT_EQ(offer_deflate(Compress::k16),
            "permessage-deflate; server_max_window_bits=11; client_max_window_bits=11");
  EXPECT_EQ(offer_deflate(Compress::shared),
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits");
}

TEST(Confirm, Answers) {
  auto d = confirm_deflate(Compress::k256, "");
  ASSERT_TRUE(d);
  EXPECT_FALSE(d->on);
  d = confirm_deflate(Compress::off, "");
  ASSERT_TRUE(d);
  EXPECT_FALSE(d->on);
  d = confirm_deflate(Compress::k256, "permessage-deflate");
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->on);
  EXPECT_EQ(d->server_bits, 15);
  EXPECT_EQ(d->client_bits, 15);
  d = confirm_deflate(Compress::k256, "permessage-deflate; client_max_window_bits=8; server_max_window_bits=9; "
                                      "client_no_context_takeover; server_no_context_takeover");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->client_bits, 8);
  EXPECT_EQ(d->server_bits, 9);
  EXPECT_TRUE(d->client_no_takeover);
  EXPECT_TRUE(d->server_no_takeover);
  d = confirm_deflate(Compress::k8, "permessage-deflate; server_max_window_bits=10");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->client_bits, 10);
  // RFC 7692 7.1.2.2: a larger window may be allowed to us than we offered.
  d = confirm_deflate(Compress::k8, "permessage-deflate; server_max_window_bits=10; client_max_window_bits=15");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->client_bits, 10);
}

TEST(Confirm, Refusals) {
  struct Case {
    Compress preset;
    const char* answer;
  };
  for (auto c : {Case{Compress::off, "permessage-deflate"}, Case{Compress::k256, "x-other"},
                 Case{Compress::k256, "permessage-deflate, permessage-deflate"},
                 Case{Compress::k256, "permessage-deflate; unknown"},
                 Case{Compress::k256, "permessage-deflate; client_max_window_bits"},
                 Case{Compress::k256, "permessage-deflate; server_max_window_bits"},
                 Case{Compress::k256, "permessage-deflate; server_max_window_bits=16"},
                 Case{Compress::k256, "permessage-deflate; server_no_context_takeover=1"},
                 Case{Compress::k256, "permessage-deflate;"}, Case{Compress::k256, "permessage-deflate; a=\""},
                 Case{Compress::k8, "permessage-deflate"},
                 Case{Compress::k8, "permessage-deflate; server_max_window_bits=11"},
                 Case{Compress::shared, "permessage-deflate"}}) {
    auto d = confirm_deflate(c.preset, c.answer);
    ASSERT_FALSE(d) << c.answer;
    EXPECT_EQ(d.error().code, MW_EPROTO);
  }
}

// Our own two ends agree, whatever each is set to.
TEST(Confirm, AllPairsOfPresets) {
  for (int s = 0; s <= static_cast<int>(Compress::k256); s++)
    for (int c = 0; c <= static_cast<int>(Compress::k256); c++) {
      auto offer = offer_deflate(static_cast<Compress>(c));
      auto list = extension_list(offer);
      ASSERT_TRUE(list);
      std::string answer;
      auto server = accept_deflate(*list, static_cast<Compress>(s), answer);
      auto client = confirm_deflate(static_cast<Compress>(c), answer);
      ASSERT_TRUE(client) << offer << " / " << answer;
      ASSERT_EQ(server.has_value(), client->on);
      EXPECT_EQ(client->on, s != 0 && c != 0);
      if (!server) continue;
      EXPECT_EQ(server->server_bits, client->server_bits) << offer << " / " << answer;
      EXPECT_LE(client->client_bits, server->client_bits) << offer << " / " << answer;
      EXPECT_EQ(server->server_no_takeover, client->server_no_takeover);
      EXPECT_LE(server->client_no_takeover, client->client_no_takeover);
    }
}

}  // namespace
}  // namespace mw::wire
