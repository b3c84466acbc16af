#include "mesh/core/access_news.hpp"

#include <gtest/gtest.h>

namespace mw::mesh::core {
namespace {

bool parse(const std::string& bytes, MessageView& m) {
  wire::Violation v{};
  return parse_message({reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}, m, v);
}
std::string piece(uint64_t revision, size_t size, size_t at, std::string_view text, uint8_t flags = 0) {
  return MessageWriter(Kind::schema).number(revision).byte(flags).number(size).number(at).text(text).take();
}
using Came = AccessNews::Came;
constexpr uint64_t kNow = 1'700'000'000'000'000;
struct Hearer {
  AccessNews news;
  Came came(uint64_t link, Slot from, const std::string& bytes) {
    MessageView m;
    EXPECT_TRUE(parse(bytes, m));
    return news.take(link, from, m, kNow);
  }
  // A manager with one link; what can be read.
  bool hear(Slot from, const std::string& bytes) {
    if (came(from, from, bytes) != Came::another) return false;
    news.accept();
    return true;
  }
  bool whole(Slot from, uint64_t revision, std::string_view text, uint8_t flags = 0) {
    return hear(from, piece(revision, text.size(), 0, text, flags));
  }
};

TEST(AccessNews, PiecesOfAMessage) {
  MessageView m;
  const std::string some = piece(1, 5, 2, "abc");
  EXPECT_TRUE(parse(some, m));
  EXPECT_EQ(m.piece, "abc");
  EXPECT_TRUE(parse(piece(1, 5, 2, "abc") + "later", m));
  EXPECT_TRUE(parse(piece(1, 0, 0, ""), m));
  EXPECT_FALSE(parse(piece(1, 5, 3, "abc"), m));  // beyond the end
  EXPECT_FALSE(parse(piece(1, 5, 6, ""), m));
  EXPECT_FALSE(parse(piece(1, 5, 0, ""), m));     // nothing of something
  EXPECT_FALSE(parse(piece(1, kMaxSchema + 1, 0, "x"), m));
  const std::string bytes = piece(300, 5, 2, "abc", kAnyCase);
  for (size_t n = 0; n < bytes.size(); n++) EXPECT_FALSE(parse(bytes.substr(0, n), m)) << n;
}

TEST(AccessNews, PutTogether) {
  Hearer h;
  EXPECT_FALSE(h.hear(1, piece(7, 6, 0, "ab")));
  EXPECT_FALSE(h.hear(2, piece(7, 6, 2, "XX")));  // of another one that did not begin
  EXPECT_FALSE(h.hear(1, piece(7, 6, 2, "cd")));
  EXPECT_TRUE(h.hear(1, piece(7, 6, 4, "ef")));
  EXPECT_EQ(h.news.counts().text, "abcdef");
  // A newer one in the middle of one that never ends; a piece that is missing.
  EXPECT_FALSE(h.hear(1, piece(8, 4, 0, "ab")));
  EXPECT_TRUE(h.whole(1, 9, "new"));
  EXPECT_FALSE(h.hear(1, piece(8, 4, 2, "cd")));
  EXPECT_FALSE(h.hear(1, piece(10, 6, 0, "ab")));
  EXPECT_FALSE(h.hear(1, piece(10, 6, 4, "ef")));
  EXPECT_EQ(h.news.counts().text, "new");
  EXPECT_FALSE(h.whole(1, 0, "no revision"));
  EXPECT_TRUE(h.whole(1, 11, ""));  // none any more
  EXPECT_EQ(h.news.counts().text, "");
}

TEST(AccessNews, TheLaterOneCountsWhoeverIsThere) {
  // In any order.
  for (const bool first : {true, false}) {
    Hearer h;
    EXPECT_TRUE(first ? h.whole(1, 10, "old") : h.whole(2, 20, "new"));
    EXPECT_EQ(h.news.contradicts(), kNoSlot);
    EXPECT_EQ(first ? h.whole(2, 20, "new") : h.whole(1, 10, "old"), first);
    EXPECT_EQ(h.news.counts().text, "new");
    EXPECT_EQ(h.news.contradicts(), 1u);
    h.news.lost(2);
    EXPECT_EQ(h.news.counts().text, "new");
    EXPECT_EQ(h.news.contradicts(), 1u);
    // Back from a restart with the same file.
    EXPECT_FALSE(h.whole(2, 30, "new"));
    EXPECT_FALSE(h.whole(1, 40, "new"));
    EXPECT_EQ(h.news.contradicts(), kNoSlot);
    EXPECT_EQ(h.news.counts().revision, 40u);
  }
}

TEST(AccessNews, SetOnceMoreIsToldFor) {
  Hearer h;
  EXPECT_TRUE(h.whole(1, 10, "a"));
  EXPECT_EQ(h.came(1, 1, piece(20, 1, 0, "a")), Came::renewed);
  EXPECT_EQ(h.came(2, 2, piece(20, 1, 0, "a")), Came::known);
  EXPECT_EQ(h.came(1, 1, piece(30, 0, 0, "")), Came::another);
}

TEST(AccessNews, WhatWasNotReadComesAgain) {
  Hearer h;
  EXPECT_TRUE(h.whole(1, 10, "old"));
  EXPECT_EQ(h.came(1, 1, piece(20, 3, 0, "new")), Came::another);
  EXPECT_EQ(h.news.candidate().text, "new");
  EXPECT_EQ(h.news.counts().text, "old");
  EXPECT_EQ(h.news.contradicts(), kNoSlot);
  EXPECT_EQ(h.came(1, 1, piece(20, 3, 0, "new")), Came::another);
  h.news.accept();
  EXPECT_EQ(h.news.counts().text, "new");
  EXPECT_EQ(h.came(1, 1, piece(20, 3, 0, "new")), Came::known);
}

TEST(AccessNews, HeardOnceAnyManagerHasSpoken) {
  Hearer none, bad;
  EXPECT_FALSE(none.news.heard());
  EXPECT_EQ(none.came(1, 1, piece(0, 3, 0, "abc")), Came::nothing);  // of no revision: nothing at all
  EXPECT_FALSE(none.news.heard());
  EXPECT_EQ(none.came(1, 1, piece(0, 0, 0, "")), Came::nothing);
  EXPECT_TRUE(none.news.heard());
  EXPECT_EQ(none.news.contradicts(), kNoSlot);
  EXPECT_EQ(bad.came(1, 1, piece(5, 3, 0, "bad")), Came::another);
  EXPECT_FALSE(bad.news.heard());  // it was not accepted
  bad.news.accept();
  EXPECT_TRUE(bad.news.heard());
}

TEST(AccessNews, TwoLinksToOneManager) {
  Hearer h;
  EXPECT_EQ(h.came(7, 1, piece(9, 6, 0, "ab")), Came::nothing);
  EXPECT_EQ(h.came(8, 1, piece(9, 6, 0, "ab")), Came::nothing);
  EXPECT_EQ(h.came(7, 1, piece(9, 6, 2, "cd")), Came::nothing);
  EXPECT_EQ(h.came(8, 1, piece(9, 6, 2, "cd")), Came::nothing);
  h.news.ended(8);
  EXPECT_EQ(h.came(8, 1, piece(9, 6, 4, "ef")), Came::nothing);
  EXPECT_EQ(h.came(7, 1, piece(9, 6, 4, "ef")), Came::another);
  EXPECT_EQ(h.news.candidate().text, "abcdef");
}

// Any node may say that it holds any revision: no manager follows it to where none is above.
TEST(AccessNews, NobodyCanPutTheEndOfRevisions) {
  EXPECT_EQ(revision_above(kNow, UINT64_MAX, kNow), kNow);
  EXPECT_EQ(revision_above(kNow, UINT64_MAX - 1, kNow), kNow);
  EXPECT_EQ(revision_above(kNow, kNow - 5, kNow), kNow);
  EXPECT_EQ(revision_above(kNow, kNow + 600'000'000, kNow), kNow + 600'000'001);  // of a clock that is ahead
  const uint64_t most = revision_above(kNow, kNow + kFollowedAhead, kNow);
  Hearer h;
  EXPECT_EQ(h.came(1, 1, piece(UINT64_MAX, 1, 0, "x")), Came::ahead);
  EXPECT_FALSE(h.news.heard());
  EXPECT_TRUE(h.whole(1, most, "a"));
  EXPECT_TRUE(h.whole(1, most + 1, "b"));
  EXPECT_EQ(h.came(1, 1, piece(kNow + kTakenAhead + 1, 1, 0, "c")), Came::ahead);
}

TEST(AccessNews, SetAtTheSameMoment) {
  Hearer a, b;
  a.whole(1, 5, "one");
  a.whole(2, 5, "two");
  b.whole(2, 5, "two");
  b.whole(1, 5, "one");
  EXPECT_EQ(a.news.counts().text, b.news.counts().text);
  EXPECT_NE(schema_hash("one", false), schema_hash("one", true));
}

}  // namespace
}  // namespace mw::mesh::core
